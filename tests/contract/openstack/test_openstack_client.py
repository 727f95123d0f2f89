"""The real command line of OpenStack against the simulator."""
import json
import subprocess

import pytest

import cloud

pytestmark = pytest.mark.skipif(not cloud.openstack_client(), reason="python3-openstackclient is not installed")


@pytest.fixture
def openstack(demo):
    def run(*args, user=demo, ok=True):
        done = subprocess.run(["/usr/bin/openstack", *args], env=user.environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert (done.returncode == 0) == ok, f"openstack {' '.join(args)}: {done.stdout}{done.stderr}"
        if not ok:
            return done.stderr
        return json.loads(done.stdout) if "json" in args else done.stdout
    return run


def test_a_server_from_birth_to_end(openstack, demo):
    volume = openstack("volume", "create", "--size", "1", "--image", "lab-image", "--type", "replicated-async", "cli-boot", "-f", "json")
    demo.wait_volume(volume["id"], "available")
    assert openstack("volume", "show", "cli-boot", "-f", "json")["type"] == "replicated-async"
    server = openstack("server", "create", "--flavor", "m1.small", "--volume", "cli-boot", "--network", "net-primary-web", "--network", "net-primary-db",
                       "--security-group", "sg-web", "--key-name", "demo-key", "--property", "role=web", "--wait", "cli", "-f", "json")
    assert server["status"] == "ACTIVE" and sorted(server["addresses"]) == ["net-primary-db", "net-primary-web"]
    shown = openstack("server", "show", "cli", "-f", "json")
    assert shown["properties"] == {"role": "web"} and [v["id"] for v in shown["volumes_attached"]] == [volume["id"]]
    openstack("server", "stop", "cli")
    demo.wait_server(server["id"], "SHUTOFF")
    openstack("server", "start", "cli")
    demo.wait_server(server["id"], "ACTIVE")
    openstack("server", "lock", "cli")
    assert "is locked (HTTP 409)" in openstack("server", "delete", "cli", ok=False)
    openstack("server", "unlock", "cli")
    assert len(openstack("port", "list", "--server", "cli", "-f", "json")) == 2
    openstack("server", "delete", "--wait", "cli")
    assert openstack("server", "list", "-f", "json") == []
    openstack("volume", "delete", "cli-boot")
    demo.wait_volume(volume["id"], None)


LISTS = """token issue; catalog list; flavor list; network list; subnet list; port list; security group list; image list; keypair list;
server group list; volume list; volume type list; quota show; availability zone list; volume snapshot list; router list; floating ip list;
limits show --absolute; extension list --network; application credential list; network show net-primary-web; subnet show subnet-primary-web;
security group show sg-web; flavor show m1.large; image show lab-image; keypair show demo-key; volume type show replicated-async; project show demo"""
ADMIN_LISTS = """project list; user list; role list; role assignment list --names; service list; endpoint list; domain list; compute service list;
volume service list; hypervisor list; server list --all-projects; volume list --all-projects"""

# The client takes a second to start, so one process runs many commands; each is a whole run of its shell.
DRIVER = """
import contextlib, io, json, sys
from openstackclient import shell
for command in json.load(sys.stdin):
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        try:
            code = shell.main(command.split() + ["-f", "json"])
        except SystemExit as e:
            code = e.code
    print(json.dumps([command, code, out.getvalue()]), flush=True)
"""


@pytest.mark.parametrize("who,commands", [("demo", LISTS), ("admin", ADMIN_LISTS)])
def test_lists_and_shows(request, who, commands):
    user = request.getfixturevalue(who)
    commands = [" ".join(c.split()) for c in commands.split(";")]
    done = subprocess.run(["/usr/bin/python3", "-c", DRIVER], input=json.dumps(commands), env=user.environment(), text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [r[0] for r in rows] == commands, done.stderr
    for command, code, out in rows:
        assert code == 0, f"openstack {command}: {out}"
        json.loads(out)


def test_port_with_address_and_mac(openstack, demo):
    port = openstack("port", "create", "--network", "net-primary-db", "--fixed-ip", "ip-address=10.10.2.99", "--mac-address", "fa:16:3e:99:99:99",
                     "--security-group", "sg-db", "--tag", "dr", "cli-port", "-f", "json")
    assert port["fixed_ips"][0]["ip_address"] == "10.10.2.99" and port["mac_address"] == "fa:16:3e:99:99:99" and port["tags"] == ["dr"]
    assert "already allocated in subnet" in openstack("port", "create", "--network", "net-primary-db", "--fixed-ip", "ip-address=10.10.2.99", "x", ok=False)
    openstack("port", "delete", "cli-port")
