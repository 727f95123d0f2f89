"""Every example of the reference page, by its commands as printed (`protector` for `openstack protector`)."""

import pytest

from protector_lab.application import addresses, mapping_arguments
from protector_lab.sim import CloudSim  # noqa: F401  (documents where the figures come from)
from world import DONE, GROUP, PLANNED_STEPS, UNPLANNED_STEPS, eventually

WEB_AND_DB = ["--network-mapping", "net-primary-web=net-secondary-web", "net-primary-db=net-secondary-db"]
WEB_AND_DB_BACK = ["--network-mapping", "net-secondary-web=net-primary-web", "net-secondary-db=net-primary-db"]


def test_prerequisites_sites_are_registered_and_valid(world):
    listed = world.a.cli.json("site", "list")
    assert sorted(site["name"] for site in listed) == ["site-a", "site-b"]
    for name in ("site-a", "site-b"):
        result = world.a.cli.try_run("site", "validate", name)
        assert result.code == DONE, result
    assert {site["status"].lower() for site in world.a.cli.json("site", "list")} == {"valid"}


def test_validate_prints_a_row_for_every_probe(world):
    text = world.a.cli.run("site", "validate", "site-b").output
    for probe in ("keystone", "nova", "cinder", "neutron", "glance", "site-registry", "metadata-sync", "orchestrator",
                  "storage-pure", "array", "array-link", "clock-skew", "volume-types", "manage-rights"):
        assert probe in text, f"no row for {probe} in\n{text}"


def test_list_volume_types_tells_which_are_replicated(world):
    types = {entry["name"]: entry for entry in world.a.cli.json("site", "list-volume-types", "site-a")}
    assert set(types) >= {"replicated-async", "replicated-sync", "standard"}
    assert types["replicated-async"]["replicated"] is True and types["standard"]["replicated"] is False
    assert types["replicated-sync"]["replication_type"] == "sync"


def test_prerequisites_group_is_active_with_all_members(protected):
    group = protected.group()
    assert group["status"] == "active" and group["current_primary_site"] == "site-a"
    members = protected.a.cli.json("protection-group", "members", GROUP)
    assert sorted(member["name"] for member in members) == ["db-1", "web-1", "web-2"]


def test_sync_status_shows_the_same_version_on_both_sites(protected):
    status = protected.sync_status()
    assert status["sync_status"] == "IN SYNC", status
    assert status["local_version"] == status["remote_version"] > 0
    assert protected.sync_status(view=protected.b)["local_version"] == status["local_version"]


def test_sync_force_says_what_it_does(protected):
    text = protected.a.cli.run("protection-group", "sync-force", GROUP).output
    version = protected.sync_status()["local_version"]
    for line in ("Force sync", "connectivity", "gathering metadata", "pushing to site-b",
                 f"Sync completed successfully: both sites are now at version {version}"):
        assert line in text, text


def test_default_policy_values_and_replication_type_are_those_of_the_page(world):
    world.create_group()
    policy = world.a.cli.json("protection-group", "policy-show", GROUP)
    assert int(policy["replication_interval"]) == 300 and int(policy["rpo_minutes"]) == 15
    assert policy["pure_pg_name"] == f"pg-{GROUP}"
    assert world.group()["replication_type"] == "async"
    world.a.cli.run("protection-group", "policy-set", GROUP, "--rpo-minutes", "20")
    assert int(world.a.cli.json("protection-group", "policy-show", GROUP)["rpo_minutes"]) == 20


def test_replication_type_cannot_be_changed_after_creation(world):
    world.create_group()
    result = world.a.cli.try_run("protection-group", "set", GROUP, "--replication-type", "sync")
    assert result.code != DONE
    assert world.group()["replication_type"] == "async"


@pytest.mark.promise("P7")
def test_example_1_planned_failover(protected):
    before = {server["name"]: addresses(server) for server in protected.a.cloud.servers()}
    started = protected.a.cli.run("protection-group", "failover", GROUP, *WEB_AND_DB, "--flavor-mapping", "m1.large=m2.large")
    for field in ("operation_id", "operation_type", "status", "progress", "source_site", "target_site"):
        assert field in started.output, started.output
    assert "failover" in started.output and "running" in started.output

    listed = protected.a.cli.json("operation", "list")
    operation = protected.finished(listed[0]["operation_id"])
    assert operation["operation_type"] == "failover" and str(operation["progress"]).rstrip("%") == "100"
    assert operation["started_at"] <= operation["completed_at"], "whole seconds: a quick one ends in the one it began in"
    assert operation["steps_failed"] == [] and not operation["error_message"]
    protected.clean(operation["operation_id"])
    completed = protected.operation(operation["operation_id"])["steps_completed"]
    assert [step for step in PLANNED_STEPS if step in completed] == PLANNED_STEPS

    group = protected.group(view=protected.b)
    assert group["status"] == "failed_over" and group["current_primary_site"] == "site-b"
    assert int(group["failover_count"]) == 1 and group["last_failover_at"]
    servers = protected.b.cloud.servers()
    assert {server["name"]: addresses(server) for server in servers} == before
    assert {server["status"] for server in servers} == {"ACTIVE"}
    assert set(protected.lost(protected.a, protected.b).values()) == {0}


