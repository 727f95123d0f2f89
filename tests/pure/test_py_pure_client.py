import pytest
from conftest import SEEN, connect, items, one, until
from fasim import Array
from pypureclient import exceptions
from pypureclient.flasharray import (HostPatch, HostPost, PodPost, ProtectionGroup, ProtectionGroupSnapshot, Reference, ReplicationSchedule,
                                     VolumeGroupPost, VolumePatch, VolumePost, VolumeSnapshotPatch, VolumeSnapshotPost)

GIB = 1 << 30


def volume(client, name, size=GIB):
    return one(client.post_volumes(names=[name], volume=VolumePost(provisioned=size)))


def test_login_and_version_are_negotiated(array, client):
    assert client.get_rest_version() == "2.26"
    assert one(client.get_arrays()).name == "array-a"
    with pytest.raises(exceptions.PureError):
        connect(array, token="not-a-token").get_arrays()


@pytest.mark.parametrize("offered, chosen", [("2.0..2.4", "2.4"), ("2.0..2.15", "2.15"), ("2.2..2.26", "2.26")])
def test_the_newest_common_version_is_used(tmp_path, offered, chosen):
    simulator = Array("array-v", "127.0.94.200", tmp_path / "state", extra=["--versions", offered])
    simulator.start()
    try:
        client = connect(simulator)
        assert client.get_rest_version() == chosen
        volume(client, "v")
        assert [found.name for found in items(client.get_volumes())] == ["v"]
    finally:
        simulator.stop()


def test_pages_are_followed_to_the_end(client):
    for number in range(12):
        volume(client, f"page-{number:02}")
    names = {f"page-{number:02}" for number in range(12)}
    pages, token = [], None
    while True:
        answer = client.get_volumes(limit=5, **({"continuation_token": token} if token else {}))
        pages.append([found.name for found in answer.items])
        token = answer.continuation_token
        if not answer.more_items_remaining:
            break
        assert token, "more remains, but no token says how to get it"
    assert [len(page) for page in pages] == [5, 5, 2] and {name for page in pages for name in page} == names
    # With a sort there is no token; the offset leads on.
    answer = client.get_volumes(limit=5, sort=["name"])
    assert answer.more_items_remaining and answer.continuation_token is None
    assert [found.name for found in client.get_volumes(limit=5, offset=10, sort=["name"]).items] == ["page-10", "page-11"]
    before = len(SEEN)
    assert {found.name for found in items(client.get_volumes())} == names and len(SEEN) > before


def test_filters_sorting_and_totals(client):
    for name, size in (("small", 1), ("large", 9), ("middle", 5), ("other", 5)):
        volume(client, name, size * GIB)
    assert [v.name for v in items(client.get_volumes(sort=["provisioned-", "name"]))] == ["large", "middle", "other", "small"]
    assert [v.name for v in items(client.get_volumes(filter="provisioned>4294967296 and not(name='other')", sort=["name"]))] == ["large", "middle"]
    assert [v.name for v in items(client.get_volumes(filter="name='*ll'"))] == ["small"]
    answer = client.get_volumes(filter="provisioned=5368709120", total_item_count=True)
    assert answer.total_item_count == 2
    assert client.get_volumes(total_only=True).total[0].provisioned == 20 * GIB


def test_an_expired_session_is_renewed(array, client):
    volume(client, "v")
    array.fault("error", {"method": "GET", "path": "/volumes", "nth": 1}, status=401, message="Invalid session.")
    assert [found.name for found in items(client.get_volumes())] == ["v"]


def test_errors_carry_message_and_context(client):
    answer = client.get_volumes(names=["no-such-volume"])
    assert answer.status_code == 400
    assert [(error.message, error.context) for error in answer.errors] == [("Volume does not exist.", "no-such-volume")]
    volume(client, "there")
    answer = client.post_volumes(names=["there"], volume=VolumePost(provisioned=GIB))
    assert answer.status_code == 400 and "already exists" in answer.errors[0].message and answer.errors[0].context == "there"


def test_life_of_a_volume(client):
    made = volume(client, "v")
    assert len(made.serial) == 24 and made.provisioned == GIB and made.destroyed is False
    assert one(client.patch_volumes(names=["v"], volume=VolumePatch(provisioned=2 * GIB))).provisioned == 2 * GIB
    assert one(client.patch_volumes(names=["v"], volume=VolumePatch(name="w"))).serial == made.serial
    snapshot = one(client.post_volume_snapshots(source_names=["w"], volume_snapshot=VolumeSnapshotPost(suffix="s1")))
    assert snapshot.name == "w.s1" and snapshot.source.name == "w"
    clone = one(client.post_volumes(names=["c"], volume=VolumePost(source=Reference(name="w.s1"))))
    assert clone.source.name in ("w", "w.s1") and clone.serial != made.serial
    one(client.patch_volume_snapshots(names=["w.s1"], volume_snapshot=VolumeSnapshotPatch(destroyed=True)))
    assert one(client.patch_volumes(names=["c"], volume=VolumePatch(destroyed=True))).time_remaining > 0
    assert one(client.patch_volumes(names=["c"], volume=VolumePatch(destroyed=False))).destroyed is False
    one(client.patch_volumes(names=["c"], volume=VolumePatch(destroyed=True)))
    assert client.delete_volumes(names=["c"]).status_code == 200
    assert [found.name for found in items(client.get_volumes())] == ["w"]


