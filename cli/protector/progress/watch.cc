#include "cli/protector/progress/watch.h"

#include <fmt/format.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <ostream>
#include <thread>

#include "cli/protector/client/orchestrators.h"
#include "cli/protector/commands/protection_group/group_calls.h"
#include "cli/protector/commands/show.h"
#include "cli/protector/progress/screen.h"
#include "libs/base/error.h"

namespace protector::cli {
namespace {

constexpr absl::Duration kTick = absl::Milliseconds(200);
constexpr absl::Duration kGiveUpAfter = absl::Minutes(2);
constexpr absl::Duration kLongestBackoff = absl::Seconds(3);

// One connection to the stream: events are taken on its thread and handed over here.
class Feed {
 public:
  Feed(Session& session, const SiteAddress& site, const std::string& id, const WatchOptions& options)
      : thread_([this, &session, site, id, options] { Run(session, site, id, options); }) {}
  ~Feed() {
    control_.Cancel();
    thread_.join();
  }

  // The next event, or nullopt after `limit` or at the end.
  std::optional<Operation> Next(absl::Duration limit) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, absl::ToChronoNanoseconds(limit), [this] { return !events_.empty() || ended_; });
    if (events_.empty()) return std::nullopt;
    Operation event = std::move(events_.front());
    events_.pop_front();
    return event;
  }
  // How the stream ended; nullopt while it lasts or has events to give.
  std::optional<absl::Status> End() {
    const std::lock_guard lock(mutex_);
    return ended_ && events_.empty() ? std::optional(end_) : std::nullopt;
  }

 private:
  void Run(Session& session, const SiteAddress& site, const std::string& id, const WatchOptions& options) {
    using Operations = op_pb::OperationService;
    op_pb::WatchOperationRequest request;
    request.set_id(id);
    request.set_until_clean(options.until_clean);
    CallHow how;
    how.project = options.project;
    how.timeout = absl::Hours(23);
    const absl::Status end = session.Read<Operations, op_pb::WatchOperationRequest, Operation>(
        site, &Operations::StubInterface::WatchOperation, "WatchOperation", request, how, control_,
        [this](const Operation& event) {
          const std::lock_guard lock(mutex_);
          events_.push_back(event);
          changed_.notify_one();
          return true;
        });
    const std::lock_guard lock(mutex_);
    end_ = end;
    ended_ = true;
    changed_.notify_one();
  }

  StreamControl control_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Operation> events_;
  bool ended_ = false;
  absl::Status end_;
  std::thread thread_;  // last: it uses all of the above
};

// Where progress is shown: in place on a terminal, line by line elsewhere, on stderr when stdout is for a program.
class Display {
 public:
  explicit Display(Context& context)
      : context_(context),
        out_(context.for_people() ? context.world.out : context.world.err),
        screen_(out_),
        live_(context.for_people() && context.world.terminal.Interactive() && !context.quiet()) {}

  void Update(const Operation& operation) {
    if (context_.quiet()) return;
    if (live_) {
      last_ = operation;
      shown_ = true;
      return Tick();
    }
    for (const std::string& line : ProgressChanges(shown_ ? &last_ : nullptr, operation)) {
      out_ << Rfc3339(context_.world.clock.Now()) << "  " << line << "\n";
    }
    out_ << std::flush;
    last_ = operation;
    shown_ = true;
  }
  void Tick() {
    if (!live_ || !shown_) return;
    const int width = context_.world.terminal.Width() > 0 ? context_.world.terminal.Width() : 80;
    screen_.Draw(ProgressFrame(last_, context_.world.clock.Now(), width), width, context_.world.terminal.Height());
  }
  void Keep() { screen_.Keep(); }

 private:
  Context& context_;
  std::ostream& out_;
  Screen screen_;
  const bool live_;
  Operation last_;
  bool shown_ = false;
};

absl::Status Interrupted(const std::string& id) {
  return Error(absl::StatusCode::kCancelled, "INTERRUPTED", "stopped watching; the operation goes on")
      .Object(fmt::format("operation {}", id))
      .Remedy(fmt::format(
          "Find it again with `protector operation watch {0}` or `protector operation show {0}`; `protector operation cancel {0}` ends it.",
          id));
}

bool IsHeld(const Operation& operation) {
  return operation.state() == op_pb::PAUSED && !operation.hold_reason().empty();
}

}  // namespace

