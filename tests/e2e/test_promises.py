"""The promises of the design, each by the test that names it and fails when the code that keeps it is taken out."""

import shutil
import sqlite3

import grpc
import pytest

import rpc
from protector_lab import ledger
from world import DONE, GROUP, REFUSED, eventually

SERVER_CREATE = dict(service="nova", method="POST", path="/v2.1/servers")


def tasks_of(world, operation, view=None):
    return world.tasks(operation, view)


def servers_made(world, view):
    return [entry for entry in world.changes(view, method="POST") if entry["path"].split("?")[0].endswith("/servers") and entry["status"] < 300]


@pytest.mark.promise("P1")
def test_p1_every_effect_has_an_intent_that_survives_kill_9(protected):
    # The orchestrator is killed while the first server's creation is on its way; the record of that attempt has to be there after.
    protected.b.cloud_sim.add_fault(**SERVER_CREATE, action="execute_then_hang", nth=1, count=1)
    operation = protected.start("failover")
    eventually(lambda: protected.b.cloud.servers(), "a server has been asked for")
    protected.kill_process(protected.b, "orchestrator")
    protected.b.cloud_sim.clear_faults()
    effects = [server["name"] for server in protected.b.cloud.servers()]
    # Before it can act again: no cloud for the restarted engine, so that what it knows is what was on disk.
    protected.b.cloud_sim.add_fault(service="nova", action="error", status=503)
    protected.start_process(protected.b, "orchestrator")
    tasks = tasks_of(protected, operation)
    for name in effects:
        known = [task for task in tasks if task["kind"] == "create-server" and name in task["object"] and task["attempts"] >= 1]
        assert known, f"server {name} exists, but no intent for it was on disk: {tasks}"
    protected.b.cloud_sim.clear_faults()
    protected.finished(operation)
    assert protected.server_names(protected.b) == ["db-1", "web-1", "web-2"]


@pytest.mark.promise("P2")
@pytest.mark.parametrize("fault", [
    dict(**SERVER_CREATE),
    dict(service="cinder", method="POST", path="*/manageable_volumes"),
    dict(service="neutron", method="POST", path="/v2.0/ports"),
], ids=["server", "volume-import", "port"])
def test_p2_effects_happen_once_although_answers_are_lost(protected, fault):
    protected.b.cloud_sim.add_fault(**fault, action="execute_then_cut", nth=1, count=2)
    baseline = protected.b.counts()
    operation = protected.failover()
    fired = protected.b.cloud_sim.faults()
    assert "2" in str(fired), f"the fault did not fire: {fired}"
    protected.clean(operation["operation_id"])
    after = protected.b.counts()
    assert after["servers"] - baseline["servers"] == 3
    assert after["volumes"] - baseline["volumes"] == 4
    assert after["ports"] - baseline["ports"] == 4
    assert protected.server_names(protected.b) == ["db-1", "web-1", "web-2"]


@pytest.mark.promise("P2")
def test_p2_array_effects_happen_once_although_answers_are_lost(protected):
    protected.b.array_sim.add_fault(match={"plane": "rest", "method": "POST", "path": "/volumes", "nth": 1, "count": 1},
                                    action="execute_then_cut")
    protected.a.array_sim.add_fault(match={"plane": "rest", "method": "POST", "path": "/protection-group-snapshots", "nth": 1,
                                           "count": 1}, action="execute_then_cut")
    operation = protected.failover()
    protected.clean(operation["operation_id"])
    assert len(protected.b.array_sim.live_volumes()) == 4
    made = [snapshot["name"] for snapshot in protected.a.array_sim.items("protection_group_snapshots")
            if snapshot["name"].startswith(f"pg-{GROUP}.protector-")]
    assert len(made) == 2, f"one snapshot before the stop, one after: {made}"


