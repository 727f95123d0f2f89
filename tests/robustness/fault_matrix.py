"""./dev chaos fault-matrix [FLOW...]: every changing call that each flow makes to a cloud or an array meets every fault of the transport.

Which calls there are is read from the journals of the calm course: service, method and path, with the action of an action call. Each is
met by, one course each:

  execute-then-cut    carried out, then the connection is cut without an answer
  cut-before          the connection is cut, nothing was carried out
  execute-then-hang   carried out, then no answer until long after the caller's deadline
  late                answered only after the caller's deadline
  401                 the session has ended in the middle
  429, 503            with Retry-After; not carried out
  half-then-cut       of several objects that an array's request names the first half is done, then the connection is cut

  --kind KIND    only this fault         --only TEXT   calls whose name holds TEXT         --nth N   the N-th such call (default 1)
  --beyond FLOW  only calls that neither FLOW nor an earlier flow of this run makes, on whichever site: what is new in each flow

Calls between the services are met by the failpoints around them: ./dev chaos kill-matrix --action error.
Prints a table like kill-matrix. Exit code 1 if any course ended differently from the calm one.
"""

import argparse
import functools
import os
import pathlib
import re
import sys
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests" / "e2e"), str(pathlib.Path(__file__).resolve().parent)]

import course  # noqa: E402
import picture  # noqa: E402
from flows import FLOWS, flow  # noqa: E402
from matrix import DIRECTORY, Matrix, say  # noqa: E402
from world import eventually  # noqa: E402

HANG_MS = 5000  # longer than any deadline of RobustWorld's services, shorter than a late change is waited for
ARRAY_LATE_MS = 3000  # the same for array.request_timeout (2 s): as long again is waited for a clone
KINDS = {
    "execute-then-cut": {"action": "execute_then_cut"},
    "cut-before": {"action": "cut_before"},
    "execute-then-hang": {"action": "execute_then_hang", "delay_ms": HANG_MS},
    "late": {"action": "delay", "delay_ms": HANG_MS},
    "401": {"action": "error", "status": 401},
    "429": {"action": "error", "status": 429, "headers": {"Retry-After": "1"}},
    "503": {"action": "error", "status": 503, "headers": {"Retry-After": "1"}},
}
HALF = "half-then-cut"


def action_of(body):
    """The action of a call of Nova's or Cinder's .../action: its body's only key."""
    return next(iter(body), "") if isinstance(body, dict) else ""


def cloud_calls(view, since):
    """{name: rule} of the changing calls that the product made to this cloud."""
    calls = {}
    for entry in view.cloud_sim.journal(since):
        if entry["user"] != "protector" or entry["service"] == "keystone":
            continue
        path = re.sub(r"/[0-9a-f]{32}(?=/|$)", "/*", picture.UUID.sub("*", entry["path"].split("?")[0]))
        action = action_of(entry["body"]) if path.endswith("/action") else ""
        rule = {"service": entry["service"], "method": entry["method"], "path": path}
        if action:
            rule["body"] = action
        name = " ".join(filter(None, [view.name, entry["service"], entry["method"], re.sub(r"^/v[\d.]+(/\*)?", "", path), action]))
        calls[name] = rule
    calls[f"{view.name} keystone POST /auth/tokens"] = {"service": "keystone", "method": "POST", "path": "*/auth/tokens"}
    return calls


# What the cloud asks of the array, not the product. Its failures are the cloud's: a server or volume in ERROR, which the e2e tests have.
BY_THE_CLOUD = {("POST", "/hosts", "iqns"), ("DELETE", "/hosts", ""), ("POST", "/connections", ""), ("PATCH", "/volumes", "name")}


def array_calls(view, since):
    calls = {}
    for entry in view.array_sim.journal(since):
        path = re.sub(r"^/api/[\d.]+", "", entry["path"])
        if path in ("/login", "/logout") or entry["user"] != "pureuser":
            continue
        keys = sorted(entry["body"]) if isinstance(entry["body"], dict) else []
        if (entry["method"], path, ",".join(keys)) in BY_THE_CLOUD:
            continue
        name = " ".join([view.name, "array", entry["method"], path, ",".join(keys)]).strip()
        rule = calls.setdefault(name, {"method": entry["method"], "path": path, **({"body": f'"{keys[0]}"'} if keys else {})})
        rule["several"] = rule.get("several") or next((key for key, value in entry["params"].items() if "," in value), None)
    return calls


