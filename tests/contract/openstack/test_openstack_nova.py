"""Nova: states, actions, microversions, attachments, errors."""
import pytest

import cloud


def test_versions(demo):
    versions = demo.anonymous("nova", "GET", "/").json["versions"]
    assert [(v["id"], v["status"], v["version"]) for v in versions] == [("v2.0", "SUPPORTED", ""), ("v2.1", "CURRENT", "2.93")]
    assert demo.anonymous("nova", "GET", "/v2.1/").json["version"]["min_version"] == "2.1"


def test_microversion_headers(demo):
    answer = demo.nova("GET", "/servers", version="2.60")
    assert answer.headers["X-OpenStack-Nova-API-Version"] == "2.60" and answer.headers["OpenStack-API-Version"] == "compute 2.60"
    assert "OpenStack-API-Version" in answer.headers["Vary"]
    assert answer.headers["x-compute-request-id"] == answer.headers["x-openstack-request-id"]
    assert demo.nova("GET", "/servers", version=None).headers["X-OpenStack-Nova-API-Version"] == "2.1"
    assert demo.nova("GET", "/servers", version="latest").headers["X-OpenStack-Nova-API-Version"] == "2.93"
    answer = demo.nova("GET", "/servers", version="2.94")
    assert answer.status == 406
    assert answer.json["computeFault"]["message"] == "Version 2.94 is not supported by the API. Minimum is 2.1 and maximum is 2.93."
    assert demo.nova("GET", "/servers", version="two").json["badRequest"]["code"] == 400


def test_create_and_show(demo):
    group = demo.nova("POST", "/os-server-groups", {"server_group": {"name": "g", "policy": "anti-affinity"}}).json["server_group"]
    volume = demo.boot_volume("full-boot")
    answer = demo.nova("POST", "/servers", {
        "server": {"name": "full", "flavorRef": "a-large", "key_name": "demo-key", "metadata": {"role": "web"}, "tags": ["b", "a"],
                   "description": "all of it", "config_drive": True, "security_groups": [{"name": "sg-web"}],
                   "user_data": cloud.encoded("#!"), "networks": [{"uuid": demo.network()["id"], "fixed_ip": "10.10.1.77"}],
                   "block_device_mapping_v2": [{"boot_index": 0, "uuid": volume["id"], "source_type": "volume",
                                                "destination_type": "volume", "delete_on_termination": False}]},
        "os:scheduler_hints": {"group": group["id"]}})
    assert answer.status == 202
    assert set(answer.json["server"]) == {"id", "links", "OS-DCF:diskConfig", "security_groups", "adminPass"}
    assert answer.headers["Location"].endswith("/v2.1/servers/" + answer.json["server"]["id"])
    s = demo.wait_server(answer.json["server"]["id"], "ACTIVE")
    assert s["flavor"] == {"vcpus": 4, "ram": 4096, "disk": 20, "ephemeral": 0, "swap": 0, "original_name": "m1.large", "extra_specs": {}}
    assert s["image"] == "" and s["key_name"] == "demo-key" and s["tags"] == ["a", "b"] and s["description"] == "all of it"
    assert s["config_drive"] == "True" and s["metadata"] == {"role": "web"} and s["locked"] is False and s["locked_reason"] is None
    assert s["server_groups"] == [group["id"]] and s["security_groups"] == [{"name": "sg-web"}]
    assert s["addresses"]["net-primary-web"][0]["addr"] == "10.10.1.77"
    assert s["os-extended-volumes:volumes_attached"] == [{"id": volume["id"], "delete_on_termination": False}]
    assert s["OS-EXT-STS:vm_state"] == "active" and s["OS-EXT-STS:power_state"] == 1 and s["OS-EXT-AZ:availability_zone"] == "nova"
    assert "OS-EXT-SRV-ATTR:host" not in s
    assert demo.nova("GET", f"/os-server-groups/{group['id']}").json["server_group"]["members"] == [s["id"]]
    old = demo.nova("GET", f"/servers/{s['id']}", version="2.1").json["server"]
    assert old["flavor"]["id"] == "a-large"
    assert not {"tags", "description", "locked", "locked_reason", "server_groups"} & set(old)
    assert old["os-extended-volumes:volumes_attached"] == [{"id": volume["id"]}]
    shown = demo.site.protector().nova("GET", f"/servers/{s['id']}").json["server"]
    assert shown["OS-EXT-SRV-ATTR:host"] == "compute-a" and shown["OS-EXT-SRV-ATTR:user_data"] == cloud.encoded("#!")
    attached = demo.wait_volume(volume["id"], "in-use")["attachments"]
    assert [(a["server_id"], a["device"], a["host_name"]) for a in attached] == [(s["id"], "/dev/vda", None)]


