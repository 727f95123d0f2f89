// Arrays, volumes, tags, connections. Groups are in client_groups.cc, pods in client_pods.cc.
#include "services/storage-pure/adapters/flasharray/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "libs/base/error.h"
#include "services/storage-pure/adapters/flasharray/decode.h"
#include "services/storage-pure/adapters/flasharray/errors.h"
#include "services/storage-pure/domain/naming.h"

namespace protector::storage::flasharray {
namespace {

const failpoint::Site kCloneVolume("array-clone-volume", &LostCall);
const failpoint::Site kDestroyVolume("array-destroy-volume", &LostCall);
const failpoint::Site kMoveVolume("array-move-volume", &LostCall);
const failpoint::Site kTagVolume("array-tag-volume", &LostCall);
const failpoint::Site kDeleteConnection("array-delete-connection", &LostCall);

constexpr size_t kFilterValues = 40;     // of one request: keeps the URL under 8 KB
constexpr size_t kListEverything = 160;  // from here on one listing of everything costs less

}  // namespace

absl::Status Client::Change(const Scope& scope, const failpoint::Site& site, const ArrayRequest& request) {
  return failpoint::Around(site, [&] { return session_.Call(scope, request).status(); });
}

absl::StatusOr<std::vector<json::Value>> Client::ListMatching(const Scope& scope, const std::string& path,
                                                              const Query& base, const std::string& field,
                                                              const std::vector<std::string>& values) {
  std::vector<json::Value> items;
  if (values.size() > kListEverything) {
    const std::set<std::string> wanted(values.begin(), values.end());
    PROTECTOR_ASSIGN_OR_RETURN(std::vector<json::Value> all, session_.List(scope, path, base));
    std::copy_if(std::make_move_iterator(all.begin()), std::make_move_iterator(all.end()), std::back_inserter(items),
                 [&](const json::Value& item) { return wanted.contains(item.GetStringOr(field, "")); });
    return items;
  }
  for (size_t begin = 0; begin < values.size(); begin += kFilterValues) {
    const size_t end = std::min(values.size(), begin + kFilterValues);
    const std::vector<std::string> piece(values.begin() + static_cast<std::ptrdiff_t>(begin),
                                         values.begin() + static_cast<std::ptrdiff_t>(end));
    Query query = base;
    query.Add("filter", AnyOf(field, piece));
    PROTECTOR_ASSIGN_OR_RETURN(std::vector<json::Value> found, session_.List(scope, path, query));
    std::move(found.begin(), found.end(), std::back_inserter(items));
  }
  return items;
}

absl::StatusOr<std::vector<json::Value>> Client::ListIfThere(const Scope& scope, const std::string& path,
                                                             const Query& query, RestVersion tokens_since) {
  absl::StatusOr<std::vector<json::Value>> items = session_.List(scope, path, query, tokens_since);
  if (!items.ok() && NotThere(items.status())) return std::vector<json::Value>();
  return items;
}

absl::StatusOr<ArrayIdentity> Client::GetIdentity(const Scope& scope) {
  PROTECTOR_ASSIGN_OR_RETURN(const json::Value answer, session_.Call(scope, {.path = "/arrays"}));
  PROTECTOR_ASSIGN_OR_RETURN(const RestVersion version, session_.Version(scope));
  const json::Value* item = answer.At("items.0");
  if (item == nullptr) return ArrayError(ErrorClass::kOther, "GET /arrays", "the list is empty");
  ArrayIdentity identity{.name = item->GetStringOr("name", ""),
                         .id = item->GetStringOr("id", ""),
                         .purity_version = item->GetStringOr("version", ""),
                         .rest_version = version.Text()};
  const std::optional<int64_t> as_of = item->GetInt("_as_of");
  if (version >= kArrayClock && as_of) identity.as_of = absl::FromUnixMillis(*as_of);
  return identity;
}

absl::StatusOr<std::vector<PeerArray>> Client::ListPeers(const Scope& scope) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<json::Value> items, session_.List(scope, "/array-connections", {}));
  std::vector<PeerArray> peers;
  for (const json::Value& item : items) {
    peers.push_back({item.GetStringOr("name", ""), item.GetStringOr("status", ""), item.GetStringOr("type", "")});
  }
  return peers;
}

absl::StatusOr<std::vector<Volume>> Client::ListVolumes(const Scope& scope, const VolumeFilter& filter) {
  Query base;
  if (filter.destroyed) base.Add("destroyed", *filter.destroyed ? "true" : "false");
  std::vector<json::Value> items;
  if (filter.Everything()) {
    PROTECTOR_ASSIGN_OR_RETURN(items, session_.List(scope, "/volumes", base));
  }
  const std::vector<std::string> pods = filter.pod.empty() ? std::vector<std::string>() : std::vector{filter.pod};
  const std::vector<std::pair<std::string, const std::vector<std::string>*>> fields = {
      {"name", &filter.names}, {"id", &filter.ids}, {"serial", &filter.serials}, {"pod.name", &pods}};
  for (const auto& [field, values] : fields) {
    if (values->empty()) continue;
    PROTECTOR_ASSIGN_OR_RETURN(std::vector<json::Value> found, ListMatching(scope, "/volumes", base, field, *values));
    std::move(found.begin(), found.end(), std::back_inserter(items));
  }
  std::vector<Volume> volumes;
  std::set<std::string> seen;
  for (const json::Value& item : items) {
    Volume volume = DecodeVolume(item);
    if (seen.insert(volume.id).second) volumes.push_back(std::move(volume));
  }
  return volumes;
}

