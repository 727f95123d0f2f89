// What describes the service itself: quotas, limits, pools, zones, back-end services.
#include <fmt/format.h>

#include "simulators/openstack/cinder/cinder.h"
#include "simulators/openstack/core/quota.h"
#include "simulators/openstack/core/util.h"

namespace protector::ossim {

void Cinder::AddServiceRoutes(Router& router) {
  auto used = [this](const std::string& project) {
    int64_t volumes = 0, snapshots = 0, gigabytes = 0;
    for (const std::string& id : site_.store.table("volumes").Where("project_id", project)) {
      ++volumes;
      gigabytes += Number(*site_.store.table("volumes").Find(id), "size");
    }
    for (const std::string& id : site_.store.table("snapshots").Where("project_id", project)) {
      ++snapshots;
      gigabytes += Number(*site_.store.table("snapshots").Find(id), "size");
    }
    return std::map<std::string, int64_t>{{"volumes", volumes}, {"snapshots", snapshots}, {"gigabytes", gigabytes}};
  };
  auto quota_set = [this, used](const std::string& project, bool usage) {
    json out = {{"id", project}};
    auto now = used(project);
    for (const char* key :
         {"volumes", "snapshots", "gigabytes", "per_volume_gigabytes", "backups", "backup_gigabytes", "groups"}) {
      int64_t limit = QuotaLimit(site_, "cinder", project, key);
      out[key] = usage ? json{{"limit", limit}, {"in_use", now.count(key) > 0 ? now.at(key) : 0}, {"reserved", 0}}
                       : json(limit);
    }
    site_.store.table("volume_types").Each([&](const std::string&, const json& type) {  // unlimited, for each type
      for (const char* key : {"volumes", "snapshots", "gigabytes"}) {
        out[fmt::format("{}_{}", key, Text(type, "name"))] =
            usage ? json{{"limit", -1}, {"in_use", 0}, {"reserved", 0}} : json(-1);
      }
    });
    return out;
  };
  router.Add("GET", "/v3/os-quota-sets/{}", [this, quota_set](Request& r) {
    Require(r, "volume_extension:quotas:show", r.identity.is_admin || r.args[0] == r.identity.project_id);
    return Response::Json(200, {{"quota_set", quota_set(r.args[0], Truth(json(r.Query("usage"))))}});
  });
  router.Add("GET", "/v3/os-quota-sets/{}/defaults", [quota_set](Request&) {
    return Response::Json(200, {{"quota_set", quota_set("default", false)}});
  });
  router.Add("PUT", "/v3/os-quota-sets/{}", [this, quota_set](Request& r) {
    Require(r, "volume_extension:quotas:update", r.identity.is_admin);
    for (const auto& [key, value] : r.content.at("quota_set").items()) {
      if (value.is_number()) SetQuota(site_, "cinder", r.args[0], key, value.get<int64_t>());
    }
    json out = quota_set(r.args[0], false);
    out.erase("id");
    return Response::Json(200, {{"quota_set", out}});
  });
  router.Add("GET", "/v3/limits", [this, used](Request& r) {
    auto now = used(r.identity.project_id);
    auto limit = [&](const char* key) { return QuotaLimit(site_, "cinder", r.identity.project_id, key); };
    return Response::Json(200, {{"limits",
                                 {{"rate", json::array()},
                                  {"absolute",
                                   {{"maxTotalVolumes", limit("volumes")},
                                    {"maxTotalVolumeGigabytes", limit("gigabytes")},
                                    {"maxTotalSnapshots", limit("snapshots")},
                                    {"maxTotalBackups", -1},
                                    {"maxTotalBackupGigabytes", -1},
                                    {"totalVolumesUsed", now["volumes"]},
                                    {"totalGigabytesUsed", now["gigabytes"]},
                                    {"totalSnapshotsUsed", now["snapshots"]},
                                    {"totalBackupsUsed", 0},
                                    {"totalBackupGigabytesUsed", 0}}}}}});
  });
  router.Add("GET", "/v3/scheduler-stats/get_pools", [this](Request& r) {
    Require(r, "scheduler_extension:scheduler_stats:get_pools", r.identity.is_admin);
    json pool = {{"name", site_.VolumeHost()}};
    if (Truth(json(r.Query("detail")))) {
      pool["capabilities"] = {{"volume_backend_name", "flasharray"},
                              {"vendor_name", "Pure Storage"},
                              {"driver_version", "20.0.iscsi"},
                              {"storage_protocol", "iSCSI"},
                              {"pool_name", site_.ArrayName()},
                              {"total_capacity_gb", 102400},
                              {"free_capacity_gb", 98304},
                              {"reserved_percentage", 0},
                              {"provisioned_capacity", 0},
                              {"max_over_subscription_ratio", 20.0},
                              {"multiattach", true},
                              {"thin_provisioning_support", true},
                              {"QoS_support", true},
                              {"consistencygroup_support", true},
                              {"consistent_group_snapshot_enabled", true},
                              {"replication_enabled", true},
                              {"replication_type", {"async", "sync"}},
                              {"replication_count", 1},
                              {"timestamp", IsoMicros(NowMs())}};
    }
    return Response::Json(200, {{"pools", {pool}}});
  });
  router.Add("GET", "/v3/os-availability-zone", [](Request&) {
    return Response::Json(200,
                          {{"availabilityZoneInfo", {{{"zoneName", "nova"}, {"zoneState", {{"available", true}}}}}}});
  });
  router.Add("GET", "/v3/os-services", [this](Request& r) {
    Require(r, "volume_extension:services:index", r.identity.is_admin);
    std::string host = site_.VolumeHost();
    std::string node = host.substr(0, host.find('@'));
    json out = json::array();
    for (const auto& [binary, where] : std::vector<std::pair<std::string, std::string>>{
             {"cinder-scheduler", node}, {"cinder-volume", host.substr(0, host.find('#'))}}) {
      json s = {{"binary", binary},          {"host", where}, {"zone", "nova"},
                {"status", "enabled"},       {"state", "up"}, {"updated_at", IsoMicros(NowMs())},
                {"disabled_reason", nullptr}};
      if (binary == "cinder-volume")
        s.update({{"replication_status", "enabled"}, {"active_backend_id", nullptr}, {"frozen", false}});
      if (r.version.AtLeast(49) && binary == "cinder-volume") s["backend_state"] = "up";
      if (r.version.AtLeast(7)) s["cluster"] = nullptr;
      if (!r.HasQuery("binary") || r.Query("binary") == binary) out.push_back(s);
    }
    return Response::Json(200, {{"services", out}});
  });
  router.Add("GET", "/v3/extensions", [](Request&) { return Response::Json(200, {{"extensions", json::array()}}); });
  for (const char* empty : {"backups", "groups", "group_types", "clusters"}) {
    std::string key = empty;
    router.Add("GET", "/v3/" + key, [key](Request&) { return Response::Json(200, {{key, json::array()}}); });
    router.Add("GET", "/v3/" + key + "/detail", [key](Request&) {
      return Response::Json(200, {{key, json::array()}});
    });
  }
}

}  // namespace protector::ossim
