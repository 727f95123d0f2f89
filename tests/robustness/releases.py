"""./dev chaos keep-release: keeps what this release leaves on disk, for later releases to go on from.

Writes tests/robustness/releases/<version>/: `at-rest` (a planned failover and back, a disaster, a return) and `cut-off` (everything killed in the
middle of a failover), each a lab's whole state with what this release says of it. test_releases.py replays all there are. Kept once for
each release; an existing one is not overwritten without --again.
"""

import argparse
import json
import pathlib
import shutil
import sys
import tarfile
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests" / "e2e"), str(pathlib.Path(__file__).resolve().parent)]

import course  # noqa: E402
import flows  # noqa: E402
from protector_lab import layout  # noqa: E402
from world import GROUP, eventually  # noqa: E402

KEPT = pathlib.Path(__file__).resolve().parent / "releases"
ADDRESSES = "127.0.58.1,127.0.68.1"  # in what is kept: sites are registered with them


def told(world):
    """What the command line says of the group, in the words that every release has to keep."""
    view = world.b
    group = view.cli.json("protection-group", "show", GROUP)
    return {
        "group": {key: group[key] for key in ("name", "status", "current_primary_site", "epoch", "failover_count", "failback_count", "member_count")},
        "members": sorted((member["name"], member["site"]) for member in view.cli.json("protection-group", "members", GROUP)),
        "history": [(entry["version"], entry["hash"], entry["reason"]) for entry in view.cli.json("protection-group", "history", GROUP)],
        "operations": sorted((operation["operation_id"], operation["status"]) for operation in view.cli.json("operation", "list")),
    }


def keep(world, directory, name, says):
    with tarfile.open(directory / f"{name}.tar.xz", "w:xz") as archive:
        archive.add(world.layout.directory, arcname="lab", filter=lambda info: None if info.name.split("/")[-1] in ("log", "run", "failpoints") else info)
    (directory / f"{name}.json").write_text(json.dumps(says, indent=1) + "\n")


def put_back(world, archive):
    """The lab as it was left."""
    world.forget()
    with tarfile.open(archive) as file:
        for member in file.getmembers():
            assert member.name.split("/")[0] == "lab" and ".." not in member.name and (member.isfile() or member.isdir()), member.name
        file.extractall(world.layout.directory.parent)
    world.lab.up()


def at_rest(world):
    world.begin("protected")
    flows.planned(world)
    flows.failback(world)
    flows.unplanned(world)
    flows.site_returns(world)
    says = told(world)
    world.lab.down()
    return says


def cut_off(world):
    world.begin("protected")
    operation = world.start("failover")

    def under_way():
        shown = world.b.cli.try_run("operation", "show", operation, "-f", "json")
        return shown.code == 0 and "trigger_final_snapshot" in shown.json["steps_completed"]
    eventually(under_way, "it is at storage_failover", 60, 0.005)
    for view in (world.a, world.b):
        for service in layout.SERVICES:
            world.kill_process(view, service)
    world.lab.down()
    return {"operation": operation}


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--again", action="store_true")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        world = course.RobustWorld(pathlib.Path(temporary) / "release", ADDRESSES)
        version = world.a.cli.run("--version").output.split()[-1]
        directory = KEPT / version
        if directory.exists() and not options.again:
            print(f"{directory} is there; --again replaces it", file=sys.stderr)
            return 2
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        try:
            for name, story in (("at-rest", at_rest), ("cut-off", cut_off)):
                keep(world, directory, name, story(world))
        finally:
            world.close()
    print("\n".join(f"{path.relative_to(ROOT)}: {path.stat().st_size} bytes" for path in sorted(directory.iterdir())))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
