"""The Debian packages in a clean machine: a container with systemd and nothing of Protector's but what the packages bring.

Run by `./dev test packages`, which makes packages and image first.
"""

import pathlib
import subprocess
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGES = ROOT / "build" / "deb"
IMAGE, NAME = "protector-systemd:bookworm", "protector-packages-test"
SERVICES = ("site-registry", "metadata-sync", "orchestrator", "storage-pure")
WATCHDOG_S = 10

COMMON = """site: site-a
listen: 127.0.0.1:{port}
metrics: {{listen: 127.0.0.1:{metrics}}}
"""
CLOUD = "cloud: {auth_url: 'http://127.0.0.1:5000/v3', password: '${FILE:secrets/cloud}', region: site-a}\n"
OWN = {
    "site-registry": CLOUD,
    "metadata-sync": "cloud: {auth_url: 'http://127.0.10.1:5000/v3'}\npeer: {site: site-b, address: '127.0.20.1:7102'}\n",
    "orchestrator": CLOUD + "services: {site_registry: '127.0.0.1:7101', metadata_sync: '127.0.0.1:7102', storage_pure: '127.0.0.1:7104'}\n",
    "storage-pure": "array: {url: 'https://127.0.0.1:8443', api_token: '${FILE:secrets/array}', insecure: true}\n",
}


class Machine:
    def run(self, *command, check=True, stdin=None, user=None):
        """A command in the container."""
        as_user = ["-u", user] if user else []
        done = subprocess.run(["docker", "exec", *(["-i"] if stdin is not None else []), *as_user, NAME, *command], input=stdin, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(command)}: {done.returncode}\n{done.stdout[-3000:]}")
        return done

    def text(self, *command, **options):
        return self.run(*command, **options).stdout.strip()

    def write(self, path, text, owner="root:root", mode="644"):
        self.run("sh", "-c", f"mkdir -p $(dirname {path}) && cat >{path} && chown {owner} {path} && chmod {mode} {path}", stdin=text)

    def unit(self, service, field):
        return self.text("systemctl", "show", "-P", field, f"protector-{service}")

    def eventually(self, what, message, timeout=60):
        deadline = time.monotonic() + timeout
        while not what():
            assert time.monotonic() < deadline, message
            time.sleep(0.2)


