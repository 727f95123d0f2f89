#include "simulators/flasharray/rest/http_server.h"

#include <httplib.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

namespace protector::fasim {
namespace {

constexpr int kIdleMs = 120000;
constexpr int kIoMs = 60000;

// Set by a handler on the thread that serves the connection.
thread_local bool cut_connection = false;

// Threads on demand: a connection never waits for a free one.
class GrowingPool : public httplib::TaskQueue {
 public:
  void enqueue(std::function<void()> task) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    tasks_.push_back(std::move(task));
    if (idle_ < tasks_.size()) threads_.emplace_back([this] { Work(); });
    wake_.notify_one();
  }
  void shutdown() override {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ending_ = true;
      wake_.notify_all();
    }
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  void Work() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
      ++idle_;
      wake_.wait(lock, [this] { return ending_ || !tasks_.empty(); });
      --idle_;
      if (tasks_.empty()) return;
      auto task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
      lock.lock();
    }
  }
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  std::vector<std::thread> threads_;
  std::size_t idle_ = 0;
  bool ending_ = false;
};

// One connection: buffered both ways, plain or TLS.
class Connection : public httplib::Stream {
 public:
  Connection(int fd, SSL* ssl) : fd_(fd), ssl_(ssl) {}

  // False: the peer has gone or stayed silent for too long.
  bool WaitForRequest() {
    if (at_ < in_.size() || (ssl_ != nullptr && SSL_pending(ssl_) > 0)) return true;
    return Poll(POLLIN, kIdleMs);
  }
  // Reads the head of the next request and gives it a Content-Length if it has none, so that the parser does not wait
  // for the end of the connection to find the end of a body that does not exist.
  bool PrepareHead() {
    std::size_t end = 0;
    while ((end = in_.find("\r\n\r\n", at_)) == std::string::npos) {
      if (in_.size() - at_ > 65536 || !Fill()) return false;
    }
    std::string head = in_.substr(at_, end - at_);
    std::string low = head;
    std::transform(low.begin(), low.end(), low.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const bool body_method = low.rfind("get ", 0) != 0 && low.rfind("head ", 0) != 0;
    if (body_method && low.find("\r\ncontent-length:") == std::string::npos &&
        low.find("\r\ntransfer-encoding:") == std::string::npos) {
      in_.insert(end, "\r\nContent-Length: 0");
    }
    return true;
  }

  bool is_readable() const override { return true; }
  bool is_writable() const override { return true; }
  ssize_t read(char* to, size_t size) override {
    if (at_ >= in_.size() && !Fill()) return 0;
    const std::size_t part = std::min(size, in_.size() - at_);
    std::memcpy(to, in_.data() + at_, part);
    at_ += part;
    return static_cast<ssize_t>(part);
  }
  ssize_t write(const char* bytes, size_t size) override {
    if (cut_connection) return -1;
    out_.append(bytes, size);
    return static_cast<ssize_t>(size);
  }
  bool Flush() {
    std::size_t done = 0;
    while (done < out_.size()) {
      const std::size_t left = out_.size() - done;
      ssize_t n = 0;
      if (ssl_ != nullptr) {
        n = SSL_write(ssl_, out_.data() + done, static_cast<int>(std::min<std::size_t>(left, 1 << 20)));
      } else {
        n = ::send(fd_, out_.data() + done, left, MSG_NOSIGNAL);
      }
      if (n <= 0) return false;
      done += static_cast<std::size_t>(n);
    }
    out_.clear();
    return true;
  }
  void get_remote_ip_and_port(std::string& ip, int& port) const override {
    sockaddr_in address{};
    socklen_t size = sizeof(address);
    ::getpeername(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    char text[INET_ADDRSTRLEN] = "";
    ::inet_ntop(AF_INET, &address.sin_addr, text, sizeof(text));
    ip = text;
    port = ntohs(address.sin_port);
  }
  void get_local_ip_and_port(std::string& ip, int& port) const override {
    ip.clear();
    port = 0;
  }
  socket_t socket() const override { return fd_; }

 private:
  bool Poll(short events, int wait_ms) const {
    pollfd one{fd_, events, 0};
    return ::poll(&one, 1, wait_ms) == 1;
  }
  bool Fill() {
    if (at_ > 0) {
      in_.erase(0, at_);
      at_ = 0;
    }
    char buffer[65536];
    ssize_t n = 0;
    if (ssl_ != nullptr) {
      if (SSL_pending(ssl_) == 0 && !Poll(POLLIN, kIoMs)) return false;
      n = SSL_read(ssl_, buffer, sizeof(buffer));
    } else {
      if (!Poll(POLLIN, kIoMs)) return false;
      n = ::recv(fd_, buffer, sizeof(buffer), 0);
    }
    if (n <= 0) return false;
    in_.append(buffer, static_cast<std::size_t>(n));
    return true;
  }

  int fd_;
  SSL* ssl_;
  std::string in_, out_;
  std::size_t at_ = 0;
};

}  // namespace

class HttpServer::Impl : public httplib::Server {
 public:
  Impl(HttpServer::Handler handler, const std::string& certificate, const std::string& key)
      : handler_(std::move(handler)) {
    new_task_queue = [] { return new GrowingPool; };
    set_payload_max_length(std::size_t{1} << 30);
    // Not the library's SO_REUSEPORT: with it, two arrays share one address, and each gets some of the other's
    // requests.
    set_socket_options([](socket_t socket) {
      const int yes = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    const auto route = [this](const httplib::Request& in, httplib::Response& out) { Serve(in, out); };
    Get(".*", route);
    Post(".*", route);
    Put(".*", route);
    Patch(".*", route);
    Delete(".*", route);
    if (certificate.empty()) return;
    context_ = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context_, SSL_MODE_AUTO_RETRY);
    if (SSL_CTX_use_certificate_chain_file(context_, certificate.c_str()) != 1 ||
        SSL_CTX_use_PrivateKey_file(context_, key.c_str(), SSL_FILETYPE_PEM) != 1) {
      throw std::runtime_error("cannot load " + certificate + " and " + key);
    }
  }
  ~Impl() override {
    if (context_ != nullptr) SSL_CTX_free(context_);
  }

  int BindTo(const std::string& host, int port) {
    if (port == 0) {
      port = bind_to_any_port(host);
      if (port < 0) throw std::runtime_error("cannot bind " + host);
      return port;
    }
    if (!bind_to_port(host, port)) throw std::runtime_error("cannot bind " + host + ":" + std::to_string(port));
    return port;
  }
  void Run() {
    thread_ = std::thread([this] { listen_after_bind(); });
    while (!is_running()) std::this_thread::yield();
  }
  void End() {
    if (!thread_.joinable()) return;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ending_ = true;
      for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
    }
    stop();
    thread_.join();
  }

