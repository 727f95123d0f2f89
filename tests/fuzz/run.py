"""./dev fuzz TARGET [LIBFUZZER OPTION...]: one target for as long as asked. What it finds beyond the corpus is kept in build-fuzz/corpus;
an input that breaks something is kept as build-fuzz/crash-*. Without a target: which there are."""

import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
BUILD = HERE.parents[1] / "build-fuzz"


def targets():
    return sorted(path.name for path in (HERE / "corpus").iterdir())


def command(target, *options):
    """Inputs are small: what a parser does with long ones it does with short ones first."""
    found = BUILD / "corpus" / target
    found.mkdir(parents=True, exist_ok=True)
    return [str(BUILD / "bin" / f"fuzz-{target}"), f"-artifact_prefix={BUILD}/", "-max_len=8192", "-timeout=10", "-rss_limit_mb=2048", *options, str(found),
            str(HERE / "corpus" / target)]


def main(arguments):
    if not arguments or arguments[0] not in targets():
        print(f"targets: {', '.join(targets())}", file=sys.stderr)
        return 2
    words = command(arguments[0], *arguments[1:])
    os.execv(words[0], words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
