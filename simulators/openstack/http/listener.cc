#include "simulators/openstack/http/listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <list>
#include <mutex>
#include <thread>

#include <fmt/format.h>
#include <httplib.h>

#include "simulators/openstack/core/util.h"

namespace protector::ossim {
namespace {

constexpr int kIdleSeconds = 120;
constexpr int kReadSeconds = 30;
constexpr size_t kMaxConnections = 1000;

// One connection thread per task; there are as many as there are connections.
class ThreadPerConnection final : public httplib::TaskQueue {
 public:
  void enqueue(std::function<void()> task) override {
    std::unique_lock<std::mutex> lock(mutex_);
    Reap();
    room_.wait(lock, [&] { return active_ < kMaxConnections; });
    ++active_;
    threads_.emplace_back();
    auto self = std::prev(threads_.end());
    self->thread = std::thread([this, self, task = std::move(task)] {
      task();
      std::lock_guard<std::mutex> done(mutex_);
      self->finished = true;
      --active_;
      room_.notify_one();
    });
  }
  void shutdown() override {
    std::list<Entry> all;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      all.splice(all.end(), threads_);
    }
    for (Entry& e : all) e.thread.join();
  }

 private:
  struct Entry {
    std::thread thread;
    bool finished = false;
  };
  void Reap() {
    for (auto it = threads_.begin(); it != threads_.end();) {
      if (it->finished) {
        it->thread.join();
        it = threads_.erase(it);
      } else {
        ++it;
      }
    }
  }
  std::mutex mutex_;
  std::condition_variable room_;
  std::list<Entry> threads_;
  size_t active_ = 0;
};

// Buffered in both directions; waits with poll and wakes up when the listener stops.
class Connection final : public httplib::Stream {
 public:
  Connection(socket_t fd, const std::atomic<bool>& stopping) : fd_(fd), stopping_(stopping) {}
  using httplib::Stream::write;

  bool WaitReadable(int seconds) {
    if (at_ < in_.size()) return true;
    for (int waited_ms = 0; waited_ms < seconds * 1000 && !stopping_; waited_ms += 250) {
      pollfd p{fd_, POLLIN, 0};
      int n = ::poll(&p, 1, 250);
      if (n > 0) return true;
      if (n < 0 && errno != EINTR) return false;
    }
    return false;
  }
  bool is_readable() const override { return const_cast<Connection*>(this)->WaitReadable(kReadSeconds); }
  bool is_writable() const override { return true; }
  ssize_t read(char* ptr, size_t size) override {
    if (!Flush()) return -1;
    if (at_ == in_.size()) {
      if (!WaitReadable(kReadSeconds)) return -1;
      in_.resize(65536);
      ssize_t n = ::recv(fd_, in_.data(), in_.size(), 0);
      in_.resize(n > 0 ? static_cast<size_t>(n) : 0);
      at_ = 0;
      if (n <= 0) return n;
    }
    size_t n = std::min(size, in_.size() - at_);
    std::memcpy(ptr, in_.data() + at_, n);
    at_ += n;
    return static_cast<ssize_t>(n);
  }
  ssize_t write(const char* ptr, size_t size) override {
    out_.append(ptr, size);
    if (out_.size() > (1U << 20) && !Flush()) return -1;
    return static_cast<ssize_t>(size);
  }
  bool Flush() {
    size_t done = 0;
    while (done < out_.size()) {
      ssize_t n = ::send(fd_, out_.data() + done, out_.size() - done, MSG_NOSIGNAL);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) {
        out_.clear();
        return false;
      }
      done += static_cast<size_t>(n);
    }
    out_.clear();
    return true;
  }
  void DropOutput() { out_.clear(); }
  void get_remote_ip_and_port(std::string& ip, int& port) const override { Address(ip, port, true); }
  void get_local_ip_and_port(std::string& ip, int& port) const override { Address(ip, port, false); }
  socket_t socket() const override { return fd_; }

