"""The state of everything, in words that do not differ between two courses of the same story: names in place of ids, no times.

Two pictures are equal when both clouds, both arrays and both sites' metadata ended the same.
"""

import re

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
OPERATION = re.compile(r"op-[0-9a-z]+")


def addresses(server):
    return sorted((entry["addr"], entry.get("OS-EXT-IPS-MAC:mac_addr", "")) for entries in server.get("addresses", {}).values() for entry in entries)


def cloud(view):
    volumes = view.admin.volumes(all_projects=True)
    attached = {}
    for volume in volumes:
        for attachment in volume["attachments"]:
            attached.setdefault(attachment["server_id"], []).append(volume["name"])
    return {
        "servers": sorted(
            (server["name"], server["status"], str(addresses(server)), str(sorted(server.get("metadata", {}))), server.get("key_name") or "",
             str(server.get("locked", False)), str(sorted(attached.get(server["id"], [])))) for server in view.admin.servers(all_projects=True)),
        "volumes": sorted((volume["name"], volume["size"], volume["status"], volume["volume_type"], str(volume["bootable"]),
                           len(volume["attachments"]), str(sorted(volume.get("metadata", {})))) for volume in volumes),
        "ports": sorted((port["name"], str(sorted(ip["ip_address"] for ip in port["fixed_ips"])), port["mac_address"], bool(port["device_id"]),
                         len(port["security_groups"])) for port in view.admin.ports()),
    }


def family(name):
    """A name of the array without what a course makes up: ids of volumes and operations, epochs, numbers of snapshots."""
    name = UUID.sub("ID", name)
    name = OPERATION.sub("OP", name)
    return re.sub(r"\d+", "N", name)


def array(view):
    sim = view.array_sim
    volumes = sim.items("volumes")
    return {
        "live": sorted((family(volume["name"]), volume["provisioned"]) for volume in volumes if not volume["destroyed"]),
        "destroyed": sorted(family(volume["name"]) for volume in volumes if volume["destroyed"]),
        "connections": len(sim.items("connections")),
        # What a target shows of the source's schedule is news of a moment ago, or of the last moment before it was no target any more.
        "groups": sorted((family(group["name"]), group["destroyed"], len(group["volumes"]),
                          group["is_local"] and group["replication_schedule"]["enabled"]) for group in sim.items("protection_groups")),
        "pods": sorted((family(pod["name"]), pod["promotion_status"], pod["destroyed"]) for pod in sim.items("pods")),
        # Points that were made for an operation; those of the schedule come with time.
        "points": sorted(family(point["name"]) for point in sim.items("protection_group_snapshots") if "protector" in point["name"]),
    }


MEMBER_FIELDS = ("name", "site", "flavor", "volumes", "networks", "addresses", "security_groups", "key_name", "boot_order")
GROUP_FIELDS = ("name", "status", "replication_type", "current_primary_site", "home_site", "pure_pg_name", "serving", "protected", "clean", "pending",
                "active_operation_id", "epoch", "failover_count", "failback_count", "member_count", "replication_interval", "description")


def metadata(view, groups):
    seen = {}
    for name in groups:
        shown = view.cli.try_run("protection-group", "show", name, "-f", "json")
        if shown.code != 0:
            seen[name] = f"exit code {shown.code}"
            continue
        group = view.cli.json("protection-group", "show", name)
        sync = view.cli.json("protection-group", "sync-status", name)
        seen[name] = {
            **{field: group[field] for field in GROUP_FIELDS},
            "members": sorted(str([(field, member[field]) for field in MEMBER_FIELDS]) for member in group["members"]),
            "sync": sync["sync_status"],
            "same version": sync["local_hash"] == sync["remote_hash"],
        }
    return seen


def take(world, groups):
    return {view.name: {"cloud": cloud(view), "array": array(view), "metadata": metadata(view, groups)} for view in (world.a, world.b)}


def differences(expected, found, path=""):
    """What differs, as lines; empty: nothing does."""
    if isinstance(expected, dict) and isinstance(found, dict):
        lines = []
        for key in sorted({*expected, *found}, key=str):
            lines += differences(expected.get(key), found.get(key), f"{path}/{key}")
        return lines
    if isinstance(expected, list) and isinstance(found, list):
        gone = [item for item in expected if expected.count(item) > found.count(item)]
        new = [item for item in found if found.count(item) > expected.count(item)]
        return [f"{path}: missing {item}" for item in gone] + [f"{path}: too many {item}" for item in new]
    return [] if expected == found else [f"{path}: {expected!r} became {found!r}"]


# --- effects: what may happen once

ACTIONS = ("os-unmanage",)  # of Cinder and Nova; the others say what the end state is and may come twice
EFFECTS = (("nova", "POST", "/servers"), ("neutron", "POST", "/ports"), ("cinder", "POST", "/manageable_volumes"))


def cloud_effects(view, since):
    counts = {}
    for entry in view.cloud_sim.journal(since):
        if entry["user"] != "protector" or not 200 <= entry["status"] < 300:
            continue
        path = UUID.sub("ID", entry["path"]).rstrip("/")
        kind = None
        for service, method, end in EFFECTS:
            if (entry["service"], entry["method"]) == (service, method) and path.endswith(end):
                kind = f"{service} {method} {end}"
        if entry["method"] == "DELETE":
            kind = f"{entry['service']} DELETE {path.rsplit('/', 2)[-2]}"
        if entry["method"] == "POST" and path.endswith("/action") and any(action in str(entry["body"]) for action in ACTIONS):
            kind = f"{entry['service']} {next(action for action in ACTIONS if action in str(entry['body']))}"
        if kind is not None:
            counts[kind] = counts.get(kind, 0) + 1
    return counts


def array_effects(view, since):
    """Objects that were made or taken away for the product, by kind: the array's journal says what each request did."""
    counts = {}
    for entry in view.array_sim.journal(since):
        for effect in entry.get("effect") or ():
            if entry["method"] == "POST" and effect["op"] == "put" and effect["kind"] in ("volumes", "protection_group_snapshots", "pods"):
                kind = f"{entry['method']} {effect['kind']}"
                counts[kind] = counts.get(kind, 0) + 1
    return counts