def test_stop_start_and_conflicts(demo):
    s = demo.server("cycle")
    answer = demo.action(s["id"], "os-start")
    assert answer.status == 409
    assert answer.json["conflictingRequest"]["message"] == f"Cannot 'start' instance {s['id']} while it is in vm_state active"
    assert demo.action(s["id"], "os-stop").status == 202
    assert demo.wait_server(s["id"], "SHUTOFF")["OS-EXT-STS:power_state"] == 4
    answer = demo.action(s["id"], "os-stop")
    assert answer.status == 409 and "while it is in vm_state stopped" in answer.json["conflictingRequest"]["message"]
    assert demo.action(s["id"], "os-start").status == 202
    demo.wait_server(s["id"], "ACTIVE")
    assert demo.action(s["id"], "reboot", {"type": "HARD"}).status == 202
    demo.wait_server(s["id"], "ACTIVE")
    assert demo.action(s["id"], "no-such").status == 400


def test_lock(demo):
    s = demo.server("locked")
    assert demo.action(s["id"], "lock", {"locked_reason": "failover"}).status == 202
    shown = demo.nova("GET", f"/servers/{s['id']}").json["server"]
    assert shown["locked"] is True and shown["locked_reason"] == "failover"
    answer = demo.action(s["id"], "os-stop")
    assert answer.status == 409 and answer.json["conflictingRequest"]["message"] == f"Instance {s['id']} is locked"
    assert demo.nova("DELETE", f"/servers/{s['id']}").status == 409
    assert demo.site.protector().action(s["id"], "os-stop").status == 202  # an administrator is not held by a lock
    demo.wait_server(s["id"], "SHUTOFF")
    assert demo.action(s["id"], "unlock").status == 202
    assert demo.nova("DELETE", f"/servers/{s['id']}").status == 204
    demo.wait_server(s["id"], None)


def test_ports_of_others_stay_and_ports_of_nova_go(demo):
    network = demo.network()["id"]
    mine = demo.neutron("POST", "/ports", {"port": {"network_id": network, "name": "mine"}}).json["port"]
    s = demo.server("ports", networks=[{"port": mine["id"]}, {"uuid": demo.network("net-primary-db")["id"]}])
    ports = demo.neutron("GET", f"/ports?device_id={s['id']}").json["ports"]
    assert len(ports) == 2 and {p["status"] for p in ports} == {"ACTIVE"} and {p["device_owner"] for p in ports} == {"compute:nova"}
    theirs = [p for p in ports if p["id"] != mine["id"]][0]
    assert list(s["addresses"]) and s["addresses"]["net-primary-web"][0]["addr"] == mine["fixed_ips"][0]["ip_address"]
    busy = demo.nova("POST", "/servers", {"server": {"name": "x", "flavorRef": "a-small", "networks": [{"port": mine["id"]}],
                                                     "imageRef": demo.do("glance", "GET", "/v2/images").json["images"][0]["id"]}})
    assert busy.status == 409 and busy.json["conflictingRequest"]["message"] == f"Port {mine['id']} is still in use."
    assert demo.nova("DELETE", f"/servers/{s['id']}").status == 204
    demo.wait_server(s["id"], None)
    assert demo.neutron("GET", f"/ports/{theirs['id']}").status == 404
    left = demo.neutron("GET", f"/ports/{mine['id']}").json["port"]
    assert left["status"] == "DOWN" and left["device_id"] == "" and left["device_owner"] == ""


def test_volume_attachments(demo):
    s = demo.server("disks")
    extra = demo.volume("disks-extra")
    answer = demo.nova("POST", f"/servers/{s['id']}/os-volume_attachments",
                       {"volumeAttachment": {"volumeId": extra["id"], "delete_on_termination": True}})
    assert answer.status == 200 and answer.json["volumeAttachment"]["device"] == "/dev/vdb"
    demo.wait_volume(extra["id"], "in-use")
    rows = demo.nova("GET", f"/servers/{s['id']}/os-volume_attachments").json["volumeAttachments"]
    assert [set(r) for r in rows] == [{"serverId", "volumeId", "device", "tag", "delete_on_termination", "attachment_id", "bdm_uuid"}] * 2
    assert [r["delete_on_termination"] for r in rows] == [False, True]
    old = demo.nova("GET", f"/servers/{s['id']}/os-volume_attachments", version="2.1").json["volumeAttachments"][1]
    assert old == {"id": extra["id"], "volumeId": extra["id"], "serverId": s["id"], "device": "/dev/vdb"}
    path = f"/servers/{s['id']}/os-volume_attachments/{extra['id']}"
    assert demo.nova("PUT", path, {"volumeAttachment": {"volumeId": extra["id"], "delete_on_termination": False}}).status == 202
    assert demo.nova("GET", path).json["volumeAttachment"]["delete_on_termination"] is False
    root = rows[0]["volumeId"]
    assert demo.nova("DELETE", f"/servers/{s['id']}/os-volume_attachments/{root}").status == 400
    assert demo.nova("DELETE", path).status == 202
    demo.wait_volume(extra["id"], "available")
    assert demo.nova("GET", path).status == 404
    assert demo.cinder("DELETE", f"/volumes/{root}").status == 400


