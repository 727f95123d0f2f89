"""./dev bench: the design's targets, each measured in a real run of the release build against the simulators.

    cli       start of the command line, one call, its memory
    memory    each service at rest
    share     the product's own part of a move of the demo's application at realistic latencies
    scale     N servers with two volumes each (default 1000) at zero latency
    floor     N servers (default 200) at realistic latencies against the floor that the clouds' own times set, how busy the
              slots of the APIs were meanwhile, and how quick the engine from the end of a call to the next one
    capacity  memory of the services with N protected servers (default 5000); long, only when named
"""

import os
import re
import statistics
import subprocess
import sys
import time
import urllib.request

from . import application, layout
from .cli import Cli
from .cloud import Cloud
from .lab import DEFAULT_TUNING, FAST_TUNING, Lab
from .layout import ROOT, from_environment
from .sim import ArraySim, CloudSim

GROUP = "bench"
DEFAULT = ("cli", "memory", "share", "scale", "floor")


def spawn(argv, environment):
    """(seconds, exit code) of one run."""
    began = time.perf_counter()
    null = [(os.POSIX_SPAWN_OPEN, descriptor, "/dev/null", os.O_RDWR, 0) for descriptor in (0, 1, 2)]
    pid = os.posix_spawn(str(argv[0]), [str(word) for word in argv], environment, file_actions=null)
    _, status = os.waitpid(pid, 0)
    return time.perf_counter() - began, os.waitstatus_to_exitcode(status)


# Prints the largest resident size, in KiB, of the command that it is given.
SMALL_PARENT = """import posix, sys
out = [(posix.POSIX_SPAWN_OPEN, 1, "/dev/null", 1, 0)]
print(posix.wait4(posix.posix_spawn(sys.argv[1], sys.argv[1:], posix.environ, file_actions=out), 0)[2].ru_maxrss)"""


