"""Every line of real servers, for each kind of them, carries its own connection and its own trace."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest


def load_matrix():
    path = Path(__file__).with_name("matrix.py")
    spec = importlib.util.spec_from_file_location("matrix", path)
    module = sys.modules["matrix"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


matrix = load_matrix()
pytestmark = pytest.mark.alone  # it drives several servers at a time


@pytest.fixture(scope="module")
def driven(request):
    """Drive the servers that are asked for, some at a time."""
    asked = [item for item in request.session.items if "judgements" in item.fixturenames]
    kinds = dict.fromkeys(item.callspec.params["judgements"] for item in asked)
    with matrix.driving(kinds) as running:
        yield running


@pytest.fixture(scope="module", params=matrix.COMBINATIONS, ids="-".join)
def judgements(request, driven):
    return driven[request.param].result()


def test_every_line_is_its_own(judgements):
    """Not one without a connection, a trace where there is one, or with a stranger's."""
    unsound = [judgement for judgement in judgements if not judgement.sound]

    assert not unsound, unsound


def test_every_event_happened(judgements):
    """Each has said something at INFO or above: the judges had something to judge."""
    assert [judgement.event for judgement in judgements] == list(matrix.EVENTS)
    assert all(judgement.serious for judgement in judgements)
