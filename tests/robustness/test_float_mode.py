"""The host's floating-point mode decides no bit of the core's, and is in place whenever the host's code runs."""

import signal
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import float_modes
import internals
import nnext as nn
from support import assert_same_bits, run_python, use_isa

pytestmark = pytest.mark.skipif(not float_modes.KNOWN, reason="tests/float_modes.py does not know this system's modes")

ROWS = np.random.default_rng(0).normal(size=(300, 20))
TARGETS, THIRDS, WEIGHT = ROWS[:, :3] * 1.1, ROWS / 3, np.linspace(0.1, 1.0, 300)  # in the mode of the import
SINGLE = THIRDS.astype("float32")
OTHERS = [name for name in float_modes.MODES if name not in ("plain", "trapping")]


def computed() -> dict[str, Any]:
    """Go through the core in every way that has arithmetic of its own, also on a team."""
    model = nn.Sequential(
        nn.Linear(20, 160), nn.BatchNorm1d(160), nn.Tanh(), nn.Dropout(0.2), nn.Linear(160, 3), dtype="float32"
    )
    model.compile(loss="mse", optimizer=nn.Adam(lr=1e-2), clip_norm=1.0, ema=0.9)
    y, weight = TARGETS, WEIGHT
    model.fit(ROWS, y, sample_weight=weight, epochs=2, batch_size=100, verbose=0)
    result = internals.training_state(model)
    result["loss"], gradients = model.loss_and_grads(ROWS, y, weight)
    result |= {f"d {path}": gradient for path, gradient in gradients.items()}
    result["forward"] = model.forward(ROWS)
    result["backward"] = model.backward(y)
    predictor = model.compile_inference()
    result["rows"], result["row"] = model.predict(ROWS), model.predict(ROWS[:1])
    result["predictor"] = predictor(ROWS[0])
    result["evaluation"] = model.evaluate(ROWS, y, sample_weight=weight)["loss"]
    result["product"] = nn.functional.matmul(ROWS.T, ROWS)
    result["narrowed"] = nn.functional.softplus(SINGLE)
    result["softmax"], result["mse"] = nn.functional.softmax(ROWS), nn.functional.mse(ROWS, THIRDS)
    own = nn.MLP([20, 4, 3], seed=3)
    own.compile(loss="mse", optimizer=nn.LBFGS())
    own.fit(np.asfortranarray(ROWS), y, batch_size=300, verbose=0)
    return result | {f"lbfgs {path}": array for path, array in own.state_dict().items()}


@pytest.fixture
def team() -> Iterator[None]:
    with nn.runtime.threads(2):
        yield


@pytest.mark.parametrize("mode", OTHERS)
def test_the_hosts_mode_changes_no_bit_and_stays(mode: str, team: None) -> None:
    expected = computed()
    inputs = ROWS.tobytes()
    with float_modes.within(float_modes.MODES[mode]):
        found = computed()
    assert ROWS.tobytes() == inputs
    assert_same_bits(found, expected)


# The team's threads begin in this mode, too. Whatever raises a flag in it ends the process, such as e^-1000.
TRAPPING = """
import float_modes
import numpy as np
import internals
import nnext as nn

internals.fix_team()
nn.runtime.set_num_threads(3)
X = np.linspace(-1e3, 1e3, 400_000, dtype="float32").reshape(-1, 40)
model = nn.MLP([40, 64, 2], activation="sigmoid", seed=1)
model.compile(loss="mse", optimizer=nn.SGD(lr=1e-3))

def computed():
    losses = model.loss_and_grads(X, X[:, :2])[0]
    return [model.predict(X), model.predict(X[:1]), model.forward(X), np.float64(losses), nn.functional.softmax(X)]

with float_modes.within(float_modes.MODES["trapping"]):
    trapping = computed()
assert [a.tobytes() for a in trapping] == [a.tobytes() for a in computed()]
print("alive")
"""


@pytest.mark.skipif("trapping" not in float_modes.MODES, reason="this CPU does not trap")
def test_what_the_host_traps_does_not_end_the_process() -> None:
    result = run_python(TRAPPING)
    assert (result.returncode, result.stdout, result.stderr) == (0, "alive\n", "")


