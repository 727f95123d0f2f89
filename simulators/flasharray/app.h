// The array put together: state, REST face, control port, replication.
//
// Threads: Start and Stop from one thread. Ownership: owns every part. Failure: a port that is taken or a damaged state
// directory throws std::runtime_error from Start.
#pragma once

#include <memory>

#include "simulators/flasharray/control/settings.h"

namespace protector::fasim {

struct Effect;

class App {
 public:
  explicit App(Options options);
  ~App();
  void Start();
  void Stop();
  // One line of JSON about what is ready.
  std::string ReadyLine() const;

 private:
  struct Parts;
  static void FlushStretched(Parts& parts, const std::vector<Effect>& effects);
  std::unique_ptr<Parts> parts_;
};

}  // namespace protector::fasim
