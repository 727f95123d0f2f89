#pragma once
// The process's own terminal.

#include "cli/protector/output/terminal.h"

namespace protector::cli {

class ProcessTerminal final : public Terminal {
 public:
  bool Interactive() const override;
  int Width() const override;
  int Height() const override;
  bool Interrupted() const override;
  void WatchInterrupt() override;
};

}  // namespace protector::cli
