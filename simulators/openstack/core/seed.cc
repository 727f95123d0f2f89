#include "simulators/openstack/core/seed.h"

#include <exception>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

namespace protector::ossim {
namespace {

using nlohmann::json;

json FromYaml(const YAML::Node& node) {
  if (node.IsMap()) {
    json out = json::object();
    for (const auto& pair : node) out[pair.first.as<std::string>()] = FromYaml(pair.second);
    return out;
  }
  if (node.IsSequence()) {
    json out = json::array();
    for (const auto& item : node) out.push_back(FromYaml(item));
    return out;
  }
  if (!node.IsDefined() || node.IsNull()) return nullptr;
  if (node.Tag() == "!") return node.Scalar();  // quoted: text, whatever it looks like
  json scalar = json::parse(node.Scalar(), nullptr, false);
  return scalar.is_boolean() || scalar.is_number() ? scalar : json(node.Scalar());
}

json User(const std::string& name, const std::string& site, const std::string& home, const json& roles) {
  return {
      {"name", name}, {"password", fmt::format("lab-{}-{}", name, site)}, {"default_project", home}, {"roles", roles}};
}

}  // namespace

json BuiltInSeed(const std::string& site) {
  if (site != "site-a" && site != "site-b") return nullptr;
  bool a = site == "site-a";
  std::string n = a ? "a" : "b", m = a ? "m1" : "m2", side = a ? "primary" : "secondary";
  json seed = {{"site", site},
               {"compute_host", "compute-" + n},
               {"volume_host", fmt::format("cinder-{}@pure#array-{}", n, n)},
               {"projects", {"admin", "service", "demo"}}};
  seed["users"] = {
      User("admin", site, "admin", {{"admin", {"admin"}}}),
      User("demo", site, "demo", {{"demo", {"member", "reader", "dr_site_admin"}}}),
      User("protector", site, "service", {{"service", {"admin", "service"}}, {"demo", {"admin"}}}),
  };
  seed["flavors"] = json::array();
  const struct {
    const char* name;
    int vcpus, ram, disk;
  } kFlavors[] = {{"small", 1, 512, 1}, {"medium", 2, 2048, 10}, {"large", 4, 4096, 20}};
  for (const auto& f : kFlavors) {
    seed["flavors"].push_back(
        {{"name", m + "." + f.name}, {"id", n + "-" + f.name}, {"vcpus", f.vcpus}, {"ram", f.ram}, {"disk", f.disk}});
  }
  // Both sites have the same ranges, so that a server keeps its addresses when it moves.
  seed["networks"] = {
      {{"name", "net-" + side + "-web"}, {"cidr", "10.10.1.0/24"}, {"project", "demo"}},
      {{"name", "net-" + side + "-db"}, {"cidr", "10.10.2.0/24"}, {"project", "demo"}},
      {{"name", "net-external"},
       {"cidr", a ? "203.0.113.0/25" : "203.0.113.128/25"},
       {"project", "admin"},
       {"external", true}},
  };
  seed["routers"] = {{{"name", "router"},
                      {"project", "demo"},
                      {"gateway", "net-external"},
                      {"interfaces", {"net-" + side + "-web", "net-" + side + "-db"}}}};
  seed["security_groups"] = {
      {{"name", "sg-web"}, {"project", "demo"}, {"tcp", {22, 80, 443}}},
      {{"name", "sg-db"}, {"project", "demo"}, {"tcp", {22, 5432}}},
  };
  // A key pair is a user's own: the service user that makes servers on the other site needs it as well.
  seed["keypairs"] = {{{"name", "demo-key"}, {"user", "demo"}}, {{"name", "demo-key"}, {"user", "protector"}}};
  seed["volume_types"] = {
      {{"name", "replicated-async"},
       {"description", "replicated to the other site, with a lag"},
       {"extra_specs",
        {{"volume_backend_name", "flasharray"},
         {"replication_enabled", "<is> True"},
         {"replication_type", "<in> async"}}}},
      {{"name", "replicated-sync"},
       {"description", "mirrored to the other site"},
       {"extra_specs",
        {{"volume_backend_name", "flasharray"},
         {"replication_enabled", "<is> True"},
         {"replication_type", "<in> sync"}}}},
      {{"name", "standard"},
       {"description", "not replicated"},
       {"extra_specs", {{"volume_backend_name", "flasharray"}}}},
  };
  seed["images"] = {{{"name", "lab-image"},
                     {"size", 8 << 20},
                     {"min_disk", 1},
                     {"properties", {{"hw_disk_bus", "virtio"}, {"os_distro", "debian"}}}}};
  return seed;
}

json LoadSeed(const std::string& path, const std::string& site, std::string* error) {
  json seed = BuiltInSeed(site);
  if (seed.is_null()) seed = BuiltInSeed("site-a");
  try {
    json given = FromYaml(YAML::LoadFile(path));
    if (!given.is_object()) {
      *error = fmt::format("{}: a seed is a mapping", path);
      return nullptr;
    }
    for (const auto& [key, value] : given.items()) {
      if (!seed.contains(key)) {
        *error = fmt::format("{}: unknown key '{}'", path, key);
        return nullptr;
      }
      seed[key] = value;
    }
    seed["site"] = site;
    return seed;
  } catch (const std::exception& e) {
    *error = fmt::format("{}: {}", path, e.what());
    return nullptr;
  }
}

}  // namespace protector::ossim
