"""What has to hold whenever the system is at rest, whatever happened before. Each check says what it found."""

import time

from protector_lab import ledger
from world import GROUP


class Broken(AssertionError):
    pass


def check(holds, text):
    if not holds:
        raise Broken(text)


def serving(world):
    """(view that serves, the other one), as both sites' documents say it; they have to agree."""
    seen = {view.name: view.cli.json("protection-group", "show", GROUP) for view in (world.a, world.b)}
    primaries = {group["current_primary_site"] for group in seen.values()}
    check(len(primaries) == 1, f"the sites disagree about the primary: {primaries}")
    statuses = {group["status"] for group in seen.values()}
    check(len(statuses) == 1 and statuses <= {"active", "failed_over"}, f"the group is not at rest: {statuses}")
    primary = world.on(primaries.pop())
    return primary, world.b if primary is world.a else world.a


def one_site_runs_the_servers(world, members):
    """P1: every member runs on the primary site, and nowhere else is a server of it."""
    primary, other = serving(world)
    here = {server["name"]: server["status"] for server in primary.cloud.servers()}
    check(set(members) <= set(here), f"{primary.name} has {sorted(here)}, expected {sorted(members)}")
    check(all(here[name] == "ACTIVE" for name in members), f"{primary.name}: {here}")
    elsewhere = {server["name"]: server["status"] for server in other.cloud.servers() if server["name"] in members}
    check(not elsewhere, f"{other.name} still has {elsewhere}")


def nothing_is_left_behind(world, serving_has, other_has):
    """P10: as many objects of each kind as the application has where it runs, and as without it on the other site."""
    primary, other = serving(world)
    for view, expected in ((primary, serving_has), (other, other_has)):
        found = view.counts()
        check(found == expected, f"{view.name} has {found}, expected {expected}: {view.listing()}")


def no_two_writers(world, may_miss=None):
    """P1, P2 on the disks: what the servers read is one writer's after another, and nothing that this site acknowledged is missing.

    `may_miss`: {lineage: [(first, last)]}, what unplanned failovers left behind with the site that was lost (after their recovery point).
    """
    primary, _ = serving(world)
    primary.cloud_sim.pause_guests()  # a record that is acknowledged while we read would look as if it were missing
    try:
        time.sleep(0.2)
        read = [(server, volume) for server in primary.cloud.servers() for volume in primary.cloud_sim.read_back(server["id"])["volumes"]]
    finally:
        primary.cloud_sim.pause_guests(False)
    check(read, "no volume was read")
    for server, volume in read:
        one_writer_after_another(server, volume, (may_miss or {}).get(volume["lineage"], ()))


def one_writer_after_another(server, volume, left=()):
    """Of a volume as its server reads it; `left`: spans of records that may be missing."""
    check(not volume["interleaved"], f"two writers: {volume}")
    for first, last in volume["missing_acknowledged"]:
        check(any(begin <= first and last <= end for begin, end in left), f"acknowledged and missing: {first} to {last}, allowed {left}: {volume}")
    own = [writer["first"] for writer in volume["writers"] if writer["writer"].startswith(server["id"])]
    late = [writer for writer in volume["foreign_writers"] if own and writer["last"] >= min(own)]
    check(not late, f"others wrote after {server['name']} had begun: {late}")


def left_behind(world, lost, survivor):
    """{lineage: (first, last)} that the lost site acknowledged after the recovery point that the survivor's servers began from."""
    servers = {server["id"] for server in survivor.cloud.servers()}
    source = lost.cloud_sim.ledger()
    found = {}
    for lineage, finding in ledger.found_at_boot(survivor.cloud_sim.ledger(), servers).items():
        last = ledger.last_acknowledged(source, lineage)
        if last > finding["sequence"]:
            found[lineage] = finding["sequence"] + 1, last
    return found


def the_sites_have_the_same_history(world):
    """P8: one chain of versions, the same on both sites."""
    heads = {view.name: view.cli.json("protection-group", "sync-status", GROUP) for view in (world.a, world.b)}
    a, b = heads["site-a"], heads["site-b"]
    check(a["sync_status"] == b["sync_status"] == "IN SYNC", f"{a['sync_status']} and {b['sync_status']}")
    check(a["local_version"] == b["local_version"], f"versions {a['local_version']} and {b['local_version']}")
    histories = [[(entry["version"], entry["hash"]) for entry in view.cli.json("protection-group", "history", GROUP) if not entry.get("superseded")]
                 for view in (world.a, world.b)]
    check(histories[0] == histories[1], "the histories differ")


def a_group_at_rest_is_whole(world, members, may_miss=None):
    """P1, P2, P8 of a group that nobody moves."""
    one_site_runs_the_servers(world, members)
    no_two_writers(world, may_miss)
    the_sites_have_the_same_history(world)
    no_operation_is_stuck(world)


def no_operation_is_stuck(world):
    for view in (world.a, world.b):
        running = [operation for operation in view.cli.json("operation", "list")
                   if operation["status"] in ("pending", "running", "paused", "cancelling", "rolling_back")]
        check(not running, f"{view.name}: {[(one['operation_id'], one['status']) for one in running]}")


def nothing_was_lost(world, source, target, moved):
    """P7, P9: a planned move loses no write that its servers had acknowledged. `moved`: ids of the source's servers before the move; what
    others acknowledged there before them may have been left behind by an earlier disaster."""
    acknowledged = {}
    for volume in source.cloud_sim.ledger()["volumes"]:
        if volume["server_id"] in moved and volume["last_acknowledged"]:
            acknowledged[volume["lineage"]] = max(acknowledged.get(volume["lineage"], 0), volume["last_acknowledged"]["sequence"])
    check(acknowledged, "the moved servers had acknowledged nothing")
    servers = {server["id"] for server in target.cloud.servers()}
    found = ledger.found_at_boot(target.cloud_sim.ledger(), servers)
    losses = {lineage: last - found[lineage]["sequence"] for lineage, last in acknowledged.items()
              if lineage in found and last > found[lineage]["sequence"]}
    check(not losses, f"acknowledged writes lost by a planned move: {losses}")
    check(set(acknowledged) <= set(found), f"volumes that nobody reads any more: {set(acknowledged) - set(found)}")
