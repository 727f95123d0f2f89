#pragma once
// Nova's JSON and our structs. Threads: functions. Failure: what is missing in an answer is empty.

#include "libs/json/json.h"
#include "libs/openstack/nova.h"

namespace protector::openstack {

Server DecodeServer(const json::Value& server);
Flavor DecodeFlavor(const json::Value& flavor);
AttachedVolume DecodeAttachment(const json::Value& attachment);
// {"limit": 10, "in_use": 1, "reserved": 0}; Neutron calls it "used".
Quota DecodeQuota(const json::Value* quota);

// The body of POST /servers at 2.52 and later.
json::Value EncodeServer(const CreateServer& server);

}  // namespace protector::openstack
