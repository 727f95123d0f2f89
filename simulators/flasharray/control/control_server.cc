#include "simulators/flasharray/control/control_server.h"

#include <spdlog/spdlog.h>

#include <charconv>
#include <chrono>
#include <thread>

#include "simulators/flasharray/base/text.h"

namespace protector::fasim {
namespace {

void Reply(HttpResponse* response, const Json& body, int status = 200) {
  response->status = status;
  response->body = body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void BadRequest(HttpResponse* response, const std::string& message) {
  Reply(response, {{"error", "bad-request"}, {"message", message}}, 400);
}

void Refuse(HttpResponse* response, const Refusal& refusal) {
  Reply(response, {{"error", refusal.code}, {"message", refusal.message}}, 409);
}

std::optional<std::uint64_t> Number(const std::string& text) {
  std::uint64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || result.ec != std::errc() || result.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

// The items of a writev body; a text says what is wrong with it.
std::string ParseBatch(const std::string& body, std::vector<WriteItem>* items) {
  std::size_t at = 0;
  while (at < body.size()) {
    const std::size_t end = body.find('\n', at);
    if (end == std::string::npos) return "a header line does not end";
    const Json head = Json::parse(body.begin() + static_cast<std::ptrdiff_t>(at),
                                  body.begin() + static_cast<std::ptrdiff_t>(end), nullptr, false);
    const auto number = [&](const char* key) -> std::optional<std::uint64_t> {
      if (!head.is_object() || !head.contains(key) || !head[key].is_number_unsigned()) return std::nullopt;
      return head[key].get<std::uint64_t>();
    };
    const auto offset = number("offset");
    const auto length = number("length");
    if (!offset || !length || !head.contains("serial") || !head["serial"].is_string() || !head.contains("initiator") ||
        !head["initiator"].is_string()) {
      return "a header needs initiator, serial, offset and length";
    }
    if (*length > body.size() - end - 1) return "the body is shorter than its headers say";
    items->push_back({head["initiator"].get<std::string>(), head["serial"].get<std::string>(), *offset,
                      body.substr(end + 1, *length)});
    at = end + 1 + *length;
  }
  return "";
}

}  // namespace

ControlServer::ControlServer(Context context, DataPlane* data, PeerHandler peer)
    : context_(context), data_(data), peer_(std::move(peer)) {}

void ControlServer::Serve(const HttpRequest& request, HttpResponse* response) {
  const bool io = StartsWith(request.path, "/sim/io/");
  const bool peer = StartsWith(request.path, "/sim/peer/");
  std::optional<FaultAction> fault;
  if (io || peer) {
    if (!context_.settings->PassPower()) {
      response->cut = true;
      return;
    }
    FaultTarget target{io ? "io" : "peer", request.method, request.path, request.path, "", {}};
    request.each_param([&](const std::string& name, const std::string& value) { target.params[name] = value; });
    fault = context_.faults->Hit(target);
  }
  if (fault && fault->action == "black_hole") context_.faults->Wait(fault->id, fault->delay_ms);
  if (fault && (fault->action == "black_hole" || fault->action == "cut_before")) {
    response->cut = true;
    return;
  }
  if (fault && fault->delay_ms > 0) std::this_thread::sleep_for(std::chrono::milliseconds(fault->delay_ms));
  if (fault && fault->action == "error") {
    Reply(response, {{"error", "fault"}, {"message", fault->message}}, fault->status);
    return;
  }
  try {
    if (peer) {
      if (!peer_(request, response)) response->cut = true;
    } else if (io) {
      ServeIo(request, response);
    } else if (StartsWith(request.path, "/sim/volumes/")) {
      ServeVolumes(request, response);
    } else if (StartsWith(request.path, "/sim/pods/")) {
      ServePods(request, response);
    } else {
      ServeControl(request, response);
    }
  } catch (const ApiError& error) {
    BadRequest(response, error.what());
  } catch (const Json::exception& error) {
    BadRequest(response, error.what());
  } catch (const std::exception& error) {
    spdlog::error("{} {}: {}", request.method, request.path, error.what());
    Reply(response, {{"error", "internal"}, {"message", error.what()}}, 500);
  }
  if (fault && fault->action == "execute_then_cut") response->cut = true;
}

void ControlServer::ServeIo(const HttpRequest& request, HttpResponse* response) {
  if (request.path == "/sim/io/writev" && request.method == "POST") {
    std::vector<WriteItem> items;
    const std::string wrong = ParseBatch(request.body, &items);
    if (!wrong.empty()) return BadRequest(response, wrong);
    const auto refusals = data_->Write(items);
    Json results = Json::array();
    for (std::size_t i = 0; i < items.size(); ++i) {
      results.push_back(refusals[i]
                            ? Json{{"status", 409}, {"error", refusals[i].code}, {"message", refusals[i].message}}
                            : Json{{"status", 200}, {"written", items[i].bytes.size()}});
    }
    return Reply(response, {{"results", results}});
  }
  const auto offset = Number(request.param("offset"));
  const std::string initiator = request.param("initiator");
  const std::string serial = request.param("serial");
  if (!offset || initiator.empty() || serial.empty()) {
    return BadRequest(response, "initiator, serial and offset are required");
  }
  if (request.path == "/sim/io/write" && request.method == "POST") {
    const auto refusals = data_->Write({{initiator, serial, *offset, request.body}});
    if (refusals.front()) return Refuse(response, refusals.front());
    return Reply(response, {{"written", request.body.size()}});
  }
  if (request.path == "/sim/io/read" && request.method == "GET") {
    const auto length = Number(request.param("length"));
    if (!length) return BadRequest(response, "length is required");
    if (const Refusal refusal = data_->Read(initiator, serial, *offset, *length, &response->body)) {
      response->body.clear();
      return Refuse(response, refusal);
    }
    response->content_type = "application/octet-stream";
    return;
  }
  Reply(response, {{"error", "not-found"}}, 404);
}

void ControlServer::ServeVolumes(const HttpRequest& request, HttpResponse* response) {
  const std::string rest = request.path.substr(std::string("/sim/volumes/").size());
  const std::size_t slash = rest.rfind('/');
  const std::string what = slash == std::string::npos ? "" : rest.substr(slash + 1);
  const std::string name = rest.substr(0, slash);
  if (what == "checksum") {
    Json out;
    if (const Refusal refusal = data_->Checksum(name, &out)) return Refuse(response, refusal);
    return Reply(response, out);
  }
  const auto offset = Number(request.param("offset"));
  const auto length = Number(request.param("length"));
  if (what != "bytes" || !offset || !length)
    return BadRequest(response, "use NAME/bytes?offset&length or NAME/checksum");
  if (const Refusal refusal = data_->ReadByName(name, *offset, *length, &response->body)) {
    response->body.clear();
    return Refuse(response, refusal);
  }
  response->content_type = "application/octet-stream";
}

void ControlServer::ServePods(const HttpRequest& request, HttpResponse* response) {
  const std::string rest = request.path.substr(std::string("/sim/pods/").size());
  const std::size_t slash = rest.rfind('/');
  if (slash == std::string::npos || rest.substr(slash) != "/degrade" || request.method != "POST") {
    return Reply(response, {{"error", "not-found"}}, 404);
  }
  const Json body = request.body.empty() ? Json::object() : Json::parse(request.body);
  Tx tx(context_.db);
  const auto row = tx.tables().pods.ByName(rest.substr(0, slash));
  if (!row) return Reply(response, {{"error", "no-such-pod"}}, 404);
  Pod pod = *row;
  const std::string which = body.value("array", tx.array().name);
  for (PodArray& array : pod.arrays) {
    if (!body.empty() && array.name != which) continue;
    array.forced_status = body.value("status", "");
    array.forced_mediator = body.value("mediator_status", "");
    array.frozen_at = array.forced_status == "offline" ? tx.now() : (array.status == "offline" ? array.frozen_at : 0);
  }
  tx.Put(pod);
  tx.Commit();
  Reply(response, Json(pod));
}

Json ControlServer::ReadSettings() const {
  const Settings& settings = *context_.settings;
  return {{"bandwidth_mbps", settings.bandwidth_mbps.load()},
          {"latency_ms", {settings.latency_low.load(), settings.latency_high.load()}},
          {"time_scale", context_.db->clock().scale()},
          {"strict", settings.strict.load()},
          {"powered", settings.powered.load()},
          {"cut_links", settings.cut_links()}};
}

void ControlServer::ChangeSettings(const Json& body) {
  Settings& settings = *context_.settings;
  if (body.contains("bandwidth_mbps")) settings.bandwidth_mbps = body["bandwidth_mbps"].get<double>();
  if (body.contains("latency_ms")) {
    const Json& latency = body["latency_ms"];
    settings.latency_low = latency.is_array() ? latency.at(0).get<int>() : latency.get<int>();
    settings.latency_high = latency.is_array() ? latency.at(1).get<int>() : latency.get<int>();
  }
  if (body.contains("time_scale")) context_.db->clock().set_scale(body["time_scale"].get<double>());
  if (body.contains("strict")) settings.strict = body["strict"].get<bool>();
  if (body.contains("eradication_delay_ms")) {
    Tx tx(context_.db);
    ArrayInfo array = tx.array();
    array.eradication_delay = body["eradication_delay_ms"].get<Millis>();
    tx.Put(array);
    tx.Commit();
  }
  context_.db->Wake();
}

void ControlServer::ServeControl(const HttpRequest& request, HttpResponse* response) {
  const std::string key = request.method + " " + request.path;
  const auto body = [&] { return request.body.empty() ? Json::object() : Json::parse(request.body); };
  const Options& options = *context_.options;
  if (key == "GET /sim/health") {
    Tx tx(context_.db);
    return Reply(response, {{"name", options.name},
                            {"id", tx.array().array_id},
                            {"rest", options.rest_address},
                            {"control", options.control_address},
                            {"powered", context_.settings->powered.load()}});
  }
  if (key == "GET /sim/state") return Reply(response, context_.db->Dump());
  if (key == "GET /sim/journal") {
    return Reply(response, {{"entries", context_.log->Since(Number(request.param("since")).value_or(0))}});
  }
  if (key == "DELETE /sim/journal") {
    context_.log->Clear();
    return Reply(response, Json::object());
  }
  if (key == "POST /sim/faults") return Reply(response, {{"id", context_.faults->Add(body())}});
  if (key == "GET /sim/faults") return Reply(response, {{"faults", context_.faults->List()}});
  if (key == "DELETE /sim/faults") {
    const auto id = Number(request.param("id"));
    context_.faults->Remove(id ? std::optional<int>(static_cast<int>(*id)) : std::nullopt);
    return Reply(response, Json::object());
  }
  if (key == "POST /sim/advance") {
    context_.db->clock().Advance(body().at("ms").get<Millis>());
    Tx tx(context_.db);
    ArrayInfo array = tx.array();
    array.clock_offset = context_.db->clock().offset();
    tx.Put(array);
    tx.Commit();
    return Reply(response, {{"now", tx.now()}});
  }
  if (key == "POST /sim/link") {
    const Json link = body();
    const std::string state = link.at("state").get<std::string>();
    if (state != "up" && state != "cut") return BadRequest(response, "state is up or cut");
    context_.settings->SetLink(link.at("peer").get<std::string>(), state == "cut");
    context_.db->Wake();
    return Reply(response, ReadSettings());
  }
  if (key == "POST /sim/power") {
    const Json power = body();
    context_.settings->SetPower(power.at("state") == "on", power.value("mode", "refuse") == "black_hole");
    if (power.at("state") == "off") context_.sessions->CloseAll();
    context_.db->Wake();
    return Reply(response, ReadSettings());
  }
  if (key == "POST /sim/settings") ChangeSettings(body());
  if (key == "POST /sim/settings" || key == "GET /sim/settings") return Reply(response, ReadSettings());
  if (key == "POST /sim/checkpoint") {
    context_.db->Checkpoint();
    return Reply(response, Json::object());
  }
  Reply(response, {{"error", "not-found"}, {"message", key}}, 404);
}

}  // namespace protector::fasim