def test_hosts_and_connections(client):
    volume(client, "v")
    one(client.post_hosts(names=["h"], host=HostPost(iqns=["iqn.2004-01.test:h"])))
    one(client.patch_hosts(names=["h"], host=HostPatch(add_iqns=["iqn.2004-01.test:h2"])))
    connection = one(client.post_connections(host_names=["h"], volume_names=["v"]))
    assert connection.lun >= 1 and connection.volume.name == "v" and connection.host.name == "h"
    assert one(client.get_connections(volume_names=["v"])).host.name == "h"
    assert one(client.get_volumes(names=["v"])).connection_count == 1
    assert client.patch_volumes(names=["v"], volume=VolumePatch(destroyed=True)).status_code == 400
    assert client.delete_connections(host_names=["h"], volume_names=["v"]).status_code == 200
    assert client.delete_hosts(names=["h"]).status_code == 200


def test_a_protection_group_replicates_between_two_arrays(pair):
    a, b = (connect(array) for array in pair)
    until(lambda: [c for c in items(a.get_array_connections()) if c.status == "connected"], what="connection")
    volume(a, "v")
    one(a.post_protection_groups(names=["pg"]))
    one(a.post_protection_groups_volumes(group_names=["pg"], member_names=["v"]))
    one(a.post_protection_groups_targets(group_names=["pg"], member_names=["array-b"]))
    until(lambda: items(b.get_protection_groups(filter="name='array-a:pg'")), what="the face on the target")
    from pypureclient.flasharray import TargetProtectionGroupPostPatch
    b.patch_protection_groups_targets(group_names=["array-a:pg"], target=TargetProtectionGroupPostPatch(allowed=True))
    until(lambda: one(a.get_protection_groups_targets(group_names=["pg"])).allowed, what="the source knows")
    one(a.patch_protection_groups(names=["pg"], protection_group=ProtectionGroup(replication_schedule=ReplicationSchedule(enabled=True, frequency=600000))))
    made = one(a.post_protection_group_snapshots(source_names=["pg"], replicate_now=True,
                                                 protection_group_snapshot=ProtectionGroupSnapshot(suffix="s")))
    assert made.name == "pg.s"

    def arrived():
        found = items(b.get_protection_group_snapshots_transfer(names=["array-a:pg.s"])) if items(
            b.get_protection_group_snapshots(filter="name='array-a:pg.s'")) else []
        return found and found[0].progress == 1.0 and found[0].completed
    until(arrived, what="the transfer")
    assert one(b.get_volume_snapshots(filter="name='array-a:pg.s.*'")).name == "array-a:pg.s.v"
    clone = one(b.post_volumes(names=["clone"], volume=VolumePost(source=Reference(name="array-a:pg.s.v"))))
    assert clone.provisioned == GIB


def test_pods(pair):
    a, b = (connect(array) for array in pair)
    until(lambda: [c for c in items(a.get_array_connections()) if c.status == "connected"], what="connection")
    assert one(a.post_pods(names=["pod"], pod=PodPost())).promotion_status == "promoted"
    assert volume(a, "pod::v").pod.name == "pod"
    assert items(a.get_pods_arrays(group_names=["pod"]))[0].member.name == "array-a"
    assert items(b.get_pods()) == []


READS = """get_admins get_admins_api_tokens get_alerts get_array_connections get_array_connections_connection_key get_array_connections_path
get_arrays get_arrays_performance get_arrays_space get_connections get_controllers get_hardware get_host_groups
get_hosts get_hosts_performance get_network_interfaces get_offloads get_pod_replica_links get_pod_replica_links_lag
get_pod_replica_links_performance_replication get_pods get_pods_arrays get_pods_performance get_pods_performance_replication
get_pods_space get_ports get_ports_initiators get_protection_group_snapshots get_protection_group_snapshots_transfer
get_protection_groups get_protection_groups_performance_replication get_protection_groups_space get_protection_groups_targets
get_remote_pods get_remote_protection_group_snapshots get_remote_protection_group_snapshots_transfer get_remote_protection_groups
get_remote_volume_snapshots get_remote_volume_snapshots_transfer get_sessions get_volume_groups get_volume_groups_volumes
get_volume_snapshots get_volume_snapshots_tags get_volume_snapshots_transfer get_volumes get_volumes_performance get_volumes_space
get_volumes_tags get_volumes_volume_groups get_container_default_protections get_protection_groups_volumes get_protection_groups_hosts
get_protection_groups_host_groups""".split()


@pytest.mark.parametrize("method", READS)
def test_every_read_that_is_served_answers_the_vendors_client(furnished, method):
    items(getattr(furnished, method)())


@pytest.fixture(scope="module")
def furnished(tmp_path_factory):
    """An array that has one of everything."""
    from fasim import start_pair
    a, b = start_pair(tmp_path_factory.mktemp("furnished"))
    client = connect(a)
    until(lambda: [c for c in items(client.get_array_connections()) if c.status == "connected"], what="connection")
    volume(client, "v")
    one(client.post_hosts(names=["h"], host=HostPost(iqns=["iqn.2004-01.test:h"])))
    one(client.post_host_groups(names=["hg"]))
    one(client.post_connections(host_names=["h"], volume_names=["v"]))
    one(client.post_protection_groups(names=["pg"]))
    one(client.post_protection_groups_volumes(group_names=["pg"], member_names=["v"]))
    one(client.post_protection_groups_targets(group_names=["pg"], member_names=["array-b"]))
    one(client.post_protection_group_snapshots(source_names=["pg"]))
    one(client.post_volume_snapshots(source_names=["v"], volume_snapshot=VolumeSnapshotPost(suffix="s")))
    one(client.post_pods(names=["pod"], pod=PodPost()))
    one(client.post_volume_groups(names=["vg"], volume_group=VolumeGroupPost()))
    yield client
    a.stop()
    b.stop()
