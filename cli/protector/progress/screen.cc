#include "cli/protector/progress/screen.h"

#include <algorithm>
#include <ostream>

#include "cli/protector/output/text_width.h"

namespace protector::cli {

void Screen::Draw(const std::vector<std::string>& lines, int width, int height) {
  std::vector<std::string> shown = lines;
  const size_t room = height > 4 ? static_cast<size_t>(height - 1) : 1000;
  if (shown.size() > room)
    shown.erase(shown.begin() + 2, shown.begin() + 2 + static_cast<std::ptrdiff_t>(shown.size() - room));
  // A line that was drawn on a wider terminal takes several rows now.
  int rows = 0;
  for (const std::string& line : drawn_) rows += width > 0 ? std::max(1, (TextWidth(line) + width - 1) / width) : 1;
  if (rows > 0) out_ << "\x1b[" << rows << "A";
  out_ << "\r\x1b[J";
  for (const std::string& line : shown) out_ << line << "\n";
  out_ << std::flush;
  drawn_ = shown;
}

}  // namespace protector::cli
