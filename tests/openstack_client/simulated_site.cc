#include "tests/openstack_client/simulated_site.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>

namespace protector::openstack {

SimulatedSite::SimulatedSite() {
  // Tests run side by side: each process has an address of its own.
  ip_ = fmt::format("127.{}.{}.1", 95 + getpid() / 250 % 100, 1 + getpid() % 250);
  const std::string control = ip_ + ":9900";
  http_ = http::NewCurlHttpClient({}, clock_);
  process_ = fork();
  if (process_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, STDERR_FILENO);
    execl(OPENSTACK_SIM, "openstack-sim", "--site", "site-a", "--ip", ip_.c_str(), "--control", control.c_str(),
          "--array", "none", static_cast<char*>(nullptr));
    _exit(127);
  }
  http::Request request;
  request.url = "http://" + control + "/sim/state";
  const bool up = Wait([&] { return http_->Do(request).ok(); });
  if (!up) throw std::runtime_error("openstack-sim does not answer on " + control);
}

SimulatedSite::~SimulatedSite() {
  kill(process_, SIGTERM);
  waitpid(process_, nullptr, 0);
}

std::shared_ptr<Cloud> SimulatedSite::Connect(const std::string& user, const std::string& project) {
  cloudconfig::Cloud config;
  config.name = "site-a";
  config.auth_type = "password";
  config.region_name = "site-a";
  config.auth = {{"auth_url", "http://" + ip_ + ":5000"},
                 {"username", user},
                 {"password", "lab-" + user + "-site-a"},
                 {"project_name", project}};
  http::RetryPolicy retry;
  retry.initial_backoff = absl::Milliseconds(20);
  const absl::StatusOr<std::shared_ptr<Cloud>> cloud =
      openstack::Connect(config, {*http_, clock_, http::SystemRandom(), nullptr, &ids_, retry});
  if (!cloud.ok()) throw std::runtime_error(std::string(cloud.status().message()));
  return *cloud;
}

json::Value SimulatedSite::Control(const std::string& path, const std::string& body) {
  http::Request request;
  request.method = body.empty() ? "GET" : "POST";
  request.url = "http://" + ip_ + ":9900" + path;
  request.body = body;
  const absl::StatusOr<http::Response> response = http_->Do(request);
  if (!response.ok() || !response->ok())
    throw std::runtime_error("control plane: " + (response.ok() ? response->body : path));
  return json::Parse(response->body).value_or(json::Value());
}

json::Value SimulatedSite::Raw(Cloud& cloud, const std::string& service, const std::string& method,
                               const std::string& path, const std::string& body) {
  http::Request request;
  request.method = method;
  request.url = cloud.Probe({}, service)->endpoint + path;
  request.headers = {{"X-Auth-Token", *cloud.Token({})}, {"Content-Type", "application/json"}};
  request.body = body;
  const absl::StatusOr<http::Response> response = http_->Do(request);
  if (!response.ok() || !response->ok())
    throw std::runtime_error(path + ": " + (response.ok() ? response->body : "no answer"));
  return json::Parse(response->body).value_or(json::Value());
}

}  // namespace protector::openstack
