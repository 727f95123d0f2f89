"""What a test needs to act as tenant and operator, and to see what nobody is shown.

Scenarios are built once by the product's own commands, then kept as a copy of the lab's state directory; every later test that
asks for the same scenario starts from the copy, so that the suite stays short although no test sees another's leavings.
"""

import json
import re
import shutil
import signal
import time

from protector_lab import application, ledger, layout
from protector_lab.cli import Cli
from protector_lab.cloud import Cloud
from protector_lab.lab import FAST_TUNING, Lab
from protector_lab.sim import ArraySim, CloudSim

GROUP = "prod-web-app"
# What Keystone says of a token counts so long in the tests that see it end.
TOKEN_CACHE_S = 1
E2E_TUNING = {**FAST_TUNING, "services": {service: {"users": {"token_cache": f"{TOKEN_CACHE_S}s"}}
                                          for service in ("site-registry", "metadata-sync", "orchestrator")}}
DONE, FAILED, USAGE, REFUSED, UNREACHABLE = range(5)  # exit codes
ENDED = ("completed", "completed_with_errors", "failed", "cancelled", "rolled_back")
PLANNED_STEPS = ["validate_sites", "verify_replication", "presync_snapshot", "stop_vms", "trigger_final_snapshot",
                 "storage_failover", "recreate_vms", "update_pg_status", "reprotect", "cleanup_source"]
UNPLANNED_STEPS = ["validate_sites", "verify_replication", "fence_source", "storage_failover", "recreate_vms",
                   "update_pg_status"]


def eventually(look, what, timeout=30.0, interval=0.05):
    """Waits until `look` returns something true; the last thing it returned is in the failure."""
    deadline = time.monotonic() + timeout
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"after {timeout:.0f} s still not: {what} (last seen: {found!r})")
        time.sleep(interval)


class SiteView:
    cloud_class = Cloud

    def __init__(self, world, site):
        self.site = site
        self.name = site.name
        self.cli = Cli(world.layout.program("protector"), world.lab.openrc(site), spoken=world.spoken)
        self.cloud = self.cloud_class(world.lab.openrc(site))
        self.admin = self.cloud_class(world.lab.openrc(site, "admin"))
        self.cloud_sim = CloudSim(site.cloud_control)
        self.array_sim = ArraySim(site.array_control)

    def listing(self):
        """Everything that a move could leave behind here, by kind; names of the array only where they are still live."""
        return {
            "servers": sorted(server["id"] for server in self.admin.servers(all_projects=True)),
            "volumes": sorted(volume["id"] for volume in self.admin.volumes(all_projects=True)),
            "ports": sorted(port["id"] for port in self.admin.ports()),
            "array volumes": sorted(volume["name"] for volume in self.array_sim.live_volumes()),
        }

    def counts(self):
        return {kind: len(items) for kind, items in self.listing().items()}


