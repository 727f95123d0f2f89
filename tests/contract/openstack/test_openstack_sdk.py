"""openstacksdk against the simulator: every call that the product makes, and the usual listing, showing and creating."""

import pytest

openstack = pytest.importorskip("openstack", reason="python3-openstacksdk is not installed")


@pytest.fixture
def connect():
    made = []

    def run(user):
        environment = user.environment()
        connection = openstack.connection.Connection(
            region_name=environment["OS_REGION_NAME"], app_name="contract", compute_api_version="2", compute_default_microversion="2.79",
            block_storage_default_microversion="3.59",
            auth={"auth_url": environment["OS_AUTH_URL"], "username": environment["OS_USERNAME"], "password": environment["OS_PASSWORD"],
                  "project_name": environment["OS_PROJECT_NAME"], "user_domain_name": "Default", "project_domain_name": "Default"})
        made.append(connection)
        return connection
    yield run
    for connection in made:
        connection.close()


def test_identity(connect, admin):
    sdk = connect(admin)
    assert {project.name for project in sdk.identity.projects()} >= {"admin", "demo", "service"}
    assert sdk.identity.find_project("demo").is_enabled
    assert {user.name for user in sdk.identity.users()} >= {"admin", "demo", "protector"}
    assert sdk.identity.find_domain("Default").id == "default"
    assert [role.name for role in sdk.identity.roles()]
    with pytest.raises(openstack.exceptions.NotFoundException):
        sdk.identity.get_project("0123456789abcdef0123456789abcdef")


def test_what_a_site_offers(connect, demo, admin):
    sdk = connect(demo)
    assert {flavor.name for flavor in sdk.compute.flavors()} == {"m1.small", "m1.medium", "m1.large"}
    assert sdk.compute.find_keypair("demo-key").fingerprint
    assert [zone.name for zone in sdk.compute.availability_zones()] == ["nova"]
    assert {kind.name for kind in sdk.block_storage.types()} >= {"replicated-async"}
    assert [pool.name for pool in connect(admin).block_storage.backend_pools()] == ["cinder-a@pure#array-a"]
    assert {network.name for network in sdk.network.networks()} >= {"net-primary-web", "net-primary-db"}
    assert {group.name for group in sdk.network.security_groups()} >= {"sg-web", "sg-db"}
    assert [subnet.cidr for subnet in sdk.network.subnets()]
    assert sdk.image.find_image("lab-image").status == "active"


def test_volumes(connect, demo, admin):
    sdk = connect(demo)
    volume = sdk.block_storage.create_volume(name="sdk", size=1, volume_type="replicated-async", metadata={"a": "b"})
    volume = sdk.block_storage.wait_for_status(volume, "available", wait=20, interval=1)
    assert volume.metadata["a"] == "b" and volume.id in {found.id for found in sdk.block_storage.volumes()}
    sdk.block_storage.set_volume_bootable_status(volume, True)
    assert sdk.block_storage.get_volume(volume).is_bootable
    sdk.block_storage.extend_volume(volume, 2)
    sdk.block_storage.wait_for_status(volume, "available", wait=20, interval=1)
    snapshot = sdk.block_storage.create_snapshot(volume_id=volume.id, name="sdk")
    sdk.block_storage.wait_for_status(snapshot, "available", wait=20, interval=1)
    sdk.block_storage.delete_snapshot(snapshot)
    sdk.block_storage.wait_for_delete(snapshot, wait=20, interval=1)
    admin_sdk = connect(admin)
    admin_sdk.block_storage.unmanage_volume(admin_sdk.block_storage.get_volume(volume.id))
    sdk.block_storage.wait_for_delete(volume, wait=20, interval=1)


def test_ports_and_servers(connect, demo):
    sdk = connect(demo)
    network = sdk.network.find_network("net-primary-web")
    group = sdk.network.find_security_group("sg-web")
    port = sdk.network.create_port(network_id=network.id, name="sdk", security_group_ids=[group.id])
    sdk.network.set_tags(port, ["x"])
    assert sdk.network.get_port(port).tags == ["x"] and port.fixed_ips[0]["ip_address"]
    volume = sdk.block_storage.create_volume(name="root", size=1, volume_type="replicated-async",
                                             image_id=sdk.image.find_image("lab-image").id)
    sdk.block_storage.wait_for_status(volume, "available", wait=20, interval=1)
    server = sdk.compute.create_server(
        name="sdk", flavor_id=sdk.compute.find_flavor("m1.small").id, networks=[{"port": port.id}], key_name="demo-key", metadata={"m": "1"},
        block_device_mapping=[{"uuid": volume.id, "source_type": "volume", "destination_type": "volume", "boot_index": 0}])
    server = sdk.compute.wait_for_server(server, wait=20, interval=1)
    assert server.status == "ACTIVE" and server.metadata == {"m": "1"}
    assert [interface.port_id for interface in sdk.compute.server_interfaces(server)] == [port.id]
    assert [attachment.volume_id for attachment in sdk.compute.volume_attachments(server)] == [volume.id]
    sdk.compute.lock_server(server)
    sdk.compute.unlock_server(server)
    sdk.compute.stop_server(server)
    sdk.compute.wait_for_server(server, status="SHUTOFF", wait=20, interval=1)
    sdk.compute.delete_server(server)
    sdk.compute.wait_for_delete(server, wait=20, interval=1)
    sdk.network.delete_port(port)
    sdk.block_storage.wait_for_status(sdk.block_storage.get_volume(volume), "available", wait=20, interval=1)
    sdk.block_storage.delete_volume(volume)
    sdk.block_storage.wait_for_delete(volume, wait=20, interval=1)


