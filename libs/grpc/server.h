#pragma once
// A gRPC server as every service of the suite runs it: health v1, reflection, keepalive on its side, message limits,
// and a shutdown that first says NOT_SERVING, refuses new calls, lets running ones finish, and only then cuts them.
//
// Threads: Start and Drain from one thread. Ownership: the services and the host outlive the server. Failure: Start
// says which address cannot be bound and why.

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/grpc/host.h"
#include "libs/grpc/security.h"

namespace protector::rpc {

struct ServerOptions {
  std::string listen;  // "ip:port"; port 0 picks one
  Security security = Security::Insecure();
  int max_message_bytes = 64 << 20;
  absl::Duration drain_timeout = absl::Seconds(20);
};

class Server {
 public:
  static absl::StatusOr<std::unique_ptr<Server>> Start(const ServerOptions& options, Host& host,
                                                       const std::vector<::grpc::Service*>& services);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  int port() const { return port_; }
  // What the health service says for every service name; SERVING after Start.
  void SetServing(bool serving);
  // Graceful end; returns when no call runs any more.
  void Drain();

 private:
  Server(const ServerOptions& options, Host& host) : options_(options), host_(host) {}
  ServerOptions options_;
  Host& host_;
  std::unique_ptr<::grpc::Server> server_;
  int port_ = 0;
};

}  // namespace protector::rpc
