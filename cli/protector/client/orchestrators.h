#pragma once
// The orchestrators' services, for Session::Call.

#include "cli/protector/client/session.h"
#include "protector/operation/v1/operation.grpc.pb.h"

namespace protector::cli {

namespace op_pb = ::protector::operation::v1;
namespace group_pb = ::protector::group::v1;

template <>
struct ServiceTraits<op_pb::GroupService> {
  static constexpr const char* kName = "orchestrator";
};

template <>
struct ServiceTraits<op_pb::OperationService> {
  static constexpr const char* kName = "orchestrator";
};

}  // namespace protector::cli