@pytest.mark.promise("P3")
@pytest.mark.parametrize("step", ["presync_snapshot", "stop_vms", "storage_failover", "recreate_vms", "cleanup_source"])
def test_p3_kill_9_of_the_engine_in_a_step_is_survived(protected, step):
    gates = {"presync_snapshot": ("a", "array", "POST", "/protection-group-snapshots"),
             "stop_vms": ("a", "cloud", "POST", "*/servers/*/action"),
             "storage_failover": ("b", "cloud", "POST", "*/manageable_volumes"),
             "recreate_vms": ("b", "cloud", "POST", "*/servers"),
             "cleanup_source": ("a", "cloud", "DELETE", "*/servers/*")}
    name, plane, method, path = gates[step]
    view = protected.on(name)
    if plane == "cloud":
        view.cloud_sim.add_fault(method=method, path=path, action="delay", delay_ms=700, count=1)
    else:
        view.array_sim.add_fault(match={"method": method, "path": path, "count": 1}, action="delay", delay_ms=700)
    operation = protected.start("failover")

    def reached():
        found = protected.operation(operation)
        return any(entry["name"] == step and entry["status"] in ("running", "completed") for entry in found["steps"])
    eventually(reached, f"{step} is reached", interval=0.02)
    protected.kill_process(protected.b, "orchestrator")
    protected.start_process(protected.b, "orchestrator")
    protected.finished(operation)
    protected.clean(operation)
    assert protected.server_names(protected.b) == ["db-1", "web-1", "web-2"]
    assert len(servers_made(protected, protected.b)) == 3
    assert protected.a.cloud.servers() == [] and protected.a.cloud.volumes() == []
    assert set(protected.lost(protected.a, protected.b).values()) == {0}


@pytest.mark.promise("P3")
def test_p3_kill_9_of_every_service_of_both_sites_is_survived(protected):
    operation = protected.start("failover")
    eventually(lambda: "verify_replication" in protected.operation(operation)["steps_completed"], "it is under way", interval=0.02)
    for view in (protected.a, protected.b):
        for name in ("site-registry", "metadata-sync", "storage-pure", "orchestrator"):
            protected.kill_process(view, name)
    for view in (protected.a, protected.b):
        protected.revive_site(view)
    found = protected.finished(operation, expect=None)
    assert found["status"] in ("completed", "rolled_back"), found
    primary = protected.b if found["status"] == "completed" else protected.a
    eventually(lambda: {server["status"] for server in primary.cloud.servers()} == {"ACTIVE"}, "the servers run")
    assert protected.server_names(primary) == ["db-1", "web-1", "web-2"]


@pytest.mark.promise("P4")
def test_p4_an_unknown_outcome_is_shown_and_probed_before_acting_again(protected):
    # The server is created, the answer is lost, and Nova then does not answer questions: the engine must neither call it done nor
    # create a second one.
    protected.b.cloud_sim.add_fault(**SERVER_CREATE, action="execute_then_cut", nth=1, count=1)
    operation = protected.start("failover")
    eventually(lambda: protected.b.cloud.servers(), "a server has been asked for")
    protected.b.cloud_sim.add_fault(service="nova", action="error", status=503)
    unknown = eventually(lambda: [task for task in tasks_of(protected, operation)
                                  if task["kind"] == "create-server" and task["outcome"] == "unknown"],
                         "the outcome is shown as unknown")
    assert unknown[0]["status"] != "completed"
    protected.b.cloud_sim.clear_faults()
    protected.finished(operation)
    assert len(servers_made(protected, protected.b)) + 1 == 3 or len(protected.b.cloud.servers()) == 3
    assert protected.server_names(protected.b) == ["db-1", "web-1", "web-2"]


def authority(group, epoch):
    return f'authority {{ group_id: "{group}" epoch: {epoch} operation_id: "op-forged" }}'