 private:
  void Serve(const httplib::Request& in, httplib::Response& out) {
    HttpRequest request;
    request.method = in.method;
    request.path = in.path;
    request.body = in.body;
    request.remote = in.remote_addr;
    request.header = [&](const std::string& name) { return in.get_header_value(name); };
    request.param = [&](const std::string& name) {
      return in.has_param(name) ? in.get_param_value(name) : std::string();
    };
    request.each_param = [&](const std::function<void(const std::string&, const std::string&)>& visit) {
      for (const auto& [name, value] : in.params) visit(name, value);
    };
    HttpResponse response;
    handler_(request, &response);
    cut_connection = response.cut;
    out.status = response.status;
    if (!response.request_id.empty()) out.set_header("X-Request-ID", response.request_id);
    if (!response.auth_token.empty()) out.set_header("x-auth-token", response.auth_token);
    if (!response.retry_limit.empty()) {
      out.set_header("X-RateLimit-Limit-minute", response.retry_limit);
      out.set_header("X-RateLimit-Remaining-minute", "0");
    }
    if (!response.body.empty() || response.status != 200) {
      out.set_content(std::move(response.body), response.content_type.c_str());
    }
  }

  bool process_and_close_socket(socket_t fd) override {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (ending_) {
        ::close(fd);
        return false;
      }
      open_.insert(fd);
    }
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    SSL* ssl = nullptr;
    bool good = true;
    if (context_ != nullptr) {
      // A client that never finishes its handshake must not hold a thread for ever.
      const timeval limit{10, 0};
      ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
      ssl = SSL_new(context_);
      SSL_set_fd(ssl, fd);
      good = SSL_accept(ssl) == 1;
      const timeval none{0, 0};
      ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &none, sizeof(none));
    }
    Connection connection(fd, ssl);
    cut_connection = false;
    bool cut = false;
    while (good && connection.WaitForRequest() && connection.PrepareHead()) {
      bool closed = false;
      good = process_request(connection, false, closed, [](httplib::Request&) {});
      cut = cut_connection;
      cut_connection = false;
      if (cut) break;
      good = connection.Flush() && good && !closed;
    }
    if (ssl != nullptr) {
      if (good && !cut) SSL_shutdown(ssl);
      SSL_free(ssl);
      ERR_clear_error();
    }
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      open_.erase(fd);
    }
    ::shutdown(fd, SHUT_RDWR);
    ::close(fd);
    return true;
  }

  HttpServer::Handler handler_;
  SSL_CTX* context_ = nullptr;
  std::thread thread_;
  std::mutex mutex_;
  std::set<int> open_;
  bool ending_ = false;
};

HttpServer::HttpServer(Handler handler, const std::string& certificate_file, const std::string& key_file)
    : impl_(std::make_unique<Impl>(std::move(handler), certificate_file, key_file)) {}
HttpServer::~HttpServer() {
  Stop();
}
int HttpServer::Bind(const std::string& host, int port) {
  return impl_->BindTo(host, port);
}
void HttpServer::Start() {
  impl_->Run();
}
void HttpServer::Stop() {
  impl_->End();
}

}  // namespace protector::fasim
