"""The two-site lab as containers, as the tests use it."""

import functools
import json
import os
import pathlib
import shutil
import subprocess
import time

from protector_lab import application, ledger
from protector_lab.cloud import Cloud
from protector_lab.sim import ArraySim, CloudSim

ROOT = pathlib.Path(__file__).resolve().parents[2]
GROUP = "prod-web-app"
SITE_NETWORK = {"a": 10, "b": 20}
PROGRAMS = ("array", "cloud", "registry", "metadata", "orchestrator", "storage")
ON_THE_WAN = {"array": 5, "registry": 1, "metadata": 2, "orchestrator": 3, "storage": 4}  # last digit of the address there
ENDED = ("completed", "completed_with_errors", "failed", "rolled_back", "cancelled")


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

    # --- what happens to containers and networks while an operation runs

    @functools.lru_cache(maxsize=None)  # noqa: B019 - one lab, for as long as the tests run
    def container(self, name):
        return self.compose("ps", "-q", name).stdout.strip()

    def docker(self, *arguments, check=True):
        done = subprocess.run(["docker", *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=300, check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"docker {' '.join(arguments)}: {done.returncode}\n{done.stderr[-2000:]}")
        return done

    def quickly(self, letter, *arguments):
        """A command's JSON, or None when it failed; without compose, which takes most of a second to start."""
        done = self.docker("exec", self.container("cli" if letter == "a" else "cli-b"), "protector", *arguments, "-f", "json", check=False)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def cut_the_sites_apart(self):
        for name in ON_THE_WAN:
            self.docker("network", "disconnect", "-f", "protector-test_wan", self.container(f"{name}-a"), check=False)

    def join_the_sites(self):
        for name, digit in ON_THE_WAN.items():
            self.docker("network", "connect", "--ip", f"172.31.30.1{digit}", "protector-test_wan", self.container(f"{name}-a"), check=False)

    def kill_and_restart(self, name):
        self.docker("kill", self.container(name))
        self.docker("start", self.container(name))

    # --- where the application is

    @staticmethod
    def wait(seconds):
        time.sleep(seconds)

    def eventually(self, look, what, timeout=120, interval=0.1):
        deadline = time.monotonic() + timeout
        while not (found := look()):
            assert time.monotonic() < deadline, what
            time.sleep(interval)
        return found

    def primary(self):
        """The letter of the site that the group is on."""
        return self.json("a", "protection-group", "show", GROUP)["current_primary_site"][-1]

    def at_rest_on(self, letter):
        """Every server runs here and none there, nothing is left there, both sites have the same history, replication is ready."""
        other = "b" if letter == "a" else "a"
        self.eventually(lambda: (self.quickly(letter, "protection-group", "show", GROUP) or {}).get("clean"), "the group is clean")
        self.wait_protected(letter, timeout=120)
        assert {server["status"] for server in self.cloud(letter).servers()} == {"ACTIVE"}
        assert {server["name"]: application.addresses(server) for server in self.cloud(letter).servers()} == self.addresses
        assert not self.cloud(other).servers() and not self.cloud(other).volumes()
        assert self.json(letter, "protection-group", "sync-status", GROUP)["sync_status"] == "IN SYNC"

    def bring_home(self):
        if self.primary() == "b":
            self.protector("b", "protection-group", "failback", GROUP, *application.mapping_arguments("site-b", "site-a"), "--wait", "--until-clean")
        self.at_rest_on("a")
