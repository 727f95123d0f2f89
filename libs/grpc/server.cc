#include "libs/grpc/server.h"

#include <fmt/format.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>

#include <chrono>

#include "libs/base/error.h"

namespace protector::rpc {

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const ServerOptions& options, Host& host,
                                                      const std::vector<::grpc::Service*>& services) {
  ::grpc::EnableDefaultHealthCheckService(true);
  ::grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  auto server = std::unique_ptr<Server>(new Server(options, host));
  ::grpc::ServerBuilder builder;
  builder.AddListeningPort(options.listen, options.security.ForServer(), &server->port_);
  builder.SetMaxReceiveMessageSize(options.max_message_bytes);
  builder.SetMaxSendMessageSize(options.max_message_bytes);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 10000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 5000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // Clients ping every 10 s, also without calls; a stricter server would cut them off for it.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5000);
  // Two instances of a service on one address would share its connections; the second one has to fail.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  for (::grpc::Service* service : services) builder.RegisterService(service);
  server->server_ = builder.BuildAndStart();
  if (server->server_ == nullptr || server->port_ == 0) {
    return Error(absl::StatusCode::kUnavailable, "LISTEN_FAILED", fmt::format("cannot listen on {}", options.listen))
        .Object("address " + options.listen)
        .Remedy("Set `listen` to a free address of this machine, or end the program that uses it.");
  }
  server->SetServing(true);
  return server;
}

Server::~Server() {
  if (server_ != nullptr) Drain();
}

void Server::SetServing(bool serving) {
  if (server_->GetHealthCheckService() != nullptr) server_->GetHealthCheckService()->SetServingStatus(serving);
}

void Server::Drain() {
  SetServing(false);
  host_.Drain();
  server_->Shutdown(std::chrono::system_clock::now() +
                    std::chrono::milliseconds(absl::ToInt64Milliseconds(options_.drain_timeout)));
  server_->Wait();
  server_.reset();
}

}  // namespace protector::rpc
