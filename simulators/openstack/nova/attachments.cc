// os-volume_attachments, os-interface; metadata and tags of servers.
#include <algorithm>

#include <fmt/format.h>

#include "simulators/openstack/core/util.h"
#include "simulators/openstack/nova/nova.h"

namespace protector::ossim {
namespace {

json ShowDisk(const Request& r, const std::string& server, const json& b) {
  json out = {{"serverId", server}, {"volumeId", b.at("volume_id")}, {"device", b.at("device")}};
  if (!r.version.AtLeast(89)) out["id"] = b.at("volume_id");
  if (r.version.AtLeast(70)) out["tag"] = Member(b, "tag");
  if (r.version.AtLeast(79)) out["delete_on_termination"] = b.at("delete_on_termination");
  if (r.version.AtLeast(89)) {
    out["attachment_id"] = b.at("attachment_id");
    out["bdm_uuid"] = b.at("bdm_id");
  }
  return out;
}

json ShowNic(const Request& r, const json& port, const json& tag) {
  json out = {{"port_id", port.at("id")},
              {"net_id", port.at("network_id")},
              {"mac_addr", port.at("mac_address")},
              {"port_state", port.at("status")},
              {"fixed_ips", json::array()}};
  for (const json& ip : port.at("fixed_ips"))
    out["fixed_ips"].push_back({{"subnet_id", ip.at("subnet_id")}, {"ip_address", ip.at("ip_address")}});
  if (r.version.AtLeast(70)) out["tag"] = tag;
  return out;
}

}  // namespace

void Nova::AddAttachmentRoutes(Router& router) {
  const std::string path = "/v2.1/servers/{}/os-volume_attachments";
  auto find = [](const json& server, const std::string& volume) -> json {
    for (const json& b : server.at("bdms")) {
      if (Text(b, "volume_id") == volume) return b;
    }
    Fail(404, fmt::format("Instance {} is not attached to volume {}", Text(server, "id"), volume));
  };
  router.Add("GET", path, [this](Request& r) {
    const json& s = Server(r, r.args[0]);
    json out = json::array();
    for (const json& b : s.at("bdms")) {
      if (!Text(b, "volume_id").empty()) out.push_back(ShowDisk(r, r.args[0], b));
    }
    return Response::Json(200, {{"volumeAttachments", out}});
  });
  router.Add("GET", path + "/{}", [this, find](Request& r) {
    return Response::Json(200, {{"volumeAttachment", ShowDisk(r, r.args[0], find(Server(r, r.args[0]), r.args[1]))}});
  });
  router.Add("POST", path, [this](Request& r) {
    json s = Server(r, r.args[0]);
    CheckLock(r, s);
    const json given = Member(r.content, "volumeAttachment");
    std::string volume = Text(given, "volumeId"), vm = Text(s, "vm_state");
    if (volume.empty())
      Fail(400, "Invalid input for field/attribute volumeAttachment. 'volumeId' is a required property");
    if (vm != "active" && vm != "stopped")
      Fail(409, fmt::format("Cannot 'attach_volume' instance {} while it is in vm_state {}", r.args[0], vm));
    CheckTask(s, "attach_volume");
    for (const json& b : s.at("bdms")) {
      if (Text(b, "volume_id") == volume) Fail(400, fmt::format("Invalid volume: volume {} already attached", volume));
    }
    std::string attachment = cinder_.ReserveForServer(r.identity, volume, r.args[0]);
    std::string device = Text(given, "device");
    for (char c = s.at("bdms").empty() && Text(s, "image_id").empty() ? 'a' : 'b'; device.empty() && c <= 'z'; ++c) {
      std::string name = std::string("/dev/vd") + c;
      if (std::none_of(s["bdms"].begin(), s["bdms"].end(), [&](const json& b) { return Text(b, "device") == name; }))
        device = name;
    }
    json disk = {{"bdm_id", NewUuid()},  {"boot_index", -1},
                 {"device", device},     {"tag", Member(given, "tag")},
                 {"state", "attaching"}, {"delete_on_termination", Truth(Member(given, "delete_on_termination"))},
                 {"volume_id", volume},  {"attachment_id", attachment},
                 {"create", nullptr}};
    s["bdms"].push_back(disk);
    Save(s);
    Start(r.args[0], "nova_attach");
    json out = ShowDisk(r, r.args[0], disk);
    if (!r.version.AtLeast(89)) out["id"] = volume;
    return Response::Json(200, {{"volumeAttachment", out}});
  });
  router.Add("PUT", path + "/{}", [this, find](Request& r) {
    json s = Server(r, r.args[0]);
    find(s, r.args[1]);
    const json given = Member(r.content, "volumeAttachment");
    if (Text(given, "volumeId") != r.args[1]) Fail(400, "Swapping volumes is not offered by this cloud");
    if (given.contains("delete_on_termination") && !r.version.AtLeast(85)) {
      Fail(400,
           "Invalid input for field/attribute volumeAttachment. Additional properties are not allowed "
           "('delete_on_termination' was unexpected)");
    }
    for (json& b : s["bdms"]) {
      if (Text(b, "volume_id") == r.args[1] && given.contains("delete_on_termination"))
        b["delete_on_termination"] = Truth(given.at("delete_on_termination"));
    }
    Save(s);
    return Response::Empty(202);
  });
  router.Add("DELETE", path + "/{}", [this, find](Request& r) {
    json s = Server(r, r.args[0]);
    CheckLock(r, s);
    json disk = find(s, r.args[1]);
    std::string vm = Text(s, "vm_state");
    if (vm != "active" && vm != "stopped")
      Fail(409, fmt::format("Cannot 'detach_volume' instance {} while it is in vm_state {}", r.args[0], vm));
    if (Number(disk, "boot_index", -1) == 0) Fail(400, "Cannot detach a root device volume");
    for (json& b : s["bdms"]) {
      if (Text(b, "volume_id") == r.args[1]) b["state"] = "detaching";
    }
    const json* v = site_.store.table("volumes").Find(r.args[1]);
    if (v != nullptr && Text(*v, "status") == "in-use") {
      json doc = *v;
      doc["status"] = "detaching";
      site_.store.table("volumes").Put(r.args[1], doc);
    }
    Save(s);
    Start(r.args[0], "nova_attach");
    return Response::Empty(202);
  });

  const std::string nics = "/v2.1/servers/{}/os-interface";
  router.Add("GET", nics, [this](Request& r) {
    json out = json::array();
    for (const json& nic : Server(r, r.args[0]).at("nics")) {
      const json* port = site_.store.table("ports").Find(Text(nic, "port_id"));
      if (port != nullptr) out.push_back(ShowNic(r, *port, Member(nic, "tag")));
    }
    return Response::Json(200, {{"interfaceAttachments", out}});
  });
  router.Add("GET", nics + "/{}", [this](Request& r) {
    for (const json& nic : Server(r, r.args[0]).at("nics")) {
      const json* port = site_.store.table("ports").Find(Text(nic, "port_id"));
      if (port != nullptr && Text(nic, "port_id") == r.args[1])
        return Response::Json(200, {{"interfaceAttachment", ShowNic(r, *port, Member(nic, "tag"))}});
    }
    Fail(404, fmt::format("Instance {} does not have a port with id {}", r.args[0], r.args[1]));
  });
  router.Add("POST", nics, [this](Request& r) {
    json s = Server(r, r.args[0]);
    CheckLock(r, s);
    CheckTask(s, "attach_interface");
    const json given = Member(r.content, "interfaceAttachment");
    std::string port_id = Text(given, "port_id");
    bool ours = port_id.empty();
    if (ours) {
      json port = {{"network_id", Member(given, "net_id")}};
      if (Member(given, "fixed_ips").is_array()) port["fixed_ips"] = given.at("fixed_ips");
      try {
        port_id = Text(neutron_.CreatePort(r.identity, port), "id");
      } catch (const ApiError& e) {
        Fail(e.status == 409 ? 409 : 400, e.message);
      }
    } else {
      const json* port = neutron_.FindPort(r.identity, port_id);
      if (port == nullptr) Fail(404, fmt::format("Port id {} could not be found.", port_id));
      if (!Text(*port, "device_id").empty()) Fail(400, fmt::format("Port {} is still in use.", port_id));
    }
    neutron_.BindPort(port_id, r.args[0], site_.ComputeHost(), Text(s, "az"));
    neutron_.SetPortStatus(port_id, "ACTIVE");
    const json& port = *site_.store.table("ports").Find(port_id);
    json nic = {
        {"network_id", port.at("network_id")}, {"port_id", port_id}, {"ours", ours}, {"tag", Member(given, "tag")}};
    s["nics"].push_back(nic);
    Save(s);
    return Response::Json(200, {{"interfaceAttachment", ShowNic(r, port, Member(nic, "tag"))}});
  });
  router.Add("DELETE", nics + "/{}", [this](Request& r) {
    json s = Server(r, r.args[0]);
    CheckLock(r, s);
    bool found = false;
    for (json& nic : s["nics"]) {
      if (Text(nic, "port_id") != r.args[1]) continue;
      nic["state"] = "detaching";
      found = true;
    }
    if (!found) Fail(404, fmt::format("Port id {} could not be found.", r.args[1]));
    Save(s);
    Start(r.args[0], "nova_attach");
    return Response::Empty(202);
  });
}

void Nova::AddMetadataRoutes(Router& router) {
  const std::string path = "/v2.1/servers/{}/metadata";
  router.Add("GET", path, [this](Request& r) {
    return Response::Json(200, {{"metadata", Server(r, r.args[0]).at("metadata")}});
  });
  auto set = [this](bool replace) {
    return [this, replace](Request& r) {
      json s = Server(r, r.args[0]);
      CheckLock(r, s);
      const json& given = r.content.at("metadata");
      for (const auto& [k, v] : given.items()) {
        if (!v.is_string() || k.size() > 255 || v.get<std::string>().size() > 255)
          Fail(400, "Invalid input for field/attribute metadata.");
      }
      if (replace)
        s["metadata"] = given;
      else
        s["metadata"].update(given);
      Save(s);
      return Response::Json(200, {{"metadata", s["metadata"]}});
    };
  };
  router.Add("POST", path, set(false));
  router.Add("PUT", path, set(true));
  router.Add("GET", path + "/{}", [this](Request& r) {
    const json& m = Server(r, r.args[0]).at("metadata");
    if (!m.contains(r.args[1])) Fail(404, "Metadata item was not found");
    return Response::Json(200, {{"meta", {{r.args[1], m.at(r.args[1])}}}});
  });
  router.Add("DELETE", path + "/{}", [this](Request& r) {
    json s = Server(r, r.args[0]);
    CheckLock(r, s);
    if (!s["metadata"].contains(r.args[1])) Fail(404, "Metadata item was not found");
    s["metadata"].erase(r.args[1]);
    Save(s);
    return Response::Empty(204);
  });
  const std::string tags = "/v2.1/servers/{}/tags";
  auto since_2_26 = [](const Request& r) {
    if (!r.version.AtLeast(26)) Fail(404, "The resource could not be found.");
  };
  router.Add("GET", tags, [this, since_2_26](Request& r) {
    since_2_26(r);
    return Response::Json(200, {{"tags", Server(r, r.args[0]).at("tags")}});
  });
  router.Add("PUT", tags, [this, since_2_26](Request& r) {
    since_2_26(r);
    json s = Server(r, r.args[0]);
    json list = r.content.at("tags");
    std::sort(list.begin(), list.end());
    s["tags"] = list;
    Save(s);
    return Response::Json(200, {{"tags", list}});
  });
  router.Add("DELETE", tags, [this, since_2_26](Request& r) {
    since_2_26(r);
    json s = Server(r, r.args[0]);
    s["tags"] = json::array();
    Save(s);
    return Response::Empty(204);
  });
  router.Add("PUT", tags + "/{}", [this, since_2_26](Request& r) {
    since_2_26(r);
    json s = Server(r, r.args[0]);
    bool there = std::find(s["tags"].begin(), s["tags"].end(), r.args[1]) != s["tags"].end();
    if (!there) s["tags"].push_back(r.args[1]);
    std::sort(s["tags"].begin(), s["tags"].end());
    Save(s);
    return Response::Empty(there ? 204 : 201);
  });
  router.Add("GET", tags + "/{}", [this, since_2_26](Request& r) {
    since_2_26(r);
    const json& list = Server(r, r.args[0]).at("tags");
    if (std::find(list.begin(), list.end(), r.args[1]) == list.end())
      Fail(404, fmt::format("Server {} has no tag '{}'", r.args[0], r.args[1]));
    return Response::Empty(204);
  });
  router.Add("DELETE", tags + "/{}", [this, since_2_26](Request& r) {
    since_2_26(r);
    json s = Server(r, r.args[0]);
    auto it = std::find(s["tags"].begin(), s["tags"].end(), r.args[1]);
    if (it == s["tags"].end()) Fail(404, fmt::format("Server {} has no tag '{}'", r.args[0], r.args[1]));
    s["tags"].erase(it);
    Save(s);
    return Response::Empty(204);
  });
}

}  // namespace protector::ossim
