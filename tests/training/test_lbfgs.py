"""L-BFGS: PyTorch's steps, SciPy's optimum, and a step that has happened or has not."""

import pathlib
import time
from typing import Any

import numpy as np
import pytest

import nnext as nn
from nnext import reference
from support import assert_same_bits
from torch_twins import torch, twin

Array = np.ndarray
DEEP = [nn.Linear(6, 9), nn.Tanh(), nn.Linear(9, 7), nn.Tanh(), nn.Linear(7, 3)]


def data(rows: int = 40) -> tuple[Array, Array]:
    rng = np.random.default_rng(1)
    return rng.normal(size=(rows, 6)), rng.normal(size=(rows, 3))


def regressor(optimizer: nn.LBFGS, layers: Any = DEEP, dtype: str = "float64", **settings: Any) -> nn.Sequential:
    model = nn.Sequential(*layers, seed=5, dtype=dtype)
    model.compile(settings.pop("loss", "mse"), optimizer, **settings)
    return model


# ---- the steps ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [
        {"max_iter": 1},
        {"max_iter": 4, "history_size": 2},
        {"max_iter": 5, "lr": 0.1, "max_eval": 4},
        {"max_iter": 6, "lr": 20.0, "tolerance_grad": 1e-3},
    ],
    ids=str,
)
def test_takes_the_steps_of_pytorch(settings: dict[str, Any]) -> None:
    (X, y), model = data(), regressor(nn.LBFGS(**settings))
    other = twin(model)
    other.load_state_dict({k: torch.from_numpy(v) for k, v in model.state_dict().items()})
    optimizer = torch.optim.LBFGS(
        other.parameters(), line_search_fn="strong_wolfe", **{"lr": 1, "history_size": 10, **settings}
    )

    def closure() -> Any:
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(other(torch.from_numpy(X)), torch.from_numpy(y))
        loss.backward()
        return loss

    for _ in range(4):
        loss = float(optimizer.step(closure).detach())
        found = model.fit(X, y, epochs=1, shuffle=False, verbose=0)["loss"][0]
        assert abs(found - loss) <= 1e-10 * loss
    for name, values in model.state_dict().items():
        np.testing.assert_allclose(values, other.state_dict()[name].numpy(), rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    "layers", [DEEP, [nn.Linear(6, 9), nn.BatchNorm1d(9), nn.Dropout(0.2), nn.Linear(9, 3)]], ids=len
)
@pytest.mark.parametrize("settings", [{}, {"weight_decay": 0.1, "history_size": 3}], ids=str)
def test_takes_the_steps_of_the_reference(layers: list[nn.Layer], settings: dict[str, Any]) -> None:
    (X, y), model = data(), regressor(nn.LBFGS(max_iter=4, **settings), layers)
    other = reference.Network.from_model(model, optimizer=reference.LBFGS(max_iter=4, **settings))
    found = model.fit(X, y, epochs=2, batch_size=20, verbose=0)["loss"]
    expected = other.fit(X, y, epochs=2, batch_size=20)["loss"]
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    for name, values in model.state_dict().items():
        np.testing.assert_allclose(values, other.state_dict()[name], rtol=0, atol=1e-8)


def test_finds_the_optimum_that_scipy_finds() -> None:
    optimize, datasets = pytest.importorskip("scipy.optimize"), pytest.importorskip("sklearn.datasets")
    X, y = datasets.load_digits(return_X_y=True)
    X, decay = X / 16, 1e-3
    model = nn.Sequential(nn.Linear(64, 10, weight_init="zeros", bias_init="zeros"), dtype="float64")
    model.compile("cross_entropy", nn.LBFGS(weight_decay=decay, tolerance_change=1e-12))

    def objective(w: Array) -> tuple[float, Array]:
        scores = X @ w[:640].reshape(10, 64).T + w[640:]
        scores -= scores.max(axis=1, keepdims=True)
        p = np.exp(scores)
        p /= p.sum(axis=1, keepdims=True)
        loss = -np.log(p[np.arange(len(y)), y]).mean() + decay / 2 * w @ w
        p[np.arange(len(y)), y] -= 1
        return loss, np.concatenate([(p.T @ X / len(y)).ravel(), p.mean(axis=0)]) + decay * w

    best = optimize.minimize(
        objective, np.zeros(650), jac=True, method="L-BFGS-B", options={"maxiter": 5000, "ftol": 1e-15, "gtol": 1e-9}
    )
    model.fit(X, y, epochs=20, verbose=0)
    state = model.state_dict()
    found, _ = objective(np.concatenate([state["0.weight"].ravel(), state["0.bias"]]))
    assert abs(found - best.fun) < 1e-9


# ---- whole steps ----------------------------------------------------------------------------------------------------


def own_mse(y_pred: Array, y: Array) -> tuple[float, Array]:
    return float(((y_pred - y) ** 2).mean()), 2 * (y_pred - y) / y.size


def test_a_loss_of_ones_own_gives_the_same() -> None:
    (X, y), models = data(), [regressor(nn.LBFGS(max_iter=5), loss=loss) for loss in ("mse", own_mse)]
    for model in models:
        model.fit(X, y, epochs=2, verbose=0)
    for name, values in models[0].state_dict().items():
        np.testing.assert_allclose(values, models[1].state_dict()[name], rtol=0, atol=1e-9)


