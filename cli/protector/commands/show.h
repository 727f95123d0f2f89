#pragma once
// The services' messages as records and rows: what a field is called on the command line is decided here, once.
//
// Threads: pure functions.

#include <string>
#include <vector>

#include "cli/protector/client/metadata.h"
#include "cli/protector/client/orchestrators.h"
#include "cli/protector/output/record.h"
#include "google/protobuf/timestamp.pb.h"

namespace protector::cli {

// "2026-01-31T09:04:37Z"; null when unset.
json::Value TimeText(bool set, const google::protobuf::Timestamp& time);

// An enum's name in lower case: "failed_over".
std::string Lower(std::string text);

// "failover" or "failback".
std::string OperationTypeText(op_pb::OperationType type);
// "planned" or "unplanned".
std::string MannerText(op_pb::OperationType type);

// One failure in a sentence or two, with its remedy.
std::string ProblemText(const op_pb::Problem& problem);

// What made the operation end otherwise than it should, or hold; empty when nothing did.
std::string ErrorMessage(const op_pb::Operation& operation);

Record GroupRecord(const op_pb::Group& group);
Listing GroupListing(const std::vector<op_pb::Group>& groups);
Listing MemberListing(const group_pb::GroupDocument& document);
Listing MappingListing(const group_pb::GroupDocument& document);
Record PolicyRecord(const group_pb::GroupDocument& document);

// brief: the fields that a command which starts an operation shows; the rest for machines only.
Record OperationRecord(const op_pb::Operation& operation, bool brief);
Listing OperationListing(const std::vector<op_pb::Operation>& operations);
Listing MemberResults(const op_pb::Operation& operation);
Listing TaskListing(const op_pb::Operation& operation);

}  // namespace protector::cli
