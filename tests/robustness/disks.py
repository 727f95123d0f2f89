"""What happens to the disk of a service: it fills up, becomes read-only, is read back wrongly, or holds an older copy than it should.

A small file system of its own (tmpfs; needs root) takes the place of the service's state directory, so that nothing else runs full.
"""

import contextlib
import pathlib
import random
import shutil
import sqlite3
import subprocess


def directory(world, view, service):
    return view.site.directory / "state" / service


def database(world, view, service):
    """The service's state; the record of changes is a file of its own beside it."""
    path = directory(world, view, service) / f"{service}.db"
    assert path.exists(), path
    return path


class SmallDisk:
    """A mounted file system that can be filled to its last byte and emptied again."""

    def __init__(self, path):
        self.path = path
        self._filling = path / "filling"

    def fill(self):
        block = b"x" * 4096
        with open(self._filling, "ab", buffering=0) as filling, contextlib.suppress(OSError):
            while True:
                filling.write(block)

    def free(self):
        self._filling.unlink(missing_ok=True)


@contextlib.contextmanager
def small_disk(world, view, service, megabytes=16):
    """The service's state on a file system of this size. The service is started again on it, and off it at the end."""
    path = directory(world, view, service)
    aside = path.with_name(path.name + ".aside")
    world.lab.process(view.site, service).stop()
    shutil.copytree(path, aside)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700", "tmpfs", str(path)], check=True)
    try:
        shutil.copytree(aside, path, dirs_exist_ok=True)
        world.start_process(view, service)
        yield SmallDisk(path)
    finally:
        world.lab.process(view.site, service).stop()
        shutil.rmtree(aside)
        shutil.copytree(path, aside, ignore=shutil.ignore_patterns("filling"))
        subprocess.run(["umount", str(path)], check=True)
        shutil.rmtree(path)
        aside.rename(path)
        world.start_process(view, service)


@contextlib.contextmanager
def read_only(path):
    """Nothing below this directory can be written; whoever had a file open is gone by now."""
    subprocess.run(["mount", "--bind", str(path), str(path)], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(path)], check=True)
        yield
    finally:
        subprocess.run(["umount", str(path)], check=True)


@contextlib.contextmanager
def held(path):
    """Another program holds the database, as a backup tool or somebody's shell may."""
    other = sqlite3.connect(path, isolation_level=None, timeout=5)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


def damage(path, seed):
    """Some bytes near the end of each page, where SQLite keeps what was written first, read back as something else."""
    chance = random.Random(seed)
    with open(path, "r+b") as file:
        for page in range(4096, path.stat().st_size, 4096):
            file.seek(page + 4096 - chance.randrange(64, 256))
            file.write(chance.randbytes(32))


def cut(path, remaining):
    """The file ends early, as after a power failure on a disk that lied."""
    with open(path, "r+b") as file:
        file.truncate(remaining)


def set_aside(path):
    """What the remedy says: the file with -wal and -shm out of the way."""
    for suffix in ("", "-wal", "-shm"):
        whole = pathlib.Path(str(path) + suffix)
        if whole.exists():
            whole.rename(str(whole) + ".aside")


def keep_copy(path, to):
    """A copy of the database as it is now, made the way the documentation says a backup is made."""
    source, target = sqlite3.connect(path), sqlite3.connect(to)
    with target:
        source.backup(target)
    source.close()
    target.close()


def put_back(copy, path):
    set_aside(path)
    shutil.copy(copy, path)
