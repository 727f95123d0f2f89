#pragma once
// This site's cloud as the place where members are brought up: volumes imported into Cinder, ports and servers made.
// Only ever local: an operation runs on its target site. What is there already is stopped, locked and deleted through
// SourceCloudPort of the same site.
//
// Marks. OpenStack takes no idempotency key, so every object that is made carries a mark (group, operation and object,
// see domain/marks) from its first moment, in a place that the creating request itself sets: a volume in its *name*
// (Cinder's Pure driver drops the metadata of a manage request; UpdateVolume gives it the captured name afterwards), a
// port in its *description*, a server in its *metadata* under kMarkKey (and through its ports' device_id). Find*
// returns what carries one of the marks asked for, with one list call, whatever its state.
//
// Threads: every method may be called from any thread and blocks until call.timeout at the latest. Ownership: values.
// Failure: statuses with reason, object and remedy. Import, CreatePort and CreateServer are sent once: UNAVAILABLE or
// DEADLINE_EXCEEDED means that the outcome is unknown and the mark has to be looked for. RESOURCE_EXHAUSTED is 429, 413
// or a quota: nothing was made; slow down. Everything else: refused, nothing was made. Updates and deletes are
// idempotent.

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "protector/group/v1/group.pb.h"
#include "protector/operation/v1/record.pb.h"
#include "protector/peer/v1/peer.pb.h"
#include "services/orchestrator/ports/call.h"
#include "services/orchestrator/ports/contracts.h"

namespace protector::orchestrator {

// Keys of server and volume metadata that this product owns (never captured, never shown as the user's).
inline constexpr char kMarkKey[] = "protector_mark";
inline constexpr char kGroupKey[] = "protector_group";    // group's id
inline constexpr char kMemberKey[] = "protector_member";  // member's id

// What can be seen of a volume, port or server that this product made.
struct CloudObject {
  std::string id = {};
  std::string mark = {};  // empty when it was asked for by id and carries none
  std::string name = {};
  std::string status = {};      // upper case: "ACTIVE", "BUILD", "ERROR", "AVAILABLE", "CREATING", "DOWN", ...
  std::string task_state = {};  // servers
  std::string fault = {};       // servers in ERROR: Nova's message
  std::string device_id = {};   // ports: the server that uses it
  std::vector<std::string> addresses = {};  // servers and ports
};

struct ImportVolume {
  std::string project_id;
  std::string mark;          // becomes the volume's name for the time being
  std::string array_volume;  // name on this site's array: the manage reference
  std::string volume_type;   // name or id on this site; empty: the backend's default
  bool bootable = false;
};

struct UpdateVolume {
  std::string volume_id;
  std::string name;
  std::string description;
  bool bootable = false;
  std::map<std::string, std::string> metadata;  // the user's keys, with this product's added
  std::map<std::string, std::string> image_metadata;
  std::string volume_type;  // retyped when it differs and the backend permits; empty: left
};

struct CreatePort {
  std::string project_id;
  std::string mark;  // becomes the port's description
  groups::PortSpec captured;
  op::PortPlan plan;
};

struct UpdatePort {
  std::string port_id;
  std::string name;
  op::PortPlan plan;
};

struct CreateServer {
  std::string project_id;
  std::string mark;
  std::string group_id;
  std::string member_id;
  groups::ServerSpec captured;
  op::MemberPlan plan;
  std::vector<std::string> port_ids;    // in the order of the interfaces
  std::vector<std::string> volume_ids;  // in the order of captured.volumes
};

struct FindServer {
  std::string mark;
  std::string name;                   // as captured: narrows the list call
  std::vector<std::string> port_ids;  // ports whose device_id tells the server
};

struct MembersPlan {
  std::vector<peer::Finding> findings;  // every check, passed ones too
  std::vector<op::MemberPlan> plans;    // one for each member that was asked for and can be planned
};

class TargetCloudPort {
 public:
  virtual ~TargetCloudPort() = default;

  // Resolves the mappings against this cloud now and checks everything that a move needs (networks, flavors, groups,
  // keys, quotas, types, addresses). The plans say what will be asked for. Changes nothing. member_ids empty: all.
  virtual absl::StatusOr<MembersPlan> Plan(const Call& call, const peer::CheckTargetRequest& request) = 0;

  // Answers the new volume's id; it is CREATING until Cinder has renamed it on the array.
  virtual absl::StatusOr<std::string> Import(const Call& call, const ImportVolume& request) = 0;
  virtual absl::StatusOr<std::vector<CloudObject>> FindVolumes(const Call& call, const std::string& project_id,
                                                               const std::vector<std::string>& marks) = 0;
  virtual absl::Status Update(const Call& call, const UpdateVolume& request) = 0;

  virtual absl::StatusOr<CloudObject> Create(const Call& call, const CreatePort& request) = 0;
  virtual absl::StatusOr<std::vector<CloudObject>> FindPorts(const Call& call, const std::string& project_id,
                                                             const std::vector<std::string>& marks) = 0;
  virtual absl::Status Update(const Call& call, const UpdatePort& request) = 0;

  // Answers the new server's id; it is in BUILD.
  virtual absl::StatusOr<std::string> Create(const Call& call, const CreateServer& request) = 0;
  virtual absl::StatusOr<std::vector<CloudObject>> FindServers(const Call& call, const std::string& project_id,
                                                               const std::vector<FindServer>& servers) = 0;
  // Deletes a server that this product made and that failed to come up; its volumes and ports stay. Gone already: OK.
  virtual absl::Status DeleteServer(const Call& call, const std::string& server_id) = 0;
  // Takes a volume whose import failed out of Cinder; the data stays on the array. Gone already: OK.
  virtual absl::Status ForgetVolume(const Call& call, const std::string& volume_id) = 0;
  // Deletes a port that this product made. Gone already: OK.
  virtual absl::Status DeletePort(const Call& call, const std::string& port_id) = 0;
  virtual absl::Status StopServer(const Call& call, const std::string& server_id) = 0;
  virtual absl::Status LockServer(const Call& call, const std::string& server_id, const std::string& reason) = 0;
  virtual absl::Status UnlockServer(const Call& call, const std::string& server_id) = 0;

  // One list call each; ids that are gone are not in the answer.
  virtual absl::StatusOr<std::vector<CloudObject>> DescribeServers(const Call& call,
                                                                   const std::vector<std::string>& ids) = 0;
  virtual absl::StatusOr<std::vector<CloudObject>> DescribeVolumes(const Call& call,
                                                                   const std::vector<std::string>& ids) = 0;
  virtual absl::StatusOr<std::vector<CloudObject>> DescribePorts(const Call& call,
                                                                 const std::vector<std::string>& ids) = 0;
};

}  // namespace protector::orchestrator
