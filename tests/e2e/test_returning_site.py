"""A site that was overtaken comes back: it asks first, stops what it must not run, is cleaned, and can be used again."""

from world import GROUP, eventually


def fail_over_without_a(protected):
    protected.kill_site(protected.a)
    return protected.failover("--type", "unplanned", view=protected.b)


def test_deferred_steps_run_by_themselves_when_the_site_returns(protected):
    operation = fail_over_without_a(protected)
    protected.revive_site(protected.a)
    protected.clean(operation["operation_id"], protected.b)
    eventually(lambda: not protected.a.cloud.servers() and not protected.a.cloud.volumes(), "site-a is clean")
    protected.wait_protected(view=protected.b)
    # The old array volumes go once the first transfer back has ended, a moment after that.
    eventually(lambda: protected.group(view=protected.b)["clean"], "nothing is left")


def test_quarantine_comes_before_anything_else(protected):
    operation = fail_over_without_a(protected)
    protected.revive_site(protected.a)
    protected.clean(operation["operation_id"], protected.b)
    names = []
    for entry in protected.changes(protected.a):
        body = str(entry["body"])
        if "os-stop" in body:
            names.append("stop")
        elif '"lock"' in body or "'lock'" in body:
            names.append("lock")
        elif entry["method"] == "DELETE" and "/servers/" in entry["path"]:
            names.append("delete")
        elif "os-unmanage" in body:
            names.append("unmanage")
    after_return = names[names.index("stop"):] if "stop" in names else names
    assert "stop" in names and "lock" in names, names
    assert after_return.index("lock") < min(after_return.index(word) for word in ("delete", "unmanage") if word in after_return)


def test_full_circle_after_a_disaster_ends_where_it_began(protected):
    operation = fail_over_without_a(protected)
    protected.revive_site(protected.a)
    protected.clean(operation["operation_id"], protected.b)
    protected.wait_protected(view=protected.b)
    back = protected.failback("--reverse-replication")
    protected.clean(back["operation_id"], protected.a)
    assert set(protected.lost(protected.b, protected.a).values()) == {0}
    group = protected.group()
    assert group["status"] == "active" and int(group["failback_count"]) == 1
    assert protected.b.cloud.servers() == [] and protected.b.cloud.volumes() == []


def test_loss_of_the_dr_site_while_the_group_is_there_ends_active_at_home(moved):
    moved.kill_site(moved.b)
    moved.failover("--type", "unplanned", view=moved.a)
    group = moved.group(view=moved.a)
    assert group["status"] == "active" and group["current_primary_site"] == "site-a", group
    assert moved.server_names(moved.a) == ["db-1", "web-1", "web-2"]


def test_a_frozen_site_that_thaws_does_not_write_over_the_survivors(protected):
    protected.freeze_site(protected.a)
    try:
        protected.failover("--type", "unplanned", view=protected.b)
    finally:
        protected.thaw_site(protected.a)
    eventually(lambda: all(server["status"] == "SHUTOFF" for server in protected.a.cloud.servers()), "site-a's servers are stopped", 60)
    assert protected.group(view=protected.b)["current_primary_site"] == "site-b"
    protected.assert_one_writer(protected.b)


def test_operation_survives_the_client_that_started_it(protected):
    client = protected.a.cli.start("protection-group", "failover", GROUP, "--wait")
    found = eventually(lambda: protected.a.cli.json("operation", "list"), "it is listed")
    client.kill()
    client.communicate()
    protected.finished(found[0]["operation_id"])
    assert protected.group(view=protected.b)["status"] == "failed_over"
