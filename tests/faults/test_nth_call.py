"""Whichever call of the system's fails, and however: nothing raised, each line whole, or counted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import nth_call
import pytest


pytestmark = pytest.mark.alone


@pytest.fixture(scope="module")
def found(request, tmp_path_factory):
    """Run what this run's tests ask for, in two interpreters."""

    def run(folder, names):
        path = os.pathsep.join(path for path in sys.path if path)
        return subprocess.run(
            [sys.executable, nth_call.__file__, folder, *names],
            env={**os.environ, "PYTHONPATH": path},
            stdout=subprocess.PIPE,
            timeout=60,
            check=True,
        ).stdout

    here = [item for item in request.session.items if item.path == request.path]
    names = [item.callspec.params["name"] for item in here]
    parts = (names[0::3], names[1::3] + names[2::3])
    folders = [tmp_path_factory.mktemp("calls") for _ in parts]  # no two threads may make one
    with ThreadPoolExecutor(2) as pool:
        outputs = pool.map(run, folders, parts)
        return {name: problems for each in outputs for name, problems in json.loads(each).items()}


@pytest.mark.parametrize("name", nth_call.CALLS)
def test_a_call_that_fails_costs_no_line_in_silence(name, found):
    """Of the first, the second … call, once or for good: all lines are there or counted, and whole."""
    assert found[name] == []
