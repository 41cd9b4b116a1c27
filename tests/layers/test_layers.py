"""One table through which every layer goes: shapes, configuration, reference, gradients."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import internals
import nnext as nn
from activation_cases import ACTIVATIONS, activation_case
from cases import EVERY_OPTIMIZER
from error_bounds import as_samples, bounded
from layer_cases import LAYERS, LayerCase
from loss_cases import LOSSES, LossCase
from nnext import reference
from nnext.reference.arrays import lines_of_steps
from schedule_cases import SCHEDULES
from support import assert_same_bits
from tolerance import assert_bounds_say_something, difference_bound, eps, shares_of_bounds

BATCH = 6


@pytest.fixture(params=LAYERS)
def case(request: pytest.FixtureRequest) -> LayerCase:
    """Each row of the table."""
    return LAYERS[request.param]


def test_everything_that_is_registered_is_in_the_tables() -> None:
    assert {type(case.layer) for case in LAYERS.values()} == internals.layer_types()
    assert {type(case.layer) for case in ACTIVATIONS.values()} == set(nn.layers.Activation.types().values())
    assert {case.name for case in LOSSES.values()} == set(nn.losses.Loss.names())
    assert {case.type for case in EVERY_OPTIMIZER.values()} == set(nn.optimizers.Optimizer.types().values())
    assert {type(case.schedule) for case in SCHEDULES.values()} == set(nn.Schedule.types().values())


def test_the_core_has_the_same_kinds() -> None:
    assert internals.names_in_the_core("layer") == set(nn.Layer.types())
    assert internals.names_in_the_core("activation") == set(ACTIVATIONS)
    assert internals.names_in_the_core("loss") == set(nn.Loss.names())
    assert internals.names_in_the_core("optimizer") == set(nn.Optimizer.types())


@pytest.mark.parametrize("kind", [nn.Layer, nn.layers.Activation, nn.Loss, nn.Optimizer])
def test_a_kind_that_is_registered_without_its_row_is_found(kind: Any) -> None:
    test_everything_that_is_registered_is_in_the_tables()
    with internals.one_more(kind), pytest.raises(AssertionError):
        test_everything_that_is_registered_is_in_the_tables()
    with internals.one_more(kind), pytest.raises(AssertionError):
        test_the_core_has_the_same_kinds()


@pytest.mark.parametrize("name", [*nn.Layer.names(), *nn.Loss.names()])
def test_what_has_a_name_is_a_function_with_a_gradient(name: str) -> None:
    for module in (nn.functional, reference):
        assert {name, f"{name}_grad"} <= set(module.__all__)
        assert getattr(module, name).__name__ == name


@pytest.mark.parametrize("name", nn.Layer.names())
def test_every_activation_can_stand_between_the_layers_of_an_mlp(name: str) -> None:
    assert nn.MLP([2, 3, 1], activation=name).layers[1] == nn.Layer.names()[name]()


def test_shapes_and_parameters(case: LayerCase, dtype: str) -> None:
    model = nn.Sequential(case.layer, dtype=dtype)
    x = np.ones((BATCH, *case.shape))
    y = model.predict(x)
    assert y.shape == (BATCH, *case.output)
    assert y.dtype == dtype
    state = model.state_dict()
    assert {name: values.shape for name, values in state.items()} == {f"0.{n}": s for n, s in case.tensors.items()}
    assert all(values.dtype == dtype for values in state.values())
    assert model.predict(np.empty((0, *case.shape))).shape == (0, *case.output)
    model.forward(x)
    assert model.backward(np.ones((BATCH, *case.output))).shape == x.shape


def test_a_layer_comes_back_from_its_configuration(case: LayerCase) -> None:
    config = case.layer.config()
    assert nn.Layer.from_config(config) == case.layer
    assert repr(nn.Layer.from_config(config)) == repr(case.layer)
    assert config == case.layer.config()  # from_config takes nothing out of it


def compare_with_reference(case: LayerCase, dtype: str, rng: np.random.Generator) -> list[np.ndarray]:
    """Return the errors of outputs and gradients as shares of their bounds, which none exceeds."""
    model = nn.Sequential(case.layer, seed=5, dtype=dtype)
    twin, shares = bounded(model), []
    slack = 1.01 if dtype == "float32" else 2  # in float64 the reference is as far from the exact values
    x = case.suitable(rng.normal(size=(BATCH, *case.shape)).astype(dtype))
    dy = rng.normal(size=(BATCH, *case.output)).astype(dtype)
    for training, outputs in ((False, model.predict(x)), (True, model.forward(x))):
        expected = twin.forward(x, training)
        shares.append(shares_of_bounds(outputs, expected, slack * twin.error))
    twin.backward(dy.astype(np.float64), np.zeros(dy.shape))
    shares.append(shares_of_bounds(model.backward(dy), twin.network.backward(dy), slack * twin.input_gradient))
    for name, gradient in twin.network.grads().items():
        shares.append(shares_of_bounds(model.grads()[name], gradient, slack * twin.gradients[name]))
    return shares


def test_forward_and_backward_are_the_references(
    case: LayerCase, isa: str, dtype: str, rng: np.random.Generator
) -> None:
    for _ in range(10):
        compare_with_reference(case, dtype, rng)


def test_the_bounds_of_rounding_say_something(isa: str, rng: np.random.Generator) -> None:
    """In float32, as in float64 the core and the reference often round alike."""
    every = {name: compare_with_reference(case, "float32", rng) for name, case in LAYERS.items()}
    assert_bounds_say_something([share for shares in every.values() for share in shares])


def test_nan_in_gives_nan_out(case: LayerCase, isa: str, dtype: str) -> None:
    """At least where it is in the reference, and in no other row."""
    model = nn.Sequential(case.layer, dtype=dtype)
    twin = reference.Network.from_model(model)
    clean, seen = model.predict(np.ones((BATCH, *case.shape))), False
    for place in np.ndindex(case.shape):
        x = np.ones((BATCH, *case.shape))
        x[2][place] = np.nan
        y = model.predict(x, check=False)
        with np.errstate(invalid="ignore"):  # some BLAS says so of NaN
            expected = twin.predict(x[2:3])[0]
        seen = seen or bool(np.isnan(expected).any())  # strides pass over some places
        assert np.isnan(y[2][np.isnan(expected)]).all()
        assert_same_bits(np.delete(y, 2, axis=0), np.delete(clean, 2, axis=0))
    assert seen


# ---- Gradients against central differences --------------------------------------------------------------------------


def smallest_distance_from_a_kink(layers: Sequence[Any], x: np.ndarray) -> float:
    """Return how far the layers of the reference are from another slope: activations with kinks, PReLU and maxima."""
    smallest = np.inf
    for layer in layers:
        if isinstance(layer, reference.Activation) and layer.function not in (reference.softmax, reference.log_softmax):
            for kink in activation_case(layer.function.__name__, layer.options).kinks:
                smallest = min(smallest, float(np.abs(x - kink).min()))
        if isinstance(layer, reference.PReLU):
            smallest = min(smallest, float(np.abs(x).min()))
        if isinstance(layer, reference.RNN):
            smallest = min(smallest, distance_of_sums(layer, x))
        if isinstance(layer, reference.MaxPool1d | reference.MaxPool2d | reference.GlobalMaxPool1d):
            lines = lines_of_steps(x)
            every = isinstance(layer, reference.GlobalMaxPool1d)
            seen = np.sort(lines[:, :, 0] if every else layer.seen(lines), axis=-1)
            smallest = min(smallest, float((seen[..., -1:] - seen[..., -2:-1]).min(initial=np.inf)))
        if isinstance(layer, reference.Residual | reference.Branches):
            smallest = min(smallest_distance_from_a_kink(chain.layers, x) for chain in layer.chains().values())
        x, _ = layer.forward(x, None)
    return smallest


def distance_of_sums(layer: reference.RNN, x: np.ndarray) -> float:
    """Return how far from 0 what goes into the ReLU of an RNN is, at each step."""
    _, (_, levels) = layer.forward(x, None)
    smallest = np.inf
    for directions, (_, kept) in zip(layer.levels, levels, strict=True):
        for way, (seen, steps) in zip(directions, kept, strict=True):
            if way.cell.step is not reference.layers.cells.relu_step:
                continue
            bias = 0 if way.bias_ih is None else way.bias_ih + way.bias_hh
            for t, (h, _) in steps.items():
                sums = seen[:, t] @ way.weight_ih.T + h @ way.weight_hh.T + bias
                smallest = min(smallest, float(np.abs(sums).min()))
    return smallest


def checked_model(case: LayerCase, loss: LossCase, k: int, rng: np.random.Generator) -> tuple[nn.Sequential, Any, Any]:
    """Return a compiled float64 network around a layer, with data away from kinks."""
    last = [loss.last_layer] if loss.last_layer is not None else [nn.Sigmoid()] if loss.name == "bce" else []
    first, shape = case.before()
    model = nn.Sequential(first, case.layer, *case.head(k), *last, dtype="float64", seed=3)
    model.compile(loss=loss.make())
    layers, y = reference.Network.from_model(model).layers, loss.targets(rng, BATCH, k)
    for X in (case.suitable(rng.normal(size=(BATCH, *shape))) for _ in range(20)):
        distance = smallest_distance_from_a_kink(layers, as_samples(layers, X))
        if loss.kink is not None:
            distance = min(distance, float(loss.kink(model.forward(X, training=True), y).min()))
        if distance > 1e-4:  # the step of the differences is 6e-6
            return model, X, y
    raise AssertionError("none of 20 samples is away from kinks")


def check_gradients(
    model: nn.Sequential, X: Any, y: Any, weight: Any = None, cancels: float = 0.0, at_most: float = 1e-6
) -> float:
    """Return the error of the gradients as a share of its bound."""
    loss, grads = model.loss_and_grads(X, y, weight)
    bound = difference_bound(abs(loss) + cancels, grads, at_most)
    error = nn.gradcheck(model, X, y, sample_weight=weight).max_relative_error
    assert error <= bound
    return error / bound


def test_gradients_with_every_loss(case: LayerCase, rng: np.random.Generator) -> None:
    shares = []
    for loss in LOSSES.values():
        model, X, y = checked_model(case, loss, 3, rng)
        for weight in (None, rng.uniform(0.1, 2, size=BATCH)):
            # Slopes of -1 and 1 may add up to next to nothing, of which differences tell little.
            at_most = 1e-6 if loss.kink is None else 1e-4
            shares.append(check_gradients(model, X, y, weight, loss.cancels, at_most))
    assert_bounds_say_something([np.array(shares)])


@pytest.mark.parametrize("frozen", [(), (0,), (1,), (-1,), (0, 1)])
def test_gradients_of_what_is_not_frozen(case: LayerCase, frozen: tuple[int, ...], rng: np.random.Generator) -> None:
    """A frozen BatchNorm1d has other gradients, and what is first to train gives none to what is before."""
    model, X, y = checked_model(case, LOSSES["mse"], 3, rng)
    names = {str(range(len(model))[place]) for place in frozen} & {name.split(".")[0] for name in model.state_dict()}
    model.freeze(*names)
    assert nn.gradcheck(model, X, y).max_relative_error <= 1e-6
    _, grads = model.loss_and_grads(X, y)
    assert all(not grads[name].any() for name in grads if name.split(".")[0] in names)
    assert all(grads[name].any() for name in grads if name.split(".")[0] not in names)


@pytest.mark.parametrize("name", [name for name, case in LAYERS.items() if case.tensors])
def test_gradients_of_a_first_layer(name: str, rng: np.random.Generator) -> None:
    case = LAYERS[name]
    model = nn.Sequential(case.layer, *case.head(2), dtype="float64", seed=3)
    model.compile(loss="mse")
    X, y = case.suitable(rng.normal(size=(BATCH, *case.shape))), rng.normal(size=(BATCH, 2))
    assert nn.gradcheck(model, X, y).max_relative_error <= 1e-6


@pytest.mark.parametrize("loss", [name for name, case in LOSSES.items() if case.is_mean])
def test_gradients_of_a_single_output(loss: str, rng: np.random.Generator) -> None:
    model, X, y = checked_model(LAYERS["tanh"], LOSSES[loss], 1, rng)
    assert nn.gradcheck(model, X, y).max_relative_error <= 1e-6
    assert nn.gradcheck(model, X, y[:, 0]).max_relative_error <= 1e-6


def test_gradients_through_layers_that_work_in_place_one_after_the_other(rng: np.random.Generator) -> None:
    stack = (nn.Tanh(), nn.Sigmoid(), nn.Dropout(0.4), nn.LeakyReLU(), nn.Flatten(), nn.Softmax(), nn.Tanh(), nn.GELU())
    model = nn.Sequential(nn.Linear(3, 6), *stack, nn.Linear(6, 2, bias=False), nn.Softmax(), dtype="float64", seed=1)
    model.compile(loss="mse")
    X, y = rng.normal(size=(BATCH, 3)), rng.normal(size=(BATCH, 2))
    assert nn.gradcheck(model, X, y).max_relative_error <= 1e-6


def test_the_gradient_of_the_input_is_right_too(rng: np.random.Generator) -> None:
    model = nn.Sequential(nn.Tanh(), nn.Linear(4, 3), nn.Sigmoid(), nn.Softmax(), dtype="float64")
    X, dY = rng.normal(size=(2, 4)), rng.normal(size=(2, 3))
    model.forward(X)
    dX, h = model.backward(dY), eps("float64") ** (1 / 3)
    for at in np.ndindex(X.shape):
        up, down = X.copy(), X.copy()
        up[at] += h
        down[at] -= h
        numeric = ((model.predict(up) - model.predict(down)) * dY).sum() / (up[at] - down[at])
        assert abs(dX[at] - numeric) <= 1e-6 * np.abs(dX).max()


def test_gradcheck_finds_a_gradient_that_is_wrong(rng: np.random.Generator) -> None:
    model, X, y = checked_model(LAYERS["tanh"], LOSSES["mse"], 3, rng)

    def wrong_by_a_thousandth(y_pred: np.ndarray, y_true: np.ndarray) -> tuple[float, np.ndarray]:
        return float(((y_pred - y_true) ** 2).mean()), 1.001 * 2 * (y_pred - y_true) / y_true.size

    model.compile(loss=wrong_by_a_thousandth)
    result = nn.gradcheck(model, X, y)
    assert 5e-4 < result.max_relative_error < 2e-3
    assert ": computed " in result.worst


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.999])
def test_dropout_drops_the_references_elements_and_as_many_as_it_should(p: float) -> None:
    shape = (200, 500)
    y = nn.Sequential(nn.Identity(), nn.Dropout(p), seed=12, dtype="float64").forward(np.ones(shape))
    assert_same_bits(y, reference.random.dropout_mask(shape, p, seed=12, layer=1, step=0))
    # 10^5 independent draws: their share spreads by sqrt(p (1 - p) / n); 5 of those are missed once in 2 million.
    assert abs((y == 0).mean() - p) <= 5 * np.sqrt(p * (1 - p) / y.size)