absl::StatusOr<Operation> WatchToEnd(Context& context, Session& session, const SiteAddress& site, const std::string& id,
                                     const WatchOptions& options) {
  Terminal& terminal = context.world.terminal;
  terminal.WatchInterrupt();
  Display display(context);
  Operation last;
  absl::Duration backoff = absl::Milliseconds(200);
  absl::Duration heard = context.world.clock.Monotonic();
  while (true) {
    Feed feed(session, site, id, options);
    while (true) {
      const std::optional<Operation> event = feed.Next(kTick);
      if (terminal.Interrupted()) {
        display.Keep();
        return Interrupted(id);
      }
      if (!event) {
        display.Tick();
        if (feed.End()) break;
        continue;
      }
      last = *event;
      heard = context.world.clock.Monotonic();
      backoff = absl::Milliseconds(200);
      display.Update(last);
      // With until_clean it is the end of the stream that says that nothing is left to do.
      if (HasEnded(last) && !options.until_clean) return last;
      if (options.return_on_hold && IsHeld(last)) return last;
    }
    const absl::Status end = *feed.End();
    // An end that is no breakdown of the connection is an answer: the operation is not there, or may not be seen.
    if (!end.ok() && !NoAnswer(end) && end.code() != absl::StatusCode::kUnavailable &&
        end.code() != absl::StatusCode::kResourceExhausted)
      return end;
    if (end.ok() && HasEnded(last)) return last;
    if (context.world.clock.Monotonic() - heard > kGiveUpAfter) {
      return end.ok() ? absl::UnavailableError("the stream of the operation ends again and again") : end;
    }
    context.Detail(fmt::format("connection to {} lost, trying again", Label(site)));
    for (absl::Duration waited; waited < backoff && !terminal.Interrupted(); waited += kTick)
      context.world.clock.SleepFor(kTick);
    if (terminal.Interrupted()) return Interrupted(id);
    backoff = std::min(backoff * 2, kLongestBackoff);
  }
}

void SayWhatIsLeft(Context& context, const Operation& operation) {
  if (operation.state() != op_pb::COMPLETED && operation.state() != op_pb::COMPLETED_WITH_ERRORS) return;
  const group_pb::Conditions& conditions = operation.conditions();
  if (!conditions.serving() || (conditions.protected_() && conditions.clean())) return;
  context.Explain(fmt::format(
      "The VMs serve on {}; {}{}{} may take a little longer: `protector operation watch {} --until-clean` follows it.",
      operation.target_site(), conditions.protected_() ? "" : "replication the other way",
      !conditions.protected_() && !conditions.clean() ? " and " : "", conditions.clean() ? "" : "cleanup",
      operation.id()));
}

absl::Status Verdict(const Operation& operation) {
  const std::string& id = operation.id();
  const auto problem = [&](absl::StatusCode code, const char* reason, const std::string& what,
                           const std::string& remedy) -> absl::Status {
    const std::string error = ErrorMessage(operation);
    return Error(code, reason,
                 fmt::format("{} of {} {}{}", OperationTypeText(operation.type()), operation.group_name(), what,
                             error.empty() ? "" : ": " + error))
        .Object(fmt::format("operation {}", id))
        .Site(operation.target_site())
        .Remedy(remedy);
  };
  const std::string look = fmt::format("`protector operation show {} --members` shows what is missing", id);
  switch (operation.state()) {
    case op_pb::COMPLETED:
      return absl::OkStatus();
    case op_pb::COMPLETED_WITH_ERRORS:
      return problem(absl::StatusCode::kInternal, "COMPLETED_WITH_ERRORS", "ended with errors",
                     fmt::format("{}; then `protector operation retry {}`.", look, id));
    case op_pb::ROLLED_BACK:
      return problem(absl::StatusCode::kInternal, "ROLLED_BACK",
                     "failed and was rolled back: the VMs run on the source site",
                     "Mend the cause and start it again.");
    case op_pb::CANCELLED:
      return problem(absl::StatusCode::kInternal, "CANCELLED", "was cancelled: the VMs run on the source site", "");
    case op_pb::PAUSED:
      return problem(absl::StatusCode::kFailedPrecondition, "HELD", "is held",
                     fmt::format("{}; then `protector operation resume {}`, `retry` or `cancel`.", look, id));
    default:
      return problem(absl::StatusCode::kInternal, "OPERATION_FAILED", "failed",
                     fmt::format("{}; then `protector operation retry {}`.", look, id));
  }
}

}  // namespace protector::cli
