#pragma once
// A server stream fed by a queue: whoever has events pushes them, the stream sends them one after the other, and no
// thread waits for the client.
//
//   ::grpc::ServerWriteReactor<Event>* Watch(::grpc::CallbackServerContext* context, const WatchRequest* request)
//   override {
//     return rpc::Stream<Event>(host_, context, request, "Watch",
//         [this](const rpc::CallContext& call, const WatchRequest& r, std::shared_ptr<rpc::EventStream<Event>> stream)
//         {
//           return watchers_.Subscribe(r, stream);   // OK: the stream stays open; an error ends it
//         });
//   }
//
// The starter runs on a worker and may push at once. The stream ends by Close, when the client goes, at its deadline,
// or when the host drains.
//
// Threads: every method may be called from any thread. Ownership: the stream is shared between gRPC and its feeders; it
// lives as long as one of them holds it. Failure: Push returns false once nobody reads any more or when the client is
// so slow that `kMaxQueued` events wait (the stream is then closed with RESOURCE_EXHAUSTED: the client reconnects).

#include <grpcpp/grpcpp.h>

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "libs/grpc/host.h"
#include "libs/grpc/status.h"
#include "libs/grpc/unary.h"

namespace protector::rpc {

template <typename Event>
class EventStream {
 public:
  static constexpr size_t kMaxQueued = 10000;

  virtual ~EventStream() = default;
  virtual bool Push(Event event) = 0;
  // Sends what is queued, then ends the stream. The first one counts.
  virtual void Close(const absl::Status& status) = 0;
  // True once nothing that is pushed would be sent.
  virtual bool closed() const = 0;
  // Called once when the stream has ended, at once if it has already. For unsubscribing. Runs on a gRPC thread: short.
  virtual void OnClosed(std::function<void()> callback) = 0;
};

template <typename Event>
class StreamReactor final : public ::grpc::ServerWriteReactor<Event>, public EventStream<Event> {
 public:
  StreamReactor(Host& host, CallContext call) : host_(host), started_(absl::Now()), call_(std::move(call)) {}

  // As the user's that was proven meanwhile. OK: counted among its caller's.
  absl::Status Enter(const CallContext& proven) {
    const absl::Status status = host_.EnterStream(proven);
    bool gone = false;
    {
      std::lock_guard lock(mutex_);
      call_ = proven;
      gone = done_;
      entered_ = status.ok() && !gone;
    }
    if (status.ok() && gone) host_.LeaveStream(proven);
    return status;
  }

  // Keeps itself alive until gRPC is done with it.
  void Hold(std::shared_ptr<StreamReactor> self) {
    self_ = std::move(self);
    std::weak_ptr<StreamReactor> weak = self_;
    drain_hook_ = host_.AddDrainHook([weak] {
      if (auto stream = weak.lock()) {
        stream->Close(Error(absl::StatusCode::kUnavailable, "SHUTTING_DOWN", "the service is shutting down")
                          .Remedy("Connect again; the operation itself goes on."));
      }
    });
  }

  bool Push(Event event) override {
    std::unique_lock lock(mutex_);
    if (closing_ || done_) return false;
    if (queue_.size() >= EventStream<Event>::kMaxQueued) {
      closing_ = true;
      queue_.clear();
      status_ = Error(absl::StatusCode::kResourceExhausted, "READER_TOO_SLOW", "the reader of the stream is too slow")
                    .Remedy("Read again from the last event that was received.");
      Step(lock);
      return false;
    }
    queue_.push_back(std::move(event));
    Step(lock);
    return true;
  }

  void Close(const absl::Status& status) override {
    std::unique_lock lock(mutex_);
    if (closing_ || done_) return;
    closing_ = true;
    status_ = status;
    Step(lock);
  }

  bool closed() const override {
    std::lock_guard lock(mutex_);
    return closing_ || done_;
  }

  void OnClosed(std::function<void()> callback) override {
    {
      std::lock_guard lock(mutex_);
      if (!done_) {
        callbacks_.push_back(std::move(callback));
        return;
      }
    }
    callback();
  }

