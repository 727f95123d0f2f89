// /volumes/tags and /volume-snapshots/tags
#include "simulators/flasharray/model/volume_ops.h"
#include "simulators/flasharray/rest/dispatcher.h"
#include "simulators/flasharray/rest/items.h"
#include "simulators/flasharray/rest/pick.h"
#include "simulators/flasharray/rest/tags.h"

namespace protector::fasim {
namespace {

const char* const kDefaultNamespace = "default";

bool Wanted(const std::vector<std::string>& list, const std::string& value) {
  return list.empty() || std::find(list.begin(), list.end(), value) != list.end();
}

PickRules Resources(const std::string& kind) {
  return {kind, "resource_names", "resource_ids", true};
}

template <class T>
Answer ListTags(Tx& tx, const Call& call, const Table<T>& table, const std::string& kind) {
  auto resources = PickNamed(call, table, Resources(kind)).value_or(table.All());
  const auto destroyed = call.Bool("resource_destroyed");
  std::vector<std::string> spaces = call.List("namespaces");
  if (!call.Has("namespaces")) spaces = {kDefaultNamespace};
  if (spaces.size() == 1 && spaces.front() == "*") spaces.clear();
  std::vector<Row> rows;
  for (const auto& resource : resources) {
    if (destroyed && resource->destroyed != *destroyed) continue;
    for (const Tag& tag : resource->tags) {
      if (!Wanted(spaces, tag.space)) continue;
      rows.push_back({Lower(resource->name) + "\n" + tag.space + "\n" + tag.key,
                      [resource, tag] { return TagItem(tag, resource->id, resource->name); }});
    }
  }
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.key < b.key; });
  (void)tx;
  return ListRows(call, std::move(rows));
}

template <class T>
Answer DeleteTags(Tx& tx, const Call& call, const Table<T>& table, const std::string& kind) {
  const auto resources = PickNamed(call, table, Resources(kind));
  if (!resources) throw ApiError("One of the parameters resource_names or resource_ids is required.");
  const std::vector<std::string> keys = call.List("keys");
  std::vector<std::string> spaces = call.List("namespaces");
  if (spaces.empty()) spaces = {kDefaultNamespace};
  for (const auto& row : *resources) {
    T changed = *row;
    std::erase_if(changed.tags, [&](const Tag& tag) { return Wanted(spaces, tag.space) && Wanted(keys, tag.key); });
    if constexpr (std::is_same_v<T, Volume>) {
      PutVolume(tx, changed);
    } else {
      tx.Put(changed);
    }
  }
  Answer answer;
  answer.no_body = true;
  return answer;
}

Answer PutTags(Tx& tx, const Call& call) {
  const auto resources = PickNamed(call, tx.tables().volumes, Resources("Volume"));
  if (!resources) throw ApiError("One of the parameters resource_names or resource_ids is required.");
  if (!call.body.is_array() || call.body.empty()) throw ApiError("No attribute specified.");
  Answer answer;
  for (const auto& row : *resources) {
    if (row->destroyed) throw ApiError(row->name, "Volume has been destroyed.");
    Volume volume = *row;
    for (const Json& element : call.body) {
      Tag tag;
      tag.key = TextAt(element, "key").value_or("");
      tag.value = TextAt(element, "value").value_or("");
      tag.space = TextAt(element, "namespace").value_or(kDefaultNamespace);
      tag.copyable = BoolAt(element, "copyable").value_or(true);
      if (tag.key.empty() || tag.key.size() > 64 || tag.value.size() > 256) throw ApiError(row->name, "Invalid tag.");
      std::erase_if(volume.tags, [&](const Tag& old) { return old.space == tag.space && old.key == tag.key; });
      volume.tags.push_back(tag);
      answer.items.push_back(TagItem(tag, row->id, row->name));
    }
    PutVolume(tx, volume);
  }
  return answer;
}

}  // namespace

Json TagItem(const Tag& tag, const std::string& id, const std::string& name) {
  return {{"copyable", tag.copyable},
          {"key", tag.key},
          {"namespace", tag.space},
          {"resource", Reference(id, name)},
          {"value", tag.value}};
}

void AddTagRoutes(Dispatcher* dispatcher) {
  dispatcher->Route("GET", "/volumes/tags",
                    [](Tx& tx, const Call& call) { return ListTags(tx, call, tx.tables().volumes, "Volume"); });
  dispatcher->Route("DELETE", "/volumes/tags",
                    [](Tx& tx, const Call& call) { return DeleteTags(tx, call, tx.tables().volumes, "Volume"); });
  dispatcher->Route("PUT", "/volumes/tags/batch", PutTags);
  dispatcher->Route("GET", "/volume-snapshots/tags", [](Tx& tx, const Call& call) {
    return ListTags(tx, call, tx.tables().snapshots, "Volume snapshot");
  });
  dispatcher->Route("DELETE", "/volume-snapshots/tags", [](Tx& tx, const Call& call) {
    return DeleteTags(tx, call, tx.tables().snapshots, "Volume snapshot");
  });
}

}  // namespace protector::fasim