@pytest.fixture(scope="module")
def machine():
    subprocess.run(["docker", "rm", "-f", NAME], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    subprocess.run(["docker", "run", "-d", "--name", NAME, "--cap-add", "SYS_ADMIN", "--security-opt", "seccomp=unconfined",
                    "--security-opt", "apparmor=unconfined", "-e", "container=docker", "--tmpfs", "/run", "--tmpfs", "/run/lock", "--tmpfs", "/tmp",
                    "-v", "/sys/fs/cgroup:/sys/fs/cgroup:rw", "-v",
                    f"{PACKAGES}:/packages:ro", IMAGE, "/lib/systemd/systemd"], stdout=subprocess.DEVNULL, check=True)
    made = Machine()
    try:
        made.eventually(lambda: made.run("systemctl", "is-system-running", check=False).stdout.strip() in ("running", "degraded"), "systemd has not started")
        yield made
    finally:
        subprocess.run(["docker", "rm", "-f", NAME], stdout=subprocess.DEVNULL, check=True)


@pytest.fixture(scope="module")
def installed(machine):
    machine.run("sh", "-c", "dpkg -i /packages/*.deb")
    return machine


@pytest.fixture(scope="module")
def configured(installed):
    """The four services of a site, configured as docs/operations.md says, and started."""
    installed.run("protector-pki", "ca", "/var/tmp/ca")
    for number, service in enumerate(SERVICES, 1):
        user = f"protector-{service}"
        installed.run("protector-pki", "issue", "/var/tmp/ca", "site-a", service, "--out", "/etc/protector/tls")
        installed.run("chgrp", user, f"/etc/protector/tls/{service}.key")
        installed.run("chmod", "640", f"/etc/protector/tls/{service}.key")
        installed.run("chmod", "644", f"/etc/protector/tls/{service}.pem", "/etc/protector/tls/ca.pem")
        installed.write(f"/etc/protector/{service}.yaml", COMMON.format(port=7100 + number, metrics=7200 + number) + OWN[service], f"root:{user}", "640")
    installed.run("groupadd", "--system", "protector-cloud")
    for user in ("protector-site-registry", "protector-orchestrator"):
        installed.run("usermod", "-aG", "protector-cloud", user)
    installed.write("/etc/protector/secrets/cloud", "secret of the cloud\n", "root:protector-cloud", "640")
    installed.write("/etc/protector/secrets/array", "secret of the array\n", "root:protector-storage-pure", "640")
    for service in SERVICES:
        installed.run("systemctl", "start", f"protector-{service}")
    return installed


def test_unconfigured_services_are_installed_and_nothing_fails(installed):
    for service in SERVICES:
        assert installed.unit(service, "ActiveState") == "inactive"
        assert installed.unit(service, "ConditionResult") == "no"
        assert installed.unit(service, "UnitFileState") == "enabled"
    assert installed.text("systemctl", "list-units", "--failed", "--no-legend", "protector-*") == ""
    assert "protector" in installed.text("protector", "--version")


def test_services_serve_as_users_of_their_own_without_any_right(configured):
    for service in SERVICES:
        assert configured.unit(service, "ActiveState") == "active", configured.text("journalctl", "-u", f"protector-{service}", "-n", "30", "--no-pager")
        assert configured.unit(service, "StatusText").startswith("listening on 127.0.0.1:")
        pid = configured.unit(service, "MainPID")
        status = dict(line.split(":\t", 1) for line in configured.text("cat", f"/proc/{pid}/status").splitlines() if ":\t" in line)
        assert status["CapEff"].strip("0") == "" and status["CapBnd"].strip("0") == "" and status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
        assert configured.text("ps", "-o", "user:32=", "-p", pid) == f"protector-{service}"
        assert configured.text("stat", "-c", "%U %a", f"/var/lib/protector/{service}") == f"protector-{service} 700"


def test_a_service_reads_nothing_of_anothers(configured):
    for path in ("/etc/protector/secrets/array", "/etc/protector/tls/storage-pure.key", "/etc/protector/storage-pure.yaml", "/var/lib/protector/storage-pure/storage-pure.db"):
        assert configured.run("cat", path, check=False, user="protector-metadata-sync").returncode != 0, path
        configured.run("head", "-c", "1", path, user="protector-storage-pure")


def test_systemd_finds_little_that_a_unit_could_still_be_denied(configured):
    for service in SERVICES:
        said = configured.text("systemd-analyze", "security", "--threshold=20", "--no-pager", f"protector-{service}", check=False)
        exposure = float(next(line for line in said.splitlines() if "Overall exposure level" in line).split(":")[1].split()[0])
        assert exposure <= 2.0, said


def test_a_service_that_is_killed_comes_back_with_its_state(configured):
    before = configured.unit("metadata-sync", "MainPID")
    configured.run("kill", "-9", before)
    configured.eventually(lambda: configured.unit("metadata-sync", "ActiveState") == "active" and configured.unit("metadata-sync", "MainPID") != before,
                          "it has not come back")


def test_a_service_that_hangs_is_started_again_by_the_watchdog(configured):
    configured.write("/etc/systemd/system/protector-storage-pure.service.d/test.conf", f"[Service]\nWatchdogSec={WATCHDOG_S}\n")
    configured.run("systemctl", "daemon-reload")
    configured.run("systemctl", "restart", "protector-storage-pure")
    pid = configured.unit("storage-pure", "MainPID")
    time.sleep(WATCHDOG_S * 1.5)  # the watchdog has been fed all this time, or it would have been started again
    assert configured.unit("storage-pure", "MainPID") == pid and configured.unit("storage-pure", "NRestarts") == "0"
    configured.run("kill", "-STOP", pid)
    configured.eventually(lambda: configured.unit("storage-pure", "MainPID") not in (pid, "0") and configured.unit("storage-pure", "ActiveState") == "active",
                          "a hanging service is still there")


def test_a_wrong_configuration_is_said_and_not_tried_for_ever(configured):
    configured.write("/etc/protector/site-registry.yaml", "site: site-a\nno-such-key: 1\n", "root:protector-site-registry", "640")
    configured.run("systemctl", "restart", "protector-site-registry", check=False)
    assert configured.unit("site-registry", "ActiveState") == "failed" and configured.unit("site-registry", "NRestarts") == "0"
    assert "no-such-key" in configured.text("journalctl", "-u", "protector-site-registry", "-n", "20", "--no-pager")


def test_the_lab_runs_from_the_packages(installed):
    """Two simulated sites, by a user without any right, and a command to each."""
    installed.run("useradd", "--create-home", "rehearser")
    lab = lambda *arguments: installed.run("env", "HOME=/home/rehearser", "protector-lab", *arguments, user="rehearser")  # noqa: E731
    lab("up", "--registered")
    try:
        listed = installed.text("sh", "-c", 'export HOME=/home/rehearser; eval "$(protector-lab env site-b)"; protector site list -f value -c name', user="rehearser")
        assert sorted(listed.splitlines()) == ["site-a", "site-b"]
    finally:
        lab("down")


def test_removal_stops_the_services_and_keeps_their_state(configured):
    removed = configured.text("sh", "-c", "dpkg -P protector-lab protector-metadata-sync")
    assert "/var/lib/protector/metadata-sync" in removed
    assert configured.run("pgrep", "-x", "metadata-sync", check=False).returncode != 0
    configured.run("test", "-s", "/var/lib/protector/metadata-sync/metadata-sync.db")
