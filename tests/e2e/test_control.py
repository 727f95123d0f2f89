"""What a human can do with an operation: cancel, pause, resume, retry, skip; and watch it."""

from world import DONE, GROUP, REFUSED, eventually


def test_cancel_before_the_point_of_no_return_rolls_back(protected):
    before = protected.a.listing(), protected.b.listing()
    protected.a.cloud_sim.add_fault(behaviour="ignore_graceful_stop", match={"name": "web-1"}, delay_ms=20000)
    operation = protected.start("failover")
    eventually(lambda: "presync_snapshot" in protected.operation(operation)["steps_completed"], "it stops the servers")
    protected.a.cli.run("operation", "cancel", operation)
    protected.a.cloud_sim.clear_faults()
    protected.finished(operation, expect="cancelled")
    eventually(lambda: {server["status"] for server in protected.a.cloud.servers()} == {"ACTIVE"}, "the servers run again")
    assert protected.group()["status"] == "active"
    assert (protected.a.listing(), protected.b.listing()) == before


def test_cancel_after_the_point_of_no_return_is_refused(protected):
    protected.b.cloud_sim.add_fault(behaviour="server_build_stuck", match={"name": "db-1"})
    operation = protected.start("failover")
    eventually(lambda: "storage_failover" in protected.operation(operation)["steps_completed"], "storage has moved")
    refused = protected.a.cli.try_run("operation", "cancel", operation)
    assert refused.code == REFUSED and "PAST_POINT_OF_NO_RETURN" in refused.error, refused
    protected.b.cloud_sim.clear_faults()
    protected.finished(operation)


def test_pause_and_resume(protected):
    protected.b.cloud_sim.add_fault(behaviour="manage_stuck", match={})
    operation = protected.start("failover")
    eventually(lambda: "trigger_final_snapshot" in protected.operation(operation)["steps_completed"], "storage_failover has begun")
    protected.b.cli.run("operation", "pause", operation)
    protected.b.cloud_sim.clear_faults()
    eventually(lambda: protected.operation(operation)["status"] == "paused", "it is paused")
    assert protected.b.cloud.servers() == [], "no further task was started"
    protected.restart_process(protected.b, "orchestrator")
    assert protected.operation(operation)["status"] == "paused", "a pause survives a restart"
    protected.b.cli.run("operation", "resume", operation)
    protected.finished(operation)


def test_skip_a_failed_member_with_a_recorded_reason(protected):
    protected.b.cloud_sim.add_fault(behaviour="server_build_error", match={"name": "web-2"})
    operation = protected.failover(expect=None)
    failed = [task for task in protected.tasks(operation["operation_id"], protected.b) if task["status"] == "failed"]
    assert failed, operation
    without = protected.b.cli.try_run("operation", "skip", operation["operation_id"], "--task", failed[0]["id"])
    assert without.code != DONE and "reason" in without.error, without
    protected.b.cli.run("operation", "skip", operation["operation_id"], "--task", failed[0]["id"], "--reason", "web-2 is not needed")
    found = eventually(lambda: (lambda shown: shown if shown["status"].startswith("completed") else None)(
        protected.operation(operation["operation_id"])), "it goes on without it")
    assert found["status"] == "completed_with_errors" and "web-2 is not needed" in str(found), found


def test_watch_ends_with_the_operation(protected):
    operation = protected.start("failover")
    result = protected.a.cli.try_run("operation", "watch", operation)
    assert result.code == DONE and "completed" in result.output + result.error, result
    assert "recreate_vms" in result.output + result.error


def test_the_same_request_id_finds_the_same_operation(protected):
    request = "5b0f3f0e-6a1c-4e57-9a55-0d8f6f6e1d11"
    first = protected.start("failover", "--request-id", request)
    second = protected.start("failover", "--request-id", request)
    assert first == second
    protected.finished(first)


def test_a_failed_import_is_tried_again_although_cinder_keeps_its_record(protected):
    # As the array vendor's driver does it: what it could not take over it cannot let go of either.
    protected.b.cloud_sim.add_fault(behaviour="manage_error", match={})
    operation = protected.finished(protected.start("failover"), expect="failed")
    for _ in range(2):  # the record of the first try is given up, then it cannot even be given up any more
        protected.b.cli.run("operation", "retry", operation["operation_id"])
        operation = protected.finished(operation["operation_id"], expect="failed")
    protected.b.cloud_sim.clear_faults()
    protected.b.cli.run("operation", "retry", operation["operation_id"])
    protected.finished(operation["operation_id"])
    protected.clean(operation["operation_id"])
    assert protected.server_names(protected.b) == ["db-1", "web-1", "web-2"]
    assert {server["status"] for server in protected.b.cloud.servers()} == {"ACTIVE"}
    assert set(protected.lost(protected.a, protected.b).values()) == {0}
    left = [volume for volume in protected.b.admin.volumes(all_projects=True) if not volume["attachments"]]
    assert left and {volume["status"] for volume in left} <= {"error", "error_unmanaging"}
