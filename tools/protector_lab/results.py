"""Counts of test runs, from their JUnit files.

    python3 -m protector_lab.results sum FILE...            "12 passed, 0 failed[, 1 skipped]"; exit 1 when something failed
    python3 -m protector_lab.results fail FILE NAME TEXT    writes a file with one failed case
    python3 -m protector_lab.results pass FILE NAME         writes a file with one passed case
"""

import pathlib
import sys
import xml.etree.ElementTree as ElementTree


def count(files):
    passed = failed = skipped = 0
    for name in files:
        path = pathlib.Path(name)
        if not path.exists():
            continue
        try:
            root = ElementTree.parse(path).getroot()
        except ElementTree.ParseError:
            failed += 1  # a run that was cut off while writing
            continue
        for case in root.iter("testcase"):
            kinds = {child.tag for child in case}
            if kinds & {"failure", "error"} or case.get("status") in ("fail", "notrun") and "skipped" not in kinds:
                failed += 1
            elif "skipped" in kinds or case.get("status") == "disabled":
                skipped += 1
            else:
                passed += 1
    return passed, failed, skipped


def text(passed, failed, skipped):
    return f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else "")


def write(path, name, failure=None):
    suite = ElementTree.Element("testsuite", name=name)
    case = ElementTree.SubElement(suite, "testcase", classname=name, name=name)
    if failure is not None:
        ElementTree.SubElement(case, "failure", message=failure)
    pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
    ElementTree.ElementTree(suite).write(path)


def main(arguments):
    verb, *rest = arguments
    if verb == "sum":
        counts = count(rest)
        print(text(*counts))
        return 1 if counts[1] else 0
    if verb == "fail":
        write(rest[0], rest[1], " ".join(rest[2:]))
    elif verb == "pass":
        write(rest[0], rest[1])
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