absl::StatusOr<Volume> Client::CloneVolume(const Scope& scope, const std::string& name, const std::string& source) {
  PROTECTOR_ASSIGN_OR_RETURN(const RestVersion version, session_.Version(scope));
  ArrayRequest request{.method = "POST",
                       .path = "/volumes",
                       .query = Query().Add("names", name),
                       .body = json::Value::Object({{"source", json::Value::Object({{"name", source}})}}),
                       .idempotency = http::Idempotency::kNotIdempotent,
                       .object = name};
  request.query.AddIf(version >= kDefaultProtection, "with_default_protection", "false");
  PROTECTOR_ASSIGN_OR_RETURN(const json::Value answer,
                             failpoint::Around(kCloneVolume, [&] { return session_.Call(scope, request); }));
  const json::Value* item = answer.At("items.0");
  if (item == nullptr) {
    return http::WithOutcome(ArrayError(ErrorClass::kTransient, "volume " + name, "created, but nothing was returned"),
                             http::Outcome::kUnknown);
  }
  return DecodeVolume(*item);
}

absl::Status Client::DestroyVolume(const Scope& scope, const std::string& volume_id) {
  return Change(scope, kDestroyVolume,
                {.method = "PATCH",
                 .path = "/volumes",
                 .query = Query().Add("ids", volume_id),
                 .body = json::Value::Object({{"destroyed", true}}),
                 .object = volume_id});
}

absl::Status Client::MoveVolumeToPod(const Scope& scope, const std::string& volume_id, const std::string& pod) {
  return Change(scope, kMoveVolume,
                {.method = "PATCH",
                 .path = "/volumes",
                 .query = Query().Add("ids", volume_id),
                 .body = json::Value::Object({{"pod", json::Value::Object({{"name", pod}})}}),
                 .object = volume_id});
}

absl::Status Client::TagVolume(const Scope& scope, const std::string& volume_id, const std::vector<Tag>& tags) {
  json::Value body = json::Value::Array();
  for (const Tag& tag : tags) {
    // Not copyable: a volume that Cinder clones from ours is not ours.
    body.Append(json::Value::Object(
        {{"copyable", false}, {"namespace", kTagNamespace}, {"key", tag.key}, {"value", tag.value}}));
  }
  return Change(scope, kTagVolume,
                {.method = "PUT",
                 .path = "/volumes/tags/batch",
                 .query = Query().Add("resource_ids", volume_id),
                 .body = std::move(body),
                 .object = volume_id});
}

absl::StatusOr<std::vector<Tag>> Client::ListTags(const Scope& scope) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<json::Value> items,
                             session_.List(scope, "/volumes/tags", Query().Add("namespaces", kTagNamespace)));
  std::vector<Tag> tags;
  std::transform(items.begin(), items.end(), std::back_inserter(tags), DecodeTag);
  return tags;
}

absl::StatusOr<std::vector<Connection>> Client::ListConnections(const Scope& scope,
                                                                const std::vector<std::string>& volumes) {
  absl::StatusOr<std::vector<json::Value>> items =
      volumes.empty() ? session_.List(scope, "/connections", {})
                      : ListMatching(scope, "/connections", {}, "volume.name", volumes);
  if (!items.ok()) return items.status();
  std::vector<Connection> connections;
  std::transform(items->begin(), items->end(), std::back_inserter(connections), DecodeConnection);
  return connections;
}

absl::Status Client::DeleteConnection(const Scope& scope, const Connection& connection) {
  Query query;
  query.Add("volume_names", connection.volume);
  if (connection.host_group.empty()) {
    query.Add("host_names", connection.host);
  } else {
    query.Add("host_group_names", connection.host_group);
  }
  return Change(scope, kDeleteConnection,
                {.method = "DELETE", .path = "/connections", .query = query, .object = connection.volume});
}

absl::StatusOr<std::vector<std::string>> Client::ListVolumeSnapshots(const Scope& scope,
                                                                     const std::string& group_snapshot) {
  const Query query = Query().Add("destroyed", "false").Add("filter", Equals("name", group_snapshot + ".*"));
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<json::Value> items, session_.List(scope, "/volume-snapshots", query));
  std::vector<std::string> names;
  for (const json::Value& item : items) names.push_back(item.GetStringOr("name", ""));
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace protector::storage::flasharray
