"""./dev chaos [--minutes N] [--seed N]: random operations, member changes, faults, crashes, partitions of the arrays and revivals.

One round: an action of the operator, up to three disturbances while it runs, then everything is mended, the operator does what the
errors' remedies say, and every invariant is checked (invariants.py). What is done when is drawn from the seed; the first line and every
failure print it. The same seed draws the same rounds; how far a disturbance hits differs with the machine's pace.

  --rounds N     so many rounds in place of minutes
  --from N       begin with round N of the seed's rounds (each round draws from a generator of its own)
"""

import argparse
import os
import pathlib
import random
import sys
import threading
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests" / "e2e"), str(pathlib.Path(__file__).resolve().parent)]

import course  # noqa: E402
import flows  # noqa: E402
import invariants  # noqa: E402
from failpoints import Point, listed  # noqa: E402
from flows import insist  # noqa: E402
from matrix import DIRECTORY, say  # noqa: E402
from protector_lab import layout  # noqa: E402
from world import ENDED, GROUP  # noqa: E402

MEMBERS = ("web-1", "web-2", "db-1")


class Disturbances:
    """A thread that does what was drawn at the times that were drawn."""

    def __init__(self, world, chance, log):
        self.world, self.log = world, log
        self.plan = sorted((round(chance.uniform(0, 2.5), 2), self.draw(chance)) for _ in range(chance.randint(0, 3)))
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def draw(self, chance):
        site = chance.choice("ab")
        service = chance.choice(layout.SERVICES)
        kind = chance.choice(("kill", "kill", "failpoint", "failpoint", "fault", "array-fault", "freeze", "cut"))
        if kind == "failpoint":
            name = chance.choice(listed(self.world.layout, service))
            return kind, site, service, name, chance.randint(1, 3), chance.choice(("kill", "kill", "error", "delay=800"))
        if kind in ("fault", "array-fault"):
            return kind, site, chance.choice(("execute_then_cut", "cut_before", "error")), chance.randint(1, 6)
        if kind in ("freeze", "cut"):
            return kind, site, service, round(chance.uniform(0.2, 2.0), 2)
        return kind, site, service

    def start(self):
        self.log(f"  disturbances: {self.plan}")
        self.thread.start()

    def run(self):
        began = time.monotonic()
        for at, what in self.plan:
            if self.ended.wait(max(0.0, began + at - time.monotonic())):
                return
            try:
                self.do(*what)
            except Exception as error:  # noqa: BLE001 - a site that is down cannot be disturbed
                self.log(f"  {what} could not be done: {error}")

    def do(self, kind, site, *what):
        view = self.world.on(site)
        if not self.world.lab.process(view.site, "openstack-sim").pid():
            return
        if kind == "kill":
            self.world.lab.process(view.site, what[0]).kill()
        elif kind == "failpoint":
            service, name, number, action = what
            self.world.lab.order(Point(view.name, service, name, number), action)
        elif kind == "fault":
            extra = {"status": 503, "headers": {"Retry-After": "1"}} if what[0] == "error" else {}
            view.cloud_sim.add_fault(action=what[0], nth=what[1], count=1, **extra)
        elif kind == "array-fault":
            extra = {"status": 503} if what[0] == "error" else {}
            view.array_sim.add_fault(match={"nth": what[1], "count": 1}, action=what[0], **extra)
        elif kind == "freeze":
            self.world.freeze_site(view, [what[0]])
            time.sleep(what[1])
            self.world.thaw_site(view, [what[0]])
        elif kind == "cut":
            other = self.world.b if view is self.world.a else self.world.a
            view.array_sim.link(other.site.array, "cut")
            time.sleep(what[1])
            view.array_sim.link(other.site.array, "up")

    def stop(self):
        self.ended.set()
        self.thread.join()