class CallFault(course.Calm):
    def __init__(self, sim, name, rule, kind, nth=1):
        self.sim, self.name, self.rule, self.kind, self.nth = sim, name, rule, kind, nth
        self.label = f"{kind} at call {nth} of {name}"

    def withdraw(self, world):
        try:
            fired = any(rule.get("fired", rule.get("hits")) for rule in self.sim.faults()["faults"])
            self.sim.clear_faults()
        except OSError:  # the site was killed, and the order with it
            return False
        return fired

    def arm(self, world):
        """At once, or as soon as the simulator of a site that is down is back."""
        if not self.try_to_arm():
            threading.Thread(target=lambda: eventually(self.try_to_arm, f"{self.label} can be ordered", 60, 0.005), daemon=True).start()

    def try_to_arm(self):
        try:
            self.add()
        except OSError:  # nobody listens yet
            return False
        return True


class CloudFault(CallFault):
    def add(self):
        self.sim.add_fault(**self.rule, **KINDS[self.kind], nth=self.nth, count=1)


class ArrayFault(CallFault):
    def __init__(self, sim, name, rule, kind, nth=1):
        self.several = rule["several"]  # the parameter that names several objects in one of these calls
        super().__init__(sim, name, {key: value for key, value in rule.items() if key != "several"}, kind, nth)

    def add(self):
        if self.kind == HALF:
            self.sim.add_fault(match={**self.rule, "param": {self.several: "*,*"}, "nth": self.nth, "count": 1}, action="half_then_cut")
            return
        what = dict(KINDS[self.kind])
        what.pop("headers", None)  # the array's own are on its 429 anyhow
        if self.kind == "late":
            what["delay_ms"] = ARRAY_LATE_MS
        if what["action"] == "execute_then_hang":  # the array's simulator knows it as a cut that comes late
            what = {"action": "execute_then_cut"}
        self.sim.add_fault(match={**self.rule, "nth": self.nth, "count": 1}, **what)


def calls_of(world, calm):
    """[function of a kind that makes the fault] for every different call of the course that `world` was left by."""
    found = []
    for view in (world.a, world.b):
        cloud, array = calm.since[view.name]
        found += [functools.partial(CloudFault, view.cloud_sim, *call) for call in cloud_calls(view, cloud).items()]
        found += [functools.partial(ArrayFault, view.array_sim, *call) for call in array_calls(view, array).items()]
    return found


def sort_of(call):
    """The call without its site: "nova POST /servers"."""
    return call.args[1].split(" ", 1)[1]


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("flows", nargs="*")
    parser.add_argument("--kind", choices=[*KINDS, HALF])
    parser.add_argument("--only", default="")
    parser.add_argument("--nth", type=int, default=1)
    parser.add_argument("--beyond", choices=[story.name for story in FLOWS])
    options = parser.parse_args(arguments)
    stories = [flow(name) for name in options.flows] or list(FLOWS)
    world = course.RobustWorld(DIRECTORY / "fault-matrix", os.environ.get("PROTECTOR_CHAOS_IPS", "127.0.54.1,127.0.64.1"))
    matrix = Matrix(world, "fault-matrix")
    known = set()
    try:
        if options.beyond:
            known = {sort_of(call) for call in calls_of(world, matrix.calm(flow(options.beyond)))}
        for story in stories:
            calm = matrix.calm(story)
            calls = calls_of(world, calm)
            say(f"==> {story.name}: {len(calls)} different calls")
            if options.beyond:
                calls = [call for call in calls if sort_of(call) not in known]
                known |= {sort_of(call) for call in calls}
            for call in calls:
                several = call.args[2].get("several")
                for kind in [options.kind] if options.kind else [*KINDS, HALF]:
                    if kind == HALF and not several:
                        continue
                    fault = call(kind, options.nth)
                    if options.only in fault.name:
                        matrix.cell(story, calm, f"{fault.name} {kind}", fault)
    finally:
        world.close()
    return matrix.conclude(stories, "call and fault", f"call {options.nth} of each")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
