#pragma once
// SHA-256 (OpenSSL). Threads: pure functions. Failure: none.

#include <string>
#include <string_view>

namespace protector {

// 64 lower-case hex digits.
std::string Sha256Hex(std::string_view bytes);

}  // namespace protector
