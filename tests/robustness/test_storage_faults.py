"""Disks that fill up, cannot be written, are held by somebody else, lose or damage what they were given. The service says what and where,
writes nothing half, and goes on when the disk does."""

import json
import time

import disks
import flows
import invariants
import pytest
from conftest import with_long
from failpoints import Point
from flows import at_rest, cleaned
from protector_lab import layout
from world import ENDED, GROUP, eventually

MEMBERS = ("web-1", "web-2", "db-1")


@pytest.fixture
def protected(crashing_world):
    crashing_world.begin("protected")
    return crashing_world


def ends(world, view, operation, status="completed"):
    found = eventually(lambda: flows.ended(view, operation), f"{operation} has ended", 120)
    assert found["status"] == status, json.dumps(found, indent=1)
    return found


def holds(world, view):
    """Everything that has to, once the group is at rest on this site."""
    at_rest(world, view)
    invariants.a_group_at_rest_is_whole(world, MEMBERS)


def versions(view):
    return len(view.cli.json("protection-group", "history", GROUP))


def refused(result, reason, *words):
    assert result.code not in (0, 2), result
    assert f"reason: {reason}" in result.error or f"({reason})" in result.error, result
    for word in ("remedy:", *words):
        assert word in result.error, result


# --- a full disk


@pytest.mark.parametrize("service, site, change", [
    ("metadata-sync", "a", ("protection-group", "set", GROUP, "--description", "changed")),
    ("site-registry", "a", ("site", "set", "site-b", "--cinder-host", "elsewhere@pure#pure")),
    ("orchestrator", "b", ("protection-group", "failover", GROUP)),  # it is the target's that runs it
])
def test_a_change_that_the_disk_has_no_room_for_is_refused_whole(protected, service, site, change):
    before = versions(protected.a)
    with disks.small_disk(protected, protected.on(site), service) as disk:
        disk.fill()
        refused(protected.a.cli.try_run(*change), "STORE_FULL", "database ", "Free space")
        assert protected.group()["status"] == "active"
        assert versions(protected.a) == before
        assert protected.a.cli.json("operation", "list") == []
        disk.free()
        protected.a.cli.run(*change)
    if service == "orchestrator":
        ends(protected, protected.a, protected.a.cli.json("operation", "list")[0]["operation_id"])
        at_rest(protected, protected.b)
    holds(protected, protected.b if service == "orchestrator" else protected.a)


@pytest.mark.parametrize("site, service", with_long((("a", "metadata-sync"), ("b", "orchestrator"), ("b", "storage-pure")),
                                                    [(site, service) for site in "ab" for service in layout.SERVICES]))
def test_a_disk_that_fills_up_during_a_failover_holds_it_up_and_no_more(protected, service, site):
    with disks.small_disk(protected, protected.on(site), service) as disk:
        operation = protected.start("failover")
        eventually(lambda: "presync_snapshot" in (shown(protected, operation) or {}).get("steps_completed", ()), "it has begun", 30, 0.01)
        disk.fill()
        time.sleep(2)
        disk.free()
        final = eventually(lambda: flows.ended(protected.a, operation), f"{operation} has ended", 120)
        if final["status"] == "failed":  # the retries of a task ended before the disk was back; its error says so
            assert "STORE_FULL" in json.dumps(final), final
            protected.a.cli.run("operation", "retry", operation)
            final = ends(protected, protected.a, operation)
        back = final["status"] == "rolled_back"
        if not back:
            assert final["status"] == "completed", json.dumps(final, indent=1)
            cleaned(protected, protected.a, final)
        at_rest(protected, protected.a if back else protected.b)
    holds(protected, protected.a if back else protected.b)


def shown(world, operation):
    found = world.a.cli.try_run("operation", "show", operation, "-f", "json")
    return found.json if found.code == 0 else None


# --- one that cannot be written, one that others hold


@pytest.mark.parametrize("service", layout.SERVICES)
def test_a_service_whose_disk_is_read_only_says_so_and_ends(protected, service):
    process = protected.lab.process(protected.a.site, service)
    process.stop()
    with disks.read_only(disks.directory(protected, protected.a, service)):
        protected.lab.start_process(protected.a.site, service)
        assert process.wait_gone(20)
        said = process.log_tail(6)
        assert "Read-only file system" in said and "Remedy: " in said and str(disks.directory(protected, protected.a, service)) in said, said
    protected.start_process(protected.a, service)
    holds(protected, protected.a)


def test_a_database_that_another_program_holds_is_waited_for(protected):
    with disks.held(disks.database(protected, protected.a, "metadata-sync")):
        change = protected.a.cli.start("protection-group", "set", GROUP, "--description", "changed")
        time.sleep(1)
        assert change.poll() is None
    assert change.wait(20) == 0, change.stderr.read()
    holds(protected, protected.a)


