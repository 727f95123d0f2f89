#pragma once
// The ports of one site, local or remote: how an operation reaches its source and its target alike.
//
// Threads: For may be called from any thread. Ownership: the factory owns the ports; they live as long as it does (an
// endpoint that changes makes new ones, the old ones stay until the end). Failure: SITE_NOT_FOUND; a site that is not
// reachable has ports all the same, their calls fail.

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "services/orchestrator/ports/array_port.h"
#include "services/orchestrator/ports/metadata_port.h"
#include "services/orchestrator/ports/source_cloud_port.h"

namespace protector::orchestrator {

struct SitePorts {
  std::string site;
  ArrayPort* array = nullptr;
  MetadataPort* metadata = nullptr;
  SourceCloudPort* cloud = nullptr;
};

class PortsFactory {
 public:
  virtual ~PortsFactory() = default;
  virtual absl::StatusOr<SitePorts> For(const std::string& site) = 0;
};

}  // namespace protector::orchestrator
