"""A few rounds of ./dev chaos, the same ones every time: what it found once must not come back."""

import chaos
import pytest
from conftest import with_long

ROUNDS = 6


@pytest.mark.parametrize("seed", with_long((5,), [5, 20261128]))
def test_random_operations_and_faults_leave_every_invariant_whole(crashing_world, seed):
    said = []
    simulation = chaos.Simulation(crashing_world, seed, said.append)
    simulation.begin()
    try:
        for number in range(1, ROUNDS + 1):
            simulation.round(number)
    except Exception as error:
        raise AssertionError("\n".join(said)) from error
    finally:
        crashing_world.lab.unsupervise()
