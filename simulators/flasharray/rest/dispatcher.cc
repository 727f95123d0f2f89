#include "simulators/flasharray/rest/dispatcher.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <thread>

#include "simulators/flasharray/base/text.h"

namespace protector::fasim {
namespace {

// 2.12 and 2.18 were never published.
bool IsPublished(int minor) {
  return minor != 12 && minor != 18;
}

std::string VersionsBody(const Options& options) {
  Json list = Json::array();
  for (int minor = options.first_minor; minor <= options.last_minor; ++minor) {
    if (IsPublished(minor)) list.push_back(fmt::format("2.{}", minor));
  }
  return Json{{"version", list}}.dump();
}

// "/api/2.26/volumes" -> 26 and "/volumes".
bool SplitPath(const std::string& path, int* minor, std::string* rest) {
  if (!StartsWith(path, "/api/2.")) return false;
  const char* begin = path.data() + 7;
  const char* end = path.data() + path.size();
  const auto result = std::from_chars(begin, end, *minor);
  if (result.ec != std::errc() || result.ptr == end || *result.ptr != '/') return false;
  *rest = std::string(result.ptr, end);
  return true;
}

[[noreturn]] void NotFound() {
  throw ApiError(404, {{std::nullopt, "The requested resource was not found."}});
}

Json EffectJson(const std::vector<Effect>& effects) {
  Json out = Json::array();
  for (const Effect& effect : effects) {
    if (effect.kind == "array") continue;  // the counter that serials come from
    out.push_back(
        {{"op", effect.erase ? "erase" : "put"}, {"kind", effect.kind}, {"id", effect.id}, {"name", effect.name}});
  }
  return out;
}

// Of the objects that lists in the parameters name, the first half.
void LeaveHalf(Call* call) {
  for (auto& [name, value] : call->params) {
    const auto commas = std::count(value.begin(), value.end(), ',');
    size_t end = std::string::npos;
    for (auto i = commas / 2; i >= 0 && commas > 0; --i) end = value.find(',', end == std::string::npos ? 0 : end + 1);
    if (commas > 0) value.resize(end);
  }
}

}  // namespace

std::string ErrorBody(const ApiError& error) {
  Json list = Json::array();
  for (const auto& item : error.items) {
    list.push_back({{"context", item.context ? Json(*item.context) : Json(nullptr)}, {"message", item.message}});
  }
  return Json{{"errors", list}}.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Dispatcher::Dispatcher(Context context) : context_(context), random_(context.options->seed) {}

void Dispatcher::Route(const std::string& method, const std::string& path, RestHandler handler) {
  if (spec_.Find(method, path) == nullptr) throw std::logic_error("no such operation: " + method + " " + path);
  handlers_[method + " " + path] = std::move(handler);
}

void Dispatcher::Before(const std::string& method, const std::string& path, BeforeHandler handler) {
  before_[method + " " + path] = std::move(handler);
}

void Dispatcher::Delay() {
  const int low = context_.settings->latency_low;
  const int high = context_.settings->latency_high;
  if (high <= 0) return;
  int wait = low;
  if (high > low) {
    const std::lock_guard<std::mutex> lock(random_mutex_);
    wait = std::uniform_int_distribution<int>(low, high)(random_);
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(wait));
}

void Dispatcher::Serve(const HttpRequest& request, HttpResponse* response) {
  if (!context_.settings->PassPower()) {
    response->cut = true;
    return;
  }
  response->request_id = request.header("X-Request-ID");
  if (response->request_id.empty()) response->request_id = NewUuid();

  Call call;
  call.method = request.method;
  const bool versioned = SplitPath(request.path, &call.minor, &call.path);
  request.each_param([&](const std::string& name, const std::string& value) {
    std::string& place = call.params[name];
    place = place.empty() ? value : place + "," + value;
  });
  Json entry;
  const bool mutating = request.method != "GET" && call.path != "/login" && call.path != "/logout";
  const auto fault = context_.faults->Hit(
      {"rest", request.method, request.path, versioned ? call.path : request.path, request.body, call.params});
  if (mutating) {
    Json body = Json::parse(request.body, nullptr, false);
    entry = {{"time", context_.db->clock().Now()},
             {"method", request.method},
             {"path", request.path},
             {"params", call.params},
             {"body", body.is_discarded() ? Json(nullptr) : body},
             {"request_id", response->request_id},
             {"effect", Json::array()},
             {"fault", nullptr},
             {"status", nullptr}};
    if (fault) entry["fault"] = fault->action;
  }
  const auto note = [&] {
    if (!mutating) return;
    entry["user"] = call.user;
    context_.log->Add(std::move(entry));
  };
  if (fault && (fault->action == "cut_before" || fault->action == "black_hole")) {
    if (fault->action == "black_hole") context_.faults->Wait(fault->id, fault->delay_ms);
    response->cut = true;
    note();
    return;
  }
  if (fault && fault->action == "half_then_cut") LeaveHalf(&call);
  if (fault && fault->delay_ms > 0) std::this_thread::sleep_for(std::chrono::milliseconds(fault->delay_ms));
  Delay();
  try {
    if (fault && fault->action == "error") {
      if (fault->status == 429) response->retry_limit = "60";
      throw ApiError(fault->status, {{fault->context, fault->message}});
    }
    if (request.path == "/api/api_version") {
      if (request.method != "GET") NotFound();
      response->body = VersionsBody(*context_.options);
    } else if (!versioned || !IsPublished(call.minor) || call.minor < context_.options->first_minor ||
               call.minor > context_.options->last_minor) {
      NotFound();
    } else if (call.path == "/login" && call.method == "POST") {
      Login(request, response);
    } else {
      Execute(request, &call, response, &entry);
    }
  } catch (const ApiError& error) {
    response->status = error.status;
    response->body = ErrorBody(error);
  } catch (const std::exception& error) {
    spdlog::error("{} {}: {}", request.method, request.path, error.what());
    response->status = 500;
    response->body = ErrorBody(ApiError(500, {{std::nullopt, "Internal error."}}));
  }
  if (mutating) entry["status"] = response->status;
  note();
  if (fault && (fault->action == "execute_then_cut" || fault->action == "half_then_cut")) response->cut = true;
}

void Dispatcher::Login(const HttpRequest& request, HttpResponse* response) {
  const std::string token = request.header("api-token");
  std::string user, role;
  {
    Tx tx(context_.db);
    for (const auto& admin : tx.tables().admins.Where("token:" + token)) {
      if (token.empty() || (admin->token_expires != 0 && admin->token_expires <= tx.now())) continue;
      user = admin->name;
      role = admin->role;
    }
  }
  if (user.empty()) throw ApiError("Unable to list user for API token.");
  response->auth_token = context_.sessions->Open(user, role, request.remote);
  response->body = Json{{"items", Json::array({Json{{"username", user}}})}}.dump();
}

void Dispatcher::CheckRole(const Call& call, const std::string& role) const {
  if (call.method == "GET" || role == "array_admin") return;
  const bool storage = StartsWith(call.path, "/volume") || StartsWith(call.path, "/protection-group") ||
                       StartsWith(call.path, "/host") || StartsWith(call.path, "/pod") ||
                       StartsWith(call.path, "/connections") || StartsWith(call.path, "/remote-") ||
                       StartsWith(call.path, "/container-");
  if (role == "storage_admin" && storage) return;
  throw ApiError(403, {{std::nullopt, "Operation not permitted."}});
}

void Dispatcher::Execute(const HttpRequest& request, Call* call, HttpResponse* response, Json* entry) {
  const std::string token = request.header("x-auth-token");
  Millis idle = 0;
  {
    Tx tx(context_.db);
    idle = tx.array().idle_timeout;
  }
  const Session session = context_.sessions->Check(token, idle);
  call->user = session.user;
  if (call->path == "/logout" && call->method == "POST") {
    context_.sessions->Close(token);
    return;
  }
  call->operation = spec_.Find(call->method, call->path);
  const std::string key = call->method + " " + call->path;
  const auto handler = handlers_.find(key);
  if (call->operation == nullptr || call->operation->since > call->minor || handler == handlers_.end()) {
    if (!spec_.HasPath(call->path)) NotFound();
    throw ApiError(405, {{std::nullopt, "The method is not supported by this resource."}});
  }
  CheckRole(*call, session.role);
  if (!request.body.empty()) {
    call->body = Json::parse(request.body, nullptr, false);
    if (call->body.is_discarded()) throw ApiError("The body is not valid JSON.");
  }
  if (context_.settings->strict) {
    CheckParams(*call->operation, call->params, call->minor);
    CheckBody(*call->operation, call->body, call->minor);
  }
  if (const auto before = before_.find(key); before != before_.end()) before->second(call);
  Answer answer;
  std::vector<Effect> effects;
  {
    Tx tx(context_.db);
    answer = handler->second(tx, *call);
    effects = tx.Commit();
  }
  if (!entry->is_null()) (*entry)["effect"] = EffectJson(effects);
  if (answer.after) answer.after();
  if (!effects.empty() && after_) after_(effects);
  if (!answer.no_body) response->body = RenderAnswer(*call, answer);
}

std::string Dispatcher::RenderAnswer(const Call& call, const Answer& answer) const {
  Json items = Json::array();
  for (const Json& item : answer.items) items.push_back(Project(call.operation->item, item, call.minor));
  Json out = {{"items", std::move(items)}};
  if (call.operation->listing) {
    out["continuation_token"] = answer.token ? Json(*answer.token) : Json(nullptr);
    out["more_items_remaining"] = answer.more;
    out["total_item_count"] = answer.total_count ? Json(*answer.total_count) : Json(nullptr);
    if (call.operation->total) {
      Json total = Json::array();
      for (const Json& sum : answer.total) total.push_back(Project(call.operation->item, sum, call.minor));
      out["total"] = std::move(total);
    }
  }
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace protector::fasim
