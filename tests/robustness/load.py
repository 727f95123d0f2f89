"""./dev chaos load: many servers in many groups, many moves at a time, many watchers, for a long time, with faults.

Groups move to and fro between the sites by planned failover and failback, so many at a time as --operations says; whoever has nothing to
move waits. Meanwhile services are killed and started again (not in the second half: memory is judged in the last third, and what has just been
started grows), connections are cut, answers are lost. A move that fails is retried as its error says. At the end everything comes to rest, and

  - every operation ended in a state that is right, every server runs on one site and on one site only,
  - no record that a guest was told is written is missing, and no disk has two writers,
  - both sites have the same history of every group, and nothing is left behind,
  - no service's memory grew in the last third by more than --growth MiB in an hour (the whole curve is in memory.csv).

  --minutes N  --vms N  --groups N  --operations N  --watchers N  --growth MIB  --seed N
"""

import argparse
import collections
import os
import pathlib
import random
import subprocess
import sys
import threading
import time
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests" / "e2e"), str(pathlib.Path(__file__).resolve().parent)]

import course  # noqa: E402
import invariants  # noqa: E402
from matrix import DIRECTORY, say  # noqa: E402
from protector_lab import application, layout  # noqa: E402
from protector_lab.bench import WIDE, resident_mib  # noqa: E402
from protector_lab.lab import FAST_TUNING  # noqa: E402
from world import ENDED, eventually  # noqa: E402

TRIES = 10
GUEST_INTERVAL_MS = 5000  # a record of each volume so often: a thousand guests share two cores with everything else
ERADICATION_MS = 120_000  # of the simulated arrays, else they would grow for as long as this runs


