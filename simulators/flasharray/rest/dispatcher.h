// From an HTTP request to a handler and back: power, faults, latency, version gate, session, role, strict checks, the
// journal of requests, the error body.
//
// Threads: Serve is called on many at once. Ownership: borrows everything in Context, owns the routes. Failure: every
// failure becomes an answer.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <string>

#include "simulators/flasharray/control/faults.h"
#include "simulators/flasharray/control/request_log.h"
#include "simulators/flasharray/control/settings.h"
#include "simulators/flasharray/model/db.h"
#include "simulators/flasharray/rest/call.h"
#include "simulators/flasharray/rest/http_server.h"
#include "simulators/flasharray/rest/session.h"
#include "simulators/flasharray/rest/spec.h"

namespace protector::fasim {

class PeerLinks;

struct Context {
  const Options* options = nullptr;
  Settings* settings = nullptr;
  Db* db = nullptr;
  Faults* faults = nullptr;
  Sessions* sessions = nullptr;
  RequestLog* log = nullptr;
  PeerLinks* peers = nullptr;  // what is known about the other arrays
};

// Runs in a transaction that the dispatcher commits when it returns.
using RestHandler = std::function<Answer(Tx&, const Call&)>;
// Runs before the transaction and without the lock: for what must talk to a peer first.
using BeforeHandler = std::function<void(Call*)>;

class Dispatcher {
 public:
  explicit Dispatcher(Context context);

  void Route(const std::string& method, const std::string& path, RestHandler handler);
  void Before(const std::string& method, const std::string& path, BeforeHandler handler);
  // Runs after the commit, without the lock: for what must be on the peer before the answer.
  void After(std::function<void(const std::vector<Effect>&)> hook) { after_ = std::move(hook); }
  void Serve(const HttpRequest& request, HttpResponse* response);
  const Context& context() const { return context_; }

 private:
  void Execute(const HttpRequest& request, Call* call, HttpResponse* response, Json* entry);
  void Login(const HttpRequest& request, HttpResponse* response);
  void CheckRole(const Call& call, const std::string& role) const;
  std::string RenderAnswer(const Call& call, const Answer& answer) const;
  void Delay();

  Context context_;
  Spec spec_;
  std::map<std::string, RestHandler> handlers_;
  std::map<std::string, BeforeHandler> before_;
  std::function<void(const std::vector<Effect>&)> after_;
  std::mutex random_mutex_;
  std::mt19937_64 random_;
};

std::string ErrorBody(const ApiError& error);

// Each registers its operations; see the files of the same names.
void AddArrayRoutes(Dispatcher* dispatcher);
void AddConnectionRoutes(Dispatcher* dispatcher);
void AddVolumeRoutes(Dispatcher* dispatcher);
void AddSnapshotRoutes(Dispatcher* dispatcher);
void AddVolumeGroupRoutes(Dispatcher* dispatcher);
void AddHostRoutes(Dispatcher* dispatcher);
void AddGroupRoutes(Dispatcher* dispatcher);
void AddGroupMemberRoutes(Dispatcher* dispatcher);
void AddGroupSnapshotRoutes(Dispatcher* dispatcher);
void AddPodRoutes(Dispatcher* dispatcher);
void AddLinkRoutes(Dispatcher* dispatcher);
void AddRemoteRoutes(Dispatcher* dispatcher);
void AddHardwareRoutes(Dispatcher* dispatcher);
void AddAdminRoutes(Dispatcher* dispatcher);

}  // namespace protector::fasim
