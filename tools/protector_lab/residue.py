"""What is left behind: everything of both clouds and both arrays that neither was there before nor belongs to the application."""


def inventory(admin_cloud, array_sim):
    """{kind: set of names} of one site. Destroyed objects of the array are recoverable by design and are not residue."""
    return {
        "server": {server["id"] for server in admin_cloud.servers(all_projects=True)},
        "volume": {volume["id"] for volume in admin_cloud.volumes(all_projects=True)},
        "port": {port["id"] for port in admin_cloud.ports()},
        "array volume": {volume["name"] for volume in array_sim.live_volumes()},
        "array connection": {f"{entry['host_id']} {entry['volume_id']}"
                             for entry in array_sim.items("connections")},
    }


def expected_of(servers, volumes, ports):
    """How many of each kind a running application has on its primary site."""
    return {"server": servers, "volume": volumes, "port": ports, "array volume": volumes, "array connection": volumes}


def residue(before, after, expected):
    """Objects beyond `before` (by name) that exceed what is expected there (by number): ["site-a: 1 volume(s) too many", ...]."""
    found = []
    for site, kinds in after.items():
        for kind, names in kinds.items():
            new = names - before[site][kind]
            surplus = len(new) - expected[site].get(kind, 0)
            if surplus > 0:
                found.append(f"{site}: {surplus} {kind}(s) too many among {', '.join(sorted(new)[:8])}")
    return found
