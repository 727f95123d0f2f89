#include "libs/http/retry.h"

#include <algorithm>
#include <memory>
#include <mutex>
#include <random>

namespace protector::http {
namespace {

enum class Verdict { kFinal, kAgain };

bool DidNothing(const Response& response) {
  return response.status == 429 || (response.status == 503 && !response.Header("Retry-After").empty());
}

bool BrokenServer(const Response& response) {
  return response.status == 500 || response.status == 502 || response.status == 503 || response.status == 504;
}

Verdict Judge(const absl::StatusOr<Response>& answer, Idempotency idempotency) {
  const bool twice_is_once = idempotency == Idempotency::kIdempotent;
  if (answer.ok()) {
    return DidNothing(*answer) || (twice_is_once && BrokenServer(*answer)) ? Verdict::kAgain : Verdict::kFinal;
  }
  const bool failed_on_the_way = answer.status().code() == absl::StatusCode::kUnavailable ||
                                 answer.status().code() == absl::StatusCode::kDeadlineExceeded;
  return failed_on_the_way && (twice_is_once || NotSent(answer.status())) ? Verdict::kAgain : Verdict::kFinal;
}

// False when the caller gave up meanwhile.
bool Wait(absl::Duration duration, const std::stop_token& stop, Clock& clock) {
  constexpr absl::Duration kSlice = absl::Milliseconds(200);
  for (; duration > absl::ZeroDuration() && !stop.stop_requested(); duration -= kSlice) {
    clock.SleepFor(std::min(duration, kSlice));
  }
  return !stop.stop_requested();
}

}  // namespace

std::function<double()> SystemRandom() {
  struct Source {
    std::mutex mutex;
    std::mt19937_64 engine{std::random_device{}()};
  };
  return [source = std::make_shared<Source>()] {
    const std::lock_guard<std::mutex> lock(source->mutex);
    return std::uniform_real_distribution<double>(0.0, 1.0)(source->engine);
  };
}

absl::StatusOr<Response> DoWithRetry(const Request& request, Idempotency idempotency, const RetryPolicy& policy,
                                     const RetryEnv& env,
                                     const std::function<absl::StatusOr<Response>(const Request&, int attempt)>& send) {
  absl::Duration backoff = policy.initial_backoff;
  for (int attempt = 1;; ++attempt) {
    absl::StatusOr<Response> answer = send(request, attempt);
    if (attempt >= policy.max_attempts || Judge(answer, idempotency) == Verdict::kFinal) return answer;

    absl::Duration wait = backoff * (1.0 - policy.jitter * env.random());
    if (answer.ok()) {
      const absl::Duration asked = RetryAfter(*answer, env.clock.Now());
      if (asked > policy.max_retry_after) return answer;
      wait = std::max(wait, asked);
    }
    if (env.clock.Now() + wait >= request.deadline || !Wait(wait, request.stop, env.clock)) return answer;
    backoff = std::min(backoff * policy.multiplier, policy.max_backoff);
  }
}

absl::Duration RetryAfter(const Response& response, absl::Time now) {
  const std::string text = response.Header("Retry-After");
  if (text.empty()) return absl::ZeroDuration();
  if (text.find_first_not_of("0123456789") == std::string::npos) {
    return text.size() > 9 ? absl::InfiniteDuration() : absl::Seconds(std::strtoll(text.c_str(), nullptr, 10));
  }
  absl::Time when;
  std::string error;
  if (!absl::ParseTime("%a, %d %b %Y %H:%M:%S GMT", text, &when, &error)) return absl::ZeroDuration();
  return std::max(when - now, absl::ZeroDuration());
}

}  // namespace protector::http
