#pragma once
// The services of both sites, as one command uses them: which site is local, where the other one is, calls with a
// deadline and a short limit for connecting, in the name of the user's project. Every call is noted for --timing and
// --debug.
//
// Threads: Call may be used from several threads at once (both sites are asked side by side); everything else from one.
// Ownership: the session owns its channels. Failure: the service's own error; a service that does not answer:
// SERVICE_UNREACHABLE or SERVICE_TIMEOUT with its site and address.

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "cli/protector/client/site_address.h"
#include "libs/grpc/client.h"
#include "libs/grpc/security.h"

namespace protector::cli {

// A project as it is sent with a request. All empty: none.
struct ProjectRef {
  std::string id;
  std::string name;
  std::string domain;

  bool empty() const { return id.empty() && name.empty(); }
};

struct CallNote {
  std::string site;
  std::string method;
  std::string address;
  absl::Duration duration;
  absl::Status status;
};

struct SessionOptions {
  absl::Duration timeout = absl::Seconds(30);
  absl::Duration connect_timeout = absl::Milliseconds(1500);
  ProjectRef project;  // of the credentials, at the local site
  std::string user;
  rpc::Security security = rpc::Security::Insecure();
  // What proves to a service of `site` which user calls; `home` is the site of the credentials. Null: nothing does.
  std::function<absl::StatusOr<rpc::Credentials>(const SiteAddress& site, const SiteAddress& home, bool renew)>
      credentials = {};
  std::function<void(const CallNote&)> note = {};     // after each call; from any thread
  std::function<void(const std::string&)> warn = {};  // something the user should know
};

// Beyond the request itself.
struct CallHow {
  ProjectRef project = {};                        // in whose name; empty: nobody's
  absl::Duration timeout = absl::ZeroDuration();  // zero: the session's
  bool idempotent = true;                         // repeating it after a broken connection does no harm
  std::string request_id = "";
  std::string service = "";  // of the programs that have the service; empty: the one that alone has it
};

// The failpoints around a method that changes something; nullptr: it only asks.
const failpoint::Site* ChangeOf(const std::string& method);

// Which service a stub is of: specialised in the headers of the single areas.
template <typename Service>
struct ServiceTraits;

// Ends a stream that is being read on another thread.
class StreamControl {
 public:
  void Cancel() {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    if (context_ != nullptr) context_->TryCancel();
  }
  // The stream's context while it is read; false: cancelled already.
  bool Hold(::grpc::ClientContext* context) {
    const std::lock_guard lock(mutex_);
    context_ = context;
    return !cancelled_;
  }

 private:
  std::mutex mutex_;
  ::grpc::ClientContext* context_ = nullptr;
  bool cancelled_ = false;
};

class Session {
 public:
  // `home`: the site of the credentials, when it is not the local one.
  Session(SiteAddress local, std::vector<SiteAddress> configured, SessionOptions options,
          std::optional<SiteAddress> home = std::nullopt)
      : local_(std::move(local)),
        configured_(std::move(configured)),
        options_(std::move(options)),
        home_(std::move(home)) {}

  const SessionOptions& options() const { return options_; }
  // The site of the credentials. Its name may not be known before Sites() was asked.
  const SiteAddress& local() const { return local_; }

  // An answer of the local site has said what it is called.
  void NameLocal(const std::string& name) {
    if (local_.name.empty()) local_.name = name;
  }

  // Gives the session its knowledge of all sites, the local one first. Set by FindSites (sites.h) once it was asked.
  const std::vector<SiteAddress>& known_sites() const { return sites_; }
  void SetSites(std::vector<SiteAddress> sites);
  const std::vector<SiteAddress>& configured() const { return configured_; }

