"""Every request that storage-pure sends to an array in all of its flows, against the vendor's table of operations: path, parameters and
body keys have to exist in the version that was negotiated."""

import sys

import pytest
from conftest import ROOT, connect, one
from pypureclient import flasharray as fa
from recorder import Recorder
from test_py_pure_client import volume

sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests" / "e2e")]

import rpc  # noqa: E402
from protector_lab import application, layout  # noqa: E402
from protector_lab.lab import Lab  # noqa: E402
from world import World, eventually  # noqa: E402

RELAY_PORT = 8444


def cells(cell):
    """{name: first minor version} of a cell that holds names only."""
    found = {}
    for word in filter(None, cell.split(",")):
        name, _, since = word.partition("@")
        found[name] = int(since or 0)
    return found


def table():
    text = (ROOT / "simulators" / "flasharray" / "spec" / "operations.inc").read_text()
    rows = [line.split("|") for line in text.splitlines() if line.startswith(("GET ", "POST ", "PATCH ", "PUT ", "DELETE "))]
    return {tuple(row[0].split()[:2]): (int(row[0].split()[2]), cells(row[1]), cells(row[2])) for row in rows}


TABLE = table()


def faults(request):
    version, method, path, parameters, keys = request
    minor = int(version.split(".")[1])
    if path in ("/login", "/logout"):
        return []
    if (method, path) not in TABLE:
        return ["no such operation"]
    since, known_parameters, known_keys = TABLE[method, path]
    found = [] if since <= minor else [f"from 2.{since} on"]
    for word, known in ((parameters, known_parameters), (keys, known_keys)):
        for name in sorted(word):
            plain = name.removesuffix("[]")
            match = known.get(name, known.get(plain, known.get(plain + "[]")))
            if match is None:
                # A list or an object given as a whole: the table names its parts.
                parts = [first for key, first in known.items() if key.startswith((plain + ".", plain + "[]."))]
                match = min(parts) if parts else None
            if match is None or match > minor:
                found.append(f"{name}: {'unknown' if match is None else f'from 2.{match} on'}")
    return found


class RecordedLab(Lab):
    """A lab whose arrays offer no more than one version, and whose storage-pure reaches them through a recorder."""

    def __init__(self, where, minor):
        super().__init__(where, say=lambda text: None)
        self.minor = minor
        self.recorders = {}

    def command(self, site, name):
        command = super().command(site, name)
        return [*command, "--versions", f"2.0..2.{self.minor}"] if name == "flasharray-sim" else command

    def start_process(self, site, name):
        if name == "storage-pure":
            if site.name not in self.recorders:
                self.recorders[site.name] = Recorder((site.ip, RELAY_PORT), (site.ip, layout.PORTS["array-rest"]),
                                                     ROOT / "build" / "pure" / "relay" / site.name)
            path = site.directory / "storage-pure.yaml"
            text = path.read_text().replace(site.array_url, f"https://{site.ip}:{RELAY_PORT}")
            lines = [line if "ca_file" not in line or "flasharray-sim" not in line else line.split("ca_file")[0] + "insecure: true" for line in text.splitlines()]
            path.write_text("\n".join(lines) + "\n")
        super().start_process(site, name)


class RecordedWorld(World):
    def __init__(self, minor):
        directory = ROOT / "build" / "pure" / f"requests-{minor}"
        super().__init__(directory / "lab", "127.0.33.1,127.0.43.1", directory / "failed")
        self.lab = RecordedLab(self.layout, minor)
        self.lab.wipe()


def all_flows(world):
    world._build_protected()
    world.a.cli.run("site", "validate", "site-a")
    done = world.failover()
    world.clean(done["operation_id"])
    world.wait_protected(view=world.b)
    done = world.failback("--reverse-replication")
    world.clean(done["operation_id"], world.b)
    world.wait_protected()
    # The engine's own last change of the group (what was retired) may come in between: said, and repeated.
    eventually(lambda: world.a.cli.try_run("protection-group", "remove-member", "prod-web-app", "web-2").code == 0, "web-2 is removed")
    pod = application.deploy(world.a.cloud, vms=application.WEB_APP[:1], volume_type=application.TYPE_SYNC, prefix="pod-")
    world.create_group("pod-app", replication_type="sync")
    world.add_members(*pod, group="pod-app")
    world.wait_protected("pod-app")
    done = world.failover(group="pod-app")
    world.clean(done["operation_id"])
    world.wait_protected("pod-app", world.b)
    done = world.failback(group="pod-app")
    world.clean(done["operation_id"], world.b)
    world.wait_protected("pod-app")
    world.kill_site(world.a)
    done = [world.failover("--type", "unplanned", view=world.b, group=group) for group in ("prod-web-app", "pod-app")]
    world.revive_site(world.a)
    for operation in done:
        world.clean(operation["operation_id"], world.b)
    world.wait_protected(view=world.b)
    world.b.cli.run("protection-group", "delete", "prod-web-app", "--force")
    eventually(lambda: "prod-web-app" not in world.b.cli.run("protection-group", "list").output, "the group is deleted")