  void OnWriteDone(bool ok) override {
    std::unique_lock lock(mutex_);
    writing_ = false;
    if (!ok) {
      closing_ = true;
      queue_.clear();
    }
    Step(lock);
  }

  // The client has gone or the deadline has passed: without this an idle stream would stay open for ever.
  void OnCancel() override {
    std::unique_lock lock(mutex_);
    queue_.clear();
    if (!closing_) {
      closing_ = true;
      status_ = absl::CancelledError("the reader has gone or its deadline has passed");
    }
    Step(lock);
  }

  void OnDone() override {
    std::vector<std::function<void()>> callbacks;
    absl::Status status;
    CallContext call;
    bool entered = false;
    {
      std::lock_guard lock(mutex_);
      done_ = true;
      callbacks.swap(callbacks_);
      status = status_;
      call = call_;
      entered = entered_;
    }
    host_.RemoveDrainHook(drain_hook_);
    if (entered) host_.LeaveStream(call);
    host_.Finished(call, started_, status);
    for (const auto& callback : callbacks) callback();
    self_.reset();  // may delete this
  }

 private:
  // Sends the next event or ends the stream. gRPC may answer on another thread before StartWrite returns, so the lock
  // is given up first.
  void Step(std::unique_lock<std::mutex>& lock) {
    if (writing_ || finished_) return;
    if (!queue_.empty()) {
      writing_ = true;
      current_ = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      this->StartWrite(&current_);
      return;
    }
    if (closing_) {
      finished_ = true;
      const absl::Status status = status_;
      lock.unlock();
      this->Finish(ToGrpc(status, host_.site()));
    }
  }

  Host& host_;
  const absl::Time started_;
  std::shared_ptr<StreamReactor> self_;
  int64_t drain_hook_ = 0;
  mutable std::mutex mutex_;
  CallContext call_;
  std::deque<Event> queue_;
  Event current_;
  absl::Status status_;
  std::vector<std::function<void()>> callbacks_;
  bool entered_ = false;
  bool writing_ = false;
  bool closing_ = false;
  bool finished_ = false;
  bool done_ = false;
};

// Ends the stream when its user does not count any more.
template <typename Event>
void LookAgain(Host& host, const CallContext& call, const std::shared_ptr<EventStream<Event>>& stream) {
  const int64_t id = host.KeepLookingAt(call, [weak = std::weak_ptr(stream)](const absl::Status& why) {
    if (const auto held = weak.lock()) held->Close(why);
  });
  if (id != 0) stream->OnClosed([&host, id] { host.ForgetStream(id); });
}

template <typename Event, typename Request, typename Function>
::grpc::ServerWriteReactor<Event>* Stream(Host& host, ::grpc::CallbackServerContext* context, const Request* request,
                                          const std::string& method, Function function) {
  absl::StatusOr<CallContext> admitted = host.Admit(*context, method, /*stream=*/true);
  CallContext call;
  call.method = method;
  if (admitted.ok()) call = *admitted;
  auto stream = std::make_shared<StreamReactor<Event>>(host, call);
  stream->Hold(stream);
  // gRPC's context ends with the stream, and whoever was given the call may ask later.
  call.cancelled = [weak = std::weak_ptr<EventStream<Event>>(stream)] {
    const auto held = weak.lock();
    return held == nullptr || held->closed();
  };
  absl::Status started = admitted.status();
  if (started.ok()) {
    // The request is copied: the stream may end, and gRPC free it, before the worker gets to it.
    started = host.Post(call, [&host, stream, copy = *request, function = std::move(function)](
                                  const CallContext& settled, const absl::Status& allowed) {
      if (stream->closed()) return;
      absl::Status status = allowed;
      if (status.ok()) status = stream->Enter(settled);
      if (status.ok()) {
        LookAgain<Event>(host, settled, stream);
        status = Guarded([&] { return function(settled, copy, stream); });
      }
      if (!status.ok()) stream->Close(status);
    });
  }
  StreamReactor<Event>* reactor = stream.get();
  if (!started.ok()) reactor->Close(started);
  return reactor;
}

}  // namespace protector::rpc
