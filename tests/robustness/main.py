"""./dev chaos: which kind of it."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

KINDS = ("random", "kill-matrix", "fault-matrix", "load", "keep-release")


def main(arguments):
    kind = arguments[0] if arguments and not arguments[0].startswith("-") else "random"
    if kind not in KINDS:
        print(f"chaos: no kind '{kind}'; there are {', '.join(KINDS)}", file=sys.stderr)
        return 2
    module = __import__({"random": "chaos", "keep-release": "releases"}.get(kind, kind.replace("-", "_")))
    return module.main(arguments[1:] if arguments and arguments[0] == kind else arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
