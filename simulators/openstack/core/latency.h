// How long things take: a (min, max) in milliseconds per class of request and of work. Uniform between the two.
// Threads: any. Failure: Parse returns a text saying which part of a profile was not understood.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace protector::ossim {

class Latency {
 public:
  // "zero", "realistic", and "class=min:max" or "class=ms", separated by commas; later ones win. "" or an error text.
  std::string Parse(const std::string& profile);
  int64_t SampleMs(const std::string& name) const;
  std::string profile() const;
  std::map<std::string, std::pair<int64_t, int64_t>> classes() const;

 private:
  mutable std::mutex mutex_;
  std::string profile_ = "zero";
  std::map<std::string, std::pair<int64_t, int64_t>> classes_;
};

}  // namespace protector::ossim
