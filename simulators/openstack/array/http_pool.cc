#include "simulators/openstack/array/http_pool.h"

#include <cctype>

#include <fmt/format.h>
#include <httplib.h>

namespace protector::ossim {

HttpPool::HttpPool(std::string url, std::string ca_file, bool insecure)
    : url_(std::move(url)), ca_file_(std::move(ca_file)), insecure_(insecure) {}
HttpPool::~HttpPool() = default;

std::unique_ptr<httplib::Client> HttpPool::Take() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!idle_.empty()) {
      auto client = std::move(idle_.back());
      idle_.pop_back();
      return client;
    }
  }
  auto client = std::make_unique<httplib::Client>(url_);
  client->set_keep_alive(true);
  client->set_tcp_nodelay(true);
  client->set_connection_timeout(10);
  client->set_read_timeout(60);
  client->set_write_timeout(60);
  if (insecure_) {
    client->enable_server_certificate_verification(false);
  } else if (!ca_file_.empty()) {
    client->set_ca_cert_path(ca_file_);
  }
  return client;
}

void HttpPool::Give(std::unique_ptr<httplib::Client> client) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (idle_.size() < 32) idle_.push_back(std::move(client));
}

absl::StatusOr<WireAnswer> HttpPool::Send(const std::string& method, const std::string& target,
                                          const std::vector<std::pair<std::string, std::string>>& headers,
                                          const std::string& body, const std::string& content_type) {
  auto client = Take();
  httplib::Request request;
  request.method = method;
  request.path = target;
  for (const auto& [k, v] : headers) request.set_header(k, v);
  request.body = body;
  if (!body.empty()) request.set_header("Content-Type", content_type);
  httplib::Response response;
  httplib::Error error = httplib::Error::Success;
  if (!client->send(request, response, error)) {
    return absl::UnavailableError(fmt::format("{}: no answer ({})", url_, httplib::to_string(error)));
  }
  WireAnswer answer{response.status, std::move(response.body), response.get_header_value("x-auth-token")};
  Give(std::move(client));
  return answer;
}

std::string UrlEncode(const std::string& text) {
  std::string out;
  for (unsigned char c : text) {
    if (std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.' || c == '~') {
      out.push_back(static_cast<char>(c));
    } else {
      out += fmt::format("%{:02X}", c);
    }
  }
  return out;
}

}  // namespace protector::ossim
