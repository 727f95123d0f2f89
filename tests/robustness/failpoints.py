"""Failpoints of the lab's services: which were passed, and orders to die (or fail, or stand still) at one of them.

See libs/failpoint/failpoint.h for the files. One directory for each site, since both run the same programs.
"""

import dataclasses
import os
import re
import subprocess
import threading
import time

from protector_lab import layout
from protector_lab.lab import Lab


PROGRAMS = (*layout.SERVICES, "protector")


@dataclasses.dataclass(frozen=True, order=True)
class Point:
    """A failpoint of one program of one site; `number`: which hit of it."""
    site: str
    program: str
    name: str
    number: int = 1

    def __str__(self):
        return f"{self.site} {self.program} {self.name} #{self.number}"


class FailpointLab(Lab):
    """Services that look at their failpoints, and a supervisor that starts again whatever of them dies."""

    def __init__(self, where):
        super().__init__(where, say=lambda text: None)
        self._supervised = None  # an event while somebody does
        self._thread = None
        self.deaths = []  # (site, program) of every service that the supervisor found dead
        self._starting = threading.Lock()  # the supervisor and the test may both want to start a service

    def directory(self, site):
        return self.layout.directory / "failpoints" / site.name

    def environment(self, site, name):
        if name not in layout.SERVICES:
            return {}
        self.directory(site).mkdir(parents=True, exist_ok=True)
        return {"PROTECTOR_FAILPOINTS": str(self.directory(site))}

    def start_process(self, site, name):
        with self._starting:
            super().start_process(site, name)

    # --- orders and hits

    def order(self, point, action="kill"):
        path = self.directory(self.layout.site(point.site)) / f"{point.program}.armed"
        temporary = path.with_suffix(".new")
        temporary.write_text(f"{point.name} {point.number} {action}\n")
        os.replace(temporary, path)

    def withdraw(self):
        """Takes away every order that was not carried out; returns whether there was one."""
        left = [path for site in self.sites for path in self.directory(site).glob("*.armed")]
        for path in left:
            path.unlink(missing_ok=True)
        return bool(left)

    def hits(self, since=None):
        """Every hit in the order of its file, as Points (number: the how-manieth since `since`); `since` is from marks()."""
        found = []
        for site in self.sites:
            for program in PROGRAMS:
                path = self.directory(site) / f"{program}.hits"
                text = path.read_text() if path.exists() else ""
                counts = {}
                for line in text[(since or {}).get((site.name, program), 0):].splitlines():
                    name = line.split(" ")[0]
                    counts[name] = counts.get(name, 0) + 1
                    found.append(Point(site.name, program, name, counts[name]))
        return found

    def marks(self):
        """How far each file of hits has come; for hits(since=...)."""
        return {(site.name, program): (self.directory(site) / f"{program}.hits").stat().st_size
                for site in self.sites for program in PROGRAMS if (self.directory(site) / f"{program}.hits").exists()}

    # --- the supervisor

    def supervise(self, on_death=None):
        """Until unsupervise(): a service that has died is started again, as an init system does it. `on_death(site, program)` is called
        before, with the process gone."""
        self.deaths = []
        self._supervised = threading.Event()
        self._thread = threading.Thread(target=self._watch, args=(self._supervised, on_death), daemon=True)
        self._thread.start()

    def unsupervise(self):
        if self._supervised is not None:
            self._supervised.set()
            self._thread.join()
            self._supervised = None

    def _watch(self, ended, on_death):
        while not ended.wait(0.02):
            for site in self.sites:
                if not self.process(site, "openstack-sim").pid():
                    continue  # the whole site is down, on purpose
                for name in layout.SERVICES:
                    if self.process(site, name).pid() or ended.is_set():
                        continue
                    self.deaths.append((site.name, name))
                    if on_death is not None:
                        on_death(site, name)
                    self.start_process(site, name)

    def wait_ready(self, site, name, timeout=60):
        """A service that dies while it starts is the supervisor's business, as long as there is one."""
        deadline = time.monotonic() + timeout
        while self._supervised is not None:
            if self.process(site, name).pid() and self.ready(site, name):
                return
            if time.monotonic() > deadline:
                break
            time.sleep(0.02)
        super().wait_ready(site, name, timeout)

    def wait_services(self, timeout=30):
        """Until every service of the sites that are up answers."""
        deadline = time.monotonic() + timeout
        for site in self.sites:
            if not self.process(site, "openstack-sim").pid():
                continue
            for name in layout.SERVICES:
                while not (self.process(site, name).pid() and self.ready(site, name)):
                    if time.monotonic() > deadline:
                        raise AssertionError(f"{site.name}: {name} is not serving; {self.process(site, name).log_tail()}")
                    time.sleep(0.02)


def listed(where, program):
    """Names of all failpoints of a program, as it lists them itself. `where`: a layout."""
    done = subprocess.run([where.program(program), "--list-failpoints"], check=True, capture_output=True, text=True)
    return re.findall(r"^\S+$", done.stdout, re.MULTILINE)