def test_a_database_that_another_program_does_not_let_go_of_is_named(protected):
    before = versions(protected.a)
    with disks.held(disks.database(protected, protected.a, "metadata-sync")):
        refused(protected.a.cli.try_run("protection-group", "set", GROUP, "--description", "changed"), "STORE_BUSY", "Another program")
        assert versions(protected.a) == before  # readers are not in its way
    protected.a.cli.run("protection-group", "set", GROUP, "--description", "changed")
    holds(protected, protected.a)


# --- damaged, cut off, older than it should be


@pytest.mark.parametrize("service", layout.SERVICES)
def test_a_damaged_database_is_found_at_the_start_and_its_backup_put_back(protected, service, tmp_path):
    process = protected.lab.process(protected.a.site, service)
    path = disks.database(protected, protected.a, service)
    disks.keep_copy(path, tmp_path / "backup.db")
    process.stop()
    disks.damage(path, seed=service)
    protected.lab.start_process(protected.a.site, service)
    assert process.wait_gone(20), "it runs on a damaged database"
    said = process.log_tail(6)
    assert ("malformed" in said or "integrity check" in said) and str(path) in said and "put back the newest backup" in said, said
    disks.put_back(tmp_path / "backup.db", path)
    protected.start_process(protected.a, service)
    holds(protected, protected.a)
    ends(protected, protected.a, protected.start("failover"))
    holds(protected, protected.b)


@pytest.mark.parametrize("site", ["a", "b"])
def test_metadata_that_a_site_has_lost_whole_comes_back_from_the_other(protected, site):
    view = protected.on(site)
    protected.a.cli.run("protection-group", "set", GROUP, "--description", "changed")
    before = versions(protected.a)
    protected.lab.process(view.site, "metadata-sync").stop()
    disks.set_aside(disks.database(protected, view, "metadata-sync"))
    protected.start_process(view, "metadata-sync")
    eventually(lambda: protected.on(site).cli.try_run("protection-group", "history", GROUP).code == 0, "the group is back", 30)
    assert versions(view) == before
    holds(protected, protected.a)
    ends(protected, protected.a, protected.start("failover"))
    holds(protected, protected.b)


def test_the_last_writes_lost_by_a_disk_that_lied_come_back_from_the_other_site(protected):
    service, path = protected.lab.process(protected.a.site, "metadata-sync"), disks.database(protected, protected.a, "metadata-sync")
    for number in range(5):
        protected.a.cli.run("protection-group", "set", GROUP, "--description", f"change {number}")
    before = versions(protected.a)
    service.kill()
    log = path.with_name(path.name + "-wal")
    disks.cut(log, log.stat().st_size * 2 // 3)
    protected.start_process(protected.a, "metadata-sync")
    eventually(lambda: versions(protected.a) == before, "the lost versions are back", 30)
    assert protected.group()["description"] == "change 4"
    holds(protected, protected.a)


@pytest.mark.parametrize("moment", ["presync_snapshot", "storage_failover", "cleanup_source"])
def test_a_journal_put_back_from_an_older_copy_repeats_nothing(protected, moment, tmp_path):
    """The copy was made while the operation ran; by the time it is put back, all of it has been done."""
    operation = protected.start("failover")
    eventually(lambda: moment in (shown(protected, operation) or {}).get("steps_completed", ()), f"{moment} is done", 60, 0.005)
    disks.keep_copy(disks.database(protected, protected.a, "orchestrator"), tmp_path / "copy.db")
    final = ends(protected, protected.a, operation)
    cleaned(protected, protected.a, final)
    at_rest(protected, protected.b)
    expected = protected.b.listing(), protected.a.listing()
    process = protected.lab.process(protected.a.site, "orchestrator")
    process.stop()
    disks.put_back(tmp_path / "copy.db", disks.database(protected, protected.a, "orchestrator"))
    protected.start_process(protected.a, "orchestrator")
    eventually(lambda: (shown(protected, operation) or {}).get("status") in ENDED, "the older journal has come to an end", 60)
    assert (protected.b.listing(), protected.a.listing()) == expected
    holds(protected, protected.b)


def test_a_group_is_freed_from_an_operation_whose_journal_is_lost(protected):
    protected.lab.order(Point("site-b", "orchestrator", "before-storage-create-recovery-point"))
    operation = protected.start("failover")
    assert protected.lab.process(protected.b.site, "orchestrator").wait_gone(20)
    reset = ("protection-group", "set", GROUP, "--reset-status", "--reason", "the journal is lost")
    unknown = protected.a.cli.try_run(*reset)
    assert unknown.code == 4 and "is not known" in unknown.error, unknown  # site-b may be running it
    disks.set_aside(disks.database(protected, protected.b, "orchestrator"))
    protected.start_process(protected.b, "orchestrator")
    busy = protected.a.cli.try_run("protection-group", "failover", GROUP)
    assert busy.code == 3 and operation in busy.error, busy
    protected.a.cli.run(*reset)
    ends(protected, protected.a, protected.start("failover"))
    holds(protected, protected.b)
