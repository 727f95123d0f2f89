#pragma once
// What a command has at hand while it runs: its arguments, the session with the services (made when first needed), and
// where to say things.
//
// Results go to stdout, everything else to stderr. Threads: one, except Warn. Ownership: refers to streams, clock and
// terminal of the caller. Failure: Connect returns what is wrong with configuration or credentials.

#include <algorithm>
#include <iosfwd>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/protector/args/arguments.h"
#include "cli/protector/args/spec.h"
#include "cli/protector/client/session.h"
#include "cli/protector/output/record.h"
#include "cli/protector/output/style.h"
#include "cli/protector/output/terminal.h"
#include "libs/base/clock.h"
#include "libs/base/ids.h"
#include "libs/cloudconfig/cloudconfig.h"

namespace protector::cli {

// The process around a run of the program; replaced in tests.
struct World {
  std::ostream& out;
  std::ostream& err;
  Terminal& terminal;
  const cloudconfig::Env& env;
  Clock& clock;
  IdGenerator& ids;
};

class Context {
 public:
  Context(const Program& known, const World& around, Arguments given);
  ~Context();

  const Program& program;
  const World& world;
  const Arguments arguments;

  // From the global options; OK or a USAGE error.
  absl::Status Prepare();
  const Style& style() const { return style_; }
  bool quiet() const { return arguments.Has("quiet"); }
  bool verbose() const { return arguments.Has("verbose"); }
  // Output that people read (a table), not one that a program parses.
  bool for_people() const { return style_.format == "table"; }
  std::ostream& out() const { return world.out; }

  absl::StatusOr<Session*> Connect();
  // Longest wait for one answer; commands that work long ask for more.
  absl::Duration timeout() const { return timeout_; }
  // What takes longer is of no use any more. Before Connect.
  void LimitTimeout(absl::Duration most) { timeout_ = std::min(timeout_, most); }

  absl::Status Show(const Record& record);
  absl::Status Show(const Listing& listing);
  void Warn(const std::string& text);     // "WARNING: ..." on stderr, unless -q
  void Explain(const std::string& text);  // a line on stderr, unless -q
  void Detail(const std::string& text);   // a line on stderr with -v

  // --request-id, or one made for this run.
  absl::StatusOr<std::string> RequestId();

  // The table of --timing.
  std::string TimingText() const;

 private:
  cloudconfig::Options CloudOptions() const;
  void Note(const CallNote& note);
  absl::StatusOr<std::unique_ptr<Session>> MakeSession();

  Style style_;
  absl::Duration timeout_ = absl::Seconds(30);
  std::unique_ptr<Session> session_;
  std::string request_id_;
  mutable std::mutex mutex_;
  std::vector<CallNote> notes_;
};

}  // namespace protector::cli
