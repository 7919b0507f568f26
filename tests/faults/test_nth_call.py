"""Whichever call of the system's fails, and however: nothing raised, each line whole, or counted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import nth_call
import pytest


@pytest.fixture(scope="module")
def found(request, tmp_path_factory):
    """Run what this run's tests ask for, two at a time."""

    def run(name):
        path = os.pathsep.join(path for path in sys.path if path)
        return subprocess.run(
            [sys.executable, nth_call.__file__, name, tmp_path_factory.mktemp(name)],
            env={**os.environ, "PYTHONPATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=60,
            check=True,
        ).stdout

    here = [item for item in request.session.items if item.path == request.path]
    with ThreadPoolExecutor(2) as pool:
        running = {
            name: pool.submit(run, name) for name in (i.callspec.params["name"] for i in here)
        }
        yield lambda name: json.loads(running[name].result())


@pytest.mark.parametrize("name", nth_call.CALLS)
def test_a_call_that_fails_costs_no_line_in_silence(name, found):
    """Of the first, the second … call, once or for good: all lines are there or counted, and whole."""
    result = found(name)

    assert result["problems"] == []
