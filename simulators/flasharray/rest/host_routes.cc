// /hosts, /host-groups, /host-groups/hosts, /connections
#include "simulators/flasharray/model/host_ops.h"
#include "simulators/flasharray/model/naming.h"
#include "simulators/flasharray/rest/dispatcher.h"
#include "simulators/flasharray/rest/items.h"
#include "simulators/flasharray/rest/performance.h"
#include "simulators/flasharray/rest/pick.h"

namespace protector::fasim {
namespace {

const PickRules kHosts{"Host", "names", "ids", false};
const PickRules kGroups{"Host group", "names", "ids", false};

Answer Done() {
  Answer answer;
  answer.no_body = true;
  return answer;
}

void AddAll(std::vector<std::string>* list, const std::vector<std::string>& more) {
  for (const std::string& one : more) {
    if (std::find(list->begin(), list->end(), one) == list->end()) list->push_back(one);
  }
}

void ReadHost(const Json& body, Host* host) {
  const auto read_list = [&](const char* key, std::vector<std::string>* list) {
    if (body.contains(key)) *list = TextsAt(body, key);
    AddAll(list, TextsAt(body, std::string("add_") + key));
    for (const std::string& gone : TextsAt(body, std::string("remove_") + key)) std::erase(*list, gone);
  };
  if (!body.is_object()) return;
  read_list("iqns", &host->iqns);
  read_list("nqns", &host->nqns);
  read_list("wwns", &host->wwns);
  for (std::string& wwn : host->wwns) {
    std::erase(wwn, ':');
    wwn = Upper(wwn);
  }
  if (const auto personality = TextAt(body, "personality")) host->personality = *personality;
  if (const auto vlan = TextAt(body, "vlan")) host->vlan = *vlan;
  if (body.contains("preferred_arrays") && body["preferred_arrays"].is_array()) {
    host->preferred_arrays.clear();
    for (const Json& array : body["preferred_arrays"])
      host->preferred_arrays.push_back(TextAt(array, "name").value_or(""));
  }
  if (body.contains("chap") && body["chap"].is_object()) {
    const Json& chap = body["chap"];
    host->chap_host_user = TextAt(chap, "host_user").value_or(host->chap_host_user);
    host->chap_host_password = TextAt(chap, "host_password").value_or(host->chap_host_password);
    host->chap_target_user = TextAt(chap, "target_user").value_or(host->chap_target_user);
    host->chap_target_password = TextAt(chap, "target_password").value_or(host->chap_target_password);
  }
}

Answer ListHosts(Tx& tx, const Call& call) {
  return ListRows(call, ToRows<Host>(Candidates(call, tx.tables().hosts, kHosts),
                                     [&tx](const Host& host) { return HostItem(tx, host); }));
}

Answer CreateHosts(Tx& tx, const Call& call) {
  Answer answer;
  for (const std::string& name : NewNames(call)) {
    Host host;
    host.name = name;
    ReadHost(call.body, &host);
    answer.items.push_back(HostItem(tx, CreateHost(tx, host)));
  }
  return answer;
}

Answer ChangeHosts(Tx& tx, const Call& call) {
  const auto rows = NeedNamed(call, tx.tables().hosts, kHosts);
  CheckAnyAttribute(call);
  Answer answer;
  for (const auto& row : rows) {
    Host host = *row;
    ReadHost(call.body, &host);
    CheckInitiatorsFree(tx, host);
    if (const auto name = call.BodyText("name")) {
      CheckPlainName("Host", *name, *name);
      const auto other = tx.tables().hosts.ByName(*name);
      if (other && other->id != row->id) throw ApiError(*name, "Host already exists.");
      host.name = *name;
    }
    tx.Put(host);
    if (call.BodyHas("host_group")) {
      const std::string group_name = TextAt(call.body["host_group"], "name").value_or("");
      const auto group = tx.tables().host_groups.ByName(group_name);
      if (!group_name.empty() && !group) throw ApiError(group_name, "Host group does not exist.");
      SetHostGroup(tx, tx.tables().hosts.Find(row->id), group ? group->id : "");
    }
    answer.items.push_back(HostItem(tx, *tx.tables().hosts.Find(row->id)));
  }
  return answer;
}

Answer DeleteHosts(Tx& tx, const Call& call) {
  for (const auto& row : NeedNamed(call, tx.tables().hosts, kHosts)) DeleteHost(tx, row);
  return Done();
}

Answer HostPerformance(Tx& tx, const Call& call) {
  return ListRows(call, ToRows<Host>(Candidates(call, tx.tables().hosts, kHosts), [&tx](const Host& host) {
                    Json item = QuietPerformance(tx.now());
                    item["name"] = host.name;
                    return item;
                  }));
}

Answer ListGroups(Tx& tx, const Call& call) {
  return ListRows(call, ToRows<HostGroup>(Candidates(call, tx.tables().host_groups, kGroups),
                                          [&tx](const HostGroup& group) { return HostGroupItem(tx, group); }));
}

Answer CreateGroups(Tx& tx, const Call& call) {
  Answer answer;
  for (const std::string& name : NewNames(call)) {
    CheckPlainName("Host group", name, name);
    if (tx.tables().host_groups.ByName(name)) throw ApiError(name, "Host group already exists.");
    const HostGroup group{NewUuid(), name};
    tx.Put(group);
    answer.items.push_back(HostGroupItem(tx, group));
  }
  return answer;
}

Answer RenameGroups(Tx& tx, const Call& call) {
  const auto rows = NeedNamed(call, tx.tables().host_groups, kGroups);
  CheckAnyAttribute(call);
  Answer answer;
  for (const auto& row : rows) {
    HostGroup group = *row;
    group.name = call.BodyText("name").value_or(group.name);
    CheckPlainName("Host group", group.name, group.name);
    const auto other = tx.tables().host_groups.ByName(group.name);
    if (other && other->id != group.id) throw ApiError(group.name, "Host group already exists.");
    tx.Put(group);
    answer.items.push_back(HostGroupItem(tx, group));
  }
  return answer;
}

Answer DeleteGroups(Tx& tx, const Call& call) {
  for (const auto& row : NeedNamed(call, tx.tables().host_groups, kGroups)) DeleteHostGroup(tx, row);
  return Done();
}

const PickRules kMemberHosts{"Host", "member_names", "member_ids", false};
const PickRules kMemberGroups{"Host group", "group_names", "group_ids", false};

Json MemberItem(const std::string& group, const std::string& member) {
  return {{"group", {{"name", group}}}, {"member", {{"name", member}}}};
}

Answer ListMembers(Tx& tx, const Call& call) {
  const auto hosts = PickNamed(call, tx.tables().hosts, kMemberHosts).value_or(tx.tables().hosts.All());
  const auto groups = PickNamed(call, tx.tables().host_groups, kMemberGroups);
  std::vector<Row> rows;
  for (const auto& host : hosts) {
    const auto group = tx.tables().host_groups.Find(host->hgroup_id);
    if (!group || (groups && std::find(groups->begin(), groups->end(), group) == groups->end())) continue;
    rows.push_back(
        {Lower(group->name) + "\n" + Lower(host->name), [host, group] { return MemberItem(group->name, host->name); }});
  }
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.key < b.key; });
  return ListRows(call, std::move(rows));
}

