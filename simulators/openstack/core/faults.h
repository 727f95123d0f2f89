// Faults that tests ask for: rules of the transport (what happens to a request) and of behaviour (what a service does
// later). Threads: any; held requests wait inside Hold. Failure: Add returns an error text for a rule it cannot read.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

namespace protector::ossim {

using json = nlohmann::json;

struct TransportFault {
  std::string id;
  std::string action;  // error, delay, cut_before, execute_then_cut, black_hole, execute_then_hang
  int status = 500;
  json response;  // null: the service's own shape
  json headers;
  int64_t delay_ms = 0;
};

class Faults {
 public:
  // The rule's id, or an error text in *error.
  std::string Add(const json& rule, std::string* error);
  bool Remove(const std::string& id);
  void Clear();
  json List() const;

  // The first transport rule that fires for this request; counts matches.
  std::optional<TransportFault> Match(const std::string& service, const std::string& method, const std::string& path,
                                      const std::string& body);

  // Whether a rule of behaviour fires for this object; uses up one of its count.
  bool Behaves(const std::string& behaviour, const std::string& name, const std::string& id);
  // The same for behaviour that lasts: true from when it fires until the rule is gone or its delay_ms (`limit_ms` when
  // it names none; 0: for ever) has passed; uses up one of its count in all. For work that looks again later.
  bool Holds(const std::string& behaviour, const std::string& name, const std::string& id, int64_t limit_ms = 0);

  // Waits until the rule is gone, `delay_ms` have passed (0: no limit) or Shutdown.
  void Hold(const std::string& rule_id, int64_t delay_ms);
  void Shutdown();

 private:
  struct Rule {
    json spec;
    int64_t matched = 0;
    int64_t fired = 0;
  };
  bool Fire(Rule& rule);
  const Rule* Fires(const std::string& behaviour, const std::string& name, const std::string& id, std::string* rule_id);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Rule> rules_;
  struct Held {
    std::string rule_id;
    int64_t until_ms = 0;
  };
  std::map<std::string, Held> held_;  // by behaviour and object
  int64_t next_ = 1;
  bool shutdown_ = false;
};

}  // namespace protector::ossim
