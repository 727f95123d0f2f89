#pragma once
// What the tests of operations share: two programs over one world in memory, and what is asked of that world
// afterwards.
//
// Threads: for one test on its thread. Failure: Catch2's assertions.
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "services/orchestrator/domain/operations/simulation.h"
#include "services/orchestrator/domain/times.h"

namespace protector::orchestrator::fake {

inline const Call kCall(absl::Seconds(5));

struct Lab {
  explicit Lab(int members = 2, int volumes = 2, unsigned seed = 1)
      : clock(absl::FromUnixSeconds(1700000000)),
        world(clock, members, volumes),
        a(world, "site-a", seed),
        b(world, "site-b", seed + 1) {}

  Program& On(const std::string& site) { return site == "site-a" ? a : b; }

  absl::StatusOr<op::Operation> Failover(const std::string& site, op::OperationType type = op::PLANNED_FAILOVER) {
    op::StartFailoverRequest request;
    request.set_group("prod");
    request.set_type(type);
    request.set_request_id(fmt::format("request {}", ++requests));
    return On(site).starter().StartFailover(kCall, request);
  }
  absl::StatusOr<op::Operation> Failback(bool reverse = false, bool lose = false) {
    op::StartFailbackRequest request;
    request.set_group("prod");
    request.set_reverse_replication(reverse);
    request.set_accept_data_loss(lose);
    return a.starter().StartFailback(kCall, request);
  }
  op::Operation Get(const std::string& site, const std::string& id) { return *On(site).engine().Get(id, true); }

  bool UntilEnded(const std::string& site, const std::string& id) {
    return On(site).Until([&] { return Ended(Get(site, id).state()); });
  }
  bool UntilClean(const std::string& site, const std::string& id) {
    return On(site).Until([&] {
      const op::Operation operation = Get(site, id);
      return Ended(operation.state()) && operation.conditions().clean();
    });
  }
  // Steps of a state, in order.
  std::vector<std::string> Steps(const op::Operation& operation, op::State state) {
    std::vector<std::string> names;
    for (const op::Step& step : operation.steps()) {
      if (step.state() == state) names.push_back(step.name());
    }
    return names;
  }
  op::OperationActionRequest Action(const std::string& id, const std::string& task = "",
                                    const std::string& reason = "") {
    op::OperationActionRequest request;
    request.set_id(id);
    request.set_task(task);
    request.set_reason(reason);
    return request;
  }

  int requests = 0;
  ManualClock clock;
  World world;
  Program a;
  Program b;
};

inline int Running(Site& site) {
  int running = 0;
  for (const auto& [id, server] : site.servers) running += server.status == "ACTIVE";
  return running;
}

// What the world looks like, without ids: the same for every course that led there.
inline std::string Picture(World& world) {
  std::string picture;
  for (const std::string name : {"site-a", "site-b"}) {
    Site& site = world.site(name);
    int alive = 0;
    int destroyed = 0;
    for (const auto& [serial, volume] : site.array) ++(volume.destroyed ? destroyed : alive);
    std::vector<std::string> servers;
    for (const auto& [id, server] : site.servers) {
      servers.push_back(fmt::format("{} {} {} ports {} volumes", server.name, server.status, server.ports.size(),
                                    server.volumes.size()));
    }
    std::sort(servers.begin(), servers.end());
    std::vector<std::string> volumes;
    for (const auto& [id, volume] : site.volumes) volumes.push_back(volume.name + " " + volume.status);
    std::sort(volumes.begin(), volumes.end());
    picture += fmt::format("{}: [{}] [{}] {} ports {} array volumes {} destroyed, protects {} {}\n", name,
                           fmt::join(servers, ", "), fmt::join(volumes, ", "), site.ports.size(), alive, destroyed,
                           site.protected_serials.size(), site.enabled);
    const groups::GroupDocument& head = world.head(name);
    picture += fmt::format("  {} epoch {} on {} held \"{}\" counts {} {} pending {} clean {} protected {}\n",
                           groups::GroupStatus_Name(head.status()), head.epoch(), head.primary_site(),
                           head.active_operation_id(), head.failover_count(), head.failback_count(),
                           head.pending_size(), head.conditions().clean(), head.conditions().protected_());
    for (const groups::Member& member : head.members()) {
      for (const groups::Placement& placement : member.placements()) {
        picture +=
            fmt::format("  {} on {} {} server {} ports {} volumes {}\n", member.server().name(), placement.site(),
                        placement.state() == groups::Placement::SERVING ? "serving" : "stale",
                        site.servers.count(placement.server_id()), placement.port_ids_size(), placement.volumes_size());
      }
    }
  }
  return picture;
}

inline void CheckOnce(const World& world) {
  for (const auto& [effect, times] : world.effects) {
    // Locks and stops may meet the quarantine's; what makes or destroys something may not happen twice.
    const bool counted = effect.find("import") != std::string::npos || effect.find("create-") != std::string::npos ||
                         effect.find("materialize") != std::string::npos ||
                         effect.find("delete") != std::string::npos || effect.find("unmanage") != std::string::npos ||
                         effect.find("retire") != std::string::npos;
    INFO(effect);
    if (counted) CHECK(times == 1);
  }
  CHECK(world.violations.empty());
  for (const std::string& violation : world.violations) INFO(violation);
}

}  // namespace protector::orchestrator::fake
