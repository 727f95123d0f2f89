#include "libs/http/observe.h"

#include "libs/base/error.h"

namespace protector::http {

absl::StatusOr<Response> DoObserved(HttpClient& client, const Request& request, Clock& clock, const Watch& watch,
                                    int attempt) {
  const absl::Duration begin = clock.Monotonic();
  absl::StatusOr<Response> answer = client.Do(request);
  if (watch.observer == nullptr) return answer;

  CallRecord record;
  record.service = watch.service;
  record.method = request.method;
  record.host = HostOf(request.url);
  record.route = request.route;
  record.duration = clock.Monotonic() - begin;
  record.caller_request_id = watch.caller_request_id;
  record.purpose = watch.purpose;
  record.attempt = attempt;
  if (answer.ok()) {
    record.status = answer->status;
    record.request_id = answer->Header("x-openstack-request-id");
    if (record.request_id.empty()) record.request_id = answer->Header("x-request-id");
  } else {
    record.error = MessageOf(answer.status());
  }
  watch.observer->OnCall(record);
  return answer;
}

}  // namespace protector::http
