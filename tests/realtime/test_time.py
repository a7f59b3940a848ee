"""Time in a control loop: deadlines, histograms, events; and what is asked of the interpreter and the system."""

from __future__ import annotations

import gc
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synaptick import ConfigError
from synaptick.realtime import EventLog, Histogram, MonotonicClock, Pacer, Quiet
from synaptick.realtime import system as quiet_system
from synaptick.realtime.faults import Spells

from ..support.machines import MS, FakeClock

# ---- time


@pytest.mark.parametrize("rate", [1000.0, 3.0, 7.3, 44_100.0])
def test_deadlines_do_not_drift(rate: float) -> None:
    clock = FakeClock(late=3)
    pacer = Pacer(rate, 0, 10**12, clock)
    pacer.begin()
    start = clock.time
    for k in range(1, 5001):
        clock.time += k % 50  # work that takes no two times the same
        pacer.wait()
        assert abs((clock.time - pacer.late - start) - k * 1e9 / rate) <= 1.0
        assert pacer.late == 3
    assert pacer.deadline - start == pytest.approx(5001 * 1e9 / rate, abs=1.0)


def test_the_last_part_is_spun() -> None:
    clock = FakeClock(look=100)
    pacer = Pacer(1000.0, 50_000, 10**12, clock)
    pacer.begin()
    for _ in range(20):
        pacer.wait()
        assert 0 <= pacer.late <= 100
    assert all(0 < slept <= MS - 50_000 for slept in clock.slept)
    assert len(clock.slept) == 20


def test_periods_that_have_passed_are_dropped_and_the_grid_is_kept() -> None:
    clock = FakeClock()
    pacer = Pacer(1000.0, 0, 10**9, clock)
    pacer.begin()
    start = clock.time
    assert pacer.drop() == 0
    pacer.wait()
    clock.time += int(3.5 * MS)
    assert pacer.drop() == 3
    assert pacer.drop() == 0
    pacer.wait()
    assert (clock.time - start, pacer.late) == (5 * MS, 0)
    clock.time += 2 * MS
    assert pacer.drop() == 2  # a deadline that is now has passed
    pacer.wait()
    assert clock.time - start == 8 * MS


