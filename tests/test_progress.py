"""Seconds by stage."""

from __future__ import annotations

import pytest

from incidentml import progress
from incidentml.progress import StageClock


def test_a_stage_inside_another_stops_the_outer_clock(monkeypatch) -> None:
    times = iter([0.0, 1.0, 3.0, 10.0, 20.0, 21.0])
    monkeypatch.setattr(progress.time, "perf_counter", lambda: next(times))
    clock = StageClock()
    with clock.stage("outer"), clock.stage("inner"):
        pass
    with clock.stage("outer"):
        pass
    assert clock.seconds == {"outer": 1.0 + 7.0 + 1.0, "inner": 2.0}


def test_a_stage_that_fails_is_counted(monkeypatch) -> None:
    clock = StageClock()
    with pytest.raises(ValueError, match="broken"), clock.stage("read"):
        raise ValueError("broken")
    assert set(clock.seconds) == {"read"}


def test_time_measured_elsewhere_is_added() -> None:
    clock = StageClock()
    clock.add({"places": 1.5})
    clock.add({"places": 0.5, "encoding": 1.0})
    assert clock.seconds == {"places": 2.0, "encoding": 1.0}


def test_whoever_watches_is_told() -> None:
    told: list[tuple[str, int, int]] = []
    StageClock(lambda *step: told.append(step)).tell("reading", 1, 2)
    assert told == [("reading", 1, 2)]
