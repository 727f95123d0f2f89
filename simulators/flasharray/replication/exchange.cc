#include "simulators/flasharray/replication/exchange.h"

#include <algorithm>

#include "simulators/flasharray/model/group_ops.h"
#include "simulators/flasharray/replication/peer_links.h"
#include "simulators/flasharray/replication/pod_exchange.h"

namespace protector::fasim {
namespace {

Json FacesFor(Tx& tx, const std::string& peer_id) {
  Json faces = Json::array();
  for (const auto& group : tx.tables().groups.Where("target:" + peer_id)) {
    faces.push_back({{"group_id", group->id},
                     {"name", group->name},
                     {"destroyed", group->destroyed},
                     {"eradicate_at", group->eradicate_at},
                     {"target_retention", group->target_retention},
                     {"replication_schedule", group->replication_schedule}});
  }
  return faces;
}

Json AllowancesFor(Tx& tx, const std::string& peer_id) {
  Json allowances = Json::array();
  for (const auto& face : tx.tables().groups.Where("from:" + peer_id)) {
    if (face->targets.empty()) continue;
    allowances.push_back({{"group_id", face->source_group_id}, {"allowed", face->targets.front().allowed}});
  }
  return allowances;
}

bool SameJson(const auto& a, const auto& b) {
  return Json(a) == Json(b);
}

void TakeFaces(Tx& tx, const Json& message, const std::string& peer_id, const std::string& peer_name) {
  for (const Json& told : message.value("faces", Json::array())) {
    const std::string group_id = told.at("group_id").get<std::string>();
    const auto known = tx.tables().groups.Where("face:" + group_id);
    ProtectionGroup face;
    if (known.empty()) {
      if (told.at("destroyed").get<bool>()) continue;
      face.id = UuidFrom("face/" + group_id + "/" + tx.array().array_id);
      face.is_local = false;
      face.source_array_id = peer_id;
      face.source_group_id = group_id;
      face.targets = {{tx.array().array_id, tx.array().name, false, true}};
    } else {
      face = *known.front();
    }
    const ProtectionGroup before = face;
    face.source_array_name = peer_name;
    face.name = peer_name + ":" + told.at("name").get<std::string>();
    face.target_retention = told.at("target_retention").get<Retention>();
    face.replication_schedule = told.at("replication_schedule").get<Schedule>();
    const bool destroyed = told.at("destroyed").get<bool>();
    if (destroyed != face.destroyed) {
      face.destroyed = destroyed;
      face.eradicate_at = told.value("eradicate_at", Millis{0});
    }
    if (known.empty() || !SameJson(face, before)) tx.Put(face);
  }
}

void TakeAllowances(Tx& tx, const Json& message, const std::string& peer_id) {
  for (const Json& told : message.value("allowances", Json::array())) {
    const auto row = tx.tables().groups.Find(told.at("group_id").get<std::string>());
    if (!row) continue;
    ProtectionGroup group = *row;
    bool changed = false;
    for (GroupTarget& target : group.targets) {
      if (target.array_id != peer_id) continue;
      const bool allowed = told.at("allowed").get<bool>();
      changed = changed || target.allowed != allowed || !target.face_known;
      target.allowed = allowed;
      target.face_known = true;
    }
    if (changed) tx.Put(group);
  }
}

}  // namespace

std::string ManagementAddress(const Options& options) {
  return options.rest_address.substr(0, options.rest_address.rfind(':'));
}

Json Exchange::Message(const std::string& peer_name) {
  Tx tx(context_.db);
  const ArrayInfo array = tx.array();
  Json message = {{"id", array.array_id},
                  {"name", array.name},
                  {"management_address", ManagementAddress(*context_.options)},
                  {"rest_address", context_.options->rest_address},
                  {"control_address", context_.options->control_address},
                  {"version", "6.5.0"},
                  {"started", started_},
                  {"order", ++told_},
                  {"preconnect", context_.options->preconnect && context_.options->peers.count(peer_name) != 0}};
  const auto connection = tx.tables().array_connections.ByName(peer_name);
  if (connection) {
    message["connected"] = true;
    message["faces"] = FacesFor(tx, connection->id);
    message["allowances"] = AllowancesFor(tx, connection->id);
    message["pods"] = PodMessage(tx, connection->id);
  }
  return message;
}

bool Exchange::IsNewest(const Json& message, const std::string& peer_id) {
  const std::string started = message.at("started").get<std::string>();
  const std::uint64_t order = message.at("order").get<std::uint64_t>();
  auto& [heard_start, heard_order] = heard_[peer_id];
  if (heard_start == started && order <= heard_order) return false;
  heard_start = started;
  heard_order = order;
  return true;
}

void Exchange::TakeIn(const Json& message) {
  const std::string peer_id = message.at("id").get<std::string>();
  const std::string peer_name = message.at("name").get<std::string>();
  context_.peers->Learn(peer_name, message.at("control_address").get<std::string>());
  Tx tx(context_.db);
  if (!IsNewest(message, peer_id)) return;
  const auto known = tx.tables().array_connections.Find(peer_id);
  ArrayInfo array = tx.array();
  const bool preconnect =
      context_.options->preconnect && context_.options->peers.count(peer_name) != 0 &&
      message.value("preconnect", false) &&
      std::find(array.preconnected.begin(), array.preconnected.end(), peer_name) == array.preconnected.end();
  if (!known && !preconnect) return;
  if (preconnect) {
    array.preconnected.push_back(peer_name);
    tx.Put(array);
  }
  ArrayConnection connection = known ? *known : ArrayConnection{};
  if (!known) connection.type = "sync-replication";
  connection.id = peer_id;
  connection.name = peer_name;
  connection.management_address = message.at("management_address").get<std::string>();
  connection.control_address = message.at("control_address").get<std::string>();
  connection.version = message.at("version").get<std::string>();
  connection.replication_addresses = {connection.management_address};
  if (!known || !SameJson(connection, *known)) tx.Put(connection);
  if (message.value("connected", false)) {
    TakeFaces(tx, message, peer_id, peer_name);
    TakeAllowances(tx, message, peer_id);
    const Json pods = message.value("pods", Json::object());
    TakePodMessage(tx, pods, peer_id);
    context_.peers->SetPods(peer_name, pods.value("pods", Json::array()));
  }
  tx.Commit();
}

Json Exchange::Answer(const Json& message) {
  TakeIn(message);
  return Message(message.at("name").get<std::string>());
}

}  // namespace protector::fasim
