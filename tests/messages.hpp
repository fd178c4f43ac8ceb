// What an error says.
#pragma once

#include <gtest/gtest.h>

#include <exception>
#include <string>

namespace cadena {

/// The message of the E that f throws; a failure if it throws something else or nothing.
template <class E, class F>
std::string message_of(const F& f) {
  try {
    f();
  } catch (const E& e) {
    return e.what();
  } catch (const std::exception& e) {
    ADD_FAILURE() << "another exception: " << e.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace cadena
