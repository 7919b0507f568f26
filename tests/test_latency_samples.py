"""What the watchdog saw of a step that took long."""

from __future__ import annotations

import gc
import sys
import threading
import weakref
from types import SimpleNamespace

import pytest

from tracelog.latency import samples
from tracelog.latency.places import Place
from tracelog.latency.samples import Sampler, Seen
from tracelog.latency.usage import Usage, UsageReader


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


class Held:
    """A thread that stays in `stay`, in a step of its own, until it is let go on."""

    def __init__(self):
        self.release = threading.Event()
        self.entered = threading.Event()
        self.thread = threading.Thread(target=self.stay, name="worker-1")

    def stay(self):
        self.entered.set()
        self.release.wait()

    def __enter__(self):
        self.thread.start()
        self.entered.wait()
        return self.thread

    def __exit__(self, *_):
        self.release.set()
        self.thread.join()


@pytest.fixture
def held():
    with Held() as thread:
        yield thread


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def machine(monkeypatch):
    """What the system says of its threads: this one, each of the others, and all together."""
    machine = {"own": Usage(1.0, 0.0, 10), "others": {}, "all": 5.0}
    monkeypatch.setattr(UsageReader, "read", lambda _: machine["own"])
    monkeypatch.setattr(samples, "usages_of_others", lambda _: machine["others"])
    return machine


@pytest.fixture
def sampler(clock, machine, held):
    return Sampler(
        clock=clock,
        process_clock=lambda: machine["all"],
        ident=held.ident,
        native_id=held.native_id,
    )


@pytest.fixture
def rivals(machine, clock, sampler):
    """Other threads have run since the step began, and so are asked for."""
    clock.now += 10.0
    machine["all"] += 2.0


def still():
    return True


def places_of(sampler, began=1.0):
    return [place.function.rpartition(".")[2] for place in sampler.seen(began).places]


def test_a_thread_is_seen_where_it_is(sampler):
    """From the inside out: `wait` is the standard library's."""
    sampler.look(1.0, still)

    assert "stay" in places_of(sampler)
    assert sampler.seen(1.0).samples == 1


def test_it_looks_at_its_own_thread_unless_told_otherwise():
    """A loop makes it where it runs."""
    sampler = Sampler()
    watchdog = threading.Thread(target=sampler.look, args=(1.0, still))

    watchdog.start()
    watchdog.join()

    assert "test_it_looks_at_its_own_thread_unless_told_otherwise" in places_of(sampler)


def test_the_stack_is_kept_as_text(sampler):
    """The innermost few: a line must not grow without bound."""
    seen = Seen([Place("/x/app.py", number, "f") for number in range(20)], 1)

    assert seen.stack == [f"app.py:{number} f" for number in range(8)]


def test_what_is_neither_on_a_cpu_nor_waits_for_one_is_idle():
    """As far as that is known."""
    assert Seen([], 1, over=2.0, running=0.25, queued=0.25).idle == 0.5
    assert Seen([], 1).idle == 0.0


def test_nobody_looks_while_there_are_other_interpreters(sampler, monkeypatch):
    """To look at their frames, too, would end the process."""
    interpreters = SimpleNamespace(list_all=lambda: [0, 1])
    monkeypatch.setitem(sys.modules, "_interpreters", interpreters)

    sampler.look(1.0, still)

    assert sampler.seen(1.0) is None


def test_a_step_that_is_over_meanwhile_is_not_sampled(sampler):
    """The stack may be the next one's."""
    sampler.look(1.0, lambda: False)

    assert sampler.seen(1.0) is None


def test_a_step_that_nobody_saw_is_not_known(sampler):
    """The samples are another's, or there are none."""
    assert sampler.seen(0.0) is None

    sampler.look(1.0, still)
    assert sampler.seen(2.0) is None

    sampler.forget()
    assert sampler.seen(1.0) is None


def test_a_thread_that_is_gone_is_nowhere(clock, machine):
    """A loop may be given up without a word."""
    sampler = Sampler(clock=clock, ident=-1, native_id=-1)

    sampler.look(1.0, still)

    assert sampler.seen(1.0) is None


def test_no_thread_is_kept_for_a_step_that_is_over(sampler, clock, machine):
    """Executors start and end them all the time."""
    for began in (1.0, 2.0):
        clock.now += 10.0
        machine["all"] += 2.0
        with Held() as busy:
            machine["others"] = {busy: Usage(5.0, 0, 0)}
            sampler.look(began, still)
        sampler.forget()
    gone, machine["others"] = weakref.ref(busy), {}

    del busy
    gc.collect()

    assert gone() is None


def test_a_new_step_has_samples_of_its_own(sampler):
    """Those of the one before are gone."""
    sampler.look(1.0, still)
    sampler.look(1.0, still)
    sampler.look(2.0, still)

    assert (sampler.seen(1.0), sampler.seen(2.0).samples) == (None, 1)


