"""./dev lint: rules of CONTRIBUTING.md that no other tool checks."""

import pathlib
import re
import subprocess
import sys

LONGEST = 500          # lines; a longer file needs a line "// long: <reason>" near its top
COMMENT_EVERY_FIELD = re.compile(r"^\s*(repeated |optional )?[\w.<>, ]+ \w+ = \d+;")
GRPC_HOMES = ("transport/", "adapters/", "libs/grpc/", "app.cc", "app.h", "cli/", "main.cc", "tests/", "libs/base/error")


def tracked(*patterns):
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", *patterns], capture_output=True, text=True, check=True)
    return [pathlib.Path(line) for line in out.stdout.splitlines() if pathlib.Path(line).exists()]


def long_files():
    for path in tracked("*.h", "*.cc", "*.py"):
        lines = path.read_text(errors="replace").splitlines()
        if len(lines) > LONGEST and not any("long:" in line for line in lines[:12]):
            yield f"{path}: {len(lines)} lines without a reason (// long: ...)"


def uncommented_fields():
    for path in tracked("proto/protector/*.proto"):
        before = ""
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if COMMENT_EVERY_FIELD.match(line) and not before.strip().startswith("//") and "//" not in line:
                yield f"{path}:{number}: field without a comment"
            before = line


def grpc_in_the_core():
    for path in tracked("services/*.h", "services/*.cc", "libs/*.h", "libs/*.cc"):
        if "/domain/" in str(path) and "grpcpp/" in path.read_text(errors="replace"):
            yield f"{path}: gRPC in the domain; it belongs in transport/ or adapters/"


def python_compiles():
    for path in tracked("*.py"):
        try:
            compile(path.read_text(), str(path), "exec")
        except SyntaxError as error:
            yield f"{path}:{error.lineno}: {error.msg}"


def main():
    found = [line for rule in (long_files, uncommented_fields, grpc_in_the_core, python_compiles) for line in rule()]
    for line in found:
        print(line, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
