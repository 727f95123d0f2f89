#include "services/orchestrator/domain/operations/fake_world.h"

#include <fmt/format.h>

#include "libs/base/error.h"
#include "libs/base/ids.h"
#include "services/orchestrator/domain/operations/fake_ports.h"
#include "services/orchestrator/domain/times.h"

namespace protector::orchestrator::fake {

struct World::Ports {
  Ports(World& world, const std::string& from) : sites(from), target(world, from), factory(world, from) {}
  FakeSites sites;
  FakeTarget target;
  FakeFactory factory;
};

World::World(ManualClock& clock, int members, int volumes) : clock_(clock) {
  for (const std::string name : {"site-a", "site-b"}) {
    sites_[name].name = name;
    ports_[name] = std::make_unique<Ports>(*this, name);
  }
  Site& a = site("site-a");
  groups::GroupDocument document;
  document.set_id(DerivedUuid("group"));
  document.set_name("prod");
  document.set_home_site("site-a");
  document.set_peer_site("site-b");
  document.set_primary_site("site-a");
  document.set_epoch(1);
  document.set_status(groups::ACTIVE);
  document.set_replication_type(groups::ASYNC);
  (*document.mutable_projects())["site-a"] = "project-a";
  (*document.mutable_projects())["site-b"] = "project-b";
  document.mutable_policy()->set_pure_pg_name("pg-prod");
  document.mutable_policy()->set_stop_timeout(10);
  document.mutable_policy()->set_rpo_minutes(15);
  for (int m = 0; m < members; ++m) {
    groups::Member& member = *document.add_members();
    member.set_id(DerivedUuid(fmt::format("member {}", m)));
    groups::ServerSpec& spec = *member.mutable_server();
    spec.set_name(fmt::format("vm-{}", m));
    spec.set_running(true);
    spec.add_ports()->set_network_id("net");
    groups::Placement& placement = *member.add_placements();
    placement.set_site("site-a");
    placement.set_state(groups::Placement::SERVING);
    Server server;
    server.id = NewId("server");
    server.name = spec.name();
    server.status = "ACTIVE";
    Port port{NewId("port"), "", fmt::format("10.0.0.{}", m), false};
    a.ports[port.id] = port;
    server.ports.push_back(port.id);
    placement.set_server_id(server.id);
    placement.add_port_ids(port.id);
    placement.add_port_owned(false);
    for (int v = 0; v < volumes; ++v) {
      Volume disk;
      disk.id = NewId("array");
      disk.serial = NewSerial();
      disk.connected = true;
      CinderVolume volume{NewId("volume"), fmt::format("{}-disk-{}", spec.name(), v), "IN-USE", disk.id, {}};
      disk.name = fmt::format("volume-{}-cinder", volume.id);
      groups::VolumeSpec& wanted = *spec.add_volumes();
      wanted.set_index(v);
      wanted.set_name(volume.name);
      wanted.set_boot_index(v == 0 ? 0 : -1);
      groups::VolumePlacement& placed = *placement.add_volumes();
      placed.set_index(v);
      placed.set_volume_id(volume.id);
      placed.set_array_volume(disk.name);
      placed.set_serial(disk.serial);
      placed.set_array_volume_id(disk.id);
      server.volumes.push_back(volume.id);
      a.protected_serials.insert(disk.serial);
      a.volumes[volume.id] = volume;
      a.array[disk.serial] = disk;
    }
    a.servers[server.id] = server;
  }
  a.enabled = true;
  a.baseline = clock.Now();
  site("site-b").accepts = true;
  metadata::GetDocumentResponse version;
  *version.mutable_document() = document;
  version.mutable_version()->set_version(1);
  for (auto& [name, one] : sites_) {
    one.versions = {version};
    one.confirmed = 1;
  }
}

World::~World() = default;

std::string World::NewId(const std::string& kind) {
  return DerivedUuid(fmt::format("{} {}", kind, next_id_++));
}
std::string World::NewSerial() {
  return fmt::format("{:024X}", next_id_++);
}

PortsFactory& World::PortsOf(const std::string& site) {
  return ports_.at(site)->factory;
}
SitesPort& World::SitesOf(const std::string& site) {
  return ports_.at(site)->sites;
}
TargetCloudPort& World::TargetOf(const std::string& site) {
  return ports_.at(site)->target;
}

void World::SyncMetadata() {
  auto& a = site("site-a").versions;
  auto& b = site("site-b").versions;
  (a.size() < b.size() ? a : b) = a.size() < b.size() ? b : a;
}

void World::Effect(const std::string& what) {
  ++effects[what];
  log.push_back(what);
}

void World::Tick() {
  std::map<std::string, std::string> running;  // name -> site
  for (auto& [name, one] : sites_) {
    for (auto it = one.servers.begin(); it != one.servers.end();) {
      Server& server = it->second;
      if (!server.next.empty() && clock_.Now() >= server.ready) {
        server.status = server.next;
        server.next.clear();
      }
      if (server.status == "DELETED") {
        for (const std::string& id : server.volumes) {
          if (one.volumes.count(id) > 0) one.volumes[id].status = "AVAILABLE";
        }
        it = one.servers.erase(it);
        continue;
      }
      ++it;
    }
    for (auto& [id, volume] : one.volumes) {
      if (volume.status == "CREATING" && clock_.Now() >= volume.ready) {
        volume.status = "AVAILABLE";
        for (auto& [serial, disk] : one.array) {
          if (disk.id == volume.array_id) disk.name = fmt::format("volume-{}-cinder", volume.id);
        }
      }
    }
    for (auto& [id, server] : one.servers) {
      if (server.status != "ACTIVE") continue;
      for (const std::string& volume : server.volumes) {
        for (auto& [serial, disk] : one.array) {
          if (one.volumes.count(volume) == 0 || disk.id != one.volumes[volume].array_id || disk.fenced) continue;
          ++disk.writes;
        }
      }
      if (one.up && !running.emplace(server.name, name).second) {
        violations.push_back(fmt::format("{} runs on both sites", server.name));
      }
    }
  }
}

int64_t World::WritesOf(const std::string& site_name, const std::string& server_name) {
  Site& one = site(site_name);
  int64_t writes = 0;
  for (const auto& [id, server] : one.servers) {
    if (server.name != server_name) continue;
    for (const std::string& volume : server.volumes) {
      for (const auto& [serial, disk] : one.array) {
        if (disk.id == one.volumes[volume].array_id) writes += disk.writes;
      }
    }
  }
  return writes;
}

absl::Status World::Begin(const std::string& from, const std::string& to) {
  Tick();
  if (from != to && !site(to).up) {
    return Error(absl::StatusCode::kUnavailable, "SERVICE_UNREACHABLE", to + " does not answer").Object("site " + to);
  }
  return absl::OkStatus();
}

absl::Status World::Change(const std::string& from, const std::string& to, const std::string& call,
                           const std::string& object, const std::function<absl::Status()>& effect) {
  const absl::Status reachable = Begin(from, to);
  if (!reachable.ok()) return reachable;
  const Fault what = fault(fmt::format("{}.{} {}", to, call, object));
  switch (what) {
    case Fault::kRefused:
      return Error(absl::StatusCode::kFailedPrecondition, "CLOUD_REFUSED", "refused by the test").Object(object);
    case Fault::kThrottled:
      return Error(absl::StatusCode::kResourceExhausted, "THROTTLED", "slow down").Object(object);
    case Fault::kLostBefore:
      return absl::UnavailableError("the request was lost");
    default:
      break;
  }
  const absl::Status done = effect();
  if (done.ok() && what == Fault::kLostAfter) return absl::UnavailableError("the answer was lost");
  return done;
}

absl::Status World::CheckEpoch(Site& one, const storage::Authority& authority, int64_t Site::*known) {
  if (authority.epoch() < one.*known) {
    return Error(absl::StatusCode::kAborted, "STALE_EPOCH", fmt::format("epoch {} is over", authority.epoch()));
  }
  one.*known = authority.epoch();
  return absl::OkStatus();
}

}  // namespace protector::orchestrator::fake