def test_where_it_was_most_of_the_time_counts(sampler, monkeypatch):
    """A step may do several things."""
    parse, render = (Place("/x/app.py", 1, name) for name in ("parse", "render"))
    stacks = iter([[parse], [render], [render]])
    monkeypatch.setattr(samples, "places_of_frames", lambda _: next(stacks))

    for _ in range(3):
        sampler.look(1.0, still)

    assert (places_of(sampler), sampler.seen(1.0).samples) == (["render"], 3)


def test_samples_are_bounded(sampler):
    """A step may never end."""
    for _ in range(1000):
        sampler.look(1.0, still)

    assert sampler.seen(1.0).samples == 256


def test_what_a_thread_had_of_the_cpu_is_shares_of_the_time_since_it_rested(
    sampler, clock, machine
):
    """Since the last look at which no step took long: that is before this one began."""
    clock.now = 110.0
    machine["own"] = Usage(3.0, 1.0, 100)
    sampler.rest()
    sampler.look(1.0, still)
    clock.now = 120.0
    machine["own"] = Usage(8.0, 3.0, 300)

    seen = sampler.seen(1.0)

    assert (seen.over, seen.running, seen.queued, seen.switches) == (10.0, 0.5, 0.2, 20.0)


@pytest.mark.parametrize("when", ["before", "after", "never"])
def test_without_the_systems_word_there_are_no_shares(clock, machine, held, when):
    """Another system, or one that has just ended the thread; or no time has passed."""
    machine["own"] = None if when == "before" else Usage(1.0, 0.0, 10)
    sampler = Sampler(clock=clock, ident=held.ident, native_id=held.native_id)
    sampler.look(1.0, still)
    machine["own"] = None if when == "after" else Usage(1.0, 0.0, 10)
    clock.now += 0.0 if when == "never" else 10.0

    seen = sampler.seen(1.0)

    assert (seen.samples, seen.over, seen.running, seen.rival) == (1, 0.0, 0.0, "")


@pytest.mark.usefixtures("rivals")
def test_the_thread_that_ran_most_meanwhile_is_its_rival(sampler, clock, machine):
    """By what each has run since the first sample; with where it was seen last."""
    with Held() as busy:
        quiet, unseen = threading.Thread(name="quiet"), threading.Thread(name="new")
        machine["others"] = {busy: Usage(5.0, 0, 0), quiet: Usage(90.0, 0, 0)}
        sampler.look(1.0, still)
        clock.now += 10.0
        machine["others"] = {
            busy: Usage(11.0, 0, 0),
            quiet: Usage(91.0, 0, 0),
            unseen: Usage(50.0, 0, 0),
        }

        seen = sampler.seen(1.0)

    assert seen.rival.startswith("worker-1 at ")
    assert seen.rival.endswith("Held.stay")


def test_what_other_threads_had_is_the_processs_without_its_own(sampler, clock, machine):
    """Of the whole step: a thread that waits for the GIL may be seen only at the end of it."""
    clock.now += 10.0
    sampler.look(1.0, still)
    machine["own"] = Usage(5.0, 0.0, 10)
    machine["all"] = 15.0

    assert sampler.seen(1.0).rivals == pytest.approx(0.6)


def test_threads_that_do_not_run_are_not_asked_for(sampler, clock, monkeypatch):
    """A pool has forty: to ask them all takes so long that the step is over before the next look."""
    asked = []
    monkeypatch.setattr(samples, "usages_of_others", asked.append)
    clock.now += 10.0

    sampler.look(1.0, still)

    assert (asked, sampler.seen(1.0).samples) == ([], 1)


@pytest.mark.usefixtures("rivals")
def test_a_rival_that_runs_no_code_of_the_users_has_a_name(sampler, clock, machine):
    """A thread of a library's, or one that was not seen."""
    gone = threading.Thread(name="pool-1")
    machine["others"] = {gone: Usage(1.0, 0, 0)}
    sampler.look(1.0, still)
    clock.now += 10.0
    machine["others"] = {gone: Usage(6.0, 0, 0)}

    assert sampler.seen(1.0).rival == "pool-1"


@pytest.mark.parametrize("passed", [0.0, 10.0], ids=["no time has passed", "it has ended"])
@pytest.mark.usefixtures("rivals")
def test_there_may_be_no_rival(sampler, clock, machine, passed):
    """Who has ended meanwhile ran for nobody knows how long."""
    machine["others"] = {threading.Thread(): Usage(1.0, 0, 0)}
    clock.now += 10.0
    sampler.look(1.0, still)
    clock.now += passed
    machine["others"] = machine["others"] if not passed else {}

    seen = sampler.seen(1.0)

    assert seen.rival == ""
    assert seen.over == 20.0 + passed


def test_the_shares_are_the_systems(held):
    """For real, with its own clock: a thread that waits hardly runs."""
    sampler = Sampler(ident=held.ident, native_id=held.native_id)
    sampler.look(1.0, still)

    seen = sampler.seen(1.0)

    assert (seen.over > 0, seen.samples) == (sys.platform == "linux", 1)
