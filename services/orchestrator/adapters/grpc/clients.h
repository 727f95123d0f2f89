#pragma once
// The ports of orchestrator whose other side is one of our services: storage-pure, metadata-sync, site-registry and the
// peer's orchestrator. Each is a thin translation: deadline and request id from the Call, errors with the service's
// name, site and address.
//
// Threads: safe for all. Ownership: each client owns its channel. Failure: see the ports; questions are repeated while
// the deadline lasts, changes are sent once (their repetition is the engine's decision).

#include <memory>
#include <string>

#include "libs/grpc/security.h"
#include "services/orchestrator/ports/array_port.h"
#include "services/orchestrator/ports/metadata_port.h"
#include "services/orchestrator/ports/sites_port.h"
#include "services/orchestrator/ports/source_cloud_port.h"

namespace protector::orchestrator {

struct ServiceAddress {
  std::string site;     // for errors
  std::string address;  // host:port
};

std::unique_ptr<ArrayPort> MakeArrayClient(const ServiceAddress& address, const rpc::Security& security);
std::unique_ptr<MetadataPort> MakeMetadataClient(const ServiceAddress& address, const rpc::Security& security);
std::unique_ptr<SourceCloudPort> MakePeerClient(const ServiceAddress& address, const rpc::Security& security);
// Answers GetSite, ListSites and MappedProject from a copy at most `kSitesMaxAge` old, and from an older one when the
// registry is down.
std::unique_ptr<SitesPort> MakeSitesClient(const ServiceAddress& address, const rpc::Security& security);

}  // namespace protector::orchestrator
