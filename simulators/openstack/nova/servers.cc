// How servers look: show, list, filters, by microversion.
#include <algorithm>
#include <regex>

#include <fmt/format.h>

#include "simulators/openstack/core/util.h"
#include "simulators/openstack/nova/nova.h"

namespace protector::ossim {

json Nova::Addresses(const json& server) {
  json out = json::object();
  std::string id = Text(server, "id");
  Table& ports = site_.store.table("ports");
  std::vector<std::string> order;
  for (const json& nic : server.at("nics")) order.push_back(Text(nic, "port_id"));
  for (const std::string& port_id : order) {
    const json* port = ports.Find(port_id);
    if (port == nullptr || Text(*port, "device_id") != id) continue;
    const json* network = site_.store.table("networks").Find(Text(*port, "network_id"));
    json& list = out[network == nullptr ? "unknown" : Text(*network, "name")];
    if (list.is_null()) list = json::array();
    for (const json& ip : port->at("fixed_ips")) {
      list.push_back({{"version", 4},
                      {"addr", ip.at("ip_address")},
                      {"OS-EXT-IPS:type", "fixed"},
                      {"OS-EXT-IPS-MAC:mac_addr", port->at("mac_address")}});
    }
    for (const std::string& fip : site_.store.table("floatingips").Where("port_id", port_id)) {
      list.push_back({{"version", 4},
                      {"addr", site_.store.table("floatingips").Find(fip)->at("floating_ip_address")},
                      {"OS-EXT-IPS:type", "floating"},
                      {"OS-EXT-IPS-MAC:mac_addr", port->at("mac_address")}});
    }
  }
  return out;
}

json Nova::ShowServer(const Request& r, const json& s, bool alone) {
  std::string id = Text(s, "id"), status = StatusOf(s);
  const Microversion& v = r.version;
  bool placed = !Text(s, "host").empty();
  const json& f = s.at("flavor");
  json out = {{"id", id},
              {"name", s.at("name")},
              {"status", status},
              {"tenant_id", s.at("project_id")},
              {"user_id", s.at("user_id")},
              {"metadata", s.at("metadata")},
              {"hostId", placed ? Sha256Hex(Text(s, "project_id") + Text(s, "host")).substr(0, 56) : ""},
              {"created", s.at("created")},
              {"updated", s.at("updated")},
              {"addresses", Addresses(s)},
              {"accessIPv4", ""},
              {"accessIPv6", ""},
              {"links", Links("servers", id)},
              {"OS-DCF:diskConfig", "AUTO"},
              {"OS-EXT-AZ:availability_zone", placed ? s.at("az") : json("")},
              {"config_drive", s.at("config_drive").get<bool>() ? "True" : ""},
              {"key_name", s.at("key_name")},
              {"OS-SRV-USG:launched_at", s.at("launched_at")},
              {"OS-SRV-USG:terminated_at", nullptr},
              {"OS-EXT-STS:task_state", s.at("task_state")},
              {"OS-EXT-STS:vm_state", s.at("vm_state")},
              {"OS-EXT-STS:power_state", s.at("power_state")}};
  if (Text(s, "image_id").empty()) {
    out["image"] = "";
  } else {
    out["image"] = {
        {"id", s.at("image_id")},
        {"links", {{{"rel", "bookmark"}, {"href", site_.config.Url("nova") + "/images/" + Text(s, "image_id")}}}}};
  }
  if (v.AtLeast(47)) {
    out["flavor"] = {{"vcpus", f.at("vcpus")},
                     {"ram", f.at("ram")},
                     {"disk", f.at("disk")},
                     {"ephemeral", f.at("ephemeral")},
                     {"swap", f.at("swap")},
                     {"original_name", f.at("name")},
                     {"extra_specs", f.at("extra_specs")}};
  } else {
    out["flavor"] = {
        {"id", f.at("id")},
        {"links", {{{"rel", "bookmark"}, {"href", site_.config.Url("nova") + "/flavors/" + Text(f, "id")}}}}};
  }
  if (status == "ACTIVE" || status == "BUILD" || status == "REBOOT") out["progress"] = 0;
  json volumes = json::array();
  for (const json& b : s.at("bdms")) {
    if (Text(b, "volume_id").empty() || Text(b, "state") == "attaching") continue;
    json entry = {{"id", b.at("volume_id")}};
    if (v.AtLeast(3)) entry["delete_on_termination"] = b.at("delete_on_termination");
    volumes.push_back(std::move(entry));
  }
  out["os-extended-volumes:volumes_attached"] = volumes;
  // Nova shows the groups of the ports when there are some, and what was asked for until then.
  json groups = json::array();
  std::vector<std::string> names;
  for (const json& nic : s.at("nics")) {
    const json* port = site_.store.table("ports").Find(Text(nic, "port_id"));
    if (port == nullptr) continue;
    for (const json& gid : port->at("security_groups")) {
      const json* g = site_.store.table("security_groups").Find(gid.get<std::string>());
      if (g != nullptr) groups.push_back({{"name", g->at("name")}});
    }
  }
  if (s.at("nics").empty()) {
    for (const json& name : s.at("security_groups")) groups.push_back({{"name", name}});
  }
  if (!groups.empty()) out["security_groups"] = groups;
  if (status == "ERROR" && s.contains("fault") && !s.at("fault").is_null()) {
    out["fault"] = s.at("fault");
    if (!r.identity.is_admin) out["fault"].erase("details");
  }
  if (r.identity.is_admin) {
    out.update({{"OS-EXT-SRV-ATTR:host", placed ? s.at("host") : json()},
                {"OS-EXT-SRV-ATTR:hypervisor_hostname", placed ? s.at("host") : json()},
                {"OS-EXT-SRV-ATTR:instance_name", "instance-" + id.substr(0, 8)}});
    if (v.AtLeast(3)) {
      out.update({{"OS-EXT-SRV-ATTR:reservation_id", s.at("reservation_id")},
                  {"OS-EXT-SRV-ATTR:launch_index", 0},
                  {"OS-EXT-SRV-ATTR:hostname", s.at("hostname")},
                  {"OS-EXT-SRV-ATTR:kernel_id", ""},
                  {"OS-EXT-SRV-ATTR:ramdisk_id", ""},
                  {"OS-EXT-SRV-ATTR:root_device_name", s.at("root_device")},
                  {"OS-EXT-SRV-ATTR:user_data", s.at("user_data")}});
    }
  }
  if (v.AtLeast(90)) out["OS-EXT-SRV-ATTR:hostname"] = s.at("hostname");
  if (v.AtLeast(9)) out["locked"] = s.at("locked");
  if (v.AtLeast(16) && r.identity.is_admin) out["host_status"] = placed ? "UP" : "";
  if (v.AtLeast(19)) out["description"] = s.at("description");
  if (v.AtLeast(26)) out["tags"] = s.at("tags");
  if (v.AtLeast(63)) out["trusted_image_certificates"] = nullptr;
  if (v.AtLeast(71) && alone)
    out["server_groups"] = Text(s, "group_id").empty() ? json::array() : json::array({s.at("group_id")});
  if (v.AtLeast(73)) out["locked_reason"] = s.at("locked_reason");
  return out;
}

Response Nova::ListServers(Request& r, bool detail) {
  bool all = Truth(json(r.Query("all_tenants", r.HasQuery("all_tenants") ? "1" : "0")));
  if (r.HasQuery("all_tenants") && r.Query("all_tenants").empty()) all = true;
  if (all && !r.identity.is_admin)
    Require(r, std::string("os_compute_api:servers:") + (detail ? "detail" : "index") + ":get_all_tenants", false);
  int64_t limit = 1000;
  if (r.HasQuery("limit")) {
    std::string text = r.Query("limit");
    if (text.empty() || text.find_first_not_of("0123456789") != std::string::npos) {
      Fail(400, fmt::format("Invalid input for query parameters limit. Value: {}. '{}' does not match '^[0-9]*$'", text,
                            text));
    }
    limit = std::min<int64_t>(1000, std::atoll(text.c_str()));
  }
  std::string marker = r.Query("marker");
  if (!marker.empty() && !site_.store.table("servers").Has(marker))
    Fail(400, fmt::format("marker [{}] not found", marker));
  std::regex name;
  if (r.HasQuery("name")) {
    try {
      name = std::regex(r.Query("name"));
    } catch (const std::regex_error&) {
      Fail(400, fmt::format("Invalid input for query parameters name. Value: {}.", r.Query("name")));
    }
  }
  int64_t since = r.HasQuery("changes-since") ? ParseIso(r.Query("changes-since")) : 0;
  json out = json::array();
  bool past = marker.empty(), more = false;
  auto passes = [&](const std::string& id, const json& s) {
    if (!all && Text(s, "project_id") != r.identity.project_id) return false;
    if (r.HasQuery("name") && !std::regex_search(Text(s, "name"), name)) return false;
    if (r.HasQuery("status")) {
      bool ok = false;
      auto [from, to] = r.query.equal_range("status");
      for (auto it = from; it != to; ++it)
        ok = ok || StatusOf(s) == it->second || Lower(StatusOf(s)) == Lower(it->second);
      if (!ok) return false;
    }
    if (since > 0 && ParseIso(Text(s, "updated")) < since) return false;
    if (r.HasQuery("flavor") && Text(s.at("flavor"), "id") != r.Query("flavor")) return false;
    if (r.HasQuery("image") && Text(s, "image_id") != r.Query("image")) return false;
    if (r.HasQuery("uuid") && id != r.Query("uuid")) return false;
    if (all && r.HasQuery("project_id") && Text(s, "project_id") != r.Query("project_id")) return false;
    if (all && r.HasQuery("tenant_id") && Text(s, "project_id") != r.Query("tenant_id")) return false;
    if (r.HasQuery("host") && r.identity.is_admin && Text(s, "host") != r.Query("host")) return false;
    if (r.HasQuery("key_name") && Text(s, "key_name") != r.Query("key_name")) return false;
    if (r.HasQuery("reservation_id") && Text(s, "reservation_id") != r.Query("reservation_id")) return false;
    if (r.version.AtLeast(73) && r.HasQuery("locked") && s.at("locked").get<bool>() != Truth(json(r.Query("locked"))))
      return false;
    if (r.version.AtLeast(26) && (r.HasQuery("tags") || r.HasQuery("tags-any"))) {
      bool any = false, every = true;
      const json& tags = s.at("tags");
      for (const std::string& t : Split(r.Query("tags", r.Query("tags-any")), ',')) {
        bool has = std::find(tags.begin(), tags.end(), t) != tags.end();
        any = any || has;
        every = every && has;
      }
      if (r.HasQuery("tags") ? !every : !any) return false;
    }
    if (r.HasQuery("ip")) {
      bool hit = false;
      const json addresses = Addresses(s);
      for (const auto& [net, list] : addresses.items()) {
        for (const json& a : list) hit = hit || std::regex_search(Text(a, "addr"), std::regex(r.Query("ip")));
      }
      if (!hit) return false;
    }
    return true;
  };
  auto visit = [&](const std::string& id, const json& s) {
    if (more || !passes(id, s)) return;
    if (!past) {
      past = id == marker;
      return;
    }
    if (static_cast<int64_t>(out.size()) >= limit) {
      more = true;
      return;
    }
    out.push_back(detail ? ShowServer(r, s, false)
                         : json{{"id", id}, {"name", s.at("name")}, {"links", Links("servers", id)}});
  };
  if (r.Query("sort_dir") == "asc") {
    site_.store.table("servers").Each(visit);
  } else {
    site_.store.table("servers").EachNewest(visit);
  }
  json body = {{"servers", out}};
  if (more && !out.empty()) {
    body["servers_links"] = {{{"rel", "next"},
                              {"href", fmt::format("{}/v2.1/servers{}?limit={}&marker={}", site_.config.Url("nova"),
                                                   detail ? "/detail" : "", limit, Text(out.back(), "id"))}}};
  }
  return Response::Json(200, body);
}

void Nova::AddServerRoutes(Router& router) {
  router.Add("GET", "/v2.1/servers", [this](Request& r) { return ListServers(r, false); });
  router.Add("GET", "/v2.1/servers/detail", [this](Request& r) { return ListServers(r, true); });
  router.Add("POST", "/v2.1/servers", [this](Request& r) { return CreateServer(r); });
  router.Add("GET", "/v2.1/servers/{}", [this](Request& r) {
    return Response::Json(200, {{"server", ShowServer(r, Server(r, r.args[0]), true)}});
  });
  router.Add("PUT", "/v2.1/servers/{}", [this](Request& r) {
    json s = Server(r, r.args[0]);
    const json given = Member(r.content, "server");
    if (given.contains("name")) s["name"] = given.at("name");
    if (r.version.AtLeast(19) && given.contains("description")) s["description"] = given.at("description");
    if (r.version.AtLeast(90) && given.contains("hostname")) s["hostname"] = given.at("hostname");
    Save(s);
    return Response::Json(200, {{"server", ShowServer(r, Server(r, r.args[0]), true)}});
  });
  router.Add("DELETE", "/v2.1/servers/{}", [this](Request& r) { return Delete(r); });
  router.Add("POST", "/v2.1/servers/{}/action", [this](Request& r) { return Action(r); });
  router.Add("GET", "/v2.1/servers/{}/ips", [this](Request& r) {
    return Response::Json(200, {{"addresses", Addresses(Server(r, r.args[0]))}});
  });
}

}  // namespace protector::ossim
