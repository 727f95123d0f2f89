#pragma once
// SHA-256 (OpenSSL). Threads: pure functions. Failure: none.

#include <cstdint>
#include <string>
#include <string_view>

namespace protector {

// 64 lower-case hex digits.
std::string Sha256Hex(std::string_view bytes);

// Its first eight bytes as a number: tells accidents, not forgers.
int64_t Sha256Short(std::string_view bytes);

}  // namespace protector
