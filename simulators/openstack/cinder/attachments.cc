// Attachments: records of which server uses a volume, and the array connection that goes with them.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "simulators/openstack/cinder/cinder.h"
#include "simulators/openstack/core/util.h"

namespace protector::ossim {

void Cinder::RefreshAttachState(const std::string& volume_id) {
  const json* v = site_.store.table("volumes").Find(volume_id);
  if (v == nullptr) return;
  static const std::set<std::string> follows = {"available", "reserved", "attaching", "in-use", "detaching"};
  if (follows.count(Text(*v, "status")) == 0) return;
  std::string status = "available";
  for (const std::string& id : site_.store.table("attachments").Where("volume_id", volume_id)) {
    std::string a = Text(*site_.store.table("attachments").Find(id), "status");
    if (a == "attached" || a == "detaching")
      status = a == "attached" ? "in-use" : (status == "in-use" ? status : "detaching");
    else if (status == "available")
      status = a;  // reserved, attaching
  }
  if (Text(*v, "status") == status) return;
  json doc = *v;
  doc["status"] = status;
  doc["updated_at"] = IsoMicros(NowMs());
  site_.store.table("volumes").Put(volume_id, doc);
}

std::string Cinder::ReserveForServer(const Identity& who, const std::string& volume_id, const std::string& server_id) {
  const json* v = FindVolume(who, volume_id);
  if (v == nullptr) Fail(404, fmt::format("Volume {} could not be found.", volume_id));
  std::string status = Text(*v, "status");
  if (status != "available" && !(status == "in-use" && v->at("multiattach").get<bool>())) {
    Fail(400, fmt::format("Invalid volume: volume '{}' status must be 'available'. Currently in '{}' status.",
                          volume_id, status));
  }
  std::string id = NewUuid();
  site_.store.table("attachments")
      .Put(id, {{"id", id},
                {"volume_id", volume_id},
                {"server_id", server_id},
                {"status", "reserved"},
                {"mountpoint", nullptr},
                {"host", nullptr},
                {"attached_at", ""},
                {"detached_at", ""},
                {"project_id", v->at("project_id")},
                {"attach_mode", "rw"}});
  RefreshAttachState(volume_id);
  return id;
}

absl::Status Cinder::ConnectAttachment(const std::string& attachment_id, const std::string& mountpoint) {
  std::string volume_id, name;
  json attachment;
  {
    Store::Lock lock(site_.store);
    const json* a = site_.store.table("attachments").Find(attachment_id);
    if (a == nullptr) return absl::NotFoundError("the attachment is gone");
    attachment = *a;
    volume_id = Text(*a, "volume_id");
    const json* v = site_.store.table("volumes").Find(volume_id);
    if (v == nullptr) return absl::NotFoundError("the volume is gone");
    if (site_.faults.Behaves("attach_error", Text(*v, "name"), volume_id))
      return absl::InternalError("injected attach error");
    name = ArrayVolumeName(*v);
  }
  absl::Status s = array_.Connect(site_.ComputeHost(), site_.Initiator(), name);
  if (!s.ok()) {
    spdlog::warn("volume {} could not be connected: {}", volume_id, std::string(s.message()));
    return s;
  }
  Store::Lock lock(site_.store);
  if (!site_.store.table("attachments").Has(attachment_id)) return absl::NotFoundError("the attachment is gone");
  attachment.update({{"status", "attached"},
                     {"mountpoint", mountpoint},
                     {"host", site_.ComputeHost()},
                     {"attached_at", IsoMicros(NowMs())}});
  site_.store.table("attachments").Put(attachment_id, attachment);
  RefreshAttachState(volume_id);
  return absl::OkStatus();
}

absl::Status Cinder::RemoveAttachment(const std::string& attachment_id) {
  std::string volume_id, name;
  bool connected = false;
  {
    Store::Lock lock(site_.store);
    const json* a = site_.store.table("attachments").Find(attachment_id);
    if (a == nullptr) return absl::OkStatus();
    volume_id = Text(*a, "volume_id");
    connected = Text(*a, "status") == "attached";
    const json* v = site_.store.table("volumes").Find(volume_id);
    if (v != nullptr) name = ArrayVolumeName(*v);
    for (const std::string& other : site_.store.table("attachments").Where("volume_id", volume_id)) {
      // One compute host: the connection stays while another server of it uses the volume.
      if (other != attachment_id && Text(*site_.store.table("attachments").Find(other), "status") == "attached")
        connected = false;
    }
  }
  if (connected && !name.empty()) {
    absl::Status s = array_.Disconnect(site_.Initiator(), name);
    if (!s.ok() && !absl::IsNotFound(s)) {
      spdlog::warn("volume {} could not be disconnected: {}", volume_id, std::string(s.message()));
      return s;
    }
  }
  Store::Lock lock(site_.store);
  ForgetAttachment(attachment_id);
  return absl::OkStatus();
}

void Cinder::ForgetAttachment(const std::string& attachment_id) {
  const json* a = site_.store.table("attachments").Find(attachment_id);
  if (a == nullptr) return;
  std::string volume_id = Text(*a, "volume_id");
  site_.store.table("attachments").Erase(attachment_id);
  RefreshAttachState(volume_id);
}

json Cinder::ShowAttachment(const json& a, bool full) {
  json out = {{"id", a.at("id")},
              {"instance", a.at("server_id")},
              {"volume_id", a.at("volume_id")},
              {"status", a.at("status")}};
  if (full) {
    out.update({{"attached_at", a.at("attached_at")},
                {"detached_at", a.at("detached_at")},
                {"attach_mode", a.at("attach_mode")},
                {"connection_info", json::object()}});
    if (Text(a, "status") == "attached" || Text(a, "status") == "attaching") {
      out["connection_info"] = {{"driver_volume_type", "iscsi"},
                                {"attachment_id", a.at("id")},
                                {"access_mode", "rw"},
                                {"target_discovered", false}};
    }
  }
  return out;
}

void Cinder::AddAttachmentRoutes(Router& router) {
  auto since = [](const Request& r) {
    if (!r.version.AtLeast(27)) Fail(404, "The resource could not be found.");
  };
  auto find = [this, since](const Request& r, const std::string& id) -> const json& {
    since(r);
    const json* a = site_.store.table("attachments").Find(id);
    if (a == nullptr || (!r.identity.is_admin && Text(*a, "project_id") != r.identity.project_id)) {
      Fail(404, fmt::format("Volume attachment could not be found with filter: attachment_id = {}.", id));
    }
    return *a;
  };
  auto list = [this, since](bool full) {
    return [this, since, full](Request& r) {
      since(r);
      bool all = r.identity.is_admin && Truth(json(r.Query("all_tenants")));
      json out = json::array();
      site_.store.table("attachments").Each([&](const std::string&, const json& a) {
        if (!all && Text(a, "project_id") != r.identity.project_id) return;
        if (r.HasQuery("volume_id") && Text(a, "volume_id") != r.Query("volume_id")) return;
        if (r.HasQuery("instance_id") && Text(a, "server_id") != r.Query("instance_id")) return;
        out.push_back(ShowAttachment(a, full));
      });
      return Response::Json(200, {{"attachments", out}});
    };
  };
  router.Add("GET", "/v3/attachments", list(false));
  router.Add("GET", "/v3/attachments/detail", list(true));
  router.Add("GET", "/v3/attachments/{}", [this, find](Request& r) {
    return Response::Json(200, {{"attachment", ShowAttachment(find(r, r.args[0]), true)}});
  });
  router.Add("POST", "/v3/attachments", [this, since](Request& r) {
    since(r);
    const json given = Member(r.content, "attachment");
    std::string id = ReserveForServer(r.identity, Text(given, "volume_uuid"), Text(given, "instance_uuid"));
    return Response::Json(200, {{"attachment", ShowAttachment(*site_.store.table("attachments").Find(id), true)}});
  });
  router
      .Add("PUT", "/v3/attachments/{}",
           [this, find](Request& r) {
             std::string mountpoint;
             {
               Store::Lock lock(site_.store);
               find(r, r.args[0]);
               const json connector = Member(Member(r.content, "attachment"), "connector");
               if (!connector.is_object() || connector.empty())
                 Fail(400, "Invalid input for field/attribute attachment. 'connector' is a required property");
               mountpoint = Text(connector, "mountpoint", "/dev/vda");
             }
             absl::Status s = ConnectAttachment(r.args[0], mountpoint);
             if (!s.ok()) Fail(500, std::string(s.message()));
             Store::Lock lock(site_.store);
             return Response::Json(200, {{"attachment", ShowAttachment(find(r, r.args[0]), true)}});
           })
      .locked = false;
  router.Add("POST", "/v3/attachments/{}/action", [find](Request& r) {
    find(r, r.args[0]);
    if (!r.version.AtLeast(44) || !r.content.contains("os-complete")) Fail(400, "There is no such action");
    return Response::Empty(204);  // the connection is complete when PUT has answered
  });
  router
      .Add("DELETE", "/v3/attachments/{}",
           [this, find](Request& r) {
             std::string server;
             {
               Store::Lock lock(site_.store);
               const json& a = find(r, r.args[0]);
               server = Text(a, "server_id");
               const json* s = site_.store.table("servers").Find(server);
               if (s != nullptr && !r.identity.Has("service")) {
                 // The guard of CVE-2023-2088: what a server uses is detached through Nova.
                 throw ApiError{
                     409, fmt::format("Detach volume from instance {} using the Compute API", server), "", {}};
               }
             }
             absl::Status s = RemoveAttachment(r.args[0]);
             if (!s.ok()) Fail(500, std::string(s.message()));
             return Response::Json(200, {{"attachments", json::array()}});
           })
      .locked = false;
}

}  // namespace protector::ossim
