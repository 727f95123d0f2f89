"""Where everything of a lab is: addresses, ports, directories, names, and the secrets that the simulators are seeded with.

A lab is a directory of state and two loopback addresses. Both come from the environment, so that several labs live side by
side: PROTECTOR_LAB_DIR, PROTECTOR_LAB_IPS ("A,B"), PROTECTOR_BIN (directory of the programs).
"""

import dataclasses
import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
SITES = ("site-a", "site-b")
SERVICES = ("site-registry", "metadata-sync", "storage-pure", "orchestrator")
PORTS = {"keystone": 5000, "nova": 8774, "cinder": 8776, "neutron": 9696, "glance": 9292, "placement": 8778,
         "cloud-control": 9900, "array-rest": 8443, "array-control": 9901,
         "site-registry": 7101, "metadata-sync": 7102, "orchestrator": 7103, "storage-pure": 7104}
METRICS_OFFSET = 100


@dataclasses.dataclass(frozen=True)
class Site:
    name: str
    ip: str
    directory: pathlib.Path

    @property
    def letter(self):
        return self.name[-1]

    @property
    def array(self):
        return f"array-{self.letter}"

    @property
    def cinder_host(self):
        return f"cinder-{self.letter}@pure#{self.array}"

    @property
    def auth_url(self):
        return f"http://{self.ip}:{PORTS['keystone']}/v3"

    @property
    def cloud_control(self):
        return f"http://{self.ip}:{PORTS['cloud-control']}"

    @property
    def array_control(self):
        return f"http://{self.ip}:{PORTS['array-control']}"

    @property
    def array_url(self):
        return f"https://{self.ip}:{PORTS['array-rest']}"

    def address(self, service):
        return f"{self.ip}:{PORTS[service]}"

    def metrics_address(self, service):
        return f"{self.ip}:{PORTS[service] + METRICS_OFFSET}"

    # The seed of openstack-sim has these passwords; the array's token is handed to flasharray-sim by the lab.
    @property
    def secrets(self):
        return {"demo": f"lab-demo-{self.name}", "protector": f"lab-protector-{self.name}",
                "admin": f"lab-admin-{self.name}", "array": f"lab-token-{self.array}"}


@dataclasses.dataclass(frozen=True)
class Layout:
    directory: pathlib.Path
    programs: pathlib.Path
    sites: tuple

    def site(self, name):
        for site in self.sites:
            if name in (site.name, site.letter):
                return site
        raise KeyError(f"no site '{name}'; there are {', '.join(site.name for site in self.sites)}")

    def other(self, site):
        return next(candidate for candidate in self.sites if candidate.name != site.name)

    def program(self, name):
        return self.programs / name

    def all_secrets(self):
        return [secret for site in self.sites for secret in site.secrets.values()]


def from_environment(environment=os.environ, directory=None, addresses=None):
    directory = pathlib.Path(directory or environment.get("PROTECTOR_LAB_DIR") or ROOT / "build" / "lab").absolute()
    addresses = addresses or environment.get("PROTECTOR_LAB_IPS") or "127.0.10.1,127.0.20.1"
    addresses = [address.strip() for address in addresses.split(",")]
    if len(addresses) != 2 or addresses[0] == addresses[1]:
        raise ValueError("PROTECTOR_LAB_IPS has to name two different addresses, e.g. 127.0.11.1,127.0.21.1")
    programs = pathlib.Path(environment.get("PROTECTOR_BIN") or ROOT / "build" / "bin").absolute()
    sites = tuple(Site(name, ip, directory / name) for name, ip in zip(SITES, addresses))
    return Layout(directory, programs, sites)
