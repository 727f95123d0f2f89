"""Many courses, each with one fault, against the calm one of the same flow: the cells of a table."""

import json
import os
import pathlib
import sys
import time
import traceback

import course

DIRECTORY = pathlib.Path(os.environ.get("PROTECTOR_CHAOS_DIR") or pathlib.Path(__file__).resolve().parents[2] / "build" / "chaos")
PASSED, FAILED, NOT_MET = range(3)


def say(text):
    print(text, file=sys.stderr, flush=True)


class Matrix:
    def __init__(self, world, name):
        self.world = world
        self.name = name
        self.cells = {}  # (row, flow name) -> [passed, failed, not met]
        self.failures = []
        self.began = time.monotonic()

    def calm(self, story):
        """The calm course, run twice: what differs between two of them cannot be compared with anything. The lab is left as it ended."""
        began = time.monotonic()
        calm, again = course.run(self.world, story), course.run(self.world, story)
        if lines := course.compare(calm, again):
            raise SystemExit(f"{story.name}: two calm courses differ:\n  " + "\n  ".join(lines))
        say(f"==> {story.name}: {len(calm.hits)} hits of {len({hit.name for hit in calm.hits})} failpoints; "
            f"a calm course takes {(time.monotonic() - began) / 2:.1f} s")
        return again

    def cell(self, story, calm, row, fault):
        """One course; whether it met its fault."""
        began = time.monotonic()
        met = True
        try:
            found = course.run(self.world, story, fault)
            met = found.carried_out
            lines = course.compare(calm, found) + fault.complaints(found)
        except Exception:  # noqa: BLE001 - whatever it was, it belongs to this cell
            lines = traceback.format_exc().splitlines()[-12:]
        if lines:
            what = f"{story.name}: {fault.label}"
            kept = self.world.keep_evidence(what)
            self.failures.append({"course": what, "why": lines, "kept": str(kept)})
            say(f"FAILED {what} ({time.monotonic() - began:.1f} s)\n  " + "\n  ".join(lines))
        counts = self.cells.setdefault((row, story.name), [0, 0, 0])
        counts[FAILED if lines else PASSED if met else NOT_MET] += 1
        return met

    def table(self, stories, title):
        rows = sorted({row for row, _ in self.cells})
        width = max(map(len, [title, *rows]))
        lines = [f"{title:{width}}" + "".join(f"  {story.name:>10}" for story in stories)]
        for row in rows:
            lines.append(f"{row:{width}}" + "".join(f"  {self.text(row, story):>10}" for story in stories))
        return "\n".join(lines)

    def text(self, row, story):
        passed, failed, not_met = self.cells.get((row, story.name), (0, 0, 0))
        if failed:
            return f"FAILED {failed}"
        return f"{passed} passed" if passed else "not met" if not_met else ""

    def conclude(self, stories, title, remark):
        """Prints and keeps the table; the exit code."""
        print(self.table(stories, title))
        total = [sum(counts[kind] for counts in self.cells.values()) for kind in range(3)]
        print(f"{total[PASSED]} courses ended as the calm one, {total[FAILED]} did not, {total[NOT_MET]} did not meet their fault; "
              f"{len({row for row, _ in self.cells})} rows, {time.monotonic() - self.began:.0f} s; {remark}")
        DIRECTORY.mkdir(parents=True, exist_ok=True)
        (DIRECTORY / f"{self.name}.json").write_text(json.dumps(
            {"remark": remark, "failures": self.failures, "cells": {f"{row} | {flow}": counts for (row, flow), counts in self.cells.items()}}, indent=1))
        return 1 if total[FAILED] else 0
