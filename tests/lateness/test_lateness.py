"""Whoever is late, the verdict says why: the catalogue, on both event loops."""

from __future__ import annotations

import asyncio

import pytest
import scenarios
from clients import Server

pytestmark = pytest.mark.alone


@pytest.fixture(scope="module", params=scenarios.LOOPS)
def server(request):
    server = Server(request.param)
    try:
        asyncio.run(scenarios.start(server))
        yield server
    finally:
        server.stop()


@pytest.mark.parametrize("scenario", scenarios.SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_verdict_tells_the_truth(server, scenario):
    """How long the client has waited, in which box, because of whom, where and how; and no one else."""
    outcome, faults = scenarios.judge(scenario, server.loop, server)

    assert not faults, outcome.verdict


def test_the_catalogue_has_both_the_late_and_the_innocent():
    """Thirty ways to be late, and some where nobody is to be blamed."""
    blamed = [s for s in scenarios.SCENARIOS if any(truth.by for truth in s.because)]

    assert len(scenarios.SCENARIOS) >= 30
    assert 0 < len(blamed) < len(scenarios.SCENARIOS)
