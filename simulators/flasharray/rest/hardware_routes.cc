// /controllers, /ports, /ports/initiators, /network-interfaces, /hardware, /offloads, /alerts: the box itself, which
// never changes.
#include "simulators/flasharray/rest/dispatcher.h"
#include "simulators/flasharray/rest/items.h"
#include "simulators/flasharray/rest/pick.h"

namespace protector::fasim {
namespace {

// Named items of a fixed list; names= that match nothing are refused as everywhere.
Answer FixedList(const Call& call, const std::string& kind, const std::vector<Json>& items) {
  std::vector<Row> rows;
  std::vector<ApiError::Item> missing;
  const auto names = call.List("names");
  for (const Json& item : items) {
    const std::string name = item["name"].get<std::string>();
    bool wanted = !call.Has("names");
    for (const std::string& one : names) wanted = wanted || GlobMatch(one, name);
    if (wanted) rows.push_back({Lower(name), [item] { return item; }});
  }
  for (const std::string& one : names) {
    bool found = one.find('*') != std::string::npos;
    for (const Json& item : items) found = found || Lower(item["name"].get<std::string>()) == Lower(one);
    if (!found) missing.push_back({one, kind + " does not exist."});
  }
  if (!missing.empty()) throw ApiError(400, std::move(missing));
  return ListRows(call, std::move(rows));
}

std::string HostPart(const std::string& address) {
  return address.substr(0, address.rfind(':'));
}

std::string ArrayIqn(Tx& tx) {
  return "iqn.2010-06.com.purestorage:flasharray." + tx.array().array_id.substr(0, 8) +
         tx.array().array_id.substr(9, 4);
}

std::vector<Json> Controllers(Tx&) {
  std::vector<Json> out;
  for (const char* name : {"CT0", "CT1"}) {
    out.push_back({{"name", name},
                   {"mode", std::string(name) == "CT0" ? "primary" : "secondary"},
                   {"model", "FA-X50R3"},
                   {"status", "ready"},
                   {"type", "array_controller"},
                   {"version", "6.5.0"}});
  }
  return out;
}

std::vector<Json> Ports(Tx& tx, const std::string& address) {
  std::vector<Json> out;
  for (const char* name : {"CT0.ETH4", "CT0.ETH5", "CT1.ETH4", "CT1.ETH5"}) {
    out.push_back({{"name", name},
                   {"iqn", ArrayIqn(tx)},
                   {"nqn", nullptr},
                   {"portal", address + ":3260"},
                   {"wwn", nullptr},
                   {"failover", nullptr}});
  }
  return out;
}

std::vector<Json> Interfaces(Tx&, const std::string& address) {
  std::vector<Json> out;
  int number = 0;
  for (const char* controller : {"ct0", "ct1"}) {
    for (const char* port : {"eth0", "eth4", "eth5"}) {
      const bool management = std::string(port) == "eth0";
      out.push_back({{"name", std::string(controller) + "." + port},
                     {"enabled", true},
                     {"eth",
                      {{"address", address},
                       {"gateway", nullptr},
                       {"mac_address", fmt::format("24:a9:37:00:00:{:02x}", number++)},
                       {"mtu", management ? 1500 : 9000},
                       {"netmask", "255.0.0.0"},
                       {"subinterfaces", Json::array()},
                       {"subnet", {{"name", nullptr}}},
                       {"subtype", "physical"},
                       {"vlan", nullptr}}},
                     {"fc", {{"wwn", nullptr}}},
                     {"interface_type", "eth"},
                     {"services", Json::array({management ? "management" : "iscsi"})},
                     {"speed", management ? 1000000000 : 25000000000}});
    }
  }
  return out;
}

std::vector<Json> Hardware(Tx&) {
  std::vector<Json> out;
  for (const char* name : {"CH0", "CT0", "CT1", "CH0.BAY0", "CH0.BAY1"}) {
    const std::string text = name;
    out.push_back(
        {{"name", text},
         {"details", nullptr},
         {"identify_enabled", false},
         {"index", text.back() - '0'},
         {"model", text[1] == 'T' ? "FA-X50R3" : "FA-X"},
         {"serial", "SIM" + text},
         {"slot", nullptr},
         {"speed", nullptr},
         {"status", "ok"},
         {"temperature", nullptr},
         {"type", text.find("BAY") != std::string::npos ? "drive_bay" : (text[1] == 'T' ? "controller" : "chassis")},
         {"voltage", nullptr}});
  }
  return out;
}

}  // namespace

void AddHardwareRoutes(Dispatcher* dispatcher) {
  const std::string address = HostPart(dispatcher->context().options->rest_address);
  dispatcher->Route("GET", "/controllers",
                    [](Tx& tx, const Call& call) { return FixedList(call, "Controller", Controllers(tx)); });
  dispatcher->Route("GET", "/ports",
                    [address](Tx& tx, const Call& call) { return FixedList(call, "Port", Ports(tx, address)); });
  dispatcher->Route("GET", "/network-interfaces", [address](Tx& tx, const Call& call) {
    return FixedList(call, "Network interface", Interfaces(tx, address));
  });
  dispatcher->Route("GET", "/hardware",
                    [](Tx& tx, const Call& call) { return FixedList(call, "Hardware", Hardware(tx)); });
  dispatcher->Route("GET", "/offloads", [](Tx&, const Call& call) { return FixedList(call, "Offload target", {}); });
  dispatcher->Route("GET", "/alerts", [](Tx&, const Call& call) { return FixedList(call, "Alert", {}); });
  dispatcher->Route("GET", "/ports/initiators", [address](Tx& tx, const Call& call) {
    std::vector<Row> rows;
    const auto ports = Ports(tx, address);
    for (const auto& host : tx.tables().hosts.All()) {
      for (const std::string& iqn : host->iqns) {
        rows.push_back({iqn, [iqn, port = ports.front()] {
                          return Json{
                              {"initiator", {{"iqn", iqn}, {"nqn", nullptr}, {"portal", nullptr}, {"wwn", nullptr}}},
                              {"target", port}};
                        }});
      }
    }
    std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.key < b.key; });
    return ListRows(call, std::move(rows));
  });
}

}  // namespace protector::fasim
