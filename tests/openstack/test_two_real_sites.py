"""One application's whole story on two real OpenStack sites, in order: each test goes on where the one before ended."""

import grpc
import pytest
import rpc

from protector_lab import application, http
from protector_lab.application import addresses, mapping_arguments
from protector_lab.cli import Cli
from real import RealCloud
from world import DONE, GROUP, PLANNED_STEPS, REFUSED, UNPLANNED_STEPS, eventually

BACK = mapping_arguments("site-b", "site-a")
KEPT = ("name", "key_name", "description", "config_drive")


def described(view):
    """What a server has to keep wherever it runs, by name."""
    ports = view.admin.ports()
    groups = {group["id"]: group["name"] for group in view.admin.security_groups()}
    networks = {network["id"]: network["name"] for network in view.admin.networks().values()}
    number = {name: index for names in application.NETWORKS.values() for index, name in enumerate(names)}
    found = {}
    for server in view.cloud.servers():
        own = [port for port in ports if port["device_id"] == server["id"]]
        tags = view.cloud.request("compute", "GET", f"/servers/{server['id']}/tags")["tags"]
        attached = view.cloud.request("compute", "GET", f"/servers/{server['id']}/os-volume_attachments")["volumeAttachments"]
        volumes = sorted((attachment["device"], view.cloud.volume(attachment["volumeId"])) for attachment in attached)
        found[server["name"]] = {
            **{key: server.get(key) for key in KEPT},
            "metadata": {key: value for key, value in server["metadata"].items() if not key.startswith("protector_")}, "status": server["status"], "addresses": addresses(server), "tags": sorted(tags),
            "flavor": server["flavor"]["original_name"].split(".")[1],
            "ports": sorted((number[networks[port["network_id"]]], port["mac_address"], port["fixed_ips"][0]["ip_address"],
                             tuple(sorted(groups[group] for group in port["security_groups"])), port["status"]) for port in own),
            "volumes": [(device, volume["name"], volume["size"], volume["volume_type"], volume["bootable"], volume["status"])
                        for device, volume in volumes],
        }
    return found


def same(now, before):
    assert sorted(now) == sorted(before)
    differing = {f"{name}.{key}": (before[name][key], now[name][key]) for name in now for key in now[name] if now[name][key] != before[name][key]}
    assert not differing, differing


def marks(view):
    """{(server, device): text on its volume}; read as the compute host reads it."""
    found = {}
    for server in view.cloud.servers():
        for attachment in view.cloud.request("compute", "GET", f"/servers/{server['id']}/os-volume_attachments")["volumeAttachments"]:
            found[server["name"], attachment["device"]] = view.read(attachment["volumeId"])
    return found


def write_marks(view, text):
    for server in view.cloud.servers():
        for attachment in view.cloud.request("compute", "GET", f"/servers/{server['id']}/os-volume_attachments")["volumeAttachments"]:
            view.write(attachment["volumeId"], f"{text} {server['name']} {attachment['device']}")
    return marks(view)


def in_tenants_project(view):
    project = view.cloud.project_id or (view.cloud.login(), view.cloud.project_id)[1]
    return {volume["os-vol-tenant-attr:tenant_id"] for volume in view.admin.volumes(all_projects=True)} == {project}


@pytest.fixture(scope="module")
def story(real):
    """What later tests compare with."""
    return {"world": real}


def test_the_sites_are_valid(real):
    for view in (real.a, real.b):
        probes = view.cli.json("site", "validate", view.name)
        assert probes and not [probe for probe in probes if probe["result"].lower() in ("failed", "error")], probes


def test_a_group_is_made_of_three_running_servers(real, story):
    story["empty"] = real.a.listing(), real.b.listing()
    servers = real.deploy()
    real.create_group()
    real.add_members(*servers)
    real.wait_protected()
    story["servers"] = described(real.a)
    assert sorted(story["servers"]) == ["db-1", "web-1", "web-2"]
    assert {server["status"] for server in story["servers"].values()} == {"ACTIVE"}
    story["before"] = real.a.counts(), real.b.counts()


@pytest.mark.parametrize("option, wrong, named", [
    ("--network-mapping", "net-primary-web=no-such-network", "no-such-network"),
    ("--flavor-mapping", "m1.small=no-such-flavor", "no-such-flavor"),
    ("--security-group-mapping", "sg-web=no-such-group", "no-such-group"),
    ("--network-mapping", "net-primary-web", "net-primary-web"),
    ("--key-pair-mapping", "demo-key=no-such-key", "no-such-key"),
    ("--volume-type-mapping", "replicated-async=no-such-type", "no-such-type"),
    ("--availability-zone-mapping", "nova=no-such-zone", "no-such-zone"),
])
def test_a_wrong_mapping_is_refused_and_nothing_changes(real, option, wrong, named):
    before = real.a.listing(), real.b.listing()
    refused = real.a.cli.try_run("protection-group", "failover", GROUP, option, wrong)
    assert refused.code not in (DONE,) and named in refused.output + refused.error, refused
    assert (real.a.listing(), real.b.listing()) == before
    assert real.group()["status"] == "active"


def test_missing_mappings_are_found_by_the_check(real, story):
    real.create_group("unmapped", mappings=False)
    spare = application.deploy(real.a.cloud, vms=application.WEB_APP[:1], prefix="spare-", from_image=False)
    real.add_members(*spare, group="unmapped")
    checked = real.a.cli.try_run("protection-group", "check", "unmapped")
    assert checked.code == REFUSED and "net-primary-web" in checked.output + checked.error, checked
    real.a.cli.run("protection-group", "delete", "unmapped", "--force")
    for server in spare.values():
        volumes = [volume["id"] for volume in server["os-extended-volumes:volumes_attached"]]
        real.a.cloud.delete_server(server["id"])
        eventually(lambda: server["id"] not in {s["id"] for s in real.a.cloud.servers()}, "the spare server is gone")  # noqa: B023
        for volume in volumes:
            eventually(lambda: real.a.cloud.volume(volume)["status"] == "available", "its volume is free")  # noqa: B023
            real.a.cloud.delete_volume(volume)
    eventually(lambda: (real.a.counts(), real.b.counts()) == story["before"], "nothing of it is left", 60, 0.5)


