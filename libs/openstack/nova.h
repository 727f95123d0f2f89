#pragma once
// Nova as the product uses it. Threads: implementations are safe for all. Ownership: values. Failure: see call.h.
// "Not retried": a change whose outcome can be unknown; find it again by name, tag or metadata before repeating it.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/openstack/call.h"

namespace protector::openstack {

struct Flavor {
  std::string id;  // empty inside a Server at microversion 2.47 and later: find it with FindFlavor by name
  std::string name;
  int64_t vcpus = 0;
  int64_t ram_mb = 0;
  int64_t disk_gb = 0;
  int64_t ephemeral_gb = 0;
  int64_t swap_mb = 0;
  bool is_public = true;
  bool disabled = false;
  std::map<std::string, std::string> extra_specs;
};

struct ServerAddress {
  std::string network;  // its label
  std::string ip;
  int ip_version = 4;
  std::string mac;
  bool floating = false;
};

struct AttachedVolume {
  std::string volume_id;
  bool delete_on_termination = false;
  std::string device;         // only from ListVolumeAttachments
  std::string attachment_id;  // only from ListVolumeAttachments, 2.89
  std::string tag;
};

struct Server {
  std::string id;
  std::string name;
  std::string status;      // ACTIVE, SHUTOFF, BUILD, ERROR, DELETED, ...
  std::string task_state;  // empty: none
  std::string vm_state;
  int power_state = 0;  // 1 running, 4 shut down
  std::string fault;    // message of an ERROR server
  std::string description;
  Flavor flavor;
  std::string image_id;  // empty: booted from a volume
  std::string key_name;
  std::string availability_zone;
  std::string host;  // admin only
  std::string hostname;
  std::string root_device_name;
  std::map<std::string, std::string> metadata;
  std::vector<std::string> tags;
  std::vector<std::string> server_groups;    // ids
  std::vector<std::string> security_groups;  // names
  std::vector<ServerAddress> addresses;
  std::vector<AttachedVolume> volumes;
  bool config_drive = false;
  bool locked = false;
  std::string locked_reason;
  std::string project_id;
  std::string user_id;
  std::string user_data;  // base64; only when asked for by an admin at 2.3 and later, or empty
  std::string created;
  std::string updated;
};

struct ServerFilter {
  bool all_projects = false;  // needs admin; implied by project_id
  std::string project_id;
  std::string name;  // a regular expression for Nova; exact names: "^name$"
  std::string status;
  std::vector<std::string> tags;  // having all of these
  std::vector<std::string> ids;   // exactly these: one list call; those that are gone are simply not in the answer
  std::string changes_since;      // RFC 3339; then deleted ones are listed as well
  int page_size = 500;
};

struct BlockDevice {
  std::string volume_id;
  std::optional<int> boot_index;  // 0: root; nullopt: not bootable
  std::string device_name;        // "/dev/vdb"; empty: Nova chooses
  bool delete_on_termination = false;
  std::string disk_bus;  // empty: default
  std::string tag;
};

struct CreateServer {
  std::string name;
  std::string description;
  std::string flavor_id;
  std::vector<std::string> port_ids;  // in the order of the interfaces; empty: no network at all
  std::vector<BlockDevice> block_devices;
  std::string key_name;
  std::string availability_zone;
  std::map<std::string, std::string> metadata;
  std::vector<std::string> tags;
  std::optional<bool> config_drive;
  std::string server_group_id;  // scheduler hint
  std::string user_data;        // base64
  std::string hostname;         // 2.90
};

struct KeyPair {
  std::string name;
  std::string type;  // ssh, x509
  std::string public_key;
  std::string fingerprint;
  std::string user_id;
};

struct ServerGroup {
  std::string id;
  std::string name;
  std::string policy;  // affinity, anti-affinity, soft-...
  std::vector<std::string> members;
  std::string project_id;
};

struct AvailabilityZone {
  std::string name;
  bool available = true;
};

struct Quota {
  int64_t limit = -1;  // -1: none
  int64_t in_use = 0;
  int64_t reserved = 0;
  bool Fits(int64_t more) const { return limit < 0 || in_use + reserved + more <= limit; }
};

struct NovaQuotas {
  Quota instances;
  Quota cores;
  Quota ram_mb;
  Quota server_groups;
  Quota key_pairs;
};

class NovaApi {
 public:
  virtual ~NovaApi() = default;

