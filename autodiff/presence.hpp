// Whether an object is still there, for those who only have its address.
#pragma once

#include <memory>

namespace cadena::detail {

/// A member that tells watchers when its object is gone. Copies of the object are objects of their own.
class Presence {
 public:
  Presence() = default;
  Presence(const Presence&) {}
  Presence& operator=(const Presence&) { return *this; }
  ~Presence() = default;

  /// Expires with the object.
  std::weak_ptr<const void> watch() const {
    if (!token_) token_ = std::make_shared<char>();
    return token_;
  }

 private:
  mutable std::shared_ptr<char> token_;
};

}  // namespace cadena::detail
