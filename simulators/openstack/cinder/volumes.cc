// The routes of volumes and their actions.
#include <algorithm>

#include <fmt/format.h>

#include "simulators/openstack/cinder/cinder.h"
#include "simulators/openstack/core/util.h"

namespace protector::ossim {
namespace {

bool VolumePasses(const Request& r, const json& shown, const json& doc) {
  for (const auto& [key, value] : r.query) {
    if (key == "name" || key == "display_name") {
      if (Text(shown, "name") != value) return false;
    } else if (key == "name~") {
      if (Text(shown, "name").find(value) == std::string::npos) return false;
    } else if (key == "status" || key == "id" || key == "availability_zone" || key == "source_volid" ||
               key == "user_id") {
      if (Text(shown, key.c_str()) != value) return false;
    } else if (key == "bootable") {
      if (Truth(json(value)) != doc.at("bootable").get<bool>()) return false;
    } else if (key == "project_id") {
      if (r.identity.is_admin && Text(doc, "project_id") != value) return false;
    } else if (key == "metadata") {
      json wanted = json::parse(value, nullptr, false);
      if (wanted.is_discarded()) {  // {'key': 'value'} as clients send it
        std::string fixed = value;
        std::replace(fixed.begin(), fixed.end(), '\'', '"');
        wanted = json::parse(fixed, nullptr, false);
      }
      if (!wanted.is_object()) return false;
      for (const auto& [k, v] : wanted.items()) {
        if (Member(doc.at("metadata"), k.c_str()) != v) return false;
      }
    }
  }
  return true;
}

}  // namespace

Response Cinder::ListVolumes(Request& r, bool detail) {
  bool all = r.identity.is_admin && (Truth(json(r.Query("all_tenants"))) || r.HasQuery("project_id"));
  int64_t limit = r.HasQuery("limit") ? std::atoll(r.Query("limit").c_str()) : 1000;
  int64_t offset = std::atoll(r.Query("offset", "0").c_str());
  if (r.HasQuery("limit") && limit < 0) Fail(400, "limit param must be an integer or zero or greater");
  limit = std::min<int64_t>(limit, 1000);  // osapi_max_limit
  std::string marker = r.Query("marker");
  if (!marker.empty() && FindVolume(r.identity, marker) == nullptr)
    Fail(404, fmt::format("Volume {} could not be found.", marker));
  bool past = marker.empty(), more = false;
  json out = json::array();
  int64_t total = 0;
  bool with_count = r.version.AtLeast(45) && Truth(json(r.Query("with_count")));
  std::string base = site_.config.Url("cinder");
  auto visit = [&](const std::string& id, const json& doc) {
    if (!all && Text(doc, "project_id") != r.identity.project_id) return;
    json shown = ShowVolume(r, doc);
    if (!VolumePasses(r, shown, doc)) return;
    ++total;
    if (!past) {
      past = id == marker;
      return;
    }
    if (offset > 0) {
      --offset;
      return;
    }
    if (static_cast<int64_t>(out.size()) >= limit) {
      more = true;
      return;
    }
    out.push_back(detail ? shown : json{{"id", id}, {"name", shown.at("name")}, {"links", shown.at("links")}});
  };
  std::string sort = r.Query("sort", r.Query("sort_key"));
  bool ascending = sort.find(":asc") != std::string::npos || r.Query("sort_dir") == "asc";
  if (ascending) {
    site_.store.table("volumes").Each(visit);
  } else {
    site_.store.table("volumes").EachNewest(visit);  // created_at, newest first
  }
  json body = {{"volumes", out}};
  if (more && !out.empty()) {
    body["volumes_links"] = {
        {{"rel", "next"},
         {"href", fmt::format("{}{}?limit={}&marker={}", base, r.path, limit, Text(out.back(), "id"))}}};
  }
  if (with_count) body["count"] = total;
  return Response::Json(200, body);
}

void Cinder::CheckDeletable(const json& volume, bool force) {
  static const std::set<std::string> fine = {"available", "error", "error_restoring", "error_extending",
                                             "error_managing"};
  std::string id = Text(volume, "id");
  bool ok = force || fine.count(Text(volume, "status")) > 0;
  ok = ok && site_.store.table("attachments").Where("volume_id", id).empty() &&
       site_.store.table("snapshots").Where("volume_id", id).empty();
  if (!ok) {
    Fail(400,
         "Invalid volume: Volume status must be available or error or error_restoring or error_extending or "
         "error_managing and must not "
         "be migrating, attached, belong to a group, have snapshots, awaiting a transfer, or be disassociated from "
         "snapshots after "
         "volume transfer.");
  }
}

void Cinder::DeleteVolume(const Identity& who, const std::string& id, bool force) {
  const json* found = FindVolume(who, id);
  if (found == nullptr) Fail(404, fmt::format("Volume {} could not be found.", id));
  CheckDeletable(*found, force);
  json doc = *found;
  doc["status"] = "deleting";
  doc["updated_at"] = IsoMicros(NowMs());
  site_.store.table("volumes").Put(id, doc);
  Start(id);
}

void Cinder::Unmanage(Request& r, const json& volume) {
  Require(r, "volume_extension:volume_unmanage", MayManage(r));
  std::string id = Text(volume, "id");
  CheckDeletable(volume, false);
  json doc = volume;
  doc["status"] = "unmanaging";
  site_.store.table("volumes").Put(id, doc);
  Start(id);
}

Response Cinder::Action(Request& r) {
  json doc = Volume(r, r.args[0]);
  std::string id = r.args[0], status = Text(doc, "status");
  if (!r.content.is_object() || r.content.empty()) Fail(400, "There is no such action: None");
  std::string action = r.content.begin().key();
  const json given = r.content.begin().value();
  Table& volumes = site_.store.table("volumes");
  auto save = [&] {
    doc["updated_at"] = IsoMicros(NowMs());
    volumes.Put(id, doc);
  };
  if (action == "os-set_bootable") {
    doc["bootable"] = Truth(Member(given, "bootable"));
    save();
    return Response::Empty(200);
  }
  if (action == "os-set_image_metadata") {
    const json metadata = Member(given, "metadata");
    if (!metadata.is_object()) Fail(400, "Invalid input for field/attribute os-set_image_metadata.");
    doc["image_metadata"].update(metadata);
    save();
    return Response::Json(200, {{"metadata", doc["image_metadata"]}});
  }
  if (action == "os-show_image_metadata") return Response::Json(200, {{"metadata", doc["image_metadata"]}});
  if (action == "os-unset_image_metadata") {
    if (!doc["image_metadata"].contains(Text(given, "key"))) Fail(404, "Metadata item was not found");
    doc["image_metadata"].erase(Text(given, "key"));
    save();
    return Response::Empty(200);
  }
  if (action == "os-extend") {
    int64_t size = Number(given, "new_size");
    bool in_use = status == "in-use" && r.version.AtLeast(42);
    if (status != "available" && !in_use) {
      Fail(400, fmt::format("Invalid volume: Volume {} status must be '{}' to extend, currently {}.", id,
                            r.version.AtLeast(42) ? "available or in-use" : "available", status));
    }
    if (size <= Number(doc, "size")) {
      Fail(400, fmt::format("Invalid input received: New size for extend must be greater than current size. (current: "
                            "{}, extended: {}).",
                            Number(doc, "size"), size));
    }
    CheckQuota(Text(doc, "project_id"), 0, size - Number(doc, "size"), 0);
    doc.update({{"status", "extending"}, {"previous_status", status}, {"new_size", size}});
    save();
    Start(id);
    return Response::Empty(202);
  }
  if (action == "os-reset_status") {
    Require(r, "volume_extension:volume_admin_actions:reset_status", r.identity.is_admin);
    std::string to = Text(given, "status");
    if (!to.empty()) doc["status"] = to;
    if (Text(given, "attach_status") == "detached") {
      for (const std::string& a : site_.store.table("attachments").Where("volume_id", id))
        site_.store.table("attachments").Erase(a);
    }
    save();
    return Response::Empty(202);
  }
  if (action == "os-force_delete") {
    Require(r, "volume_extension:volume_admin_actions:force_delete", r.identity.is_admin);
    for (const std::string& a : site_.store.table("attachments").Where("volume_id", id))
      site_.store.table("attachments").Erase(a);
    DeleteVolume(r.identity, id, true);
    return Response::Empty(202);
  }
  if (action == "os-unmanage") {
    Unmanage(r, doc);
    return Response::Empty(202);
  }
  if (action == "os-reserve" || action == "os-unreserve" || action == "os-begin_detaching" ||
      action == "os-roll_detaching") {
    static const std::map<std::string, std::pair<std::string, std::string>> moves = {
        {"os-reserve", {"available", "attaching"}},
        {"os-unreserve", {"attaching", "available"}},
        {"os-begin_detaching", {"in-use", "detaching"}},
        {"os-roll_detaching", {"detaching", "in-use"}}};
    auto [from, to] = moves.at(action);
    if (status != from)
      Fail(400, fmt::format("Invalid volume: Volume status must be {} to {}. Currently in {}", from, action.substr(3),
                            status));
    doc["status"] = to;
    save();
    return Response::Empty(202);
  }
  if (action == "os-retype") {
    doc["volume_type_id"] = TypeId({{"volume_type", Text(given, "new_type")}});
    if (status != "available")
      Fail(400, fmt::format("Invalid volume: Retype needs volume to be in available or in-use state, not be part of an "
                            "active migration"));
    doc["replication_status"] = Replicated(doc) ? json("enabled") : json();
    save();
    return Response::Empty(202);
  }
  if (action == "os-update_readonly_flag") {
    doc["metadata"]["readonly"] = Truth(Member(given, "readonly")) ? "True" : "False";
    save();
    return Response::Empty(202);
  }
  Fail(400, fmt::format("There is no such action: {}. Verify the request body and Content-Type header and try again.",
                        action));
}

Response Cinder::Manage(Request& r) {
  Require(r, "volume_extension:volume_manage", MayManage(r));
  const json given = Member(r.content, "volume");
  if (!given.is_object())
    Fail(400, "Invalid input for field/attribute volume. Value: None. None is not of type 'object'");
  std::string host = Text(given, "host");
  if (host.empty() && Text(given, "cluster").empty()) Fail(400, "Either host or cluster must be specified.");
  const json ref = Member(given, "ref");
  if (!ref.is_object()) Fail(400, "Invalid input for field/attribute volume. 'ref' is a required property");
  std::string known = site_.VolumeHost();
  if (host.substr(0, host.find('#')) != known.substr(0, known.find('#')))
    Fail(400, fmt::format("Host '{}' not found", host));
  std::string type_id = TypeId(given);
  CheckQuota(r.identity.project_id, 1, 0, 0);
  json doc = NewVolume(r.identity, given, type_id);
  doc.update(
      {{"status", "managing"}, {"manage_ref", ref}, {"bootable", Truth(Member(given, "bootable"))}, {"host", host}});
  const json metadata = Member(given, "metadata");
  if (metadata.is_object()) doc["metadata"] = metadata;  // shown until the driver's answer replaces it
  std::string wanted = Text(ref, "source-name", Text(ref, "name"));
  if (!wanted.empty() && !site_.store.table("volumes").Where("provider_id", wanted).empty())
    Fail(400, fmt::format("Unable to manage existing volume. Volume {} already managed.", wanted));
  site_.store.table("volumes").Put(Text(doc, "id"), doc);
  Start(Text(doc, "id"));
  json shown = ShowChanged(r, doc);
  for (const char* key : {"group_id", "provider_id", "service_uuid", "shared_targets"}) shown.erase(key);
  return Response::Json(202, {{"volume", shown}});
}

Response Cinder::Manageable(Request& r, bool detail) {
  std::string known = site_.VolumeHost();
  {
    Store::Lock lock(site_.store);
    Require(r, "volume_extension:list_manageable", r.identity.is_admin);
    std::string host = r.Query("host");
    if (host.empty()) Fail(400, "Either host or cluster must be specified.");
    if (host.substr(0, host.find('#')) != known.substr(0, known.find('#')))
      Fail(400, fmt::format("Host '{}' not found", host));
  }
  auto volumes = array_.ListVolumes();
  if (!volumes.ok()) Fail(500, "The array does not answer: " + std::string(volumes.status().message()));
  Store::Lock lock(site_.store);
  std::map<std::string, std::string> ids;
  site_.store.table("volumes").Each([&](const std::string& id, const json& v) { ids[Text(v, "provider_id")] = id; });
  json out = json::array();
  for (const ArrayVolume& v : *volumes) {
    auto it = ids.find(v.name);
    json entry = {
        {"reference", {{"name", v.name}}}, {"size", (v.bytes + (1LL << 30) - 1) >> 30}, {"safe_to_manage", true}};
    json why;
    if (it != ids.end())
      why = "Volume already managed";
    else if (v.connections > 0)
      why = fmt::format("Volume connected to host");
    entry["safe_to_manage"] = why.is_null();
    if (detail)
      entry.update({{"reason_not_safe", why},
                    {"cinder_id", it == ids.end() ? json() : json(it->second)},
                    {"extra_info", nullptr}});
    out.push_back(std::move(entry));
  }
  return Response::Json(200, {{"manageable-volumes", out}});
}

void Cinder::AddVolumeRoutes(Router& router) {
  router.Add("GET", "/v3/volumes", [this](Request& r) { return ListVolumes(r, false); });
  router.Add("GET", "/v3/volumes/detail", [this](Request& r) { return ListVolumes(r, true); });
  router.Add("GET", "/v3/volumes/summary", [this](Request& r) {
    int64_t n = 0, gb = 0;
    for (const std::string& id : site_.store.table("volumes").Where("project_id", r.identity.project_id)) {
      ++n;
      gb += Number(*site_.store.table("volumes").Find(id), "size");
    }
    return Response::Json(200,
                          {{"volume-summary", {{"total_count", n}, {"total_size", gb}, {"metadata", json::object()}}}});
  });
  router.Add("POST", "/v3/volumes", [this](Request& r) {
    return Response::Json(202, {{"volume", ShowChanged(r, CreateVolume(r.identity, Member(r.content, "volume")))}});
  });
  router.Add("GET", "/v3/volumes/{}", [this](Request& r) {
    return Response::Json(200, {{"volume", ShowVolume(r, Volume(r, r.args[0]))}});
  });
  router.Add("PUT", "/v3/volumes/{}", [this](Request& r) {
    json doc = Volume(r, r.args[0]);
    const json given = Member(r.content, "volume");
    if (!given.is_object() || given.empty()) Fail(400, "Missing required element 'volume' in request body.");
    for (const char* key : {"name", "description"}) {
      if (given.contains(key)) doc[key] = given.at(key);
    }
    if (Member(given, "metadata").is_object()) doc["metadata"] = given.at("metadata");
    doc["updated_at"] = IsoMicros(NowMs());
    site_.store.table("volumes").Put(r.args[0], doc);
    return Response::Json(200, {{"volume", ShowChanged(r, doc)}});
  });
  router.Add("DELETE", "/v3/volumes/{}", [this](Request& r) {
    bool force = Truth(json(r.Query("force", "false")));
    if (force) Require(r, "volume:force_delete", r.identity.is_admin);
    DeleteVolume(r.identity, r.args[0], force);
    return Response::Empty(202);
  });
  router.Add("POST", "/v3/volumes/{}/action", [this](Request& r) { return Action(r); });

  auto metadata = [this](bool replace) {
    return [this, replace](Request& r) {
      json doc = Volume(r, r.args[0]);
      const json given = Member(r.content, "metadata");
      if (!given.is_object()) Fail(400, "Invalid input for field/attribute metadata.");
      if (replace)
        doc["metadata"] = given;
      else
        doc["metadata"].update(given);
      doc["updated_at"] = IsoMicros(NowMs());
      site_.store.table("volumes").Put(r.args[0], doc);
      return Response::Json(200, {{"metadata", doc["metadata"]}});
    };
  };
  router.Add("GET", "/v3/volumes/{}/metadata", [this](Request& r) {
    return Response::Json(200, {{"metadata", Volume(r, r.args[0]).at("metadata")}});
  });
  router.Add("POST", "/v3/volumes/{}/metadata", metadata(false));
  router.Add("PUT", "/v3/volumes/{}/metadata", metadata(true));
  router.Add("DELETE", "/v3/volumes/{}/metadata/{}", [this](Request& r) {
    json doc = Volume(r, r.args[0]);
    if (!doc["metadata"].contains(r.args[1]))
      Fail(404, fmt::format("Volume {} has no metadata with key {}.", r.args[0], r.args[1]));
    doc["metadata"].erase(r.args[1]);
    site_.store.table("volumes").Put(r.args[0], doc);
    return Response::Empty(200);
  });

  router.Add("POST", "/v3/os-volume-manage", [this](Request& r) { return Manage(r); });
  auto since_3_8 = [](Request& r) {
    if (!r.version.AtLeast(8)) Fail(404, "The resource could not be found.");
  };
  router.Add("POST", "/v3/manageable_volumes", [this, since_3_8](Request& r) {
    since_3_8(r);
    return Manage(r);
  });
  router
      .Add("GET", "/v3/manageable_volumes",
           [this, since_3_8](Request& r) {
             since_3_8(r);
             return Manageable(r, false);
           })
      .locked = false;
  router
      .Add("GET", "/v3/manageable_volumes/detail",
           [this, since_3_8](Request& r) {
             since_3_8(r);
             return Manageable(r, true);
           })
      .locked = false;
  router.Add("GET", "/v3/os-volume-manage", [this](Request& r) { return Manageable(r, false); }).locked = false;
}

}  // namespace protector::ossim
