"""The application that moves: three servers on two networks, flavors that differ between the sites, one with two volumes."""

import dataclasses

TYPE_ASYNC = "replicated-async"
TYPE_SYNC = "replicated-sync"
NETWORKS = {"site-a": ("net-primary-web", "net-primary-db"), "site-b": ("net-secondary-web", "net-secondary-db")}
FLAVORS = {"site-a": ("m1.small", "m1.medium", "m1.large"), "site-b": ("m2.small", "m2.medium", "m2.large")}


@dataclasses.dataclass(frozen=True)
class Vm:
    name: str
    flavor: int            # index into FLAVORS
    networks: tuple        # indices into NETWORKS
    volume_sizes: tuple    # GiB; the first one boots
    security_group: str


WEB_APP = (Vm("web-1", 0, (0,), (1,), "sg-web"),
           Vm("web-2", 1, (0,), (1,), "sg-web"),
           Vm("db-1", 2, (0, 1), (1, 2), "sg-db"))


def mapping_arguments(source, target, flavors=True):
    """--network-mapping and --flavor-mapping as a person types them."""
    arguments = ["--network-mapping", *(f"{a}={b}" for a, b in zip(NETWORKS[source], NETWORKS[target]))]
    if flavors:
        arguments += ["--flavor-mapping", *(f"{a}={b}" for a, b in zip(FLAVORS[source], FLAVORS[target]))]
    return arguments


def deploy(cloud, site="site-a", vms=WEB_APP, volume_type=TYPE_ASYNC, prefix="", from_image=True):
    """Makes the servers and waits until they run. Returns {name: server}.

    from_image=False: empty volumes that are marked bootable, where Cinder has no path for an image's bytes to the array.
    """
    networks, flavors, images = cloud.networks(), cloud.flavors(), cloud.images()
    volumes = {}
    for vm in vms:
        for index, size in enumerate(vm.volume_sizes):
            image = images["lab-image"]["id"] if index == 0 and from_image else None
            volumes[vm.name, index] = cloud.create_volume(f"{prefix}{vm.name}-{'root' if index == 0 else f'data-{index}'}",
                                                          size, volume_type, image)
    for (_, index), volume in volumes.items():
        cloud.wait_volume(volume)
        if index == 0 and not from_image:
            cloud.set_bootable(volume)
    ids = {}
    for vm in vms:
        ids[vm.name] = cloud.create_server(
            prefix + vm.name, flavors[FLAVORS[site][vm.flavor]]["id"],
            [{"uuid": networks[NETWORKS[site][network]]["id"]} for network in vm.networks],
            [volumes[vm.name, index] for index in range(len(vm.volume_sizes))],
            key_name="demo-key", metadata={"tier": vm.name.split("-")[0]}, tags=["prod"],
            security_groups=[{"name": vm.security_group}])
    return {prefix + name: cloud.wait_server(server) for name, server in ids.items()}


def addresses(server):
    """Fixed addresses of a server as Nova shows them, sorted."""
    return sorted(entry["addr"] for network in server["addresses"].values() for entry in network
                  if entry.get("OS-EXT-IPS:type", "fixed") == "fixed")