class Simulation:
    def __init__(self, world, seed, log):
        self.world, self.seed, self.log = world, seed, log
        self.counts = {}
        self.may_miss = {}  # {lineage: [(first, last)]} that unplanned failovers left behind
        self.lost_site = None  # by this round's unplanned failover

    def begin(self):
        self.world.begin("protected")
        self.expected = self.world.a.counts(), self.world.b.counts()
        self.world.lab.supervise()

    # --- actions: each leaves the group where it is or moves it

    def planned(self, chance):
        primary, other = invariants.serving(self.world)
        home = primary.name == "site-a"
        moved = {server["id"] for server in primary.cloud.servers()}
        operation = self.follow(primary, "failover" if home else "failback")
        if operation["status"] == "completed":
            invariants.nothing_was_lost(self.world, primary, other, moved)

    def unplanned(self, chance):
        primary, other = invariants.serving(self.world)
        self.world.kill_site(primary)
        time.sleep(chance.uniform(0, 0.3))
        self.follow(other, "failover", "--type", "unplanned")
        self.world.revive_site(primary)
        self.lost_site = primary

    def member(self, chance):
        primary, _ = invariants.serving(self.world)
        name = chance.choice(MEMBERS)

        def is_member():
            found = primary.cli.try_run("protection-group", "members", GROUP, "-f", "json")
            return found.code == 0 and any(member["name"] == name for member in found.json)
        insist(self.world, primary, "protection-group", "remove-member", GROUP, name, settled=lambda: not is_member())
        insist(self.world, primary, "protection-group", "add-member", GROUP, name, settled=is_member)

    def policy(self, chance):
        primary, _ = invariants.serving(self.world)
        insist(self.world, primary, "protection-group", "policy-set", GROUP, "--replication-interval", str(chance.choice((300, 600, 900))))

    def wait(self, chance):
        time.sleep(chance.uniform(0.5, 2.0))

    ACTIONS = (("planned", 5), ("unplanned", 3), ("member", 2), ("policy", 1), ("wait", 1))

    def follow(self, view, verb, *arguments):
        """A move to its end, however often it has to be tried again; the last look at it."""
        return flows.move(self.world, view, verb, *arguments, ends=ENDED)

    # --- a round

    def round(self, number):
        chance = random.Random(f"{self.seed}/{number}")
        action = chance.choices([name for name, _ in self.ACTIONS], [weight for _, weight in self.ACTIONS])[0]
        self.log(f"round {number}: {action}")
        disturbances = Disturbances(self.world, chance, self.log)
        disturbances.start()
        try:
            getattr(self, action)(chance)
        finally:
            disturbances.stop()
            self.mend()
        self.settle()
        if self.lost_site is not None:
            self.remember_what_was_lost()
        self.check()
        self.counts[action] = self.counts.get(action, 0) + 1

    def remember_what_was_lost(self):
        primary, _ = invariants.serving(self.world)
        if primary is not self.lost_site:
            for lineage, span in invariants.left_behind(self.world, self.lost_site, primary).items():
                self.may_miss.setdefault(lineage, []).append(span)
        self.lost_site = None

    def mend(self):
        self.world.lab.withdraw()
        for view in (self.world.a, self.world.b):
            if not self.world.lab.process(view.site, "openstack-sim").pid():
                self.world.revive_site(view)
            self.world.thaw_site(view)
            view.cloud_sim.clear_faults()
            view.array_sim.clear_faults()
        self.world.a.array_sim.link("array-b", "up")
        self.world.b.array_sim.link("array-a", "up")
        self.world.lab.wait_services()

    def settle(self):
        """Does what an operator does about what did not end well, until the group is at rest."""
        deadline = time.monotonic() + 150
        while True:
            self.repair()
            try:
                primary, _ = invariants.serving(self.world)
                shown = primary.cli.json("protection-group", "show", GROUP)
                sync = primary.cli.json("protection-group", "sync-status", GROUP)["sync_status"]
                if shown["clean"] and sync == "IN SYNC" and self.world.check(view=primary).code == 0:
                    return
                why = f"clean {shown['clean']}, {sync}, status {shown['status']}"
            except Exception as error:  # noqa: BLE001 - not yet
                why = str(error)
            if time.monotonic() > deadline:
                raise invariants.Broken(f"the group does not come to rest: {why}")
            time.sleep(0.2)

    def repair(self):
        for view in (self.world.a, self.world.b):
            listed_operations = view.cli.try_run("operation", "list", "-f", "json")
            for operation in listed_operations.json if listed_operations.code == 0 else ():
                if operation["status"] == "failed":
                    view.cli.try_run("operation", "retry", operation["operation_id"])
                elif operation["status"] == "paused":
                    view.cli.try_run("operation", "resume", operation["operation_id"])

    def check(self):
        invariants.one_site_runs_the_servers(self.world, MEMBERS)
        invariants.no_two_writers(self.world, self.may_miss)
        invariants.the_sites_have_the_same_history(self.world)
        invariants.no_operation_is_stuck(self.world)
        self.wait_until_nothing_is_left(30)

    def wait_until_nothing_is_left(self, timeout):
        """Old volumes of the array are retired a moment after the first transfer back: what is left after that time is told."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                return invariants.nothing_is_left_behind(self.world, *self.expected)
            except invariants.Broken:
                if time.monotonic() > deadline:
                    raise
            time.sleep(0.2)


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=0)
    parser.add_argument("--from", dest="first", type=int, default=1)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args(arguments)
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    journal = open(DIRECTORY / f"chaos-{options.seed}.log", "w", encoding="utf-8")  # noqa: SIM115 - open to the end

    def log(text):
        print(f"{time.strftime('%H:%M:%S')} {text}", file=journal, flush=True)
        if not text.startswith("  "):
            say(text)
    log(f"seed {options.seed}")
    world = course.RobustWorld(DIRECTORY / "random", os.environ.get("PROTECTOR_CHAOS_IPS", "127.0.55.1,127.0.65.1"))
    simulation = Simulation(world, options.seed, log)
    began, number, failed = time.monotonic(), options.first, None
    try:
        simulation.begin()
        while (number < options.first + options.rounds) if options.rounds else (time.monotonic() - began < options.minutes * 60):
            try:
                simulation.round(number)
            except Exception:  # noqa: BLE001 - it is told below
                failed = traceback.format_exc()
                break
            number += 1
    finally:
        deaths = len(world.lab.deaths)
        world.lab.unsupervise()
        if failed:
            log(f"FAILED in round {number} of seed {options.seed}: logs and state in {world.keep_evidence(f'chaos-{options.seed}-{number}')}\n{failed}")
        world.close()
    done = ", ".join(f"{count} {action}" for action, count in sorted(simulation.counts.items()))
    print(f"seed {options.seed}: {number - options.first} rounds in {time.monotonic() - began:.0f} s ({done}), {deaths} deaths of services, "
          f"{'FAILED' if failed else 'every invariant held'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
