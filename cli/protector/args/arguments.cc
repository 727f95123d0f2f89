#include "cli/protector/args/arguments.h"

#include <fmt/format.h>

#include <charconv>

#include "cli/protector/args/usage.h"
#include "cli/protector/output/text_width.h"

namespace protector::cli {

std::string Arguments::Get(const std::string& name, const std::string& otherwise) const {
  const auto found = values_.find(name);
  return found == values_.end() || found->second.empty() ? otherwise : found->second.back();
}

std::vector<std::string> Arguments::All(const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::vector<std::string>{} : found->second;
}

absl::StatusOr<int64_t> Arguments::Int(const std::string& name, int64_t otherwise, int64_t minimum,
                                       int64_t maximum) const {
  if (!Has(name)) return otherwise;
  const std::string text = Get(name);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < minimum || value > maximum) {
    return UsageError(fmt::format("--{} has to be a whole number from {} to {}, not '{}'", name, minimum, maximum,
                                  Shorten(text, 40)));
  }
  return value;
}

}  // namespace protector::cli
