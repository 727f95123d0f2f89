#pragma once
// What the clients of this directory share: a channel to the service they call, and from a Call to the options of a
// gRPC call.
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
      : server_{address.site, service},
        address_(address.address),
        target_(fmt::format("{} of {} at {}", service, address.site, address.address)) {}

  // To nobody but that service of that site.
  std::shared_ptr<::grpc::Channel> Channel(const rpc::Security& security) const {
    return rpc::MakeChannel(address_, security.ForChannel(server_));
  }

  // Asked again until the deadline.
  rpc::CallOptions Question(const Call& call) const { return Options(call, rpc::Repeat::kIfIdempotent); }
  // Sent once.
  rpc::CallOptions Change(const Call& call) const { return Options(call, rpc::Repeat::kOnce); }

 private:
  rpc::CallOptions Options(const Call& call, rpc::Repeat repeat) const {
    rpc::CallOptions options(call.timeout, target_);
    options.site = server_.site;
    options.request_id = call.request_id.empty() ? call.purpose.operation : call.request_id;
    options.purpose = call.purpose;
    options.repeat = repeat;
    return options;
  }

  rpc::Identity server_;
  std::string address_;
  std::string target_;
};

}  // namespace protector::orchestrator