  virtual absl::StatusOr<std::vector<Server>> ListServers(const CallContext& call, const ServerFilter& filter) = 0;
  virtual absl::StatusOr<Server> GetServer(const CallContext& call, const std::string& id) = 0;
  // Returns the id; the server is in BUILD. Not retried.
  virtual absl::StatusOr<std::string> CreateServer(const CallContext& call, const openstack::CreateServer& server) = 0;
  virtual absl::Status DeleteServer(const CallContext& call, const std::string& id) = 0;  // gone already: OK
  // Asked for, not waited for. There already, or on its way: OK. `force` says that the guest need not be asked; Nova's
  // API has one kind of stop only, which asks the guest and pulls the plug after Nova's own shutdown_timeout, so that
  // the request is the same.
  virtual absl::Status StopServer(const CallContext& call, const std::string& id, bool force) = 0;
  virtual absl::Status StartServer(const CallContext& call, const std::string& id) = 0;
  virtual absl::Status LockServer(const CallContext& call, const std::string& id, const std::string& reason) = 0;
  virtual absl::Status UnlockServer(const CallContext& call, const std::string& id) = 0;
  virtual absl::Status RenameServer(const CallContext& call, const std::string& id, const std::string& name) = 0;
  virtual absl::Status SetMetadata(const CallContext& call, const std::string& id,
                                   const std::map<std::string, std::string>& metadata) = 0;  // replaces all
  virtual absl::Status SetTags(const CallContext& call, const std::string& id,
                               const std::vector<std::string>& tags) = 0;  // replaces all

  // Ids of the server's ports in the order in which the guest sees its interfaces.
  virtual absl::StatusOr<std::vector<std::string>> ListInterfaces(const CallContext& call,
                                                                  const std::string& server_id) = 0;

  virtual absl::StatusOr<std::vector<AttachedVolume>> ListVolumeAttachments(const CallContext& call,
                                                                            const std::string& server_id) = 0;
  virtual absl::Status SetDeleteOnTermination(const CallContext& call, const std::string& server_id,
                                              const std::string& volume_id, bool value) = 0;  // 2.85

  virtual absl::StatusOr<std::vector<Flavor>> ListFlavors(
      const CallContext& call) = 0;  // with extra specs, private ones too
  virtual absl::StatusOr<Flavor> GetFlavor(const CallContext& call, const std::string& id) = 0;

  // Key pairs belong to users. user_id empty: the client's own user; another's needs admin.
  virtual absl::StatusOr<std::vector<KeyPair>> ListKeyPairs(const CallContext& call, const std::string& user_id) = 0;
  virtual absl::Status ImportKeyPair(const CallContext& call, const KeyPair& key_pair) = 0;
  virtual absl::Status DeleteKeyPair(const CallContext& call, const std::string& name, const std::string& user_id) = 0;

  virtual absl::StatusOr<std::vector<ServerGroup>> ListServerGroups(const CallContext& call, bool all_projects) = 0;
  virtual absl::StatusOr<ServerGroup> CreateServerGroup(const CallContext& call, const std::string& name,
                                                        const std::string& policy) = 0;  // not retried

  virtual absl::StatusOr<std::vector<AvailabilityZone>> ListAvailabilityZones(const CallContext& call) = 0;
  virtual absl::StatusOr<NovaQuotas> GetQuotas(const CallContext& call, const std::string& project_id) = 0;
};

// By id, else by name. NOT_FOUND names it and says what there is.
absl::StatusOr<Flavor> FindFlavor(NovaApi& nova, const CallContext& call, const std::string& name_or_id);

}  // namespace protector::openstack
