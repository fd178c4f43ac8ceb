// Every error Cadena throws. Messages read "[op] what was expected, got <what was found>".
// The destructors are out of line because a class without any would have its table in every object file that
// throws.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

namespace cadena {

/// Base of all errors thrown by the library. Catching it and going on is always safe: nothing was changed.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
  ~Error() override;
};

/// Shapes, ranks or axes that do not fit together, or whose sizes overflow.
class ShapeError : public Error {
 public:
  using Error::Error;
  ~ShapeError() override;
};

/// An operation that is not defined for a dtype, or tensors whose dtypes do not fit together.
class DtypeError : public Error {
 public:
  using Error::Error;
  ~DtypeError() override;
};

/// An index outside its axis.
class IndexError : public Error {
 public:
  using Error::Error;
  ~IndexError() override;
};

/// An argument whose value (not shape or dtype) is out of its range.
class ValueError : public Error {
 public:
  using Error::Error;
  ~ValueError() override;
};

/// Misuse of the recorded graph: backward twice, a saved value overwritten, an input that is not in the
/// graph.
class GraphError : public Error {
 public:
  using Error::Error;
  ~GraphError() override;
};

/// What capture() cannot record or repeat, or a call that does not fit what was captured.
class CaptureError : public Error {
 public:
  using Error::Error;
  ~CaptureError() override;
};

/// An iteration that did not reach its goal.
class ConvergenceError : public Error {
 public:
  using Error::Error;
  ~ConvergenceError() override;
};

/// The system has no more memory; the message says how much was asked for.
class MemoryError : public Error {
 public:
  using Error::Error;
  ~MemoryError() override;
};

/// A file or folder that cannot be opened, read or written.
class IoError : public Error {
 public:
  using Error::Error;
  ~IoError() override;
};

/// File contents that break their format. The fields say where and why.
class FormatError : public Error {
 public:
  /// @param format the file format, e.g. "idx"
  /// @param offset byte position in the (decompressed) stream at which the fault was found
  /// @param field the part of the format, e.g. "magic"
  /// @param reason what was expected and what was found
  FormatError(std::string format, std::int64_t offset, std::string field, std::string reason)
      : Error("[" + format + "] " + field + " at byte " + std::to_string(offset) + ": " + reason),
        format(std::move(format)),
        offset(offset),
        field(std::move(field)),
        reason(std::move(reason)) {}

  std::string format;
  std::int64_t offset;
  std::string field;
  std::string reason;
};

}  // namespace cadena
