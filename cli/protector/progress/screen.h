#pragma once
// Redraws a block of lines in place, also after the terminal has become narrower.
//
// Threads: one. Ownership: refers to the stream. Failure: none.

#include <iosfwd>
#include <string>
#include <vector>

namespace protector::cli {

class Screen {
 public:
  explicit Screen(std::ostream& out) : out_(out) {}

  // Replaces the block that was drawn last. Blocks higher than the terminal lose their upper steps, never their first
  // two lines.
  void Draw(const std::vector<std::string>& lines, int width, int height);
  // Leaves the block on the screen; the next Draw begins below it.
  void Keep() { drawn_.clear(); }

 private:
  std::ostream& out_;
  std::vector<std::string> drawn_;
};

}  // namespace protector::cli
