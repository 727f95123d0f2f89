#pragma once
// Neutron as the product uses it. Threads: implementations are safe for all. Ownership: values. Failure: see call.h.

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/openstack/call.h"
#include "libs/openstack/nova.h"

namespace protector::openstack {

struct Network {
  std::string id;
  std::string name;
  std::string project_id;
  std::string status;
  bool admin_state_up = true;
  bool shared = false;
  bool external = false;
  bool port_security = true;
  int64_t mtu = 0;
  std::vector<std::string> subnet_ids;
  std::vector<std::string> tags;
};

struct AddressRange {
  std::string start;
  std::string end;
};

struct Subnet {
  std::string id;
  std::string name;
  std::string network_id;
  std::string project_id;
  std::string cidr;
  int ip_version = 4;
  std::string gateway_ip;
  bool enable_dhcp = true;
  std::vector<AddressRange> allocation_pools;
};

struct FixedIp {
  std::string subnet_id;   // empty in a creation: Neutron finds it
  std::string ip_address;  // empty in a creation: any
  bool operator==(const FixedIp&) const = default;
};

struct AddressPair {
  std::string ip_address;
  std::string mac_address;  // empty: the port's own
  bool operator==(const AddressPair&) const = default;
};

struct Port {
  std::string id;
  std::string name;
  std::string description;
  std::string network_id;
  std::string project_id;
  std::string mac_address;
  std::string status;
  std::string device_id;
  std::string device_owner;
  std::string host_id;  // binding:host_id; admin only
  std::string vnic_type;
  bool admin_state_up = true;
  bool port_security = true;
  std::vector<FixedIp> fixed_ips;
  std::vector<std::string> security_group_ids;
  std::vector<AddressPair> allowed_address_pairs;
  std::vector<std::string> tags;
};

struct PortFilter {
  std::string project_id;
  std::string network_id;
  std::string device_id;
  std::string name;
  std::string mac_address;
  std::string ip_address;
  std::vector<std::string> tags;
  std::vector<std::string> ids;
};

struct CreatePort {
  std::string network_id;
  std::string project_id;  // empty: the client's
  std::string name;
  std::string description;
  std::string mac_address;                                     // empty: any
  std::vector<FixedIp> fixed_ips;                              // empty: any
  std::optional<std::vector<std::string>> security_group_ids;  // nullopt: the project's default
  std::vector<AddressPair> allowed_address_pairs;
  std::optional<bool> port_security;
  std::string vnic_type;
  std::string device_id;
};

struct UpdatePort {
  std::optional<std::string> name;
  std::optional<std::string> description;
  std::optional<std::vector<std::string>> security_group_ids;
  std::optional<std::vector<AddressPair>> allowed_address_pairs;
  std::optional<std::vector<FixedIp>> fixed_ips;
  std::optional<std::string> device_id;
  std::optional<std::string> device_owner;
  std::optional<bool> admin_state_up;
};

struct SecurityGroup {
  std::string id;
  std::string name;
  std::string description;
  std::string project_id;
  size_t rule_count = 0;
};

struct FloatingIp {
  std::string id;
  std::string floating_ip_address;
  std::string floating_network_id;
  std::string fixed_ip_address;
  std::string port_id;  // empty: not associated
  std::string project_id;
  std::string description;
  std::string status;
  std::vector<std::string> tags;
};

struct FloatingIpFilter {
  std::string project_id;
  std::string port_id;
  std::string floating_ip_address;
};

struct CreateFloatingIp {
  std::string floating_network_id;
  std::string project_id;
  std::string floating_ip_address;  // a certain one needs admin; empty: any
  std::string port_id;              // empty: not associated
  std::string fixed_ip_address;
  std::string description;
};

struct NeutronQuotas {
  Quota ports;
  Quota networks;
  Quota subnets;
  Quota security_groups;
  Quota security_group_rules;
  Quota floating_ips;
};

class NeutronApi {
 public:
  virtual ~NeutronApi() = default;

  // All that the client's project sees; name empty: every one.
  virtual absl::StatusOr<std::vector<Network>> ListNetworks(const CallContext& call, const std::string& name) = 0;
  virtual absl::StatusOr<Network> GetNetwork(const CallContext& call, const std::string& id) = 0;
  virtual absl::StatusOr<std::vector<Subnet>> ListSubnets(const CallContext& call, const std::string& network_id) = 0;

  virtual absl::StatusOr<std::vector<Port>> ListPorts(const CallContext& call, const PortFilter& filter) = 0;
  virtual absl::StatusOr<Port> GetPort(const CallContext& call, const std::string& id) = 0;
  // Not retried. Tags are a second call (SetPortTags); what must be on the port from its first moment goes into name or
  // description.
  virtual absl::StatusOr<Port> CreatePort(const CallContext& call, const openstack::CreatePort& port) = 0;
  virtual absl::StatusOr<Port> UpdatePort(const CallContext& call, const std::string& id,
                                          const openstack::UpdatePort& change) = 0;
  virtual absl::Status SetPortTags(const CallContext& call, const std::string& id,
                                   const std::vector<std::string>& tags) = 0;           // replaces all
  virtual absl::Status DeletePort(const CallContext& call, const std::string& id) = 0;  // gone already: OK

  // project_id empty: all that the client sees (an admin sees those of every project).
  virtual absl::StatusOr<std::vector<SecurityGroup>> ListSecurityGroups(const CallContext& call,
                                                                        const std::string& project_id) = 0;

  virtual absl::StatusOr<std::vector<FloatingIp>> ListFloatingIps(const CallContext& call,
                                                                  const FloatingIpFilter& filter) = 0;
  virtual absl::StatusOr<FloatingIp> CreateFloatingIp(
      const CallContext& call,
      const openstack::CreateFloatingIp& floating_ip) = 0;  // not retried
  // port_id empty: takes it off its port.
  virtual absl::StatusOr<FloatingIp> AssociateFloatingIp(const CallContext& call, const std::string& id,
                                                         const std::string& port_id,
                                                         const std::string& fixed_ip_address) = 0;
  virtual absl::Status DeleteFloatingIp(const CallContext& call, const std::string& id) = 0;  // gone already: OK

  virtual absl::StatusOr<NeutronQuotas> GetNetworkQuotas(const CallContext& call, const std::string& project_id) = 0;
};

}  // namespace protector::openstack