@pytest.mark.promise("P5")
def test_p5_a_stale_epoch_is_aborted_by_every_service_that_changes_something(moved):
    group = moved.group(view=moved.b)["id"]
    site = moved.a.site
    server = moved.b.cloud.servers()[0]["id"]
    before = moved.b.counts()
    for view in (moved.a, moved.b):
        with pytest.raises(grpc.RpcError) as refused:
            rpc.call(view.site, "orchestrator", "protector.peer.v1.PeerService/StopServer", "protector.peer.v1.StopServerRequest",
                     f'{authority(group, 1)} server_id: "{server}" hard: true', "protector.peer.v1.ChangeResponse",
                     caller=(moved.lab.layout.other(view.site), "orchestrator"))
        assert rpc.code_of(refused.value) == "ABORTED", (view.name, refused.value)
        with pytest.raises(grpc.RpcError) as refused:
            rpc.call(view.site, "storage-pure", "protector.storage.v1.StorageService/FenceVolumes",
                     "protector.storage.v1.FenceVolumesRequest", f'{authority(group, 1)} name: "pg-{GROUP}" replication_type: ASYNC',
                     "protector.storage.v1.FenceVolumesResponse")
        assert rpc.code_of(refused.value) == "ABORTED", (view.name, refused.value)
    document = rpc.call(site, "metadata-sync", "protector.metadata.v1.MetadataService/GetDocument",
                        "protector.metadata.v1.GetDocumentRequest", f'group_id: "{group}" version: 1',
                        "protector.metadata.v1.GetDocumentResponse")
    body = document.split("document {", 1)[1].rsplit("\nversion {", 1)[0].rstrip().removesuffix("}")
    with pytest.raises(grpc.RpcError) as refused:
        rpc.call(site, "metadata-sync", "protector.metadata.v1.MetadataService/Commit", "protector.metadata.v1.CommitRequest",
                 f'document {{ {body} }} base_version: {moved.sync_status()["local_version"]} reason: "forged"',
                 "protector.metadata.v1.CommitResponse")
    assert rpc.code_of(refused.value) == "ABORTED", refused.value
    assert moved.b.counts() == before
    assert {server["status"] for server in moved.b.cloud.servers()} == {"ACTIVE"}


@pytest.mark.promise("P6")
def test_p6_a_returning_site_is_quarantined_and_no_disk_has_two_writers(protected):
    protected.kill_site(protected.a)
    protected.failover("--type", "unplanned", view=protected.b)
    protected.revive_site(protected.a)

    def quarantined():
        return all(server["status"] == "SHUTOFF" for server in protected.a.cloud.servers())
    eventually(quarantined, "the overtaken servers of site-a are stopped or gone", 60)
    protected.assert_one_writer(protected.b)


@pytest.mark.promise("P6")
def test_p6_a_returning_site_stops_its_servers_itself_although_the_engine_that_took_over_is_down(protected):
    protected.kill_site(protected.a)
    protected.failover("--type", "unplanned", view=protected.b)
    # Nobody comes to clean up: the returning site learns from the metadata alone that it was overtaken.
    protected.kill_process(protected.b, "orchestrator")
    protected.revive_site(protected.a)

    def isolated():
        servers = protected.a.cloud.servers()
        return len(servers) == 3 and all(server["status"] == "SHUTOFF" and server["locked"] for server in servers)
    eventually(isolated, "the overtaken servers of site-a are stopped and locked", 60)
    protected.assert_one_writer(protected.b)
    protected.start_process(protected.b, "orchestrator")
    eventually(lambda: protected.a.cloud.servers() == [], "the engine that is back cleans them away", 60)


@pytest.mark.promise("P6")
def test_p6_the_source_cannot_write_after_a_planned_move(protected):
    ids = [server["id"] for server in protected.a.cloud.servers()]
    protected.a.cloud_sim.add_fault(behaviour="server_delete_error")
    operation = protected.failover(expect=None)
    for server in ids:  # the tenant's own start, while the failed cleanup left the servers there
        try:
            protected.a.cloud.action(server, {"os-start": None})
        except Exception:  # noqa: BLE001  (locked, gone, refused: all right)
            pass
    protected.assert_one_writer(protected.b)
    protected.a.cloud_sim.clear_faults()
    protected.b.cli.try_run("operation", "retry", operation["operation_id"])
    protected.clean(operation["operation_id"])


