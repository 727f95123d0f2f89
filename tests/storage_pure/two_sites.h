#pragma once
// Two arrays (flasharray-sim) that are connected to each other, and a storage-pure for each, as processes of their own.
//
// Threads: one test's. Ownership: the processes and their files end with the object. Failure: REQUIRE.

#include <sys/types.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/error.h"
#include "libs/grpc/client.h"
#include "libs/grpc/security.h"
#include "libs/http/curl_client.h"
#include "libs/json/json.h"
#include "protector/storage/v1/storage.grpc.pb.h"

namespace protector::storage {

using protector::group::v1::ASYNC;
using protector::group::v1::SYNC;

class Side {
 public:
  Side(const std::string& array, const std::string& ip, const std::string& peer, const std::string& peer_ip,
       const std::filesystem::path& directory, Clock& clock);
  ~Side();
  Side(const Side&) = delete;
  Side& operator=(const Side&) = delete;

  void StartArray();
  // `tls`: the lines of the configuration that say how the certificate is checked; empty: by the array's own file.
  void StartService(const std::string& tls = "");
  void KillService();  // SIGKILL

  // As an administrator or Cinder would: one REST call, its answer; REQUIREs success.
  json::Value Rest(const std::string& method, const std::string& path, const std::string& body = "");
  // The simulator's control plane.
  json::Value Control(const std::string& method, const std::string& path, const std::string& body = "");
  void Fault(const std::string& json);
  void ClearFaults() { Control("DELETE", "/sim/faults"); }

  // A volume of 1 MiB; returns its serial. Connect: to a host of this array. Write needs the connection.
  std::string CreateVolume(const std::string& name);
  void Connect(const std::string& volume);
  bool Write(const std::string& serial, int64_t offset, const std::string& bytes);
  std::string Read(const std::string& volume, int64_t offset, int64_t length);
  json::Value VolumeBy(const std::string& field, const std::string& value);
  void Rename(const std::string& volume, const std::string& name) {
    Rest("PATCH", "/volumes?names=" + http::UrlEncode(volume), R"({"name":")" + name + "\"}");
  }
  // How many volumes (live or destroyed) match a filter.
  size_t Count(const std::string& filter);

  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(::grpc::Status (v1::StorageService::StubInterface::*method)(::grpc::ClientContext*,
                                                                                            const Request&, Response*),
                                const Request& request, absl::Duration timeout = absl::Seconds(60)) {
    // As the services do it: a channel that was refused once says no for 10 s, also when the program has come up
    // meanwhile.
    const auto stub = v1::StorageService::NewStub(connector_->Get());
    return rpc::Call(*stub, method, request, rpc::CallOptions(timeout, "storage-pure of " + array_));
  }

  const std::string& array() const { return array_; }
  const std::filesystem::path& directory() const { return directory_; }

 private:
  absl::StatusOr<http::Response> Send(http::HttpClient& client, const std::string& method, const std::string& url,
                                      const http::Headers& headers, const std::string& body);

  std::string array_, ip_, peer_, peer_ip_;
  std::filesystem::path directory_;
  Clock& clock_;
  pid_t array_pid_ = -1;
  pid_t service_pid_ = -1;
  std::unique_ptr<http::HttpClient> rest_;
  std::unique_ptr<http::HttpClient> control_;
  std::string token_;
  std::unique_ptr<rpc::Connector> connector_;
};

struct TwoSites {
  TwoSites();
  ~TwoSites();
  // Asks `done` until it says yes or 30 s have passed.
  template <typename Done>
  bool Wait(Done done) {
    for (int i = 0; i < 600; ++i) {
      if (done()) return true;
      clock.SleepFor(absl::Milliseconds(50));
    }
    return false;
  }

  SystemClock clock;
  std::filesystem::path directory;
  std::unique_ptr<Side> a, b;
};

using Stub = v1::StorageService::StubInterface;

inline std::string ReasonOf(const absl::Status& status) {
  return DetailOf(status).reason;
}

struct NamedDisk {
  std::string member;
  int32_t index;
  std::string serial;
  std::string volume;
};

// Requests of one group "pg", as the orchestrator makes them.
struct GroupCalls {
  std::string name = "pg-web";
  protector::group::v1::ReplicationType type = ASYNC;
  std::string group_id = "7d6c5b4a-0000-4000-8000-000000000001";
  int64_t epoch = 1;
  std::string operation = "op-1";

  template <typename Request>
  Request Make() const {
    Request request;
    request.mutable_authority()->set_group_id(group_id);
    request.mutable_authority()->set_epoch(epoch);
    request.mutable_authority()->set_operation_id(operation);
    request.set_name(name);
    request.set_replication_type(type);
    return request;
  }
  // Source, target, source: as when a member is added.
  void Protect(Side& source, Side& target, const std::vector<NamedDisk>& disks) const;
  absl::StatusOr<v1::Protection> Get(Side& side, const std::string& source_array) const;
  v1::MaterializeVolumesRequest Materialize(Side& source, const std::string& point,
                                            const std::vector<NamedDisk>& disks) const;
  v1::FenceVolumesRequest Fence(const std::vector<NamedDisk>& disks, bool quiesce) const;
  // A recovery point on the source, complete on the target; its name.
  std::string FinalPoint(TwoSites& sites, Side& source, Side& target, int volumes) const;
};

}  // namespace protector::storage
