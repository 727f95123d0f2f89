#include "libs/openstack/nova.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "libs/base/error.h"
#include "libs/openstack/api_client.h"
#include "libs/openstack/nova_codec.h"

namespace protector::openstack {
namespace {

using json::Value;

const failpoint::Site kCreateServer("nova-create-server", &LostCall);
const failpoint::Site kDeleteServer("nova-delete-server", &LostCall);
const failpoint::Site kStopServer("nova-stop-server", &LostCall);
const failpoint::Site kStartServer("nova-start-server", &LostCall);
const failpoint::Site kLockServer("nova-lock-server", &LostCall);
const failpoint::Site kUnlockServer("nova-unlock-server", &LostCall);
const failpoint::Site kRenameServer("nova-rename-server", &LostCall);
const failpoint::Site kSetServerMetadata("nova-set-metadata", &LostCall);
const failpoint::Site kSetServerTags("nova-set-tags", &LostCall);
const failpoint::Site kKeepVolume("nova-keep-volume", &LostCall);
const failpoint::Site kImportKeyPair("nova-import-key-pair", &LostCall);
const failpoint::Site kDeleteKeyPair("nova-delete-key-pair", &LostCall);
const failpoint::Site kCreateServerGroup("nova-create-server-group", &LostCall);

// Up to this many servers are read one by one; more of them by one list.
constexpr size_t kFewServers = 3;

class Nova final : public NovaApi {
 public:
  explicit Nova(Session& session) : api_(session, Service::kCompute) {}

  absl::StatusOr<std::vector<Server>> ListServers(const CallContext& call, const ServerFilter& filter) override {
    std::vector<Server> servers;
    if (!filter.ids.empty() && filter.ids.size() <= kFewServers) {
      for (const std::string& id : filter.ids) {
        absl::StatusOr<Server> server = GetServer(call, id);
        if (server.ok()) servers.push_back(*std::move(server));
        if (!server.ok() && HttpStatusOf(server.status()) != 404) return server.status();
      }
      return servers;
    }
    Query query;
    query.Add("all_tenants", filter.all_projects || !filter.project_id.empty() ? "True" : "")
        .Add("project_id", filter.project_id)
        .Add("name", filter.name)
        .Add("status", filter.status)
        .Add("tags", Joined(filter.tags))
        .Add("changes-since", filter.changes_since)
        .Add("limit", std::to_string(filter.page_size));
    PROTECTOR_ASSIGN_OR_RETURN(const std::vector<Value> found,
                               api_.List(call, Whole("/servers/detail", "list of servers"), query, "servers"));
    const std::set<std::string> wanted(filter.ids.begin(), filter.ids.end());
    for (const Value& server : found) {
      if (wanted.empty() || wanted.count(server.GetStringOr("id", "")) > 0) servers.push_back(DecodeServer(server));
    }
    return servers;
  }

  absl::StatusOr<Server> GetServer(const CallContext& call, const std::string& id) override {
    PROTECTOR_ASSIGN_OR_RETURN(const Value server,
                               Member(api_.Get(call, Item("/servers", id, "server")), "server", "server " + id));
    return DecodeServer(server);
  }

  absl::StatusOr<std::string> CreateServer(const CallContext& call, const openstack::CreateServer& server) override {
    const Target target = Whole("/servers", "server " + server.name);
    PROTECTOR_RETURN_IF_ERROR(Needs(call, {2, 52}, target.object));
    Value body = EncodeServer(server);
    PROTECTOR_ASSIGN_OR_RETURN(const Value created,
                               Member(api_.Once(call, kCreateServer, target, body), "server", target.object));
    return created.GetStringOr("id", "");
  }

  absl::Status DeleteServer(const CallContext& call, const std::string& id) override {
    return api_.Delete(call, kDeleteServer, Item("/servers", id, "server"));
  }

