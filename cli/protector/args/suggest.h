#pragma once
// "Did you mean ...?": the known word nearest to a mistyped one.
//
// Threads: pure functions.

#include <string>
#include <vector>

namespace protector::cli {

// Letters to insert, delete, change or swap with their neighbour to get from one word to the other.
size_t EditDistance(const std::string& a, const std::string& b);

// The nearest of `known` if it is near enough to be worth saying (or begins with `word`); else empty.
std::string Nearest(const std::string& word, const std::vector<std::string>& known);

}  // namespace protector::cli
