// Volume types, snapshots.
#include <fmt/format.h>

#include "simulators/openstack/cinder/cinder.h"
#include "simulators/openstack/core/util.h"

namespace protector::ossim {

json Cinder::ShowType(const Request& r, const json& type) {
  json specs = json::object();
  for (const auto& [key, value] : type.at("extra_specs").items()) {
    // What Cinder shows to everybody; the rest is the administrator's.
    bool open = key == "multiattach" || key == "replication_enabled" || key == "RESKEY:availability_zones";
    if (r.identity.is_admin || open) specs[key] = value;
  }
  json out = {{"id", type.at("id")},
              {"name", type.at("name")},
              {"description", type.at("description")},
              {"is_public", type.at("is_public")},
              {"os-volume-type-access:is_public", type.at("is_public")},
              {"extra_specs", specs}};
  if (r.identity.is_admin) out["qos_specs_id"] = nullptr;
  return out;
}

void Cinder::AddTypeRoutes(Router& router) {
  auto find = [this](const std::string& id) -> const json& {
    const json* t = site_.store.table("volume_types").Find(id);
    if (t == nullptr) Fail(404, fmt::format("Volume type {} could not be found.", id));
    return *t;
  };
  router.Add("GET", "/v3/types", [this](Request& r) {
    json out = json::array();
    site_.store.table("volume_types").EachNewest([&](const std::string&, const json& t) {
      out.push_back(ShowType(r, t));
    });
    return Response::Json(200, {{"volume_types", out}});
  });
  router.Add("GET", "/v3/types/default", [this, find](Request& r) {
    return Response::Json(200, {{"volume_type", ShowType(r, find(TypeId(json::object())))}});
  });
  router.Add("GET", "/v3/types/{}", [this, find](Request& r) {
    return Response::Json(200, {{"volume_type", ShowType(r, find(r.args[0]))}});
  });
  router.Add("POST", "/v3/types", [this](Request& r) {
    Require(r, "volume_extension:type_create", r.identity.is_admin);
    const json given = Member(r.content, "volume_type");
    if (Text(given, "name").empty()) Fail(400, "Invalid input for field/attribute name.");
    site_.store.table("volume_types").Each([&](const std::string&, const json& t) {
      if (t.at("name") == given.at("name"))
        Fail(409, fmt::format("Volume Type {} already exists.", Text(given, "name")));
    });
    std::string id = NewUuid();
    json doc = {{"id", id},
                {"name", given.at("name")},
                {"description", Member(given, "description")},
                {"is_public", Truth(Member(given, "os-volume-type-access:is_public"), true)},
                {"extra_specs", given.value("extra_specs", json::object())}};
    site_.store.table("volume_types").Put(id, doc);
    return Response::Json(200, {{"volume_type", ShowType(r, doc)}});
  });
  router.Add("DELETE", "/v3/types/{}", [this, find](Request& r) {
    Require(r, "volume_extension:type_delete", r.identity.is_admin);
    find(r.args[0]);
    site_.store.table("volumes").Each([&](const std::string&, const json& v) {
      if (Text(v, "volume_type_id") == r.args[0]) Fail(400, "Target volume type is still in use.");
    });
    site_.store.table("volume_types").Erase(r.args[0]);
    return Response::Empty(202);
  });
  router.Add("GET", "/v3/types/{}/extra_specs", [this, find](Request& r) {
    return Response::Json(200, {{"extra_specs", ShowType(r, find(r.args[0])).at("extra_specs")}});
  });
  router.Add("POST", "/v3/types/{}/extra_specs", [this, find](Request& r) {
    Require(r, "volume_extension:types_extra_specs:create", r.identity.is_admin);
    json doc = find(r.args[0]);
    doc["extra_specs"].update(r.content.at("extra_specs"));
    site_.store.table("volume_types").Put(r.args[0], doc);
    return Response::Json(200, {{"extra_specs", doc["extra_specs"]}});
  });
  router.Add("DELETE", "/v3/types/{}/extra_specs/{}", [this, find](Request& r) {
    Require(r, "volume_extension:types_extra_specs:delete", r.identity.is_admin);
    json doc = find(r.args[0]);
    doc["extra_specs"].erase(r.args[1]);
    site_.store.table("volume_types").Put(r.args[0], doc);
    return Response::Empty(202);
  });
  router.Add("GET", "/v3/types/{}/encryption", [](Request&) { return Response::Json(200, json::object()); });
}

void Cinder::AddSnapshotRoutes(Router& router) {
  auto find = [this](const Request& r, const std::string& id) -> const json& {
    const json* s = site_.store.table("snapshots").Find(id);
    if (s == nullptr || (!r.identity.is_admin && Text(*s, "project_id") != r.identity.project_id)) {
      Fail(404, fmt::format("Snapshot {} could not be found.", id));
    }
    return *s;
  };
  auto show = [](const Request& r, const json& s) {
    json out = s;
    out.erase("provider_id");
    out.erase("project_id");
    out["os-extended-snapshot-attributes:project_id"] = s.at("project_id");
    out["os-extended-snapshot-attributes:progress"] = s.at("progress");
    out.erase("progress");
    if (!r.version.AtLeast(41)) out.erase("user_id");
    if (r.version.AtLeast(14)) out["group_snapshot_id"] = nullptr;
    return out;
  };
  auto list = [this, show](Request& r) {
    bool all = r.identity.is_admin && Truth(json(r.Query("all_tenants")));
    json out = json::array();
    site_.store.table("snapshots").EachNewest([&](const std::string&, const json& s) {
      if (!all && Text(s, "project_id") != r.identity.project_id) return;
      if (r.HasQuery("volume_id") && Text(s, "volume_id") != r.Query("volume_id")) return;
      if (r.HasQuery("name") && Text(s, "name") != r.Query("name")) return;
      if (r.HasQuery("status") && Text(s, "status") != r.Query("status")) return;
      out.push_back(show(r, s));
    });
    return Response::Json(200, {{"snapshots", out}});
  };
  router.Add("GET", "/v3/snapshots", list);
  router.Add("GET", "/v3/snapshots/detail", list);
  router.Add("GET", "/v3/snapshots/{}", [find, show](Request& r) {
    return Response::Json(200, {{"snapshot", show(r, find(r, r.args[0]))}});
  });
  router.Add("POST", "/v3/snapshots", [this, show](Request& r) {
    const json given = Member(r.content, "snapshot");
    const json& volume = Volume(r, Text(given, "volume_id"));
    std::string status = Text(volume, "status");
    if (status != "available" && !(status == "in-use" && (Truth(Member(given, "force")) || r.version.AtLeast(66)))) {
      Fail(400, fmt::format("Invalid volume: Volume {} status must be available, but current status is: {}.",
                            Text(volume, "id"), status));
    }
    CheckQuota(Text(volume, "project_id"), 0, Number(volume, "size"), 1);
    std::string id = NewUuid(), now = IsoMicros(NowMs());
    json doc = {{"id", id},
                {"name", Member(given, "name")},
                {"description", Member(given, "description")},
                {"volume_id", volume.at("id")},
                {"status", "creating"},
                {"size", volume.at("size")},
                {"created_at", now},
                {"updated_at", nullptr},
                {"user_id", r.identity.user_id},
                {"metadata", given.value("metadata", json::object())},
                {"project_id", volume.at("project_id")},
                {"progress", "0%"},
                {"provider_id", ""}};
    site_.store.table("snapshots").Put(id, doc);
    StartSnapshot(id);
    return Response::Json(202, {{"snapshot", show(r, doc)}});
  });
  router.Add("DELETE", "/v3/snapshots/{}", [this, find](Request& r) {
    json doc = find(r, r.args[0]);
    if (Text(doc, "status") != "available" && Text(doc, "status") != "error") {
      Fail(400, "Invalid snapshot: Snapshot status must be available or error");
    }
    doc["status"] = "deleting";
    site_.store.table("snapshots").Put(r.args[0], doc);
    StartSnapshot(r.args[0]);
    return Response::Empty(202);
  });
}

}  // namespace protector::ossim
