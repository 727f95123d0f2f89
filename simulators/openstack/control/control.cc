#include "simulators/openstack/control/control.h"

#include <fmt/format.h>

#include "simulators/openstack/core/quota.h"
#include "simulators/openstack/core/util.h"

namespace protector::ossim {

Control::Control(Site& site, Keystone& keystone, Nova& nova, Guests& guests, Ledger& ledger)
    : site_(site), keystone_(keystone), nova_(nova), guests_(guests), ledger_(ledger), started_ms_(NowMs()) {
  AddRoutes();
}

std::string Control::Start() {
  std::string at = site_.config.control;
  size_t colon = at.rfind(':');
  int port = colon == std::string::npos ? 0 : std::atoi(at.c_str() + colon + 1);
  if (port <= 0) return fmt::format("--control {}: not ADDRESS:PORT", at);
  listener_ = std::make_unique<Listener>(at.substr(0, colon), port, [this](const WireRequest& w) { return Serve(w); });
  return listener_->Listen();
}

void Control::Stop() {
  if (listener_) listener_->Stop();
}

WireResponse Control::Serve(const WireRequest& wire) {
  Request r;
  r.service = "control";
  r.method = wire.method;
  r.path = wire.path;
  r.query = wire.query;
  r.headers = wire.headers;
  r.body = wire.body;
  Response out;
  try {
    if (!r.body.empty()) {
      r.content = json::parse(r.body, nullptr, false);
      if (r.content.is_discarded()) Fail(400, "the body is not JSON");
    }
    const Route* route = nullptr;
    auto found = router_.Find(r.method, Split(r.path, '/'), &route, &r.args);
    if (found == Router::Result::kNoPath) Fail(404, "no such path: " + r.path);
    if (found == Router::Result::kNoMethod) Fail(405, "not with this method: " + r.method);
    out = route->handler(r);
  } catch (const ApiError& e) {
    out = Response::Json(e.status, {{"error", e.message}});
  } catch (const std::exception& e) {
    out = Response::Json(400, {{"error", e.what()}});
  }
  WireResponse w;
  w.status = out.status;
  w.content_type = "application/json";
  w.body = out.body.is_null() ? "" : out.body.dump(-1, ' ', false, json::error_handler_t::replace);
  return w;
}

json Control::State() {
  json guests = guests_.State();
  std::set<std::string> running;
  for (const json& g : guests.at("guests")) running.insert(Text(g, "server_id"));
  Store::Lock lock(site_.store);
  json servers = json::array(), volumes = json::array(), ports = json::array(), counts = json::object();
  site_.store.table("servers").Each([&](const std::string& id, const json& s) {
    json disks = json::array();
    for (const json& b : s.at("bdms"))
      disks.push_back({{"volume_id", b.at("volume_id")}, {"device", b.at("device")}, {"state", b.at("state")}});
    servers.push_back({{"id", id},
                       {"name", s.at("name")},
                       {"project_id", s.at("project_id")},
                       {"status", StatusOf(s)},
                       {"task_state", s.at("task_state")},
                       {"locked", s.at("locked")},
                       {"guest_running", running.count(id) > 0},
                       {"volumes", disks},
                       {"created", s.at("created")}});
  });
  site_.store.table("volumes").Each([&](const std::string& id, const json& v) {
    json attached = json::array();
    for (const std::string& a : site_.store.table("attachments").Where("volume_id", id))
      attached.push_back(site_.store.table("attachments").Find(a)->at("server_id"));
    volumes.push_back({{"id", id},
                       {"name", v.at("name")},
                       {"project_id", v.at("project_id")},
                       {"status", v.at("status")},
                       {"size", v.at("size")},
                       {"array_volume_name", v.at("provider_id")},
                       {"serial", v.at("serial")},
                       {"servers", attached}});
  });
  site_.store.table("ports").Each([&](const std::string& id, const json& p) {
    ports.push_back({{"id", id},
                     {"name", p.at("name")},
                     {"network_id", p.at("network_id")},
                     {"device_id", p.at("device_id")},
                     {"device_owner", p.at("device_owner")},
                     {"mac_address", p.at("mac_address")},
                     {"fixed_ips", p.at("fixed_ips")},
                     {"status", p.at("status")}});
  });
  for (const char* t : {"servers", "volumes", "snapshots", "attachments", "ports", "networks", "security_groups",
                        "floatingips", "server_groups", "tokens"}) {
    counts[t] = site_.store.table(t).size();
  }
  json latency = json::object();
  for (const auto& [name, range] : site_.latency.classes()) latency[name] = {range.first, range.second};
  return {
      {"site", site_.config.site},
      {"ip", site_.config.ip},
      {"port_offset", site_.config.port_offset},
      {"uptime_ms", NowMs() - started_ms_},
      {"volume_host", site_.VolumeHost()},
      {"compute_host", site_.ComputeHost()},
      {"initiator", site_.Initiator()},
      {"array", site_.config.array},
      {"policy",
       {{"member_may_manage", Setting(site_, "policy").value("member_may_manage", site_.config.member_may_manage)}}},
      {"quota", Setting(site_, "quota")},
      {"latency", {{"profile", site_.latency.profile()}, {"classes", latency}}},
      {"counts", counts},
      {"servers", servers},
      {"volumes", volumes},
      {"ports", ports},
      {"guests", {{"interval_ms", guests.at("interval_ms")}, {"paused", guests.at("paused")}}}};
}

Response Control::Ledgers(Request& r) {
  Ledger::Query q;
  q.lineage = r.Query("lineage");
  q.server_id = r.Query("server_id");
  q.volume_id = r.Query("volume_id");
  q.detail = Truth(json(r.Query("detail", "0")));
  q.at_ms = std::atoll(r.Query("at_ms", "0").c_str());
  json out = ledger_.Report(q);
  out["guests"] = guests_.State().at("guests");
  return Response::Json(200, out);
}

Response Control::ReadBack(Request& r) {
  std::string server_id = r.Query("server_id"), volume_id = r.Query("volume_id");
  std::vector<GuestDisk> disks;
  {
    Store::Lock lock(site_.store);
    if (server_id.empty()) {
      for (const std::string& a : site_.store.table("attachments").Where("volume_id", volume_id))
        server_id = Text(*site_.store.table("attachments").Find(a), "server_id");
    }
    const json* s = site_.store.table("servers").Find(server_id);
    if (s == nullptr) Fail(404, "no such server, or the volume is attached to none");
    for (const GuestDisk& d : nova_.Disks(*s)) {
      if (volume_id.empty() || d.volume_id == volume_id) disks.push_back(d);
    }
  }
  return Response::Json(200, {{"server_id", server_id}, {"volumes", guests_.ReadBack(server_id, disks)}});
}

void Control::AddRoutes() {
  router_.Add("GET", "/sim/state", [this](Request&) { return Response::Json(200, State()); });
  router_.Add("GET", "/sim/journal", [this](Request& r) {
    return Response::Json(200, site_.requests.Since(std::atoll(r.Query("since", "0").c_str()), r.Query("service"),
                                                    r.Query("method"), r.Query("path")));
  });
  router_.Add("DELETE", "/sim/journal", [this](Request&) {
    site_.requests.Clear();
    return Response::Empty(204);
  });
  router_.Add("POST", "/sim/faults", [this](Request& r) {
    std::string error, id = site_.faults.Add(r.content, &error);
    if (id.empty()) Fail(400, error);
    return Response::Json(201, {{"id", id}});
  });
  router_.Add("GET", "/sim/faults", [this](Request&) {
    return Response::Json(200, {{"faults", site_.faults.List()}});
  });
  router_.Add("DELETE", "/sim/faults", [this](Request&) {
    site_.faults.Clear();
    return Response::Empty(204);
  });
  router_.Add("DELETE", "/sim/faults/{}", [this](Request& r) {
    if (!site_.faults.Remove(r.args[0])) Fail(404, "no such fault: " + r.args[0]);
    return Response::Empty(204);
  });
  router_.Add("GET", "/sim/ledger", [this](Request& r) { return Ledgers(r); });
  router_.Add("GET", "/sim/ledger/read", [this](Request& r) { return ReadBack(r); });
  auto policy = [this] {
    return json{
        {"member_may_manage", Setting(site_, "policy").value("member_may_manage", site_.config.member_may_manage)}};
  };
  router_.Add("GET", "/sim/policy", [this, policy](Request&) {
    Store::Lock lock(site_.store);
    return Response::Json(200, policy());
  });
  router_.Add("POST", "/sim/policy", [this, policy](Request& r) {
    Store::Lock lock(site_.store);
    site_.store.table("settings").Put("policy", {{"member_may_manage", r.content.at("member_may_manage").get<bool>()}});
    return Response::Json(200, policy());
  });
  router_.Add("POST", "/sim/quota", [this](Request& r) {
    Store::Lock lock(site_.store);
    std::string project = Text(r.content, "project");
    if (!project.empty()) {
      std::string id = keystone_.ProjectId(project);
      if (id.empty()) Fail(404, "no such project: " + project);
      project = id;
    } else {
      project = "default";
    }
    for (const char* service : {"nova", "cinder", "neutron"}) {
      const json limits = Member(r.content, service);
      for (const auto& [key, value] : limits.items()) SetQuota(site_, service, project, key, value.get<int64_t>());
    }
    return Response::Json(200, Setting(site_, "quota"));
  });
  router_.Add("GET", "/sim/guests", [this](Request&) { return Response::Json(200, guests_.State()); });
  router_.Add("POST", "/sim/guests", [this](Request& r) {
    if (r.content.contains("interval_ms")) {
      int64_t ms = r.content.at("interval_ms").get<int64_t>();
      if (ms < 0) Fail(400, "interval_ms is 0 or more");
      guests_.SetInterval(ms);
    }
    if (r.content.contains("paused")) guests_.Pause(Text(r.content, "server_id"), r.content.at("paused").get<bool>());
    return Response::Json(200, guests_.State());
  });
  router_.Add("POST", "/sim/latency", [this](Request& r) {
    std::string error = site_.latency.Parse(Text(r.content, "profile"));
    if (!error.empty()) Fail(400, error);
    return Response::Json(200, {{"profile", site_.latency.profile()}});
  });
  router_.Add("POST", "/sim/token/expire", [this](Request&) {
    Store::Lock lock(site_.store);
    keystone_.ExpireTokens();
    return Response::Empty(204);
  });
}

}  // namespace protector::ossim
