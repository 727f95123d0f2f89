// /protection-groups/volumes|hosts|host-groups and the same relations seen from the members
#include "simulators/flasharray/model/group_ops.h"
#include "simulators/flasharray/rest/dispatcher.h"
#include "simulators/flasharray/rest/items.h"
#include "simulators/flasharray/rest/pick.h"

namespace protector::fasim {
namespace {

const PickRules kGroups{"Protection group", "group_names", "group_ids", true};

// What the three kinds of member have in common, by table.
template <class T>
struct Kind;
template <>
struct Kind<Volume> {
  static constexpr MemberKind kKind = MemberKind::kVolume;
  static constexpr const char* kWord = "Volume";
  static constexpr const char* kKey = "volume:";
  static const Table<Volume>& In(Tx& tx) { return tx.tables().volumes; }
};
template <>
struct Kind<Host> {
  static constexpr MemberKind kKind = MemberKind::kHost;
  static constexpr const char* kWord = "Host";
  static constexpr const char* kKey = "host:";
  static const Table<Host>& In(Tx& tx) { return tx.tables().hosts; }
};
template <>
struct Kind<HostGroup> {
  static constexpr MemberKind kKind = MemberKind::kHostGroup;
  static constexpr const char* kWord = "Host group";
  static constexpr const char* kKey = "host_group:";
  static const Table<HostGroup>& In(Tx& tx) { return tx.tables().host_groups; }
};

template <class T>
Json MemberItem(const ProtectionGroup& group, const T& member) {
  Json item = {{"group", Reference(group.id, group.name)}, {"member", {{"name", member.name}}}};
  if constexpr (std::is_same_v<T, Volume>) {
    item["member"]["id"] = member.id;
    item["member"]["destroyed"] = member.destroyed;
  }
  return item;
}

template <class T>
Answer List(Tx& tx, const Call& call) {
  const auto groups = PickNamed(call, tx.tables().groups, kGroups);
  const auto members = PickNamed(call, Kind<T>::In(tx), {Kind<T>::kWord, "member_names", "member_ids", true});
  std::optional<bool> destroyed;
  if (call.Has("member_destroyed")) destroyed = call.Bool("member_destroyed");
  std::vector<Row> rows;
  const auto add = [&](const GroupPtr& group, const typename Table<T>::Ptr& member) {
    if (!member) return;
    if constexpr (std::is_same_v<T, Volume>) {
      if (destroyed && member->destroyed != *destroyed) return;
    }
    rows.push_back(
        {Lower(group->name) + "\n" + Lower(member->name), [group, member] { return MemberItem(*group, *member); }});
  };
  if (members && !groups) {
    for (const auto& member : *members) {
      for (const auto& group : tx.tables().groups.Where(Kind<T>::kKey + member->id)) add(group, member);
    }
  } else {
    for (const auto& group : groups ? *groups : tx.tables().groups.All()) {
      ProtectionGroup copy = *group;
      for (const std::string& id : MembersOf(copy, Kind<T>::kKind)) {
        const auto member = Kind<T>::In(tx).Find(id);
        if (members && std::find(members->begin(), members->end(), member) == members->end()) continue;
        add(group, member);
      }
    }
  }
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.key < b.key; });
  return ListRows(call, std::move(rows));
}

template <class T>
Answer Change(Tx& tx, const Call& call) {
  const auto groups = PickNamed(call, tx.tables().groups, kGroups);
  const auto members = PickNamed(call, Kind<T>::In(tx), {Kind<T>::kWord, "member_names", "member_ids", false});
  if (!groups || !members) throw ApiError("The parameters group_names and member_names are required.");
  Answer answer;
  answer.no_body = call.method == "DELETE";
  for (const auto& group : *groups) {
    for (const auto& member : *members) {
      const auto now = tx.tables().groups.Find(group->id);
      if (call.method == "POST") {
        AddMember(tx, now, Kind<T>::kKind, member->id, member->name);
      } else {
        RemoveMember(tx, now, Kind<T>::kKind, member->id, member->name);
      }
      answer.items.push_back(MemberItem(*group, *member));
    }
  }
  return answer;
}

template <class T>
void Both(Dispatcher* dispatcher, const std::string& path) {
  dispatcher->Route("GET", path, List<T>);
  dispatcher->Route("POST", path, Change<T>);
  dispatcher->Route("DELETE", path, Change<T>);
}

}  // namespace

void AddGroupMemberRoutes(Dispatcher* dispatcher) {
  Both<Volume>(dispatcher, "/protection-groups/volumes");
  Both<Volume>(dispatcher, "/volumes/protection-groups");
  Both<Host>(dispatcher, "/protection-groups/hosts");
  Both<Host>(dispatcher, "/hosts/protection-groups");
  Both<HostGroup>(dispatcher, "/protection-groups/host-groups");
  Both<HostGroup>(dispatcher, "/host-groups/protection-groups");
}

}  // namespace protector::fasim
