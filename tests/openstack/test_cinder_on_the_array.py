"""Cinder's real FlashArray driver on flasharray-sim, as a tenant and an administrator use it: the array has to answer as the driver
expects, and to hold what Cinder says it holds. Runs on whatever the story before left."""

import pytest

from protector_lab import http
from world import eventually

TYPE = "replicated-async"


@pytest.fixture(params=["a", "b"])
def site(request, real):
    view = getattr(real, request.param)
    before = view.listing()
    yield view
    after = view.listing()
    differing = {kind: (before[kind], after[kind]) for kind in before if before[kind] != after[kind]}
    assert not differing, "left behind"


def on_array(view, volume_id):
    name = f"volume-{volume_id}-cinder"
    return next((volume for volume in view.array_sim.live_volumes() if volume["name"] == name), None)


def make(view, name, size=1, **more):
    volume = view.cloud.create_volume(name, size, TYPE, **more)
    view.cloud.wait_volume(volume)
    return volume


def remove(view, *volumes):
    for volume in volumes:
        view.cloud.delete_volume(volume)
    for volume in volumes:
        eventually(lambda: gone(view, volume), f"{volume} is gone", 60, 0.2)  # noqa: B023
        assert on_array(view, volume) is None


def gone(view, volume):
    try:
        view.cloud.volume(volume)
    except http.HttpError as error:
        return error.status == 404
    return False


def action(view, volume, **body):
    return view.cloud.request("volumev3", "POST", f"/volumes/{volume}/action", body)


def test_create_extend_delete(site):
    volume = make(site, "plain")
    assert on_array(site, volume)["provisioned"] == 1 << 30
    action(site, volume, **{"os-extend": {"new_size": 3}})
    eventually(lambda: site.cloud.volume(volume)["size"] == 3 and site.cloud.volume(volume)["status"] == "available", "extended", 60, 0.2)
    assert on_array(site, volume)["provisioned"] == 3 << 30
    remove(site, volume)


def test_a_replicated_type_puts_the_volume_into_the_drivers_protection_group(site):
    volume = make(site, "replicated")
    groups = {group["name"]: group for group in site.array_sim.items("protection_groups")}
    row = on_array(site, volume)
    assert row["id"] in groups["cinder-group"]["volumes"], groups["cinder-group"]
    assert groups["cinder-group"]["targets"][0]["allowed"] is True
    assert site.cloud.volume(volume)["replication_status"] in ("enabled", None)
    remove(site, volume)


def test_snapshot_and_clone(site):
    volume = make(site, "origin")
    snapshot = site.cloud.request("volumev3", "POST", "/snapshots", {"snapshot": {"volume_id": volume, "name": "s"}})["snapshot"]["id"]

    def state():
        return site.cloud.request("volumev3", "GET", f"/snapshots/{snapshot}")["snapshot"]["status"]
    eventually(lambda: state() == "available", "the snapshot is there", 60, 0.2)
    from_snapshot = make(site, "from-snapshot", snapshot_id=snapshot)
    from_volume = make(site, "from-volume", source_volid=volume)
    assert on_array(site, from_snapshot)["provisioned"] == on_array(site, from_volume)["provisioned"] == 1 << 30
    site.cloud.request("volumev3", "DELETE", f"/snapshots/{snapshot}")

    def snapshot_gone():
        try:
            state()
        except http.HttpError as error:
            return error.status == 404
        return False
    eventually(snapshot_gone, "the snapshot is gone", 60, 0.2)
    remove(site, from_snapshot, from_volume, volume)


def test_unmanage_and_manage_by_name_keep_the_bytes_and_the_serial(site):
    volume = make(site, "travels")
    serial = site.serial(volume)
    site.admin.request("volumev3", "POST", f"/volumes/{volume}/action", {"os-unmanage": {}})
    eventually(lambda: gone(site, volume), "unmanaged", 60, 0.2)
    unmanaged = next(row for row in site.array_sim.live_volumes() if row["serial"] == serial)
    assert unmanaged["name"].endswith("-unmanaged"), unmanaged["name"]
    body = {"volume": {"host": site.site.cinder_host, "ref": {"source-name": unmanaged["name"]}, "name": "travelled", "volume_type": TYPE}}
    managed = site.admin.request("volumev3", "POST", "/manageable_volumes", body)["volume"]["id"]
    site.admin.wait_volume(managed)
    assert site.serial(managed) == serial
    site.admin.delete_volume(managed)
    eventually(lambda: on_array(site, managed) is None, "gone from the array", 60, 0.2)
    eventually(lambda: managed not in {volume["id"] for volume in site.admin.volumes(all_projects=True)}, "gone from Cinder", 60, 0.2)


def test_attach_and_detach_connect_and_disconnect_the_host_on_the_array(site):
    volume = make(site, "attached")
    body = {"attachment": {"volume_uuid": volume, "instance_uuid": "6b1a7a5e-0000-4000-8000-000000000001", "connector": {
        "initiator": "iqn.1993-08.org.debian:01:test", "host": "test-host", "ip": "127.0.0.1", "multipath": False, "os_type": "linux",
        "platform": "x86_64"}}}
    attachment = site.admin.request("volumev3", "POST", "/attachments", body)["attachment"]
    assert set(attachment["connection_info"]["target_portals"]) == {f"{site.site.ip}:3260"}, attachment
    row = on_array(site, volume)
    assert [connection for connection in site.array_sim.items("connections") if connection["volume_id"] == row["id"]]
    site.admin.request("volumev3", "DELETE", f"/attachments/{attachment['id']}")
    assert not [connection for connection in site.array_sim.items("connections") if connection["volume_id"] == row["id"]]
    eventually(lambda: site.cloud.volume(volume)["status"] == "available", "free again", 60, 0.2)
    remove(site, volume)
