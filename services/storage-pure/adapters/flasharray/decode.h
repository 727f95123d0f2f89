#pragma once
// From the array's JSON to the domain's structs. Every member may be null or missing.
//
// Threads: pure functions. Failure: what is missing stays at the struct's default.

#include "libs/json/json.h"
#include "services/storage-pure/ports/array_objects.h"

namespace protector::storage::flasharray {

Volume DecodeVolume(const json::Value& item);
Connection DecodeConnection(const json::Value& item);
Tag DecodeTag(const json::Value& item);
Group DecodeGroup(const json::Value& item);
GroupVolume DecodeGroupVolume(const json::Value& item);
GroupTarget DecodeGroupTarget(const json::Value& item);
GroupSnapshot DecodeGroupSnapshot(const json::Value& item);
Transfer DecodeTransfer(const json::Value& item);
Pod DecodePod(const json::Value& item);
ReplicaLink DecodeLink(const json::Value& item);

}  // namespace protector::storage::flasharray
