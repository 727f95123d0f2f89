"""./dev demo: an application moves between two sites four times, and every claim about it is checked.

The lab is the demo's own (directory and addresses), so that a lab somebody works with stays as it is.
"""

import datetime
import sys
import time

from . import application, ledger, residue
from .cli import Cli
from .cloud import Cloud
from .lab import DEFAULT_TUNING, Lab
from .layout import ROOT, from_environment
from .sim import ArraySim, CloudSim

GROUP = "prod-web-app"
DIRECTORY = ROOT / "build" / "demo"
ADDRESSES = "127.0.12.1,127.0.22.1"
CLOCK_SLACK_MS = 250  # between a guest's stamp of a record and the array's stamp of a snapshot


class Site:
    def __init__(self, lab, site):
        self.site = site
        self.name = site.name
        self.cli = Cli(lab.layout.program("protector"), lab.openrc(site))
        self.cloud = Cloud(lab.openrc(site))
        self.admin = Cloud(lab.openrc(site, "admin"))
        self.cloud_sim = CloudSim(site.cloud_control)
        self.array_sim = ArraySim(site.array_control)

    def inventory(self):
        return residue.inventory(self.admin, self.array_sim)


class Demo:
    def __init__(self, fast, say=print):
        self.lab = Lab(from_environment({}, DIRECTORY, ADDRESSES))
        self.fast = fast
        self.say = say
        self.a, self.b = (Site(self.lab, site) for site in self.lab.sites)
        self.rows = []
        self.broken = []

    # --- telling

    def title(self, text):
        self.say(f"\n\033[1m--- {text}\033[0m" if sys.stdout.isatty() else f"\n--- {text}", flush=True)

    def check(self, holds, text):
        self.say(f"    [{'ok' if holds else 'FAILED'}] {text}", flush=True)
        if not holds:
            self.broken.append(text)
        return holds

    # --- the story

    def run(self):
        self.title("Two sites, each with a cloud, an array and four services")
        self.lab.wipe()
        self.lab.up({**DEFAULT_TUNING, "cloud_latency": "zero" if self.fast else "realistic"})
        self.empty = {site.name: site.inventory() for site in (self.a, self.b)}
        self.register()
        self.deploy()
        self.protect()

        self.title("Planned failover: site-a -> site-b")
        self.guests_write(2)
        self.move("planned failover", self.a, self.b, "failover")
        self.title("Site-b is lost; unplanned failover: site-b -> site-a")
        self.wait_protected(self.b)
        self.guests_write(3)
        self.disaster()
        self.title("Planned failover again: site-a -> site-b")
        self.wait_protected(self.a)
        self.guests_write(2)
        self.move("planned failover again", self.a, self.b, "failover")
        self.title("Failback: site-b -> site-a")
        self.guests_write(2)
        self.move("failback", self.b, self.a, "failback", "--reverse-replication")
        return self.summary()

    def register(self):
        self.title("The sites get to know each other")
        for site in (self.a, self.b):
            self.a.cli.show("site", "create", site.name, "--auth-url", site.site.auth_url, "--region", site.name,
                            "--cinder-host", site.site.cinder_host, "--array-name", site.site.array)
        self.a.cli.show("tenant-mapping", "create", "site-a=demo", "site-b=demo")
        self.a.cli.show("site", "list")
        for site in (self.a, self.b):
            self.check(self.a.cli.show("site", "validate", site.name) == 0, f"{site.name} is valid")

    def deploy(self):
        self.title("The application: three servers on two networks, made through OpenStack's API on site-a")
        self.servers = application.deploy(self.a.cloud)
        self.addresses = {name: application.addresses(server) for name, server in self.servers.items()}
        self.show_servers(self.a)
        volumes = sum(len(vm.volume_sizes) for vm in application.WEB_APP)
        ports = sum(len(vm.networks) for vm in application.WEB_APP)
        self.running = residue.expected_of(len(self.servers), volumes, ports)
        self.volume_count = volumes

    def protect(self):
        self.title("The protection group")
        cli = self.a.cli
        for arguments in (("create", GROUP, "--replication-type", "async"),
                          ("set-mapping", GROUP, *application.mapping_arguments("site-a", "site-b"), "--both-directions"),
                          ("add-member", GROUP, *self.servers), ("members", GROUP)):
            if cli.show("protection-group", *arguments) != 0:
                raise SystemExit("the demo cannot go on without its protection group")
        self.wait_protected(self.a)
        cli.show("protection-group", "check", GROUP)
        cli.show("protection-group", "sync-status", GROUP)

    def move(self, title, source, target, verb, *more):
        arguments = application.mapping_arguments(source.name, target.name)
        code = source.cli.show("protection-group", verb, GROUP, *more, *arguments, "--wait")
        operation = self.last_operation(target)
        self.check(code == 0 and operation["status"] == "completed", f"{title}: {operation['status']}")
        operation = self.wait_clean(operation, target)
        source.cli.show("operation", "show", operation["operation_id"])
        self.aftermath(title, operation, source, target)

    def disaster(self):
        self.say("\n$ ./dev lab kill site-b", flush=True)
        self.lab.kill(self.b.site)
        killed_ms = int(time.time() * 1000)
        code = self.a.cli.show("protection-group", "failover", GROUP, "--type", "unplanned",
                               *application.mapping_arguments("site-b", "site-a"), "--wait")
        operation = self.last_operation(self.a)
        self.check(code == 0 and operation["status"] == "completed", f"unplanned failover: {operation['status']}")
        self.check(any("is unreachable" in warning for warning in operation["warnings"]), "it warned that site-b is unreachable")
        self.a.cli.show("operation", "show", operation["operation_id"])
        self.show_servers(self.a)

        self.title("Site-b returns")
        self.say("$ ./dev lab revive site-b", flush=True)
        self.lab.revive(self.b.site)
        self.b.cloud, self.b.admin = Cloud(self.lab.openrc(self.b.site)), Cloud(self.lab.openrc(self.b.site, "admin"))
        self.check(self.a.cli.show("protection-group", "sync-force", GROUP) == 0, "both sites are at the same version")
        self.a.cli.show("protection-group", "sync-status", GROUP)
        operation = self.wait_clean(operation, self.a)
        self.aftermath("unplanned failover", operation, self.b, self.a, killed_ms)

    # --- checks

    def aftermath(self, title, operation, source, target, killed_ms=None):
        target.cli.show("protection-group", "show", GROUP, "-c", "name", "-c", "status", "-c", "current_primary_site",
                        "-c", "failover_count", "-c", "failback_count", "-c", "serving", "-c", "protected", "-c", "clean")
        servers = self.show_servers(target)
        self.check(sorted(servers) == sorted(self.servers) and {server["status"] for server in servers.values()} == {"ACTIVE"},
                   f"three servers are ACTIVE on {target.name}")
        self.check({name: application.addresses(server) for name, server in servers.items()} == self.addresses,
                   "each with the fixed addresses it had")
        volumes = target.cloud.volumes()
        self.check(len(volumes) == self.volume_count and all(volume["status"] == "in-use" for volume in volumes),
                   f"{len(volumes)} volumes are imported into Cinder of {target.name} and in use")
        lost = self.lost_writes(operation, source, target, servers, killed_ms)
        left = self.left_behind(source, target)
        for line in left:
            self.say(f"    residue: {line}")
        self.check(not left, f"{source.name} is clean and nothing is left over anywhere")
        self.rows.append((title, seconds(operation), downtimes(operation), lost, len(left)))

    def lost_writes(self, operation, source, target, servers, killed_ms):
        """Returns the number of lost acknowledged records; checks that it is what it may be."""
        there = source.cloud_sim.ledger(detail=1)
        found = ledger.found_at_boot(target.cloud_sim.ledger(), {server["id"] for server in servers.values()})
        lost = {lineage: max(0, ledger.last_acknowledged(there, lineage, killed_ms) - finding["sequence"])
                for lineage, finding in found.items()}
        self.check(len(found) == self.volume_count, f"the guests found their data on all {self.volume_count} volumes")
        if killed_ms is None:
            self.check(sum(lost.values()) == 0, "no acknowledged write is lost")
            return sum(lost.values())
        point = next((snapshot["created"] for snapshot in target.array_sim.items("protection_group_snapshots")
                      if snapshot["name"] == operation["recovery_point"]), None)
        exact = point is not None
        for lineage, finding in found.items():
            records = [record for record in there["lineages"][lineage]["records"] if record[1] <= killed_ms]
            early = [sequence for sequence, time_ms in records if exact and time_ms < point - CLOCK_SLACK_MS]
            late = [sequence for sequence, time_ms in records if exact and time_ms > point + CLOCK_SLACK_MS]
            exact = exact and finding["sequence"] >= max(early, default=0) and finding["sequence"] < min(late, default=sys.maxsize)
        self.check(exact, f"lost are exactly the {sum(lost.values())} writes acknowledged after recovery point {operation['recovery_point']}")
        return sum(lost.values())

    def left_behind(self, source, target, timeout=30):
        expected = {source.name: {}, target.name: self.running}
        deadline = time.monotonic() + timeout
        while True:
            left = residue.residue(self.empty, {site.name: site.inventory() for site in (source, target)}, expected)
            if not left or time.monotonic() > deadline:
                return left
            time.sleep(0.2)

    # --- waiting

    def last_operation(self, site):
        listed = site.cli.json("operation", "list")
        return site.cli.json("operation", "show", listed[0]["operation_id"])

    def wait_clean(self, operation, site, timeout=120):
        deadline = time.monotonic() + timeout
        while not {"reprotect", "cleanup_source"} <= set(operation["steps_completed"]):
            if time.monotonic() > deadline:
                self.check(False, "reprotect and cleanup_source have ended")
                break
            time.sleep(0.2)
            operation = site.cli.json("operation", "show", operation["operation_id"])
        return operation

    def wait_protected(self, site, timeout=120):
        deadline = time.monotonic() + timeout
        while site.cli.try_run("protection-group", "check", GROUP).code != 0:
            if time.monotonic() > deadline:
                self.check(False, "a complete recovery point is on the other site")
                return
            time.sleep(0.3)
        self.say("    a complete recovery point is on the other site", flush=True)

    def guests_write(self, duration):
        self.say(f"    ... the guests write for {duration} s", flush=True)
        time.sleep(duration)

    def show_servers(self, site):
        from .__main__ import print_table
        servers = {server["name"]: server for server in site.cloud.servers()}
        self.say(f"\nServers on {site.name}:", flush=True)
        print_table(("Name", "Status", "Addresses", "Flavor", "Volumes"),
                    [(name, server["status"], ", ".join(application.addresses(server)),
                      server["flavor"].get("original_name", server["flavor"].get("id", "")),
                      len(server.get("os-extended-volumes:volumes_attached", []))) for name, server in sorted(servers.items())])
        return servers

    def summary(self):
        from .__main__ import print_table
        self.title("What happened")
        print_table(("Operation", "Duration", "Downtime per VM", "Acknowledged writes lost", "Residue"), self.rows)
        for text in self.broken:
            self.say(f"did not hold: {text}")
        self.say("Everything held." if not self.broken else f"{len(self.broken)} claim(s) did not hold.")
        return 1 if self.broken else 0


def seconds(operation):
    if not operation["completed_at"]:
        return "-"
    moments = [datetime.datetime.fromisoformat(operation[key].replace("Z", "+00:00")) for key in ("started_at", "completed_at")]
    return f"{(moments[1] - moments[0]).total_seconds():.1f} s"


def downtimes(operation):
    return ", ".join(f"{member['name']} {member['downtime_ms'] / 1000:.1f} s" for member in operation["members"])


def run(arguments):
    demo = Demo(arguments.fast)
    try:
        return demo.run()
    finally:
        if arguments.keep:
            print(f"The lab goes on. To use it: export PROTECTOR_LAB_DIR={DIRECTORY} PROTECTOR_LAB_IPS={ADDRESSES}; "
                  "eval \"$(./dev lab env site-a)\"")
        else:
            demo.lab.down()
