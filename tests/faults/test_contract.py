"""The contract of docs/reliability.md: each promise, in spite of each fault."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from laboratory import FAULTS, Laboratory, experiments, judge, load_catalogue
from stacks import ours


pytestmark = pytest.mark.alone

CATALOGUE = [
    pytest.param(fault, id=f"{fault.part}-{fault.id}")
    for fault in load_catalogue().values()
    if all(hasattr(ours, need) for need in fault.needs)
]


@pytest.fixture(scope="module")
def seen(request, tmp_path_factory):
    """Begin with all the experiments of this run, two at a time; give what each fault has left."""
    here = [item for item in request.session.items if item.path == request.path]
    faults = [item.callspec.params["fault"] for item in here if hasattr(item, "callspec")]
    with ThreadPoolExecutor(2) as pool:
        running = {}
        for together in experiments(faults):
            laboratory = Laboratory(together, "ours", tmp_path_factory.mktemp(together[0].id))
            run = pool.submit(laboratory.run)
            running.update(dict.fromkeys([fault.id for fault in together], run))
        yield lambda fault: running[fault.id].result()[fault.id]


@pytest.mark.parametrize("fault", CATALOGUE)
def test_the_promise_is_kept(fault, seen):
    """What the fault's own docstring says, and: nothing raised, every line whole, none missing."""
    judge(fault, seen(fault))


def test_every_fault_says_what_is_promised():
    """A promise is a sentence, and one of the contract's seven."""
    assert all(fault.__doc__.endswith(".") for fault in FAULTS.values())
    assert {fault.promise for fault in FAULTS.values()} == {*range(1, 8)}
