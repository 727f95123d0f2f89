#pragma once
// The ports of both sites: this site's services from the configuration, the other's from the addresses that
// site-registry knows.
//
// Threads: safe for all. Ownership: owns all clients it made, until its end (an address that changed makes new ones).
// Failure: see site_ports.h.

#include <memory>
#include <string>

#include "services/orchestrator/adapters/grpc/clients.h"
#include "services/orchestrator/ports/site_ports.h"
#include "services/orchestrator/ports/sites_port.h"

namespace protector::orchestrator {

// `local_cloud` may be null until SetLocalCloud: the local cloud itself needs the local metadata port.
class GrpcPorts final : public PortsFactory {
 public:
  GrpcPorts(SitesPort& sites, const rpc::Security& security, const std::string& metadata_address,
            const std::string& storage_address);
  ~GrpcPorts() override;

  void SetLocalCloud(SourceCloudPort& cloud);
  MetadataPort& local_metadata();

  absl::StatusOr<SitePorts> For(const std::string& site) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace protector::orchestrator
