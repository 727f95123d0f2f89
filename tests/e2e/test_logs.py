"""What an operation leaves in the logs: whoever reads them at night starts from its id and finds everything, on both sites."""

import json


def lines(view, service, **wanted):
    text = (view.site.directory / "log" / f"{service}.log").read_text()
    parsed = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    return [line for line in parsed if all(line.get(key) == value for key, value in wanted.items())]


def test_everything_done_for_an_operation_is_found_by_its_id_in_the_logs_of_both_sites(protected):
    done = protected.failover()
    protected.clean(done["operation_id"])
    own = {"operation": done["operation_id"]}

    accepted, ended = (lines(protected.b, "orchestrator", message=f"operation {what}", **own) for what in ("accepted", "ended"))
    assert len(accepted) == 1 and accepted[0]["group"] == "prod-web-app" and accepted[0]["target_site"] == "site-b", accepted
    assert len(ended) == 1 and ended[0]["state"] == "completed", ended
    shown = {task["id"] for task in protected.tasks(done["operation_id"]) if task["status"] == "completed"}
    tasks = {line["task"]: line for line in lines(protected.b, "orchestrator", message="task ended", **own)}
    assert shown and shown <= set(tasks), "what is done for the operation later (the first complete copy back, say) is not logged yet"
    assert all(line["state"] == "completed" and line["step"] and line["epoch"] and line["object"] for line in tasks.values()), tasks

    for view, doing in ((protected.b, {"storage_failover", "recreate_vms"}), (protected.a, {"stop_vms", "cleanup_source"})):
        calls = lines(view, "orchestrator", message="cloud call", **own)
        assert doing <= {call["step"] for call in calls}, f"{view.name}: {sorted({call['step'] for call in calls})}"
        for call in calls:
            assert call["task"] in shown and call["epoch"] and call["request_id"] and call["openstack_request_id"], call
        assert lines(view, "storage-pure", message="request", **own), f"{view.name}: nothing was asked of its array"
        assert lines(view, "metadata-sync", message="request", **own), f"{view.name}: nothing was asked of its metadata"


def test_every_change_that_the_clouds_received_is_a_call_in_the_log(protected):
    operation = protected.failover()["operation_id"]
    protected.clean(operation)
    for view in (protected.a, protected.b):
        received = [entry for entry in protected.changes(view) if not entry["path"].endswith("/auth/tokens")]
        logged = [line for line in lines(view, "orchestrator", message="cloud call")
                  if line["method"] != "GET" and line["cloud_service"] != "keystone"]
        assert len(received) == len(logged), f"{view.name}: {len(received)} changes received, {len(logged)} in the log"