def move(real, name, verb, *arguments, view, to, steps, source_clean=True):
    expected = write_marks(real.a if to is real.b else real.b, name) if source_clean else None
    operation = getattr(real, verb)(*arguments, view=view)
    assert [step for step in steps if step in operation["steps_completed"]] == steps, operation["steps_completed"]
    real.note(name, operation, view)
    if source_clean:
        real.clean(operation["operation_id"], view)
        assert marks(to) == expected, "bytes that were acknowledged before the stop"
    return operation


def test_planned_failover(real, story):
    operation = move(real, "planned failover", "failover", view=real.a, to=real.b, steps=PLANNED_STEPS)
    same(described(real.b), story["servers"])
    assert in_tenants_project(real.b)
    left = {kind: found for kind, found in real.a.admin.listing().items() if kind not in ("security groups",)}
    assert left == {kind: story["empty"][0][kind] for kind in left}, f"left on site-a after {operation['operation_id']}"


def test_failback(real, story):
    real.wait_protected(view=real.b)
    move(real, "failback", "failback", "--reverse-replication", *BACK, view=real.b, to=real.a, steps=["storage_failover", "recreate_vms"])
    same(described(real.a), story["servers"])
    assert in_tenants_project(real.a)
    left = {kind: found for kind, found in real.b.admin.listing().items() if kind not in ("security groups",)}
    assert left == {kind: story["empty"][1][kind] for kind in left}
    real.wait_protected()
    eventually(lambda: (real.a.counts(), real.b.counts()) == story["before"], "counts are as before the round trip", 120, 1)


def test_unplanned_failover_while_the_whole_of_site_a_is_dead(real, story):
    before = write_marks(real.a, "last before the disaster")
    real.wait_new_point()
    real.kill_site(real.a)
    operation = move(real, "unplanned failover", "failover", "--type", "unplanned", view=real.b, to=real.b, steps=UNPLANNED_STEPS,
                     source_clean=False)
    assert operation["recovery_point"]
    same(described(real.b), story["servers"])
    assert marks(real.b) == before, "what was written before the named recovery point"


def test_the_returning_site_is_quarantined_and_cleaned(real, story):
    real.revive_site(real.a)
    def overtaken_are_down():
        return all(server["status"] == "SHUTOFF" for server in real.a.cloud.servers())
    eventually(overtaken_are_down, "the overtaken servers of site-a are stopped or gone", 180, 0.5)
    operation = real.b.cli.json("operation", "list")[0]["operation_id"]
    real.clean(operation, real.b)
    left = {kind: found for kind, found in real.a.admin.listing().items() if kind not in ("security groups",)}
    assert left == {kind: story["empty"][0][kind] for kind in left}
    assert real.sync_status(view=real.b)["sync_status"] == "IN SYNC"
    assert {server["status"] for server in real.b.cloud.servers()} == {"ACTIVE"}


def test_home_again_and_nothing_is_left_behind(real, story):
    real.wait_protected(view=real.b)
    move(real, "failback after the disaster", "failback", *BACK, view=real.b, to=real.a, steps=["storage_failover", "recreate_vms"])
    same(described(real.a), story["servers"])
    real.wait_protected()
    eventually(lambda: (real.a.counts(), real.b.counts()) == story["before"], "counts are as before the round trips", 120, 1)
    assert real.group()["clean"] is True


def test_default_policy_was_enough(real):
    """The clouds run on their default policies; who may open volume_manage to members has not been asked."""
    for name in ("site-a", "site-b"):
        assert real.policy_files(name) == []


def test_who_gives_a_command_is_asked_of_the_real_keystone(real):
    """A token validates itself by Keystone's default policy; without a role nothing is allowed, and revoking one is noticed."""
    admin = Cli(real.layout.program("protector"), real.lab.openrc(real.a.site, "admin"), spoken=real.spoken)
    listed = admin.json("audit", "list", "--limit", "1000")
    assert {record["user"] for record in listed if record["kind"] == "begun"} == {"demo"}
    assert all(row["intact"] for row in admin.json("audit", "verify"))
    wrong = Cli(real.layout.program("protector"), real.lab.openrc(real.a.site) | {"OS_PASSWORD": "wrong"}, spoken=real.spoken)
    refused = wrong.try_run("protection-group", "list")
    assert refused.code == 1 and "login at" in refused.error, refused
    demo = RealCloud(real.lab.openrc(real.a.site))
    token = demo.token
    what = ("protector.operation.v1.GroupService/ListGroups", "protector.operation.v1.ListGroupsRequest", "", "protector.operation.v1.ListGroupsResponse")
    assert GROUP in rpc.call(real.a.site, "orchestrator", *what, caller=(real.a.site, "cli"), token=token)
    http.call("DELETE", real.a.site.auth_url + "/auth/tokens", None, {"X-Subject-Token": token, "X-Auth-Token": token})

    def refused_now():
        try:
            rpc.call(real.a.site, "orchestrator", *what, caller=(real.a.site, "cli"), token=token)
        except grpc.RpcError as error:
            return rpc.code_of(error) == "UNAUTHENTICATED"
        return False
    eventually(refused_now, "the revoked token is refused", 60, 1)
