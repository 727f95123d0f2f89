// Key pairs, server groups, zones, services, hypervisors, limits, quotas.
#include <fmt/format.h>

#include "simulators/openstack/core/quota.h"
#include "simulators/openstack/core/util.h"
#include "simulators/openstack/nova/nova.h"

namespace protector::ossim {

void Nova::AddMiscRoutes(Router& router) {
  auto shown_key = [](const Request& r, const json& k) {
    json out = {{"name", k.at("name")}, {"public_key", k.at("public_key")}, {"fingerprint", k.at("fingerprint")}};
    if (r.version.AtLeast(2)) out["type"] = k.at("type");
    return out;
  };
  auto owner = [](const Request& r) {
    return r.identity.is_admin && r.HasQuery("user_id") ? r.Query("user_id") : r.identity.user_id;
  };
  router.Add("GET", "/v2.1/os-keypairs", [this, shown_key, owner](Request& r) {
    json out = json::array();
    site_.store.table("keypairs").Each([&](const std::string&, const json& k) {
      if (Text(k, "user_id") == owner(r)) out.push_back({{"keypair", shown_key(r, k)}});
    });
    return Response::Json(200, {{"keypairs", out}});
  });
  router.Add("GET", "/v2.1/os-keypairs/{}", [this, shown_key, owner](Request& r) {
    const json* k = site_.store.table("keypairs").Find(owner(r) + "|" + r.args[0]);
    if (k == nullptr) Fail(404, fmt::format("Keypair {} not found for user {}", r.args[0], owner(r)));
    json out = shown_key(r, *k);
    out.update({{"user_id", k->at("user_id")},
                {"created_at", k->at("created_at")},
                {"deleted", false},
                {"deleted_at", nullptr},
                {"updated_at", nullptr},
                {"id", static_cast<int64_t>(std::hash<std::string>()(r.args[0]) % 100000)}});
    return Response::Json(200, {{"keypair", out}});
  });
  router.Add("POST", "/v2.1/os-keypairs", [this, shown_key](Request& r) {
    const json given = Member(r.content, "keypair");
    std::string name = Text(given, "name"), user = Text(given, "user_id", r.identity.user_id),
                key = Text(given, "public_key");
    if (user != r.identity.user_id) Require(r, "os_compute_api:os-keypairs:create", r.identity.is_admin);
    if (name.empty()) Fail(400, "Invalid input for field/attribute name.");
    if (key.empty() && r.version.AtLeast(92))
      Fail(400, "Invalid input for field/attribute keypair. 'public_key' is a required property");
    if (site_.store.table("keypairs").Has(user + "|" + name))
      Fail(409, fmt::format("Key pair '{}' already exists.", name));
    json doc = {
        {"name", name},
        {"user_id", user},
        {"type", Text(given, "type", "ssh")},
        {"created_at", IsoSeconds(NowMs())},
        {"public_key", key.empty() ? "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + RandomText(43) + " generated" : key},
        {"fingerprint", "3a:1f:5c:00:9d:2e:77:41:b8:60:12:ef:8a:90:4b:d1"}};
    site_.store.table("keypairs").Put(user + "|" + name, doc);
    json out = shown_key(r, doc);
    out["user_id"] = user;
    if (key.empty())
      out["private_key"] =
          "-----BEGIN OPENSSH PRIVATE KEY-----\n" + RandomText(64) + "\n-----END OPENSSH PRIVATE KEY-----\n";
    return Response::Json(r.version.AtLeast(2) ? 201 : 200, {{"keypair", out}});
  });
  router.Add("DELETE", "/v2.1/os-keypairs/{}", [this, owner](Request& r) {
    if (!site_.store.table("keypairs").Erase(owner(r) + "|" + r.args[0]))
      Fail(404, fmt::format("Keypair {} not found for user {}", r.args[0], owner(r)));
    return Response::Empty(r.version.AtLeast(2) ? 204 : 202);
  });

  auto shown_group = [](const Request& r, const json& g) {
    json out = {{"id", g.at("id")}, {"name", g.at("name")}, {"members", g.at("members")}};
    if (r.version.AtLeast(64)) {
      out["policy"] = g.at("policy");
      out["rules"] = g.at("rules");
    } else {
      out["policies"] = json::array({g.at("policy")});
      out["metadata"] = json::object();
    }
    if (r.version.AtLeast(13)) {
      out["project_id"] = g.at("project_id");
      out["user_id"] = g.at("user_id");
    }
    return out;
  };
  auto find_group = [this](const Request& r) -> const json& {
    const json* g = site_.store.table("server_groups").Find(r.args[0]);
    if (g == nullptr || (!r.identity.is_admin && Text(*g, "project_id") != r.identity.project_id))
      Fail(404, fmt::format("Instance group {} could not be found.", r.args[0]));
    return *g;
  };
  router.Add("GET", "/v2.1/os-server-groups", [this, shown_group](Request& r) {
    bool all = r.identity.is_admin && r.HasQuery("all_projects");
    json out = json::array();
    site_.store.table("server_groups").Each([&](const std::string&, const json& g) {
      if (all || Text(g, "project_id") == r.identity.project_id) out.push_back(shown_group(r, g));
    });
    return Response::Json(200, {{"server_groups", out}});
  });
  router.Add("GET", "/v2.1/os-server-groups/{}", [shown_group, find_group](Request& r) {
    return Response::Json(200, {{"server_group", shown_group(r, find_group(r))}});
  });
  router.Add("POST", "/v2.1/os-server-groups", [this, shown_group](Request& r) {
    const json given = Member(r.content, "server_group");
    std::string policy = Text(given, "policy");
    const json policies = Member(given, "policies");
    if (policy.empty() && policies.is_array() && !policies.empty()) policy = policies[0].get<std::string>();
    static const std::set<std::string> known = {"affinity", "anti-affinity", "soft-affinity", "soft-anti-affinity"};
    if (known.count(policy) == 0)
      Fail(400, fmt::format("Invalid input for field/attribute policy. Value: {}.", policy));
    int64_t limit = QuotaLimit(site_, "nova", r.identity.project_id, "server_groups");
    if (limit >= 0 && static_cast<int64_t>(site_.store.table("server_groups").size()) + 1 > limit)
      Fail(403, "Quota exceeded, too many server groups.");
    std::string id = NewUuid();
    json doc = {{"id", id},
                {"name", given.at("name")},
                {"policy", policy},
                {"rules", given.value("rules", json::object())},
                {"members", json::array()},
                {"project_id", r.identity.project_id},
                {"user_id", r.identity.user_id}};
    site_.store.table("server_groups").Put(id, doc);
    return Response::Json(200, {{"server_group", shown_group(r, doc)}});
  });
  router.Add("DELETE", "/v2.1/os-server-groups/{}", [this, find_group](Request& r) {
    find_group(r);
    site_.store.table("server_groups").Erase(r.args[0]);
    return Response::Empty(204);
  });

  router.Add("GET", "/v2.1/os-availability-zone", [](Request&) {
    return Response::Json(200, {{"availabilityZoneInfo",
                                 {{{"zoneName", "nova"}, {"zoneState", {{"available", true}}}, {"hosts", nullptr}}}}});
  });
  router.Add("GET", "/v2.1/os-availability-zone/detail", [this](Request& r) {
    Require(r, "os_compute_api:os-availability-zone:detail", r.identity.is_admin);
    std::string now = IsoMicros(NowMs());
    return Response::Json(
        200, {{"availabilityZoneInfo",
               {{{"zoneName", "nova"},
                 {"zoneState", {{"available", true}}},
                 {"hosts",
                  {{site_.ComputeHost(),
                    {{"nova-compute", {{"available", true}, {"active", true}, {"updated_at", now}}}}}}}}}}});
  });
  router.Add("GET", "/v2.1/os-services", [this](Request& r) {
    Require(r, "os_compute_api:os-services:list", r.identity.is_admin);
    json out = json::array();
    for (const char* binary : {"nova-scheduler", "nova-conductor", "nova-compute"}) {
      json s = {{"id", r.version.AtLeast(53) ? json(Sha256Hex(binary).substr(0, 8) + "-0000-4000-8000-000000000000")
                                             : json(out.size() + 1)},
                {"binary", binary},
                {"host", site_.ComputeHost()},
                {"zone", std::string(binary) == "nova-compute" ? "nova" : "internal"},
                {"status", "enabled"},
                {"state", "up"},
                {"updated_at", IsoMicros(NowMs())},
                {"disabled_reason", nullptr}};
      if (r.version.AtLeast(11)) s["forced_down"] = false;
      if (!r.HasQuery("binary") || r.Query("binary") == binary) out.push_back(s);
    }
    return Response::Json(200, {{"services", out}});
  });
  auto hypervisors = [this](bool detail) {
    return [this, detail](Request& r) {
      Require(r, "os_compute_api:os-hypervisors:list", r.identity.is_admin);
      json h = {{"id", r.version.AtLeast(53) ? json("c48f6247-abe4-4a24-824e-ea39e108874f") : json(1)},
                {"hypervisor_hostname", site_.ComputeHost()},
                {"state", "up"},
                {"status", "enabled"}};
      if (detail) {
        h.update({{"hypervisor_type", "fake"},
                  {"hypervisor_version", 1000},
                  {"host_ip", site_.config.ip},
                  {"service", {{"id", 3}, {"host", site_.ComputeHost()}, {"disabled_reason", nullptr}}}});
        if (r.version.AtLeast(88))
          h["uptime"] = nullptr;
        else
          h.update({{"vcpus", 8192},
                    {"vcpus_used", 0},
                    {"memory_mb", 16777216},
                    {"memory_mb_used", 512},
                    {"local_gb", 1048576},
                    {"local_gb_used", 0},
                    {"free_ram_mb", 16776704},
                    {"free_disk_gb", 1048576},
                    {"current_workload", 0},
                    {"running_vms", site_.store.table("servers").size()},
                    {"disk_available_least", 0},
                    {"cpu_info", json::object()}});
      }
      return Response::Json(200, {{"hypervisors", {h}}});
    };
  };
  router.Add("GET", "/v2.1/os-hypervisors", hypervisors(false));
  router.Add("GET", "/v2.1/os-hypervisors/detail", hypervisors(true));
  router.Add("GET", "/v2.1/extensions", [](Request&) { return Response::Json(200, {{"extensions", json::array()}}); });
  router.Add("GET", "/v2.1/os-aggregates", [this](Request& r) {
    Require(r, "os_compute_api:os-aggregates:index", r.identity.is_admin);
    return Response::Json(200, {{"aggregates", json::array()}});
  });
  router.Add("GET", "/v2.1/servers/{}/os-instance-actions", [this](Request& r) {
    Server(r, r.args[0]);
    return Response::Json(200, {{"instanceActions", json::array()}});
  });
}

void Nova::AddQuotaRoutes(Router& router) {
  static const std::vector<std::pair<std::string, int64_t>> resources = {
      {"instances", -1},           {"cores", -1},           {"ram", -1},
      {"key_pairs", -1},           {"metadata_items", 512}, {"server_groups", -1},
      {"server_group_members", -1}};
  auto used = [this](const std::string& project, const std::string& name) {
    int64_t n = 0;
    for (const std::string& id : site_.store.table("servers").Where("project_id", project)) {
      const json& f = site_.store.table("servers").Find(id)->at("flavor");
      n += name == "instances" ? 1 : name == "cores" ? Number(f, "vcpus") : name == "ram" ? Number(f, "ram") : 0;
    }
    return n;
  };
  auto limit = [this](const std::string& project, const std::pair<std::string, int64_t>& resource) {
    int64_t set = QuotaLimit(site_, "nova", project, resource.first);
    return set < 0 ? resource.second : set;
  };
  auto quota_set = [this, used, limit](const std::string& project, bool detail) {
    json out = {{"id", project}};
    for (const auto& resource : resources) {
      int64_t l = limit(project, resource);
      out[resource.first] =
          detail ? json{{"limit", l}, {"in_use", used(project, resource.first)}, {"reserved", 0}} : json(l);
    }
    return out;
  };
  auto own = [this](const Request& r) {
    Require(r, "os_compute_api:os-quota-sets:show", r.identity.is_admin || r.args[0] == r.identity.project_id);
  };
  router.Add("GET", "/v2.1/os-quota-sets/{}", [own, quota_set](Request& r) {
    own(r);
    return Response::Json(200, {{"quota_set", quota_set(r.args[0], false)}});
  });
  router.Add("GET", "/v2.1/os-quota-sets/{}/detail", [own, quota_set](Request& r) {
    own(r);
    return Response::Json(200, {{"quota_set", quota_set(r.args[0], true)}});
  });
  router.Add("GET", "/v2.1/os-quota-sets/{}/defaults", [quota_set](Request&) {
    return Response::Json(200, {{"quota_set", quota_set("default", false)}});
  });
  router.Add("PUT", "/v2.1/os-quota-sets/{}", [this, quota_set](Request& r) {
    Require(r, "os_compute_api:os-quota-sets:update", r.identity.is_admin);
    for (const auto& [key, value] : r.content.at("quota_set").items()) {
      if (value.is_number()) SetQuota(site_, "nova", r.args[0], key, value.get<int64_t>());
    }
    json out = quota_set(r.args[0], false);
    out.erase("id");
    return Response::Json(200, {{"quota_set", out}});
  });
  router.Add("GET", "/v2.1/limits", [this, used, limit](Request& r) {
    std::string p = r.identity.is_admin && r.HasQuery("tenant_id") ? r.Query("tenant_id") : r.identity.project_id;
    json absolute = {{"maxTotalInstances", limit(p, resources[0])},
                     {"maxTotalCores", limit(p, resources[1])},
                     {"maxTotalRAMSize", limit(p, resources[2])},
                     {"maxTotalKeypairs", -1},
                     {"maxServerMeta", 512},
                     {"maxImageMeta", 512},
                     {"maxServerGroups", -1},
                     {"maxServerGroupMembers", -1},
                     {"totalInstancesUsed", used(p, "instances")},
                     {"totalCoresUsed", used(p, "cores")},
                     {"totalRAMUsed", used(p, "ram")},
                     {"totalServerGroupsUsed", site_.store.table("server_groups").size()}};
    return Response::Json(200, {{"limits", {{"rate", json::array()}, {"absolute", absolute}}}});
  });
}

}  // namespace protector::ossim
