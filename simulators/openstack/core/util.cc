#include "simulators/openstack/core/util.h"

#include <fnmatch.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <random>

#include <fmt/format.h>

namespace protector::ossim {
namespace {

std::mt19937_64& Engine() {
  static thread_local std::mt19937_64 engine = [] {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device()};
    return std::mt19937_64(seed);
  }();
  return engine;
}

std::tm Calendar(int64_t ms) {
  std::time_t seconds = static_cast<std::time_t>(ms / 1000);
  std::tm out{};
  gmtime_r(&seconds, &out);
  return out;
}

std::string Stamp(int64_t ms) {
  std::tm t = Calendar(ms);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour,
                     t.tm_min, t.tm_sec);
}

}  // namespace

int64_t NowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

uint64_t RandomU64() {
  return Engine()();
}

double RandomUnit() {
  return std::uniform_real_distribution<double>(0.0, 1.0)(Engine());
}

std::string NewHexId() {
  uint64_t high = (RandomU64() & ~0xf000ULL) | 0x4000ULL;
  uint64_t low = (RandomU64() & ~(3ULL << 62)) | (1ULL << 63);
  return fmt::format("{:016x}{:016x}", high, low);
}

std::string NewUuid() {
  std::string h = NewHexId();
  return h.substr(0, 8) + "-" + h.substr(8, 4) + "-" + h.substr(12, 4) + "-" + h.substr(16, 4) + "-" + h.substr(20);
}

std::string RandomText(size_t length) {
  static const char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string out(length, 'x');
  for (char& c : out) c = kAlphabet[RandomU64() % 64];
  return out;
}

std::string RandomMac(const std::string& prefix) {
  uint64_t r = RandomU64();
  return fmt::format("{}:{:02x}:{:02x}", prefix, (r >> 8) & 0xff, r & 0xff);
}

std::string IsoSeconds(int64_t ms) {
  return Stamp(ms) + "Z";
}
std::string IsoMicros(int64_t ms) {
  return fmt::format("{}.{:03}000", Stamp(ms), ms % 1000);
}
std::string IsoMicrosZ(int64_t ms) {
  return IsoMicros(ms) + "Z";
}

int64_t ParseIso(const std::string& text) {
  std::tm t{};
  int n = std::sscanf(text.c_str(), "%d-%d-%dT%d:%d:%d", &t.tm_year, &t.tm_mon, &t.tm_mday, &t.tm_hour, &t.tm_min,
                      &t.tm_sec);
  if (n < 3) return 0;
  t.tm_year -= 1900;
  t.tm_mon -= 1;
  int64_t ms = static_cast<int64_t>(timegm(&t)) * 1000;
  size_t dot = text.find('.');
  if (dot != std::string::npos) {
    std::string digits = (text.substr(dot + 1, 3) + "000").substr(0, 3);
    if (std::all_of(digits.begin(), digits.end(), [](unsigned char c) { return std::isdigit(c) != 0; })) {
      ms += std::stoi(digits);
    }
  }
  return ms;
}

bool GlobMatch(const std::string& pattern, const std::string& text) {
  return fnmatch(pattern.c_str(), text.c_str(), 0) == 0;
}

std::vector<std::string> Split(const std::string& text, char separator, bool keep_empty) {
  std::vector<std::string> out;
  size_t start = 0;
  while (start <= text.size()) {
    size_t end = std::min(text.find(separator, start), text.size());
    if (end > start || keep_empty) out.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return out;
}

std::string Lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

bool LooksLikeUuid(const std::string& text) {
  std::string hex;
  for (char c : text) {
    if (c != '-') hex.push_back(c);
  }
  return hex.size() == 32 && std::all_of(hex.begin(), hex.end(), [](unsigned char c) { return std::isxdigit(c) != 0; });
}

std::string Sha256Hex(const std::string& text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  std::string out;
  for (unsigned char c : digest) out += fmt::format("{:02x}", c);
  return out;
}

}  // namespace protector::ossim
