"""A few courses of every row of the kill matrix and of the fault matrix; ./dev chaos kill-matrix and fault-matrix run all of them."""

import random

import course
import fault_matrix
import pytest
from conftest import with_long
from failpoints import listed
from flows import FLOWS
from kill_matrix import points
from protector_lab import layout

KILLS, FAULTS = 3, 2  # of each flow
SEED = 20261128
SHORT = ("planned", "unplanned", "change")  # what continuous integration takes; the others are much the same work


def test_there_are_failpoints_before_and_after_every_change(crashing_world):
    names = {name for program in (*layout.SERVICES, "protector") for name in listed(crashing_world.layout, program)}
    assert len(names) >= 60
    assert {name.removeprefix("before-") for name in names if name.startswith("before-")} == {
        name.removeprefix("after-") for name in names if name.startswith("after-")}


@pytest.mark.parametrize("flow", with_long([flow for flow in FLOWS if flow.name in SHORT], FLOWS), ids=lambda flow: flow.name)
def test_what_is_left_after_a_fault_is_what_a_calm_course_leaves(crashing_world, flow):
    chance = random.Random(f"{SEED}/{flow.name}")
    calm, again = course.run(crashing_world, flow), course.run(crashing_world, flow)
    assert course.compare(calm, again) == [], "two calm courses differ"
    passed = points(calm, 1, "", chance)
    calls = fault_matrix.calls_of(crashing_world, again)
    faults = [course.AtFailpoint(point, chance.choice(("kill", "kill", "error"))) for point in chance.sample(passed, min(KILLS, len(passed)))]
    faults += [call(chance.choice(list(fault_matrix.KINDS))) for call in chance.sample(calls, min(FAULTS, len(calls)))]
    for fault in faults:
        found = course.run(crashing_world, flow, fault)
        assert course.compare(calm, found) + fault.complaints(found) == [], fault.label
