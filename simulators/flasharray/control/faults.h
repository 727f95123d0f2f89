// Faults that tests plant: which request is hit, and how.
//
// Threads: safe. Ownership: owns its list and its seeded generator. Failure: a malformed fault throws ApiError 400.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <regex>
#include <string>

#include "simulators/flasharray/base/types.h"

namespace protector::fasim {

struct FaultAction {
  int id = 0;
  std::string action;  // error, delay, cut_before, execute_then_cut, half_then_cut, black_hole
  int status = 500;
  std::string message;
  std::optional<std::string> context;
  Millis delay_ms = 0;
};

struct FaultTarget {
  std::string plane, method, path, short_path, body;
  std::map<std::string, std::string> params;
};

class Faults {
 public:
  explicit Faults(std::uint64_t seed) : random_(seed) {}

  int Add(const Json& description);
  Json List() const;
  // No id: all of them.
  void Remove(std::optional<int> id);
  // The first fault that fires for this request; counts matches on the way.
  std::optional<FaultAction> Hit(const FaultTarget& target);
  // Sleeps for the fault's delay; a removed fault or Stop ends it early.
  void Wait(int id, Millis delay_ms);
  void Stop();

 private:
  struct Fault {
    FaultAction action;
    Json description;
    std::string plane, method, path, body;
    std::optional<std::regex> regex;
    std::map<std::string, std::string> params;
    std::uint64_t nth = 1, matches = 0, hits = 0;
    std::optional<std::uint64_t> count;
    double probability = 1;
  };
  static bool Matches(const Fault& fault, const FaultTarget& target);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::list<Fault> faults_;
  std::mt19937_64 random_;
  int next_ = 1;
  bool stopped_ = false;
};

}  // namespace protector::fasim
