"""The same lab as containers: a planned failover, then an unplanned one with every container of site-a killed.

Run by `./dev test compose`, which makes the image first.
"""

import json
import subprocess
import time

from compose_lab import GROUP, PROGRAMS
from protector_lab import application

IMAGE_BYTES = 150_000_000


def test_no_container_has_more_than_it_needs(protected):
    ids = protected.compose("ps", "-q").stdout.split()
    containers = json.loads(subprocess.run(["docker", "inspect", *ids], stdout=subprocess.PIPE, text=True, check=True).stdout)
    assert len(containers) == 2 * len(PROGRAMS) + 3
    for container in containers:
        name, host = container["Name"], container["HostConfig"]
        assert container["Config"]["User"] == "protector", name
        assert host["ReadonlyRootfs"] and host["CapDrop"] == ["ALL"] and not host["CapAdd"] and not host["Privileged"], name
        assert "no-new-privileges:true" in host["SecurityOpt"], name
    told = protected.compose("exec", "-T", "orchestrator-a", "bash", "-c", "id -u; grep CapEff /proc/self/status; touch /usr/x || true; touch /x || true")
    assert told.stdout.split()[:1] == ["10001"] and "0000000000000000" in told.stdout and told.stderr.count("Read-only file system") == 2, told
    size = int(subprocess.run(["docker", "image", "inspect", "-f", "{{.Size}}", "protector-lab:latest"], stdout=subprocess.PIPE, text=True, check=True).stdout)
    assert size <= IMAGE_BYTES, f"the image has {size / 1e6:.0f} MB"


def test_every_site_is_valid_across_the_networks(protected):
    for name in ("site-a", "site-b"):
        done = protected.protector("a", "site", "validate", name, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_planned_failover_and_failback_across_containers(protected):
    before = {name: application.addresses(server) for name, server in protected.servers.items()}
    for verb, source, target in (("failover", "a", "b"), ("failback", "b", "a")):
        more = ["--reverse-replication"] if verb == "failback" else []
        done = protected.protector(source, "protection-group", verb, GROUP, *more, *application.mapping_arguments(f"site-{source}", f"site-{target}"),
                                   "--wait", check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        servers = protected.cloud(target).servers()
        assert {server["name"]: application.addresses(server) for server in servers} == before
        assert {server["status"] for server in servers} == {"ACTIVE"}
        assert set(protected.lost(source, target).values()) == {0}
        deadline = time.monotonic() + 60
        while protected.cloud(source).servers() or protected.cloud(source).volumes():
            assert time.monotonic() < deadline, "the source is not cleaned up"
            time.sleep(0.2)
        protected.wait_protected(target)


def test_unplanned_failover_with_site_a_killed(protected):
    protected.compose("kill", *protected.containers("a"))
    done = protected.protector("b", "protection-group", "failover", GROUP, "--type", "unplanned",
                               *application.mapping_arguments("site-a", "site-b"), "--wait", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Primary site (site-a) is unreachable" in done.stdout + done.stderr
    servers = protected.cloud("b").servers()
    assert sorted((server["name"], server["status"]) for server in servers) == [(name, "ACTIVE") for name in ("db-1", "web-1", "web-2")]
    protected.compose("start", *protected.containers("a"))
    protected.wait_healthy()
    done = protected.protector("b", "protection-group", "sync-force", GROUP)
    assert "Sync completed successfully" in done.stdout
    deadline = time.monotonic() + 60
    while protected.cloud("a").servers() or protected.cloud("a").volumes():
        assert time.monotonic() < deadline, "the returning site is not cleaned up"
        time.sleep(0.2)