@pytest.mark.promise("P7")
def test_p7_planned_failover_and_failback_lose_no_acknowledged_write(protected):
    first = protected.failover()
    assert set(protected.lost(protected.a, protected.b).values()) == {0}
    protected.clean(first["operation_id"])
    protected.wait_protected(view=protected.b)
    protected.failback("--reverse-replication")
    assert set(protected.lost(protected.b, protected.a).values()) == {0}


@pytest.mark.promise("P7")
def test_p7_unplanned_failover_loses_exactly_what_came_after_the_named_recovery_point(protected):
    written = sum(ledger.last_acknowledged(protected.a.cloud_sim.ledger(), lineage) for lineage in protected.a.cloud_sim.ledger()["lineages"])
    eventually(lambda: sum(ledger.last_acknowledged(protected.a.cloud_sim.ledger(), lineage)
                           for lineage in protected.a.cloud_sim.ledger()["lineages"]) > written + 40, "guests write on")
    source = protected.a.cloud_sim.ledger(detail=1)
    protected.kill_site(protected.a)
    operation = protected.failover("--type", "unplanned", view=protected.b)
    assert operation["recovery_point"], "the recovery point is named"
    found = ledger.found_at_boot(protected.b.cloud_sim.ledger(), {server["id"] for server in protected.b.cloud.servers()})
    point_ms = recovery_point_ms(protected.b, operation["recovery_point"])
    assert len(found) == 4
    for lineage, finding in found.items():
        records = source["lineages"][lineage]["records"]
        before = [sequence for sequence, time_ms in records if time_ms < point_ms - 250]
        after = [sequence for sequence, time_ms in records if time_ms > point_ms + 250]
        assert not before or finding["sequence"] >= max(before), f"{lineage}: lost a write made before the recovery point"
        assert not after or finding["sequence"] < min(after), f"{lineage}: holds a write made after the recovery point"
    assert sum(protected.lost_from(source, found).values()) > 0, "guests wrote after the recovery point, so something is lost"


def recovery_point_ms(view, name):
    """Time of the snapshot at the source, as the target's array has it."""
    for snapshot in view.array_sim.items("protection_group_snapshots"):
        if snapshot["name"] == name:
            return snapshot["created"]
    raise AssertionError(f"array of {view.name} has no snapshot {name}")


@pytest.mark.promise("P8")
def test_p8_an_acknowledged_change_is_on_both_sites_after_kill_9(protected):
    protected.a.cli.run("protection-group", "policy-set", GROUP, "--rpo-minutes", "42")
    for view in (protected.a, protected.b):
        protected.kill_process(view, "metadata-sync")
    for view in (protected.a, protected.b):
        protected.start_process(view, "metadata-sync")
        assert int(view.cli.json("protection-group", "policy-show", GROUP)["rpo_minutes"]) == 42


@pytest.mark.promise("P8")
def test_p8_a_change_that_the_peer_cannot_store_is_not_acknowledged(protected):
    before = protected.a.cli.json("protection-group", "policy-show", GROUP)["rpo_minutes"]
    held = sqlite3.connect(protected.b.site.directory / "state" / "metadata-sync" / "metadata-sync.db", isolation_level=None)
    held.execute("BEGIN IMMEDIATE")  # the peer answers questions, and can write nothing
    refused = protected.a.cli.try_run("protection-group", "policy-set", GROUP, "--rpo-minutes", "43")
    held.execute("ROLLBACK")
    held.close()
    assert refused.code != DONE, "acknowledged, but only one site has it"
    eventually(lambda: protected.sync_status()["sync_status"] == "IN SYNC", "the sites agree again", 60)
    values = {protected.on(name).cli.json("protection-group", "policy-show", GROUP)["rpo_minutes"] for name in ("a", "b")}
    assert len(values) == 1 and values <= {before, 43, "43"}, values


METADATA = "protector.metadata.v1.MetadataService"