def peak_kib(argv, environment):
    """Largest resident size of one run. Linux lets a process that calls exec keep the peak of what it was before, and that is its parent's
    when it was made by vfork: so the parent has to be smaller than what is measured (8 MiB), which this program is not."""
    command = ["/usr/bin/python3", "-I", "-S", "-c", SMALL_PARENT, *map(str, argv)]
    return int(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def resident_mib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    return 0.0


WIDE = "net-bench"


class Bench:
    def __init__(self):
        programs = os.environ.get("PROTECTOR_BIN") or str(ROOT / "build-release" / "bin")
        self.lab = Lab(from_environment({"PROTECTOR_BIN": programs}, ROOT / "build" / "bench", "127.0.13.1,127.0.23.1"),
                       say=lambda text: None)
        self.a, self.b = self.lab.sites
        self.cli = Cli(self.lab.layout.program("protector"), self.lab.openrc(self.a))
        self.rows = []

    def say(self, text):
        print(f"==> {text}", file=sys.stderr, flush=True)

    def row(self, name, what, measured, target, holds, how):
        self.rows.append((what, measured, target, "yes" if holds else "NO", f"./dev bench {name}" + (f"  ({how})" if how else "")))

    def start(self, tuning):
        self.lab.wipe()
        self.lab.up(tuning)
        self.lab.register(self.cli)

    # --- single measurements

    def cli_start(self):
        self.start(FAST_TUNING)
        program, environment = self.cli.program, self.cli.environment
        version = [spawn([program, "--version"], environment) for _ in range(60)]
        call = [spawn([program, "site", "list"], environment) for _ in range(60)]
        assert all(code == 0 for _, code in version + call), "the measured commands failed"
        for what, runs, limit in (("protector --version", version, 10), ("protector site list (one call)", call, 30)):
            median = statistics.median(seconds for seconds, _ in runs) * 1000
            self.row("cli", what, f"{median:.1f} ms", f"<= {limit} ms", median <= limit, "median of 60 processes")
        size = os.path.getsize(program) / 2**20
        self.row("cli", "size of protector", f"{size:.1f} MiB", "<= 20 MB", size <= 20, "as built")
        peak = max(peak_kib([program, "site", "list"], environment) for _ in range(10)) / 1024
        self.row("cli", "memory of protector, one call", f"{peak:.1f} MiB", "<= 20 MB", peak <= 20, "maximum of 10")

    def memory_idle(self):
        if not self.lab.process(self.a, "orchestrator").pid():
            self.start(FAST_TUNING)
        for service in layout.SERVICES:
            size = resident_mib(self.lab.process(self.a, service).pid())
            self.row("memory", f"{service} at rest", f"{size:.0f} MiB", "<= 64 MB", size <= 64, "resident")

    # --- moves

    def protect(self, vms, tuning):
        """Servers named after `vms`, protected; returns their number."""
        self.start(tuning)
        for site in self.lab.sites:  # the lab's own networks have room for 253 servers each
            there = Cloud(self.lab.openrc(site))
            network = there.request("network", "POST", there.v2("/networks"), {"network": {"name": WIDE}})["network"]
            there.request("network", "POST", there.v2("/subnets"), {"subnet": {
                "network_id": network["id"], "ip_version": 4, "cidr": "10.64.0.0/16", "name": WIDE}})
            if WIDE not in application.NETWORKS[site.name]:
                application.NETWORKS[site.name] += (WIDE,)
        cloud = Cloud(self.lab.openrc(self.a))
        servers = application.deploy(cloud, vms=vms)
        self.cli.run("protection-group", "create", GROUP, "--replication-type", "async")
        self.cli.run("protection-group", "set-mapping", GROUP, *application.mapping_arguments("site-a", "site-b"), "--both-directions")
        names = sorted(servers)
        for begin in range(0, len(names), 250):
            self.cli.run("protection-group", "add-member", GROUP, *names[begin:begin + 250], timeout=600)
        self.wait_protected()
        return len(names)

    def wait_protected(self, timeout=300):
        deadline = time.monotonic() + timeout
        while True:
            checked = self.cli.try_run("protection-group", "check", GROUP)
            if checked.code == 0:
                return
            if time.monotonic() > deadline:
                raise SystemExit(f"bench: the group did not become ready\n{checked}")
            time.sleep(0.5)

    def move(self, timeout=900):
        operation = self.cli.json("protection-group", "failover", GROUP)["operation_id"]
        deadline = time.monotonic() + timeout
        while True:
            shown = self.cli.json("operation", "show", operation)
            if shown["status"] not in ("pending", "running"):
                break
            if time.monotonic() > deadline:
                raise SystemExit(f"bench: {operation} did not end")
            time.sleep(0.2)
        if shown["status"] != "completed":
            raise SystemExit(f"bench: {operation} ended {shown['status']}: {shown['error_message']}")
        return shown

    @staticmethod
    def step_seconds(operation, name):
        import datetime
        for step in operation["steps"]:
            if step["name"] == name and step["started_at"] and step["completed_at"]:
                begin, end = (datetime.datetime.fromisoformat(step[key].replace("Z", "+00:00")) for key in ("started_at", "completed_at"))
                return (end - begin).total_seconds()
        return 0.0

    @staticmethod
    def duration(operation):
        import datetime
        begin, end = (datetime.datetime.fromisoformat(operation[key].replace("Z", "+00:00")) for key in ("started_at", "completed_at"))
        return (end - begin).total_seconds()

    def own_share(self):
        self.protect(application.WEB_APP, dict(DEFAULT_TUNING))
        operation = self.move()
        spent = operation["time_spent_ms"]
        total = self.duration(operation) * 1000
        own = next((value for key, value in spent.items() if "own" in key), None)
        if own is None:
            raise SystemExit(f"bench: the operation does not say how its time was spent: {spent}")
        share = 100 * own / total
        self.row("share", "product's own time in a move at realistic latencies", f"{own} ms of {total:.0f} ms = {share:.2f} %", "<= 1 %",
                 share <= 1, ", ".join(f"{key} {value} ms" for key, value in sorted(spent.items())))

    def many(self, count):
        return tuple(application.Vm(f"vm-{number:04}", number % 3, (2,), (1, 1), "sg-web") for number in range(count))

    def scale(self, count=1000):
        self.say(f"making and protecting {count} servers with two volumes each")
        self.protect(self.many(count), {**FAST_TUNING, "guest_interval_ms": 0})
        operation = self.move()
        took = self.step_seconds(operation, "storage_failover") + self.step_seconds(operation, "recreate_vms")
        self.row("scale", f"{count} servers x 2 volumes: whole move at zero latency", f"{self.duration(operation):.1f} s", "<= 2 s",
                 self.duration(operation) <= 2, f"of it storage_failover and recreate_vms {took:.1f} s; simulators share the two cores")

    def floor(self, count=200):
        self.say(f"making and protecting {count} servers at realistic latencies")
        self.protect(self.many(count), {**FAST_TUNING, "guest_interval_ms": 0})
        for site in self.lab.sites:
            CloudSim(site.cloud_control).latency("realistic")
        ArraySim(self.b.array_control).settings(latency_ms=[0, 0])
        operation = self.move()
        tasks = [task for step in self.cli.json("operation", "show", operation["operation_id"], "--tasks")["steps"] for task in step.get("tasks", [])]
        parts = {}
        for kind in ("import-volume", "create-server"):
            durations = [seconds_of(task) for task in tasks if task["kind"] == kind]
            if durations:
                slots = concurrency(task for task in tasks if task["kind"] == kind)
                parts[kind] = (sum(durations), slots, sum(durations) / slots)
        floor = max((entry[2] for entry in parts.values()), default=0)
        final = self.step_seconds(operation, "trigger_final_snapshot")
        took = self.step_seconds(operation, "storage_failover") + self.step_seconds(operation, "recreate_vms")
        self.engine_figures(count)
        detail = "; ".join(f"{kind}: {total:.0f} s of work on {slots} slots" for kind, (total, slots, _) in parts.items())
        over = 100 * (took / floor - 1) if floor else 0
        self.row("floor", f"{count} servers: final sync + imports and boots against their floor",
                 f"{final:.1f} s + {took:.1f} s, floor {floor:.1f} s ({over:+.0f} %)", "<= 5 % over", bool(floor) and over <= 5, detail)

    def engine_figures(self, count):
        """What the orchestrator of the target measured of itself; it has run nothing but this move."""
        metrics = self.metrics(self.b, "orchestrator")
        held, called = ({api: metrics[f'protector_engine_{what}_seconds_total{{api="{api}"}}'] for api in ("nova", "cinder", "neutron")}
                        for what in ("slot", "call"))
        busy = 100 * sum(called.values()) / sum(held.values())
        self.row("floor", f"{count} servers: calls' own share of the time in which they held a slot", f"{busy:.1f} %", ">= 95 %", busy >= 95,
                 ", ".join(f"{api} {called[api]:.0f} of {held[api]:.0f} s" for api in held))
        buckets = sorted((float(re.search(r'le="([^"]+)"', name)[1].replace("+Inf", "inf")), value) for name, value in metrics.items()
                         if name.startswith("protector_engine_transition_seconds_bucket"))
        total = buckets[-1][1]
        bound = next(le for le, value in buckets if value >= 0.99 * total)
        quick = 100 * dict(buckets)[0.005] / total
        self.row("floor", f"{count} servers: step transition incl. fsync, p99", f"<= {bound * 1000:g} ms", "<= 5 ms", bound <= 0.005,
                 f"{quick:.1f} % of {total:.0f} within 5 ms")

    def metrics(self, site, service):
        with urllib.request.urlopen(f"http://{site.metrics_address(service)}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))}

    def capacity(self, count=5000):
        self.say(f"making and protecting {count} servers; this takes long")
        self.protect(self.many(count), {**FAST_TUNING, "guest_interval_ms": 0})
        for service in layout.SERVICES:
            size = resident_mib(self.lab.process(self.a, service).pid())
            self.row("capacity", f"{service} with {count} protected servers", f"{size:.0f} MiB", "<= 256 MB", size <= 256, "resident")


def seconds_of(task):
    import datetime
    if not task["started_at"] or not task["completed_at"]:
        return 0.0
    begin, end = (datetime.datetime.fromisoformat(task[key].replace("Z", "+00:00")) for key in ("started_at", "completed_at"))
    return (end - begin).total_seconds()


def concurrency(tasks):
    """The largest number of these tasks that ran at once: the slots that were in use."""
    events = []
    for task in tasks:
        if task["started_at"] and task["completed_at"]:
            events += [(task["started_at"], 1), (task["completed_at"], -1)]
    best = now = 0
    for _, change in sorted(events):
        now += change
        best = max(best, now)
    return max(best, 1)


def run(arguments):
    from .__main__ import print_table
    wanted = arguments.names or list(DEFAULT)
    bench = Bench()
    measures = {"cli": bench.cli_start, "memory": bench.memory_idle, "share": bench.own_share, "scale": bench.scale, "floor": bench.floor,
                "capacity": bench.capacity}
    try:
        for entry in wanted:
            name, _, count = entry.partition("=")
            if name not in measures:
                raise ValueError(f"no measurement '{name}'; there are {', '.join(measures)} (scale=500 sets the number)")
            bench.say(f"measuring {name}")
            measures[name](*([int(count)] if count else []))
    finally:
        bench.lab.wipe()
        print_table(("What", "Measured", "Target", "Holds", "Command"), bench.rows)
    return 0 if all(row[3] == "yes" for row in bench.rows) else 1
