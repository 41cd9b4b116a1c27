"""Schedules: the values of every step against their closed forms, and what takes one."""

import hashlib
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import nnext as nn
from cases import OPTIMIZERS, WITH_RATES
from internals import Described, number
from schedule_cases import SCHEDULES, ScheduleCase
from tolerance import EXACT, assert_within, eps


@pytest.mark.parametrize("steps", [1, 2, 7, 1000])
@pytest.mark.parametrize("name", SCHEDULES)
def test_every_step_has_the_value_of_the_closed_form(name: str, steps: int) -> None:
    case = SCHEDULES[name]
    for epoch in range(6):
        edges = np.array([EXACT(epoch) + EXACT(k) / steps for k in range(steps + 1)])
        values = case.schedule.values(epoch, steps)
        assert values.shape == (steps,)
        assert values.dtype == np.float64
        assert_within(values, case.value(edges[:-1], edges[1:]), bound(case, epoch + 1))


def bound(case: ScheduleCase, epochs: float) -> float:
    """Bound the error: on the way to a share of the cosine three roundings, and in the value eight."""
    return eps("float64") * (3 * case.slope * epochs + 8 * max(map(abs, case.schedule.bounds())))


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("start", [0.4, 2.3, 1e6, 1e15])
def test_an_epoch_may_begin_anywhere(name: str, start: float) -> None:
    case, steps = SCHEDULES[name], 5
    edges = np.array([EXACT(start) + EXACT(k) / steps for k in range(steps + 1)])
    assert_within(
        case.schedule.values(start, steps),
        case.value(edges[:-1], edges[1:]),
        0 if start >= 1e6 and case.settles else bound(case, min(start + 1, 10)),
    )


@pytest.mark.parametrize("name", SCHEDULES)
def test_values_are_within_the_bounds(name: str) -> None:
    schedule = SCHEDULES[name].schedule
    values = np.concatenate([schedule.values(epoch, 333) for epoch in range(6)])
    low, high = schedule.bounds()
    assert low <= values.min() <= values.max() <= high
    assert (values.min() < values.max()) == (low < high)


def test_the_warmup_loses_no_step_and_the_ends_are_exact() -> None:
    """S = 7 steps of 10, then 30 of the cosine, which begins with the value and would end with the final one."""
    values = np.concatenate([nn.Cosine(0.3, epochs=3.7, warmup=0.7, final=0.1).values(epoch, 10) for epoch in range(6)])
    expected = [float(Fraction(3 * (k + 1), 70)) for k in range(7)]
    np.testing.assert_allclose(values[:7], expected, rtol=4 * eps("float64"), atol=0)
    assert values[6] == values[7] == 0.3
    assert (np.diff(values[7:38]) < 0).all()
    assert (values[37:] == 0.1).all()
    assert nn.Cosine(0.3, epochs=3, warmup=0.01).values(0, 10)[0] == 0.3  # shorter than a step: it has the whole value


def test_one_cycle_has_its_three_values_in_its_steps() -> None:
    values = np.concatenate([nn.OneCycle(0.5, epochs=2).values(epoch, 10) for epoch in range(3)])
    assert (values[0], values[5], values[19]) == (0.5 / 25, 0.5, 0.5 / 25 / 1e4)
    assert (np.diff(values[:6]) > 0).all()
    assert (np.diff(values[5:20]) < 0).all()
    assert (values[19:] == values[19]).all()
    assert nn.OneCycle(0.5, epochs=1, pct_start=0.1).values(0, 10)[0] == 0.5  # all of its way up is one step
    assert nn.OneCycle(0.5, epochs=1, pct_start=1).values(0, 10)[-1] == 0.5


def test_what_begins_at_a_moment_has_reached_it() -> None:
    """Also where the moment, or when the step begins, is rounded: 3 * 0.1 is not 0.3."""
    for epoch in range(30):
        assert (
            nn.Step(1, every=0.1, gamma=0.5).values(epoch, 10) == 0.5 ** np.arange(10 * epoch, 10 * epoch + 10)
        ).all()
        edges = [epoch + k / 10 for k in range(1, 11)]
        levels = np.arange(11.0)
        assert (nn.Piecewise(edges, levels).values(epoch, 10) == levels[:-1]).all()  # type: ignore[arg-type]


def test_a_decay_is_that_of_steps_after_whole_epochs() -> None:
    stairs, slope = nn.Step(0.3, every=1, gamma=0.7), nn.Exponential(0.3, gamma=0.7)
    for epoch in range(10):
        assert stairs.values(epoch, 4)[0] == slope.values(epoch, 4)[0]
        assert (stairs.values(epoch, 4)[1:] > slope.values(epoch, 4)[1:]).all()


