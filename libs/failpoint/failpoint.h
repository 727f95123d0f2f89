#pragma once
// Failpoints: named places right before and right after every remote change and every write of a store, at which a test
// lets the program die, lose an answer or stand still. Each guarded change has one Site, which is two points:
//
//   const failpoint::Site kManage("cinder-manage-volume", &http::LostCall);   // before-..., after-...
//   auto answer = failpoint::Around(kManage, [&] { return api_.Once(call, target, body); });
//
// In a build without PROTECTOR_FAILPOINTS (the release preset) a Site is an empty constant and Around is the call.
//
// A program looks at its points only when the environment variable PROTECTOR_FAILPOINTS names a directory. There
//   <program>.armed   one order: "POINT NUMBER ACTION", e.g. "after-cinder-manage-volume 2 kill": the second hit of
//   that
//                     point since the order was given. Actions: kill (SIGKILL to itself), error, delay=MILLISECONDS. An
//                     order is carried out once; it is taken away (the file is unlinked) right before.
//   <program>.hits    a line "POINT NUMBER" for every hit, appended by the program.
//
// What `error` means: at before-... the change was not made; at after-... it was made and its answer is lost. How that
// looks to the caller is the second argument of the Site: the error that the transport gives in the same case.
//
// Threads: Around may be called from any. Ownership: Sites are constants of a namespace. Failure: an unreadable order
// ends the program, since a test that ran without its fault would prove nothing.

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace protector::failpoint {

enum class When { kBefore, kAfter };
// The error that a caller would see if the transport had failed before or after the effect.
using ErrorOf = absl::Status (*)(When when, const std::string& point);

#ifdef PROTECTOR_FAILPOINTS

class Site {
 public:
  // `change` in the words of the service that is changed: "cinder-manage-volume". Unique in the program.
  Site(const char* change, ErrorOf error);
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;

  absl::Status Before() const { return Hit(When::kBefore); }
  absl::Status After() const { return Hit(When::kAfter); }

 private:
  absl::Status Hit(When when) const;

  const std::string before_;
  const std::string after_;
  const ErrorOf error_;
};

// Names of all points of this program, sorted.
std::vector<std::string> List();

// From PROTECTOR_FAILPOINTS; called once by main, before threads. `program` names the files.
void Activate(const std::string& program);

template <typename Change>
auto Around(const Site& site, const Change& change) -> std::invoke_result_t<Change> {
  if (absl::Status status = site.Before(); !status.ok()) return status;
  std::invoke_result_t<Change> answer = change();
  if (absl::Status status = site.After(); !status.ok()) return status;
  return answer;
}

#else

class Site {
 public:
  constexpr Site(const char* /*change*/, ErrorOf /*error*/) {}
};

inline std::vector<std::string> List() {
  return {};
}
inline void Activate(const std::string& /*program*/) {}

template <typename Change>
auto Around(const Site& /*site*/, const Change& change) -> std::invoke_result_t<Change> {
  return change();
}

#endif

}  // namespace protector::failpoint
