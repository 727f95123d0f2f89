#pragma once
// Columns that a text takes on a terminal, and cutting it into lines that fit.
//
// Threads: pure functions. Failure: bytes that are not UTF-8 count one column each and are shown as U+FFFD by
// Printable.

#include <string>
#include <vector>

namespace protector::cli {

// Columns of one line: 2 for wide East Asian characters and emoji, 0 for combining marks, 1 for everything else.
int TextWidth(const std::string& text);

// The text with control characters other than newline, and bytes that are not UTF-8, replaced: what a service answers
// must not be able to drive the operator's terminal.
std::string Printable(const std::string& text);

// Lines of at most `width` columns, broken at blanks where there are some; a longer word is cut. Newlines break always.
// width <= 0: only at newlines. Never empty.
std::vector<std::string> WrapText(const std::string& text, int width);

// At most `width` columns; what was cut off is said by a final ellipsis.
std::string Shorten(const std::string& text, int width);

// Blanks added on the right (or on the left) up to `width` columns.
std::string PadRight(const std::string& text, int width);
std::string PadLeft(const std::string& text, int width);

}  // namespace protector::cli
