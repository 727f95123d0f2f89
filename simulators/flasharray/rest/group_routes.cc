// /protection-groups, its targets and container-default-protections
#include "simulators/flasharray/model/group_ops.h"
#include "simulators/flasharray/rest/dispatcher.h"
#include "simulators/flasharray/rest/items.h"
#include "simulators/flasharray/rest/pick.h"

namespace protector::fasim {
namespace {

const PickRules kGroups{"Protection group"};
constexpr std::int64_t kDay = 86400000;

Answer List(Tx& tx, const Call& call) {
  auto rows = Candidates(call, tx.tables().groups, kGroups);
  NarrowDestroyed(call, &rows);
  return ListRows(call,
                  ToRows<ProtectionGroup>(rows, [&tx](const ProtectionGroup& row) { return GroupItem(tx, row); }));
}

Answer Create(Tx& tx, const Call& call) {
  Answer answer;
  const std::string source = call.Has("source_names") ? call.Text("source_names") : "";
  std::string source_name = source;
  if (call.Has("source_ids")) {
    const auto group = tx.tables().groups.Find(call.Text("source_ids"));
    const auto snapshot = tx.tables().group_snapshots.Find(call.Text("source_ids"));
    if (!group && !snapshot) throw ApiError(call.Text("source_ids"), "Protection group or snapshot does not exist.");
    source_name = group ? group->name : snapshot->name;
  }
  for (const std::string& name : NewNames(call)) {
    auto group = tx.tables().groups.ByName(name);
    if (!group || !call.Flag("overwrite")) {
      CreateGroup(tx, name);
      group = tx.tables().groups.ByName(name);
    }
    if (!source_name.empty()) CopyGroup(tx, group, source_name, call.Flag("overwrite"));
    answer.items.push_back(GroupItem(tx, *tx.tables().groups.Find(group->id)));
  }
  return answer;
}

void ReadSchedule(const Json& json, const std::string& context, Schedule* schedule) {
  // Real clients have sent seconds for a whole release and were not refused; the scheduler never runs more often than
  // every five minutes of scaled time.
  if (const auto frequency = IntegerAt(json, "frequency")) schedule->frequency = *frequency;
  if (const auto enabled = BoolAt(json, "enabled")) schedule->enabled = *enabled;
  if (json.contains("at")) schedule->at = IntegerAt(json, "at");
  if (schedule->at && schedule->frequency % kDay != 0) {
    throw ApiError(context, "A time of day needs a frequency of whole days.");
  }
  if (json.contains("blackout") && json["blackout"].is_object()) {
    schedule->blackout_start = IntegerAt(json["blackout"], "start");
    schedule->blackout_end = IntegerAt(json["blackout"], "end");
  }
}

void ReadRetention(const Json& json, Retention* retention) {
  retention->all_for_sec = IntegerAt(json, "all_for_sec").value_or(retention->all_for_sec);
  retention->days = IntegerAt(json, "days").value_or(retention->days);
  retention->per_day = IntegerAt(json, "per_day").value_or(retention->per_day);
}

bool HasPolicy(const Call& call) {
  for (const char* key :
       {"replication_schedule", "snapshot_schedule", "source_retention", "target_retention", "retention_lock"}) {
    if (call.BodyHas(key)) return true;
  }
  return false;
}

void ChangePolicy(Tx& tx, const Call& call, const GroupPtr& row) {
  ProtectionGroup group = *row;
  if (!row->is_local) throw ApiError(row->name, "Protection group is not local to this array.");
  if (call.BodyHas("replication_schedule")) {
    const bool was = group.replication_schedule.enabled;
    ReadSchedule(call.body["replication_schedule"], row->name, &group.replication_schedule);
    if (!was && group.replication_schedule.enabled) group.last_replication = 0;
  }
  if (call.BodyHas("snapshot_schedule")) {
    ReadSchedule(call.body["snapshot_schedule"], row->name, &group.snapshot_schedule);
  }
  if (call.BodyHas("source_retention")) ReadRetention(call.body["source_retention"], &group.source_retention);
  if (call.BodyHas("target_retention")) ReadRetention(call.body["target_retention"], &group.target_retention);
  if (const auto lock = call.BodyText("retention_lock")) {
    if (*lock != "ratcheted" && *lock != group.retention_lock) {
      throw ApiError(row->name, "Retention lock can only be set to ratcheted; ask support to lift it.");
    }
    group.retention_lock = *lock;
  }
  tx.Put(group);
}

Answer Change(Tx& tx, const Call& call) {
  const auto rows = NeedNamed(call, tx.tables().groups, kGroups);
  CheckAnyAttribute(call);
  const auto destroyed = call.BodyBool("destroyed");
  if (destroyed && call.body.size() > 1) throw ApiError("Invalid combination of parameters specified.");
  Answer answer;
  for (const auto& row : rows) {
    const auto now = [&] { return tx.tables().groups.Find(row->id); };
    if (destroyed) {
      *destroyed ? DestroyGroup(tx, row) : RecoverGroup(tx, row);
    } else if (row->destroyed) {
      throw ApiError(row->name, "Protection group has been destroyed.");
    }
    if (HasPolicy(call)) ChangePolicy(tx, call, now());
    if (const auto name = call.BodyText("name")) RenameGroup(tx, now(), *name);
    answer.items.push_back(GroupItem(tx, *now()));
  }
  return answer;
}

Answer Eradicate(Tx& tx, const Call& call) {
  for (const auto& row : NeedNamed(call, tx.tables().groups, kGroups)) EradicateGroup(tx, row);
  Answer answer;
  answer.no_body = true;
  return answer;
}

Json TargetItem(const ProtectionGroup& group, const GroupTarget& target) {
  return {{"allowed", target.allowed},
          {"group", Reference(group.id, group.name)},
          {"member", {{"name", target.array_name}}}};
}

const PickRules kTargetGroups{"Protection group", "group_names", "group_ids", true};

Answer ListTargets(Tx& tx, const Call& call) {
  const auto groups = PickNamed(call, tx.tables().groups, kTargetGroups).value_or(tx.tables().groups.All());
  const auto members = call.List("member_names");
  std::vector<Row> rows;
  for (const auto& group : groups) {
    for (const GroupTarget& target : group->targets) {
      if (!members.empty() && std::find(members.begin(), members.end(), target.array_name) == members.end()) continue;
      rows.push_back(
          {Lower(group->name) + "\n" + target.array_name, [group, target] { return TargetItem(*group, target); }});
    }
  }
  return ListRows(call, std::move(rows));
}

Answer ChangeTargets(Tx& tx, const Call& call) {
  const auto groups = PickNamed(call, tx.tables().groups, kTargetGroups);
  if (!groups) throw ApiError("One of the parameters group_names or group_ids is required.");
  Answer answer;
  answer.no_body = call.method == "DELETE";
  for (const auto& row : *groups) {
    if (call.method == "PATCH") {
      const auto allowed = call.BodyBool("allowed");
      if (!allowed) throw ApiError("No attribute specified.");
      SetAllowed(tx, row, *allowed);
    } else {
      for (const std::string& name : NewNames(call, "member_names")) {
        const auto now = tx.tables().groups.Find(row->id);
        call.method == "POST" ? AddTarget(tx, now, name) : RemoveTarget(tx, now, name);
      }
    }
    const auto now = tx.tables().groups.Find(row->id);
    const auto names = call.List("member_names");
    for (const GroupTarget& target : now->targets) {
      if (call.method == "POST" && std::find(names.begin(), names.end(), target.array_name) == names.end()) continue;
      answer.items.push_back(TargetItem(*now, target));
    }
  }
  return answer;
}

// The array itself is the container "" and each pod is one.
Json ContainerItem(Tx& tx, const std::string& id, const std::string& name, const std::string& type,
                   const std::vector<std::string>& groups) {
  Json list = Json::array();
  for (const std::string& group_id : groups) {
    const auto group = tx.tables().groups.Find(group_id);
    if (group) list.push_back({{"id", group->id}, {"name", group->name}, {"type", "protection_group"}});
  }
  return {{"id", id}, {"name", name}, {"type", type}, {"default_protections", list}};
}

Answer ListContainers(Tx& tx, const Call& call) {
  std::vector<Row> rows;
  const auto pods = call.List("names");
  const auto wanted = [&](const std::string& name) {
    return (!call.Has("names") && !call.Has("ids")) || std::find(pods.begin(), pods.end(), name) != pods.end();
  };
  if (wanted("") || (call.Has("names") && call.Text("names").empty()) || wanted(tx.array().name)) {
    rows.push_back({"", [&tx] {
                      const ArrayInfo array = tx.array();
                      return ContainerItem(tx, array.array_id, "", "array", array.default_protection);
                    }});
  }
  for (const auto& pod : PickNamed(call, tx.tables().pods, {"Pod"}).value_or(tx.tables().pods.All())) {
    rows.push_back({Lower(pod->name),
                    [&tx, pod] { return ContainerItem(tx, pod->id, pod->name, "pod", pod->default_protection); }});
  }
  return ListRows(call, std::move(rows));
}

Answer ChangeContainer(Tx& tx, const Call& call) {
  std::vector<std::string> groups;
  if (call.body.is_object() && call.body.contains("default_protections") &&
      call.body["default_protections"].is_array()) {
    for (const Json& one : call.body["default_protections"]) {
      const auto id = TextAt(one, "id");
      const auto name = TextAt(one, "name").value_or("");
      const auto group = id ? tx.tables().groups.Find(*id) : tx.tables().groups.ByName(name);
      if (!group) throw ApiError(id ? *id : name, "Protection group does not exist.");
      groups.push_back(group->id);
    }
  }
  Answer answer;
  if (call.Text("names").empty() && call.Text("ids").empty()) {
    ArrayInfo array = tx.array();
    array.default_protection = groups;
    tx.Put(array);
    answer.items.push_back(ContainerItem(tx, array.array_id, "", "array", groups));
    return answer;
  }
  for (const auto& row : NeedNamed(call, tx.tables().pods, {"Pod"})) {
    Pod pod = *row;
    pod.default_protection = groups;
    tx.Put(pod);
    answer.items.push_back(ContainerItem(tx, pod.id, pod.name, "pod", groups));
  }
  return answer;
}

}  // namespace

void AddGroupRoutes(Dispatcher* dispatcher) {
  dispatcher->Route("GET", "/protection-groups", List);
  dispatcher->Route("POST", "/protection-groups", Create);
  dispatcher->Route("PATCH", "/protection-groups", Change);
  dispatcher->Route("DELETE", "/protection-groups", Eradicate);
  dispatcher->Route("GET", "/protection-groups/targets", ListTargets);
  for (const char* method : {"POST", "PATCH", "DELETE"})
    dispatcher->Route(method, "/protection-groups/targets", ChangeTargets);
  dispatcher->Route("GET", "/container-default-protections", ListContainers);
  dispatcher->Route("PATCH", "/container-default-protections", ChangeContainer);
}

}  // namespace protector::fasim
