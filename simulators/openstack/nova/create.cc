// POST /servers: what Nova checks before it answers 202.
#include <algorithm>

#include <fmt/format.h>

#include "simulators/openstack/core/quota.h"
#include "simulators/openstack/core/util.h"
#include "simulators/openstack/nova/nova.h"

namespace protector::ossim {
namespace {

[[noreturn]] void BadField(const std::string& field, const std::string& why) {
  Fail(400, fmt::format("Invalid input for field/attribute {}. {}", field, why));
}

std::string FreeDevice(const json& disks) {
  for (char c = 'a'; c <= 'z'; ++c) {
    std::string name = std::string("/dev/vd") + c;
    if (std::none_of(disks.begin(), disks.end(), [&](const json& d) { return Text(d, "device") == name; })) return name;
  }
  return "/dev/vdaa";
}

}  // namespace

void Nova::ApplyQuota(const Request& r, const json& flavor, int64_t count) {
  std::string project = r.identity.project_id;
  if (QuotaLimit(site_, "nova", project, "instances") < 0 && QuotaLimit(site_, "nova", project, "cores") < 0 &&
      QuotaLimit(site_, "nova", project, "ram") < 0) {
    return;
  }
  int64_t instances = 0, cores = 0, ram = 0;
  for (const std::string& id : site_.store.table("servers").Where("project_id", project)) {
    const json& s = *site_.store.table("servers").Find(id);
    ++instances;
    cores += Number(s.at("flavor"), "vcpus");
    ram += Number(s.at("flavor"), "ram");
  }
  const struct {
    const char* name;
    int64_t used, wanted;
  } kinds[] = {{"instances", instances, count},
               {"cores", cores, count * Number(flavor, "vcpus")},
               {"ram", ram, count * Number(flavor, "ram")}};
  for (const auto& k : kinds) {
    int64_t limit = QuotaLimit(site_, "nova", project, k.name);
    if (limit >= 0 && k.used + k.wanted > limit) {
      Fail(403, fmt::format("Quota exceeded for {0}: Requested {1}, but already used {2} of {3} {0}", k.name, k.wanted,
                            k.used, limit));
    }
  }
}

json Nova::ReadDisks(const Request& r, const json& given, const std::string& server_id) {
  json out = json::array();
  json list = Member(given, "block_device_mapping_v2");
  std::string image = Text(given, "imageRef");
  if (!list.is_array()) list = json::array();
  std::set<int64_t> boot;
  for (const json& item : list) {
    std::string source = Text(item, "source_type"),
                destination =
                    Text(item, "destination_type", source == "volume" || source == "snapshot" ? "volume" : "local");
    int64_t index = Member(item, "boot_index").is_null() ? -1 : Number(item, "boot_index", -1);
    if (index >= 0 && !boot.insert(index).second)
      Fail(400,
           "Block Device Mapping is Invalid: Boot sequence for the instance and image/block device mapping combination "
           "is not valid.");
    if (item.contains("tag") && !r.version.AtLeast(42) && r.version.minor != 32)
      BadField("block_device_mapping_v2/0", "Additional properties are not allowed ('tag' was unexpected)");
    if (source == "image" && destination == "local") continue;
    json disk = {{"bdm_id", NewUuid()},
                 {"boot_index", index},
                 {"device", Text(item, "device_name")},
                 {"tag", Member(item, "tag")},
                 {"state", "attaching"},
                 {"delete_on_termination", Truth(Member(item, "delete_on_termination"))},
                 {"volume_id", ""},
                 {"attachment_id", ""},
                 {"create", nullptr}};
    std::string uuid = Text(item, "uuid", Text(item, "volume_id"));
    if (source == "volume") {
      const json* v = cinder_.FindVolume(r.identity, uuid);
      if (v == nullptr) Fail(400, fmt::format("Block Device Mapping is Invalid: failed to get volume {}.", uuid));
      if (index == 0 && !v->at("bootable").get<bool>())
        Fail(400, fmt::format("Block Device {} is not bootable.", uuid));
      disk["attachment_id"] = cinder_.ReserveForServer(r.identity, uuid, server_id);
      disk["volume_id"] = uuid;
    } else if (source == "image" || source == "blank" || source == "snapshot") {
      int64_t size = Number(item, "volume_size");
      if (size < 1 && source != "snapshot")
        Fail(400, "Block Device Mapping is Invalid: You must specify a volume_size");
      disk["create"] = {{"size", size > 0 ? json(size) : json()},
                        {"volume_type", Member(item, "volume_type")},
                        {"availability_zone", "nova"}};
      if (source == "image") disk["create"]["imageRef"] = uuid;
      if (source == "snapshot") disk["create"]["snapshot_id"] = uuid;
    } else {
      BadField("source_type",
               fmt::format("Value: {}. '{}' is not one of ['volume', 'image', 'snapshot', 'blank']", source, source));
    }
    out.push_back(std::move(disk));
  }
  if (image.empty() && boot.count(0) == 0)
    Fail(400,
         "Block Device Mapping is Invalid: Boot sequence for the instance and image/block device mapping combination "
         "is not valid.");
  std::stable_sort(out.begin(), out.end(), [](const json& a, const json& b) {
    auto rank = [](const json& d) { return Number(d, "boot_index") < 0 ? int64_t{1000} : Number(d, "boot_index"); };
    return rank(a) < rank(b);
  });
  // Names that were asked for are kept, the others are given in boot order; a local root disk takes the first.
  json taken = out;
  if (!image.empty() && boot.count(0) == 0) taken.push_back({{"device", "/dev/vda"}});
  for (size_t i = 0; i < out.size(); ++i) {
    std::string name = Text(out[i], "device");
    if (name.empty()) {
      name = FreeDevice(taken);
    } else if (name.rfind("/dev/", 0) != 0) {
      name = "/dev/" + name;
    }
    out[i]["device"] = name;
    taken[i]["device"] = name;
  }
  return out;
}

json Nova::ReadNics(const Request& r, const json& given) {
  json out = json::array();
  const json networks = Member(given, "networks");
  if (networks.is_null()) {
    if (r.version.AtLeast(37)) BadField("server", "'networks' is a required property");
  }
  if (networks.is_string()) {
    std::string word = networks.get<std::string>();
    if (!r.version.AtLeast(37) || (word != "auto" && word != "none"))
      BadField("networks", fmt::format("Value: {}.", word));
    if (word == "none") return out;
  }
  if (!networks.is_array()) {
    // Every network of the project when there is just one.
    std::vector<std::string> mine = site_.store.table("networks").Where("project_id", r.identity.project_id);
    if (mine.size() > 1) Fail(409, "Multiple possible networks found, use a Network ID to be more specific.");
    if (mine.size() == 1) out.push_back({{"network_id", mine[0]}, {"port_id", ""}, {"ours", true}});
    return out;
  }
  std::set<std::string> ports;
  for (const json& n : networks) {
    std::string port_id = Text(n, "port"), network_id = Text(n, "uuid"), fixed = Text(n, "fixed_ip");
    if (!port_id.empty()) {
      const json* port = neutron_.FindPort(r.identity, port_id);
      if (port == nullptr) Fail(400, fmt::format("Port id {} could not be found.", port_id));
      if (!Text(*port, "device_id").empty() || !ports.insert(port_id).second)
        Fail(409, fmt::format("Port {} is still in use.", port_id));
      if (port->at("fixed_ips").empty())
        Fail(400, fmt::format("Port {} requires a FixedIP in order to be used.", port_id));
      out.push_back(
          {{"network_id", port->at("network_id")}, {"port_id", port_id}, {"ours", false}, {"tag", Member(n, "tag")}});
    } else if (!network_id.empty()) {
      if (neutron_.FindNetwork(r.identity, network_id) == nullptr)
        Fail(400, fmt::format("Network {} could not be found.", network_id));
      out.push_back({{"network_id", network_id},
                     {"port_id", ""},
                     {"ours", true},
                     {"fixed_ip", fixed},
                     {"tag", Member(n, "tag")}});
    } else {
      BadField("networks/0", "a network uuid or a port is required");
    }
  }
  return out;
}

Response Nova::CreateServer(Request& r) {
  const json given = Member(r.content, "server");
  if (!given.is_object())
    Fail(400, "Invalid input for field/attribute server. Value: None. None is not of type 'object'");
  std::string name = Text(given, "name");
  if (name.empty() || name.size() > 255)
    BadField("name",
             fmt::format("Value: {}. '{}' is too {}", name, name.substr(0, 40), name.empty() ? "short" : "long"));
  if (given.contains("tags") && !r.version.AtLeast(52))
    BadField("server", "Additional properties are not allowed ('tags' was unexpected)");
  if (given.contains("description") && !r.version.AtLeast(19))
    BadField("server", "Additional properties are not allowed ('description' was unexpected)");
  if (given.contains("hostname") && !r.version.AtLeast(90))
    BadField("server", "Additional properties are not allowed ('hostname' was unexpected)");
  const json metadata = given.value("metadata", json::object());
  for (const auto& [k, v] : metadata.items()) {
    if (!v.is_string() || k.empty() || k.size() > 255 || v.get<std::string>().size() > 255)
      BadField("metadata", fmt::format("Value: {}.", v.dump()));
  }
  json tags = given.value("tags", json::array());
  if (tags.size() > 50) BadField("tags", "is too long");
  for (const json& t : tags) {
    if (!t.is_string() || t.get<std::string>().empty() || t.get<std::string>().size() > 60 ||
        t.get<std::string>().find_first_of(",/") != std::string::npos) {
      BadField("tags", fmt::format("Value: {}.", t.dump()));
    }
  }
  std::sort(tags.begin(), tags.end());
  std::string flavor_ref = Text(given, "flavorRef");
  flavor_ref = flavor_ref.substr(flavor_ref.rfind('/') == std::string::npos ? 0 : flavor_ref.rfind('/') + 1);
  const json* flavor = site_.store.table("flavors").Find(flavor_ref);
  if (flavor == nullptr) Fail(400, fmt::format("Flavor {} could not be found.", flavor_ref));
  std::string image = Text(given, "imageRef");
  if (!image.empty() && !site_.store.table("images").Has(image))
    Fail(400, fmt::format("Image {} could not be found.", image));
  std::string key = Text(given, "key_name");
  if (!key.empty() && !site_.store.table("keypairs").Has(r.identity.user_id + "|" + key))
    Fail(400, "Invalid key_name provided.");
  std::string zone = Text(given, "availability_zone", "nova");
  std::string host_wanted;
  if (zone.find(':') != std::string::npos) {
    Require(r, "os_compute_api:servers:create:forced_host", r.identity.is_admin);
    host_wanted = zone.substr(zone.find(':') + 1);
    zone = zone.substr(0, zone.find(':'));
  }
  if (zone != "nova") Fail(400, fmt::format("The requested availability zone is not available"));
  json groups = json::array();
  for (const json& g : given.value("security_groups", json::array())) {
    std::string wanted = Text(g, "name");
    if (neutron_.SecurityGroupId(r.identity.project_id, wanted).empty()) {
      Fail(400, fmt::format("Security group {} not found for project {}.", wanted, r.identity.project_id));
    }
    if (std::find(groups.begin(), groups.end(), wanted) == groups.end()) groups.push_back(wanted);
  }
  if (groups.empty()) groups.push_back("default");
  const json hints = r.content.contains("os:scheduler_hints") ? r.content.at("os:scheduler_hints")
                                                              : Member(r.content, "OS-SCH-HNT:scheduler_hints");
  std::string group = Text(hints, "group");
  const json* server_group = nullptr;
  if (!group.empty()) {
    server_group = site_.store.table("server_groups").Find(group);
    if (server_group == nullptr || Text(*server_group, "project_id") != r.identity.project_id)
      Fail(400, fmt::format("Instance group {} could not be found.", group));
  }
  int64_t count = std::max<int64_t>(1, Number(given, "min_count", Number(given, "max_count", 1)));
  if (count != 1) Fail(400, "min_count and max_count other than 1 are not offered by this cloud");
  ApplyQuota(r, *flavor, 1);

  std::string id = NewUuid(), now = IsoSeconds(NowMs());
  json nics = ReadNics(r, given);
  json disks = ReadDisks(r, given, id);
  std::string hostname = Text(given, "hostname");
  if (hostname.empty()) {
    for (char c : Lower(name)) hostname += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '-';
  }
  json doc = {{"id", id},
              {"name", name},
              {"project_id", r.identity.project_id},
              {"user_id", r.identity.user_id},
              {"vm_state", "building"},
              {"task_state", "scheduling"},
              {"power_state", 0},
              {"created", now},
              {"updated", now},
              {"launched_at", nullptr},
              {"flavor", *flavor},
              {"image_id", image},
              {"key_name", key.empty() ? json() : json(key)},
              {"metadata", metadata},
              {"tags", tags},
              {"description", r.version.AtLeast(19) ? Member(given, "description") : json(name)},
              {"locked", false},
              {"locked_reason", nullptr},
              {"locked_by", nullptr},
              {"az", zone},
              {"host", ""},
              {"config_drive", Truth(Member(given, "config_drive"))},
              {"user_data", Member(given, "user_data")},
              {"security_groups", groups},
              {"bdms", disks},
              {"nics", nics},
              {"group_id", group},
              {"hostname", hostname.substr(0, 63)},
              {"reservation_id", "r-" + Lower(RandomText(8))},
              {"fault", nullptr},
              {"root_device", disks.empty() ? "/dev/vda" : Text(disks[0], "device")}};
  site_.store.table("servers").Put(id, doc);
  if (server_group != nullptr) {
    json g = *server_group;
    g["members"].push_back(id);
    site_.store.table("server_groups").Put(group, g);
  }
  Start(id, "nova_build");
  json shown_groups = json::array();
  for (const json& g : groups) shown_groups.push_back({{"name", g}});
  Response out = Response::Json(202, {{"server",
                                       {{"id", id},
                                        {"links", Links("servers", id)},
                                        {"OS-DCF:diskConfig", "AUTO"},
                                        {"security_groups", shown_groups},
                                        {"adminPass", RandomText(12)}}}});
  out.headers.emplace_back("Location", site_.config.Url("nova") + "/v2.1/servers/" + id);
  return out;
}

}  // namespace protector::ossim
