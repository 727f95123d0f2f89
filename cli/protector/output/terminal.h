#pragma once
// What is known of the terminal, if there is one.
//
// Threads: any. Failure: no terminal means width 0 and Interactive() false.

namespace protector::cli {

class Terminal {
 public:
  virtual ~Terminal() = default;
  // stdout is a terminal that understands cursor movements.
  virtual bool Interactive() const = 0;
  // Columns and rows now (asked anew each time, so a resize is seen); 0: unknown.
  virtual int Width() const = 0;
  virtual int Height() const = 0;
  // Ctrl-C was pressed since WatchInterrupt.
  virtual bool Interrupted() const = 0;
  // From now on Ctrl-C only sets Interrupted; until then it ends the program.
  virtual void WatchInterrupt() = 0;
};

}  // namespace protector::cli
