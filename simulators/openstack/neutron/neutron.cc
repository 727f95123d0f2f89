#include "simulators/openstack/neutron/neutron.h"

#include <algorithm>

#include <fmt/format.h>

#include "simulators/openstack/core/quota.h"
#include "simulators/openstack/core/util.h"
#include "simulators/openstack/keystone/keystone.h"

namespace protector::ossim {
namespace {

const char* TypeOf(const std::string& table) {
  if (table == "networks") return "Network";
  if (table == "subnets") return "Subnet";
  if (table == "ports") return "Port";
  if (table == "security_groups") return "SecurityGroup";
  if (table == "security_group_rules") return "SecurityGroupRule";
  if (table == "routers") return "Router";
  return "FloatingIP";
}

const char* Words(const std::string& table) {
  if (table == "security_groups") return "Security group";
  if (table == "security_group_rules") return "Security group rule";
  if (table == "floatingips") return "Floating IP";
  return TypeOf(table);
}

bool FixedIpMatches(const json& port, const std::string& wanted) {
  size_t equals = wanted.find('=');
  if (equals == std::string::npos) return false;
  std::string key = wanted.substr(0, equals), value = wanted.substr(equals + 1);
  for (const json& ip : port.value("fixed_ips", json::array())) {
    std::string have = Text(ip, key == "ip_address_substr" ? "ip_address" : key.c_str());
    if (key == "ip_address_substr" ? have.find(value) != std::string::npos : have == value) return true;
  }
  return false;
}

bool Passes(const Request& request, const json& doc) {
  static const std::set<std::string> control = {"limit", "marker", "fields", "sort_key", "sort_dir", "page_reverse"};
  std::set<std::string> keys;
  for (const auto& [key, value] : request.query) {
    if (control.count(key) == 0) keys.insert(key);
  }
  for (const std::string& key : keys) {
    bool any = false, all = true;
    auto [from, to] = request.query.equal_range(key);
    for (auto it = from; it != to; ++it) {
      bool ok = false;
      if (key == "fixed_ips") {
        ok = FixedIpMatches(doc, it->second);
        all = all && ok;
      } else if (key == "tags" || key == "tags-any") {
        const json tags = doc.value("tags", json::array());
        bool every = true;
        for (const std::string& t : Split(it->second, ',')) {
          bool has = std::find(tags.begin(), tags.end(), json(t)) != tags.end();
          ok = ok || has;
          every = every && has;
        }
        if (key == "tags") ok = every;
      } else if (key == "security_groups") {
        const json groups = doc.value("security_groups", json::array());
        ok = std::find(groups.begin(), groups.end(), json(it->second)) != groups.end();
      } else {
        auto member = doc.find(key);
        if (member == doc.end()) {
          ok = true;  // an unknown filter is ignored, as without strict filters
        } else if (member->is_boolean()) {
          ok = member->get<bool>() == Truth(json(it->second));
        } else if (member->is_null()) {
          ok = it->second.empty() || it->second == "None";
        } else {
          ok = (member->is_string() ? member->get<std::string>() : member->dump()) == it->second;
        }
      }
      any = any || ok;
    }
    if (!any || (key == "fixed_ips" && !all)) return false;
  }
  return true;
}

json Select(const Request& request, const json& doc) {
  if (!request.HasQuery("fields")) return doc;
  json out = json::object();
  auto [from, to] = request.query.equal_range("fields");
  for (auto it = from; it != to; ++it) {
    if (doc.contains(it->second)) out[it->second] = doc.at(it->second);
  }
  return out;
}

}  // namespace

void Neutron::Touch(json& doc) {
  doc["updated_at"] = IsoSeconds(NowMs());
  doc["revision_number"] = doc.value("revision_number", 0) + 1;
}

json Neutron::NewDoc(const Identity& who, const json& given) {
  std::string project = Text(given, "project_id", Text(given, "tenant_id", who.project_id));
  if (project != who.project_id && !who.is_admin) {
    Fail(403, "(rule:create_port and rule:create_port:tenant_id) is disallowed by policy", "PolicyNotAuthorized");
  }
  std::string now = IsoSeconds(NowMs());
  return {{"id", NewUuid()},
          {"name", Text(given, "name")},
          {"project_id", project},
          {"tenant_id", project},
          {"description", Text(given, "description")},
          {"tags", json::array()},
          {"created_at", now},
          {"updated_at", now},
          {"revision_number", 1}};
}

const json& Neutron::Visible(const Identity& who, const char* table, const std::string& id) {
  const json* doc = site_.store.table(table).Find(id);
  bool seen = doc != nullptr && (who.is_admin || Text(*doc, "project_id") == who.project_id ||
                                 doc->value("shared", false) || doc->value("router:external", false));
  if (doc != nullptr && !seen && doc->contains("network_id")) {
    const json* network = site_.store.table("networks").Find(Text(*doc, "network_id"));
    seen = network != nullptr && (Text(*network, "project_id") == who.project_id ||
                                  (std::string(table) == "subnets" && network->value("shared", false)));
  }
  if (!seen) {
    std::string verb = std::string(table) == "security_groups" || std::string(table) == "security_group_rules"
                           ? " does not exist"
                           : " could not be found.";
    Fail(404, fmt::format("{} {}{}", Words(table), id, verb), std::string(TypeOf(table)) + "NotFound");
  }
  return *doc;
}

void Neutron::Owned(const Identity& who, const json& doc, const std::string& rule) {
  if (who.is_admin || Text(doc, "project_id") == who.project_id) return;
  const json* network = site_.store.table("networks").Find(Text(doc, "network_id"));
  if (network != nullptr && Text(*network, "project_id") == who.project_id) return;
  Fail(403, fmt::format("(rule:{}) is disallowed by policy", rule), "PolicyNotAuthorized");
}

void Neutron::CheckQuota(const std::string& table, const std::string& project, const std::string& resource) {
  int64_t limit = QuotaLimit(site_, "neutron", project, resource);
  if (limit < 0) return;
  if (static_cast<int64_t>(site_.store.table(table).Where("project_id", project).size()) + 1 > limit) {
    Fail(409, fmt::format("Quota exceeded for resources: ['{}'].", resource), "OverQuota");
  }
}

Response Neutron::List(Request& request, const char* table, const std::string& plural, const Shower& show) {
  json out = json::array();
  std::string marker = request.Query("marker");
  int64_t limit = request.HasQuery("limit") ? std::atoll(request.Query("limit").c_str()) : 0;
  bool past_marker = marker.empty();
  bool more = false;
  site_.store.table(table).Each([&](const std::string& id, const json& doc) {
    if (!past_marker) {
      past_marker = id == marker;
      return;
    }
    if (more) return;
    bool seen = request.identity.is_admin || Text(doc, "project_id") == request.identity.project_id ||
                doc.value("shared", false) || doc.value("router:external", false);
    if (!seen && doc.contains("network_id")) {
      const json* network = site_.store.table("networks").Find(Text(doc, "network_id"));
      seen = network != nullptr && (Text(*network, "project_id") == request.identity.project_id ||
                                    (std::string(table) == "subnets" && network->value("shared", false)));
    }
    if (!seen || !Passes(request, doc)) return;
    if (limit > 0 && static_cast<int64_t>(out.size()) == limit) {
      more = true;
      return;
    }
    out.push_back(Select(request, show(request.identity, doc)));
  });
  json body = {{plural, out}};
  if (more) {
    body[plural + "_links"] = {{{"rel", "next"},
                                {"href", fmt::format("{}{}?limit={}&marker={}", site_.config.Url("neutron"),
                                                     request.path, limit, Text(out.back(), "id"))}}};
  }
  return Response::Json(200, body);
}

void Neutron::AddCollection(Router& router, const char* table, const std::string& path, const std::string& singular,
                            const std::string& plural, Shower show) {
  std::string base = "/v2.0/" + path;
  router.Add("GET", base, [=, this](Request& r) { return List(r, table, plural, show); });
  router.Add("GET", base + "/{}", [=, this](Request& r) {
    return Response::Json(200, {{singular, Select(r, show(r.identity, Visible(r.identity, table, r.args[0])))}});
  });
  // tags of any resource
  auto tags_of = [=, this](Request& r) { return Visible(r.identity, table, r.args[0]); };
  router.Add("GET", base + "/{}/tags", [=](Request& r) {
    return Response::Json(200, {{"tags", tags_of(r).at("tags")}});
  });
  router.Add("PUT", base + "/{}/tags", [=, this](Request& r) {
    json doc = tags_of(r);
    Owned(r.identity, doc, "update_" + singular);
    json tags = Member(r.content, "tags");
    if (!tags.is_array()) Fail(400, "Invalid input for operation: tags required.", "InvalidInput");
    doc["tags"] = tags;
    Touch(doc);
    site_.store.table(table).Put(r.args[0], doc);
    return Response::Json(200, {{"tags", tags}});
  });
  router.Add("DELETE", base + "/{}/tags", [=, this](Request& r) {
    json doc = tags_of(r);
    Owned(r.identity, doc, "update_" + singular);
    doc["tags"] = json::array();
    site_.store.table(table).Put(r.args[0], doc);
    return Response::Empty(204);
  });
  router.Add("PUT", base + "/{}/tags/{}", [=, this](Request& r) {
    json doc = tags_of(r);
    Owned(r.identity, doc, "update_" + singular);
    if (std::find(doc["tags"].begin(), doc["tags"].end(), r.args[1]) == doc["tags"].end())
      doc["tags"].push_back(r.args[1]);
    site_.store.table(table).Put(r.args[0], doc);
    return Response::Empty(201);
  });
  router.Add("DELETE", base + "/{}/tags/{}", [=, this](Request& r) {
    json doc = tags_of(r);
    Owned(r.identity, doc, "update_" + singular);
    auto it = std::find(doc["tags"].begin(), doc["tags"].end(), r.args[1]);
    if (it == doc["tags"].end()) Fail(404, fmt::format("Tag {} could not be found.", r.args[1]), "TagNotFound");
    doc["tags"].erase(it);
    site_.store.table(table).Put(r.args[0], doc);
    return Response::Empty(204);
  });
}

std::unique_ptr<Service> Neutron::Build() {
  auto service = std::make_unique<Service>();
  service->name = "neutron";
  service->has_latency_per_method = true;
  service->error = [](const ApiError& e) {
    Response r = Response::Json(
        e.status,
        {{"NeutronError",
          {{"type", e.type.empty() ? "HTTPInternalServerError" : e.type}, {"message", e.message}, {"detail", ""}}}});
    r.headers = e.headers;
    return r;
  };
  // Neutron also answers under "/v2.0/ports.json".
  service->rewrite = [](std::vector<std::string>& segments, Request&) {
    if (segments.empty()) return;
    std::string& last = segments.back();
    if (last.size() > 5 && last.compare(last.size() - 5, 5, ".json") == 0) last.resize(last.size() - 5);
  };
  AddNetworkRoutes(service->router);
  AddPortRoutes(service->router);
  AddSecurityRoutes(service->router);
  AddRouterRoutes(service->router);
  AddMiscRoutes(service->router);
  return service;
}

void Neutron::Seed(Keystone& keystone) {
  std::map<std::string, std::string> networks, subnets;
  auto as = [&](const json& item) {
    Identity who;
    who.is_admin = true;
    who.project_id = keystone.ProjectId(item.value("project", "demo"));
    return who;
  };
  for (const json& n : site_.seed.at("networks")) {
    json network = CreateNetwork(as(n), {{"name", n.at("name")},
                                         {"router:external", n.value("external", false)},
                                         {"shared", n.value("shared", false)}});
    std::string name = Text(n, "name");
    std::string subnet_name = name.rfind("net-", 0) == 0 ? "subnet-" + name.substr(4) : "subnet-" + name;
    json subnet = CreateSubnet(as(n), {{"name", subnet_name},
                                       {"network_id", network.at("id")},
                                       {"ip_version", 4},
                                       {"cidr", n.at("cidr")},
                                       {"enable_dhcp", !n.value("external", false)},
                                       {"dns_nameservers", {"192.0.2.53"}}});
    networks[name] = Text(network, "id");
    subnets[name] = Text(subnet, "id");
  }
  for (const json& r : site_.seed.at("routers")) {
    json router = NewDoc(as(r), {{"name", r.at("name")}});
    router.update({{"admin_state_up", true},
                   {"status", "ACTIVE"},
                   {"routes", json::array()},
                   {"ha", false},
                   {"distributed", false},
                   {"availability_zones", json::array()},
                   {"availability_zone_hints", json::array()},
                   {"flavor_id", nullptr},
                   {"external_gateway_info",
                    {{"network_id", networks.at(r.at("gateway"))},
                     {"enable_snat", true},
                     {"external_fixed_ips", json::array()}}}});
    site_.store.table("routers").Put(Text(router, "id"), router);
    for (const json& name : r.at("interfaces")) {
      AddRouterInterface(as(r), Text(router, "id"), {{"subnet_id", subnets.at(name.get<std::string>())}});
    }
  }
  for (const json& g : site_.seed.at("security_groups")) {
    json group = CreateSecurityGroup(as(g), {{"name", g.at("name")}, {"description", "lab"}});
    for (const json& port : g.value("tcp", json::array())) {
      CreateRule(as(g), {{"security_group_id", group.at("id")},
                         {"direction", "ingress"},
                         {"ethertype", "IPv4"},
                         {"protocol", "tcp"},
                         {"port_range_min", port},
                         {"port_range_max", port},
                         {"remote_ip_prefix", "0.0.0.0/0"}});
    }
  }
}

}  // namespace protector::ossim
