#pragma once
// openstack-sim as a process of its own on an address of its own, for tests of libs/openstack against it.
//
// Threads: one. Ownership: the process ends with the object. Failure: the constructor throws (a test fails).

#include <sys/types.h>

#include <memory>
#include <string>

#include "libs/http/curl_client.h"
#include "libs/json/json.h"
#include "libs/openstack/cloud.h"

namespace protector::openstack {

class SimulatedSite {
 public:
  SimulatedSite();
  ~SimulatedSite();
  SimulatedSite(const SimulatedSite&) = delete;
  SimulatedSite& operator=(const SimulatedSite&) = delete;

  // Logged in as `user` of the site's seed.
  std::shared_ptr<Cloud> Connect(const std::string& user, const std::string& project);

  // The simulator's control plane: POST with a body, GET without.
  json::Value Control(const std::string& path, const std::string& body = "");
  // A request that the product has no call for. `path` below the service's endpoint.
  json::Value Raw(Cloud& cloud, const std::string& service, const std::string& method, const std::string& path,
                  const std::string& body);

  // Asks `done` until it says yes; false after 20 s.
  template <typename Done>
  bool Wait(Done done) {
    for (int i = 0; i < 400; ++i) {
      if (done()) return true;
      clock_.SleepFor(absl::Milliseconds(50));
    }
    return false;
  }

  const std::string& ip() const { return ip_; }

 private:
  SystemClock clock_;
  RandomIdGenerator ids_;
  std::string ip_;
  pid_t process_ = -1;
  std::unique_ptr<http::HttpClient> http_;
};

}  // namespace protector::openstack