  template <typename Service, typename Request, typename Response>
  absl::StatusOr<Response> Call(const SiteAddress& site,
                                ::grpc::Status (Service::StubInterface::*method)(::grpc::ClientContext*, const Request&,
                                                                                 Response*),
                                const char* name, const Request& request, const CallHow& how = {}) {
    const std::string service = how.service.empty() ? ServiceTraits<Service>::kName : how.service;
    for (bool renew = false;; renew = true) {
      const Begun begun = Begin(site, service, AddressOfService(site, service), name, renew);
      if (!begun.status.ok()) return End(begun, begun.status);
      auto stub = Service::NewStub(begun.channel);
      auto& interface = static_cast<typename Service::StubInterface&>(*stub);
      const failpoint::Site* change = ChangeOf(name);
      absl::StatusOr<Response> response = change != nullptr
                                              ? rpc::Change(*change, interface, method, request, OptionsFor(begun, how))
                                              : rpc::Call(interface, method, request, OptionsFor(begun, how));
      if (const absl::Status ended = End(begun, response.status()); !ended.ok()) {
        // A token that was kept may have been revoked: nothing was done, and there may be a better one.
        if (TokenRefused(ended) && !renew) continue;
        return ended;
      }
      return response;
    }
  }

  // Reads a stream until its end, until `take` returns false or until it is cancelled. Connecting is limited as for
  // calls, reading is not.
  template <typename Service, typename Request, typename Event>
  absl::Status Read(const SiteAddress& site,
                    std::unique_ptr<::grpc::ClientReaderInterface<Event>> (Service::StubInterface::*method)(
                        ::grpc::ClientContext*, const Request&),
                    const char* name, const Request& request, const CallHow& how, StreamControl& control,
                    const std::function<bool(const Event&)>& take) {
    for (bool renew = false;;) {
      const Begun begun = Begin(site, ServiceTraits<Service>::kName,
                                AddressOfService(site, ServiceTraits<Service>::kName), name, renew);
      if (!begun.status.ok()) return End(begun, begun.status);
      auto stub = Service::NewStub(begun.channel);
      const rpc::CallOptions options = OptionsFor(begun, how);
      ::grpc::ClientContext context;
      rpc::Prepare(context, options, absl::Now() + options.timeout);
      if (!control.Hold(&context)) return End(begun, absl::CancelledError("cancelled"));
      auto reader = (static_cast<typename Service::StubInterface&>(*stub).*method)(&context, request);
      Event event;
      bool stopped = false, heard = false;
      while (!stopped && reader->Read(&event)) {
        heard = true;
        stopped = !take(event);
      }
      if (stopped) context.TryCancel();
      const ::grpc::Status status = reader->Finish();
      control.Hold(nullptr);
      const absl::Status ended = End(begun, stopped ? absl::OkStatus() : rpc::Conclude(status, options));
      // Streams outlive tokens.
      if (!TokenRefused(ended) || (renew && !heard)) return ended;
      renew = true;
    }
  }

 private:
  struct Begun {
    std::string site;
    std::string service;
    std::string method;
    std::string address;
    absl::Time started;
    std::shared_ptr<::grpc::Channel> channel;
    rpc::Credentials credentials;
    absl::Status status;
  };

  // Whether the service did not accept the user's token; it has done nothing then.
  static bool TokenRefused(const absl::Status& status);
  Begun Begin(const SiteAddress& site, const std::string& service, const std::string& address, const char* method,
              bool renew);
  rpc::CallOptions OptionsFor(const Begun& begun, const CallHow& how) const;
  absl::Status End(const Begun& begun, const absl::Status& status);
  std::shared_ptr<::grpc::Channel> ChannelTo(const std::string& address, const rpc::Identity& server);

  SiteAddress local_;
  std::vector<SiteAddress> configured_;
  std::vector<SiteAddress> sites_;
  SessionOptions options_;
  std::optional<SiteAddress> home_;
  std::mutex mutex_;
  std::map<std::pair<std::string, rpc::Identity>, std::shared_ptr<::grpc::Channel>> channels_;
};

}  // namespace protector::cli
