#include <fmt/format.h>

#include "simulators/openstack/core/util.h"
#include "simulators/openstack/neutron/neutron.h"

namespace protector::ossim {

std::string Neutron::SecurityGroupId(const std::string& project, const std::string& name_or_id) {
  if (name_or_id == "default") return DefaultSecurityGroup(project);
  std::string found;
  int hits = 0;
  for (const std::string& id : site_.store.table("security_groups").Where("project_id", project)) {
    if (id == name_or_id) return id;
    if (Text(*site_.store.table("security_groups").Find(id), "name") == name_or_id) {
      found = id;
      ++hits;
    }
  }
  return hits == 1 ? found : "";
}

std::string Neutron::DefaultSecurityGroup(const std::string& project) {
  for (const std::string& id : site_.store.table("security_groups").Where("project_id", project)) {
    if (Text(*site_.store.table("security_groups").Find(id), "name") == "default") return id;
  }
  Identity who;
  who.is_admin = true;
  who.project_id = project;
  json group =
      CreateSecurityGroup(who, {{"name", "default"}, {"description", "Default security group"}, {"seed", true}});
  return Text(group, "id");
}

json Neutron::CreateSecurityGroup(const Identity& who, const json& given) {
  json doc = NewDoc(who, given);
  std::string id = Text(doc, "id"), project = Text(doc, "project_id");
  bool is_default = Text(doc, "name") == "default";
  if (is_default && !given.contains("seed"))
    Fail(409, "Default security group already exists.", "SecurityGroupDefaultAlreadyExists");
  if (!is_default) {
    DefaultSecurityGroup(project);
    CheckQuota("security_groups", project, "security_group");
  }
  doc["stateful"] = true;
  doc["shared"] = false;
  site_.store.table("security_groups").Put(id, doc);
  for (const char* ethertype : {"IPv4", "IPv6"}) {
    CreateRule(who, {{"security_group_id", id}, {"direction", "egress"}, {"ethertype", ethertype}});
    if (is_default)
      CreateRule(
          who,
          {{"security_group_id", id}, {"direction", "ingress"}, {"ethertype", ethertype}, {"remote_group_id", id}});
  }
  return doc;
}

json Neutron::CreateRule(const Identity& who, const json& given) {
  std::string group_id = Text(given, "security_group_id");
  const json group = Visible(who, "security_groups", group_id);
  std::string direction = Text(given, "direction");
  if (direction != "ingress" && direction != "egress") {
    Fail(400, fmt::format("Invalid input for direction. Reason: '{}' is not in ['ingress', 'egress'].", direction),
         "HTTPBadRequest");
  }
  json doc = NewDoc(who, given);
  doc.erase("name");
  doc["project_id"] = doc["tenant_id"] = group.at("project_id");
  for (const char* key : {"protocol", "port_range_min", "port_range_max", "remote_ip_prefix", "remote_group_id",
                          "remote_address_group_id"}) {
    doc[key] = Member(given, key);
  }
  doc.update({{"security_group_id", group_id},
              {"direction", direction},
              {"ethertype", Text(given, "ethertype", "IPv4")},
              {"normalized_cidr", Member(given, "remote_ip_prefix")}});
  for (const std::string& id : site_.store.table("security_group_rules").Where("security_group_id", group_id)) {
    const json& other = *site_.store.table("security_group_rules").Find(id);
    bool same = true;
    for (const char* key : {"direction", "ethertype", "protocol", "port_range_min", "port_range_max",
                            "remote_ip_prefix", "remote_group_id"}) {
      same = same && other.at(key) == doc.at(key);
    }
    if (same)
      Fail(409, fmt::format("Security group rule already exists. Rule id is {}.", id), "SecurityGroupRuleExists");
  }
  site_.store.table("security_group_rules").Put(Text(doc, "id"), doc);
  return doc;
}

json Neutron::ShowSecurityGroup(json group) {
  json rules = json::array();
  for (const std::string& id :
       site_.store.table("security_group_rules").Where("security_group_id", Text(group, "id"))) {
    json rule = *site_.store.table("security_group_rules").Find(id);
    rule["standard_attr_id"] = std::stoi(id.substr(0, 6), nullptr, 16);  // shown with its group only
    rules.push_back(std::move(rule));
  }
  group["security_group_rules"] = rules;
  return group;
}

void Neutron::AddSecurityRoutes(Router& router) {
  auto show = [this](const Identity&, json g) { return ShowSecurityGroup(std::move(g)); };
  AddCollection(router, "security_groups", "security-groups", "security_group", "security_groups", show);
  AddCollection(router, "security_group_rules", "security-group-rules", "security_group_rule", "security_group_rules",
                [](const Identity&, json rule) { return rule; });
  router.Add("GET", "/v2.0/security-groups", [this, show](Request& r) {
    DefaultSecurityGroup(r.identity.project_id);  // made by the first look at it
    return List(r, "security_groups", "security_groups", show);
  });
  router.Add("POST", "/v2.0/security-groups", [this](Request& r) {
    return Response::Json(
        201, {{"security_group", ShowSecurityGroup(CreateSecurityGroup(r.identity, r.content.at("security_group")))}});
  });
  router.Add("POST", "/v2.0/security-group-rules", [this](Request& r) {
    return Response::Json(201, {{"security_group_rule", CreateRule(r.identity, r.content.at("security_group_rule"))}});
  });
  router.Add("PUT", "/v2.0/security-groups/{}", [this](Request& r) {
    json doc = Visible(r.identity, "security_groups", r.args[0]);
    Owned(r.identity, doc, "update_security_group");
    for (const auto& [key, value] : r.content.at("security_group").items()) doc[key] = value;
    Touch(doc);
    site_.store.table("security_groups").Put(r.args[0], doc);
    return Response::Json(200, {{"security_group", ShowSecurityGroup(doc)}});
  });
  router.Add("DELETE", "/v2.0/security-groups/{}", [this](Request& r) {
    json doc = Visible(r.identity, "security_groups", r.args[0]);
    Owned(r.identity, doc, "delete_security_group");
    site_.store.table("ports").Each([&](const std::string&, const json& port) {
      for (const json& id : port.at("security_groups")) {
        if (id == r.args[0]) Fail(409, fmt::format("Security Group {} in use.", r.args[0]), "SecurityGroupInUse");
      }
    });
    for (const std::string& id : site_.store.table("security_group_rules").Where("security_group_id", r.args[0])) {
      site_.store.table("security_group_rules").Erase(id);
    }
    site_.store.table("security_groups").Erase(r.args[0]);
    return Response::Empty(204);
  });
  router.Add("DELETE", "/v2.0/security-group-rules/{}", [this](Request& r) {
    json doc = Visible(r.identity, "security_group_rules", r.args[0]);
    Owned(r.identity, doc, "delete_security_group_rule");
    site_.store.table("security_group_rules").Erase(r.args[0]);
    return Response::Empty(204);
  });
}

}  // namespace protector::ossim
