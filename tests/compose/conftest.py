import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(pathlib.Path(__file__).resolve().parent)]

from compose_lab import GROUP, ComposeLab  # noqa: E402
from protector_lab import application  # noqa: E402


@pytest.fixture(scope="session")
def protected():
    lab = ComposeLab()
    lab.compose("down", "-v", "-t", "2", check=False)
    lab.compose("up", "-d", "--no-build")
    try:
        lab.wait_healthy()
        lab.register()
        lab.servers = application.deploy(lab.cloud("a"))
        lab.protector("a", "protection-group", "create", GROUP, "--replication-type", "async")
        lab.protector("a", "protection-group", "set-mapping", GROUP, *application.mapping_arguments("site-a", "site-b"), "--both-directions")
        lab.protector("a", "protection-group", "add-member", GROUP, *lab.servers)
        lab.wait_protected("a")
        lab.addresses = {name: application.addresses(server) for name, server in lab.servers.items()}
        yield lab
    finally:
        evidence = ROOT / "build" / "compose"
        evidence.mkdir(parents=True, exist_ok=True)
        (evidence / "containers.log").write_text(lab.compose("logs", "--no-color", check=False).stdout)
        lab.compose("down", "-v", "-t", "2", check=False)


