#pragma once
// A service's audit: puts the changes that users ask for and the decisions that the service takes on record
// (audit_log.h), answers AuditService, and tells the peer at the other site how far the chain has come, so that a chain
// that was cut or written anew is found even if somebody owned this machine.
//
//   PROTECTOR_ASSIGN_OR_RETURN(auto audit, audit::Audit::Make(environment, "orchestrator", RecordedMethods(), peer));
//   ... Services(): {..., audit->service()}
//
// Threads: all methods may be called from any thread; one thread inside tells the peer. Ownership: the environment
// outlives it; it outlives the server. Failure: Make: a file that cannot be opened. A change that cannot be put on
// record is refused with the store's reason (STORE_FULL, ...); an outcome that cannot be is in the service's log.

#include <grpcpp/grpcpp.h>

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/audit/audit_log.h"
#include "libs/config/config.h"
#include "libs/grpc/audit_sink.h"
#include "libs/grpc/service_main.h"
#include "libs/users/users.h"

namespace protector::audit {

// audit.path.
config::Schema AuditConfigKeys();

// The rows of AuditService for a program's table of callers, and the rules of its methods.
std::vector<std::pair<std::set<rpc::Caller>, std::vector<std::string>>> AuditRows(const std::string& program);
users::Targets AuditTargets();

// What a record says of a request: its JSON, at most 4096 bytes.
std::string RequestText(const google::protobuf::Message& request);
// What an answer shows: "id=op-... version=7".
std::string EvidenceText(const google::protobuf::Message& response);

class Audit final : public rpc::AuditSink {
 public:
  static absl::StatusOr<std::unique_ptr<Audit>> Make(const rpc::Environment& environment, const std::string& program,
                                                     const std::set<std::string>& recorded, users::PeerAddress peer);
  ~Audit() override;

  ::grpc::Service* service();
  AuditLog& log();

  bool Records(const std::string& method) const override;
  absl::StatusOr<int64_t> Begin(const rpc::CallContext& call, const google::protobuf::Message& request) override;
  void End(int64_t begun, const rpc::CallContext& call, const absl::Status& outcome,
           const google::protobuf::Message* response) override;
  void Refused(const rpc::CallContext& call, const google::protobuf::Message& request,
               const absl::Status& reason) override;

  // Something that the service decided: "operation accepted", and about what, in words.
  void Decided(const std::string& what, const std::string& about, const std::string& evidence,
               const std::string& request_id);

 private:
  struct Parts;
  explicit Audit(std::unique_ptr<Parts> parts);
  absl::StatusOr<Head> Append(pb::Record record);
  std::unique_ptr<Parts> parts_;
};

}  // namespace protector::audit
