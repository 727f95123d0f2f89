// The array's clock: the machine's time plus whatever /sim/advance has added.
//
// Threads: safe. Ownership: one per process, outlives everything. Failure: none.
#pragma once

#include <atomic>
#include <chrono>

#include "simulators/flasharray/base/types.h"

namespace protector::fasim {

class SimClock {
 public:
  Millis Now() const {
    const auto real =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch());
    return real.count() + offset_.load();
  }
  void Advance(Millis by) { offset_ += by; }
  Millis offset() const { return offset_.load(); }
  void set_offset(Millis offset) { offset_ = offset; }

  // Schedules, retention and eradication run this many times faster.
  double scale() const { return scale_.load(); }
  void set_scale(double scale) { scale_ = scale > 0 ? scale : 1; }
  Millis Scaled(Millis period) const { return static_cast<Millis>(static_cast<double>(period) / scale_.load()); }

 private:
  std::atomic<Millis> offset_{0};
  std::atomic<double> scale_{1};
};

}  // namespace protector::fasim
