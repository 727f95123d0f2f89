#include <arpa/inet.h>

#include <array>
#include <charconv>
#include <cstring>

#include "services/orchestrator/domain/check/plan.h"

namespace protector::orchestrator {
namespace {

struct Address {
  std::array<unsigned char, 16> bytes{};
  int bits = 0;  // 32 or 128; 0: not an address
};

Address Parse(const std::string& text) {
  Address address;
  if (inet_pton(AF_INET, text.c_str(), address.bytes.data()) == 1) {
    address.bits = 32;
  } else if (inet_pton(AF_INET6, text.c_str(), address.bytes.data()) == 1) {
    address.bits = 128;
  }
  return address;
}

}  // namespace

bool AddressInRange(const std::string& address, const std::string& cidr) {
  const size_t slash = cidr.find('/');
  if (slash == std::string::npos) return false;
  const Address wanted = Parse(address);
  const Address range = Parse(cidr.substr(0, slash));
  int prefix = -1;
  const char* end = cidr.data() + cidr.size();
  const auto [parsed, error] = std::from_chars(cidr.data() + slash + 1, end, prefix);
  if (wanted.bits == 0 || wanted.bits != range.bits || error != std::errc() || parsed != end) return false;
  if (prefix < 0 || prefix > wanted.bits) return false;
  const auto whole = static_cast<size_t>(prefix / 8);
  if (std::memcmp(wanted.bytes.data(), range.bytes.data(), whole) != 0) return false;
  const int rest = prefix % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<unsigned char>(0xFF << (8 - rest));
  return (wanted.bytes[whole] & mask) == (range.bytes[whole] & mask);
}

bool IsOurMark(const std::string& text) {
  return text.rfind("protector", 0) == 0;
}

}  // namespace protector::orchestrator
