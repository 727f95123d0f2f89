#include "cli/protector/progress/frame.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/protector/commands/show.h"
#include "cli/protector/output/text_width.h"

namespace protector::cli {
namespace {

constexpr int kNameWidth = 24;

absl::Time TimeOf(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

template <typename Timed>
std::string Elapsed(const Timed& timed, absl::Time now) {
  if (!timed.has_start_time()) return "";
  const absl::Time end = timed.has_end_time() ? TimeOf(timed.end_time()) : now;
  return DurationText(std::max(end - TimeOf(timed.start_time()), absl::ZeroDuration()));
}

const char* Mark(op_pb::State state) {
  switch (state) {
    case op_pb::COMPLETED:
      return "\xE2\x9C\x93";  // check mark
    case op_pb::COMPLETED_WITH_ERRORS:
      return "!";
    case op_pb::FAILED:
      return "\xE2\x9C\x97";  // cross
    case op_pb::RUNNING:
      return ">";
    case op_pb::PAUSED:
      return "=";
    case op_pb::SKIPPED:
      return "-";
    default:
      return " ";
  }
}

std::string Bar(int percent, int width) {
  const int filled = std::clamp(percent, 0, 100) * width / 100;
  return "[" + std::string(static_cast<size_t>(filled), '#') + std::string(static_cast<size_t>(width - filled), '.') +
         "]";
}

std::string StepLine(const op_pb::Step& step, absl::Time now) {
  std::string line =
      fmt::format("  {} {} {:>8}", Mark(step.state()), PadRight(step.name(), kNameWidth), Elapsed(step, now));
  if (!step.detail().empty() && step.state() != op_pb::COMPLETED) line += "  " + step.detail();
  return line;
}

const op_pb::Step* StepNamed(const Operation* operation, const std::string& name) {
  if (operation == nullptr) return nullptr;
  for (const op_pb::Step& step : operation->steps()) {
    if (step.name() == name) return &step;
  }
  return nullptr;
}

std::string StepChange(const op_pb::Step* before, const op_pb::Step& now) {
  const bool other_state = before == nullptr ? now.state() != op_pb::PENDING : before->state() != now.state();
  const bool other_detail =
      !now.detail().empty() && now.state() == op_pb::RUNNING && (before == nullptr || before->detail() != now.detail());
  if (!other_state && !other_detail) return "";
  std::string line = fmt::format("{} {}", now.name(), Lower(op_pb::State_Name(now.state())));
  if (other_state && now.has_start_time() && now.has_end_time()) line += " in " + Elapsed(now, TimeOf(now.end_time()));
  if (!now.detail().empty()) line += ": " + now.detail();
  return line;
}

}  // namespace

bool HasEnded(const Operation& operation) {
  switch (operation.state()) {
    case op_pb::COMPLETED:
    case op_pb::COMPLETED_WITH_ERRORS:
    case op_pb::FAILED:
    case op_pb::CANCELLED:
    case op_pb::ROLLED_BACK:
      return true;
    default:
      return false;
  }
}

std::string DurationText(absl::Duration duration) {
  const double seconds = absl::ToDoubleSeconds(duration);
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<int64_t>(seconds + 0.5);
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{}m {:02}s", whole / 60, whole % 60);
  return fmt::format("{}h {:02}m", whole / 3600, whole / 60 % 60);
}

std::vector<std::string> ProgressFrame(const Operation& operation, absl::Time now, int width) {
  std::vector<std::string> lines;
  lines.push_back(fmt::format("{} of {}: {} -> {}  {}", OperationTypeText(operation.type()), operation.group_name(),
                              operation.source_site(), operation.target_site(), operation.id()));
  const std::string right = fmt::format(" {:>3}%  {}  {}", operation.progress(),
                                        Lower(op_pb::State_Name(operation.state())), Elapsed(operation, now));
  const int bar = std::clamp(width - TextWidth(right) - 3, 10, 50);
  lines.push_back(Bar(operation.progress(), bar) + right);
  for (const op_pb::Step& step : operation.steps()) lines.push_back(StepLine(step, now));
  for (const std::string& warning : operation.warnings()) lines.push_back("  WARNING: " + warning);
  if (const std::string error = ErrorMessage(operation); !error.empty()) lines.push_back("  ! " + error);
  for (std::string& line : lines) {
    std::replace(line.begin(), line.end(), '\n', ' ');
    line = Shorten(Printable(line), width);
  }
  return lines;
}

std::vector<std::string> ProgressChanges(const Operation* before, const Operation& now) {
  std::vector<std::string> lines;
  const auto line = [&](const std::string& text) { lines.push_back(fmt::format("{:>3}%  {}", now.progress(), text)); };
  if (before == nullptr) {
    line(fmt::format("{} {} of {} from {} to {}: {}", MannerText(now.type()), OperationTypeText(now.type()),
                     now.group_name(), now.source_site(), now.target_site(), now.id()));
  }
  for (int i = before == nullptr ? 0 : before->warnings_size(); i < now.warnings_size(); ++i)
    line("WARNING: " + now.warnings(i));
  for (const op_pb::Step& step : now.steps()) {
    if (const std::string change = StepChange(StepNamed(before, step.name()), step); !change.empty()) line(change);
  }
  for (int i = before == nullptr ? 0 : before->problems_size(); i < now.problems_size(); ++i)
    line("PROBLEM: " + ProblemText(now.problems(i)));
  if (!now.hold_reason().empty() && (before == nullptr || before->hold_reason() != now.hold_reason()))
    line("HELD: " + now.hold_reason());
  if (before == nullptr ? now.state() != op_pb::RUNNING && now.state() != op_pb::PENDING
                        : before->state() != now.state()) {
    line("operation " + Lower(op_pb::State_Name(now.state())));
  }
  for (std::string& text : lines) {
    std::replace(text.begin(), text.end(), '\n', ' ');
    text = Printable(text);
  }
  return lines;
}

}  // namespace protector::cli
