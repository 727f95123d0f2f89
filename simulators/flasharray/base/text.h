// Small text helpers: case folding for names, globs, splitting, hex, ids made from a seed.
//
// Threads: pure functions. Ownership: none. Failure: none; bad hex gives an empty optional.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace protector::fasim {

std::string Lower(std::string text);
std::string Upper(std::string text);
std::vector<std::string> Split(const std::string& text, char separator);
std::string Join(const std::vector<std::string>& parts, const std::string& separator);
bool StartsWith(const std::string& text, const std::string& prefix);

// `*` stands for any text, `?` for one character. Case counts only when asked.
bool GlobMatch(const std::string& pattern, const std::string& text, bool case_sensitive = false);

std::string ToHex(const std::string& bytes);
std::optional<std::string> FromHex(const std::string& hex);
std::string Sha256Hex(const std::string& bytes);
// A lower-case UUID that depends only on the text.
std::string UuidFrom(const std::string& text);
// A random lower-case UUID.
std::string NewUuid();

}  // namespace protector::fasim
