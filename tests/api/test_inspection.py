"""A look inside: what layers give, gradients in X, and that nothing changes by it."""

import threading
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import nnext as nn
from layer_cases import LAYERS, LayerCase
from loss_cases import LOSSES
from numeric import NUMERIC, numeric_grad
from sparse import csr
from support import assert_same_bits, unchanged, unwritten
from tolerance import eps

Array = np.ndarray


def moved(model: nn.Sequential, rng: np.random.Generator) -> nn.Sequential:
    """Return the model with running statistics of its own, as training leaves them."""
    state = model.state_dict()
    for name, values in state.items():
        if name.endswith("running_mean"):
            state[name] = rng.normal(size=values.shape)
        if name.endswith("running_var"):
            state[name] = rng.uniform(0.5, 2, size=values.shape)
    model.load_state_dict(state)
    return model


def between(case: LayerCase, rng: np.random.Generator, **settings: Any) -> tuple[nn.Sequential, Array]:
    """Return a layer between two others, and samples."""
    before, shape = case.before()
    model = nn.Sequential(before, case.layer, *case.head(3), **settings)
    return moved(model, rng), case.suitable(rng.normal(size=(4, *shape)))


# ---- Activations ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LAYERS)
def test_each_layer_gives_what_the_layers_up_to_it_predict(name: str, dtype: str, rng: np.random.Generator) -> None:
    model, X = between(LAYERS[name], rng, dtype=dtype)
    found = model.activations(X)
    for i in range(len(model)):
        assert_same_bits(found[str(i)], model[: i + 1].predict(X))


@pytest.mark.parametrize(
    "name", [name for name, case in LAYERS.items() if isinstance(case.layer, nn.Residual | nn.Branches)]
)
def test_what_is_joined_is_what_the_branches_give(name: str, rng: np.random.Generator) -> None:
    model, X = between(LAYERS[name], rng)
    found, layer = model.activations(X), model[1]
    ends = [found[f"1.{branch}.{len(held) - 1}"] if held else found["0"] for branch, held in layer.chains().items()]
    if isinstance(layer, nn.Residual) or layer.join == "add":
        assert_same_bits(found["1"], sum(ends[1:], start=ends[0]))
    else:
        assert_same_bits(found["1"], np.concatenate(ends, axis=-1 if ends[0].ndim == 2 or len(X.shape) == 3 else 1))


def test_inner_layers_are_those_of_a_network_without_the_branch(rng: np.random.Generator) -> None:
    block = LAYERS["residual_nested"].layer
    model = moved(nn.Sequential(nn.Linear(5, 5), block, seed=3), rng)
    X, state = rng.normal(size=(7, 5)), model.state_dict()
    straight = nn.Sequential(model[0], *block.body[:2], *block.body[2].body)  # type: ignore[attr-defined]
    names = [n for n in state if not n.startswith("1.body.3")]
    straight.load_state_dict(dict(zip(straight.state_dict(), (state[n] for n in names), strict=True)))
    found = model.activations(X, ["1.body.2.body.1", "1.body.1"])
    assert list(found) == ["1.body.2.body.1", "1.body.1"]
    assert_same_bits(found["1.body.2.body.1"], straight.predict(X))
    assert_same_bits(found["1.body.1"], straight[:3].predict(X))


def test_layers_are_named_by_path_or_by_position() -> None:
    model = nn.MLP([2, 3, 4, 1])
    X = np.ones((5, 2))
    everything = model.activations(X)
    assert list(everything) == ["0", "1", "2", "3", "4"]
    for layers, names in (([0, "2"], ["0", "2"]), ("1", ["1"]), (-1, ["4"]), (np.array([1, -2]), ["1", "3"]), ([], [])):
        assert_same_bits(model.activations(X, layers), {name: everything[name] for name in names})
    part = model[2:]
    hidden = everything["1"]
    assert_same_bits(part.activations(hidden), {name: everything[name] for name in ("2", "3", "4")})
    assert_same_bits(part.activations(hidden, [2, -1]), {name: everything[name] for name in ("2", "4")})


