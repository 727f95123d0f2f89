#pragma once
// site-registry's calls, and what follows from them: where all sites are, and which project of one site is which of the
// other.
//
// Threads: from one thread. Failure: as Session::Call.

#include <string>
#include <vector>

#include "cli/protector/client/session.h"
#include "protector/site/v1/site.grpc.pb.h"

namespace protector::cli {

namespace site_pb = ::protector::site::v1;

template <>
struct ServiceTraits<site_pb::SiteRegistryService> {
  static constexpr const char* kName = "site-registry";
};

SiteAddress AddressOf(const site_pb::Site& site);

// All sites, the local one first: from the local registry, with the configuration file on top; from the configuration
// file alone when the registry does not answer. Asked once for a session.
absl::StatusOr<std::vector<SiteAddress>> FindSites(Session& session);

// By name. NOT_FOUND names the sites that there are.
absl::StatusOr<SiteAddress> FindSite(Session& session, const std::string& name);

// The name of the local site.
absl::StatusOr<std::string> LocalName(Session& session);

// Every page of the registry's sites.
absl::StatusOr<std::vector<site_pb::Site>> ListAllSites(
    Session& session, const SiteAddress& registry,
    site_pb::ListSitesRequest::View view = site_pb::ListSitesRequest::FULL);

// The user's project as `site` knows it: the credentials' own at the local site, else by tenant mapping, else by its
// name. USAGE when the credentials name no project.
absl::StatusOr<ProjectRef> ProjectAt(Session& session, const SiteAddress& site);

}  // namespace protector::cli
