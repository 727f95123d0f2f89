#include "cli/protector/output/table.h"

#include <algorithm>

#include "cli/protector/output/render.h"
#include "cli/protector/output/text_width.h"

namespace protector::cli {
namespace {

struct Grid {
  std::vector<std::vector<std::string>> rows;  // the first one is the head
  std::vector<bool> right;                     // alignment by column
  std::vector<int> widths;
};

std::vector<int> NaturalWidths(const Grid& grid) {
  std::vector<int> widths(grid.rows.front().size(), 0);
  for (const auto& row : grid.rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      for (const std::string& line : WrapText(row[i], 0)) widths[i] = std::max(widths[i], TextWidth(line));
    }
  }
  return widths;
}

// The longest word of each column: what it needs if no word is to be cut.
std::vector<int> LongestWords(const Grid& grid) {
  std::vector<int> widths(grid.rows.front().size(), 0);
  for (const auto& row : grid.rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      std::string word;
      for (char c : row[i] + " ") {
        if (c != ' ' && c != '\n') {
          word += c;
          continue;
        }
        widths[i] = std::max(widths[i], TextWidth(word));
        word.clear();
      }
    }
  }
  return widths;
}

// Columns get at least `least` each; those that want more share what is left, those that want little first.
std::vector<int> Share(const std::vector<int>& least, const std::vector<int>& wanted, int available) {
  std::vector<int> widths = least;
  int left = available;
  for (int width : least) left -= width;
  std::vector<size_t> order(least.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return wanted[a] - least[a] < wanted[b] - least[b]; });
  for (size_t i = 0; i < order.size() && left > 0; ++i) {
    const int share = left / static_cast<int>(order.size() - i);
    const int more = std::min(wanted[order[i]] - widths[order[i]], share);
    widths[order[i]] += more;
    left -= more;
  }
  return widths;
}

std::vector<int> FitWidths(const Grid& grid, const std::vector<int>& natural, int available) {
  const auto sum = [](const std::vector<int>& widths) {
    int total = 0;
    for (int width : widths) total += width;
    return total;
  };
  if (sum(natural) <= available) return natural;
  const std::vector<int> words = LongestWords(grid);
  if (sum(words) <= available) return Share(words, natural, available);
  std::vector<int> least;
  for (int width : natural) least.push_back(std::min(width, 8));
  return Share(least, natural, available);
}

std::string Rule(const std::vector<int>& widths) {
  std::string line = "+";
  for (int width : widths) line += std::string(static_cast<size_t>(width) + 2, '-') + "+";
  return line + "\n";
}

void DrawRow(const Grid& grid, const std::vector<std::string>& row, bool head, std::string& out) {
  std::vector<std::vector<std::string>> cells;
  size_t height = 1;
  for (size_t i = 0; i < row.size(); ++i) {
    cells.push_back(WrapText(row[i], grid.widths[i]));
    height = std::max(height, cells.back().size());
  }
  for (size_t line = 0; line < height; ++line) {
    out += "|";
    for (size_t i = 0; i < cells.size(); ++i) {
      const std::string text = line < cells[i].size() ? cells[i][line] : "";
      out += " " + (grid.right[i] && !head ? PadLeft(text, grid.widths[i]) : PadRight(text, grid.widths[i])) + " |";
    }
    out += "\n";
  }
}

std::string Draw(const Grid& grid) {
  std::string out = Rule(grid.widths);
  for (size_t i = 0; i < grid.rows.size(); ++i) {
    DrawRow(grid, grid.rows[i], i == 0, out);
    if (i == 0) out += Rule(grid.widths);
  }
  if (grid.rows.size() > 1) out += Rule(grid.widths);
  return out;
}

int Available(int max_width, size_t columns) {
  return max_width - static_cast<int>(3 * columns + 1);
}

}  // namespace

std::string ObjectTable(const Record& record, int max_width) {
  Grid grid;
  grid.rows.push_back({"Field", "Value"});
  for (const Field& field : record.fields)
    grid.rows.push_back({Printable(field.name), Printable(HumanText(field.value))});
  grid.right = {false, false};
  grid.widths = NaturalWidths(grid);
  // The names of the fields stay whole; the values give way.
  if (max_width > 0) grid.widths[1] = std::min(grid.widths[1], std::max(16, Available(max_width, 2) - grid.widths[0]));
  return Draw(grid);
}

std::string ListTable(const Listing& listing, int max_width) {
  Grid grid;
  grid.rows.emplace_back();
  for (const Column& column : listing.columns) grid.rows[0].push_back(Printable(column.name));
  grid.right.assign(listing.columns.size(), !listing.rows.empty());
  for (const auto& row : listing.rows) {
    std::vector<std::string> cells;
    for (size_t i = 0; i < row.size(); ++i) {
      cells.push_back(Printable(CellText(row[i])));
      if (!row[i].IsNumber() && !row[i].IsNull()) grid.right[i] = false;
    }
    grid.rows.push_back(std::move(cells));
  }
  grid.widths = NaturalWidths(grid);
  if (max_width > 0) grid.widths = FitWidths(grid, grid.widths, Available(max_width, grid.widths.size()));
  return Draw(grid);
}

}  // namespace protector::cli