@pytest.mark.parametrize(
    ("layers", "error", "message"),
    [
        (["7"], ValueError, r"\[activations\] unknown layer '7'; use one of 0, 1, 2"),
        ([-4], ValueError, r"\[activations\] unknown layer '-1'; use one of 0, 1, 2"),
        (["0.weight"], ValueError, r"\[activations\] unknown layer '0\.weight'"),
        ([True], TypeError, r"\[activations\] layer is True; give one of 0, 1, 2"),
        (3.5, TypeError, r"\[activations\] layers is 3\.5; give a list of paths or positions"),
    ],
)
def test_what_is_no_layer_is_refused(layers: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        nn.MLP([2, 3, 1]).activations(np.ones((1, 2)), layers)


def test_samples_are_taken_as_predict_takes_them(rng: np.random.Generator) -> None:
    model = nn.MLP([6, 3, 1, 2])
    X = rng.integers(255, size=(5, 6), dtype=np.uint8)
    X[X < 100] = 0
    for path, values in model.activations(X, scale=1 / 255).items():
        assert_same_bits(values, model[: int(path) + 1].predict(X, scale=1 / 255))
        assert_same_bits(model.activations(X[0], path)[path], model[: int(path) + 1].predict(X[0]))
    assert_same_bits(model.activations(csr(X)), model.activations(X))
    with pytest.raises(ValueError, match="5"):
        model.activations(np.ones((2, 5)))
    with pytest.raises(ValueError, match=r"NaN"):
        model.activations(np.full((2, 6), np.nan))
    steps, sequences = nn.MLP([3, 4, 2]), rng.normal(size=(5, 6, 3))
    for path, values in steps.activations(sequences).items():
        assert_same_bits(values, steps[: int(path) + 1].predict(sequences))
    one = nn.MLP([1, 2])
    assert_same_bits(one.activations([1.0, 2.0])["0"], one.predict([1.0, 2.0]))


@pytest.mark.parametrize("shape", [None, (1, 6, 5)])
def test_images_of_one_channel_may_lack_its_axis(shape: Any, rng: np.random.Generator) -> None:
    layers = [nn.Conv2d(1, 2, 3), nn.Softmax(), nn.GlobalAvgPool2d()]
    model, X = nn.Sequential(*layers, input_shape=shape, dtype="float64"), rng.normal(size=(3, 6, 5))
    for images in (X, X[:, None]):
        for i, values in enumerate(model.activations(images).values()):
            assert_same_bits(values, model[: i + 1].predict(X))
        assert model.jacobian(images).shape == (3, 2, *images.shape[1:])
    assert_same_bits(model.jacobian(X), model.jacobian(X[:, None])[:, :, 0])
    if shape is not None:
        assert_same_bits(model.activations(X[0][None], -1)["2"], model.predict(X[0][None]))


# ---- Gradients ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LAYERS)
def test_the_jacobian_is_pytorchs(name: str, rng: np.random.Generator) -> None:
    torch_twins = pytest.importorskip("torch_twins")
    torch = torch_twins.torch
    model, X = between(LAYERS[name], rng, dtype="float64")
    theirs = torch_twins.twin(model).eval()
    expected = torch.stack(
        [torch.autograd.functional.jacobian(lambda x: theirs(x[None])[0], torch.from_numpy(x)) for x in X]
    ).numpy()
    found = model.jacobian(X)
    assert found.shape == (*model.predict(X).shape, *X.shape[1:]) == expected.shape
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


def test_it_is_the_slope_of_what_predict_gives(rng: np.random.Generator) -> None:
    model = moved(
        nn.Sequential(
            nn.Linear(3, 4), nn.Residual(nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Tanh()), nn.Softmax(), dtype="float64"
        ),
        rng,
    )
    X = rng.normal(size=(2, 3))
    found = model.jacobian(X)
    for i in range(2):
        for j in range(4):
            slope = numeric_grad(lambda x, i=i, j=j: float(model.predict(x)[i, j]), X)
            assert np.abs(slope[i] - found[i, j]).max() < NUMERIC
            assert (np.delete(slope, i, axis=0) == 0).all()


def test_slices_follow_the_chain_rule(rng: np.random.Generator) -> None:
    model = moved(nn.MLP([3, 5, 4, 2], activation="tanh", dropout=0.2, batch_norm=True, dtype="float64"), rng)
    X = rng.normal(size=(4, 3))
    whole = model.jacobian(X)
    for cut in range(1, len(model)):
        hidden = model[:cut].predict(X)
        product = model[cut:].jacobian(hidden) @ model[:cut].jacobian(X)
        np.testing.assert_allclose(product, whole, rtol=0, atol=1e-13 * np.abs(whole).max())


def fitting(loss: str, rng: np.random.Generator) -> tuple[nn.Sequential, Array, Array]:
    """Return a model compiled with a loss, samples, and targets that suit it."""
    case = LOSSES[loss]
    last = [case.last_layer] if case.last_layer is not None else [nn.Sigmoid()] if case.name == "bce" else []
    layers = [nn.Linear(3, 5), nn.BatchNorm1d(5), nn.Tanh(), nn.Dropout(0.4), nn.Linear(5, 4), *last]
    model = moved(nn.Sequential(*layers, dtype="float64", seed=2), rng)
    model.compile(loss=case.make())
    return model, rng.normal(size=(5, 3)), case.targets(rng, 5, 4)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_gradient_is_the_slope_of_each_samples_loss(loss: str, rng: np.random.Generator) -> None:
    model, X, y = fitting(loss, rng)
    found = model.input_gradient(X, y)
    slope = numeric_grad(lambda x: len(x) * model.evaluate(x, y)["loss"], X)
    assert found.shape == X.shape
    assert np.abs(found - slope).max() < len(X) * NUMERIC * max(1, np.abs(slope).max())
    for i in range(len(X)):  # a division by the number of samples, and a product with it, are rounded
        alone = model.input_gradient(X[i : i + 1], y[i : i + 1])
        assert np.abs(alone[0] - found[i]).max() <= 8 * eps("float64") * np.abs(alone).max() * len(model)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_gradient_is_pytorchs(loss: str, rng: np.random.Generator) -> None:
    torch_twins = pytest.importorskip("torch_twins")
    torch = torch_twins.torch
    model, X, y = fitting(loss, rng)
    theirs, x = torch_twins.twin(model).eval(), torch.from_numpy(X).requires_grad_()
    case = LOSSES[loss]
    (len(X) * torch_twins.loss(case, theirs(x), y)).backward()
    expected = x.grad.numpy()
    np.testing.assert_allclose(model.input_gradient(X, y), expected, rtol=0, atol=1e-12 * np.abs(expected).max())


def test_a_probability_that_rounds_to_1_leaves_the_gradient_its_digits() -> None:
    for last, loss, weight, y in (
        (nn.Sigmoid(), "bce", [[1.0]], [[0.0]]),
        (nn.Softmax(), "cross_entropy", [[1.0], [0.0]], [1]),
    ):
        model = nn.Sequential(nn.Linear(1, len(weight), bias=False), last)
        model.load_state_dict({"0.weight": weight})
        model.compile(loss=loss)
        assert model.predict([[60.0]])[0, 0] == 1
        assert model.input_gradient([[60.0]], y) == 1  # the loss is log(1 + exp(x))


PLACES: dict[str, Callable[[np.random.Generator], tuple[list[nn.Layer], Array, str, Array]]] = {
    "labels of steps": lambda rng: (
        [nn.Linear(3, 4), nn.LayerNorm(4)], rng.normal(size=(5, 6, 3)), "cross_entropy", rng.integers(4, size=(5, 6)),
    ),
    "labels of pixels": lambda rng: (
        [nn.Conv2d(2, 3, 3, padding=1)], rng.normal(size=(2, 2, 4, 3)), "cross_entropy",
        rng.integers(3, size=(2, 4, 3)),
    ),
    "images": lambda rng: (
        [nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Tanh()], rng.normal(size=(3, 2, 4, 5)), "mse",
        rng.normal(size=(3, 3, 2, 3)),
    ),
    "steps": lambda rng: ([nn.Linear(2, 3)], rng.normal(size=(4, 5, 2)), "huber", rng.normal(size=(4, 5, 3))),
    "classes of images": lambda rng: (
        [nn.Conv2d(1, 3, 3), nn.GlobalAvgPool2d()], rng.normal(size=(4, 5, 4)), "cross_entropy",
        rng.integers(3, size=4),
    ),
    "a column": lambda rng: ([nn.Linear(2, 1)], rng.normal(size=(4, 2)), "mse", rng.normal(size=4)),
    "one feature": lambda rng: ([nn.Linear(1, 2)], rng.normal(size=4), "mse", rng.normal(size=(4, 2))),
}  # fmt: skip


@pytest.mark.parametrize("name", PLACES)
def test_samples_and_targets_of_every_shape(name: str, rng: np.random.Generator) -> None:
    layers, X, loss, y = PLACES[name](rng)
    model = moved(nn.Sequential(*layers, dtype="float64", seed=4), rng)
    model.compile(loss=loss)
    slope = numeric_grad(lambda x: len(x) * model.evaluate(x, y)["loss"], X)
    found = model.input_gradient(X, y)
    assert found.shape == X.shape
    assert np.abs(found - slope).max() < len(X) * NUMERIC * max(1, np.abs(slope).max())


def test_names_of_classes_and_one_hot_rows_are_targets(rng: np.random.Generator) -> None:
    model, X = nn.MLP([2, 3, 2], dtype="float64"), rng.normal(size=(4, 2))
    model.compile("cross_entropy")
    names, numbers = np.array(["dog", "cat", "cat", "dog"]), np.array([1, 0, 0, 1])
    expected = model.input_gradient(X, numbers)
    one_hot = model.input_gradient(X, np.eye(2)[numbers])  # whose logarithm of the sum is rounded otherwise
    np.testing.assert_allclose(one_hot, expected, rtol=0, atol=8 * eps("float64") * np.abs(expected).max())
    model.fit(X, names, epochs=1, verbose=0)
    expected = model.input_gradient(X, names)
    assert model.seen.classes == ("cat", "dog")
    fresh = nn.MLP([2, 3, 2], dtype="float64")
    fresh.load_state_dict(model.state_dict())
    fresh.compile("cross_entropy")
    assert_same_bits(fresh.input_gradient(X, numbers), expected)
    assert_same_bits(fresh.input_gradient(X, names), expected)
    assert fresh.seen.classes is None  # it has learned nothing from them


def test_a_loss_function_of_ones_own_gets_one_sample_at_a_time(rng: np.random.Generator) -> None:
    sizes = []

    def loss(y_pred: Array, y: Array) -> tuple[float, Array]:
        sizes.append((y_pred.shape, y.shape))
        return float(((y_pred - y) ** 2).mean()), 2 * (y_pred - y) / y.size

    model, twin = (nn.MLP([2, 3, 2], dtype="float64") for _ in range(2))
    model.compile(loss=loss)
    twin.compile(loss="mse")
    X, y = rng.normal(size=(4, 2)), rng.normal(size=(4, 2))
    expected = twin.input_gradient(X, y)
    np.testing.assert_allclose(model.input_gradient(X, y), expected, rtol=0, atol=1e-14 * np.abs(expected).max())
    assert sizes == [((1, 2), (1, 2))] * 4


def test_with_a_factor_the_derivatives_are_those_in_x_itself(rng: np.random.Generator) -> None:
    model = nn.MLP([3, 4, 2], activation="tanh", dtype="float64")
    model.compile("cross_entropy")
    X, y = rng.integers(255, size=(4, 3), dtype=np.uint8), np.array([0, 1, 1, 0])
    bytes_, scaled = model.jacobian(X, scale=1 / 255), model.jacobian(X / 255) / 255
    np.testing.assert_allclose(bytes_, scaled, rtol=1e-12)
    loss = lambda x: len(x) * model.evaluate(x, y, scale=1 / 255)["loss"]  # noqa: E731
    assert np.abs(model.input_gradient(X, y, scale=1 / 255) - numeric_grad(loss, X.astype(float))).max() < 4 * NUMERIC
    model.fit(X, y, scale=1 / 255, verbose=0)
    for look in (model.jacobian, model.activations, lambda X: model.input_gradient(X, y)):
        with pytest.warns(UserWarning, match=r"the model was fitted with scale=0\.0039"):
            look(X)


def test_averages_are_looked_into_where_they_predict(rng: np.random.Generator) -> None:
    model = nn.MLP([2, 3, 1], activation="tanh", dtype="float64")
    model.compile("mse", ema=0.9)
    X, y = rng.normal(size=(8, 2)), rng.normal(size=8)
    model.fit(X, y, epochs=2, verbose=0)
    still = nn.MLP([2, 3, 1], activation="tanh", dtype="float64")
    still.load_state_dict(model.state_dict())
    still.compile("mse")
    assert_same_bits(model.activations(X)["2"], model.predict(X))
    assert_same_bits(model.jacobian(X), still.jacobian(X))
    assert_same_bits(model.input_gradient(X, y), still.input_gradient(X, y))


def test_what_has_no_gradient_is_refused(rng: np.random.Generator) -> None:
    model, X = nn.MLP([3, 2]), np.ones((2, 3))
    with pytest.raises(RuntimeError, match=r"\[input_gradient\] the model is not compiled"):
        model.input_gradient(X, [0, 1])
    model.compile("cross_entropy")
    for look in (model.jacobian, lambda X: model.input_gradient(X, [0, 1])):
        with pytest.raises(TypeError, match=r"X is a sparse matrix, but its zeros have gradients too.*toarray"):
            look(csr(X))
    with pytest.raises(ValueError, match=r"\[jacobian\] X has 2 features but the network expects 3"):
        model.jacobian(X[:, :2])
    with pytest.raises(ValueError, match=r"\[input_gradient\] X has 2 features but the network expects 3"):
        model.input_gradient(X[:, :2], [0, 1])
    with pytest.raises(ValueError, match=r"\[input_gradient\] y has .*7"):
        model.input_gradient(X, [0, 7])
    with pytest.raises(ValueError, match=r"\[jacobian\] X has shape \(3,\); samples must be rows"):
        model.jacobian(X[0])


# ---- Nothing changes ------------------------------------------------------------------------------------------------


def busy(**settings: Any) -> tuple[nn.Sequential, Array, Array]:
    """Return a model with everything that has a state, and its samples."""
    rng = np.random.default_rng(5)
    model = nn.Sequential(
        nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Residual(nn.Dropout(0.4), nn.Linear(6, 6)), nn.Linear(6, 3)
    )
    model.compile(loss="cross_entropy", optimizer=nn.Adam(lr=0.01), **settings)
    return model, rng.normal(size=(40, 4)).astype("float32"), rng.integers(3, size=40)


def look(model: nn.Sequential, X: Array, y: Array) -> dict[str, Array]:
    return model.activations(X) | {"dX": model.input_gradient(X, y), "J": model.jacobian(X)}


def test_a_look_changes_neither_the_model_nor_the_samples() -> None:
    model, X, y = busy(ema=0.99)
    model.freeze("0")
    model.fit(X, y, epochs=1, verbose=0)
    with unchanged(model), unwritten(X, y):
        first = look(model, X, y)
    assert_same_bits(look(model, X, y), first)


def test_a_look_into_the_middle_of_a_loop_of_ones_own_leaves_it_as_it_is() -> None:
    states = []
    for looks in (False, True):
        model, X, y = busy()
        outputs = model.forward(X)
        if looks:
            look(model, X[:5], y[:5])
        dX = model.backward(outputs - np.eye(3)[y])
        if looks:
            look(model, X[:7], y[:7])
        grads = model.grads()
        model.step()
        states.append({"outputs": outputs, "dX": dX, **grads, **model.state_dict()})
    assert_same_bits(states[1], states[0])


def test_a_look_in_every_epoch_leaves_a_fit_its_bits() -> None:
    states = []
    for looks in (False, True):
        model, X, y = busy(ema=0.9)
        called = nn.LambdaCallback(on_epoch_end=lambda epoch, logs, m=model, x=X, t=y: look(m, x, t))
        model.fit(X, y, epochs=3, verbose=0, callbacks=[called] if looks else [])
        states.append(model.state_dict())
    assert_same_bits(states[1], states[0])


def test_any_number_of_threads_may_look_also_during_a_fit() -> None:
    model, X, y = busy()
    expected, found = look(model, X, y), []
    threads = [threading.Thread(target=lambda: found.append(look(model, X, y))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    for values in found:
        assert_same_bits(values, expected)
    worker = threading.Thread(target=lambda: model.fit(X, y, epochs=300, batch_size=8, verbose=0))
    worker.start()
    moments = []
    while worker.is_alive():
        moments.append(model.activations(X[:4])["4"])
    worker.join()
    assert_same_bits(model.activations(X[:4])["4"], model.predict(X[:4]))
    assert all(np.isfinite(values).all() for values in moments)


def test_threads_change_no_bit() -> None:
    model, X, y = busy()
    results = []
    for threads in (1, 2, 3):
        with nn.runtime.threads(threads):
            results.append(look(model, np.tile(X, (50, 1)), np.tile(y, 50)))
    for one, other in pairwise(results):
        assert_same_bits(one, other)