class Load:
    def __init__(self, world, options):
        self.world, self.options = world, options
        self.chance = random.Random(options.seed)
        self.names = [f"g-{number:02}" for number in range(options.groups)]
        self.at = dict.fromkeys(self.names, "site-a")  # where each group is
        self.idle = list(self.names)
        self.running = {}  # {operation id: view that runs it}
        self.lock = threading.Lock()
        self.ended = threading.Event()  # no new moves
        self.over = threading.Event()   # nothing at all any more
        self.outcomes, self.watched, self.done_by_fault = collections.Counter(), collections.Counter(), collections.Counter()
        self.wrong = []
        self.samples = collections.defaultdict(list)  # {(site, service): [(seconds, MiB)]}
        self.began = 0.0

    # --- from nothing to protected groups

    def build(self):
        self.world.forget()
        tuning = {**course.TUNING, **FAST_TUNING, "guest_interval_ms": GUEST_INTERVAL_MS, "services": {
            "orchestrator": {"timeouts": {"call": "20s", "lost_site": "3s"}, "retry": {"first": "200ms", "longest": "5s"}}}}
        self.world.lab.up(tuning)
        self.world.lab.register(self.world.a.cli)
        for view in (self.world.a, self.world.b):
            view.array_sim.settings(eradication_delay_ms=ERADICATION_MS)
            network = view.cloud.request("network", "POST", view.cloud.v2("/networks"), {"network": {"name": WIDE}})["network"]
            view.cloud.request("network", "POST", view.cloud.v2("/subnets"), {"subnet": {
                "network_id": network["id"], "ip_version": 4, "cidr": "10.64.0.0/16", "name": WIDE}})
            if WIDE not in application.NETWORKS[view.name]:
                application.NETWORKS[view.name] += (WIDE,)
        vms = tuple(application.Vm(f"vm-{number:04}", number % 3, (2,), (1,), "sg-web") for number in range(self.options.vms))
        say(f"==> making {len(vms)} servers")
        application.deploy(self.world.a.cloud, vms=vms)
        self.members = {name: [vm.name for vm in vms[index::len(self.names)]] for index, name in enumerate(self.names)}
        say(f"==> protecting them in {len(self.names)} groups")
        for name in self.names:
            self.world.create_group(name)
            self.world.add_members(*self.members[name], group=name)
        for name in self.names:
            self.world.wait_protected(name, timeout=300)
        self.expected = self.world.a.counts(), self.world.b.counts()

    # --- moves

    def mover(self, seed):
        chance = random.Random(seed)
        while not self.ended.is_set():
            with self.lock:
                name = self.idle.pop(chance.randrange(len(self.idle))) if self.idle else None
            if name is None:
                time.sleep(0.1)
                continue
            try:
                self.move(name)
            except Exception as error:  # noqa: BLE001 - it is told at the end
                self.wrong.append(f"{name}: {error}")
                continue  # nobody touches this group any more
            with self.lock:
                self.idle.append(name)

    def move(self, name):
        source = self.world.on(self.at[name])
        verb = "failover" if self.at[name] == "site-a" else "failback"
        target = self.world.b if source is self.world.a else self.world.a
        request = str(uuid.uuid4())
        operation = self.insist(source, "protection-group", verb, name, "--request-id", request, "-f", "json").json["operation_id"]
        self.running[operation] = source
        try:
            final = self.follow(source, operation)
        finally:
            del self.running[operation]
        self.outcomes[f"{verb} {final['status']}"] += 1
        if final["status"] == "completed":
            self.at[name] = target.name
        elif final["status"] not in ("rolled_back", "cancelled"):
            raise AssertionError(f"{operation} ended {final['status']}: {final['error_message']}")
        eventually(lambda: self.at_rest(name), f"{name} is at rest", 600, 1.0)

    def follow(self, view, operation):
        for _ in range(TRIES):
            final = eventually(lambda: self.look(view, operation), f"{operation} has ended", 900, 0.5)
            if final["status"] in ("completed", "rolled_back", "cancelled"):
                return final
            if final["status"] == "failed" and set(final["steps_failed"]) <= {"validate_sites"}:
                return {**final, "status": "cancelled"}  # it has changed nothing
            self.outcomes["retried"] += 1
            time.sleep(2)
            view.cli.try_run("operation", "retry", operation)
        return final

    @staticmethod
    def look(view, operation):
        shown = view.cli.try_run("operation", "show", operation, "-f", "json")
        return shown.json if shown.code == 0 and shown.json["status"] in ENDED else None

    def at_rest(self, name):
        view = self.world.on(self.at[name])
        shown = view.cli.try_run("protection-group", "show", name, "-f", "json")
        return shown.code == 0 and shown.json["clean"] and view.cli.try_run("protection-group", "check", name).code == 0

    def insist(self, view, *arguments, timeout=300):
        deadline = time.monotonic() + timeout
        while True:
            result = view.cli.try_run(*arguments)
            if result.code == 0:
                return result
            if time.monotonic() > deadline:
                raise AssertionError(f"protector {' '.join(arguments)} never succeeded: {result}")
            time.sleep(0.5)

    # --- watchers, faults, memory

    def watcher(self, seed):
        chance = random.Random(seed)
        while not self.over.is_set():
            running = list(self.running.items())
            if not running:
                time.sleep(0.2)
                continue
            operation, view = chance.choice(running)
            child = subprocess.Popen([view.cli.program, "operation", "watch", operation], env=view.cli.environment, stdin=subprocess.DEVNULL,
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            while child.poll() is None and not self.over.is_set():
                time.sleep(0.2)
            child.kill()
            self.watched[child.wait()] += 1

    def disturber(self):
        while not self.ended.wait(self.chance.uniform(5, 20)):
            late = time.monotonic() - self.began > self.options.minutes * 60 / 2
            view, service = self.chance.choice((self.world.a, self.world.b)), self.chance.choice(layout.SERVICES)
            kind = self.chance.choice(("cloud", "array", "cut", "freeze") if late else ("kill", "cloud", "array", "cut", "freeze"))
            self.done_by_fault[kind] += 1
            if kind == "kill":
                self.world.lab.process(view.site, service).kill()
            elif kind == "cloud":
                action = self.chance.choice(("execute_then_cut", "cut_before", "error"))
                view.cloud_sim.add_fault(action=action, nth=self.chance.randint(1, 50), count=1, **({"status": 503} if action == "error" else {}))
            elif kind == "array":
                action = self.chance.choice(("execute_then_cut", "cut_before", "error"))
                view.array_sim.add_fault(match={"nth": self.chance.randint(1, 50), "count": 1}, action=action,
                                         **({"status": 503} if action == "error" else {}))
            elif kind == "cut":
                other = self.world.b if view is self.world.a else self.world.a
                view.array_sim.link(other.site.array, "cut")
                time.sleep(self.chance.uniform(0.5, 3))
                view.array_sim.link(other.site.array, "up")
            else:
                self.world.freeze_site(view, [service])
                time.sleep(self.chance.uniform(0.2, 3))
                self.world.thaw_site(view, [service])

    def sampler(self):
        with open(DIRECTORY / "memory.csv", "w", buffering=1) as curve:
            curve.write("seconds,site,service,pid,mib\n")
            while not self.over.wait(5):
                for site in self.world.layout.sites:
                    for service in layout.SERVICES:
                        self.sample(site, service, curve)

    def sample(self, site, service, curve):
        pid = self.world.lab.process(site, service).pid()
        if not pid:
            return
        try:
            at, size = time.monotonic() - self.began, resident_mib(pid)
        except OSError:  # gone between the two
            return
        self.samples[site.name, service].append((at, size))
        curve.write(f"{at:.0f},{site.name},{service},{pid},{size:.1f}\n")

    # --- the whole of it

    def run(self):
        self.began = time.monotonic()
        self.world.lab.supervise()
        movers = [threading.Thread(target=self.mover, args=(f"{self.options.seed}/{n}",), daemon=True) for n in range(self.options.operations)]
        others = [threading.Thread(target=self.watcher, args=(f"w{self.options.seed}/{n}",), daemon=True) for n in range(self.options.watchers)]
        others += [threading.Thread(target=work, daemon=True) for work in (self.disturber, self.sampler)]
        for thread in movers + others:
            thread.start()
        while time.monotonic() - self.began < self.options.minutes * 60 and not self.wrong:
            time.sleep(10)
            say(f"{time.monotonic() - self.began:6.0f} s  {dict(self.outcomes)}  {len(self.running)} running")
        self.ended.set()
        self.mend()
        for thread in movers:
            thread.join()
        self.over.set()
        for thread in others:
            thread.join()
        self.world.lab.unsupervise()
        self.world.lab.wait_services()

    def mend(self):
        for view in (self.world.a, self.world.b):
            self.world.thaw_site(view)
            view.cloud_sim.clear_faults()
            view.array_sim.clear_faults()
        self.world.a.array_sim.link("array-b", "up")
        self.world.b.array_sim.link("array-a", "up")

    def check(self):
        invariants.check(not self.wrong, "\n".join(self.wrong))
        invariants.no_operation_is_stuck(self.world)
        servers = {view.name: {server["name"]: server for server in view.cloud.servers()} for view in (self.world.a, self.world.b)}
        for name in self.names:
            here, there = (("site-a", "site-b") if self.at[name] == "site-a" else ("site-b", "site-a"))
            for member in self.members[name]:
                invariants.check(servers[here].get(member, {}).get("status") == "ACTIVE", f"{member} of {name} does not run on {here}")
                invariants.check(member not in servers[there], f"{member} of {name} is on {there} as well")
            heads = [view.cli.json("protection-group", "sync-status", name) for view in (self.world.a, self.world.b)]
            invariants.check(heads[0]["local_version"] == heads[1]["local_version"] and heads[0]["sync_status"] == "IN SYNC",
                             f"{name}: the sites differ: {heads}")
        self.check_disks(servers)
        total = [self.world.a.counts(), self.world.b.counts()]
        kept = self.records_that_cinder_keeps()
        for kind in ("servers", "volumes", "ports"):
            found, expected = sum(one[kind] for one in total), sum(one[kind] for one in self.expected)
            if kind == "volumes":
                found -= kept
            invariants.check(found == expected, f"{found} {kind}, expected {expected}")

    def records_that_cinder_keeps(self):
        """How many records of failed imports are left that Cinder's FlashArray driver can let go of in no way (docs/failure-modes.md). Each
        has to be one of which an operation says so; the array knows nothing by that name."""
        kept = 0
        for view in (self.world.a, self.world.b):
            warnings = " ".join(warning for operation in view.cli.json("operation", "list", "--limit", "100000")
                                for warning in view.cli.json("operation", "show", operation["operation_id"])["warnings"])
            for volume in view.admin.volumes(all_projects=True):
                if volume["status"] == "error_unmanaging":
                    invariants.check(volume["id"] in warnings, f"no operation says that volume {volume['id']} is left on {view.name}")
                    kept += 1
        self.outcomes["records of failed imports that Cinder keeps"] = kept
        return kept

    def check_disks(self, servers):
        for view in (self.world.a, self.world.b):
            view.cloud_sim.pause_guests()
            time.sleep(1)
            for server in servers[view.name].values():
                for volume in view.cloud_sim.read_back(server["id"])["volumes"]:
                    invariants.one_writer_after_another(server, volume)
            view.cloud_sim.pause_guests(False)

    def growth(self):
        """Rows (site, service, MiB at the beginning of the last third, at the end, MiB in an hour), by a straight line through the third."""
        rows = []
        for (site, service), samples in sorted(self.samples.items()):
            third = [(at / 3600, size) for at, size in samples if at >= self.options.minutes * 40 and at <= self.options.minutes * 60]
            if len(third) < 3:
                continue
            mean_at, mean = sum(at for at, _ in third) / len(third), sum(size for _, size in third) / len(third)
            slope = sum((at - mean_at) * (size - mean) for at, size in third) / sum((at - mean_at) ** 2 for at, _ in third)
            rows.append((site, service, third[0][1], third[-1][1], slope))
        return rows


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--vms", type=int, default=1000)
    parser.add_argument("--groups", type=int, default=50)
    parser.add_argument("--operations", type=int, default=20)
    parser.add_argument("--watchers", type=int, default=64)
    parser.add_argument("--growth", type=float, default=16)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args(arguments)
    say(f"==> seed {options.seed}")
    world = course.RobustWorld(DIRECTORY / "load", os.environ.get("PROTECTOR_CHAOS_IPS", "127.0.56.1,127.0.66.1"))
    # As for people: a login serves the commands that follow it.
    runtime = DIRECTORY / "load" / "run-user"
    runtime.mkdir(mode=0o700, parents=True, exist_ok=True)
    for view in (world.a, world.b):
        view.cli.environment["XDG_RUNTIME_DIR"] = str(runtime)
    load = Load(world, options)
    failed = ""
    try:
        load.build()
        load.run()
        load.check()
    except Exception as error:  # noqa: BLE001 - it is told below
        failed = f"{type(error).__name__}: {error}"
    deaths = len(world.lab.deaths)
    rows = load.growth()
    leaking = [row for row in rows if row[4] > options.growth]
    if failed or leaking:
        say(f"logs and state are in {world.keep_evidence(f'load-{options.seed}')}")
    world.close()
    print(f"{'site':8} {'service':15} {'MiB at 2/3':>10} {'at the end':>10} {'MiB/h':>7}")
    for site, service, first, last, slope in rows:
        print(f"{site:8} {service:15} {first:10.1f} {last:10.1f} {slope:7.1f}")
    print(f"seed {options.seed}: {options.vms} servers in {options.groups} groups, {options.operations} at a time, {options.watchers} watchers, "
          f"{options.minutes:g} minutes: {dict(load.outcomes)}; faults {dict(load.done_by_fault)}, {deaths} deaths; "
          f"watchers ended {dict(load.watched)}; " + (f"FAILED: {failed}" if failed else f"memory grows: {leaking}" if leaking else "all held"))
    return 1 if failed or leaking else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