def test_the_mode_is_back_when_a_call_throws() -> None:
    model = nn.MLP([20, 4, 3])
    model.compile(loss=lambda y_pred, y: 1 / 0)
    with float_modes.within(float_modes.MODES["to zero"]):
        with pytest.raises(ValueError, match="NaN"):
            model.predict(ROWS * np.nan)
        with pytest.raises(ZeroDivisionError):
            model.fit(ROWS, ROWS[:, :3], verbose=0)
        assert float_modes.now() == float_modes.MODES["to zero"]


# ---- where the host's code runs -------------------------------------------------------------------------------------

WIDE = [256, 1024, 1024, 4]
MANY = np.random.default_rng(0).normal(size=(3000, 256)).astype("float32")


def compiled() -> nn.Sequential:
    model = nn.MLP(WIDE)
    model.compile(loss="mse", optimizer=nn.SGD(lr=1e-4))
    return model


# Each takes long enough for a signal, in one step.
LONG: dict[str, Callable[[nn.Sequential], object]] = {
    "fit": lambda model: model.fit(MANY, MANY[:, :4], batch_size=len(MANY), verbose=0),
    "loss_and_grads": lambda model: model.loss_and_grads(MANY, MANY[:, :4]),
    "forward": lambda model: model.forward(MANY),
    "predict": lambda model: model.predict(MANY),
    "evaluate": lambda model: model.evaluate(MANY, MANY[:, :4]),
    "matmul": lambda model: nn.functional.matmul(MANY, MANY, transpose_b=True),
    "build": lambda model: nn.Sequential(nn.Linear(700, 700, weight_init="orthogonal")),
}


@pytest.mark.parametrize("name", LONG)
def test_signal_handlers_run_in_the_hosts_mode(name: str, team: None) -> None:
    model, seen = compiled(), []
    before = signal.signal(signal.SIGALRM, lambda *_: seen.append(float_modes.now()))
    mode = float_modes.MODES["down"]
    try:
        with float_modes.within(mode):
            signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
            for _ in range(100):  # a quick CPU does one in 20 ms, after which the core first looks for signals
                LONG[name](model)
                if len(seen) > 4:
                    break
            signal.setitimer(signal.ITIMER_REAL, 0)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert len(seen) > 1
    assert set(seen) == {mode}


def test_a_loss_of_the_hosts_runs_in_its_mode_and_the_rest_does_not() -> None:
    seen = []

    def loss(y_pred: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
        seen.append(float_modes.now())
        return 1.0, THIRDS[: len(y_pred), :3]  # which the core rounds to float32

    def trained() -> dict[str, Any]:
        model = nn.MLP([20, 8, 3])
        model.compile(loss=loss, optimizer=nn.SGD(lr=0.5))
        model.fit(ROWS, ROWS[:, :3], batch_size=100, verbose=0)
        return internals.training_state(model)

    expected = trained()
    with float_modes.within(float_modes.MODES["up"]):
        assert_same_bits(trained(), expected)
    assert set(seen[len(seen) // 2 :]) == {float_modes.MODES["up"]}


# ---- subnormal numbers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("isa", nn.runtime.available_isas())
def test_evaluation_keeps_subnormal_numbers_however_it_is_asked(isa: str) -> None:
    with use_isa(isa):
        model = nn.Sequential(nn.Linear(1, 1, bias=False, weight_init=nn.initializers.constant(1e-30)))
        X = np.full((3, 1), 1e-10, "float32")
        expected = X * np.float32(1e-30)
        assert (expected > 0).all()
        model.compile(loss="mse")
        assert_same_bits(model.predict(X), expected)
        assert_same_bits(model.predict(X[:1]), expected[:1])
        assert_same_bits(model.compile_inference()(X[0]), expected[0])
        assert_same_bits(model.forward(X, training=False), expected)
        in_training = expected * np.float32(isa == "baseline")  # the others take them as zero there
        assert_same_bits(model.forward(X), in_training)
