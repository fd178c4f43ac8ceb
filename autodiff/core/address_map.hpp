// What is known of pieces of memory that do not overlap, by any address within.
#pragma once

#include <cstddef>
#include <iterator>
#include <map>

namespace cadena::detail {

template <class T>
class AddressMap {
 public:
  struct Piece {
    std::size_t bytes;
    T about;
  };
  using Pieces = std::map<const unsigned char*, Piece>;
  using iterator = typename Pieces::iterator;

  void add(const void* first, std::size_t bytes, T about) {
    if (bytes > 0) pieces_.insert_or_assign(byte(first), Piece{bytes, std::move(about)});
  }
  /// The piece that p points into, or end().
  iterator find(const void* p) {
    auto next = pieces_.upper_bound(byte(p));
    if (next == pieces_.begin()) return pieces_.end();
    --next;
    return offset(next, p) < next->second.bytes ? next : pieces_.end();
  }
  /// Of an address in a piece.
  static std::size_t offset(iterator piece, const void* p) {
    return static_cast<std::size_t>(byte(p) - piece->first);
  }
  void erase(iterator piece) { pieces_.erase(piece); }
  void clear() { pieces_.clear(); }
  iterator begin() { return pieces_.begin(); }
  iterator end() { return pieces_.end(); }

 private:
  static const unsigned char* byte(const void* p) { return static_cast<const unsigned char*>(p); }
  Pieces pieces_;
};

}  // namespace cadena::detail