def test_a_step_that_fails_has_not_happened() -> None:
    X, y = data()
    looks = 0

    def failing(y_pred: Array, y: Array) -> tuple[float, Array]:
        nonlocal looks
        looks += 1
        if looks == 9:
            raise ArithmeticError("enough")
        return own_mse(y_pred, y)

    model = regressor(nn.LBFGS(max_iter=3), loss=failing)
    model.fit(X, y, epochs=1, verbose=0)
    before, looks = model.engine.state(), 6
    with pytest.raises(ArithmeticError):
        model.fit(X, y, epochs=1, verbose=0)
    after = model.engine.state()
    for name, values in before.tensors.items():
        assert_same_bits(values, after.tensors[name])
        for a, b in zip(before.optimizer[name], after.optimizer[name], strict=True):
            assert_same_bits(a, b)


def test_predictions_meanwhile_are_of_a_whole_step() -> None:
    (X, y), seen = data(), []

    def looking(y_pred: Array, y: Array) -> tuple[float, Array]:
        seen.append(model.predict(X))
        return own_mse(y_pred, y)

    model = regressor(nn.LBFGS(max_iter=3), loss=looking)
    expected = model.predict(X)
    model.fit(X, y, epochs=1, verbose=0)
    assert len(seen) >= 3
    for outputs in seen:
        assert_same_bits(outputs, expected)
    assert (model.predict(X) != expected).any()


def test_goes_on_from_a_file(tmp_path: pathlib.Path) -> None:
    (X, y), model = data(), regressor(nn.LBFGS(max_iter=3, history_size=4), dtype="float32")
    model.fit(X, y, epochs=2, verbose=0)
    model.save(tmp_path / "m.safetensors")
    other = nn.load(tmp_path / "m.safetensors")
    for each in (model, other):
        each.fit(X, y, epochs=2, verbose=0)
    for name, values in model.state_dict().items():
        assert_same_bits(values, other.state_dict()[name])


def test_frozen_layers_stay_and_averages_follow() -> None:
    (X, y), model = data(), regressor(nn.LBFGS(max_iter=3), ema=0.5)
    model.freeze("2")
    before, weights = model.state_dict(), [model.engine.weights()[0]["0.weight"]]
    for _ in range(3):
        model.fit(X, y, epochs=1, verbose=0)
        weights.append(model.engine.weights()[0]["0.weight"])
    assert_same_bits(model.state_dict()["2.weight"], before["2.weight"])
    average = weights[1]  # the first step's
    for weight in weights[2:]:
        average = (average + weight) / 2
    np.testing.assert_allclose(model.state_dict()["0.weight"], average, rtol=1e-12)


def test_a_wall_of_infinite_losses_is_gone_round() -> None:
    X, y = np.ones((1, 1)), np.array([[1.0]])

    def walled(y_pred: Array, y: Array) -> tuple[float, Array]:  # least at 2, with a wall at 2.5
        w = float(y_pred[0, 0])
        return (w - 2) ** 2 if w < 2.5 else np.inf, np.full_like(y_pred, 2 * (w - 2))

    layer = nn.Linear(1, 1, bias=False, weight_init="zeros")
    model = regressor(nn.LBFGS(lr=100.0), [layer], loss=walled)
    model.fit(X, y, epochs=3, verbose=0)
    assert abs(model.state_dict()["0.weight"][0, 0] - 2) < 1e-6


def test_time_ends_a_step_after_an_iteration() -> None:
    (X, y), looks = data(), 0

    def slow(y_pred: Array, y: Array) -> tuple[float, Array]:
        nonlocal looks
        looks += 1
        time.sleep(0.02)
        return own_mse(y_pred, y)

    model = regressor(nn.LBFGS(max_iter=10_000, tolerance_change=0, tolerance_grad=0), loss=slow)
    before = model.evaluate(X, y)["loss"]
    history = model.fit(X, y, epochs=1, max_time=0.2, verbose=0)
    assert (history.epoch, history.stop_reason) == ([0], "all epochs done")  # its only step is done
    assert 3 <= looks < 1000
    assert model.evaluate(X, y)["loss"] < before


# ---- settings -------------------------------------------------------------------------------------------------------


def test_takes_all_samples_unless_told_otherwise() -> None:
    (X, y), sizes = data(), []

    def counted(y_pred: Array, y: Array) -> tuple[float, Array]:
        sizes.append(len(y))
        return own_mse(y_pred, y)

    for batch_size, expected in ((None, 40), (20, 20)):
        regressor(nn.LBFGS(max_iter=2), loss=counted).fit(X, y, epochs=1, batch_size=batch_size, verbose=0)
        assert set(sizes) == {expected}
        sizes.clear()


@pytest.mark.parametrize(
    "settings", [{"clip_norm": 1.0}, {"clip_value": 1.0}, {"precision": "bf16", "dtype": "float32"}], ids=str
)
def test_refuses_what_would_bend_the_loss(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=rf"\[compile\] .*{next(iter(settings))}"):
        regressor(nn.LBFGS(), **settings)


@pytest.mark.parametrize("settings", [{"l1": 0.1}, {"lr_scale": {"0": 0.5}}, {"history_size": 1001}], ids=str)
def test_refuses_what_it_could_not_obey(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=rf"\[LBFGS\] {next(iter(settings))} is "):
        nn.LBFGS(**settings)


def test_refuses_a_step_of_ones_own() -> None:
    (X, y), model = data(), regressor(nn.LBFGS())
    model.loss_and_grads(X, y)
    with pytest.raises(RuntimeError, match=r"\[step\] LBFGS looks at the loss in several places"):
        model.step()