def sync_state(view, group):
    """Straight from metadata-sync: the command line would ask the orchestrator for the group first."""
    answer = rpc.call(view.site, "metadata-sync", f"{METADATA}/GetSyncStatus", "protector.metadata.v1.GetSyncStatusRequest",
                      f'group_id: "{group}"', "protector.metadata.v1.SyncStatus")
    return rpc.field(answer, "state")


def take_over(view, group, reason):
    """What an unplanned failover commits: a new epoch with this site as primary, without the peer. Straight to metadata-sync."""
    document = rpc.call(view.site, "metadata-sync", f"{METADATA}/GetDocument", "protector.metadata.v1.GetDocumentRequest",
                        f'group_id: "{group}"', "protector.metadata.v1.GetDocumentResponse")
    body = document.split("document {", 1)[1].rsplit("\nversion {", 1)[0].rstrip().removesuffix("}")
    lines = [line for line in body.splitlines() if not line.startswith(("  epoch:", "  primary_site:", "  description:"))]
    version = document.rsplit("\nversion {", 1)[1]
    rpc.call(view.site, "metadata-sync", f"{METADATA}/Commit", "protector.metadata.v1.CommitRequest",
             "document {" + "\n".join(lines) + f'\nepoch: {int(rpc.field(version, "epoch")) + 1} primary_site: "{view.name}" '
             f'description: "{reason}"\n}} base_version: {rpc.field(version, "version")} reason: "{reason}" allow_peer_unreachable: true',
             "protector.metadata.v1.CommitResponse", timeout=30)


@pytest.mark.promise("P8")
def test_p8_diverged_histories_are_shown_nothing_is_overwritten_and_the_way_out_keeps_the_losing_versions(protected):
    # A site whose metadata was put back from a copy takes the group over a second time: both sites now have a version that the other
    # never had. The engines are down, so that nothing but metadata is at stake.
    group = protected.group()["id"]
    stop = lambda *views: [protected.kill_process(view, name) for view in views for name in ("metadata-sync", "orchestrator")]  # noqa: E731
    stop(protected.a, protected.b)
    store = protected.b.site.directory / "state" / "metadata-sync"
    shutil.copytree(store, store.with_suffix(".copy"))
    protected.start_process(protected.b, "metadata-sync")
    take_over(protected.b, group, "taken over once")
    protected.start_process(protected.a, "metadata-sync")
    eventually(lambda: sync_state(protected.a, group) == "IN_SYNC", "site-a has it")
    stop(protected.a, protected.b)
    shutil.rmtree(store)
    store.with_suffix(".copy").rename(store)
    protected.start_process(protected.b, "metadata-sync")
    take_over(protected.b, group, "taken over twice")
    protected.start_process(protected.a, "metadata-sync")
    for view in (protected.a, protected.b):
        eventually(lambda: sync_state(view, group) == "DIVERGED", f"{view.name} shows DIVERGED")  # noqa: B023
    for view in (protected.a, protected.b):
        protected.start_process(view, "orchestrator")
        assert protected.sync_status(view=view)["sync_status"] == "DIVERGED"
    histories = [protected.a.cli.run("protection-group", "history", GROUP).output, protected.b.cli.run("protection-group", "history", GROUP).output]
    assert "taken over once" in histories[0] and "taken over twice" not in histories[0], "nobody overwrote it silently"
    assert "taken over twice" in histories[1] and "taken over once" not in histories[1]
    wrong = protected.a.cli.try_run("protection-group", "sync-force", GROUP)
    assert wrong.code == REFUSED and "site-b" in wrong.error, wrong
    protected.b.cli.run("protection-group", "sync-force", GROUP)
    assert protected.sync_status(view=protected.a)["sync_status"] == "IN SYNC"
    kept = protected.a.cli.run("protection-group", "history", GROUP).output
    assert "taken over twice" in kept and "taken over once" in kept, "the losing version is kept and shown"


