// The part of Python's pickle that PyTorch's state dicts are made of. Not part of the public interface.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace cadena::data {

/// One value of a pickle. Values refer to each other by their place in `Pickle::values`, so that cycles and
/// deep nesting cost nothing to hold or to destroy.
struct PickleValue {
  using Id = std::size_t;
  struct None {};
  struct Mark {};
  /// A tuple or a list.
  struct Sequence {
    std::vector<Id> items;
    bool is_tuple;
  };
  struct Dict {
    std::vector<std::pair<Id, Id>> items;
  };
  /// A name of the whitelist, "module.name".
  struct Global {
    std::string name;
  };
  /// What persistent_load would be asked for: ('storage', type, key, location, elements).
  struct Persistent {
    Id tuple;
  };
  /// A whitelisted function and the tuple of its arguments, not called.
  struct Call {
    std::string function;
    Id arguments;
  };

  std::variant<None, Mark, bool, std::int64_t, double, std::string, Sequence, Dict, Global, Persistent, Call>
      v;
  std::size_t at = 0;  ///< the byte it comes from
};

struct Pickle {
  std::deque<PickleValue> values;
  PickleValue::Id root = 0;
};

/// Reads a pickle of protocol 2 to 5 without ever running anything: names that are not in `globals` are
/// refused when they are mentioned, and calls of those are recorded as such.
/// @param format named in errors @throws FormatError for everything else
Pickle parse_pickle(std::span<const std::uint8_t> bytes, const char* format,
                    std::span<const std::string_view> globals);

}  // namespace cadena::data
