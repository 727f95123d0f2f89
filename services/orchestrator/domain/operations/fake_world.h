#pragma once
// Two sites in memory, for tests: cloud, array and metadata of each, with guests that write. It counts every effect, so
// that a test can say that each happened once; it can lose a call before or after it was carried out; a site can be
// taken away.
//
// Threads: one. Ownership: owns everything. Failure: what the tests arrange.

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "libs/base/clock.h"
#include "services/orchestrator/domain/operations/context.h"

namespace protector::orchestrator::fake {

struct Volume {  // on an array
  std::string name, id, serial;
  int64_t writes = 0;  // records that a guest was told are written
  bool connected = false, fenced = false, destroyed = false;
};
struct CinderVolume {
  std::string id, name, status, array_id;
  absl::Time ready;
};
struct Server {
  std::string id, name, status, mark;
  std::vector<std::string> ports, volumes;  // Neutron and Cinder ids
  bool locked = false, ignores_stop = false;
  absl::Time ready;
  std::string next;  // status at `ready`
};
struct Port {
  std::string id, mark, ip;
  bool owned = false;
};
struct Point {
  std::string name;
  absl::Time data_time, ready;
  std::map<std::string, int64_t> writes;  // by source serial
};
struct Site {
  std::string name;
  bool up = true;
  std::map<std::string, Volume> array;  // by serial
  std::map<std::string, CinderVolume> volumes;
  std::map<std::string, Server> servers;
  std::map<std::string, Port> ports;
  std::map<std::string, Point> points;  // arrived from the other site, by name
  std::set<std::string> protected_serials;
  bool enabled = false, accepts = false;  // its group sends; it takes what the other one sends
  absl::Time baseline = absl::InfiniteFuture();
  int64_t epoch_seen = 0;  // by its array
  int64_t confirmed = 0;   // by its orchestrator
  std::vector<metadata::GetDocumentResponse> versions;
};

enum class Fault { kNone, kRefused, kLostBefore, kLostAfter, kThrottled };

class World {
 public:
  // `members` servers on site-a with `volumes` disks and one port each.
  World(ManualClock& clock, int members, int volumes);
  ~World();

  Site& site(const std::string& name) { return sites_.at(name); }
  const groups::GroupDocument& head(const std::string& site) { return sites_.at(site).versions.back().document(); }
  Site& other(const std::string& name) { return site(name == "site-a" ? "site-b" : "site-a"); }
  // Versions go to the side that lacks them (what metadata-sync does when the peer is back).
  void SyncMetadata();

  // Called before each change; by "site.call object".
  std::function<Fault(const std::string& call)> fault = [](const std::string&) { return Fault::kNone; };
  bool mute_arrays = false;        // arrays do not say what their volumes are called
  int failing_deletions = 0;       // so many deletions of servers are accepted and then given up
  int failing_imports = 0;         // so many imports on the target end in ERROR, and Cinder lets go of none of them
  bool refuses_to_forget = false;  // and does not even take the order to
  int commits_on_their_way = 0;  // so many looks at the sites' metadata meet a version that one of them has not got yet
  int cut_looks = 0;             // so many looks at replication find the arrays' connection cut
  int busy_disks = 0;            // so many times a second disk is not brought up, for a reason that passes
  // Called before every call, changes or not; false: the calling program is gone, the call does not happen.
  std::map<std::string, int> effects;              // "site.call object" -> how often it had an effect
  std::vector<std::string> log;                    // in order
  std::vector<std::string> violations;             // of what must never be
  std::map<std::string, std::string> boot_faults;  // server name -> Nova's fault on the target
  bool blocked_plan = false;                       // the target's check finds a blocker

  // As seen from a site: the other one may be unreachable.
  PortsFactory& PortsOf(const std::string& site);
  SitesPort& SitesOf(const std::string& site);
  TargetCloudPort& TargetOf(const std::string& site);

  // A moment passes for everything that runs: guests write, states change.
  void Tick();
  int64_t WritesOf(const std::string& site, const std::string& server_name);
  std::string NewId(const std::string& kind);
  std::string NewSerial();

  // For the ports.
  absl::Status Begin(const std::string& from, const std::string& to);
  absl::Status Change(const std::string& from, const std::string& to, const std::string& call,
                      const std::string& object, const std::function<absl::Status()>& effect);
  absl::Status CheckEpoch(Site& site, const storage::Authority& authority, int64_t Site::*known);
  void Effect(const std::string& what);
  ManualClock& clock() { return clock_; }

 private:
  struct Ports;
  ManualClock& clock_;
  std::map<std::string, Site> sites_;
  std::map<std::string, std::unique_ptr<Ports>> ports_;
  int next_id_ = 1;
};

}  // namespace protector::orchestrator::fake
