// One service on its port: token, microversion, faults, latency, routing, journal, errors in the service's own shape.
// Threads: requests run concurrently; a locked route runs under the site's lock. Failure: Start returns an error text.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "simulators/openstack/core/site.h"
#include "simulators/openstack/http/listener.h"
#include "simulators/openstack/http/router.h"

namespace protector::ossim {

// What differs from service to service.
struct Service {
  std::string name;  // nova, cinder, ...
  Router router;
  bool has_latency_per_method = false;  // classes NAME_get and NAME_post instead of NAME
  bool refuses_chunks = false;          // as the services under uwsgi do
  std::function<Response(const ApiError&)> error;
  // Reads the microversion the request asks for; throws ApiError (406, 400). Absent: none.
  std::function<void(Request&)> negotiate;
  // Headers that every answer carries.
  std::function<void(const Request&, Response&)> decorate;
  // Takes the project out of the path and checks it against the token.
  std::function<void(std::vector<std::string>& segments, Request&)> rewrite;
  // Run before the handler when the token is known (the project of the path).
  std::function<void(Request&)> authorised;
};

class ApiServer {
 public:
  using Authenticate = std::function<std::optional<Identity>(const std::string& token)>;

  ApiServer(Site& site, std::unique_ptr<Service> service, Authenticate authenticate);
  std::string Start();
  void Stop();

 private:
  WireResponse Serve(const WireRequest& wire);
  Response Run(Request& request);
  Response Guarded(Request& request);
  Response Fault(const Request& request, const struct TransportFault& fault);
  WireResponse Finish(const Request& request, Response response);
  void Note(const Request& request, int status, const std::string& fault, int64_t started_ms);

  Site& site_;
  std::unique_ptr<Service> service_;
  Authenticate authenticate_;
  Listener listener_;
};

// Reads "compute 2.93" style headers. `legacy` is Nova's own header, empty where there is none.
Microversion NegotiateMicroversion(Request& request, const std::string& type, const std::string& legacy,
                                   Microversion lowest, Microversion highest);

}  // namespace protector::ossim
