"""A lab: two sites, each one array simulator, one cloud simulator and four services.

Start-up is gated on health: arrays, then clouds (they need their array), then services. Everything that is asked is done
by process records (process.py), so `up` after a crash of the caller goes on where it stood.
"""

import json
import os
import shutil
import sys
import time

from . import configs, health, layout, pki
from .process import Process

START_TIMEOUT = 60.0
DEFAULT_TUNING = {"cloud_latency": "realistic", "array_bandwidth_mbps": 0, "array_latency_ms": "0", "time_scale": 1,
                  "guest_interval_ms": 50, "log_level": "info", "cinder_group": ""}
FAST_TUNING = {**DEFAULT_TUNING, "cloud_latency": "zero", "guest_interval_ms": 20}


# "services" in a tuning: {service: {section: {key: value}}} of its configuration, beyond what the lab writes.


class LabError(Exception):
    pass


class Lab:
    def __init__(self, where=None, say=None):
        self.layout = where or layout.from_environment()
        self.say = say or (lambda text: print(f"==> {text}", file=sys.stderr))
        self._tuning_path = self.layout.directory / "tuning.json"

    # --- what there is

    @property
    def sites(self):
        return self.layout.sites

    def process(self, site, name):
        return Process(name, site.directory)

    def names(self):
        return ("flasharray-sim", "openstack-sim", *layout.SERVICES)

    def processes(self, site):
        return [self.process(site, name) for name in self.names()]

    def tuning(self):
        try:
            return {**DEFAULT_TUNING, **json.loads(self._tuning_path.read_text())}
        except (OSError, ValueError):
            return dict(DEFAULT_TUNING)

    def exists(self):
        return self.layout.directory.exists()

    # --- starting

    def up(self, tuning=None):
        """Starts what does not run. Tuning given here replaces what an earlier `up` left."""
        self._require_programs()
        self.layout.directory.mkdir(parents=True, exist_ok=True)
        os.chmod(self.layout.directory, 0o700)
        if tuning is not None or not self._tuning_path.exists():
            self._tuning_path.write_text(json.dumps({**self.tuning(), **(tuning or {})}))
        pki.ensure(self.layout)
        for site in self.sites:
            configs.write_all(self.layout, site, self.tuning())
        configs.write_operators(self.layout, self.openrc)
        self._start(self.sites)

    def revive(self, site):
        """Brings one site back with the state it had."""
        self._require_programs()
        self._start((site,))

    def _start(self, sites):
        for wave in (("flasharray-sim",), ("openstack-sim",), layout.SERVICES):
            for site in sites:
                for name in wave:
                    self.start_process(site, name)
            for site in sites:
                for name in wave:
                    self.wait_ready(site, name)

    def start_process(self, site, name):
        if self.process(site, name).start(self.command(site, name), self.environment(site, name)):
            self.say(f"{site.name}: started {name}")

    def command(self, site, name):
        state = site.directory / "state" / name
        program = self.layout.program(name)
        tuning = self.tuning()
        other = self.layout.other(site)
        if name == "flasharray-sim":
            # The token is the simulator's to know; its command line is visible to this user's own processes only.
            return [program, "--name", site.array, "--listen", site.address("array-rest"), "--control",
                    site.address("array-control"), "--state-dir", state, "--api-token", site.secrets["array"], "--peer",
                    f"{other.array}={other.address('array-control')}", "--seed", "1" if site.letter == "a" else "2",
                    "--bandwidth-mbps", tuning["array_bandwidth_mbps"], "--latency-ms", tuning["array_latency_ms"],
                    "--time-scale", tuning["time_scale"]]
        if name == "openstack-sim":
            command = [program, "--site", site.name, "--ip", site.ip, "--control", site.address("cloud-control"),
                       "--state-dir", state, "--array-url", site.array_url, "--array-token-file",
                       site.directory / "secrets" / "array", "--array-ca",
                       site.directory / "state" / "flasharray-sim" / "cert.pem", "--array-io", site.array_control,
                       "--latency", tuning["cloud_latency"], "--guest-interval-ms", tuning["guest_interval_ms"]]
            return command + (["--cinder-group", tuning["cinder_group"]] if tuning["cinder_group"] else [])
        return [program, "--config", site.directory / f"{name}.yaml"]

    def environment(self, site, name):
        """What this process's environment has beyond ours; for labs that do something to their processes."""
        return {}

    def ready(self, site, name):
        if name == "flasharray-sim":
            certificate = site.directory / "state" / "flasharray-sim" / "cert.pem"
            return certificate.exists() and health.http_ok(site.array_control + "/sim/health")
        if name == "openstack-sim":
            return health.http_ok(site.cloud_control + "/sim/state")
        return health.grpc_serving(site.address(name), pki.client_context(site))

    def wait_ready(self, site, name, timeout=START_TIMEOUT):
        process = self.process(site, name)
        deadline = time.monotonic() + timeout
        while not self.ready(site, name):
            if not process.pid():
                raise LabError(f"{site.name}: {name} ended while starting; the end of {process.log_path}:\n{process.log_tail()}")
            if time.monotonic() > deadline:
                raise LabError(f"{site.name}: {name} did not become healthy in {timeout:.0f} s; the end of "
                               f"{process.log_path}:\n{process.log_tail()}")
            time.sleep(0.02)
        if not process.pid():
            raise LabError(f"{site.name}: {name} answers, but it is not the lab's; is another lab using {site.ip}?")

    def _require_programs(self):
        missing = [name for name in (*self.names(), "protector") if not os.access(self.layout.program(name), os.X_OK)]
        if missing:
            raise LabError(f"not built: {', '.join(missing)} (looked in {self.layout.programs}); run ./dev build")

    # --- stopping

    def down(self):
        """Services first and gently, so that they drain; then clouds, then arrays."""
        for wave in (layout.SERVICES, ("openstack-sim",), ("flasharray-sim",)):
            running = [(site, self.process(site, name)) for site in self.sites for name in wave]
            running = [(site, process) for site, process in running if process.signal(15)]
            for site, process in running:
                if not process.wait_gone(20):
                    self.say(f"{site.name}: {process.name} did not end in 20 s and is killed")
                    process.kill()

    def kill(self, site):
        """The whole site at once, as a disaster does it."""
        processes = self.processes(site)
        for process in processes:
            process.signal(9)
        for process in processes:
            process.wait_gone(10)

    def wipe(self):
        """Forgets all state. Whatever still runs is killed first: there is nothing left to be gentle with."""
        for site in self.sites:
            self.kill(site)
        if self._tuning_path.exists() or not self.layout.directory.exists() or not any(self.layout.directory.iterdir()):
            shutil.rmtree(self.layout.directory, ignore_errors=True)
        else:
            raise LabError(f"{self.layout.directory} is not a lab's directory; not touched")

    def reset(self, tuning=None):
        kept = self.tuning()
        self.wipe()
        self.up({**kept, **(tuning or {})})

    # --- telling

    def status(self):
        """Rows (site, process, pid, state, address)."""
        rows = []
        for site in self.sites:
            for name in self.names():
                pid = self.process(site, name).pid()
                state = "down" if not pid else ("healthy" if self.ready(site, name) else "starting")
                port = {"flasharray-sim": "array-rest", "openstack-sim": "keystone"}.get(name, name)
                rows.append((site.name, name, str(pid or "-"), state, site.address(port)))
        return rows

    def openrc(self, site, user="demo"):
        project = {"demo": "demo", "admin": "admin", "protector": "service"}[user]
        return {"OS_AUTH_URL": site.auth_url, "OS_USERNAME": user, "OS_PASSWORD": site.secrets[user],
                "OS_PROJECT_NAME": project, "OS_USER_DOMAIN_NAME": "Default", "OS_PROJECT_DOMAIN_NAME": "Default",
                "OS_IDENTITY_API_VERSION": "3", "OS_REGION_NAME": site.name, "PROTECTOR_TLS_DIR": str(pki.directory(site))}

    def both_sites(self):
        """Beyond a site's openrc: credentials for the other one too, for when the sites do not reach each other."""
        return {"OS_CLIENT_CONFIG_FILE": str(self.layout.directory / "clouds.yaml"),
                "PROTECTOR_CONFIG": str(self.layout.directory / "protector.yaml")}

    def register(self, cli):
        """Both sites and the tenants, by the commands of the README."""
        for site in self.sites:
            cli.run("site", "create", site.name, "--auth-url", site.auth_url, "--region", site.name,
                    "--cinder-host", site.cinder_host, "--array-name", site.array)
        cli.run("tenant-mapping", "create", *(f"{site.name}=demo" for site in self.sites))
