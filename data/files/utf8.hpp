// UTF-8, strictly. Not part of the public interface.
#pragma once

#include <cstddef>
#include <string_view>

namespace cadena::data {

/// Bytes of the character at `at`, 0 if there is no valid one (overlong, surrogate, cut off, above U+10FFFF).
std::size_t utf8_length(std::string_view text, std::size_t at);

/// Where the first invalid byte is; text.size() if there is none.
std::size_t utf8_fault(std::string_view text);

}  // namespace cadena::data
