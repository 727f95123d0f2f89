#include "simulators/flasharray/replication/engine.h"

#include <spdlog/spdlog.h>

#include <chrono>

#include "simulators/flasharray/replication/peer_links.h"
#include "simulators/flasharray/replication/scheduler.h"

namespace protector::fasim {
namespace {

constexpr int kSendersPerPeer = 2;

}  // namespace

Engine::Engine(Context context) : context_(context), exchange_(context), receiver_(context), pods_(context) {}
Engine::~Engine() {
  Stop();
}

void Engine::Start() {
  const std::lock_guard<std::mutex> lock(mutex_);
  threads_.emplace_back([this] { KeepTime(); });
}

void Engine::Stop() {
  context_.settings->Stop();
  context_.db->Wake();
  std::vector<std::thread> threads;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    threads.swap(threads_);
  }
  for (std::thread& thread : threads) thread.join();
}

void Engine::KeepTime() {
  Scheduler scheduler(context_.db);
  std::uint64_t seen = 0;
  auto next_tick = std::chrono::steady_clock::now();
  while (!context_.settings->stopping) {
    for (const std::string& name : context_.peers->names()) StartPeer(name);
    // A tick looks at every group: ten times a second is plenty, however many changes there are.
    if (std::chrono::steady_clock::now() >= next_tick && context_.settings->powered) {
      next_tick = std::chrono::steady_clock::now() + std::chrono::milliseconds(100);
      try {
        scheduler.Tick();
        pods_.Refresh();
      } catch (const std::exception& error) {
        spdlog::error("schedule: {}", error.what());
      }
    }
    context_.db->WaitForChange(&seen, 100);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

void Engine::StartPeer(const std::string& name) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (context_.settings->stopping || context_.peers->AddressOf(name).empty() || !started_.insert(name).second) return;
  threads_.emplace_back([this, name] { ExchangeWith(name); });
  threads_.emplace_back([this, name] { pods_.Run(name); });
  const auto busy = std::make_shared<BusyGroups>();
  for (int i = 0; i < kSendersPerPeer; ++i) {
    threads_.emplace_back([this, name, busy] { TransferSender(context_, name, busy).Run(); });
  }
}

void Engine::ExchangeWith(const std::string& name) {
  std::unique_ptr<PeerClient> client;
  std::string address;
  std::uint64_t seen = 0;
  while (!context_.settings->stopping) {
    if (context_.peers->MayTalk(name)) {
      try {
        if (!client || address != context_.peers->AddressOf(name)) {
          address = context_.peers->AddressOf(name);
          client = std::make_unique<PeerClient>(address, context_.options->name);
        }
        const PeerReply reply = client->Send("exchange", exchange_.Message(name));
        context_.peers->Saw(name, reply.status == 200);
        if (reply.status == 200) exchange_.TakeIn(reply.body);
      } catch (const Unreachable&) {
        context_.peers->Saw(name, false);
        client.reset();
      } catch (const std::exception& error) {
        spdlog::error("exchange with {}: {}", name, error.what());
      }
    }
    // At once after a change, but never in a tight loop; else a heartbeat.
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    context_.db->WaitForChange(&seen, 250);
  }
}

PeerReply Engine::Identity() {
  Tx tx(context_.db);
  return {200,
          {{"id", tx.array().array_id},
           {"name", tx.array().name},
           {"management_address", ManagementAddress(*context_.options)},
           {"rest_address", context_.options->rest_address},
           {"control_address", context_.options->control_address},
           {"version", "6.5.0"}}};
}

PeerReply Engine::AcceptConnection(const Json& head) {
  Tx tx(context_.db);
  if (head.at("connection_key").get<std::string>() != tx.array().connection_key) {
    return {400, {{"message", "The connection key is not valid."}}};
  }
  ArrayConnection connection;
  connection.id = head.at("id").get<std::string>();
  connection.name = head.at("name").get<std::string>();
  connection.type = head.at("type").get<std::string>();
  const std::string rest = head.at("rest_address").get<std::string>();
  connection.management_address = rest.substr(0, rest.rfind(':'));
  connection.control_address = head.at("control_address").get<std::string>();
  connection.version = "6.5.0";
  connection.replication_addresses = {connection.management_address};
  tx.Put(connection);
  tx.Commit();
  context_.peers->Learn(connection.name, connection.control_address);
  Json self = {{"id", tx.array().array_id},
               {"name", tx.array().name},
               {"management_address", ManagementAddress(*context_.options)},
               {"control_address", context_.options->control_address}};
  return {200, self};
}

PeerReply Engine::Disconnect(const Json& head) {
  Tx tx(context_.db);
  if (const auto row = tx.tables().array_connections.Find(head.at("id").get<std::string>())) tx.Erase(*row);
  tx.Commit();
  return {200, Json::object()};
}

PeerReply Engine::Dispatch(const std::string& what, const Json& head, const std::string& bytes) {
  if (what == "identity") return Identity();
  if (what == "connect") return AcceptConnection(head);
  if (what == "disconnect") return Disconnect(head);
  if (what == "exchange") return {200, exchange_.Answer(head)};
  if (what == "transfer/begin") return receiver_.Begin(head);
  if (what == "transfer/data") return receiver_.Data(head, bytes);
  return pods_.Serve(what, head, bytes);
}

bool Engine::ServePeer(const HttpRequest& request, HttpResponse* response) {
  const std::string what = request.path.substr(std::string("/sim/peer/").size());
  // The mediator is reached another way than the replication link.
  const auto may_talk = [&] { return what == "mediator" || context_.peers->MayTalk(request.param("from")); };
  if (!may_talk()) return false;
  std::string bytes;
  const Json head = SplitMessage(request.body, &bytes);
  const PeerReply reply = Dispatch(what, head, bytes);
  if (!may_talk()) return false;  // cut while this was worked on
  response->status = reply.status;
  response->body = reply.body.dump();
  return true;
}

}  // namespace protector::fasim