  absl::Status StopServer(const CallContext& call, const std::string& id, bool /*force*/) override {
    const absl::Status status = Action(call, kStopServer, id, Value::Object({{"os-stop", nullptr}}));
    if (HttpStatusOf(status) != 409) return status;
    return Settled(call, id, status, "SHUTOFF", "powering-off");
  }

  absl::Status StartServer(const CallContext& call, const std::string& id) override {
    const absl::Status status = Action(call, kStartServer, id, Value::Object({{"os-start", nullptr}}));
    return HttpStatusOf(status) == 409 ? Settled(call, id, status, "ACTIVE", "powering-on") : status;
  }

  absl::Status LockServer(const CallContext& call, const std::string& id, const std::string& reason) override {
    const absl::StatusOr<bool> reasons = Has(call, {2, 73});
    if (!reasons.ok()) return reasons.status();
    const bool with_reason = *reasons && !reason.empty();
    return Action(call, kLockServer, id,
                  Value::Object({{"lock", with_reason ? Value::Object({{"locked_reason", reason}}) : Value()}}));
  }

  absl::Status UnlockServer(const CallContext& call, const std::string& id) override {
    return Action(call, kUnlockServer, id, Value::Object({{"unlock", nullptr}}));
  }

  absl::Status RenameServer(const CallContext& call, const std::string& id, const std::string& name) override {
    return api_
        .Put(call, kRenameServer, "PUT", Item("/servers", id, "server"),
             Value::Object({{"server", Value::Object({{"name", name}})}}))
        .status();
  }

  absl::Status SetMetadata(const CallContext& call, const std::string& id,
                           const std::map<std::string, std::string>& metadata) override {
    return api_
        .Put(call, kSetServerMetadata, "PUT", Item("/servers", id, "server", "/metadata"),
             Value::Object({{"metadata", metadata}}))
        .status();
  }

  absl::Status SetTags(const CallContext& call, const std::string& id, const std::vector<std::string>& tags) override {
    return api_
        .Put(call, kSetServerTags, "PUT", Item("/servers", id, "server", "/tags"), Value::Object({{"tags", tags}}))
        .status();
  }

  absl::StatusOr<std::vector<std::string>> ListInterfaces(const CallContext& call,
                                                          const std::string& server_id) override {
    PROTECTOR_ASSIGN_OR_RETURN(const Value answer,
                               api_.Get(call, Item("/servers", server_id, "server", "/os-interface")));
    std::vector<std::string> port_ids;
    for (const Value& item : answer.GetItems("interfaceAttachments"))
      port_ids.push_back(item.GetStringOr("port_id", ""));
    return port_ids;
  }

  absl::StatusOr<std::vector<AttachedVolume>> ListVolumeAttachments(const CallContext& call,
                                                                    const std::string& server_id) override {
    const Target target = Item("/servers", server_id, "server", "/os-volume_attachments");
    PROTECTOR_ASSIGN_OR_RETURN(const Value answer, api_.Get(call, target));
    std::vector<AttachedVolume> volumes;
    for (const Value& item : answer.GetItems("volumeAttachments")) volumes.push_back(DecodeAttachment(item));
    return volumes;
  }

  absl::Status SetDeleteOnTermination(const CallContext& call, const std::string& server_id,
                                      const std::string& volume_id, bool value) override {
    Target target = Item("/servers", server_id, "server", "/os-volume_attachments/" + http::UrlEncode(volume_id));
    target.route = "/servers/{id}/os-volume_attachments/{volume_id}";
    target.object = fmt::format("volume {} of server {}", volume_id, server_id);
    PROTECTOR_RETURN_IF_ERROR(Needs(call, {2, 85}, target.object));
    const Value attachment = Value::Object({{"volumeId", volume_id}, {"delete_on_termination", value}});
    return api_.Put(call, kKeepVolume, "PUT", target, Value::Object({{"volumeAttachment", attachment}})).status();
  }