 private:
  void Address(std::string& ip, int& port, bool remote) const {
    sockaddr_in a{};
    socklen_t n = sizeof(a);
    int rc = remote ? getpeername(fd_, reinterpret_cast<sockaddr*>(&a), &n)
                    : getsockname(fd_, reinterpret_cast<sockaddr*>(&a), &n);
    if (rc != 0) return;
    char text[INET_ADDRSTRLEN];
    ip = inet_ntop(AF_INET, &a.sin_addr, text, sizeof(text));
    port = ntohs(a.sin_port);
  }
  socket_t fd_;
  const std::atomic<bool>& stopping_;
  std::string in_;
  size_t at_ = 0;
  std::string out_;
};

thread_local bool cut_connection = false;
// httplib finds handlers by regular expression over the whole path; all paths have one handler here, so it is shown
// "/".
thread_local std::string request_path;

}  // namespace

class Listener::Impl final : public httplib::Server {
 public:
  Impl(std::string address, int port, Callback callback)
      : address_(std::move(address)), port_(port), callback_(std::move(callback)) {
    new_task_queue = [] { return new ThreadPerConnection; };
    auto handle = [this](const httplib::Request& in, httplib::Response& out) { Handle(in, out); };
    const char* kAny = "/";
    Get(kAny, handle).Post(kAny, handle).Put(kAny, handle).Patch(kAny, handle).Delete(kAny, handle);
    Options(kAny, handle);
    set_payload_max_length(64U << 20);
    // Not the library's SO_REUSEPORT: with it, two clouds share one address, and each gets some of the other's
    // requests.
    set_socket_options([](socket_t socket) {
      const int yes = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    keep_alive_max_count_ = 1U << 30;
    keep_alive_timeout_sec_ = kIdleSeconds;
  }

  std::string Start() {
    if (port_ == 0) {
      port_ = bind_to_any_port(address_);
      if (port_ < 0) return fmt::format("cannot listen on {}: {}", address_, std::strerror(errno));
    } else if (!bind_to_port(address_, port_)) {
      return fmt::format("cannot listen on {}:{}: {}", address_, port_, std::strerror(errno));
    }
    ::listen(svr_sock_, 1024);  // httplib's own backlog of 5 loses bursts
    thread_ = std::thread([this] { listen_after_bind(); });
    return "";
  }
  void Halt() {
    stopping_ = true;
    if (!thread_.joinable()) return;
    while (!is_running()) std::this_thread::yield();  // stop() before listen_internal has begun would be lost
    stop();
    thread_.join();
  }
  int bound_port() const { return port_; }

 private:
  bool process_and_close_socket(socket_t fd) override {
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    Connection connection(fd, stopping_);
    bool closed = false;
    while (!closed && connection.WaitReadable(kIdleSeconds)) {
      cut_connection = false;
      bool ok = process_request(connection, stopping_, closed, [](httplib::Request& r) {
        // Without this httplib reads a DELETE or POST that has no body until the client hangs up.
        if (!r.has_header("Content-Length") && !r.has_header("Transfer-Encoding")) r.set_header("Content-Length", "0");
        request_path.swap(r.path);
        r.path.assign(1, '/');
      });
      if (cut_connection) {
        connection.DropOutput();
        break;
      }
      if (!connection.Flush() || !ok) break;
    }
    ::shutdown(fd, SHUT_RDWR);
    ::close(fd);
    return true;
  }

  void Handle(const httplib::Request& in, httplib::Response& out) {
    WireRequest request;
    request.method = in.method;
    request.path = request_path;
    for (const auto& [k, v] : in.params) request.query.emplace(k, v);
    for (const auto& [k, v] : in.headers) request.headers[Lower(k)] = v;
    request.body = in.body;
    WireResponse response = callback_(request);
    cut_connection = response.cut;
    out.status = response.status;
    for (auto& [k, v] : response.headers) out.set_header(k, v);
    if (!response.body.empty() || response.status != 204) {
      out.set_content(response.body, response.content_type.empty() ? "application/json" : response.content_type);
    }
  }

  std::string address_;
  int port_;
  Callback callback_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

Listener::Listener(std::string address, int port, Callback callback)
    : impl_(std::make_unique<Impl>(std::move(address), port, std::move(callback))) {}
Listener::~Listener() {
  Stop();
}
std::string Listener::Listen() {
  return impl_->Start();
}
void Listener::Stop() {
  impl_->Halt();
}
int Listener::port() const {
  return impl_->bound_port();
}

}  // namespace protector::ossim
