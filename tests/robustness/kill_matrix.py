"""./dev chaos kill-matrix [FLOW...]: kills a service at every failpoint that each flow passes, and compares what is left with the calm course.

  --each N       for each point: its first hit and N - 1 others of its hits, drawn from the seed (default 1)
  --double N     N courses with a second death, at a failpoint of the recovery from the first (default 0); all: every failpoint of a
                 service once as the place of the second death
  --only-double  no courses with one death
  --only TEXT    points whose name holds TEXT
  --action A     kill (default), error, or delay=MILLISECONDS
  --seed N       what is drawn (default: from the clock, printed)

Prints a table, one row for each point, one column for each flow. Exit code 1 if any course ended differently.
"""

import argparse
import os
import pathlib
import random
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests" / "e2e"), str(pathlib.Path(__file__).resolve().parent)]

import course  # noqa: E402
from failpoints import Point  # noqa: E402
from flows import FLOWS, flow  # noqa: E402
from matrix import DIRECTORY, Matrix, say  # noqa: E402

def points(calm, each, only, chance):
    """One Point for each place that was passed, and more of its hits as asked."""
    places = {}
    for hit in calm.hits:
        places.setdefault((hit.site, hit.program, hit.name), []).append(hit.number)
    chosen = []
    for (site, program, name), numbers in sorted(places.items()):
        if only in name:
            others = chance.sample(numbers[1:], min(each - 1, len(numbers) - 1))
            chosen += [Point(site, program, name, number) for number in [1, *sorted(others)]]
    return chosen


FIRSTS = 3  # places of the first death that are tried until the recovery comes by the place of the second


def second_deaths(calm, chosen, count, chance):
    """[(place of the second death, places of the first one to try)]. Any point of the same service may be the second: what a service
    passes on its way back is among them."""
    services = [point for point in chosen if point.program != "protector"]  # only those have somebody who starts them again
    firsts = {}
    for point in services:
        firsts.setdefault((point.site, point.program), []).append(point)
    places = sorted({(hit.site, hit.program, hit.name) for hit in calm.hits if (hit.site, hit.program) in firsts})
    if count != "all":
        places = [chance.choice(places) for _ in range(int(count))]
    return [(Point(*place), chance.sample(firsts[place[:2]], min(FIRSTS, len(firsts[place[:2]])))) for place in places]


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("flows", nargs="*")
    parser.add_argument("--each", type=int, default=1)
    parser.add_argument("--double", default="0")
    parser.add_argument("--only-double", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--action", default="kill")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args(arguments)
    stories = [flow(name) for name in options.flows] or list(FLOWS)
    say(f"==> seed {options.seed}")
    world = course.RobustWorld(DIRECTORY / "kill-matrix", os.environ.get("PROTECTOR_CHAOS_IPS", "127.0.71.1,127.0.81.1"))
    matrix, chance, doubles = Matrix(world, "kill-matrix"), random.Random(options.seed), 0
    try:
        for story in stories:
            calm = matrix.calm(story)
            chosen = points(calm, options.each, options.only, chance)
            for point in [] if options.only_double else chosen:
                matrix.cell(story, calm, point.name, course.AtFailpoint(point, options.action))
            for second, firsts in second_deaths(calm, chosen, options.double, chance):
                for first in firsts:
                    doubles += 1
                    if matrix.cell(story, calm, f"{second.name}, second death", course.AtFailpoint(first, options.action, second)):
                        break
    finally:
        world.close()
    return matrix.conclude(stories, "failpoint", f"{doubles} of them for two deaths, seed {options.seed}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