def test_delete_on_termination(demo):
    volume = demo.boot_volume("dot")
    s = demo.server("dot", volume["id"], block_device_mapping_v2=[{
        "boot_index": 0, "uuid": volume["id"], "source_type": "volume", "destination_type": "volume", "delete_on_termination": True}])
    demo.nova("DELETE", f"/servers/{s['id']}")
    demo.wait_server(s["id"], None)
    demo.wait_volume(volume["id"], None)


def test_volumes_in_order_with_devices(demo):
    boot, data = demo.boot_volume("order-boot"), demo.volume("order-data")
    s = demo.server("order", boot["id"], block_device_mapping_v2=[
        {"boot_index": -1, "uuid": data["id"], "source_type": "volume", "destination_type": "volume", "device_name": "/dev/vdc"},
        {"boot_index": 0, "uuid": boot["id"], "source_type": "volume", "destination_type": "volume"}])
    rows = demo.nova("GET", f"/servers/{s['id']}/os-volume_attachments").json["volumeAttachments"]
    assert [(r["volumeId"], r["device"]) for r in rows] == [(boot["id"], "/dev/vda"), (data["id"], "/dev/vdc")]


def test_boot_from_image_to_new_volume(demo):
    image = demo.do("glance", "GET", "/v2/images").json["images"][0]["id"]
    answer = demo.nova("POST", "/servers", {"server": {
        "name": "made", "flavorRef": "a-small", "networks": "auto" if False else [{"uuid": demo.network()["id"]}],
        "block_device_mapping_v2": [{"boot_index": 0, "uuid": image, "source_type": "image", "destination_type": "volume",
                                     "volume_size": 2, "delete_on_termination": True}]}})
    s = demo.wait_server(answer.json["server"]["id"], "ACTIVE")
    volume = s["os-extended-volumes:volumes_attached"][0]["id"]
    assert demo.wait_volume(volume, "in-use")["size"] == 2


@pytest.mark.parametrize("change,status,text", [
    ({"flavorRef": "no-such"}, 400, "Flavor no-such could not be found."),
    ({"key_name": "no-such"}, 400, "Invalid key_name provided."),
    ({"security_groups": [{"name": "no-such"}]}, 400, "Security group no-such not found for project"),
    ({"networks": [{"uuid": "11111111-1111-4111-8111-111111111111"}]}, 400, "could not be found."),
    ({"networks": [{"port": "11111111-1111-4111-8111-111111111111"}]}, 400, "could not be found."),
    ({"networks": None}, 400, "networks"),
    ({"name": ""}, 400, "name"),
    ({"name": "x" * 256}, 400, "name"),
    ({"availability_zone": "mars"}, 400, "availability zone"),
    ({"metadata": {"a": 1}}, 400, "metadata"),
    ({"block_device_mapping_v2": [{"boot_index": 0, "uuid": "11111111-1111-4111-8111-111111111111", "source_type": "volume",
                                   "destination_type": "volume"}]}, 400, "failed to get volume"),
])
def test_create_is_refused(demo, change, status, text):
    volume = demo.boot_volume("refused")
    body = {"name": "refused", "flavorRef": "a-small", "networks": [{"uuid": demo.network()["id"]}],
            "block_device_mapping_v2": [{"boot_index": 0, "uuid": volume["id"], "source_type": "volume", "destination_type": "volume"}]}
    body.update(change)
    if body["networks"] is None:
        del body["networks"]
    answer = demo.nova("POST", "/servers", {"server": body})
    assert answer.status == status and text in answer.json["badRequest"]["message"]
    assert demo.cinder("GET", f"/volumes/{volume['id']}").json["volume"]["status"] == "available"  # nothing stays reserved


def test_a_volume_in_use_cannot_be_booted(demo):
    s = demo.server("holder")
    volume = s["os-extended-volumes:volumes_attached"][0]["id"]
    answer = demo.nova("POST", "/servers", {"server": {
        "name": "second", "flavorRef": "a-small", "networks": [{"uuid": demo.network()["id"]}],
        "block_device_mapping_v2": [{"boot_index": 0, "uuid": volume, "source_type": "volume", "destination_type": "volume"}]}})
    assert answer.status == 400 and "status must be 'available'. Currently in 'in-use'" in answer.json["badRequest"]["message"]


