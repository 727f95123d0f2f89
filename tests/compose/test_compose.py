"""The same lab as containers: a planned failover, then an unplanned one with every container of site-a killed.

Run by `./dev test compose`, which makes the image first.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from protector_lab import application, ledger  # noqa: E402
from protector_lab.cloud import Cloud  # noqa: E402
from protector_lab.sim import ArraySim, CloudSim  # noqa: E402

GROUP = "prod-web-app"
SITE_NETWORK = {"a": 10, "b": 20}
IMAGE_BYTES = 150_000_000
PROGRAMS = ("array", "cloud", "registry", "metadata", "orchestrator", "storage")


def compose_command():
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    return ["docker", "compose"]


class ComposeLab:
    def __init__(self):
        self.base = [*compose_command(), "-p", "protector-test", "-f", str(ROOT / "deploy/compose/docker-compose.yml")]

    def compose(self, *arguments, check=True, timeout=300):
        """One call of compose. It waits as long for the engine as we wait for it: by itself docker-compose 1.29 gives up after 60 s,
        and an engine on a busy disk has been seen to take longer over a kill (it answers when the process has gone, and a process
        that waits for its fsync goes when that is done)."""
        done = subprocess.run([*self.base, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=timeout, check=False, env={**os.environ, "COMPOSE_HTTP_TIMEOUT": str(timeout)})
        if check and done.returncode != 0:
            raise AssertionError(f"docker-compose {' '.join(arguments)}: {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
        return done

    def containers(self, letter):
        return [f"{name}-{letter}" for name in PROGRAMS]

    def wait_healthy(self, timeout=120):
        deadline = time.monotonic() + timeout
        while True:
            ids = self.compose("ps", "-q").stdout.split()
            states = subprocess.run(["docker", "inspect", "-f", "{{.Name}} {{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{else}}healthy{{end}}",
                                     *ids], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
            bad = [state for state in states if not state.endswith("running healthy")]
            if states and not bad:
                return
            if time.monotonic() > deadline:
                raise AssertionError(f"not healthy: {bad}\n{self.compose('logs', '--tail', '20', check=False).stdout[-6000:]}")
            time.sleep(0.5)

    def protector(self, letter, *arguments, check=True):
        return self.compose("exec", "-T", "cli" if letter == "a" else "cli-b", "protector", *arguments, check=check)

    def json(self, letter, *arguments):
        return json.loads(self.protector(letter, *arguments, "-f", "json").stdout)

    def cloud(self, letter):
        return Cloud({"OS_AUTH_URL": f"http://172.31.{SITE_NETWORK[letter]}.20:5000/v3", "OS_USERNAME": "demo",
                      "OS_PASSWORD": f"lab-demo-site-{letter}", "OS_PROJECT_NAME": "demo", "OS_USER_DOMAIN_NAME": "Default",
                      "OS_PROJECT_DOMAIN_NAME": "Default"})

    def cloud_sim(self, letter):
        return CloudSim(f"http://172.31.{SITE_NETWORK[letter]}.20:9900")

    def array_sim(self, letter):
        return ArraySim(f"http://172.31.{SITE_NETWORK[letter]}.30:9901")

    def register(self):
        for letter, wan in (("a", 10), ("b", 20)):
            self.protector("a", "site", "create", f"site-{letter}", "--auth-url", f"http://172.31.{SITE_NETWORK[letter]}.20:5000/v3",
                           "--region", f"site-{letter}", "--cinder-host", f"cinder-{letter}@pure#array-{letter}", "--array-name", f"array-{letter}",
                           "--site-registry", f"172.31.30.{wan + 1}:7101", "--metadata-sync", f"172.31.30.{wan + 2}:7102",
                           "--orchestrator", f"172.31.30.{wan + 3}:7103", "--storage-pure", f"172.31.30.{wan + 4}:7104")
        self.protector("a", "tenant-mapping", "create", "site-a=demo", "site-b=demo")

    def wait_protected(self, letter, timeout=60):
        deadline = time.monotonic() + timeout
        while True:
            done = self.protector(letter, "protection-group", "check", GROUP, check=False)
            if done.returncode == 0:
                return
            if time.monotonic() > deadline:
                raise AssertionError(done.stdout + done.stderr)
            time.sleep(0.3)

    def operation(self, letter):
        listed = self.json(letter, "operation", "list")
        return self.json(letter, "operation", "show", listed[0]["operation_id"])

    def lost(self, source, target):
        servers = {server["id"] for server in self.cloud(target).servers()}
        return ledger.lost_writes(self.cloud_sim(source).ledger(detail=1), self.cloud_sim(target).ledger(), servers)


@pytest.fixture(scope="module")
def protected():
    lab = ComposeLab()
    lab.compose("down", "-v", "-t", "2", check=False)
    lab.compose("up", "-d", "--no-build")
    try:
        lab.wait_healthy()
        lab.register()
        lab.servers = application.deploy(lab.cloud("a"))
        lab.protector("a", "protection-group", "create", GROUP, "--replication-type", "async")
        lab.protector("a", "protection-group", "set-mapping", GROUP, *application.mapping_arguments("site-a", "site-b"), "--both-directions")
        lab.protector("a", "protection-group", "add-member", GROUP, *lab.servers)
        lab.wait_protected("a")
        yield lab
    finally:
        evidence = ROOT / "build" / "compose"
        evidence.mkdir(parents=True, exist_ok=True)
        (evidence / "containers.log").write_text(lab.compose("logs", "--no-color", check=False).stdout)
        lab.compose("down", "-v", "-t", "2", check=False)


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
