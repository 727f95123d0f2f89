#pragma once
// What the tests of metadata-sync share: documents, and a site whose process can be killed at any write of its store
// and whose wire to the other site can lose requests and answers.
//
// Threads: one. Ownership: the two sites refer to each other through Wire. Failure: a killed process is the exception
// Killed.

#include <functional>
#include <memory>
#include <string>

#include "libs/base/error.h"
#include "libs/base/ids.h"
#include "libs/store/memory_store.h"
#include "services/metadata-sync/domain/queries.h"
#include "services/metadata-sync/domain/retry_loop.h"
#include "services/metadata-sync/domain/synchroniser.h"

namespace protector::metadata_sync {

inline Document MakeDocument(const std::string& name, const std::string& home = "site-a") {
  Document document;
  document.set_id(DerivedUuid("group " + name));
  document.set_name(name);
  document.set_home_site(home);
  document.set_peer_site(home == "site-a" ? "site-b" : "site-a");
  document.set_primary_site(home);
  document.set_epoch(1);
  (*document.mutable_projects())["site-a"] = "project-a";
  (*document.mutable_projects())["site-b"] = "project-b";
  document.set_status(protector::group::v1::ACTIVE);
  return document;
}

// The process of one site was killed here.
struct Killed {};

// What the wire does with the next calls.
struct Faults {
  bool down = false;  // refuses connections
  std::function<bool()> lose_request = [] { return false; };
  std::function<bool()> lose_answer = [] { return false; };
};

class Site;

class Wire final : public PeerPort {
 public:
  absl::StatusOr<std::vector<pb::Head>> ListHeads(const std::vector<std::string>& groups) override;
  absl::StatusOr<pb::ApplyVersionResponse> Apply(const pb::Version& version, bool force) override;
  absl::StatusOr<std::vector<pb::Version>> Export(const std::string& group, int64_t after, int limit) override;
  bool NeverSent(const absl::Status& status) const override { return DetailOf(status).reason == "SERVICE_UNREACHABLE"; }
  bool NoAnswer(const absl::Status& status) const override {
    return NeverSent(status) || DetailOf(status).reason == "SERVICE_TIMEOUT";
  }

  Site* other = nullptr;
  std::string from;
  Faults faults;

 private:
  template <typename T>
  absl::StatusOr<T> Carry(const std::function<absl::StatusOr<T>()>& call);
};

// What a site has while its process lives.
struct Process {
  Process(store::Store& store, const Sites& sites, Wire& wire, Clock& clock)
      : repository(store, sites),
        replica(repository, hub, clock),
        synchroniser(repository, replica, wire, clock, {}),
        loop(synchroniser, repository, wire, clock, {}, {}, metrics),
        queries(repository) {}
  metrics::Registry metrics;
  HeadHub hub;
  Repository repository;
  Replica replica;
  Synchroniser synchroniser;
  RetryLoop loop;
  Queries queries;
};

class Site {
 public:
  Site(std::string name, std::string peer, Clock& clock)
      : sites_{std::move(name), std::move(peer)}, clock_(clock), store(clock) {
    wire.from = sites_.local;
    Start();
    store.BeforeWrite([this](const store::Batch&) { return Count(); });
    store.AfterWrite([this](const store::Batch&) { return Count(); });
  }

  void Start() { process = std::make_unique<Process>(store, sites_, wire, clock_); }
  bool up() const { return process != nullptr; }
  // The process dies at the n-th moment from now, each write having one before and one after it; 0: never.
  void KillAt(int moment) { kill_at_ = moment; }
  bool armed() const { return kill_at_ > 0; }
  // Runs `body` in the process; when it is killed, it is gone until Start. True when it lived.
  bool Run(const std::function<void(Process&)>& body) {
    try {
      body(*process);
      return true;
    } catch (const Killed&) {
      process.reset();
      return false;
    }
  }
  pb::Head Head(const std::string& group) const { return process->repository.Head(group)->head; }

 private:
  absl::Status Count() {
    if (kill_at_ > 0 && --kill_at_ == 0) throw Killed{};
    return absl::OkStatus();
  }

  const Sites sites_;
  Clock& clock_;
  int kill_at_ = 0;

 public:
  store::MemoryStore store;
  Wire wire;
  std::unique_ptr<Process> process;
};

struct Pair {
  Pair() {
    a.wire.other = &b;
    b.wire.other = &a;
  }
  ManualClock clock{absl::FromUnixSeconds(1700000000)};
  Site a{"site-a", "site-b", clock};
  Site b{"site-b", "site-a", clock};
};

template <typename T>
absl::StatusOr<T> Wire::Carry(const std::function<absl::StatusOr<T>()>& call) {
  const Error timeout = Error(absl::StatusCode::kDeadlineExceeded, "SERVICE_TIMEOUT", "no answer");
  if (faults.down || !other->up())
    return Error(absl::StatusCode::kUnavailable, "SERVICE_UNREACHABLE", "connection refused");
  if (faults.lose_request()) return timeout;
  absl::StatusOr<T> answer = absl::UnknownError("");
  if (!other->Run([&](Process&) { answer = call(); })) return timeout;  // killed while it served the call
  if (faults.lose_answer()) return timeout;
  return answer;
}

inline absl::StatusOr<std::vector<pb::Head>> Wire::ListHeads(const std::vector<std::string>& groups) {
  return Carry<std::vector<pb::Head>>([&]() -> absl::StatusOr<std::vector<pb::Head>> {
    pb::ListHeadsRequest request;
    for (const std::string& group : groups) request.add_group_ids(group);
    PROTECTOR_ASSIGN_OR_RETURN(const pb::ListHeadsResponse response, other->process->queries.ListHeads(request));
    return std::vector<pb::Head>(response.heads().begin(), response.heads().end());
  });
}

inline absl::StatusOr<pb::ApplyVersionResponse> Wire::Apply(const pb::Version& version, bool force) {
  return Carry<pb::ApplyVersionResponse>([&] { return other->process->replica.Apply(version, force, from); });
}

inline absl::StatusOr<std::vector<pb::Version>> Wire::Export(const std::string& group, int64_t after, int limit) {
  return Carry<std::vector<pb::Version>>([&] { return other->process->repository.After(group, after, limit); });
}

inline pb::CommitRequest Request(const Document& document, int64_t base, const std::string& id = "") {
  pb::CommitRequest request;
  *request.mutable_document() = document;
  request.set_base_version(base);
  request.set_reason("test");
  request.set_request_id(id);
  return request;
}

}  // namespace protector::metadata_sync