def test_lists_and_filters(demo, admin):
    names = [f"list-{i}" for i in range(3)]
    ids = [demo.server(n)["id"] for n in names]
    rows = demo.nova("GET", "/servers/detail?name=^list-").json["servers"]
    assert [r["name"] for r in rows] == names[::-1]  # newest first
    page = demo.nova("GET", "/servers?name=^list-&limit=2").json
    assert len(page["servers"]) == 2 and page["servers_links"][0]["rel"] == "next"
    page = demo.nova("GET", f"/servers?name=^list-&limit=2&marker={page['servers'][1]['id']}").json
    assert [r["id"] for r in page["servers"]] == [ids[0]] and "servers_links" not in page
    assert demo.nova("GET", "/servers?marker=nonsense").status == 400
    assert demo.nova("GET", "/servers?status=SHUTOFF&name=^list-").json["servers"] == []
    assert demo.nova("GET", "/servers?all_tenants=1").status == 403
    assert not admin.nova("GET", "/servers").json["servers"]
    assert {r["id"] for r in admin.nova("GET", "/servers?all_tenants=1&limit=1000").json["servers"]} >= set(ids)
    assert admin.nova("GET", f"/servers/{ids[0]}").status == 200
    assert demo.nova("GET", "/servers/no-such").json["itemNotFound"] == {"code": 404, "message": "Instance no-such could not be found."}


def test_tags_and_metadata(demo):
    s = demo.server("marks")["id"]
    assert demo.nova("PUT", f"/servers/{s}/tags/one").status == 201
    assert demo.nova("PUT", f"/servers/{s}/tags/one").status == 204
    assert demo.nova("GET", f"/servers/{s}/tags").json == {"tags": ["one"]}
    assert demo.nova("GET", "/servers?tags=one").json["servers"][0]["id"] == s
    assert demo.nova("DELETE", f"/servers/{s}/tags/one").status == 204
    assert demo.nova("POST", f"/servers/{s}/metadata", {"metadata": {"a": "1"}}).json == {"metadata": {"a": "1"}}
    assert demo.nova("DELETE", f"/servers/{s}/metadata/a").status == 204
    assert demo.nova("GET", f"/servers/{s}/metadata").json == {"metadata": {}}


def test_interfaces(demo):
    s = demo.server("nics")["id"]
    rows = demo.nova("GET", f"/servers/{s}/os-interface").json["interfaceAttachments"]
    assert len(rows) == 1 and set(rows[0]) == {"port_id", "net_id", "mac_addr", "port_state", "fixed_ips", "tag"}
    port = demo.neutron("POST", "/ports", {"port": {"network_id": demo.network("net-primary-db")["id"]}}).json["port"]
    assert demo.nova("POST", f"/servers/{s}/os-interface", {"interfaceAttachment": {"port_id": port["id"]}}).status == 200
    assert demo.nova("DELETE", f"/servers/{s}/os-interface/{port['id']}").status == 202
    cloud.until("the port is free", lambda: demo.neutron("GET", f"/ports/{port['id']}").json["port"]["device_id"] == "")


def test_flavors_keypairs_zones_services(demo, admin):
    rows = demo.nova("GET", "/flavors/detail").json["flavors"]
    assert [(f["id"], f["name"], f["vcpus"], f["ram"], f["disk"]) for f in rows] == [
        ("a-small", "m1.small", 1, 512, 1), ("a-medium", "m1.medium", 2, 2048, 10), ("a-large", "m1.large", 4, 4096, 20)]
    assert demo.nova("GET", "/flavors/no-such").json["itemNotFound"]["message"] == "Flavor no-such could not be found."
    assert [k["keypair"]["name"] for k in demo.nova("GET", "/os-keypairs").json["keypairs"]] == ["demo-key"]
    assert demo.nova("GET", "/os-keypairs/no-such").status == 404
    assert demo.nova("GET", "/os-availability-zone").json["availabilityZoneInfo"][0]["zoneName"] == "nova"
    assert demo.nova("GET", "/os-services").status == 403
    assert {s["binary"] for s in admin.nova("GET", "/os-services").json["services"]} == {"nova-scheduler", "nova-conductor", "nova-compute"}
    assert admin.nova("GET", "/os-hypervisors/detail").json["hypervisors"][0]["hypervisor_hostname"] == "compute-a"


def test_reset_state_is_the_administrators(demo):
    s = demo.server("reset")["id"]
    assert demo.action(s, "os-resetState", {"state": "error"}).status == 403
    assert demo.site.protector().action(s, "os-resetState", {"state": "error"}).status == 202
    assert demo.nova("GET", f"/servers/{s}").json["server"]["status"] == "ERROR"
