// Networks, subnets, ports, security groups, routers, floating IPs, tags, quotas: the API of Neutron v2.0, without any
// data path. Threads: everything needs the site's lock (routes take it). Failure: ApiError with Neutron's exception
// name.
#pragma once

#include <memory>
#include <string>

#include "simulators/openstack/core/site.h"
#include "simulators/openstack/http/api_server.h"

namespace protector::ossim {

class Keystone;

class Neutron {
 public:
  explicit Neutron(Site& site) : site_(site) {}

  void Seed(Keystone& keystone);
  std::unique_ptr<Service> Build();

  // For Nova. The identity decides what is visible; errors are Neutron's.
  json CreatePort(const Identity& who, const json& port);
  const json* FindNetwork(const Identity& who, const std::string& id);
  const json* FindPort(const Identity& who, const std::string& id);
  void BindPort(const std::string& id, const std::string& device_id, const std::string& host, const std::string& zone);
  void SetPortStatus(const std::string& id, const std::string& status);
  void UnbindPort(const std::string& id);
  void DropPort(const std::string& id);
  // "" when there is no such group, or more than one of that name.
  std::string SecurityGroupId(const std::string& project, const std::string& name_or_id);
  std::string DefaultSecurityGroup(const std::string& project);

 private:
  friend class NeutronRouters;
  const json& Visible(const Identity& who, const char* table, const std::string& id);
  void Owned(const Identity& who, const json& doc, const std::string& rule);
  json FillFixedIps(const std::string& network_id, const json& wanted, const std::string& port_id);
  void ReleaseFixedIps(const json& port);
  std::string TakeAddress(const json& subnet, const std::string& port_id);
  void CheckQuota(const std::string& table, const std::string& project, const std::string& resource);
  json NewDoc(const Identity& who, const json& given);
  void Touch(json& doc);
  json ShowPort(const Identity& who, json port);
  json ShowNetwork(const Identity& who, json network);
  json CreateNetwork(const Identity& who, const json& given);
  json CreateSubnet(const Identity& who, const json& given);
  json CreateSecurityGroup(const Identity& who, const json& given);
  json CreateRule(const Identity& who, const json& given);
  json ShowSecurityGroup(json group);
  json UpdatePort(const Identity& who, const std::string& id, const json& given);
  json AddRouterInterface(const Identity& who, const std::string& router_id, const json& given);
  void CheckPairs(const json& given);
  json CheckGroups(const Identity& who, const json& groups);

  using Shower = std::function<json(const Identity&, json)>;
  Response List(Request& request, const char* table, const std::string& plural, const Shower& show);
  void AddCollection(Router& router, const char* table, const std::string& path, const std::string& singular,
                     const std::string& plural, Shower show);
  void AddNetworkRoutes(Router& router);
  void AddPortRoutes(Router& router);
  void AddSecurityRoutes(Router& router);
  void AddRouterRoutes(Router& router);
  void AddMiscRoutes(Router& router);

  Site& site_;
};

}  // namespace protector::ossim
