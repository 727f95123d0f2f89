// IPv4 addresses and ranges, as numbers. Threads: pure. Failure: std::nullopt for text that is not one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace protector::ossim {

std::optional<uint32_t> ParseIpv4(const std::string& text);
std::string FormatIpv4(uint32_t address);

struct Cidr {
  uint32_t network = 0;
  int prefix = 0;
  uint32_t first() const { return network; }
  uint32_t last() const { return network | (prefix == 0 ? ~0U : (prefix == 32 ? 0U : ~0U >> prefix)); }
  bool Contains(uint32_t a) const { return a >= first() && a <= last(); }
  std::string Text() const;
};

// "10.1.2.0/24"; the host bits are cut off.
std::optional<Cidr> ParseCidr(const std::string& text);

// "fa:16:3e:00:00:01" in lower case, or nothing.
std::optional<std::string> ParseMac(const std::string& text);

}  // namespace protector::ossim
