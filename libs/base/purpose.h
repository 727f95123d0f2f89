#pragma once
// What a call is made for. It travels with every outbound call, between our services too, so that the lines which an
// operation leaves in the logs of both sites can be found by it.
//
// Threads: a value. Failure: none.

#include <cstdint>
#include <string>

namespace protector {

struct Purpose {
  std::string operation;  // id; empty: the call belongs to no operation
  std::string step;       // name, as reported
  std::string task;       // id within the operation
  int64_t epoch = 0;      // of the group, that the call is made in; 0: none

  bool empty() const { return operation.empty(); }
};

}  // namespace protector
