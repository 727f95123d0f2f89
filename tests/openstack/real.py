"""The product's programs on two real OpenStack sites: what tests/e2e knows as a lab and a world, with real clouds in it.

An array is still the simulator, driven by Cinder's own FlashArray driver; the product's programs are the same, with the same configuration.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests" / "e2e"), str(ROOT / "tests" / "openstack")]

from openstack_lab import settings  # noqa: E402
from protector_lab import application, configs, health, http, layout, pki  # noqa: E402
from protector_lab.cloud import Cloud  # noqa: E402
from protector_lab.lab import FAST_TUNING, Lab  # noqa: E402
from world import SiteView, World, eventually  # noqa: E402

OFFSET = 1 << 20
INITIATOR = "iqn.1993-08.org.debian:01:compute-{}"  # what the compute host of a site tells Cinder (runtime/nova_virt)


def openstack(*arguments):
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests" / "openstack"), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(["/usr/bin/python3", "-m", "openstack_lab", *arguments], check=True, env=environment, stdin=subprocess.DEVNULL,
                          cwd=ROOT / "tests" / "openstack")


class RealLab(Lab):
    """The product's lab with the clouds' part done by real services."""

    def names(self):
        return ("flasharray-sim", *layout.SERVICES)

    def up(self, tuning=None):
        self.layout.directory.mkdir(parents=True, exist_ok=True)
        pki.ensure(self.layout)
        for site in self.sites:
            configs.write_all(self.layout, site, {**FAST_TUNING, **(tuning or {})})
        self._start(self.sites, "all")

    def revive(self, site):
        self._start((site,), site.name)

    def _start(self, sites, clouds):
        for names in (("flasharray-sim",), layout.SERVICES):
            for site in sites:
                for name in names:
                    self.start_process(site, name)
            for site in sites:
                for name in names:
                    self.wait_ready(site, name)
            if names[0] == "flasharray-sim":
                openstack("up", clouds)  # Cinder's driver needs its array

    def ready(self, site, name):
        if name == "flasharray-sim":
            certificate = site.directory / "state" / "flasharray-sim" / "cert.pem"
            return certificate.exists() and health.http_ok(site.array_control + "/sim/health")
        return health.grpc_serving(site.address(name), pki.client_context(site))

    def kill(self, site):
        """Services, array and the whole cloud, at once."""
        super().kill(site)
        openstack("down", site.name, "--kill")

    def wipe(self):
        for site in self.sites:
            Lab.kill(self, site)
        openstack("reset", "all")
        shutil.rmtree(self.layout.directory, ignore_errors=True)


class RealCloud(Cloud):
    """More of what a site holds than a tenant's test needs: everything that a move could leave behind."""

    def listing(self):
        return {
            "servers": sorted(server["id"] for server in self.servers(all_projects=True)),
            "volumes": sorted(volume["id"] for volume in self.volumes(all_projects=True)),
            "snapshots": sorted(s["id"] for s in self.request("volumev3", "GET", "/snapshots/detail?all_tenants=1")["snapshots"]),
            "attachments": sorted(a["id"] for a in self.request("volumev3", "GET", "/attachments?all_tenants=1")["attachments"]),
            "ports": sorted(port["id"] for port in self.ports()),
            "security groups": sorted(g["id"] for g in self.security_groups() if g["name"] != "default"),
        }


class RealSiteView(SiteView):
    cloud_class = RealCloud

    def listing(self):
        found = self.admin.listing()
        found["array volumes"] = sorted(volume["name"] for volume in self.array_sim.live_volumes())
        found["array connections"] = sorted(json.dumps(connection, sort_keys=True) for connection in self.array_sim.items("connections"))
        return found

    def serial(self, volume_id):
        name = f"volume-{volume_id}-cinder"
        return next(volume["serial"] for volume in self.array_sim.live_volumes() if volume["name"] == name)

    # As the compute host's initiator: what it may not write is refused.
    def _io(self, method, verb, volume_id, body=None, more=""):
        initiator = INITIATOR.format(self.site.letter)
        return http.call(method, f"{self.site.array_control}/sim/io/{verb}?initiator={initiator}&serial={self.serial(volume_id)}"
                                 f"&offset={OFFSET}{more}", body)[2]

    def write(self, volume_id, text):
        self._io("POST", "write", volume_id, text.encode().ljust(512, b"\0"))

    def read(self, volume_id):
        return self._io("GET", "read", volume_id, more="&length=512").rstrip(b"\0").decode()


class RealWorld(World):
    """What the tests of tests/e2e ask of their world, here on real clouds; nothing is copied and brought back."""

    def __init__(self, directory):
        self.spoken, self.leaks = [], []
        self.lab = RealLab(layout.from_environment(directory=directory, addresses=",".join(settings.IPS)), say=lambda text: None)
        self.layout = self.lab.layout
        self.figures = {}
        self.a, self.b = (RealSiteView(self, site) for site in self.layout.sites)

    def begin_afresh(self):
        self.lab.wipe()
        began = time.monotonic()
        self.lab.up()
        self.figures["both sites up from nothing, s"] = round(time.monotonic() - began, 1)
        self.lab.register(self.a.cli)

    def deploy(self):
        return application.deploy(self.a.cloud, from_image=False)

    def finished(self, operation_id, view=None, expect="completed", timeout=400):
        return super().finished(operation_id, view, expect, timeout)

    def clean(self, operation_id, view=None, timeout=300):
        return super().clean(operation_id, view, timeout)

    def wait_protected(self, name="prod-web-app", view=None, timeout=180):
        return super().wait_protected(name, view, timeout)

    def wait_new_point(self):
        """Until a recovery point that began after this call is complete on site-b."""
        began = time.time() * 1000

        def arrived():
            return [point for point in self.b.array_sim.items("protection_group_snapshots")
                    if point.get("remote") and point["created"] > began and self._complete(point)]
        self.a.array_sim.advance(600_000)  # the array's schedule: as if its next interval had come
        return eventually(arrived, "the next scheduled recovery point is on site-b", 120, 0.5)

    def _complete(self, point):
        return all(transfer["state"] == "completed" for transfer in self.b.array_sim.items("transfers")
                   if transfer["group_snapshot_id"] == point["id"])

    def note(self, name, operation, view):
        """The figures of a move: how long, how many calls, and how much of the time was ours."""
        spent = operation["time_spent_ms"]
        calls = {}
        for site in self.layout.sites:
            for service, message in (("orchestrator", "cloud call"), ("storage-pure", "request")):
                text = (site.directory / "log" / f"{service}.log").read_text()
                mine = [line for line in text.splitlines() if operation["operation_id"] in line and f'"{message}"' in line]
                calls[f"{site.name} {service} {message}s"] = len(mine)
        self.figures[name] = {"started_at": operation["started_at"], "completed_at": operation["completed_at"], "time_spent_ms": spent,
                              "own_share_percent": round(100 * spent["own"] / sum(spent.values()), 2), **calls}

    def policy_files(self, site_name):
        etc = pathlib.Path(settings.LAB) / site_name / "etc"
        return [str(path) for path in etc.rglob("policy*")]
