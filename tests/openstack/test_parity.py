"""openstack-sim against a real site: the same requests, in the same order, have to be answered alike. Where they differ, the simulator
is wrong, unless KNOWN says why not."""

import shutil
import time

import parity
import pytest
from protector_lab import layout
from protector_lab.lab import FAST_TUNING, Lab
from protector_lab import configs
from real import ROOT

NOVA, CINDER = "2.79", "3.59"


def requests(demo, admin, site):
    """Yields (name, reply). The real and the simulated site each run through it once."""
    def wait(look, done, timeout=90):
        deadline = time.monotonic() + timeout
        while not done(reply := look()):
            assert time.monotonic() < deadline, reply.text[:500]
            time.sleep(0.1)
        return reply

    # --- keystone
    yield "token", admin.send("POST", admin.auth_url + "/auth/tokens", {"auth": admin.credentials})
    wrong = {"identity": {"methods": ["password"], "password": {"user": {"name": "demo", "password": "wrong", "domain": {"name": "Default"}}}}}
    yield "token with a wrong password", admin.send("POST", admin.auth_url + "/auth/tokens", {"auth": wrong})
    yield "version of keystone", admin.send("GET", admin.auth_url)
    yield "validate a token", admin.send("GET", admin.auth_url + "/auth/tokens", headers={"X-Auth-Token": admin.token, "X-Subject-Token": demo.token})
    yield "validate no token", admin.send("GET", admin.auth_url + "/auth/tokens", headers={"X-Auth-Token": admin.token, "X-Subject-Token": "nonsense"})
    yield "projects", admin("keystone", "GET", "/projects")
    yield "projects by name", admin("keystone", "GET", "/projects?name=demo")
    yield "a project that is not there", admin("keystone", "GET", "/projects/0123456789abcdef0123456789abcdef")
    yield "projects as a member", demo("keystone", "GET", "/projects")
    yield "domains", admin("keystone", "GET", "/domains?name=Default")
    yield "role assignments", admin("keystone", "GET", f"/role_assignments?user.id={admin.user}&include_names=true")
    for service in ("nova", "cinder", "neutron", "glance"):
        yield f"{service} without a valid token", demo(service, "GET", {"nova": "/servers", "cinder": "/volumes", "neutron": "/ports",
                                                                      "glance": "/images"}[service], token="nonsense")

    # --- what a site offers
    yield "flavors", demo("nova", "GET", "/flavors/detail", version=NOVA)
    yield "extra specs of a flavor", demo("nova", "GET", f"/flavors/{site}-small/os-extra_specs", version=NOVA)
    yield "a flavor that is not there", demo("nova", "GET", "/flavors/nope", version=NOVA)
    yield "key pairs", demo("nova", "GET", "/os-keypairs", version=NOVA)
    yield "a key pair", demo("nova", "GET", "/os-keypairs/demo-key", version=NOVA)
    yield "server groups", demo("nova", "GET", "/os-server-groups", version=NOVA)
    yield "availability zones", demo("nova", "GET", "/os-availability-zone", version=NOVA)
    yield "compute quota", demo("nova", "GET", f"/os-quota-sets/{demo.project}/detail", version=NOVA)
    yield "a microversion too new for nova", demo("nova", "GET", "/servers", version="2.9999")
    yield "a microversion too new for cinder", demo("cinder", "GET", "/volumes", version="3.9999")
    yield "volume types", admin("cinder", "GET", "/types", version=CINDER)
    yield "volume types as a member", demo("cinder", "GET", "/types", version=CINDER)
    yield "pools", admin("cinder", "GET", "/scheduler-stats/get_pools", version=CINDER)
    yield "pools as a member", demo("cinder", "GET", "/scheduler-stats/get_pools", version=CINDER)
    yield "services of cinder", admin("cinder", "GET", "/os-services", version=CINDER)
    yield "volume quota", admin("cinder", "GET", f"/os-quota-sets/{demo.project}?usage=True", version=CINDER)
    networks = demo("neutron", "GET", "/networks")
    yield "networks", networks
    yield "subnets", demo("neutron", "GET", "/subnets")
    groups = demo("neutron", "GET", "/security-groups")
    yield "security groups", groups
    yield "floating addresses", demo("neutron", "GET", "/floatingips")
    yield "network quota", admin("neutron", "GET", f"/quotas/{demo.project}/details.json")
    yield "images", demo("glance", "GET", "/images")
    yield "an image that is not there", demo("glance", "GET", "/images/00000000-0000-4000-8000-000000000000")

    # --- a volume's life
    body = {"volume": {"name": "parity", "size": 1, "volume_type": "replicated-async", "metadata": {"a": "b"}}}
    made = demo("cinder", "POST", "/volumes", body, CINDER)
    yield "create a volume", made
    volume = made.json["volume"]["id"]
    wait(lambda: demo("cinder", "GET", f"/volumes/{volume}", version=CINDER), lambda r: r.json["volume"]["status"] == "available")
    yield "show a volume", demo("cinder", "GET", f"/volumes/{volume}", version=CINDER)
    yield "show a volume as administrator", admin("cinder", "GET", f"/volumes/{volume}", version=CINDER)
    yield "show a volume at 3.0", demo("cinder", "GET", f"/volumes/{volume}", version="3.0")
    yield "volumes in detail", demo("cinder", "GET", "/volumes/detail", version=CINDER)
    yield "volumes", demo("cinder", "GET", "/volumes", version=CINDER)
    yield "change a volume", demo("cinder", "PUT", f"/volumes/{volume}", {"volume": {"name": "parity-2", "description": "d"}}, CINDER)
    yield "metadata of a volume", demo("cinder", "POST", f"/volumes/{volume}/metadata", {"metadata": {"c": "d"}}, CINDER)
    yield "mark bootable", demo("cinder", "POST", f"/volumes/{volume}/action", {"os-set_bootable": {"bootable": True}}, CINDER)
    yield "a volume that is not there", demo("cinder", "GET", "/volumes/00000000-0000-4000-8000-000000000000", version=CINDER)
    yield "unknown volume action", demo("cinder", "POST", f"/volumes/{volume}/action", {"os-nonsense": {}}, CINDER)
    yield "a volume without a size", demo("cinder", "POST", "/volumes", {"volume": {"name": "x"}}, CINDER)
    yield "a volume of an unknown type", demo("cinder", "POST", "/volumes", {"volume": {"size": 1, "volume_type": "nope"}}, CINDER)
    yield "unmanage as a member", demo("cinder", "POST", f"/volumes/{volume}/action", {"os-unmanage": {}}, CINDER)
    yield "manageable volumes as a member", demo("cinder", "GET", f"/manageable_volumes/detail?host=cinder-{site}@pure", version=CINDER)
    manage = {"volume": {"host": f"cinder-{site}@pure#array-{site}", "ref": {"source-name": "x"}, "name": "m", "volume_type": "replicated-async"}}
    yield "manage as a member", demo("cinder", "POST", "/manageable_volumes", manage, CINDER)
    yield "manage at an unknown host", admin("cinder", "POST", "/manageable_volumes", {"volume": {**manage["volume"], "host": "nope@pure#x"}}, CINDER)
    yield "manage without a reference", admin("cinder", "POST", "/manageable_volumes", {"volume": {"host": manage["volume"]["host"]}}, CINDER)
    yield "unmanage", admin("cinder", "POST", f"/volumes/{volume}/action", {"os-unmanage": {}}, CINDER)
    wait(lambda: admin("cinder", "GET", f"/volumes/{volume}", version=CINDER), lambda r: r.status == 404)
    manage["volume"]["ref"]["source-name"] = f"volume-{volume}-cinder-unmanaged"
    managed = admin("cinder", "POST", "/manageable_volumes", manage, CINDER)
    yield "manage", managed
    volume = managed.json["volume"]["id"]
    wait(lambda: admin("cinder", "GET", f"/volumes/{volume}", version=CINDER), lambda r: r.json["volume"]["status"] == "available")
    yield "show a managed volume", admin("cinder", "GET", f"/volumes/{volume}", version=CINDER)
    yield "delete a managed volume", admin("cinder", "DELETE", f"/volumes/{volume}", version=CINDER)

    # --- a port's life
    network = next(n["id"] for n in networks.json["networks"] if n["name"].endswith("-web"))
    group = next(g["id"] for g in groups.json["security_groups"] if g["name"] == "sg-web")
    made = demo("neutron", "POST", "/ports", {"port": {"network_id": network, "name": "parity", "security_groups": [group]}})
    yield "create a port", made
    port = made.json["port"]["id"]
    yield "show a port", demo("neutron", "GET", f"/ports/{port}")
    yield "show a port as administrator", admin("neutron", "GET", f"/ports/{port}")
    yield "ports by name", demo("neutron", "GET", "/ports?name=parity")
    yield "tags of a port", demo("neutron", "PUT", f"/ports/{port}/tags", {"tags": ["x"]})
    yield "change a port", demo("neutron", "PUT", f"/ports/{port}", {"port": {"name": "parity-2"}})
    address = made.json["port"]["fixed_ips"][0]
    yield "a port with a taken address", demo("neutron", "POST", "/ports", {"port": {"network_id": network, "fixed_ips": [address]}})
    yield "a port with a taken mac", demo("neutron", "POST", "/ports", {"port": {"network_id": network, "mac_address": made.json["port"]["mac_address"]}})
    yield "a port with an address outside", demo("neutron", "POST", "/ports", {"port": {"network_id": network, "fixed_ips": [{"ip_address": "192.0.2.1"}]}})
    yield "a port on no network", demo("neutron", "POST", "/ports", {"port": {"network_id": "00000000-0000-4000-8000-000000000000"}})
    yield "a port with an unknown group", demo("neutron", "POST", "/ports", {"port": {"network_id": network,
                                                                                     "security_groups": ["00000000-0000-4000-8000-000000000000"]}})
    yield "a port that is not there", demo("neutron", "GET", "/ports/00000000-0000-4000-8000-000000000000")

    # --- a server's life
    root = demo("cinder", "POST", "/volumes", {"volume": {"name": "root", "size": 1, "volume_type": "replicated-async"}}, CINDER).json["volume"]["id"]
    wait(lambda: demo("cinder", "GET", f"/volumes/{root}", version=CINDER), lambda r: r.json["volume"]["status"] == "available")
    demo("cinder", "POST", f"/volumes/{root}/action", {"os-set_bootable": {"bootable": True}}, CINDER)
    server = {"server": {"name": "parity", "flavorRef": f"{site}-small", "networks": [{"port": port}], "key_name": "demo-key",
                         "metadata": {"m": "1"}, "tags": ["t"], "block_device_mapping_v2": [
                             {"uuid": root, "source_type": "volume", "destination_type": "volume", "boot_index": 0, "delete_on_termination": False}]}}
    yield "a server on an unknown flavor", demo("nova", "POST", "/servers", {"server": {**server["server"], "flavorRef": "nope"}}, NOVA)
    yield "a server with an unknown key", demo("nova", "POST", "/servers", {"server": {**server["server"], "key_name": "nope"}}, NOVA)
    yield "a server without networks", demo("nova", "POST", "/servers", {"server": {k: v for k, v in server["server"].items() if k != "networks"}}, NOVA)
    made = demo("nova", "POST", "/servers", server, NOVA)
    yield "create a server", made
    server_id = made.json["server"]["id"]

    def shown():
        return demo("nova", "GET", f"/servers/{server_id}", version=NOVA)
    wait(shown, lambda r: r.json["server"]["status"] == "ACTIVE")
    yield "show a server", shown()
    yield "show a server as administrator", admin("nova", "GET", f"/servers/{server_id}", version=NOVA)
    yield "show a server at 2.1", demo("nova", "GET", f"/servers/{server_id}", version="2.1")
    yield "show a server at 2.93", demo("nova", "GET", f"/servers/{server_id}", version="2.93")
    yield "servers in detail", demo("nova", "GET", "/servers/detail", version=NOVA)
    yield "servers", demo("nova", "GET", "/servers?name=parity", version=NOVA)
    yield "interfaces", demo("nova", "GET", f"/servers/{server_id}/os-interface", version=NOVA)
    yield "attachments of volumes", demo("nova", "GET", f"/servers/{server_id}/os-volume_attachments", version=NOVA)
    yield "tags of a server", demo("nova", "GET", f"/servers/{server_id}/tags", version=NOVA)
    yield "set tags of a server", demo("nova", "PUT", f"/servers/{server_id}/tags", {"tags": ["a", "b"]}, NOVA)
    yield "metadata of a server", demo("nova", "POST", f"/servers/{server_id}/metadata", {"metadata": {"n": "2"}}, NOVA)
    yield "rename a server", demo("nova", "PUT", f"/servers/{server_id}", {"server": {"name": "parity-2"}}, NOVA)
    yield "start what runs", demo("nova", "POST", f"/servers/{server_id}/action", {"os-start": None}, NOVA)
    yield "unmanage an attached volume", admin("cinder", "POST", f"/volumes/{root}/action", {"os-unmanage": {}}, CINDER)
    yield "delete an attached volume", demo("cinder", "DELETE", f"/volumes/{root}", version=CINDER)
    yield "show an attached volume", demo("cinder", "GET", f"/volumes/{root}", version=CINDER)
    yield "lock", demo("nova", "POST", f"/servers/{server_id}/action", {"lock": {"locked_reason": "r"}}, NOVA)
    yield "stop", admin("nova", "POST", f"/servers/{server_id}/action", {"os-stop": None}, NOVA)
    wait(shown, lambda r: r.json["server"]["status"] == "SHUTOFF" and r.json["server"]["OS-EXT-STS:task_state"] is None)
    yield "stop what is stopped", admin("nova", "POST", f"/servers/{server_id}/action", {"os-stop": None}, NOVA)
    yield "unlock", demo("nova", "POST", f"/servers/{server_id}/action", {"unlock": None}, NOVA)
    yield "unknown action", demo("nova", "POST", f"/servers/{server_id}/action", {"os-nonsense": None}, NOVA)
    yield "a server that is not there", demo("nova", "GET", "/servers/00000000-0000-4000-8000-000000000000", version=NOVA)
    yield "delete a server", demo("nova", "DELETE", f"/servers/{server_id}", version=NOVA)
    wait(shown, lambda r: r.status == 404)
    yield "a port that its server left", demo("neutron", "GET", f"/ports/{port}")
    yield "delete a port", demo("neutron", "DELETE", f"/ports/{port}")
    wait(lambda: demo("cinder", "GET", f"/volumes/{root}", version=CINDER), lambda r: r.json["volume"]["status"] == "available")
    yield "delete a volume", demo("cinder", "DELETE", f"/volumes/{root}", version=CINDER)


