#pragma once
// Neutron's JSON and our structs. Threads: functions. Failure: what is missing in an answer is empty.

#include "libs/json/json.h"
#include "libs/openstack/neutron.h"

namespace protector::openstack {

Network DecodeNetwork(const json::Value& network);
Subnet DecodeSubnet(const json::Value& subnet);
Port DecodePort(const json::Value& port);
SecurityGroup DecodeSecurityGroup(const json::Value& group);
FloatingIp DecodeFloatingIp(const json::Value& floating_ip);

json::Value EncodePort(const CreatePort& port);
json::Value EncodePortChange(const UpdatePort& change);
json::Value EncodeFloatingIp(const CreateFloatingIp& floating_ip);

}  // namespace protector::openstack
