#include "libs/openstack/neutron.h"

#include "libs/base/error.h"
#include "libs/openstack/api_client.h"
#include "libs/openstack/neutron_codec.h"
#include "libs/openstack/nova_codec.h"

namespace protector::openstack {
namespace {

using json::Value;

const failpoint::Site kCreatePort("neutron-create-port", &LostCall);
const failpoint::Site kUpdatePort("neutron-update-port", &LostCall);
const failpoint::Site kSetPortTags("neutron-set-port-tags", &LostCall);
const failpoint::Site kDeletePort("neutron-delete-port", &LostCall);
const failpoint::Site kCreateFloatingIp("neutron-create-floating-ip", &LostCall);
const failpoint::Site kUpdateFloatingIp("neutron-update-floating-ip", &LostCall);
const failpoint::Site kDeleteFloatingIp("neutron-delete-floating-ip", &LostCall);

constexpr size_t kIdsPerList = 50;  // keeps URLs below what servers accept

class Neutron final : public NeutronApi {
 public:
  explicit Neutron(Session& session) : api_(session, Service::kNetwork) {}

  absl::StatusOr<std::vector<Network>> ListNetworks(const CallContext& call, const std::string& name) override {
    return Decoded(api_.List(call, Whole("/networks", "list of networks"), Query().Add("name", name), "networks"),
                   DecodeNetwork);
  }

  absl::StatusOr<Network> GetNetwork(const CallContext& call, const std::string& id) override {
    PROTECTOR_ASSIGN_OR_RETURN(const Value network,
                               Member(api_.Get(call, Item("/networks", id, "network")), "network", "network " + id));
    return DecodeNetwork(network);
  }

  absl::StatusOr<std::vector<Subnet>> ListSubnets(const CallContext& call, const std::string& network_id) override {
    return Decoded(
        api_.List(call, Whole("/subnets", "list of subnets"), Query().Add("network_id", network_id), "subnets"),
        DecodeSubnet);
  }

  absl::StatusOr<std::vector<Port>> ListPorts(const CallContext& call, const PortFilter& filter) override {
    Query query;
    query.Add("project_id", filter.project_id)
        .Add("network_id", filter.network_id)
        .Add("device_id", filter.device_id)
        .Add("name", filter.name)
        .Add("mac_address", filter.mac_address)
        .Add("fixed_ips", filter.ip_address.empty() ? "" : "ip_address=" + filter.ip_address);
    std::string tags;
    for (const std::string& tag : filter.tags) tags += (tags.empty() ? "" : ",") + tag;
    query.Add("tags", tags);

    std::vector<Port> ports;
    for (size_t begin = 0; begin == 0 || begin < filter.ids.size(); begin += kIdsPerList) {
      const size_t end = std::min(filter.ids.size(), begin + kIdsPerList);
      Query page = query;
      for (size_t i = begin; i < end; ++i) page.Add("id", filter.ids[i]);
      PROTECTOR_ASSIGN_OR_RETURN(const std::vector<Port> some,
                                 Decoded(api_.List(call, Whole("/ports", "list of ports"), page, "ports"), DecodePort));
      ports.insert(ports.end(), some.begin(), some.end());
    }
    return ports;
  }

  absl::StatusOr<Port> GetPort(const CallContext& call, const std::string& id) override {
    PROTECTOR_ASSIGN_OR_RETURN(const Value port,
                               Member(api_.Get(call, Item("/ports", id, "port")), "port", "port " + id));
    return DecodePort(port);
  }

  absl::StatusOr<Port> CreatePort(const CallContext& call, const openstack::CreatePort& port) override {
    const Target target = Whole("/ports", "port " + (port.name.empty() ? "on network " + port.network_id : port.name));
    PROTECTOR_ASSIGN_OR_RETURN(const Value created,
                               Member(api_.Once(call, kCreatePort, target, EncodePort(port)), "port", target.object));
    return DecodePort(created);
  }

  absl::StatusOr<Port> UpdatePort(const CallContext& call, const std::string& id,
                                  const openstack::UpdatePort& change) override {
    const Target target = Item("/ports", id, "port");
    PROTECTOR_ASSIGN_OR_RETURN(
        const Value updated,
        Member(api_.Put(call, kUpdatePort, "PUT", target, EncodePortChange(change)), "port", target.object));
    return DecodePort(updated);
  }

