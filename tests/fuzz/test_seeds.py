"""What fuzzing begins with, and what it has ever found, keeps the promises."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from targets import TARGETS


SEEDS = sorted(Path(__file__).parent.joinpath("seeds").glob("*/*"))


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: f"{seed.parent.name}/{seed.name}")
def test_a_seed_keeps_the_promises(seed):
    """Each target raises if one of its own is broken."""
    TARGETS[seed.parent.name](seed.read_bytes())


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
@given(data=st.binary(max_size=512))
def test_any_bytes_keep_the_promises(target, data):
    """Without the guidance that a fuzzer has."""
    target(data)
