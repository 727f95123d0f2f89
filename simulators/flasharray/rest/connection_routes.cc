// /array-connections, /array-connections/connection-key, /array-connections/path
#include "simulators/flasharray/replication/peer_client.h"
#include "simulators/flasharray/replication/peer_links.h"
#include "simulators/flasharray/rest/dispatcher.h"
#include "simulators/flasharray/rest/items.h"
#include "simulators/flasharray/rest/pick.h"

namespace protector::fasim {
namespace {

const PickRules kConnections{"Array connection"};

template <class T>
Json OrNull(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json Item(const Context& context, const ArrayConnection& connection) {
  return {{"id", connection.id},
          {"name", connection.name},
          {"management_address", connection.management_address},
          {"replication_addresses", connection.replication_addresses},
          {"replication_transport", connection.transport},
          {"status", context.peers->Online(connection.name) ? "connected" : "connecting"},
          {"throttle",
           {{"default_limit", OrNull(connection.default_limit)},
            {"window", {{"start", OrNull(connection.window_start)}, {"end", OrNull(connection.window_end)}}},
            {"window_limit", OrNull(connection.window_limit)}}},
          {"type", connection.type},
          {"version", connection.version}};
}

// Finds the peer behind a management address and has it check the key; what it says about itself comes back.
Json FindPeer(const Context& context, const Call& call) {
  const std::string address = call.BodyText("management_address").value_or("");
  const std::string transport = call.BodyText("replication_transport").value_or("ip");
  const std::string type = call.BodyText("type").value_or("");
  if (transport != "ip" && transport != "fc") throw ApiError("Given Transport Type is invalid");
  if (type != "async-replication" && type != "sync-replication") throw ApiError("Given connection type is invalid.");
  if (address.empty() || !call.BodyText("connection_key")) {
    throw ApiError("management_address and connection_key are required.");
  }
  for (const std::string& name : context.peers->names()) {
    if (!context.peers->MayTalk(name)) continue;
    try {
      PeerClient client(context.peers->AddressOf(name), context.options->name);
      const PeerReply who = client.Send("identity", Json::object());
      if (who.status != 200) continue;
      if (who.body.value("management_address", "") != address && who.body.value("rest_address", "") != address)
        continue;
      Json head;
      {
        Tx tx(context.db);
        head = {{"connection_key", *call.BodyText("connection_key")},
                {"type", type},
                {"id", tx.array().array_id},
                {"name", tx.array().name},
                {"control_address", context.options->control_address},
                {"rest_address", context.options->rest_address}};
      }
      const PeerReply reply = client.Send("connect", head);
      if (reply.status != 200) throw ApiError(address, reply.body.value("message", "Connection was refused."));
      context.peers->Saw(name, true);
      return reply.body;
    } catch (const Unreachable&) {
      continue;
    }
  }
  throw ApiError(address, "Array could not be found at the management address.");
}

void CheckUnused(Tx& tx, const ArrayConnection& connection) {
  for (const auto& group : tx.tables().groups.Where("target:" + connection.id)) {
    if (!group->destroyed) {
      throw ApiError(connection.name, "Array connection is in use by protection group " + group->name + ".");
    }
  }
  if (tx.tables().links.CountWhere("remote:" + connection.id) != 0) {
    throw ApiError(connection.name, "Array connection is in use by a pod replica link.");
  }
  for (const auto& pod : tx.tables().pods.All()) {
    for (const PodArray& array : pod->arrays) {
      if (array.id == connection.id)
        throw ApiError(connection.name, "Array connection is in use by pod " + pod->name + ".");
    }
  }
}

Answer Delete(const Context& context, Tx& tx, const Call& call) {
  const auto rows = NeedNamed(call, tx.tables().array_connections, kConnections);
  for (const auto& row : rows) {
    CheckUnused(tx, *row);
    tx.Erase(*row);
  }
  Answer answer;
  answer.no_body = true;
  const std::string own_id = tx.array().array_id;
  answer.after = [context, rows, own_id] {
    for (const auto& row : rows) {
      try {
        PeerClient(context.peers->AddressOf(row->name), context.options->name).Send("disconnect", {{"id", own_id}});
      } catch (const Unreachable&) {
        // The other side keeps a connection that only says "connecting", as a real one would.
      }
    }
  };
  return answer;
}

Answer Change(const Context& context, Tx& tx, const Call& call) {
  CheckAnyAttribute(call);
  Answer answer;
  for (const auto& row : NeedNamed(call, tx.tables().array_connections, kConnections)) {
    ArrayConnection connection = *row;
    if (call.body.contains("default_limit")) connection.default_limit = call.BodyInteger("default_limit");
    if (call.body.contains("window_limit")) connection.window_limit = call.BodyInteger("window_limit");
    if (call.BodyHas("window")) {
      connection.window_start = IntegerAt(call.body["window"], "start");
      connection.window_end = IntegerAt(call.body["window"], "end");
    }
    tx.Put(connection);
    answer.items.push_back(Item(context, connection));
  }
  return answer;
}

Json PathItem(const Context& context, const ArrayConnection& row) {
  const auto host = [](const std::string& address) { return address.substr(0, address.rfind(':')); };
  return {{"name", row.name},
          {"local_address", host(context.options->rest_address)},
          {"local_port", "ct0.eth4"},
          {"remote_address", row.management_address},
          {"remote_port", "ct0.eth4"},
          {"replication_transport", row.transport},
          {"status", context.peers->Online(row.name) ? "connected" : "connecting"}};
}

}  // namespace

void AddConnectionRoutes(Dispatcher* dispatcher) {
  const Context context = dispatcher->context();
  dispatcher->Route("GET", "/array-connections", [context](Tx& tx, const Call& call) {
    return ListRows(call,
                    ToRows<ArrayConnection>(Candidates(call, tx.tables().array_connections, kConnections),
                                            [context](const ArrayConnection& row) { return Item(context, row); }));
  });
  dispatcher->Before("POST", "/array-connections",
                     [context](Call* call) { call->prepared = FindPeer(context, *call); });
  dispatcher->Route("POST", "/array-connections", [context](Tx& tx, const Call& call) {
    const std::string name = call.prepared.at("name").get<std::string>();
    if (tx.tables().array_connections.ByName(name)) throw ApiError(name, "Array connection already exists.");
    ArrayConnection connection;
    connection.id = call.prepared.at("id").get<std::string>();
    connection.name = name;
    connection.type = *call.BodyText("type");
    connection.management_address = call.prepared.at("management_address").get<std::string>();
    connection.control_address = call.prepared.at("control_address").get<std::string>();
    connection.version = "6.5.0";
    connection.replication_addresses = {connection.management_address};
    tx.Put(connection);
    Answer answer;
    answer.items.push_back(Item(context, connection));
    return answer;
  });
  dispatcher->Route("PATCH", "/array-connections",
                    [context](Tx& tx, const Call& call) { return Change(context, tx, call); });
  dispatcher->Route("DELETE", "/array-connections",
                    [context](Tx& tx, const Call& call) { return Delete(context, tx, call); });
  dispatcher->Route("GET", "/array-connections/connection-key", [](Tx& tx, const Call& call) {
    return ListRows(call, {{"key", [&tx] { return Json{{"connection_key", tx.array().connection_key}}; }}});
  });
  dispatcher->Route("GET", "/array-connections/path", [context](Tx& tx, const Call& call) {
    return ListRows(call,
                    ToRows<ArrayConnection>(Candidates(call, tx.tables().array_connections, kConnections),
                                            [context](const ArrayConnection& row) { return PathItem(context, row); }));
  });
}

}  // namespace protector::fasim
