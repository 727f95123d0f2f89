#include "simulators/openstack/cinder/cinder.h"

#include <fmt/format.h>

#include "simulators/openstack/core/quota.h"
#include "simulators/openstack/core/util.h"

namespace protector::ossim {
namespace {

const char* FaultName(int status) {
  switch (status) {
    case 400:
      return "badRequest";
    case 401:
      return "unauthorized";
    case 403:
      return "forbidden";
    case 404:
      return "itemNotFound";
    case 405:
      return "badMethod";
    case 409:
      return "conflictingRequest";
    case 413:
      return "overLimit";
    case 415:
      return "badMediaType";
    case 429:
      return "overLimit";
    case 501:
      return "notImplemented";
    case 503:
      return "serviceUnavailable";
    default:
      return "computeFault";
  }
}

}  // namespace

std::unique_ptr<Service> Cinder::Build() {
  auto service = std::make_unique<Service>();
  service->name = "cinder";
  service->has_latency_per_method = true;
  service->error = [](const ApiError& e) {
    Response r = Response::Json(e.status, {{FaultName(e.status), {{"code", e.status}, {"message", e.message}}}});
    r.headers = e.headers;
    if (e.status == 413) r.headers.emplace_back("Retry-After", "0");
    return r;
  };
  service->negotiate = [](Request& r) { r.version = NegotiateMicroversion(r, "volume", "", {3, 0}, {3, 70}); };
  service->decorate = [](const Request& request, Response& r) {
    if (r.status == 202 && r.body.is_null()) r.content_type = "text/html; charset=UTF-8";  // as webob says of nothing
    r.headers.emplace_back("x-compute-request-id", request.request_id);
    if (request.version.major == 0) return;
    r.headers.emplace_back("OpenStack-API-Version",
                           fmt::format("volume {}.{}", request.version.major, request.version.minor));
    r.headers.emplace_back("Vary", "OpenStack-API-Version");
  };
  // /v3/{project}/volumes and /v3/volumes are the same thing; a foreign project in the path is refused.
  service->rewrite = [](std::vector<std::string>& segments, Request& r) {
    if (segments.size() > 1 && segments[0] == "v3" && LooksLikeUuid(segments[1])) {
      r.headers["-project"] = segments[1];
      segments.erase(segments.begin() + 1);
    }
  };
  service->authorised = [](Request& r) {
    std::string project = r.Header("-project");
    if (!project.empty() && project != r.identity.project_id) Fail(400, "Malformed request url");
  };
  auto version = [this] {
    return json{
        {"id", "v3.0"},
        {"status", "CURRENT"},
        {"version", "3.70"},
        {"min_version", "3.0"},
        {"updated", "2022-08-31T00:00:00Z"},
        {"links",
         {{{"rel", "describedby"}, {"type", "text/html"}, {"href", "https://docs.openstack.org/"}},
          {{"rel", "self"}, {"href", site_.config.Url("cinder") + "/v3/"}}}},
        {"media-types", {{{"base", "application/json"}, {"type", "application/vnd.openstack.volume+json;version=3"}}}}};
  };
  service->router
      .Add("GET", "/",
           [version](Request&) {
             return Response::Json(300, {{"versions", json::array({version()})}});
           })
      .needs_token = false;
  service->router
      .Add("GET", "/v3",
           [version](Request&) {
             return Response::Json(200, {{"versions", json::array({version()})}});
           })
      .needs_token = false;
  AddVolumeRoutes(service->router);
  AddTypeRoutes(service->router);
  AddSnapshotRoutes(service->router);
  AddAttachmentRoutes(service->router);
  AddServiceRoutes(service->router);
  return service;
}

void Cinder::Seed() {
  auto add = [&](const std::string& name, const json& description, const json& specs) {
    std::string id = NewUuid();
    site_.store.table("volume_types")
        .Put(id,
             {{"id", id}, {"name", name}, {"description", description}, {"is_public", true}, {"extra_specs", specs}});
  };
  add("__DEFAULT__", "Default Volume Type", json::object());
  for (const json& t : site_.seed.at("volume_types"))
    add(Text(t, "name"), Member(t, "description"), t.value("extra_specs", json::object()));
}

void Cinder::Resume() {
  Store::Lock lock(site_.store);
  site_.store.table("volumes").Each([&](const std::string& id, const json&) { Start(id); });
  site_.store.table("snapshots").Each([&](const std::string& id, const json&) { StartSnapshot(id); });
}

void Cinder::Require(const Request&, const std::string& rule, bool allowed) {
  if (!allowed) Fail(403, fmt::format("Policy doesn't allow {} to be performed.", rule));
}

bool Cinder::MayManage(const Request& r) {
  return r.identity.is_admin || (r.identity.Has("member") &&
                                 Setting(site_, "policy").value("member_may_manage", site_.config.member_may_manage));
}

const json* Cinder::FindVolume(const Identity& who, const std::string& id) {
  const json* v = site_.store.table("volumes").Find(id);
  return v == nullptr || (!who.is_admin && Text(*v, "project_id") != who.project_id) ? nullptr : v;
}

const json& Cinder::Volume(const Request& r, const std::string& id) {
  const json* v = FindVolume(r.identity, id);
  if (v == nullptr) Fail(404, fmt::format("Volume {} could not be found.", id));
  return *v;
}

std::string Cinder::TypeId(const json& given) {
  std::string wanted = Text(given, "volume_type");
  if (wanted.empty()) wanted = "__DEFAULT__";
  Table& types = site_.store.table("volume_types");
  if (types.Has(wanted)) return wanted;
  std::string found;
  types.Each([&](const std::string& id, const json& t) {
    if (Text(t, "name") == wanted) found = id;
  });
  if (found.empty()) Fail(404, fmt::format("Volume type with name {} could not be found.", wanted));
  return found;
}

void Cinder::CheckQuota(const std::string& project, int64_t volumes, int64_t gigabytes, int64_t snapshots) {
  int64_t max_volumes = QuotaLimit(site_, "cinder", project, "volumes");
  int64_t max_gigabytes = QuotaLimit(site_, "cinder", project, "gigabytes");
  int64_t max_snapshots = QuotaLimit(site_, "cinder", project, "snapshots");
  if (max_volumes < 0 && max_gigabytes < 0 && max_snapshots < 0) return;
  int64_t used = 0, used_gb = 0, used_snapshots = 0;
  for (const std::string& id : site_.store.table("volumes").Where("project_id", project)) {
    ++used;
    used_gb += Number(*site_.store.table("volumes").Find(id), "size");
  }
  for (const std::string& id : site_.store.table("snapshots").Where("project_id", project)) {
    ++used_snapshots;
    used_gb += Number(*site_.store.table("snapshots").Find(id), "size");
  }
  if (volumes > 0 && max_volumes >= 0 && used + volumes > max_volumes) {
    Fail(413, fmt::format("VolumeLimitExceeded: Maximum number of volumes allowed ({}) exceeded for quota 'volumes'.",
                          max_volumes));
  }
  if (snapshots > 0 && max_snapshots >= 0 && used_snapshots + snapshots > max_snapshots) {
    Fail(413, fmt::format("SnapshotLimitExceeded: Maximum number of snapshots allowed ({}) exceeded", max_snapshots));
  }
  if (gigabytes > 0 && max_gigabytes >= 0 && used_gb + gigabytes > max_gigabytes) {
    Fail(413, fmt::format("VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed gigabytes "
                          "quota. Requested {}G, "
                          "quota is {}G and {}G has been consumed.",
                          gigabytes, max_gigabytes, used_gb));
  }
}

// The answers to changes: without what extensions add to the showing of a volume.
json Cinder::ShowChanged(const Request& r, const json& v) {
  json out = ShowVolume(r, v);
  for (const char* key : {"os-vol-tenant-attr:tenant_id", "os-vol-host-attr:host", "os-vol-mig-status-attr:migstat",
                          "os-vol-mig-status-attr:name_id"}) {
    out.erase(key);
  }
  return out;
}

json Cinder::ShowVolume(const Request& r, const json& v) {
  std::string id = Text(v, "id"), status = Text(v, "status");
  // The API does not show these inner states (the version that callers rely on).
  if (status == "managing") status = "creating";
  if (status == "error_managing" || status == "error_managing_deleting")
    status = status == "error_managing" ? "error" : "deleting";
  json attachments = json::array();
  for (const std::string& aid : site_.store.table("attachments").Where("volume_id", id)) {
    const json& a = *site_.store.table("attachments").Find(aid);
    if (Text(a, "status") != "attached") continue;
    attachments.push_back({{"id", id},
                           {"attachment_id", aid},
                           {"volume_id", id},
                           {"server_id", a.at("server_id")},
                           {"host_name", r.identity.is_admin ? a.at("host") : json()},
                           {"device", a.at("mountpoint")},
                           {"attached_at", a.at("attached_at")}});
  }
  const json* type = site_.store.table("volume_types").Find(Text(v, "volume_type_id"));
  std::string base = site_.config.Url("cinder");
  json out = {{"id", id},
              {"status", status},
              {"size", v.at("size")},
              {"availability_zone", v.at("availability_zone")},
              {"created_at", v.at("created_at")},
              {"updated_at", v.at("updated_at")},
              {"attachments", attachments},
              {"name", v.at("name")},
              {"description", v.at("description")},
              {"volume_type", type == nullptr ? json() : type->at("name")},
              {"snapshot_id", v.at("snapshot_id")},
              {"source_volid", v.at("source_volid")},
              {"metadata", v.at("metadata")},
              {"links",
               {{{"rel", "self"}, {"href", fmt::format("{}/v3/{}/volumes/{}", base, r.identity.project_id, id)}},
                {{"rel", "bookmark"}, {"href", fmt::format("{}/{}/volumes/{}", base, r.identity.project_id, id)}}}},
              {"user_id", v.at("user_id")},
              {"bootable", v.at("bootable").get<bool>() && !(Text(v, "status") == "creating") ? "true" : "false"},
              {"encrypted", false},
              {"replication_status", v.at("replication_status")},
              {"consistencygroup_id", nullptr},
              {"multiattach", v.at("multiattach")},
              {"os-vol-tenant-attr:tenant_id", v.at("project_id")}};
  if (!v.at("image_metadata").empty() && Text(v, "status") != "creating")
    out["volume_image_metadata"] = v.at("image_metadata");
  if (r.identity.is_admin) {
    out.update({{"migration_status", nullptr},
                {"os-vol-host-attr:host", v.at("host")},
                {"os-vol-mig-status-attr:migstat", nullptr},
                {"os-vol-mig-status-attr:name_id", nullptr}});
    if (r.version.AtLeast(21)) out["provider_id"] = v.at("provider_id");
    if (r.version.AtLeast(61)) out["cluster_name"] = nullptr;
  }
  if (r.version.AtLeast(13)) out["group_id"] = nullptr;
  if (r.version.AtLeast(48)) {
    out["service_uuid"] = v.at("service_uuid");
    out["shared_targets"] = r.version.AtLeast(69) ? json() : json(true);
  }
  if (r.version.AtLeast(63)) out["volume_type_id"] = v.at("volume_type_id");
  if (r.version.AtLeast(65)) out["consumes_quota"] = true;
  return out;
}

json Cinder::NewVolume(const Identity& who, const json& given, const std::string& type_id) {
  std::string now = IsoMicros(NowMs());
  json service_uuid = Setting(site_, "cinder_service");
  if (!service_uuid.contains("uuid")) {
    service_uuid["uuid"] = NewUuid();
    site_.store.table("settings").Put("cinder_service", service_uuid);
  }
  return {{"id", NewUuid()},
          {"name", Member(given, "name")},
          {"description", Member(given, "description")},
          {"size", 0},
          {"status", "creating"},
          {"project_id", who.project_id},
          {"user_id", who.user_id},
          {"volume_type_id", type_id},
          {"availability_zone", Text(given, "availability_zone", "nova")},
          {"created_at", now},
          {"updated_at", now},
          {"bootable", false},
          {"metadata", json::object()},
          {"image_metadata", json::object()},
          {"snapshot_id", nullptr},
          {"source_volid", nullptr},
          {"multiattach", false},
          {"replication_status", nullptr},
          {"host", site_.VolumeHost()},
          {"provider_id", nullptr},
          {"serial", ""},
          {"service_uuid", service_uuid.at("uuid")}};
}

json Cinder::CreateVolume(const Identity& who, const json& given) {
  if (!given.is_object())
    Fail(400, "Invalid input for field/attribute volume. Value: None. None is not of type 'object'");
  const json metadata = Member(given, "metadata");
  if (!metadata.is_null()) {
    if (!metadata.is_object()) Fail(400, "Invalid input for field/attribute metadata.");
    for (const auto& [k, v] : metadata.items()) {
      if (!v.is_string() || k.empty() || k.size() > 255 || v.get<std::string>().size() > 255) {
        Fail(400, fmt::format("Invalid input for field/attribute metadata. Value: {}.", metadata.dump()));
      }
    }
  }
  if (Text(given, "name").size() > 255) Fail(400, "Invalid input for field/attribute name. Value is too long.");
  std::string type_id = TypeId(given);
  json doc = NewVolume(who, given, type_id);
  int64_t size = Number(given, "size", 0);
  if (!Member(given, "size").is_null() && size < 1) {
    Fail(400, fmt::format("Invalid input received: Volume size '{}' must be an integer and greater than 0",
                          given.at("size").dump()));
  }
  std::string snapshot = Text(given, "snapshot_id"), source = Text(given, "source_volid"),
              image = Text(given, "imageRef", Text(given, "image_id"));
  if (!snapshot.empty()) {
    const json* s = site_.store.table("snapshots").Find(snapshot);
    if (s == nullptr) Fail(404, fmt::format("Snapshot {} could not be found.", snapshot));
    if (Text(*s, "status") != "available")
      Fail(400, "Invalid snapshot: Originating snapshot status must be one of 'available' values");
    int64_t least = Number(*s, "size");
    if (size == 0) size = least;
    if (size < least)
      Fail(400, fmt::format("Invalid input received: Volume size '{}'GB cannot be smaller than the snapshot size {}GB. "
                            "They must be >= original snapshot size.",
                            size, least));
    doc["snapshot_id"] = snapshot;
    const json* of = site_.store.table("volumes").Find(Text(*s, "volume_id"));
    if (of != nullptr) {
      doc["bootable"] = of->at("bootable");
      doc["image_metadata"] = of->at("image_metadata");
    }
  } else if (!source.empty()) {
    const json* v = FindVolume(who, source);
    if (v == nullptr) Fail(404, fmt::format("Volume {} could not be found.", source));
    int64_t least = Number(*v, "size");
    if (size == 0) size = least;
    if (size < least)
      Fail(400, fmt::format("Invalid input received: Clones currently must be >= original volume size."));
    doc["source_volid"] = source;
    doc["bootable"] = v->at("bootable");
    doc["image_metadata"] = v->at("image_metadata");
    if (Text(given, "volume_type").empty()) doc["volume_type_id"] = v->at("volume_type_id");
  } else if (!image.empty()) {
    const json* i = site_.store.table("images").Find(image);
    if (i == nullptr) Fail(400, fmt::format("Invalid input received: Image {} could not be found.", image));
    if (size < Number(*i, "min_disk")) {
      Fail(400,
           fmt::format("Invalid input received: Volume size {}GB cannot be smaller than the image minDisk size {}GB.",
                       size, Number(*i, "min_disk")));
    }
    doc["bootable"] = true;
    doc["image_metadata"] = {{"image_id", image},
                             {"image_name", i->at("name")},
                             {"checksum", Text(*i, "checksum")},
                             {"container_format", "bare"},
                             {"disk_format", "raw"},
                             {"min_disk", i->at("min_disk").dump()},
                             {"min_ram", "0"},
                             {"size", i->at("size").dump()}};
    const json props = Member(*i, "properties");
    for (const auto& [k, v] : props.items()) doc["image_metadata"][k] = v;
  }
  if (size < 1) {
    Fail(400, "The server could not comply with the request since it is either malformed or otherwise incorrect.");
  }
  CheckQuota(who.project_id, 1, size, 0);
  doc["size"] = size;
  if (metadata.is_object()) doc["metadata"] = metadata;
  doc["multiattach"] = Truth(Member(given, "multiattach"));
  site_.store.table("volumes").Put(Text(doc, "id"), doc);
  Start(Text(doc, "id"));
  return doc;
}

std::string Cinder::Serial(const std::string& volume_id) {
  const json* v = site_.store.table("volumes").Find(volume_id);
  return v == nullptr ? "" : Text(*v, "serial");
}

}  // namespace protector::ossim
