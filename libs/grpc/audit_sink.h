#pragma once
// Where a service's host records who asked for a change, what was decided and what came of it (libs/audit).
//
// Threads: every method may be called from any thread. Ownership: the sink outlives the host's server. Failure: a
// change whose beginning cannot be recorded is not made.

#include <google/protobuf/message.h>

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/grpc/call_context.h"

namespace protector::rpc {

class AuditSink {
 public:
  virtual ~AuditSink() = default;

  // Whether calls of this method ("CreateGroup") by users go on record: those that change something.
  virtual bool Records(const std::string& method) const = 0;
  // Durable when it returns: the change is about to be made. The record's number.
  virtual absl::StatusOr<int64_t> Begin(const CallContext& call, const google::protobuf::Message& request) = 0;
  // What came of it; `response` is null when it failed.
  virtual void End(int64_t begun, const CallContext& call, const absl::Status& outcome,
                   const google::protobuf::Message* response) = 0;
  // It was refused before it began.
  virtual void Refused(const CallContext& call, const google::protobuf::Message& request,
                       const absl::Status& reason) = 0;
};

}  // namespace protector::rpc
