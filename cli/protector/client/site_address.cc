#include "cli/protector/client/site_address.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "cli/protector/args/usage.h"

namespace protector::cli {
namespace {

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// "host:port" as written, without user and path.
std::string Authority(const std::string& url) {
  const size_t scheme = url.find("://");
  if (scheme == std::string::npos) return "";
  std::string rest = url.substr(scheme + 3);
  rest = rest.substr(0, rest.find_first_of("/?#"));
  if (const size_t at = rest.rfind('@'); at != std::string::npos) rest = rest.substr(at + 1);
  return Lower(rest);
}

size_t PortColon(const std::string& authority) {
  const size_t colon = authority.rfind(':');
  const size_t bracket = authority.rfind(']');
  return colon != std::string::npos && (bracket == std::string::npos || colon > bracket) ? colon : std::string::npos;
}

}  // namespace

std::string HostOfUrl(const std::string& url) {
  const std::string authority = Authority(url);
  return authority.substr(0, PortColon(authority));
}

std::string HostAndPortOfUrl(const std::string& url) {
  const std::string authority = Authority(url);
  if (authority.empty() || PortColon(authority) != std::string::npos) return authority;
  return authority + (Lower(url).starts_with("https") ? ":443" : ":80");
}

void FillDefaultPorts(SiteAddress& site) {
  const std::string host = HostOfUrl(site.auth_url);
  if (host.empty()) return;
  const auto fill = [&](std::string& address, int port) {
    if (address.empty()) address = fmt::format("{}:{}", host, port);
  };
  fill(site.site_registry, 7101);
  fill(site.metadata_sync, 7102);
  fill(site.orchestrator, 7103);
  fill(site.storage_pure, 7104);
}

const std::string& AddressOfService(const SiteAddress& site, const std::string& service) {
  if (service == "site-registry") return site.site_registry;
  if (service == "metadata-sync") return site.metadata_sync;
  return service == "orchestrator" ? site.orchestrator : site.storage_pure;
}

std::string Label(const SiteAddress& site) {
  if (!site.name.empty()) return site.name;
  const std::string host = HostOfUrl(site.auth_url);
  return host.empty() ? site.site_registry : host;
}

absl::StatusOr<SiteChoice> ChooseSite(const std::string& wanted, const std::string& auth_url,
                                      const std::vector<SiteAddress>& configured) {
  const auto pick = [](SiteAddress site) {
    FillDefaultPorts(site);
    site.local = true;
    return SiteChoice{std::move(site), false};
  };
  for (const SiteAddress& site : configured) {
    if (!wanted.empty() && site.name == wanted) return pick(site);
  }
  if (!auth_url.empty()) {
    if (HostOfUrl(auth_url).empty())
      return UsageError(fmt::format("the auth_url '{}' is not a URL", auth_url))
          .Remedy("Correct OS_AUTH_URL or clouds.yaml.");
    SiteChoice choice = pick({.auth_url = auth_url});
    for (const SiteAddress& site : configured) {
      if (HostAndPortOfUrl(site.auth_url) == HostAndPortOfUrl(auth_url)) choice = pick(site);
    }
    choice.ask_registry_for_wanted = !wanted.empty();
    return choice;
  }
  if (wanted.empty() && configured.size() == 1) return pick(configured.front());
  if (!wanted.empty() || !configured.empty()) {
    return UsageError(
               wanted.empty()
                   ? "no credentials say which site to ask"
                   : fmt::format(
                         "site '{}' is not in the configuration file, and no credentials name a site that could be asked for it",
                         wanted))
        .Remedy("Give --site with a site of the configuration file, or source a site's openrc file.");
  }
  return UsageError("no credentials: nothing says which site to ask")
      .Remedy(
          "Source a site's openrc file (OS_AUTH_URL, OS_USERNAME, ...), or set OS_CLOUD or --os-cloud to a cloud of clouds.yaml.");
}

}  // namespace protector::cli
