#pragma once
// For tests: whether a table of who may call what has a row for every method of the services that a program serves, and
// none beside.
//
// Threads: a pure function. Failure: none.

#include <google/protobuf/descriptor.h>

#include <string>
#include <vector>

#include "libs/grpc/access.h"

namespace protector::rpc::testing {

// What is wrong, a line each; empty: nothing. `files`: of the services, e.g. site::v1::Site::descriptor()->file().
inline std::vector<std::string> WrongRows(Access access,
                                          const std::vector<const google::protobuf::FileDescriptor*>& files) {
  std::vector<std::string> wrong;
  std::set<std::string> seen;
  for (const auto* file : files) {
    for (int i = 0; i < file->service_count(); ++i) {
      for (int j = 0; j < file->service(i)->method_count(); ++j) {
        const std::string& method = file->service(i)->method(j)->name();
        if (!seen.insert(method).second) wrong.push_back(method + " is a method of two services");
        if (access.erase(method) == 0) wrong.push_back(method + " has no row");
      }
    }
  }
  if (seen.empty()) wrong.emplace_back("the files have no services");
  for (const auto& [method, callers] : access) wrong.push_back(method + " is no method");
  return wrong;
}

}  // namespace protector::rpc::testing
