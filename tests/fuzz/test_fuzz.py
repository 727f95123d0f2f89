"""Each target for a short time, from the corpus that is kept and a seed that is not: an input that breaks something is printed."""

import os
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import run  # noqa: E402

SECONDS = int(os.environ.get("FUZZ_SECONDS", "15"))


@pytest.mark.parametrize("target", run.targets())
def test_no_input_breaks(target):
    done = subprocess.run(run.command(target, f"-max_total_time={SECONDS}", "-print_final_stats=1"), capture_output=True, text=True, errors="replace",
                          timeout=SECONDS + 120, check=False)
    assert done.returncode == 0, done.stderr[-6000:]
    assert "stat::number_of_executed_units" in done.stderr
