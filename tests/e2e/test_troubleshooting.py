"""Every row of the reference page's troubleshooting, each with its symptom, its error and its remedy."""

import pytest

from protector_lab import application
from protector_lab.application import mapping_arguments
from world import DONE, GROUP, REFUSED, UNREACHABLE, eventually

BLOCKED = "Cannot modify protection group: remote site unreachable"


def said(result):
    return result.output + result.error


# --- Failover blocked: "Cannot modify protection group - remote site unreachable"

@pytest.mark.parametrize("command", [
    ("protection-group", "policy-set", GROUP, "--rpo-minutes", "30"),
    ("protection-group", "remove-member", GROUP, "web-1"),
    ("protection-group", "set", GROUP, "--description", "changed"),
    ("protection-group", "failover", GROUP),
], ids=lambda command: command[1])
def test_change_is_blocked_while_the_peer_is_unreachable(protected, command):
    version = protected.sync_status()["local_version"]
    protected.kill_site(protected.b)
    result = protected.a.cli.try_run(*command)
    assert result.code == UNREACHABLE, result
    assert BLOCKED in result.error or command[1] == "failover" and "unreachable" in result.error, result
    assert "site validate" in result.error or "sync-force" in result.error, f"no remedy in\n{result.error}"
    assert protected.sync_status()["local_version"] == version
    assert protected.group()["status"] == "active"


def test_blocked_planned_failover_goes_on_as_unplanned(protected):
    protected.kill_site(protected.a)
    result = protected.b.cli.try_run("protection-group", "failover", GROUP)
    assert result.code == UNREACHABLE and "--type unplanned" in result.error, result
    protected.failover("--type", "unplanned", view=protected.b)
    assert protected.sync_status(view=protected.b)["sync_status"] == "UNREACHABLE"


def test_blocked_change_is_accepted_after_the_peer_is_back(protected):
    protected.kill_site(protected.b)
    assert protected.a.cli.try_run("protection-group", "policy-set", GROUP, "--rpo-minutes", "30").code == UNREACHABLE
    protected.revive_site(protected.b)
    protected.a.cli.run("site", "validate", "site-b")
    protected.a.cli.run("protection-group", "sync-force", GROUP)
    protected.a.cli.run("protection-group", "policy-set", GROUP, "--rpo-minutes", "30")
    assert protected.sync_status()["sync_status"] == "IN SYNC"


# --- Failover fails at storage_failover

def array_request(view, method, path, body=None):
    """As the array's administrator, through the array's own API."""
    import ssl
    import urllib.request
    import json
    context = ssl.create_default_context(cafile=str(view.site.directory / "state" / "flasharray-sim" / "cert.pem"))
    context.check_hostname = False

    def call(how, where, data=None, **headers):
        request = urllib.request.Request(f"{view.site.array_url}/api/2.26{where}", method=how, headers={
            "Content-Type": "application/json", **headers}, data=None if data is None else json.dumps(data).encode())
        with urllib.request.urlopen(request, context=context, timeout=20) as answer:
            text = answer.read()
            return answer.headers, json.loads(text) if text else None
    headers, _ = call("POST", "/login", **{"api-token": view.site.secrets["array"]})
    return call(method, path, body, **{"x-auth-token": headers["x-auth-token"]})[1]


def test_pure_pg_name_that_does_not_match_the_array_is_found_and_named(protected):
    array_request(protected.a, "PATCH", f"/protection-groups?names=pg-{GROUP}", {"name": "renamed-by-somebody"})
    result = protected.a.cli.try_run("protection-group", "check", GROUP)
    assert result.code != DONE and f"pg-{GROUP}" in said(result), result
    started = protected.a.cli.try_run("protection-group", "failover", GROUP, "--wait")
    assert started.code != DONE and f"pg-{GROUP}" in said(started), started
    assert "pure_pg_name" in said(started), "the remedy names the policy's field"
    assert protected.group()["status"] == "active"
    assert {server["status"] for server in protected.a.cloud.servers()} == {"ACTIVE"}, "the servers never stopped"


def test_no_replicated_snapshot_is_said_before_anything_is_touched(world):
    world.a.array_sim.link("array-b", "cut")
    servers = application.deploy(world.a.cloud)
    world.create_group()
    result = world.a.cli.try_run("protection-group", "add-member", GROUP, *servers)
    if result.code != DONE:  # refusing to protect over a dead link is right as well, if it says so
        assert "array" in said(result), result
        return
    assert world.check().code != DONE
    world.kill_site(world.a)
    result = world.b.cli.try_run("protection-group", "failover", GROUP, "--type", "unplanned", "--wait")
    assert result.code != DONE and "snapshot" in said(result).lower() or "recovery point" in said(result).lower(), result
    assert world.b.cloud.servers() == [] and world.b.cloud.volumes() == []


def test_a_broken_replication_link_is_found_by_the_check(protected):
    protected.a.array_sim.link("array-b", "cut")
    result = protected.a.cli.try_run("protection-group", "check", GROUP)
    assert "array" in said(result) and ("replication" in said(result) or "link" in said(result)), result
    assert result.code != DONE, result