Answer ChangeMembers(Tx& tx, const Call& call, bool add) {
  const auto hosts = PickNamed(call, tx.tables().hosts, kMemberHosts);
  const auto groups = PickNamed(call, tx.tables().host_groups, kMemberGroups);
  if (!hosts || !groups) throw ApiError("The parameters group_names and member_names are required.");
  Answer answer;
  for (const auto& group : *groups) {
    for (const auto& host : *hosts) {
      if (add && host->hgroup_id == group->id) throw ApiError(host->name, "Host already belongs to the host group.");
      if (!add && host->hgroup_id != group->id) throw ApiError(host->name, "Host does not exist in the host group.");
      SetHostGroup(tx, host, add ? group->id : "");
      answer.items.push_back(MemberItem(group->name, host->name));
    }
  }
  answer.no_body = !add;
  return answer;
}

struct Sides {
  std::optional<Table<Volume>::Rows> volumes;
  std::optional<Table<Host>::Rows> hosts;
  std::optional<Table<HostGroup>::Rows> groups;
};

Sides ReadSides(Tx& tx, const Call& call) {
  return {PickNamed(call, tx.tables().volumes, {"Volume", "volume_names", "volume_ids", false}),
          PickNamed(call, tx.tables().hosts, {"Host", "host_names", "host_ids", false}),
          PickNamed(call, tx.tables().host_groups, {"Host group", "host_group_names", "host_group_ids", false})};
}

template <class T>
bool Has(const std::optional<std::vector<T>>& list, const T& value) {
  return !list || std::find(list->begin(), list->end(), value) != list->end();
}