@pytest.mark.promise("P7")
def test_example_2_unplanned_failover_site_a_is_down(protected):
    version = protected.sync_status()["local_version"]
    protected.kill_site(protected.a)
    view = protected.b
    started = view.cli.run("protection-group", "failover", GROUP, "--type", "unplanned", *WEB_AND_DB)
    text = started.output + started.error
    assert "WARNING: Primary site (site-a) is unreachable." in text
    assert f"Proceeding with unplanned failover using local metadata (version {version})." in text
    assert "Metadata sync to site-a will be retried when site-a recovers." in text
    operation = protected.finished(view.cli.json("operation", "list")[0]["operation_id"], view)
    assert [step for step in UNPLANNED_STEPS if step in operation["steps_completed"]] == UNPLANNED_STEPS
    assert not {"reprotect", "cleanup_source"} & set(operation["steps_completed"]), "they need site-a"
    group = protected.group(view=view)
    assert group["status"] == "failed_over" and group["current_primary_site"] == "site-b"
    assert protected.sync_status(view=view)["sync_status"] == "UNREACHABLE"
    assert {server["status"] for server in view.cloud.servers()} == {"ACTIVE"}

    protected.revive_site(protected.a)
    text = view.cli.run("protection-group", "sync-force", GROUP).output
    assert "Sync completed successfully: both sites are now at version" in text
    mine, theirs = (protected.sync_status(view=site)["local_version"] for site in (view, protected.a))
    assert mine == theirs > version


def test_example_3_failback_after_recovery_of_site_a(moved):
    view = moved.b
    view.cli.run("site", "validate", "site-a")
    view.cli.run("protection-group", "sync-force", GROUP)
    started = view.cli.run("protection-group", "failback", GROUP, "--reverse-replication", *WEB_AND_DB_BACK)
    assert "failback" in started.output
    moved.finished(view.cli.json("operation", "list")[0]["operation_id"], view)
    group = moved.group(view=moved.a)
    assert group["status"] == "active" and group["current_primary_site"] == "site-a"
    assert int(group["failover_count"]) == 1, "a failback does not count as a failover"
    assert moved.server_names(moved.a) == ["db-1", "web-1", "web-2"]
    assert set(moved.lost(moved.b, moved.a).values()) == {0}


def test_example_4_monitoring_a_running_operation(protected):
    protected.b.cloud_sim.add_fault(behaviour="server_build_stuck", match={"name": "db-1"})
    operation = protected.start("failover")

    def halfway():
        found = protected.operation(operation)
        return found if "storage_failover" in found["steps_completed"] else None
    found = eventually(halfway, "storage_failover is shown as completed")
    assert found["status"] == "running" and 10 <= int(str(found["progress"]).rstrip("%")) < 100
    assert found["steps_failed"] == [] and not found["error_message"]
    assert "recreate_vms" not in found["steps_completed"]
    assert protected.group(view=protected.b)["status"] == "failing_over"
    protected.b.cloud_sim.clear_faults()
    protected.finished(operation)
    later = protected.clean(operation)
    second = protected.failback(wait=True)
    listed = [entry["operation_id"] for entry in protected.a.cli.json("operation", "list")]
    assert listed[:2] == [second["operation_id"], later["operation_id"]], "most recent first"


def test_flavor_without_mapping_is_the_same_flavor_on_the_other_site(world):
    # The flavors of the two sites differ, so without a mapping the check has to say so and nothing may move.
    from protector_lab import application
    servers = application.deploy(world.a.cloud, vms=application.WEB_APP[:1])
    world.create_group(mappings=False)
    world.a.cli.run("protection-group", "set-mapping", GROUP, *mapping_arguments("site-a", "site-b", flavors=False))
    world.add_members(*servers)
    result = world.a.cli.try_run("protection-group", "check", GROUP)
    assert result.code != DONE and "m1.small" in result.output + result.error
    assert "flavor-mapping" in result.output + result.error, "the remedy names the option"


def test_resource_lifecycle_source_is_clean_after_failover(protected):
    operation = protected.failover()
    protected.clean(operation["operation_id"])
    assert protected.a.cloud.servers() == [] and protected.a.cloud.volumes() == []


def test_wait_shows_live_progress_and_ends_with_the_result(protected):
    result = protected.a.cli.run("protection-group", "failover", GROUP, "--wait")
    text = result.output + result.error
    for step in ("validate_sites", "storage_failover", "recreate_vms"):
        assert step in text, text
    assert "completed" in text
    assert protected.group(view=protected.b)["status"] == "failed_over"