@pytest.mark.parametrize("gamma", [1.0, 0.9999, 0.99, 0.7, 1e-3, 1e-300])
def test_powers_are_as_near_as_products_are(gamma: float) -> None:
    for epoch in (0, 1, 30, 1000):
        exponents = EXACT(epoch) + np.arange(64) / EXACT(64)  # exact in float64, too
        error = np.abs(nn.Exponential(1, gamma).values(epoch, 64) - EXACT(gamma) ** exponents)
        assert (error <= (epoch + 8) * eps("float64") / 2).all()
    assert nn.Exponential(1, 1).values(0.3, 7).tolist() == [1.0] * 7


SAME = {
    "db57debbacf2beb5": ("cosine", "cosine_warmup", "cosine_rising"),
    "59ac2d0dc0c27c98": (
        "step",
        "exponential",
        "exponential_slow",
        "inv_scaling",
        "inv_scaling_steps",
        "one_cycle",
        "one_cycle_late",
    ),
}


@pytest.mark.parametrize("digest", SAME)
def test_the_values_have_the_same_bits_everywhere(digest: str) -> None:
    """Which instructions NumPy's cosine and powers have on a CPU does not matter."""
    computed = hashlib.sha256()
    for name in SAME[digest]:
        for epoch in range(4):
            computed.update(SCHEDULES[name].schedule.values(epoch, 4321).astype("<f8").tobytes())
    assert computed.hexdigest()[:16] == digest


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((np.nan, 3), ValueError, r"\[Cosine\] value is nan; give a finite number"),
        (("fast", 3), TypeError, r"\[Cosine\] value is 'fast'; give a number"),
        ((True, 3), TypeError, r"\[Cosine\] value is True; give a number"),
        ((0.1, 0), ValueError, r"\[Cosine\] epochs is 0; give a finite number in \(0, inf\]"),
        ((0.1, np.inf), ValueError, r"\[Cosine\] epochs is inf; give a finite number"),
        ((0.1, 3, -1), ValueError, r"\[Cosine\] warmup is -1; give a finite number in \[0, inf\]"),
        ((0.1, 3, 3), ValueError, r"\[Cosine\] warmup is 3 of 3 epochs; give a warmup that ends before they do"),
        ((0.1, 3, 0, np.inf), ValueError, r"\[Cosine\] final is inf; give a finite number"),
        ((0.1,), TypeError, r"\[Cosine\] epochs is missing; write Cosine\(value, epochs\)"),
    ],
)
def test_settings_that_are_refused(arguments: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        nn.Cosine(*arguments)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: nn.Constant(np.inf), ValueError, r"\[Constant\] value is inf; give a finite number"),
        (lambda: nn.Step(0.1, 0), ValueError, r"\[Step\] every is 0; give a finite number in \(0, inf\]"),
        (lambda: nn.Step(0.1, 30, 1.5), ValueError, r"\[Step\] gamma is 1.5; give a finite number in \(0, 1\]"),
        (lambda: nn.Exponential(0.1, 0), ValueError, r"\[Exponential\] gamma is 0; give a finite number in \(0, 1\]"),
        (lambda: nn.Exponential(0.1), TypeError, r"\[Exponential\] gamma is missing"),
        (lambda: nn.InvScaling(0.1, -1), ValueError, r"\[InvScaling\] power is -1; give a finite number in \[0, inf"),
        (lambda: nn.InvScaling(0.1, per_epoch=0), ValueError, r"\[InvScaling\] per_epoch is 0; give a finite number"),
        (lambda: nn.OneCycle(0.1, 0), ValueError, r"\[OneCycle\] epochs is 0; give a finite number in \(0, inf\]"),
        (lambda: nn.OneCycle(0.1, 3, pct_start=30), ValueError, r"\[OneCycle\] pct_start is 30; give .* in \[0, 1\]"),
        (lambda: nn.OneCycle(0.1, 3, div_factor=0.5), ValueError, r"\[OneCycle\] div_factor is 0.5; give"),
        (lambda: nn.Piecewise([1, 2], [1, 2]), ValueError, r"\[Piecewise\] there are 2 values for 2 boundaries; give"),
        (
            lambda: nn.Piecewise([2, 2], [1, 2, 3]),
            ValueError,
            r"boundaries is \(2.0, 2.0\); give numbers that increase",
        ),
        (lambda: nn.Piecewise([0, 2], [1, 2, 3]), ValueError, r"\[Piecewise\] boundaries\[0\] is 0; give a finite"),
        (lambda: nn.Piecewise([1], [1, None]), TypeError, r"\[Piecewise\] values\[1\] is None; give a number"),
        (lambda: nn.Piecewise([], [1]), ValueError, r"\[Piecewise\] boundaries is empty; give at least one number"),
        (lambda: nn.Piecewise(1, [1, 2]), TypeError, r"\[Piecewise\] boundaries is 1; give a list of numbers"),
        (lambda: nn.Piecewise([1], "12"), TypeError, r"\[Piecewise\] values is '12'; give a list of numbers"),
        (
            lambda: nn.Adam(lr=nn.Piecewise([1], [1, -1])),
            ValueError,
            r"least value of lr=Piecewise\(.*\) is -1.0; give",
        ),
    ],
)
def test_settings_of_others_that_are_refused(make: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_a_schedule_shows_itself_and_is_equal_to_its_like() -> None:
    assert repr(nn.Adam(lr=nn.Cosine(2e-3, epochs=12, warmup=0.5))) == "Adam(lr=Cosine(0.002, 12.0, warmup=0.5))"
    assert nn.Cosine(1, 2) == nn.Cosine(1.0, epochs=2, final=0) != nn.Cosine(1, 3)
    assert len({nn.Cosine(1, 2), nn.Cosine(1.0, 2.0)}) == 1
    assert nn.SGD(lr=nn.Cosine(1, 2)) == nn.SGD(lr=nn.Cosine(1, 2)) != nn.SGD(lr=1)


# ---- Fields that take one -------------------------------------------------------------------------------------------

NUMBER_OR_SCHEDULE = r"give a number, or a schedule, such as nn.Cosine\(0.1, epochs=10\)"


@pytest.mark.parametrize("optimizer", WITH_RATES)
@pytest.mark.parametrize(
    ("lr", "error", "message"),
    [
        ("cosine", TypeError, rf"lr is 'cosine'; {NUMBER_OR_SCHEDULE}"),
        (nn.Cosine, TypeError, rf"lr is <class .*>; {NUMBER_OR_SCHEDULE}"),
        ({"type": "Cosine", "value": 1, "epochs": 2}, TypeError, rf"lr is .*; {NUMBER_OR_SCHEDULE}"),
        ([0.1, 0.2], TypeError, rf"lr is .*; {NUMBER_OR_SCHEDULE}"),
        (
            nn.Cosine(-0.5, 2),
            ValueError,
            r"the least value of lr=Cosine\(-0.5, 2.0\) is -0.5; give a finite number in ",
        ),
        (nn.Cosine(0.5, 2, final=-1), ValueError, r"the least value of lr=Cosine\(.*\) is -1.0; give a finite number"),
    ],
)
def test_a_rate_that_is_none_is_refused(optimizer: str, lr: Any, error: type[Exception], message: str) -> None:
    case = OPTIMIZERS[optimizer]
    with pytest.raises(error, match=rf"^\[{case.type.__name__}\] {message}"):
        case.type(**case.settings | {"lr": lr})
    made = case.make()
    with pytest.raises(error, match=rf"^\[{case.type.__name__}\] {message}"):
        made.lr = lr
    assert made == case.make()


def test_a_setting_that_takes_none_says_so() -> None:
    schedule: Any = nn.Cosine(0.5, 2)
    for make in (lambda: nn.Adam(eps=schedule), lambda: nn.Rprop(schedule), lambda: nn.Dropout(schedule)):
        with pytest.raises(TypeError, match=r" is Cosine\(0.5, 2.0\); give a number$"):
            make()


def test_a_field_of_any_kind_could_take_one() -> None:
    class Knob(Described, kind="knob"):
        pass

    class Volume(Knob):
        level: float | nn.Schedule = number(default=0.5, low=0, high=1, schedule=nn.Schedule)

    volume = Volume(nn.Cosine(1, 3))
    assert repr(volume) == "Volume(level=Cosine(1.0, 3.0))"
    assert Knob.from_config(volume.config()) == volume
    with pytest.raises(ValueError, match=r"\[Volume\] the greatest value of level=Cosine\(2.0, 3.0\) is 2.0; give a"):
        Volume(nn.Cosine(2, 3))
    with pytest.raises(ValueError, match=r"\[schedule\] unknown type 'Volume'"):
        Knob.from_config({"type": "Volume", "level": {"type": "Volume"}})
