#include "cli/protector/output/process_terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>
#include <csignal>
#include <cstdlib>
#include <string_view>

namespace protector::cli {
namespace {

// A signal handler has no other way to say that it was called.
volatile std::sig_atomic_t g_interrupted = 0;

void OnInterrupt(int) {
  g_interrupted = 1;
}

winsize Size() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return {};
  return size;
}

}  // namespace

bool ProcessTerminal::Interactive() const {
  if (isatty(STDOUT_FILENO) == 0) return false;
  const char* term = std::getenv("TERM");
  return term != nullptr && std::string_view(term) != "dumb" && *term != '\0';
}

int ProcessTerminal::Width() const {
  return isatty(STDOUT_FILENO) != 0 ? Size().ws_col : 0;
}

int ProcessTerminal::Height() const {
  return isatty(STDOUT_FILENO) != 0 ? Size().ws_row : 0;
}

bool ProcessTerminal::Interrupted() const {
  return g_interrupted != 0;
}

void ProcessTerminal::WatchInterrupt() {
  struct sigaction action = {};
  action.sa_handler = OnInterrupt;
  // A second Ctrl-C ends the program the usual way, whatever it hangs in.
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
}

}  // namespace protector::cli
