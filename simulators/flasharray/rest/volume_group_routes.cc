// /volume-groups, /volume-groups/volumes, /volumes/volume-groups
#include "simulators/flasharray/model/naming.h"
#include "simulators/flasharray/model/volume_ops.h"
#include "simulators/flasharray/rest/dispatcher.h"
#include "simulators/flasharray/rest/items.h"
#include "simulators/flasharray/rest/pick.h"

namespace protector::fasim {
namespace {

const PickRules kGroups{"Volume group"};

Answer List(Tx& tx, const Call& call) {
  auto rows = Candidates(call, tx.tables().volume_groups, kGroups);
  NarrowDestroyed(call, &rows);
  return ListRows(call, ToRows<VolumeGroup>(rows, [&tx](const VolumeGroup& row) { return VolumeGroupItem(tx, row); }));
}

Answer Create(Tx& tx, const Call& call) {
  Answer answer;
  for (const std::string& name : NewNames(call)) {
    const PodName parsed = ParsePodName(name);
    CheckPlainName("Volume group", name, parsed.base);
    if (tx.tables().volume_groups.ByName(name)) throw ApiError(name, "Volume group already exists.");
    VolumeGroup group;
    group.id = NewUuid();
    group.name = name;
    if (!parsed.pod.empty()) {
      const auto pod = tx.tables().pods.ByName(parsed.pod);
      if (!pod) throw ApiError(name, "Pod does not exist.");
      group.pod_id = pod->id;
    }
    if (call.BodyHas("qos")) {
      group.bandwidth_limit = static_cast<std::uint64_t>(IntegerAt(call.body["qos"], "bandwidth_limit").value_or(0));
      group.iops_limit = static_cast<std::uint64_t>(IntegerAt(call.body["qos"], "iops_limit").value_or(0));
    }
    tx.Put(group);
    answer.items.push_back(VolumeGroupItem(tx, group));
  }
  return answer;
}

void DestroyMembers(Tx& tx, const VolumeGroup& group, bool allowed) {
  for (const auto& volume : tx.tables().volumes.Where("vgroup:" + group.id)) {
    if (volume->destroyed) continue;
    if (!allowed) throw ApiError(group.name, "Volume group is not empty.");
    DestroyVolume(tx, volume);
  }
}

Answer Change(Tx& tx, const Call& call) {
  const auto rows = NeedNamed(call, tx.tables().volume_groups, kGroups);
  CheckAnyAttribute(call);
  Answer answer;
  for (const auto& row : rows) {
    VolumeGroup group = *row;
    if (const auto destroyed = call.BodyBool("destroyed")) {
      if (*destroyed) DestroyMembers(tx, group, call.Flag("destroy_contents"));
      group.destroyed = *destroyed;
      group.eradicate_at = *destroyed ? tx.now() + tx.array().eradication_delay : 0;
    }
    if (const auto name = call.BodyText("name")) {
      const PodName old_name = ParsePodName(group.name);
      CheckPlainName("Volume group", *name, ParsePodName(*name).base);
      group.name = (old_name.pod.empty() ? "" : old_name.pod + "::") + ParsePodName(*name).base;
      const auto other = tx.tables().volume_groups.ByName(group.name);
      if (other && other->id != group.id) throw ApiError(*name, "Volume group already exists.");
      for (const auto& member : tx.tables().volumes.Where("vgroup:" + group.id)) {
        VolumeName changed = ParseVolumeName(member->name);
        changed.vgroup = ParsePodName(group.name).base;
        Volume volume = *member;
        volume.name = changed.Full();
        PutVolume(tx, volume);
      }
    }
    if (call.BodyHas("qos")) {
      group.bandwidth_limit = static_cast<std::uint64_t>(IntegerAt(call.body["qos"], "bandwidth_limit").value_or(0));
      group.iops_limit = static_cast<std::uint64_t>(IntegerAt(call.body["qos"], "iops_limit").value_or(0));
    }
    tx.Put(group);
    answer.items.push_back(VolumeGroupItem(tx, group));
  }
  return answer;
}

Answer Eradicate(Tx& tx, const Call& call) {
  for (const auto& row : NeedNamed(call, tx.tables().volume_groups, kGroups)) {
    if (!row->destroyed) throw ApiError(row->name, "Volume group is not destroyed.");
    for (const auto& volume : tx.tables().volumes.Where("vgroup:" + row->id)) EradicateVolume(tx, volume);
    tx.Erase(*row);
  }
  Answer answer;
  answer.no_body = true;
  return answer;
}

Answer Members(Tx& tx, const Call& call) {
  const auto groups = PickNamed(call, tx.tables().volume_groups, {"Volume group", "group_names", "group_ids", true})
                          .value_or(tx.tables().volume_groups.All());
  const auto members = PickNamed(call, tx.tables().volumes, {"Volume", "member_names", "member_ids", true});
  std::vector<Row> rows;
  for (const auto& group : groups) {
    for (const auto& volume : tx.tables().volumes.Where("vgroup:" + group->id)) {
      if (members && std::find(members->begin(), members->end(), volume) == members->end()) continue;
      rows.push_back(
          {Lower(group->name) + "\n" + Lower(volume->name), [group, volume] {
             return Json{{"group", Reference(group->id, group->name)}, {"member", Reference(volume->id, volume->name)}};
           }});
    }
  }
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.key < b.key; });
  return ListRows(call, std::move(rows));
}

}  // namespace

void AddVolumeGroupRoutes(Dispatcher* dispatcher) {
  dispatcher->Route("GET", "/volume-groups", List);
  dispatcher->Route("POST", "/volume-groups", Create);
  dispatcher->Route("PATCH", "/volume-groups", Change);
  dispatcher->Route("DELETE", "/volume-groups", Eradicate);
  dispatcher->Route("GET", "/volume-groups/volumes", Members);
  dispatcher->Route("GET", "/volumes/volume-groups", Members);
}

}  // namespace protector::fasim
