#include "simulators/openstack/app.h"

#include <csignal>
#include <cstdio>
#include <memory>
#include <vector>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "simulators/openstack/array/array.h"
#include "simulators/openstack/cinder/cinder.h"
#include "simulators/openstack/control/control.h"
#include "simulators/openstack/core/seed.h"
#include "simulators/openstack/core/site.h"
#include "simulators/openstack/glance/glance.h"
#include "simulators/openstack/guest/guests.h"
#include "simulators/openstack/guest/ledger.h"
#include "simulators/openstack/keystone/keystone.h"
#include "simulators/openstack/neutron/neutron.h"
#include "simulators/openstack/nova/nova.h"

namespace protector::ossim {
namespace {

void DeclareTables(Store& store) {
  const struct {
    const char* table;
    std::vector<const char*> fields;
  } kIndexes[] = {{"grants", {"user_id"}},
                  {"networks", {"project_id"}},
                  {"subnets", {"network_id", "project_id"}},
                  {"ports", {"network_id", "device_id", "project_id"}},
                  {"security_groups", {"project_id"}},
                  {"security_group_rules", {"security_group_id", "project_id"}},
                  {"routers", {"project_id"}},
                  {"floatingips", {"project_id", "port_id"}},
                  {"volumes", {"project_id", "provider_id"}},
                  {"snapshots", {"project_id", "volume_id"}},
                  {"attachments", {"volume_id", "server_id"}},
                  {"servers", {"project_id"}},
                  {"memory_array", {"serial"}}};
  for (const auto& i : kIndexes) {
    for (const char* field : i.fields) store.table(i.table).Index(field);
  }
}

int Refuse(const std::string& text) {
  fmt::print(stderr, "openstack-sim: {}\n", text);
  return 1;
}

}  // namespace

int Run(const Config& config) {
  // Blocked before any thread is made, so that only sigwait below sees them.
  sigset_t signals;
  sigemptyset(&signals);
  for (int s : {SIGTERM, SIGINT}) sigaddset(&signals, s);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  Site site(config);
  std::string error;
  site.seed = config.seed_file.empty() ? BuiltInSeed(config.site) : LoadSeed(config.seed_file, config.site, &error);
  if (!error.empty()) return Refuse(error);
  if (site.seed.is_null())
    return Refuse(fmt::format("--site {}: there is no built-in seed of that name; give --seed-file", config.site));
  error = site.latency.Parse(config.latency);
  if (!error.empty()) return Refuse(error);
  DeclareTables(site.store);
  error = site.store.Open(config.state_dir);
  if (!error.empty()) return Refuse(error);
  site.requests.Open(config.state_dir);
  Ledger ledger;
  error = ledger.Open(config.state_dir);
  if (!error.empty()) return Refuse(error);

  std::unique_ptr<Array> array =
      config.array == "none" ? MakeMemoryArray(site.store, site.ArrayName()) : MakeFlashArray(config);
  Guests guests(*array, ledger, site.Initiator(), config.guest_interval_ms);
  Keystone keystone(site);
  Neutron neutron(site);
  Glance glance(site);
  Cinder cinder(site, *array);
  Nova nova(site, neutron, cinder, guests);
  if (site.store.fresh()) {
    Store::Lock lock(site.store);
    keystone.Seed();
    neutron.Seed(keystone);
    glance.Seed(keystone);
    cinder.Seed();
    nova.Seed(keystone);
  }

  auto authenticate = [&keystone](const std::string& token) { return keystone.Authenticate(token); };
  std::vector<std::unique_ptr<ApiServer>> servers;
  servers.push_back(std::make_unique<ApiServer>(site, keystone.Build(), authenticate));
  servers.push_back(std::make_unique<ApiServer>(site, neutron.Build(), authenticate));
  servers.push_back(std::make_unique<ApiServer>(site, glance.Build(), authenticate));
  servers.push_back(std::make_unique<ApiServer>(site, BuildPlacement(site), authenticate));
  servers.push_back(std::make_unique<ApiServer>(site, cinder.Build(), authenticate));
  servers.push_back(std::make_unique<ApiServer>(site, nova.Build(), authenticate));
  for (auto& s : servers) {
    error = s->Start();
    if (!error.empty()) return Refuse(error);
  }
  cinder.Resume();
  nova.Resume();
  Control control(site, keystone, nova, guests, ledger);
  error = control.Start();
  if (!error.empty()) return Refuse(error);
  spdlog::info("{} is up on {} (port offset {}), control on {}", config.site, config.ip, config.port_offset,
               config.control);

  int signal = 0;
  sigwait(&signals, &signal);
  spdlog::info("ending");
  site.faults.Shutdown();
  control.Stop();
  for (auto& s : servers) s->Stop();
  guests.Shutdown();
  site.scheduler.Stop();
  return 0;
}

}  // namespace protector::ossim