def test_degraded_pod_is_found_and_the_failover_refused(world):
    servers = application.deploy(world.a.cloud, vms=application.WEB_APP[:1], volume_type=application.TYPE_SYNC)
    world.create_group(replication_type="sync")
    world.add_members(*servers)
    world.wait_protected()
    world.a.array_sim.degrade_pod(f"pg-{GROUP}", status="offline")
    result = world.a.cli.try_run("protection-group", "check", GROUP)
    assert result.code != DONE and "pod" in said(result).lower(), result
    started = world.a.cli.try_run("protection-group", "failover", GROUP, "--wait")
    assert started.code != DONE and "pod" in said(started).lower(), started
    world.a.array_sim.degrade_pod(f"pg-{GROUP}")
    assert {server["status"] for server in world.a.cloud.servers()} == {"ACTIVE"}


# --- Failover completes but VMs fail to start on the secondary site

def test_vm_in_error_is_never_shown_as_completed(protected):
    protected.b.cloud_sim.add_fault(behaviour="server_build_error", match={"name": "web-2"})
    operation = protected.failover(expect=None)
    assert operation["status"] in ("completed_with_errors", "failed"), operation
    assert "web-2" in operation["error_message"] or "web-2" in str(operation), operation
    assert protected.group(view=protected.b)["status"] in ("failed_over_partial", "error")
    protected.b.cloud_sim.clear_faults()
    protected.b.cli.run("operation", "retry", operation["operation_id"])
    eventually(lambda: protected.group(view=protected.b)["status"] == "failed_over", "the retry mends it")
    assert sorted((server["name"], server["status"]) for server in protected.b.cloud.servers()) == [
        ("db-1", "ACTIVE"), ("web-1", "ACTIVE"), ("web-2", "ACTIVE")]


@pytest.mark.parametrize("arguments, named", [
    (["--network-mapping", "net-primary-web=no-such-network"], "no-such-network"),
    (["--flavor-mapping", "m1.large=no-such-flavor"], "no-such-flavor"),
    (["--security-group-mapping", "sg-db=no-such-group"], "no-such-group"),
], ids=["network", "flavor", "security-group"])
def test_missing_target_object_is_found_by_the_check_and_refused(protected, arguments, named):
    before = protected.a.counts(), protected.b.counts()
    checked = protected.a.cli.try_run("protection-group", "check", GROUP, *arguments)
    assert checked.code == REFUSED and named in said(checked), checked
    started = protected.a.cli.try_run("protection-group", "failover", GROUP, *arguments, "--wait")
    assert started.code != DONE and named in said(started), started
    assert protected.group()["status"] == "active"
    assert {server["status"] for server in protected.a.cloud.servers()} == {"ACTIVE"}
    assert (protected.a.counts(), protected.b.counts()) == before


def test_a_mapping_that_no_member_uses_is_told(protected):
    misspelled = ("--network-mapping", "net-primary-wbe=net-secondary-web")
    checked = protected.a.cli.run("protection-group", "check", GROUP, *misspelled)
    assert "net-primary-wbe" in checked.output, checked
    operation = protected.failover(*misspelled)
    assert any("net-primary-wbe" in warning for warning in operation["warnings"]), operation["warnings"]
    assert operation["status"] == "completed", operation


def test_security_group_missing_on_the_target_is_found_without_any_mapping(protected):
    groups = {group["name"]: group["id"] for group in protected.b.cloud.security_groups()}
    protected.b.cloud.request("network", "DELETE", protected.b.cloud.v2(f"/security-groups/{groups['sg-db']}"))
    checked = protected.a.cli.try_run("protection-group", "check", GROUP)
    assert checked.code == REFUSED and "sg-db" in said(checked), checked
    started = protected.a.cli.try_run("protection-group", "failover", GROUP, "--wait")
    assert started.code != DONE and "sg-db" in said(started), started


def test_network_without_mapping_is_found_by_the_check(world):
    servers = application.deploy(world.a.cloud, vms=application.WEB_APP[2:])
    world.create_group(mappings=False)
    world.add_members(*servers)
    checked = world.a.cli.try_run("protection-group", "check", GROUP)
    assert checked.code == REFUSED and "net-primary-web" in said(checked) and "net-primary-db" in said(checked), checked


def test_quota_that_does_not_suffice_is_found_by_the_check(protected):
    protected.b.cloud_sim.quota(project="demo", nova={"instances": 2})
    checked = protected.a.cli.try_run("protection-group", "check", GROUP)
    assert checked.code == REFUSED and "instances" in said(checked), checked


# --- Failback fails with "Protection Group is not in failed_over status"

def test_failback_of_a_group_that_is_not_failed_over_is_refused(protected):
    result = protected.a.cli.try_run("protection-group", "failback", GROUP,
                                     *mapping_arguments("site-b", "site-a", flavors=False))
    assert result.code == REFUSED, result
    assert "Protection Group is not in failed_over status" in result.error
    assert "protection-group show" in result.error or "operation list" in result.error, "no remedy"
    assert protected.group()["status"] == "active"


