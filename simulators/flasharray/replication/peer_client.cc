#include "simulators/flasharray/replication/peer_client.h"

#include <httplib.h>

namespace protector::fasim {

struct PeerClient::Impl {
  httplib::Client http;
  std::string own_name;
};

PeerClient::PeerClient(const std::string& address, std::string own_name)
    : impl_(new Impl{httplib::Client("http://" + address), std::move(own_name)}) {
  impl_->http.set_connection_timeout(1, 0);
  impl_->http.set_read_timeout(10, 0);
  impl_->http.set_write_timeout(10, 0);
  impl_->http.set_keep_alive(true);
  impl_->http.set_tcp_nodelay(true);
}

PeerClient::~PeerClient() = default;

PeerReply PeerClient::Send(const std::string& what, const Json& head, const std::string& bytes) {
  const std::string path = "/sim/peer/" + what + "?from=" + impl_->own_name;
  const auto result = impl_->http.Post(path.c_str(), head.dump() + "\n" + bytes, "application/octet-stream");
  if (!result) throw Unreachable(httplib::to_string(result.error()));
  PeerReply reply{result->status, Json::parse(result->body, nullptr, false)};
  if (reply.body.is_discarded()) reply.body = Json::object();
  return reply;
}

Json SplitMessage(const std::string& body, std::string* bytes) {
  const std::size_t end = body.find('\n');
  if (end == std::string::npos) throw ApiError("A message without a head.");
  if (bytes != nullptr) *bytes = body.substr(end + 1);
  return Json::parse(body.substr(0, end));
}

}  // namespace protector::fasim