@pytest.mark.promise("P9")
def test_p9_failback_that_would_lose_data_is_refused_and_the_acceptance_is_recorded(protected):
    protected.kill_site(protected.a)
    protected.failover("--type", "unplanned", view=protected.b)
    # The servers write on site-b; replication back is made impossible, so a failback would lose what they wrote.
    protected.b.array_sim.link("array-a", "cut")
    protected.revive_site(protected.a)
    protected.b.cli.run("protection-group", "sync-force", GROUP)
    refused = protected.b.cli.try_run("protection-group", "failback", GROUP, "--wait")
    assert refused.code != DONE, refused
    assert "--reverse-replication" in refused.error or "--accept-data-loss" in refused.error, refused
    assert protected.group(view=protected.b)["current_primary_site"] == "site-b"
    assert {server["status"] for server in protected.b.cloud.servers()} == {"ACTIVE"}


@pytest.mark.promise("P9")
def test_p9_nothing_is_ever_eradicated(moved):
    operation = moved.failback("--reverse-replication")
    moved.clean(operation["operation_id"], moved.b)
    for view in (moved.a, moved.b):
        for entry in view.array_sim.journal():
            erased = [effect for effect in entry.get("effect") or [] if effect["op"] == "erase" and effect["kind"] in (
                "volumes", "volume", "volume_snapshots", "pods", "protection_groups")]
            assert not erased, f"{view.name}: {entry['method']} {entry['path']} eradicated {erased}"


@pytest.mark.promise("P10")
def test_p10_no_residue_after_a_round_trip(protected):
    before = protected.a.counts(), protected.b.counts()
    for verb, view in (("failover", protected.a), ("failback", protected.b)):
        operation = protected.failover() if verb == "failover" else protected.failback("--reverse-replication")
        protected.clean(operation["operation_id"], view)
        protected.wait_protected(view=protected.on("b" if verb == "failover" else "a"))
    settled = lambda: (protected.a.counts(), protected.b.counts()) == before  # noqa: E731
    try:
        eventually(settled, "counts are as before", 20)
    except AssertionError:
        assert (protected.a.listing(), protected.b.listing()) == before
    hosts = [connection for connection in protected.b.array_sim.items("connections")]
    assert hosts == [], f"connections left on array-b: {hosts}"
    group = protected.group()
    assert group["clean"] is True, group


@pytest.mark.promise("P10")
def test_p10_no_residue_after_a_rollback(protected):
    before = protected.a.listing(), protected.b.listing()
    protected.a.cloud_sim.add_fault(behaviour="stop_error", match={"name": "web-2"})
    operation = protected.failover(expect=None)
    assert operation["status"] in ("rolled_back", "failed"), operation
    protected.a.cloud_sim.clear_faults()
    eventually(lambda: {server["status"] for server in protected.a.cloud.servers()} == {"ACTIVE"}, "the servers run again")
    assert (protected.a.listing(), protected.b.listing()) == before
    assert protected.group()["status"] == "active"


@pytest.mark.promise("P11")
@pytest.mark.parametrize("where, fault, named", [
    ("b", dict(behaviour="manage_error", match={}), "volume"),
    ("b", dict(behaviour="server_build_error", match={"name": "db-1"}), "db-1"),
    ("a", dict(behaviour="stop_error", match={"name": "web-1"}), "web-1"),
    ("b", dict(service="neutron", method="POST", path="/v2.0/ports", action="error", status=409), "port"),
], ids=["import", "server", "stop", "port"])
def test_p11_every_failure_is_on_the_operation_with_cause_object_and_remedy(protected, where, fault, named):
    protected.on(where).cloud_sim.add_fault(**fault)
    started = protected.start("failover")
    found = eventually(lambda: (lambda shown: shown if shown["problems"] else None)(protected.operation(started)), "an error is on it", 60)
    for problem in found["problems"]:
        assert problem["cause"] and problem["object"] and problem["remedy"] and problem["step"], problem
        assert named in problem["object"] + problem["cause"], problem
    protected.on(where).cloud_sim.clear_faults()
