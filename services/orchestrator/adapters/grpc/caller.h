#pragma once
// What the clients of this directory share: from a Call to the options of a gRPC call.
//
// Threads: values. Failure: none.

#include <fmt/format.h>

#include <string>

#include "libs/grpc/client.h"
#include "services/orchestrator/adapters/grpc/clients.h"
#include "services/orchestrator/ports/call.h"

namespace protector::orchestrator {

class Caller {
 public:
  Caller(const std::string& service, const ServiceAddress& address)
      : target_(fmt::format("{} of {} at {}", service, address.site, address.address)), site_(address.site) {}

  // Asked again until the deadline.
  rpc::CallOptions Question(const Call& call) const { return Options(call, rpc::Repeat::kIfIdempotent); }
  // Sent once.
  rpc::CallOptions Change(const Call& call) const { return Options(call, rpc::Repeat::kOnce); }

 private:
  rpc::CallOptions Options(const Call& call, rpc::Repeat repeat) const {
    rpc::CallOptions options(call.timeout, target_);
    options.site = site_;
    options.request_id = call.request_id.empty() ? call.purpose.operation : call.request_id;
    options.purpose = call.purpose;
    options.repeat = repeat;
    return options;
  }

  std::string target_;
  std::string site_;
};

}  // namespace protector::orchestrator
