"""What an operator does, from a prepared scenario to a state of rest: the stories that every fault is put into.

An operator whose command fails looks, waits and types it again: `insist`. Moves carry a request id, so that typing them again finds the
first one.
"""

import dataclasses
import time
import uuid

from world import ENDED, GROUP, eventually

TIMEOUT = 120.0


def insist(world, view, *arguments, settled=None, timeout=TIMEOUT):
    """Runs a command until it succeeds or until `settled()` says that an earlier try did it after all."""
    deadline = time.monotonic() + timeout
    while True:
        result = view.cli.try_run(*arguments)
        if result.code == 0:
            return result
        world.lab.wait_services()
        if settled is not None and settled():
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"protector {' '.join(arguments)} never succeeded: {result}")
        time.sleep(0.05)


def move(world, view, verb, *arguments, ends=("completed",), tries=3):
    """A failover or failback from its command to its end; returns the operation. One that ended before it changed anything, because a
    service was not there for a moment, is started again, as its error says."""
    for attempt in range(tries):
        request = str(uuid.uuid4())
        started = insist(world, view, "protection-group", verb, GROUP, *arguments, "--request-id", request, "-f", "json").json["operation_id"]
        operation = eventually(lambda started=started: ended(view, started), f"{started} has ended", TIMEOUT, 0.05)
        if operation["status"] in ends:
            return operation
        untouched = operation["status"] == "failed" and set(operation["steps_failed"]) == {"validate_sites"}
        assert untouched and attempt + 1 < tries, operation
        world.lab.wait_services()
        time.sleep(0.5)
    raise AssertionError("not reached")


def ended(view, operation_id):
    """The operation once it has ended; None before, and while nobody can say."""
    shown = view.cli.try_run("operation", "show", operation_id, "-f", "json")
    return shown.json if shown.code == 0 and shown.json["status"] in ENDED else None


def cleaned(world, view, operation):
    def look():
        shown = view.cli.try_run("operation", "show", operation["operation_id"], "-f", "json")
        return shown.code == 0 and set(shown.json["steps_completed"]) >= {"reprotect", "cleanup_source"}
    eventually(look, f"{operation['operation_id']} has reprotected and cleaned up", TIMEOUT, 0.05)


def at_rest(world, view, groups=(GROUP,)):
    """Until nothing is pending: the sites agree, replication is ready, the group is clean."""
    for group in groups:
        def look(group=group):
            shown = view.cli.try_run("protection-group", "show", group, "-f", "json")
            if shown.code != 0 or not shown.json["clean"]:
                return False
            sync = view.cli.try_run("protection-group", "sync-status", group, "-f", "json")
            return sync.code == 0 and sync.json["sync_status"] == "IN SYNC"
        eventually(look, f"{group} is at rest", TIMEOUT, 0.05)
        eventually(lambda group=group: view.cli.try_run("protection-group", "check", group, "-f", "json").code == 0, f"{group} is ready",
                   TIMEOUT, 0.05)


# --- the stories


def planned(world):
    operation = move(world, world.a, "failover")
    cleaned(world, world.a, operation)
    at_rest(world, world.b)


def failback(world):
    operation = move(world, world.b, "failback")
    cleaned(world, world.b, operation)
    at_rest(world, world.a)


def unplanned(world):
    world.kill_site(world.a)
    move(world, world.b, "failover", "--type", "unplanned")


def site_returns(world):
    """Reprotection, quarantine and cleanup after an unplanned failover: what is deferred until the lost site is back."""
    world.revive_site(world.a)
    operations = world.b.cli.json("operation", "list")
    cleaned(world, world.b, operations[0])
    at_rest(world, world.b)


def force(world):
    """Taken over by force from a site that lives: its servers are isolated, its volumes fenced, and what is left there is cleaned up."""
    operation = move(world, world.b, "failover", "--type", "unplanned", "--force")
    cleaned(world, world.b, operation)
    at_rest(world, world.b)


