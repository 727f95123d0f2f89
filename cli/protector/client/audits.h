#pragma once
// AuditService, for Session::Call: three programs of a site have it, each for its own record; CallHow::service says
// which.

#include "cli/protector/client/session.h"
#include "protector/audit/v1/audit.grpc.pb.h"

namespace protector::cli {

namespace audit_pb = ::protector::audit::v1;

template <>
struct ServiceTraits<audit_pb::AuditService> {
  static constexpr const char* kName = "orchestrator";
};

}  // namespace protector::cli
