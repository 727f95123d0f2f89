#include "simulators/openstack/http/api_server.h"

#include <chrono>
#include <cstdio>
#include <thread>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "simulators/openstack/core/util.h"

namespace protector::ossim {
namespace {

bool Changes(const std::string& method) {
  return method != "GET" && method != "HEAD" && method != "OPTIONS";
}

Response Unauthorized(const Site& site) {
  Response r = Response::Json(401, {{"error",
                                     {{"code", 401},
                                      {"title", "Unauthorized"},
                                      {"message", "The request you have made requires authentication."}}}});
  r.headers.emplace_back("WWW-Authenticate", fmt::format("Keystone uri=\"{}/v3\"", site.config.Url("keystone")));
  return r;
}

}  // namespace

ApiServer::ApiServer(Site& site, std::unique_ptr<Service> service, Authenticate authenticate)
    : site_(site),
      service_(std::move(service)),
      authenticate_(std::move(authenticate)),
      listener_(site.config.ip, site.config.Port(service_->name), [this](const WireRequest& w) { return Serve(w); }) {}

std::string ApiServer::Start() {
  return listener_.Listen();
}
void ApiServer::Stop() {
  listener_.Stop();
}

WireResponse ApiServer::Serve(const WireRequest& wire) {
  int64_t started = NowMs();
  Request request;
  request.service = service_->name;
  request.method = wire.method;
  request.path = wire.path;
  request.query = wire.query;
  request.headers = wire.headers;
  request.body = wire.body;
  request.request_id = "req-" + NewUuid();
  request.host = request.Header("host");

  auto fault = site_.faults.Match(service_->name, wire.method, wire.path, wire.body);
  std::string latency = service_->name;
  if (service_->has_latency_per_method) latency += Changes(wire.method) ? "_post" : "_get";
  int64_t delay = site_.latency.SampleMs(latency);
  if (fault && fault->action == "delay") delay += fault->delay_ms;
  if (delay > 0) std::this_thread::sleep_for(std::chrono::milliseconds(delay));

  std::string fault_name = fault ? fault->action : "";
  WireResponse cut;
  cut.cut = true;
  if (fault && (fault->action == "cut_before" || fault->action == "black_hole")) {
    request.content = json::parse(request.body, nullptr, false);
    Note(request, 0, fault_name, started);
    if (fault->action == "black_hole") site_.faults.Hold(fault->id, fault->delay_ms);
    return cut;
  }
  if (fault && fault->action == "error") {
    request.content = json::parse(request.body, nullptr, false);
    Response r = Fault(request, *fault);
    Note(request, r.status, fault_name, started);
    return Finish(request, std::move(r));
  }
  Response response = Guarded(request);
  Note(request, response.status, fault_name, started);
  if (fault && fault->action == "execute_then_hang") site_.faults.Hold(fault->id, fault->delay_ms);
  if (fault && (fault->action == "execute_then_cut" || fault->action == "execute_then_hang")) return cut;
  return Finish(request, std::move(response));
}

Response ApiServer::Guarded(Request& request) {
  try {
    return Run(request);
  } catch (const ApiError& e) {
    return service_->error(e);
  } catch (const json::exception& e) {
    return service_->error(ApiError{400, fmt::format("Malformed request body: {}", e.what()), "HTTPBadRequest", {}});
  } catch (const std::exception& e) {
    spdlog::error("{} {} {}: {}", request.service, request.method, request.path, e.what());
    return service_->error(ApiError{500, "Unexpected API Error.", "", {}});
  }
}

Response ApiServer::Run(Request& request) {
  if (service_->refuses_chunks && !request.Header("transfer-encoding").empty())
    Fail(400, "A chunked request body is not accepted.");
  if (!request.body.empty() && request.Header("content-type").find("octet-stream") == std::string::npos) {
    request.content = json::parse(request.body, nullptr, false);
    if (request.content.is_discarded()) {
      request.content = nullptr;
      Fail(400, "Malformed request body", "HTTPBadRequest");
    }
  }
  std::vector<std::string> segments = Split(request.path, '/');
  if (service_->rewrite) service_->rewrite(segments, request);
  const Route* route = nullptr;
  std::vector<std::string> args;
  auto found = service_->router.Find(request.method, segments, &route, &args);
  request.args = std::move(args);
  bool needs_token = found != Router::Result::kFound || route->needs_token;
  auto authenticate = [&]() -> bool {
    if (!needs_token) return true;
    auto identity = authenticate_(request.Header("x-auth-token"));
    if (!identity) return false;
    request.identity = std::move(*identity);
    return true;
  };
  auto check = [&] {
    if (service_->negotiate) service_->negotiate(request);
    if (found == Router::Result::kNoPath) Fail(404, "The resource could not be found.", "HTTPNotFound");
    if (found == Router::Result::kNoMethod) {
      Fail(405, "The method specified is not allowed for this resource.", "HTTPMethodNotAllowed");
    }
    if (service_->authorised && needs_token) service_->authorised(request);
  };
  if (found == Router::Result::kFound && !route->locked) {
    {
      Store::Lock lock(site_.store);
      if (!authenticate()) return Unauthorized(site_);
      check();
    }
    return route->handler(request);
  }
  Store::Lock lock(site_.store);
  try {
    if (!authenticate()) return Unauthorized(site_);
    check();
    return route->handler(request);
  } catch (...) {
    lock.Rollback();
    throw;
  }
}

Response ApiServer::Fault(const Request& request, const TransportFault& fault) {
  Response r;
  if (fault.status == 401) {
    r = Unauthorized(site_);
  } else {
    r = service_->error(ApiError{fault.status,
                                 fmt::format("Injected fault {} for {} {}", fault.id, request.method, request.path),
                                 "InjectedFault",
                                 {}});
  }
  r.status = fault.status;
  if (fault.response.is_string()) {
    r.body = nullptr;
    r.text = fault.response.get<std::string>();
  } else if (!fault.response.is_null()) {
    r.body = fault.response;
  }
  for (const auto& [k, v] : fault.headers.items())
    r.headers.emplace_back(k, v.is_string() ? v.get<std::string>() : v.dump());
  return r;
}

WireResponse ApiServer::Finish(const Request& request, Response response) {
  if (service_->decorate) service_->decorate(request, response);
  WireResponse out;
  out.status = response.status;
  out.headers = std::move(response.headers);
  out.headers.emplace_back("x-openstack-request-id", request.request_id);
  out.content_type = response.content_type;
  out.body = response.body.is_null() ? std::move(response.text)
                                     : response.body.dump(-1, ' ', false, json::error_handler_t::replace);
  return out;
}

void ApiServer::Note(const Request& request, int status, const std::string& fault, int64_t started_ms) {
  if (!Changes(request.method)) return;
  json entry = {{"time_ms", started_ms},
                {"service", request.service},
                {"method", request.method},
                {"path", request.path},
                {"body", request.content.is_discarded() ? json() : Redacted(request.content)},
                {"status", status},
                {"request_id", request.request_id},
                {"user", request.identity.user_name},
                {"project_id", request.identity.project_id},
                {"duration_ms", NowMs() - started_ms}};
  if (!fault.empty()) entry["fault"] = fault;
  site_.requests.Add(std::move(entry));
}

Microversion NegotiateMicroversion(Request& request, const std::string& type, const std::string& legacy,
                                   Microversion lowest, Microversion highest) {
  std::string asked;
  for (const std::string& part : Split(request.Header("openstack-api-version"), ',')) {
    std::vector<std::string> words = Split(part, ' ');
    if (words.size() == 2 && words[0] == type) asked = words[1];
  }
  if (asked.empty() && !legacy.empty()) asked = request.Header(legacy);
  if (asked.empty()) return lowest;
  if (asked == "latest") return highest;
  Microversion v;
  char rest = 0;
  if (std::sscanf(asked.c_str(), "%d.%d%c", &v.major, &v.minor, &rest) != 2) {
    Fail(400, fmt::format("API Version String '{}' is of invalid format. Must be of format MajorNum.MinorNum.", asked));
  }
  if (v.major != lowest.major || v.minor < lowest.minor || v.minor > highest.minor) {
    request.version = v;  // the refusal repeats what was asked for in its headers
    Fail(406, fmt::format("Version {} is not supported by the API. Minimum is {}.{} and maximum is {}.{}.", asked,
                          lowest.major, lowest.minor, highest.major, highest.minor));
  }
  return v;
}

}  // namespace protector::ossim