def test_second_operation_while_one_runs_is_refused_with_the_first_ones_id(protected):
    protected.b.cloud_sim.add_fault(behaviour="server_build_stuck", match={"name": "db-1"})
    first = protected.start("failover")
    again = protected.a.cli.try_run("protection-group", "failover", GROUP)
    assert again.code == REFUSED and first in again.error, "refused from the moment the first one is accepted"
    # A failback is run by the other site, which knows of the operation when the metadata do.
    eventually(lambda: protected.group()["status"] == "failing_over", "site-a knows of the operation")
    for verb in ("failover", "failback"):
        result = protected.a.cli.try_run("protection-group", verb, GROUP)
        assert result.code == REFUSED and first in result.error, result
    blocked = protected.a.cli.try_run("protection-group", "policy-set", GROUP, "--rpo-minutes", "30")
    assert blocked.code != DONE and first in blocked.error, blocked
    protected.b.cloud_sim.clear_faults()
    protected.finished(first)


# --- Orphaned volumes or VMs remain on the source site after failover

def failing_cleanup(protected, **fault):
    protected.a.cloud_sim.add_fault(**fault)
    operation = protected.failover(expect=None)

    def told():
        found = protected.operation(operation["operation_id"])
        return found if "cleanup_source" in str(found["steps_failed"]) or "cleanup_source" in found["error_message"] else None
    found = eventually(told, "the failed cleanup is on the operation")
    assert protected.group(view=protected.b)["current_primary_site"] == "site-b"
    assert {server["status"] for server in protected.b.cloud.servers()} == {"ACTIVE"}, "serving does not depend on cleanup"
    assert protected.a.cloud.volumes() or protected.a.cloud.servers(), "there is something to clean up"
    protected.a.cloud_sim.clear_faults()
    protected.b.cli.run("operation", "retry", operation["operation_id"])
    eventually(lambda: not protected.a.cloud.servers() and not protected.a.cloud.volumes(), "the retry cleans up")
    protected.clean(operation["operation_id"])
    return found


def test_cleanup_denied_by_policy_is_shown_and_retried(protected):
    found = failing_cleanup(protected, service="cinder", method="POST", path="/v3/*/volumes/*/action", body="os-unmanage",
                            action="error", status=403)
    assert "volume_unmanage" in str(found) or "policy" in str(found).lower(), f"no remedy in {found}"


def test_cleanup_that_fails_in_nova_is_shown_and_retried(protected):
    failing_cleanup(protected, behaviour="server_delete_error", match={"name": "web-1"})


def test_cleanup_that_fails_in_cinder_is_shown_and_retried(protected):
    failing_cleanup(protected, behaviour="unmanage_error", match={})


# --- Metadata version mismatch after recovering a failed site

def test_version_mismatch_after_recovery_is_mended_by_sync_force_from_the_active_site(protected):
    protected.kill_site(protected.a)
    protected.failover("--type", "unplanned", view=protected.b)
    version = protected.sync_status(view=protected.b)["local_version"]
    protected.revive_site(protected.a)
    protected.b.cli.run("protection-group", "sync-force", GROUP)
    for view in (protected.a, protected.b):
        status = protected.sync_status(view=view)
        assert status["sync_status"] == "IN SYNC" and status["local_version"] >= version, status


def test_sync_force_from_the_wrong_side_is_refused(protected):
    # site-a returns with its metadata-sync unable to hear from site-b, and somebody forces from there.
    protected.kill_site(protected.a)
    protected.failover("--type", "unplanned", view=protected.b)
    protected.kill_process(protected.b, "metadata-sync")
    protected.revive_site(protected.a)
    first = protected.a.cli.start("protection-group", "sync-force", GROUP)
    protected.start_process(protected.b, "metadata-sync")
    first.communicate(timeout=60)
    before = protected.group(view=protected.b)
    assert before["current_primary_site"] == "site-b", "the wrong side did not win"
    result = protected.a.cli.try_run("protection-group", "sync-force", GROUP)
    if result.code != DONE:  # still behind: refused, and says from where it has to be done
        assert result.code == REFUSED and "site-b" in said(result), result
    after = protected.group(view=protected.b)
    assert after["current_primary_site"] == "site-b" and after["status"] == before["status"]
    eventually(lambda: protected.group(view=protected.a)["current_primary_site"] == "site-b", "site-a has learnt of it")


def test_automatic_retry_brings_a_returning_site_up_to_date_without_sync_force(protected):
    protected.kill_site(protected.a)
    protected.failover("--type", "unplanned", view=protected.b)
    protected.revive_site(protected.a)
    eventually(lambda: protected.sync_status(view=protected.b)["sync_status"] == "IN SYNC", "retried on its own", 60)
    assert protected.group(view=protected.a)["current_primary_site"] == "site-b"