# name of the request -> beginning of a difference -> why it stays
KNOWN = {
    "a microversion too new for cinder": {"error body": "the simulator speaks Cinder's 3.70 (Zed), the real one is newer"},
    "volume quota": {".quota_set." + key + "_replicated-sync": "the simulated site has one more volume type" for key in ("volumes", "snapshots", "gigabytes")},
    "role assignments": {".role_assignments": "the real admin was bootstrapped, with a role on the system as well"},
}


@pytest.fixture(scope="module")
def simulated():
    lab = Lab(layout.from_environment(directory=ROOT / "build" / "openstack" / "parity", addresses="127.0.52.1,127.0.62.1"), say=lambda text: None)
    for site in lab.sites:
        lab.kill(site)
    shutil.rmtree(lab.layout.directory, ignore_errors=True)
    lab.layout.directory.mkdir(parents=True)
    site = lab.sites[0]
    configs.write_all(lab.layout, site, FAST_TUNING)
    for name in ("flasharray-sim", "openstack-sim"):
        lab.start_process(site, name)
        lab.wait_ready(site, name)
    yield run(lab, site)
    lab.kill(site)


def run(lab, site):
    demo, admin = (parity.Client(site.auth_url, user, site.secrets[user], project) for user, project in (("demo", "demo"), ("admin", "admin")))
    return {name: parity.normal(reply) for name, reply in requests(demo, admin, site.letter)}


def test_a_simulated_site_answers_like_a_real_one(real, simulated):
    answers = run(real.lab, real.a.site)
    assert list(answers) == list(simulated)
    found = []
    for name, answer in answers.items():
        for difference in parity.compare(simulated[name], answer):
            if not any(difference.startswith(start) for start in KNOWN.get(name, {}) | KNOWN.get("*", {})):
                found.append(f"{name}: {difference}")
    (ROOT / "build" / "openstack" / "parity.txt").write_text("\n".join(found) + "\n")
    assert not found, "\n".join(found)
