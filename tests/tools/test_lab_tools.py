"""The lab's own arithmetic: a test suite is worth no more than what counts its failures and its lost writes."""

import pathlib
import subprocess
import sys
import time

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from protector_lab import configs, layout, ledger, process, residue, results  # noqa: E402


def test_counts_of_ctest_and_pytest_files(tmp_path):
    ctest = tmp_path / "ctest.xml"
    ctest.write_text('<testsuite><testcase name="a" status="run"/><testcase name="b" status="fail"><failure/></testcase>'
                     '<testcase name="c" status="notrun"/><testcase name="d" status="disabled"><skipped/></testcase></testsuite>')
    pytests = tmp_path / "pytest.xml"
    pytests.write_text('<testsuites><testsuite><testcase name="a"/><testcase name="b"><error/></testcase>'
                       '<testcase name="c"><skipped/></testcase></testsuite></testsuites>')
    assert results.count([ctest]) == (1, 2, 1)
    assert results.count([pytests]) == (1, 1, 1)
    assert results.text(*results.count([ctest, pytests])) == "2 passed, 3 failed, 2 skipped"


def test_a_result_file_that_was_cut_off_counts_as_failed(tmp_path):
    cut = tmp_path / "cut.xml"
    cut.write_text("<testsuite><testcase name='a'")
    assert results.count([cut]) == (0, 1, 0)


def test_lost_writes_are_what_was_acknowledged_beyond_what_was_found():
    source = {"lineages": {"x": {"acknowledged": [{"first": 1, "last": 40, "first_ms": 0, "last_ms": 400}],
                                 "records": [[number, number * 10] for number in range(1, 41)]},
                           "y": {"acknowledged": [{"first": 1, "last": 7, "first_ms": 0, "last_ms": 70}], "records": []}}}
    target = {"volumes": [{"server_id": "new", "lineage": "x", "found_at_boot": {"sequence": 33, "time_ms": 330}},
                          {"server_id": "new", "lineage": "y", "found_at_boot": {"sequence": 7, "time_ms": 70}},
                          {"server_id": "other", "lineage": "z", "found_at_boot": None}]}
    assert ledger.lost_writes(source, target, {"new"}) == {"x": 7, "y": 0}
    assert ledger.lost_writes(source, target, {"new"}, before_ms=350) == {"x": 2, "y": 0}


def test_a_volume_without_any_record_has_lost_everything():
    source = {"lineages": {"x": {"acknowledged": [{"first": 1, "last": 5, "first_ms": 0, "last_ms": 50}]}}}
    target = {"volumes": [{"server_id": "new", "lineage": "x", "found_at_boot": None}]}
    assert ledger.lost_writes(source, target, {"new"}) == {"x": 5}


def test_residue_is_what_is_too_many_and_new():
    before = {"site-a": {"server": {"old"}, "volume": set()}}
    after = {"site-a": {"server": {"old", "new-1", "new-2"}, "volume": {"left"}}}
    assert residue.residue(before, after, {"site-a": {"server": 2, "volume": 1}}) == []
    found = residue.residue(before, after, {"site-a": {"server": 1}})
    assert len(found) == 2 and "server" in found[0] and "left" in found[1]


def test_configuration_text_is_yaml():
    value = {"site": "site-a", "metrics": {"listen": "127.0.0.1:1"}, "list": [{"a": "x: y", "b": 2}], "flag": True, "q": 'say "hi"\\'}
    assert yaml.safe_load(configs.yaml_text(value)) == value


def test_two_sites_cannot_share_an_address(tmp_path):
    with pytest.raises(ValueError):
        layout.from_environment({"PROTECTOR_LAB_IPS": "127.0.0.1,127.0.0.1"}, tmp_path)


def test_a_process_is_there_until_its_last_thread_is_gone():
    program = ("import ctypes, sys, threading\nthreading.Thread(target=sys.stdin.read).start()\nprint(flush=True)\n"
               "ctypes.CDLL(None).pthread_exit(None)")
    child = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child.stdout.read(1)
    deadline = time.monotonic() + 10
    while pathlib.Path(f"/proc/{child.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z":
        assert time.monotonic() < deadline, "its first thread does not end"
    assert process.start_time(child.pid) is not None, "its second thread still holds files and sockets"
    child.stdin.close()
    while process.start_time(child.pid) is not None:
        assert time.monotonic() < deadline, "it does not end"
    child.wait()
