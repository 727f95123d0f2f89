"""Real partitions: the network between the sites, or to one service, is cut while an operation is in each of its steps."""

import time

import flows
import invariants
import netlab
import pytest
from conftest import with_long
from flows import at_rest, cleaned, insist
from protector_lab import layout
from world import ENDED, GROUP, PLANNED_STEPS, UNPLANNED_STEPS, eventually

MEMBERS = ("web-1", "web-2", "db-1")


def shown(view, operation):
    found = view.cli.try_run("operation", "show", operation, "-f", "json")
    return found.json if found.code == 0 else None


def reached(view, operation, step, steps):
    """The operation has done every step before this one (or has ended)."""
    now = shown(view, operation)
    return now is not None and (now["status"] in ENDED or set(now["steps_completed"]) >= set(steps[:steps.index(step)]))


def ended(world, operation):
    """Its last state, seen from either site."""
    return eventually(lambda: flows.ended(world.b, operation) or flows.ended(world.a, operation), f"{operation} has ended", 120)


def comes_to_rest(world, operation):
    """What an operator does after the network is back: look, and retry what failed."""
    final = ended(world, operation)
    if final["status"] == "failed":
        insist(world, world.b, "operation", "retry", operation, settled=lambda: shown(world.b, operation)["status"] != "failed")
        final = ended(world, operation)
    primary, _ = invariants.serving(world)
    if final["status"] == "completed":
        assert primary is world.b, final
        cleaned(world, world.b, final)
    else:
        assert final["status"] in ("rolled_back", "cancelled"), final
        assert primary is world.a, final
    at_rest(world, primary)
    invariants.one_site_runs_the_servers(world, MEMBERS)
    invariants.no_two_writers(world)
    invariants.the_sites_have_the_same_history(world)
    invariants.no_operation_is_stuck(world)
    return primary


@pytest.mark.parametrize("step", with_long(("presync_snapshot", "storage_failover", "update_pg_status", "reprotect"), PLANNED_STEPS))
def test_the_sites_lose_each_other_during_a_planned_failover(networked, step):
    moved = {server["id"] for server in networked.a.cloud.servers()}
    operation = networked.start("failover")
    eventually(lambda: reached(networked.b, operation, step, PLANNED_STEPS), f"it has come to {step}", 60, 0.02)
    networked.network.between_sites()
    time.sleep(3)  # long enough for deadlines and keepalive of the lab to find out
    networked.network.heal()
    primary = comes_to_rest(networked, operation)
    if primary is networked.b:
        invariants.nothing_was_lost(networked, networked.a, networked.b, moved)


@pytest.mark.parametrize("source, target", [("site-a", "site-b"), ("site-b", "site-a")])
def test_one_direction_is_lost_during_a_planned_failover(networked, source, target):
    operation = networked.start("failover")
    eventually(lambda: reached(networked.b, operation, "stop_vms", PLANNED_STEPS), "it stops the servers", 60, 0.02)
    networked.network.one_way(source, target)
    time.sleep(3)
    networked.network.heal()
    comes_to_rest(networked, operation)


def test_a_flapping_network_does_not_stop_a_planned_failover_for_good(networked):
    with networked.network.flapping(networked.network.between_sites):
        networked.a.cli.try_run("protection-group", "failover", GROUP, "--request-id", "5b0f3f0e-6a1c-4e57-9a55-0d8f6f6e1d77")
        time.sleep(6)
    answer = insist(networked, networked.a, "protection-group", "failover", GROUP, "--request-id", "5b0f3f0e-6a1c-4e57-9a55-0d8f6f6e1d77", "-f", "json")
    comes_to_rest(networked, answer.json["operation_id"])


@pytest.mark.parametrize("site, service", with_long((("site-a", "orchestrator"), ("site-b", "metadata-sync"), ("site-b", "storage-pure")),
                                                    [(site, service) for site in ("site-a", "site-b") for service in layout.SERVICES]))
def test_a_service_that_nobody_reaches_during_a_planned_failover(networked, site, service):
    operation = networked.start("failover")
    eventually(lambda: reached(networked.b, operation, "presync_snapshot", PLANNED_STEPS), "it is under way", 60, 0.02)
    networked.network.service(site, layout.PORTS[service])
    time.sleep(3)
    networked.network.heal()
    comes_to_rest(networked, operation)


@pytest.mark.parametrize("site", ["site-a", "site-b"])
def test_the_operator_loses_a_site_and_the_operation_goes_on(networked, site):
    operation = networked.start("failover")
    networked.network.operator(site)
    if site == "site-a":
        eventually(lambda: (shown(networked.b, operation) or {}).get("status") in ENDED, "site-b shows it to its end", 90)
    else:  # site-b keeps the operation: the operator cannot look at it, and is told where it is
        refused = networked.a.cli.try_run("operation", "show", operation)
        assert refused.code != 0 and "site-b" in refused.error, refused
        eventually(lambda: sorted(server["status"] for server in networked.b.cloud.servers()) == ["ACTIVE"] * 3, "it goes on all the same", 90)
    networked.network.heal()
    assert comes_to_rest(networked, operation) is networked.b


@pytest.mark.parametrize("step", with_long(("fence_source", "storage_failover", "update_pg_status"), UNPLANNED_STEPS))
def test_the_old_site_lives_on_behind_a_partition(networked, step):
    """P1, P2, P5: site-a and its guests live; site-b takes over; when the network heals, site-a stops and locks its servers before anything else."""
    networked.network.between_sites()
    since = max((entry["n"] for entry in networked.a.cloud_sim.journal()), default=0)
    operation = networked.start("failover", "--type", "unplanned", view=networked.b)
    eventually(lambda: reached(networked.b, operation, step, UNPLANNED_STEPS), f"it has come to {step}", 90, 0.02)
    assert {server["status"] for server in networked.a.cloud.servers()} == {"ACTIVE"}, "nobody on site-a knows yet"
    networked.network.heal()
    final = ended(networked, operation)
    assert final["status"] == "completed", final
    eventually(lambda: all(server["status"] == "SHUTOFF" for server in networked.a.cloud.servers()), "site-a's servers are stopped", 60)
    cleaned(networked, networked.b, final)
    at_rest(networked, networked.b)
    words = [word for entry in networked.changes(networked.a, since) if (word := what(entry))]
    first = {word: words.index(word) for word in set(words)}
    assert first["stop"] < first["delete"] and first["lock"] < first["delete"] and first["lock"] < first["unmanage"], words
    invariants.one_site_runs_the_servers(networked, MEMBERS)
    invariants.no_two_writers(networked)
    invariants.the_sites_have_the_same_history(networked)


def what(entry):
    body = entry["body"] if isinstance(entry["body"], dict) else {}
    for key, word in (("os-stop", "stop"), ("lock", "lock"), ("os-unmanage", "unmanage")):
        if key in body:
            return word
    return "delete" if entry["method"] == "DELETE" and "/servers/" in entry["path"] else None
