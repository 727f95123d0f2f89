// Keep-alive connections to one endpoint, for any number of threads: one is taken for a call and given back.
// Failure: Send answers Unavailable when no answer came.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <absl/status/statusor.h>

namespace httplib {
class Client;
}

namespace protector::ossim {

struct WireAnswer {
  int status = 0;
  std::string body;
  std::string auth_token;  // header x-auth-token
};

class HttpPool {
 public:
  HttpPool(std::string url, std::string ca_file, bool insecure);
  ~HttpPool();
  absl::StatusOr<WireAnswer> Send(const std::string& method, const std::string& target,
                                  const std::vector<std::pair<std::string, std::string>>& headers,
                                  const std::string& body, const std::string& content_type);

 private:
  std::unique_ptr<httplib::Client> Take();
  void Give(std::unique_ptr<httplib::Client> client);

  std::string url_, ca_file_;
  bool insecure_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<httplib::Client>> idle_;
};

std::string UrlEncode(const std::string& text);

}  // namespace protector::ossim
