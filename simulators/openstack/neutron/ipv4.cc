#include "simulators/openstack/neutron/ipv4.h"

#include <arpa/inet.h>

#include <cctype>

#include <fmt/format.h>

namespace protector::ossim {

std::optional<uint32_t> ParseIpv4(const std::string& text) {
  in_addr a{};
  if (inet_pton(AF_INET, text.c_str(), &a) != 1) return std::nullopt;
  return ntohl(a.s_addr);
}

std::string FormatIpv4(uint32_t a) {
  return fmt::format("{}.{}.{}.{}", a >> 24, (a >> 16) & 255, (a >> 8) & 255, a & 255);
}

std::string Cidr::Text() const {
  return fmt::format("{}/{}", FormatIpv4(network), prefix);
}

std::optional<Cidr> ParseCidr(const std::string& text) {
  size_t slash = text.find('/');
  if (slash == std::string::npos || slash + 1 >= text.size() || text.size() - slash > 3) return std::nullopt;
  auto address = ParseIpv4(text.substr(0, slash));
  int prefix = 0;
  for (size_t i = slash + 1; i < text.size(); ++i) {
    if (std::isdigit(static_cast<unsigned char>(text[i])) == 0) return std::nullopt;
    prefix = prefix * 10 + (text[i] - '0');
  }
  if (!address || prefix > 32) return std::nullopt;
  uint32_t mask = prefix == 0 ? 0U : ~0U << (32 - prefix);
  return Cidr{*address & mask, prefix};
}

std::optional<std::string> ParseMac(const std::string& text) {
  if (text.size() != 17) return std::nullopt;
  std::string out = text;
  for (size_t i = 0; i < out.size(); ++i) {
    auto c = static_cast<unsigned char>(out[i]);
    if (i % 3 == 2 ? (c != ':' && c != '-') : std::isxdigit(c) == 0) return std::nullopt;
    out[i] = i % 3 == 2 ? ':' : static_cast<char>(std::tolower(c));
  }
  return out;
}

}  // namespace protector::ossim
