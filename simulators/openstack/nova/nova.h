// Nova 2.1 to 2.93. As in cinder/: the API half leaves a server in a task state, the worker half (lifecycle.cc) carries
// it out without the site's lock, and a restart takes up every task state it finds. One worker at a time per server.
// Threads: API methods need the site's lock; methods marked (unlocked) must be called without it. Failure: ApiError, or
// the server's ERROR state with a fault.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "simulators/openstack/cinder/cinder.h"
#include "simulators/openstack/core/site.h"
#include "simulators/openstack/guest/guests.h"
#include "simulators/openstack/http/api_server.h"
#include "simulators/openstack/neutron/neutron.h"

namespace protector::ossim {

class Keystone;

class Nova {
 public:
  Nova(Site& site, Neutron& neutron, Cinder& cinder, Guests& guests)
      : site_(site), neutron_(neutron), cinder_(cinder), guests_(guests) {}

  void Seed(Keystone& keystone);
  void Resume();
  std::unique_ptr<Service> Build();
  std::vector<GuestDisk> Disks(const json& server);  // the site's lock

 private:
  // api
  const json& Server(const Request& r, const std::string& id);
  void CheckLock(const Request& r, const json& server);
  void CheckTask(const json& server, const std::string& action);
  json ShowServer(const Request& r, const json& server, bool alone);
  json Addresses(const json& server);
  Response ListServers(Request& r, bool detail);
  Response CreateServer(Request& r);
  json ReadDisks(const Request& r, const json& given, const std::string& server_id);
  json ReadNics(const Request& r, const json& given);
  void ApplyQuota(const Request& r, const json& flavor, int64_t count);
  Response Action(Request& r);
  Response Delete(Request& r);
  void Save(json server);
  json Links(const std::string& kind, const std::string& id);
  const json& Flavor(const std::string& id);
  json ShowFlavor(const Request& r, const json& flavor);
  void AddServerRoutes(Router& router);
  void AddMetadataRoutes(Router& router);
  void AddAttachmentRoutes(Router& router);
  void AddFlavorRoutes(Router& router);
  void AddMiscRoutes(Router& router);
  void AddQuotaRoutes(Router& router);
  void Require(const Request& r, const std::string& rule, bool allowed);

  // worker (unlocked)
  void Start(const std::string& server_id, const std::string& latency);
  void Step(const std::string& server_id);
  void DoBuild(json server);
  void DoStop(const json& server);
  void DoStart(const json& server, bool reboot);
  void DoDelete(const json& server);
  void DoDisks(const json& server);
  void DoNics(const json& server);
  bool Change(const std::string& server_id, const json& changes, const std::string& while_task = "*");
  // Ends in ERROR with this fault; `task` is the work that failed.
  void Break(const std::string& server_id, const std::string& task, const std::string& message);
  void MergeDisks(const json& server);  // the site's lock
  std::string PrepareNetworks(json& server);
  std::string PrepareVolumes(json& server);

  Site& site_;
  Neutron& neutron_;
  Cinder& cinder_;
  Guests& guests_;
  std::mutex busy_mutex_;
  std::set<std::string> busy_;
};

std::string StatusOf(const json& server);

}  // namespace protector::ossim