def fine(answer):
    assert answer.status_code < 300, answer.text
    return answer.json() if answer.content else None


def test_what_the_product_asks_besides(connect, demo, admin):
    """Calls of the product that the client has no method of its own for: through its sessions, with its microversions."""
    sdk, admin_sdk = connect(demo), connect(admin)
    assert list(admin_sdk.identity.role_assignments(user_id=admin_sdk.current_user_id))
    token = fine(admin_sdk.identity.get("/auth/tokens", headers={"X-Subject-Token": sdk.auth_token}))["token"]
    assert token["project"]["id"] == sdk.current_project_id
    assert list(sdk.compute.server_groups()) == []
    assert fine(sdk.compute.get(f"/os-quota-sets/{sdk.current_project_id}/detail"))["quota_set"]["instances"]["in_use"] == 0
    assert sdk.compute.get("/flavors/a-small/os-extra_specs").status_code in (200, 404)
    assert fine(admin_sdk.block_storage.get("/os-services"))["services"]
    assert fine(admin_sdk.block_storage.get(f"/os-quota-sets/{sdk.current_project_id}?usage=True"))["quota_set"]["volumes"]["limit"]
    assert fine(admin_sdk.network.get(f"/quotas/{sdk.current_project_id}/details.json"))["quota"]["port"]["limit"] != 0
    assert list(sdk.network.ips()) == []

    volume = sdk.block_storage.create_volume(name="moves", size=1, volume_type="replicated-async")
    volume = sdk.block_storage.wait_for_status(volume, "available", wait=20, interval=1)
    sdk.block_storage.set_volume_metadata(volume, k="v")
    fine(sdk.block_storage.put(f"/volumes/{volume.id}", json={"volume": {"name": "moved"}}))
    assert sdk.block_storage.get_volume(volume).name == "moved"
    fine(admin_sdk.block_storage.post(f"/volumes/{volume.id}/action", json={"os-unmanage": {}}))
    sdk.block_storage.wait_for_delete(volume, wait=20, interval=1)
    host = "cinder-a@pure#array-a"
    listed = fine(admin_sdk.block_storage.get(f"/manageable_volumes/detail?host={host.replace('#', '%23')}"))["manageable-volumes"]
    name = f"volume-{volume.id}-cinder-unmanaged"
    assert name in {entry["reference"]["name"] for entry in listed}
    managed = fine(admin_sdk.block_storage.post("/manageable_volumes", json={"volume": {
        "host": host, "ref": {"source-name": name}, "name": "back", "volume_type": "replicated-async"}}))["volume"]
    root = admin_sdk.block_storage.wait_for_status(admin_sdk.block_storage.get_volume(managed["id"]), "available", wait=20, interval=1)
    admin_sdk.block_storage.set_volume_bootable_status(root, True)

    server = admin_sdk.compute.create_server(
        name="product", flavor_id=admin_sdk.compute.find_flavor("m1.small").id, networks="none",
        block_device_mapping=[{"uuid": root.id, "source_type": "volume", "destination_type": "volume", "boot_index": 0}])
    server = admin_sdk.compute.wait_for_server(server, wait=20, interval=1)
    fine(admin_sdk.compute.put(f"/servers/{server.id}/tags", json={"tags": ["a"]}))
    assert fine(admin_sdk.compute.get(f"/servers/{server.id}/tags"))["tags"] == ["a"]
    admin_sdk.compute.set_server_metadata(server, m="2")
    admin_sdk.compute.update_server(server, name="renamed")
    shown = admin_sdk.compute.get_server(server)
    assert shown.metadata == {"m": "2"} and shown.name == "renamed"
    admin_sdk.compute.delete_server(server)
    admin_sdk.compute.wait_for_delete(server, wait=20, interval=1)