  absl::StatusOr<std::vector<Flavor>> ListFlavors(const CallContext& call) override {
    PROTECTOR_ASSIGN_OR_RETURN(
        const std::vector<Value> found,
        api_.List(call, Whole("/flavors/detail", "list of flavors"), Query().Add("is_public", "None"), "flavors"));
    std::vector<Flavor> flavors;
    for (const Value& flavor : found) flavors.push_back(DecodeFlavor(flavor));
    return flavors;
  }

  absl::StatusOr<Flavor> GetFlavor(const CallContext& call, const std::string& id) override {
    PROTECTOR_ASSIGN_OR_RETURN(const Value flavor,
                               Member(api_.Get(call, Item("/flavors", id, "flavor")), "flavor", "flavor " + id));
    return DecodeFlavor(flavor);
  }

  absl::StatusOr<std::vector<KeyPair>> ListKeyPairs(const CallContext& call, const std::string& user_id) override {
    PROTECTOR_ASSIGN_OR_RETURN(const std::vector<Value> found,
                               api_.List(call, Whole("/os-keypairs", "list of key pairs"),
                                         Query().Add("user_id", user_id), "keypairs", "keypair.name"));
    std::vector<KeyPair> key_pairs;
    for (const Value& item : found) {
      key_pairs.push_back({item.GetStringOr("keypair.name", ""), item.GetStringOr("keypair.type", "ssh"),
                           item.GetStringOr("keypair.public_key", ""), item.GetStringOr("keypair.fingerprint", ""),
                           user_id});
    }
    return key_pairs;
  }

  // The name is the identity of a key pair: a second import of the same is refused, which is as good as done.
  absl::Status ImportKeyPair(const CallContext& call, const KeyPair& key_pair) override {
    Value body = Value::Object({{"name", key_pair.name}, {"public_key", key_pair.public_key}});
    body.SetIf(!key_pair.type.empty(), "type", key_pair.type);
    body.SetIf(!key_pair.user_id.empty(), "user_id", key_pair.user_id);
    return api_
        .Once(call, kImportKeyPair, Whole("/os-keypairs", "key pair " + key_pair.name),
              Value::Object({{"keypair", body}}))
        .status();
  }

  absl::Status DeleteKeyPair(const CallContext& call, const std::string& name, const std::string& user_id) override {
    return api_.Delete(call, kDeleteKeyPair, Item("/os-keypairs", name, "key pair"), Query().Add("user_id", user_id));
  }

  absl::StatusOr<std::vector<ServerGroup>> ListServerGroups(const CallContext& call, bool all_projects) override {
    PROTECTOR_ASSIGN_OR_RETURN(const Value answer, api_.Get(call, Whole("/os-server-groups", "list of server groups"),
                                                            Query().Add("all_projects", all_projects ? "True" : "")));
    std::vector<ServerGroup> groups;
    for (const Value& group : answer.GetItems("server_groups")) groups.push_back(DecodeGroup(group));
    return groups;
  }

  absl::StatusOr<ServerGroup> CreateServerGroup(const CallContext& call, const std::string& name,
                                                const std::string& policy) override {
    const Target target = Whole("/os-server-groups", "server group " + name);
    PROTECTOR_ASSIGN_OR_RETURN(const bool one_policy, Has(call, {2, 64}));
    Value body = Value::Object({{"name", name}});
    if (one_policy) {
      body.Set("policy", policy);
    } else {
      body.Set("policies", std::vector<std::string>{policy});
    }
    PROTECTOR_ASSIGN_OR_RETURN(
        const Value group, Member(api_.Once(call, kCreateServerGroup, target, Value::Object({{"server_group", body}})),
                                  "server_group", target.object));
    return DecodeGroup(group);
  }

  absl::StatusOr<std::vector<AvailabilityZone>> ListAvailabilityZones(const CallContext& call) override {
    PROTECTOR_ASSIGN_OR_RETURN(const Value answer,
                               api_.Get(call, Whole("/os-availability-zone", "list of availability zones")));
    std::vector<AvailabilityZone> zones;
    for (const Value& zone : answer.GetItems("availabilityZoneInfo")) {
      zones.push_back({zone.GetStringOr("zoneName", ""), zone.GetBoolOr("zoneState.available", true)});
    }
    return zones;
  }

