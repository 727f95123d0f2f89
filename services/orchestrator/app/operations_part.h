#pragma once
// The operations' part of the component graph: engine, director, quarantine, and their threads.
//
// Threads: Start and Stop from one. Ownership: everything passed in outlives it. Failure: Start says what cannot be
// read.

#include <memory>
#include <thread>

#include "libs/grpc/service_main.h"
#include "services/orchestrator/domain/operations/director.h"
#include "services/orchestrator/domain/operations/starter.h"
#include "services/orchestrator/domain/quarantine/quarantine.h"

namespace protector::orchestrator {

void AddOperationKeys(config::Schema& schema);

class OperationsPart {
 public:
  OperationsPart(const rpc::Environment& environment, store::Store& store, EpochGuard& guard, PortsFactory& ports,
                 SitesPort& sites, TargetCloudPort& target, std::shared_ptr<Decisions> decisions);
  ~OperationsPart() { Stop(); }

  std::unique_ptr<::grpc::Service> MakeService(rpc::Host& host);
  // Operations that were under way go on once the peer has been asked for every group's epoch (or did not answer).
  absl::Status Start();
  void Stop();

 private:
  OperationContext context_;
  OperationsDirector director_;
  std::unique_ptr<ThreadExecutor> executor_;
  Engine engine_;
  Starter starter_;
  Quarantine quarantine_;
  std::thread turning_;
  std::thread watching_;
};

}  // namespace protector::orchestrator