class World:
    def __init__(self, directory, addresses, evidence):
        self.spoken = []
        self.leaks = []
        self.evidence = evidence
        self._copies = directory.parent / "scenarios"
        shutil.rmtree(self._copies, ignore_errors=True)
        self.lab = Lab(layout.from_environment(directory=directory, addresses=addresses), say=lambda text: None)
        self.layout = self.lab.layout
        self.a, self.b = (SiteView(self, site) for site in self.layout.sites)

    # --- scenarios

    def begin(self, scenario):
        self.forget()
        copy = self._copies / scenario
        if copy.exists():
            shutil.copytree(copy, self.layout.directory)
            self.lab.up()
        else:
            getattr(self, "_build_" + scenario)()
            self.lab.down()
            shutil.copytree(self.layout.directory, copy, ignore=shutil.ignore_patterns("log", "run"))
            self.lab.up()
        if scenario != "registered":
            for view in (self.a, self.b):
                for server in view.cloud.servers():
                    view.cloud.wait_server(server["id"])

    def forget(self):
        self.look_for_secrets()
        for view in (self.a, self.b):
            view.cloud, view.admin = Cloud(self.lab.openrc(view.site)), Cloud(self.lab.openrc(view.site, "admin"))
        self.lab.wipe()

    def _build_registered(self):
        self.lab.up(E2E_TUNING)
        self.lab.register(self.a.cli)

    def _build_protected(self):
        self._build_registered()
        self.servers = application.deploy(self.a.cloud)
        self.create_group()
        self.add_members(*self.servers)
        self.wait_protected()

    def _build_moved(self):
        self.begin("protected")
        self.failover(wait=True)
        self.wait_protected()

    # --- the product's commands

    def on(self, name):
        return self.a if name in ("a", "site-a") else self.b

    def create_group(self, name=GROUP, replication_type="async", view=None, mappings=True, **policy):
        view = view or self.a
        arguments = ["protection-group", "create", name, "--replication-type", replication_type]
        for key, value in policy.items():
            arguments += ["--" + key.replace("_", "-"), value]
        view.cli.run(*arguments)
        if mappings:
            other = self.b if view is self.a else self.a
            view.cli.run("protection-group", "set-mapping", name,
                         *application.mapping_arguments(view.name, other.name), "--both-directions")

    def add_members(self, *servers, group=GROUP, view=None):
        return (view or self.a).cli.run("protection-group", "add-member", group, *servers)

    def group(self, name=GROUP, view=None):
        return (view or self.a).cli.json("protection-group", "show", name)

    def sync_status(self, name=GROUP, view=None):
        return (view or self.a).cli.json("protection-group", "sync-status", name)

    def check(self, name=GROUP, view=None, *arguments):
        return (view or self.a).cli.try_run("protection-group", "check", name, *arguments, "-f", "json")

    def wait_protected(self, name=GROUP, view=None, timeout=60):
        """Until a complete recovery point is on the other side."""
        return eventually(lambda: self._replication_ready(name, view), f"{name} has a complete recovery point", timeout, 0.1)

    def _replication_ready(self, name, view):
        return self.check(name, view).code == DONE

    def start(self, verb, *arguments, group=GROUP, view=None):
        """Starts a failover or failback and returns the operation's id at once."""
        answer = (view or self.a).cli.json("protection-group", verb, group, *arguments)
        return answer["operation_id"]

    def failover(self, *arguments, group=GROUP, view=None, wait=True, expect="completed"):
        operation = self.start("failover", *arguments, group=group, view=view)
        return self.finished(operation, view, expect) if wait else operation

    def failback(self, *arguments, group=GROUP, view=None, wait=True, expect="completed"):
        operation = self.start("failback", *arguments, group=group, view=view or self.b)
        return self.finished(operation, view or self.b, expect) if wait else operation

    def operation(self, operation_id, view=None):
        return (view or self.a).cli.json("operation", "show", operation_id)

    def tasks(self, operation_id, view=None):
        shown = (view or self.a).cli.json("operation", "show", operation_id, "--tasks")
        return [task for step in shown["steps"] for task in step.get("tasks", [])]

    def finished(self, operation_id, view=None, expect="completed", timeout=90):
        def look():
            found = self.operation(operation_id, view)
            return found if found["status"] in ENDED else None
        found = eventually(look, f"{operation_id} has ended", timeout, 0.1)
        if expect is not None:
            assert found["status"] == expect, json.dumps(found, indent=1)
        return found

    def clean(self, operation_id, view=None, timeout=60):
        """Until the deferred steps (reprotect, cleanup_source) have ended as well."""
        def look():
            found = self.operation(operation_id, view)
            return found if set(found["steps_completed"]) >= {"reprotect", "cleanup_source"} else None
        return eventually(look, f"{operation_id} has reprotected and cleaned up", timeout, 0.1)

    # --- what nobody is shown

    def lost(self, source, target, before_ms=None):
        """Acknowledged records that the servers now on `target` did not find, over all volumes."""
        servers = {server["id"] for server in target.cloud.servers()}
        losses = ledger.lost_writes(source.cloud_sim.ledger(detail=1), target.cloud_sim.ledger(), servers, before_ms)
        assert losses, "no volume of the target is in the ledger"
        return losses

    def lost_from(self, source_ledger, found):
        return {lineage: ledger.last_acknowledged(source_ledger, lineage) - finding["sequence"] for lineage, finding in found.items()}

    def assert_one_writer(self, view):
        """No disk of `view`'s servers holds a record that anybody else wrote after the present server began, and none is missing."""
        view.cloud_sim.pause_guests()  # a record that is acknowledged while we read would look as if it were missing
        time.sleep(0.2)
        read = [(server, volume) for server in view.cloud.servers() for volume in view.cloud_sim.read_back(server["id"])["volumes"]]
        view.cloud_sim.pause_guests(False)
        assert read, "no volume was read"
        for server, volume in read:
            assert not volume["interleaved"], volume
            assert not volume["missing_acknowledged"], volume
            own = [writer["first"] for writer in volume["writers"] if writer["writer"].startswith(server["id"])]
            late = [writer for writer in volume["foreign_writers"] if own and writer["last"] >= min(own)]
            assert not late, f"others wrote after {server['name']} had begun: {late}"

    def server_names(self, view):
        return sorted(server["name"] for server in view.cloud.servers())

    def changes(self, view, since=0, method=None, path=""):
        """Changing requests that the cloud received from the product's own user."""
        return [entry for entry in view.cloud_sim.journal(since) if entry["user"] == "protector"
                and (method is None or entry["method"] == method) and path in entry["path"]]

    # --- disasters

    def kill_site(self, view):
        self.lab.kill(view.site)

    def revive_site(self, view):
        self.lab.revive(view.site)

    def kill_process(self, view, name):
        self.lab.process(view.site, name).kill()

    def start_process(self, view, name):
        self.lab.start_process(view.site, name)
        self.lab.wait_ready(view.site, name)

    def restart_process(self, view, name):
        self.kill_process(view, name)
        self.start_process(view, name)

    def freeze_site(self, view, names=None):
        """Neither dead nor alive: as a site behind a broken network looks from outside."""
        for name in names or self.lab.names():
            self.lab.process(view.site, name).signal(signal.SIGSTOP)

    def thaw_site(self, view, names=None):
        for name in names or self.lab.names():
            self.lab.process(view.site, name).signal(signal.SIGCONT)

    # --- secrets

    def look_for_secrets(self):
        """Greps what the programs wrote (logs, databases of the services, CLI output) before it is wiped."""
        needles = [secret.encode() for secret in self.layout.all_secrets()]
        for site in self.layout.sites:
            files = list((site.directory / "log").glob("*.log"))
            for service in layout.SERVICES:
                files += [path for path in (site.directory / "state" / service).rglob("*") if path.is_file()]
            for path in files:
                try:
                    data = path.read_bytes()
                except FileNotFoundError:  # the programs run: SQLite's journal of a moment ago
                    continue
                self.leaks += [f"{path.relative_to(self.layout.directory)}: {needle.decode()}" for needle in needles if needle in data]
                self.leaks += [f"{path.relative_to(self.layout.directory)}: {text.decode(errors='replace')}"
                               for text in TOKEN_SHAPES.findall(data)[:3]]
        for text in self.spoken:
            self.leaks += [f"CLI output: {needle.decode()}: {text[:200]}" for needle in needles if needle.decode() in text]
        self.spoken.clear()

    # --- housekeeping

    def keep_evidence(self, name):
        target = self.evidence / re.sub(r"[^\w.-]+", "_", name)
        shutil.rmtree(target, ignore_errors=True)
        if self.layout.directory.exists():
            shutil.copytree(self.layout.directory, target, ignore=shutil.ignore_patterns("blocks.dat", "run"), dirs_exist_ok=True,
                            copy_function=copy_if_there)
        target.mkdir(parents=True, exist_ok=True)
        (target / "cli.txt").write_text("\n\n".join(self.spoken[-40:]))
        return target

    def close(self):
        if self.lab.exists():
            self.look_for_secrets()
            self.lab.wipe()


def copy_if_there(source, target):
    """The programs run on while they are copied: SQLite's files of a moment ago may be gone."""
    try:
        return shutil.copy2(source, target)
    except FileNotFoundError:
        return target


# Keystone tokens (fernet) and array sessions, by their form in a header or a field.
TOKEN_SHAPES = re.compile(rb"gAAAAA[\w-]{20,}|(?i:x-auth-token|api-token|x-subject-token)[\"':= ]+(?!\*|<|redacted)[\w-]{8,}")
