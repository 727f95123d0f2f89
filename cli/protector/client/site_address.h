#pragma once
// Where a site's four services are, and which site the user means.
//
// The site is the one that the credentials name: its auth_url is looked up in the configuration file; without an entry
// there the services are expected on the auth_url's host and their standard ports.
//
// Threads: values and pure functions. Failure: a USAGE error when nothing names a site.

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace protector::cli {

struct SiteAddress {
  std::string name = "";  // empty: not known yet (its registry was not asked)
  std::string auth_url = "";
  std::string site_registry = "";
  std::string metadata_sync = "";
  std::string orchestrator = "";
  std::string storage_pure = "";
  std::string cloud = "";  // of clouds.yaml, with credentials for this site; empty: none is configured
  bool local = false;      // the site whose credentials are used

  bool operator==(const SiteAddress&) const = default;
};

// "127.0.10.1" of "http://127.0.10.1:5000/v3"; an IPv6 address keeps its brackets. Empty: not a URL.
std::string HostOfUrl(const std::string& url);
// The same with the port ("host:5000"); the scheme's own port when there is none.
std::string HostAndPortOfUrl(const std::string& url);

// Endpoints that are missing are set to the auth_url's host and the standard ports 7101 to 7104.
void FillDefaultPorts(SiteAddress& site);

// Where a program of the site ("orchestrator") listens.
const std::string& AddressOfService(const SiteAddress& site, const std::string& service);

// What to call a site in messages: its name, else its host.
std::string Label(const SiteAddress& site);

struct SiteChoice {
  SiteAddress site;
  // --site named a site that only the registry of `site` can know: ask there.
  bool ask_registry_for_wanted = false;
};

absl::StatusOr<SiteChoice> ChooseSite(const std::string& wanted, const std::string& auth_url,
                                      const std::vector<SiteAddress>& configured);

}  // namespace protector::cli
