"""A lab whose sites are network namespaces with a link between them, so that the network can really be cut: packets are dropped, nobody
is told, and only deadlines and keepalive find out.

    root namespace (pytest, protector)   10.77.1.254 ── 10.77.1.1  namespace pn-a (site-a) ──┐
                                         10.77.2.254 ── 10.77.2.1  namespace pn-b (site-b) ──┘ 10.77.3.0/24
"""

import contextlib
import subprocess
import threading

from failpoints import FailpointLab

ADDRESSES = {"site-a": "10.77.1.1", "site-b": "10.77.2.1"}
HOST = {"site-a": "10.77.1.254", "site-b": "10.77.2.254"}  # the root namespace, as each site sees it
LINK = {"site-a": "10.77.3.1", "site-b": "10.77.3.2"}
NAMESPACES = {"site-a": "pn-a", "site-b": "pn-b"}


def run(*command, check=True):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
    return done


class Network:
    """Made once; rules are in a table of each namespace, emptied by heal()."""

    def up(self):
        self.down()
        for namespace in NAMESPACES.values():
            run("ip", "netns", "add", namespace)
            run("ip", "-n", namespace, "link", "set", "lo", "up")
        for site, namespace in NAMESPACES.items():
            run("ip", "link", "add", f"{namespace}-out", "type", "veth", "peer", "name", "eth0", "netns", namespace)
            run("ip", "address", "add", f"{HOST[site]}/24", "dev", f"{namespace}-out")
            run("ip", "link", "set", f"{namespace}-out", "up")
            run("ip", "-n", namespace, "address", "add", f"{ADDRESSES[site]}/24", "dev", "eth0")
            run("ip", "-n", namespace, "link", "set", "eth0", "up")
        run("ip", "-n", "pn-a", "link", "add", "between", "type", "veth", "peer", "name", "between", "netns", "pn-b")
        for site, other in (("site-a", "site-b"), ("site-b", "site-a")):
            run("ip", "-n", NAMESPACES[site], "address", "add", f"{LINK[site]}/24", "dev", "between")
            run("ip", "-n", NAMESPACES[site], "link", "set", "between", "up")
        for site, other in (("site-a", "site-b"), ("site-b", "site-a")):
            run("ip", "-n", NAMESPACES[site], "route", "add", f"{ADDRESSES[other]}/32", "via", LINK[other], "dev", "between", "src", ADDRESSES[site])

    def down(self):
        for namespace in NAMESPACES.values():
            run("ip", "link", "delete", f"{namespace}-out", check=False)
            run("ip", "netns", "delete", namespace, check=False)

    def drop(self, site, rule):
        """In the namespace of `site`, incoming packets that match are dropped."""
        namespace = NAMESPACES[site]
        script = "table inet cut {\n chain input { type filter hook input priority 0; policy accept; }\n}\n" f"add rule inet cut input {rule} drop\n"
        done = subprocess.run(["ip", "netns", "exec", namespace, "nft", "-f", "-"], input=script, text=True, capture_output=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)

    # What can be cut; each is undone by heal().

    def between_sites(self):
        self.one_way("site-a", "site-b")
        self.one_way("site-b", "site-a")

    def one_way(self, source, target):
        """What `source` sends does not arrive at `target`; the other direction does."""
        self.drop(target, f"ip saddr {ADDRESSES[source]}")

    def service(self, site, port):
        """Nobody reaches this port of the site, not even the site's own services."""
        self.drop(site, f"tcp dport {port}")

    def operator(self, site):
        """The root namespace, where the command line runs, does not reach the site's services (its simulators it does)."""
        self.drop(site, f"ip saddr {HOST[site]} tcp dport 7101-7104")

    def heal(self):
        for namespace in NAMESPACES.values():
            run("ip", "netns", "exec", namespace, "nft", "delete", "table", "inet", "cut", check=False)

    @contextlib.contextmanager
    def flapping(self, cut, down=0.4, up=0.4):
        """Cut and healed in turns until the block ends."""
        ended = threading.Event()

        def flap():
            while not ended.is_set():
                cut()
                ended.wait(down)
                self.heal()
                ended.wait(up)
        thread = threading.Thread(target=flap, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            self.heal()


class NetnsLab(FailpointLab):
    def command(self, site, name):
        return ["ip", "netns", "exec", NAMESPACES[site.name], *super().command(site, name)]