  absl::Status SetPortTags(const CallContext& call, const std::string& id,
                           const std::vector<std::string>& tags) override {
    return api_.Put(call, kSetPortTags, "PUT", Item("/ports", id, "port", "/tags"), Value::Object({{"tags", tags}}))
        .status();
  }

  absl::Status DeletePort(const CallContext& call, const std::string& id) override {
    return api_.Delete(call, kDeletePort, Item("/ports", id, "port"));
  }

  absl::StatusOr<std::vector<SecurityGroup>> ListSecurityGroups(const CallContext& call,
                                                                const std::string& project_id) override {
    return Decoded(api_.List(call, Whole("/security-groups", "list of security groups"),
                             Query().Add("project_id", project_id), "security_groups"),
                   DecodeSecurityGroup);
  }

  absl::StatusOr<std::vector<FloatingIp>> ListFloatingIps(const CallContext& call,
                                                          const FloatingIpFilter& filter) override {
    Query query;
    query.Add("project_id", filter.project_id)
        .Add("port_id", filter.port_id)
        .Add("floating_ip_address", filter.floating_ip_address);
    return Decoded(api_.List(call, Whole("/floatingips", "list of floating IPs"), query, "floatingips"),
                   DecodeFloatingIp);
  }

  absl::StatusOr<FloatingIp> CreateFloatingIp(const CallContext& call,
                                              const openstack::CreateFloatingIp& floating_ip) override {
    const Target target = Whole("/floatingips", "floating IP " + floating_ip.floating_ip_address);
    PROTECTOR_ASSIGN_OR_RETURN(
        const Value created,
        Member(api_.Once(call, kCreateFloatingIp, target, EncodeFloatingIp(floating_ip)), "floatingip", target.object));
    return DecodeFloatingIp(created);
  }

  absl::StatusOr<FloatingIp> AssociateFloatingIp(const CallContext& call, const std::string& id,
                                                 const std::string& port_id,
                                                 const std::string& fixed_ip_address) override {
    const Target target = Item("/floatingips", id, "floating IP");
    Value body = Value::Object({{"port_id", port_id.empty() ? Value() : Value(port_id)}});
    body.SetIf(!port_id.empty() && !fixed_ip_address.empty(), "fixed_ip_address", fixed_ip_address);
    PROTECTOR_ASSIGN_OR_RETURN(const Value updated, Member(api_.Put(call, kUpdateFloatingIp, "PUT", target,
                                                                    Value::Object({{"floatingip", body}})),
                                                           "floatingip", target.object));
    return DecodeFloatingIp(updated);
  }

  absl::Status DeleteFloatingIp(const CallContext& call, const std::string& id) override {
    return api_.Delete(call, kDeleteFloatingIp, Item("/floatingips", id, "floating IP"));
  }

  absl::StatusOr<NeutronQuotas> GetNetworkQuotas(const CallContext& call, const std::string& project_id) override {
    const Target target = Item("/quotas", project_id, "network quotas of project", "/details");
    PROTECTOR_ASSIGN_OR_RETURN(const Value quota, Member(api_.Get(call, target), "quota", target.object));
    return NeutronQuotas{DecodeQuota(quota.Find("port")),
                         DecodeQuota(quota.Find("network")),
                         DecodeQuota(quota.Find("subnet")),
                         DecodeQuota(quota.Find("security_group")),
                         DecodeQuota(quota.Find("security_group_rule")),
                         DecodeQuota(quota.Find("floatingip"))};
  }

 private:
  template <typename T>
  static absl::StatusOr<std::vector<T>> Decoded(const absl::StatusOr<std::vector<Value>>& found,
                                                T (*decode)(const Value&)) {
    if (!found.ok()) return found.status();
    std::vector<T> decoded;
    for (const Value& item : *found) decoded.push_back(decode(item));
    return decoded;
  }

  ApiClient api_;
};

}  // namespace

std::unique_ptr<NeutronApi> NewNeutron(Session& session) {
  return std::make_unique<Neutron>(session);
}

}  // namespace protector::openstack