def rollback(world):
    fault = world.a.cloud_sim.add_fault(behaviour="stop_error", match={"name": "web-2"})
    move(world, world.a, "failover", ends=("rolled_back", "failed"))
    world.a.cloud_sim.delete(f"/sim/faults/{fault}")
    eventually(lambda: {server["status"] for server in world.a.cloud.servers()} == {"ACTIVE"}, "the servers run again")
    at_rest(world, world.a)


def cancel(world):
    """Cancelled by the operator while its servers are being stopped."""
    fault = world.a.cloud_sim.add_fault(behaviour="ignore_graceful_stop", match={"name": "web-1"}, delay_ms=20000)
    request = str(uuid.uuid4())
    started = insist(world, world.a, "protection-group", "failover", GROUP, "--request-id", request, "-f", "json").json["operation_id"]

    def shown():
        found = world.a.cli.try_run("operation", "show", started, "-f", "json")
        return found.json if found.code == 0 else None
    eventually(lambda: (shown() or {}).get("current_step") == "stop_vms" or "presync_snapshot" in (shown() or {}).get("steps_completed", ()),
               "it stops the servers", TIMEOUT)
    insist(world, world.a, "operation", "cancel", started, settled=lambda: (shown() or {}).get("status") in ENDED)
    world.a.cloud_sim.delete(f"/sim/faults/{fault}")
    eventually(lambda: (shown() or {}).get("status") in ENDED, f"{started} has ended", TIMEOUT)
    eventually(lambda: {server["status"] for server in world.a.cloud.servers()} == {"ACTIVE"}, "the servers run again")
    at_rest(world, world.a)


def remove_member(world):
    def gone():
        found = world.a.cli.try_run("protection-group", "members", GROUP, "-f", "json")
        return found.code == 0 and all(member["name"] != "web-2" for member in found.json)
    insist(world, world.a, "protection-group", "remove-member", GROUP, "web-2", settled=gone)
    at_rest(world, world.a)


def add_member(world):
    """Taken out and put in again: what adding a member changes, on both sites."""
    remove_member(world)

    def there():
        found = world.a.cli.try_run("protection-group", "members", GROUP, "-f", "json")
        return found.code == 0 and any(member["name"] == "web-2" for member in found.json)
    insist(world, world.a, "protection-group", "add-member", GROUP, "web-2", settled=there)
    at_rest(world, world.a)


def sync(world):
    """A change that the peer missed, brought to it when it returns, and brought once more by hand."""
    world.kill_site(world.a)
    move(world, world.b, "failover", "--type", "unplanned")
    world.revive_site(world.a)
    insist(world, world.b, "protection-group", "sync-force", GROUP)
    cleaned(world, world.b, world.b.cli.json("operation", "list")[0])
    at_rest(world, world.b)


def change_group(world):
    insist(world, world.a, "protection-group", "set", GROUP, "--description", "changed")
    insist(world, world.a, "protection-group", "policy-set", GROUP, "--replication-interval", "600")
    at_rest(world, world.a)


def delete_group(world):
    def gone():
        found = world.a.cli.try_run("protection-group", "list", "-f", "json")
        return found.code == 0 and all(group["name"] != GROUP for group in found.json)
    insist(world, world.a, "protection-group", "delete", GROUP, "--force", settled=gone)
    eventually(gone, "the group is gone", TIMEOUT)


@dataclasses.dataclass(frozen=True)
class Flow:
    name: str
    scenario: str
    act: object
    prepare: object = None    # before faults begin
    finish: object = None     # after them, to a state of rest
    groups: tuple = (GROUP,)  # that exist at the end


FLOWS = (
    Flow("planned", "protected", planned),
    Flow("unplanned", "protected", unplanned, finish=site_returns),
    Flow("return", "protected", site_returns, prepare=unplanned),
    Flow("force", "protected", force),
    Flow("failback", "moved", failback),
    Flow("rollback", "protected", rollback),
    Flow("cancel", "protected", cancel),
    Flow("add-member", "protected", add_member),
    Flow("sync", "protected", sync),
    Flow("change", "protected", change_group),
    Flow("delete", "protected", delete_group, groups=()),
)


def flow(name):
    for candidate in FLOWS:
        if candidate.name == name:
            return candidate
    raise KeyError(f"no flow {name}; there are {', '.join(one.name for one in FLOWS)}")