  absl::StatusOr<NovaQuotas> GetQuotas(const CallContext& call, const std::string& project_id) override {
    const Target target = Item("/os-quota-sets", project_id, "quotas of project", "/detail");
    PROTECTOR_ASSIGN_OR_RETURN(const Value set, Member(api_.Get(call, target), "quota_set", target.object));
    return NovaQuotas{DecodeQuota(set.Find("instances")), DecodeQuota(set.Find("cores")), DecodeQuota(set.Find("ram")),
                      DecodeQuota(set.Find("server_groups")), DecodeQuota(set.Find("key_pairs"))};
  }

 private:
  static std::string Joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : ",") + word;
    return text;
  }

  static ServerGroup DecodeGroup(const Value& group) {
    return {group.GetStringOr("id", ""), group.GetStringOr("name", ""),
            group.GetStringOr("policy", group.GetStringOr("policies.0", "")), group.GetStrings("members"),
            group.GetStringOr("project_id", "")};
  }

  // All actions of ours name the state they lead to, so that they can be repeated.
  absl::Status Action(const CallContext& call, const failpoint::Site& site, const std::string& id,
                      const Value& action) {
    return api_.Put(call, site, "POST", Item("/servers", id, "server", "/action"), action).status();
  }

  // A refused stop or start of a server that is there already, or on its way, is done.
  absl::Status Settled(const CallContext& call, const std::string& id, const absl::Status& refusal,
                       const std::string& state, const std::string& on_its_way) {
    const absl::StatusOr<Server> server = GetServer(call, id);
    if (!server.ok()) return refusal;
    const bool there = server->status == state && server->task_state.empty();
    return there || server->task_state == on_its_way ? absl::OkStatus() : refusal;
  }

  absl::StatusOr<bool> Has(const CallContext& call, const Microversion& wanted) {
    PROTECTOR_ASSIGN_OR_RETURN(const std::optional<Microversion> version,
                               api_.session().VersionFor(call, Service::kCompute));
    return version.has_value() && *version >= wanted;
  }

  absl::Status Needs(const CallContext& call, const Microversion& wanted, const std::string& object) {
    PROTECTOR_ASSIGN_OR_RETURN(const bool has, Has(call, wanted));
    if (has) return absl::OkStatus();
    return http::WithOutcome(
        Error(absl::StatusCode::kUnimplemented, "NOT_SUPPORTED",
              fmt::format("nova: {}: this site's Nova does not speak microversion {}", object, wanted.ToString()))
            .Object(object)
            .Remedy("Upgrade Nova on this site to Ussuri or later."),
        http::Outcome::kNotSent);
  }

  ApiClient api_;
};

}  // namespace

std::unique_ptr<NovaApi> NewNova(Session& session) {
  return std::make_unique<Nova>(session);
}

absl::StatusOr<Flavor> FindFlavor(NovaApi& nova, const CallContext& call, const std::string& name_or_id) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<Flavor> flavors, nova.ListFlavors(call));
  const auto matching = [&](auto field) {
    return std::find_if(flavors.begin(), flavors.end(),
                        [&](const Flavor& flavor) { return flavor.*field == name_or_id; });
  };
  auto found = matching(&Flavor::id);
  if (found == flavors.end()) found = matching(&Flavor::name);
  if (found != flavors.end()) return *found;
  std::string known;
  for (const Flavor& flavor : flavors) known += (known.empty() ? "" : ", ") + flavor.name;
  return Error(absl::StatusCode::kNotFound, "FLAVOR_NOT_FOUND", fmt::format("flavor {} does not exist", name_or_id))
      .Object("flavor " + name_or_id)
      .Remedy(fmt::format("Map it to one that exists: {}.", known));
}

}  // namespace protector::openstack
