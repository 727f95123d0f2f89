#include "libs/base/sha256.h"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <array>

namespace protector {
namespace {

std::array<unsigned char, SHA256_DIGEST_LENGTH> Digest(std::string_view bytes) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  return digest;
}

}  // namespace

std::string Sha256Hex(std::string_view bytes) {
  const auto digest = Digest(bytes);
  std::string hex;
  hex.reserve(digest.size() * 2);
  for (const unsigned char byte : digest) hex += fmt::format("{:02x}", byte);
  return hex;
}

int64_t Sha256Short(std::string_view bytes) {
  const auto digest = Digest(bytes);
  uint64_t number = 0;
  for (size_t i = 0; i < 8; ++i) number = number << 8 | digest[i];
  return static_cast<int64_t>(number);
}

}  // namespace protector
