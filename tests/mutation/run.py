"""./dev mutate [PROMISE...]: takes the code that keeps a promise out, builds, and runs the promise's tests. They have to fail.

Works on a copy of the last commit in build/mutation, with a build of its own; the sources here are not touched. Prints a table; exit
code 1 if a mutation survived, did not fit or did not build.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from mutations import MUTATIONS  # noqa: E402

TREE = ROOT / "build" / "mutation" / "tree"
PROGRAMS = ["flasharray-sim", "openstack-sim", "site-registry", "metadata-sync", "orchestrator", "storage-pure", "protector", "protector-login"]
SUITES = ("tests/e2e/test_promises.py", "tests/e2e/test_users.py", "tests/e2e/test_audit.py")


def run(command, log, **options):
    with open(log, "a", encoding="utf-8") as out:
        return subprocess.run(command, cwd=TREE, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False, **options).returncode


def lay_out():
    shutil.rmtree(TREE.parent, ignore_errors=True)
    TREE.mkdir(parents=True)
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    subprocess.run(["tar", "-x", "-C", TREE], input=archive, check=True)


def build(log):
    return run(["bash", "-c", ". tools/dev/common.sh; build dev " + " ".join(PROGRAMS)], log) == 0


def tests(expression, log, *options):
    """Names of the tests that failed, and how many passed."""
    environment = os.environ | {"PROTECTOR_E2E_IPS": "127.0.15.1,127.0.25.1", "PROTECTOR_E2E_DIR": str(TREE / "build" / "e2e"), "PYTHONPATH": str(TREE / "tools")}
    run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *SUITES, "-k", expression, *options], log, env=environment)
    text = log.read_text(encoding="utf-8")
    failed = re.findall(r"^(?:FAILED|ERROR) \S+::(\S+)", text, re.MULTILINE)
    passed = re.findall(r"(\d+) passed", text)
    return failed, int(passed[-1]) if passed else 0


def judge(mutation, log):
    path = TREE / mutation.file
    original = path.read_text(encoding="utf-8")
    if original.count(mutation.old) != 1:
        return False, f"does not fit: the text is {original.count(mutation.old)} times in {mutation.file}"
    path.write_text(original.replace(mutation.old, mutation.new), encoding="utf-8")
    try:
        if not build(log):
            return False, f"does not build, see {log}"
        failed, passed = tests(mutation.tests, log, "-x")
    finally:
        path.write_text(original, encoding="utf-8")
    if not failed:
        return False, f"SURVIVED: {passed} tests passed, see {log}"
    return True, "noticed by " + ", ".join(failed)


def main(arguments):
    chosen = [mutation for mutation in MUTATIONS if not arguments or mutation.promise in arguments]
    if not chosen:
        print(f"no mutation of {' '.join(arguments)}; there are {' '.join(dict.fromkeys(m.promise for m in MUTATIONS))}", file=sys.stderr)
        return 2
    lay_out()
    first = TREE.parent / "unchanged.log"
    print("==> building and testing the unchanged copy", file=sys.stderr)
    if not build(first):
        print(f"the unchanged copy does not build, see {first}", file=sys.stderr)
        return 1
    failed, passed = tests(" or ".join(dict.fromkeys(mutation.tests for mutation in chosen)), first)
    if failed or not passed:
        print(f"the unchanged copy fails already: {', '.join(failed) or 'no test ran'}, see {first}", file=sys.stderr)
        return 1
    survived = 0
    for number, mutation in enumerate(chosen, 1):
        began = time.monotonic()
        good, text = judge(mutation, TREE.parent / f"{number:02}-{mutation.promise}.log")
        survived += not good
        print(f"{mutation.promise:4} {mutation.what}: {text} ({time.monotonic() - began:.0f} s)", flush=True)
    print(f"{len(chosen) - survived} noticed, {survived} not; unchanged: {passed} passed")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