class StorageCalls:
    """Calls of storage-pure itself, for what no operation of the lab comes to: stretched pods, a fence that is lifted again."""

    def __init__(self, name, kind, disk="", epoch=1):
        self.name, self.kind, self.disk = name, f"replication_type: {kind}", disk
        self.authority = f'authority {{ group_id: "group-{name}" epoch: {epoch} operation_id: "op-{name}" }}'

    def call(self, view, method, text, answer=None):
        answer = answer or f"{method}Response"
        return rpc.call(view.site, "storage-pure", f"protector.storage.v1.StorageService/{method}",
                        f"protector.storage.v1.{method}Request", f'name: "{self.name}" {self.kind} {text}', f"protector.storage.v1.{answer}", timeout=30)

    def protect(self, source, target):
        accept = f'{self.authority} source_array: "{source.site.array}"'
        ensure = f'{self.authority} target_array: "{target.site.array}" {self.disk}'
        for _ in range(2):  # a link needs the target's pod, an acceptance the source's group
            self.call(source, "EnsureProtection", ensure, "Protection")
            self.call(target, "AcceptProtection", accept, "Protection")
        self.call(source, "EnsureProtection", ensure, "Protection")
        eventually(lambda: "health: HEALTHY" in self.seen(target, source), f"{self.name} is healthy")

    def seen(self, target, source):
        return self.call(target, "GetProtection", f'source_array: "{source.site.array}"', "Protection")

    def fence_and_unfence(self, source):
        eventually(lambda: "fenced: true" in self.call(source, "FenceVolumes", f"{self.authority} {self.disk} quiesce: true"), "it is fenced")
        self.call(source, "UnfenceVolumes", f"{self.authority} {self.disk}")

    def remove(self, source, target):
        for view in (source, target):
            self.call(view, "RemoveProtection", f'{self.authority} source_array: "{source.site.array}"')


def vendor_client(view):
    """The vendor's client at the array itself, past the recorder."""
    return connect(ArrayAddress(view.site.ip), f"lab-token-{view.site.array}")


class ArrayAddress:
    rest_port = layout.PORTS["array-rest"]

    def __init__(self, ip):
        self.ip = ip


def connections(array):
    return [connection.volume.name for connection in array.get_connections(host_names=["a-host"]).items]


def fences_lifted(world):
    """The fence of a group and of a pod, put up and lifted: the host's volumes can be connected again."""
    array = vendor_client(world.a)
    one(array.post_hosts(names=["a-host"], host=fa.HostPost(iqns=["iqn.2004-01.test:a-host"])))
    for kind in ("ASYNC", "SYNC"):
        name = f"lifted-{kind.lower()}"
        disk = volume(array, name)
        calls = StorageCalls(name, kind, f'disks {{ member_id: "m" serial: "{disk.serial}" }}')
        calls.protect(world.a, world.b)
        one(array.post_connections(host_names=["a-host"], volume_names=[name if kind == "ASYNC" else f"{name}::{name}"]))
        calls.fence_and_unfence(world.a)
        assert connections(array) == []
        eventually(lambda calls=calls: "health: HEALTHY" in calls.seen(world.b, world.a), f"{name} is healthy again")
        calls.remove(world.a, world.b)


def a_stretched_pod(world):
    """Adopted, looked at from both sides, its fence put up and lifted, cloned out on the other side, given up."""
    array = vendor_client(world.a)
    one(array.post_pods(names=["twin"], pod=fa.PodPost()))
    disk = volume(array, "twin::disk")
    one(array.post_connections(host_names=["a-host"], volume_names=["twin::disk"]))
    one(array.post_pods_arrays(group_names=["twin"], member_names=[world.b.site.array]))
    calls = StorageCalls("twin", "SYNC", f'disks {{ member_id: "m" serial: "{disk.serial}" }}')
    calls.protect(world.a, world.b)
    assert "stretched: true" in calls.seen(world.b, world.a)
    calls.fence_and_unfence(world.a)
    assert connections(array) == []
    calls.call(world.b, "ListRecoveryPoints", f'source_array: "{world.a.site.array}"')
    source = f'member_id: "m" source_volume: "twin::disk" source_serial: "{disk.serial}"'
    made = calls.call(world.b, "MaterializeVolumes", f'{calls.authority} recovery_point: "twin@1" source_array: "{world.a.site.array}" disks {{ {source} }}')
    assert rpc.field(made, "error") is None and rpc.field(made, "serial"), made
    calls.remove(world.a, world.b)


@pytest.mark.parametrize("minor", [4, 15, 26])
def test_every_request_of_every_flow_is_in_the_vendors_table(minor):
    world = RecordedWorld(minor)
    try:
        all_flows(world)
        fences_lifted(world)
        a_stretched_pod(world)
        seen = set().union(*(recorder.seen for recorder in world.lab.recorders.values()))
    finally:
        world.lab.wipe()
        for recorder in world.lab.recorders.values():
            recorder.close()
    assert {request[0] for request in seen} == {f"2.{minor}"}, "the negotiated version, and no other"
    assert len({(request[1], request[2]) for request in seen}) > 20, sorted({(request[1], request[2]) for request in seen})
    wrong = [f"{' '.join(request[:3])} {sorted(request[3])} {sorted(request[4])}: {'; '.join(found)}"
             for request in sorted(seen, key=str) if (found := faults(request))]
    assert not wrong, "\n".join(wrong)