@pytest.mark.parametrize("jump", [3600 * 1000 * MS, -3600 * 1000 * MS])
@pytest.mark.parametrize("asleep", [True, False])
def test_a_jump_of_the_clock_is_told_and_not_caught_up_with(jump: int, asleep: bool) -> None:
    clock = FakeClock(look=10)
    pacer = Pacer(1000.0, 100_000, 1000 * MS, clock)
    pacer.begin()
    pacer.wait()
    if asleep:
        clock.jumps = {clock.time + MS // 2: jump}
    else:
        clock.time += jump
        assert pacer.drop() == 0
    pacer.wait()
    assert pacer.jumped == pytest.approx(jump, abs=MS)
    before = clock.time
    for k in range(1, 10):
        pacer.wait()
        assert pacer.jumped == 0
        assert clock.time - before == pytest.approx(k * MS, abs=200)


def test_the_clock_of_the_system_goes_on() -> None:
    clock = MonotonicClock()
    begun = clock.now()
    clock.sleep(1000)
    assert clock.now() - begun >= 1000


# ---- histograms


def test_percentiles_are_within_the_stated_precision() -> None:
    rng = np.random.default_rng(0)
    for scale in (3.0, 6.0, 9.0, 13.0):
        sample = np.exp(rng.normal(scale, 2.0, 20_011)).astype(np.int64)
        histogram = Histogram()
        for value in sample.tolist():
            histogram.add(value)
        for share in (0.0, 0.01, 0.5, 0.9, 0.99, 0.999, 1.0):
            # With odd numbers of samples no share falls between two of them, where definitions of quantiles differ.
            exact = float(np.percentile(sample, 100 * share, method="inverted_cdf"))
            found = histogram.quantile(share)
            assert found == pytest.approx(exact, rel=Histogram.PRECISION if exact >= 256 else 1e-9)
        assert (histogram.count, histogram.least, histogram.greatest) == (20_011, sample.min(), sample.max())
        assert histogram.mean == pytest.approx(sample.mean())


def test_histograms_are_added_up_and_emptied() -> None:
    rng = np.random.default_rng(1)
    first, second = (rng.integers(1, 10**7, 500).tolist() for _ in range(2))
    whole, ours, theirs = Histogram(), Histogram(), Histogram()
    for value in first:
        ours.add(value)
    for value in second:
        theirs.add(value)
    for value in first + second:
        whole.add(value)
    ours.merge(theirs)
    ours.merge(Histogram())
    assert ours.to_dict() == whole.to_dict()
    nbytes = ours.nbytes
    ours.reset()
    assert ours.to_dict() == Histogram().to_dict()
    assert (ours.count, ours.mean, ours.quantile(0.5), ours.nbytes) == (0, None, None, nbytes)
    ours.merge(whole)
    assert ours.to_dict() == whole.to_dict()


def test_no_duration_is_too_short_or_too_long() -> None:
    histogram = Histogram()
    for value in (-5, 0, 2**70):
        histogram.add(value)
    assert (histogram.least, histogram.greatest, histogram.quantile(0.5)) == (0, 2**70, 0)


def test_counting_keeps_no_memory() -> None:
    histogram = Histogram()
    values = np.random.default_rng(0).integers(1, 10**9, 100).tolist()
    for value in values:
        histogram.add(value)
    blocks = sys.getallocatedblocks()
    for _ in range(200):
        for value in values:
            histogram.add(value)
    assert sys.getallocatedblocks() - blocks < 50


# ---- events


def test_the_log_keeps_the_last_events_and_counts_all() -> None:
    log = EventLog(5)
    for k in range(12):
        log.add(k, k / 10, "even" if k % 2 == 0 else "odd", f"event {k}")
    assert [event.step for event in log.events()] == [7, 8, 9, 10, 11]
    assert (len(log), log.lost, log.counts) == (5, 7, {"even": 6, "odd": 6})
    assert json.loads(json.dumps(log.to_dict()))["events"][0]["what"] == "event 7"


def test_trouble_that_flickers_is_one_spell() -> None:
    noted: list[tuple[str, str]] = []
    spells = Spells(lambda kind, what: noted.append((kind, what)))
    for step in range(1, 1001):
        if step <= 300 and step % 3 == 0:
            spells.say("action", step, f"first at {step}")
        if step == 700:
            spells.say("input", step, "once")
        spells.end_others(step)
    assert noted == [
        ("action", "first at 3"),
        ("action", "over: in 100 steps, the last of them 300"),
        ("input", "once"),
        ("input", "over: in 1 step, the last of them 700"),
    ]
    assert spells.steps == {"action": 100, "input": 1}


# ---- the interpreter and the system


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("enabled", [False, True])
def test_the_collector_is_as_before_however_it_ends(enabled: bool, fails: bool) -> None:
    interval, was = sys.getswitchinterval(), gc.isenabled()
    quiet = Quiet()
    (gc.enable if enabled else gc.disable)()
    try:
        try:
            with quiet:
                assert not gc.isenabled()
                assert gc.get_freeze_count() > 0
                assert sys.getswitchinterval() <= quiet_system.SWITCH_INTERVAL * 1.001
                junk: list[Any] = [[] for _ in range(5000)]
                assert quiet.collections == 0
                gc.collect()
                assert quiet.collections == 1  # the counter counts
                del junk
                if fails:
                    raise KeyboardInterrupt
        except KeyboardInterrupt:
            assert fails
        assert gc.isenabled() == enabled
        assert gc.get_freeze_count() == 0
        assert sys.getswitchinterval() == interval
        gc.collect()
        assert quiet.collections == 1
    finally:
        (gc.enable if was else gc.disable)()


def test_the_collector_may_stay_on() -> None:
    with Quiet(collect=True) as quiet:
        assert gc.isenabled()
    assert "collector" not in quiet.notes


def test_what_the_system_refuses_is_noted_and_not_fatal(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setscheduler", refuse, raising=False)
    monkeypatch.delattr(os, "sched_setaffinity", raising=False)
    with Quiet(cpus={0}, priority=50) as quiet:
        assert quiet.notes["priority"] == "not allowed: [Errno 1] Operation not permitted"
        assert quiet.notes["cpus"] == "not allowed: this system has no such call"


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no processor to be pinned to")
def test_pinning_and_priority_are_given_back() -> None:
    before = os.sched_getaffinity(0), os.sched_getscheduler(0)
    with Quiet(cpus=min(before[0]), priority=1) as quiet:
        assert os.sched_getaffinity(0) == {min(before[0])}
        assert quiet.notes["cpus"].startswith("pinned to ")
        policy = os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK
        assert (policy == os.SCHED_FIFO) == (quiet.notes["priority"] == "SCHED_FIFO 1")
    assert (os.sched_getaffinity(0), os.sched_getscheduler(0)) == before


def test_processors_are_kept_awake_for_as_long_as_the_context(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    place = tmp_path / "latency"
    monkeypatch.setattr(quiet_system, "WAKE_UP_LATENCY", str(place))
    with Quiet(awake=True) as quiet:
        assert quiet.notes["awake"].startswith("not allowed: ")
    place.write_bytes(b"\xff" * 4)

    def is_open() -> bool:
        return any(os.path.samefile(f"/proc/self/fd/{fd}", place) for fd in open_files())

    def open_files() -> list[str]:
        return [fd for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}")]

    with Quiet(awake=True) as quiet:
        assert quiet.notes["awake"] == "processors do not sleep"
        assert place.read_bytes() == bytes(4)  # int32 0 microseconds
        assert not os.path.isdir("/proc/self/fd") or is_open()
    assert not os.path.isdir("/proc/self/fd") or not is_open()
    with Quiet() as quiet:
        assert "awake" not in quiet.notes


@pytest.mark.parametrize("wrong", [{"cpus": "0"}, {"cpus": {-1}}, {"cpus": 0.5}, {"priority": "high"}], ids=str)
def test_requests_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Quiet(**wrong)


def test_the_collector_comes_back_though_something_else_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0}, raising=False)
    answers = iter([None, OSError(22, "Invalid argument")])

    def pin(*_: Any) -> None:
        if (answer := next(answers)) is not None:
            raise answer

    monkeypatch.setattr(os, "sched_setaffinity", pin, raising=False)
    interval = sys.getswitchinterval()
    with Quiet(cpus=0) as quiet:
        assert not gc.isenabled()
    assert (gc.isenabled(), gc.get_freeze_count(), sys.getswitchinterval()) == (True, 0, interval)
    assert quiet.notes["given back"] == "not allowed: [Errno 22] Invalid argument"


def test_an_interrupt_on_the_way_in_leaves_all_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "sched_getscheduler", interrupted, raising=False)
    interval = sys.getswitchinterval()
    with pytest.raises(KeyboardInterrupt), Quiet(priority=1):
        pass
    assert (gc.isenabled(), gc.get_freeze_count(), sys.getswitchinterval()) == (True, 0, interval)