Answer ListConnections(Tx& tx, const Call& call) {
  const Sides sides = ReadSides(tx, call);
  Table<Connection>::Rows found;
  if (sides.volumes) {
    for (const auto& volume : *sides.volumes) {
      for (const auto& row : tx.tables().connections.Where("volume:" + volume->id)) found.push_back(row);
    }
  } else if (sides.hosts) {
    for (const auto& host : *sides.hosts) {
      for (const auto& row : tx.tables().connections.Where("host:" + host->id)) found.push_back(row);
      if (host->hgroup_id.empty()) continue;
      for (const auto& row : tx.tables().connections.Where("hgroup:" + host->hgroup_id)) found.push_back(row);
    }
  } else {
    found = tx.tables().connections.All();
  }
  std::vector<Row> rows;
  std::set<std::string> seen;
  for (const auto& connection : found) {
    for (const ConnectionRow& row : RowsOf(tx, connection)) {
      if (!Has(sides.hosts, row.host) || !Has(sides.groups, row.group)) continue;
      const std::string key =
          Lower((row.host ? row.host->name : "") + "\n" + (row.volume ? row.volume->name : "")) + "\n" + connection->id;
      if (seen.insert(key).second) rows.push_back({key, [row] { return ConnectionItem(row); }});
    }
  }
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.key < b.key; });
  return ListRows(call, std::move(rows));
}

// Calls visit(volume, host or null, group or null) for each pair asked for; one side at most may be a list.
template <class Visit>
void EachPair(const Sides& sides, Visit visit) {
  if (!sides.volumes || (sides.hosts && sides.groups) || (!sides.hosts && !sides.groups)) {
    throw ApiError("volume_names and one of host_names and host_group_names are required.");
  }
  const std::size_t others = sides.hosts ? sides.hosts->size() : sides.groups->size();
  if (sides.volumes->size() > 1 && others > 1) throw ApiError("Invalid combination of parameters specified.");
  for (const auto& volume : *sides.volumes) {
    if (sides.hosts) {
      for (const auto& host : *sides.hosts) visit(volume, host, nullptr);
    } else {
      for (const auto& group : *sides.groups) visit(volume, nullptr, group);
    }
  }
}

Answer CreateConnections(Tx& tx, const Call& call) {
  Answer answer;
  std::optional<int> lun;
  if (const auto wanted = call.BodyInteger("lun")) lun = static_cast<int>(std::min<std::int64_t>(*wanted, 1 << 20));
  EachPair(ReadSides(tx, call), [&](const auto& volume, const HostPtr& host, const HostGroupPtr& group) {
    const Connection made = Connect(tx, volume, host, group, lun);
    for (const ConnectionRow& row : RowsOf(tx, tx.tables().connections.Find(made.id))) {
      answer.items.push_back(ConnectionItem(row));
    }
  });
  return answer;
}

Answer DeleteConnections(Tx& tx, const Call& call) {
  EachPair(ReadSides(tx, call), [&](const auto& volume, const HostPtr& host, const HostGroupPtr& group) {
    Disconnect(tx, volume, host, group);
  });
  return Done();
}

}  // namespace

void AddHostRoutes(Dispatcher* dispatcher) {
  dispatcher->Route("GET", "/hosts", ListHosts);
  dispatcher->Route("POST", "/hosts", CreateHosts);
  dispatcher->Route("PATCH", "/hosts", ChangeHosts);
  dispatcher->Route("DELETE", "/hosts", DeleteHosts);
  dispatcher->Route("GET", "/hosts/performance", HostPerformance);
  dispatcher->Route("GET", "/host-groups", ListGroups);
  dispatcher->Route("POST", "/host-groups", CreateGroups);
  dispatcher->Route("PATCH", "/host-groups", RenameGroups);
  dispatcher->Route("DELETE", "/host-groups", DeleteGroups);
  for (const char* path : {"/host-groups/hosts", "/hosts/host-groups"}) {
    dispatcher->Route("GET", path, ListMembers);
    dispatcher->Route("POST", path, [](Tx& tx, const Call& call) { return ChangeMembers(tx, call, true); });
    dispatcher->Route("DELETE", path, [](Tx& tx, const Call& call) { return ChangeMembers(tx, call, false); });
  }
  dispatcher->Route("GET", "/connections", ListConnections);
  dispatcher->Route("POST", "/connections", CreateConnections);
  dispatcher->Route("DELETE", "/connections", DeleteConnections);
}

}  // namespace protector::fasim
