#include "cli/protector/client/session.h"

#include <fmt/format.h>

#include "absl/time/clock.h"
#include "libs/base/error.h"
#include "libs/grpc/health.h"

namespace protector::cli {
namespace {

const std::map<std::string, failpoint::Site> kChanges = [] {
  std::map<std::string, failpoint::Site> changes;
  for (const auto& [method, change] : std::initializer_list<std::pair<const char*, const char*>>{
           {"CreateSite", "create-site"},
           {"UpdateSite", "update-site"},
           {"DeleteSite", "delete-site"},
           {"CreateTenantMapping", "create-tenant-mapping"},
           {"DeleteTenantMapping", "delete-tenant-mapping"},
           {"CreateGroup", "create-group"},
           {"UpdateGroup", "update-group"},
           {"DeleteGroup", "delete-group"},
           {"AddMembers", "add-members"},
           {"RemoveMembers", "remove-members"},
           {"SetMappings", "set-mappings"},
           {"SetPolicy", "set-policy"},
           {"StartFailover", "start-failover"},
           {"StartFailback", "start-failback"},
           {"CancelOperation", "cancel-operation"},
           {"PauseOperation", "pause-operation"},
           {"ResumeOperation", "resume-operation"},
           {"RetryOperation", "retry-operation"},
           {"SkipTask", "skip-task"},
           {"ApplyVersion", "apply-version"},
           {"ForceSync", "force-sync"},
       }) {
    changes.try_emplace(method, change, &rpc::LostCall);
  }
  return changes;
}();

// Waits until the channel is connected. A refused connection is known at once, a silent host after `limit`: a call
// alone would wait for its whole deadline.
bool Connect(::grpc::Channel& channel, absl::Duration limit) {
  const auto deadline = absl::ToChronoTime(absl::Now() + limit);
  while (true) {
    const grpc_connectivity_state state = channel.GetState(/*try_to_connect=*/true);
    if (state == GRPC_CHANNEL_READY) return true;
    if (state == GRPC_CHANNEL_TRANSIENT_FAILURE || state == GRPC_CHANNEL_SHUTDOWN) return false;
    if (!channel.WaitForStateChange(state, deadline)) return false;
  }
}

// What gRPC says of a channel that does not come about because one end does not trust the other; empty: it is something
// else.
std::string DistrustOn(const std::shared_ptr<::grpc::Channel>& channel) {
  const std::string cause =
      MessageOf(rpc::CheckHealth(channel, rpc::CallOptions(absl::Milliseconds(500), "the service")));
  for (const char* sign : {"andshake", "ertificate"}) {
    if (cause.find(sign) != std::string::npos) return cause;
  }
  return "";
}

absl::Status NotConnected(const SiteAddress& site, const std::string& service, const std::string& address,
                          const std::shared_ptr<::grpc::Channel>& channel) {
  const std::string label = Label(site);
  if (const std::string cause = DistrustOn(channel); !cause.empty()) {
    return Error(absl::StatusCode::kUnavailable, "SERVICE_NOT_TRUSTED",
                 fmt::format("no trusted connection to {} of site {} at {}: {}", service, label, address, cause))
        .Object(fmt::format("{} at {}", service, address))
        .Site(label)
        .Remedy(
            "Check that ca.pem holds the CA of that site's certificates and that neither cli.pem nor the service's "
            "certificate has expired or is another program's: `protector-pki show FILE`.");
  }
  return Error(absl::StatusCode::kUnavailable, "SERVICE_UNREACHABLE",
               fmt::format("{} of site {} does not answer at {}", service, label, address))
      .Object(fmt::format("{} at {}", service, address))
      .Site(label)
      .Remedy(
          site.name.empty()
              ? std::string("Check that the service runs there and can be reached from here.")
              : fmt::format(
                    "Check that the service runs and can be reached from here; `protector site validate {}` tells more.",
                    site.name));
}

}  // namespace

const failpoint::Site* ChangeOf(const std::string& method) {
  const auto found = kChanges.find(method);
  return found == kChanges.end() ? nullptr : &found->second;
}

void Session::SetSites(std::vector<SiteAddress> sites) {
  sites_ = std::move(sites);
  for (const SiteAddress& site : sites_) {
    if (site.local) local_ = site;
  }
}

std::shared_ptr<::grpc::Channel> Session::ChannelTo(const std::string& address, const rpc::Identity& server) {
  std::lock_guard lock(mutex_);
  auto& channel = channels_[{address, server}];
  if (channel == nullptr) channel = rpc::MakeChannel(address, options_.security.ForChannel(server));
  return channel;
}

bool Session::TokenRefused(const absl::Status& status) {
  return absl::IsUnauthenticated(status) && DetailOf(status).reason == "TOKEN_REFUSED";
}

Session::Begun Session::Begin(const SiteAddress& site, const std::string& service, const std::string& address,
                              const char* method, bool renew) {
  Begun begun{Label(site), service, method, address, absl::Now(), nullptr, {}, absl::OkStatus()};
  if (address.empty()) {
    begun.status =
        Error(absl::StatusCode::kFailedPrecondition, "NO_ADDRESS",
              fmt::format("the address of {} at site {} is not known", service, begun.site))
            .Object(fmt::format("site {}", begun.site))
            .Remedy("Set it with `protector site set`, or in the configuration file (`protector help config`).");
    return begun;
  }
  begun.channel = ChannelTo(address, {site.name, service});
  if (!Connect(*begun.channel, options_.connect_timeout)) {
    begun.status = NotConnected(site, service, address, begun.channel);
    return begun;
  }
  if (!options_.credentials) return begun;
  auto credentials = options_.credentials(site, home_ ? *home_ : local_, renew);
  begun.status = credentials.status();
  if (credentials.ok()) begun.credentials = *std::move(credentials);
  return begun;
}

rpc::CallOptions Session::OptionsFor(const Begun& begun, const CallHow& how) const {
  rpc::CallOptions options(how.timeout > absl::ZeroDuration() ? how.timeout : options_.timeout,
                           fmt::format("{} of site {} at {}", begun.service, begun.site, begun.address));
  options.site = begun.site;
  options.request_id = how.request_id;
  options.project = how.project.id.empty() ? how.project.name : how.project.id;
  options.project_domain = how.project.id.empty() ? how.project.domain : "";
  options.user = options_.user;
  options.credentials = begun.credentials;
  options.repeat = how.idempotent ? rpc::Repeat::kIfIdempotent : rpc::Repeat::kOnce;
  options.max_attempts = 2;  // a person waits: say what is wrong rather than try for long
  return options;
}

absl::Status Session::End(const Begun& begun, const absl::Status& status) {
  if (options_.note) {
    const std::lock_guard lock(mutex_);
    options_.note({begun.site, begun.service + "." + begun.method, begun.address, absl::Now() - begun.started, status});
  }
  return status;
}

}  // namespace protector::cli
