"""Processes known by pid *and* start time, so that a recycled pid is never mistaken for ours.

The record of a process is a small JSON file; any later invocation finds, stops or kills exactly that process or nobody.
"""

import json
import os
import pathlib
import signal
import subprocess
import time


def start_time(pid):
    """Clock ticks since boot at which `pid` was started; None when there is no such process or only its zombie.

    A killed program's first thread is a zombie while others are still on their way out, and with them its sockets: as long as there are
    others, it is there.
    """
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rsplit(")", 1)[1].split()
    state, threads = fields[0], int(fields[17])
    return None if state in "ZX" and threads <= 1 else int(fields[19])


def boot_id():
    try:
        return pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


class Process:
    def __init__(self, name, directory):
        self.name = name
        self.record_path = directory / "run" / f"{name}.json"
        self.log_path = directory / "log" / f"{name}.log"

    def record(self):
        try:
            return json.loads(self.record_path.read_text())
        except (OSError, ValueError):
            return None

    def pid(self):
        """The pid while it runs; else None."""
        record = self.record()
        if not record or record.get("boot_id") != boot_id():
            return None
        try:
            os.waitpid(record["pid"], os.WNOHANG)  # when it is a child of ours, an ended one must not linger as a zombie
        except ChildProcessError:
            pass
        return record["pid"] if start_time(record["pid"]) == record["start_time"] else None

    def start(self, argv, environment=None):
        """Starts it unless it runs. Returns True when it was started."""
        if self.pid():
            return False
        self.record_path.parent.mkdir(parents=True, exist_ok=True)
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.log_path, "ab") as log:
            child = subprocess.Popen([str(word) for word in argv], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                     start_new_session=True, close_fds=True, cwd="/",
                                     env={**os.environ, **(environment or {})})
        _children.append(child)
        # No command line in here: it may hold a token.
        record = {"name": self.name, "pid": child.pid, "start_time": start_time(child.pid), "boot_id": boot_id()}
        temporary = self.record_path.with_suffix(".tmp")
        temporary.write_text(json.dumps(record))
        temporary.replace(self.record_path)
        return True

    def signal(self, number):
        pid = self.pid()
        if pid:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass
        return pid

    def wait_gone(self, timeout):
        deadline = time.monotonic() + timeout
        while self.pid():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    def stop(self, timeout=20):
        """SIGTERM, and SIGKILL when that did not help. Returns False when it had to be killed."""
        if not self.signal(signal.SIGTERM):
            return True
        if self.wait_gone(timeout):
            return True
        self.kill()
        return False

    def kill(self):
        self.signal(signal.SIGKILL)
        self.wait_gone(10)

    def log_tail(self, lines=15):
        try:
            return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return "(no log)"


# Kept so that subprocess does not warn about children that outlive us on purpose.
_children = []
