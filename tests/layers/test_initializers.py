"""First weights: those of the reference, with the distributions that their names promise."""

import math
import pathlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import internals
import nnext as nn
from nnext import initializers, reference
from support import assert_same_bits
from tolerance import assert_within, eps

normal_cdf = np.vectorize(lambda z: (1 + math.erf(z / math.sqrt(2))) / 2)
ENDS = float(normal_cdf(2.0) - normal_cdf(-2.0))  # of the normal distribution, within two deviations


def uniform_cdf(z: np.ndarray) -> np.ndarray:
    return np.clip((z / math.sqrt(3) + 1) / 2, 0, 1)


def truncated_cdf(z: np.ndarray) -> np.ndarray:
    return np.clip((normal_cdf(z) - float(normal_cdf(-2.0))) / ENDS, 0, 1)


class Case(NamedTuple):
    """An initializer: what nnext is given, the reference's arguments, and its distribution by the fans of a layer."""

    given: Any
    arguments: dict[str, float]
    deviation: Callable[[float, float], float]  # of what the cdf takes as z = (weight - mean) / deviation
    cdf: Callable[[np.ndarray], np.ndarray] | None  # None: it is not of single weights
    mean: float = 0.0


INITIALIZERS: dict[str, Case] = {
    "zeros": Case("zeros", {}, lambda i, o: 0, None),
    "ones": Case("ones", {}, lambda i, o: 0, None, mean=1),
    "constant": Case(initializers.constant(-1.5), {"value": -1.5}, lambda i, o: 0, None, mean=-1.5),
    "uniform": Case(
        initializers.uniform(-0.2, 0.5), {"low": -0.2, "high": 0.5}, lambda i, o: 0.7 / 12**0.5, uniform_cdf, mean=0.15
    ),
    "normal": Case(initializers.normal(0.3, 0.1), {"mean": 0.3, "std": 0.1}, lambda i, o: 0.1, normal_cdf, mean=0.3),
    "truncated_normal": Case(
        initializers.truncated_normal(0.3, 0.1), {"mean": 0.3, "std": 0.1}, lambda i, o: 0.1, truncated_cdf, mean=0.3
    ),
    "he_uniform": Case("he_uniform", {}, lambda i, o: (2 / i) ** 0.5, uniform_cdf),
    "he_normal": Case(
        initializers.he_normal(0.5), {"negative_slope": 0.5}, lambda i, o: (2 / 1.25 / i) ** 0.5, normal_cdf
    ),
    "glorot_uniform": Case("glorot_uniform", {}, lambda i, o: (2 / (i + o)) ** 0.5, uniform_cdf),
    "glorot_normal": Case(
        initializers.glorot_normal(5 / 3), {"gain": 5 / 3}, lambda i, o: 5 / 3 * (2 / (i + o)) ** 0.5, normal_cdf
    ),
    "lecun_uniform": Case("lecun_uniform", {}, lambda i, o: i**-0.5, uniform_cdf),
    "lecun_normal": Case("lecun_normal", {}, lambda i, o: i**-0.5, normal_cdf),
    "fan_in_uniform": Case("fan_in_uniform", {}, lambda i, o: (3 * i) ** -0.5, uniform_cdf),
    "orthogonal": Case(initializers.orthogonal(2.0), {"gain": 2.0}, lambda i, o: 2 * i**-0.5, None),
}

# A layer for some initializer, and its fans: weights of an output, and of an input.
LAYERS: dict[str, tuple[Callable[[Any], nn.Layer], float, float]] = {
    "linear": (lambda given: nn.Linear(300, 200, weight_init=given, bias_init="zeros"), 300, 200),
    "convolution": (lambda given: nn.Conv2d(8, 60, (3, 5), weight_init=given, bias_init="zeros"), 8 * 15, 60 * 15),
    "signals": (lambda given: nn.Conv1d(30, 60, 5, weight_init=given, bias_init="zeros"), 30 * 5, 60 * 5),
    "groups": (
        lambda given: nn.Conv2d(32, 60, 5, groups=4, weight_init=given, bias_init="zeros"), 8 * 25, 15 * 25,
    ),
}  # fmt: skip


def weights(layer: str, given: Any, dtype: str = "float64", seed: int = 2**63 + 9) -> tuple[np.ndarray, float, float]:
    """Return the weights of a layer as a matrix with a row an output, and its fans."""
    make, fan_in, fan_out = LAYERS[layer]
    model = nn.Sequential(nn.Identity(), make(given), seed=seed, dtype=dtype)
    assert not model.state_dict()["1.bias"].any()
    found = model.state_dict()["1.weight"]
    return found.reshape(len(found), -1), fan_in, fan_out


def test_all_initializers_are_in_the_table() -> None:
    assert set(INITIALIZERS) == internals.initializer_names()


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("name", INITIALIZERS)
def test_first_weights_are_the_references(name: str, layer: str, dtype: str) -> None:
    case = INITIALIZERS[name]
    found, fan_in, fan_out = weights(layer, case.given, dtype)
    if name.startswith("glorot") and layer != "linear":  # the fan_out of a convolution is not in the shape of a matrix
        shape = (int(fan_out), int(fan_in))
        expected = getattr(reference.initializers, name)(shape, **case.arguments, seed=2**63 + 9, layer=1)
        expected = expected.reshape(-1)[: found.size].reshape(found.shape)
    else:
        expected = getattr(reference.initializers, name)(found.shape, **case.arguments, seed=2**63 + 9, layer=1)
    # One rounding to dtype; log, cos, sqrt and 300 terms of Gram and Schmidt's sums in float64.
    assert_within(found, expected, np.abs(expected) * eps(dtype) + 1000 * eps("float64"))


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("name", [name for name, case in INITIALIZERS.items() if case.cdf is not None])
def test_first_weights_have_the_distribution_of_their_name(name: str, layer: str) -> None:
    """The share of n draws below z is off by more than d anywhere with probability ``2 exp(-2 n d^2)`` at most.

    Dvoretzky, Kiefer and Wolfowitz; the constant is Massart's (Ann. Prob. 18, 1990). Uniform and normal numbers of one
    deviation differ by 0.057, the bounds here are below 0.032. Mean, variance and fourth moment, which see more of the
    ends, are within 5 of their standard errors.
    """
    case = INITIALIZERS[name]
    assert case.cdf is not None
    found, fan_in, fan_out = weights(layer, case.given)
    n = found.size
    z = np.sort((found.ravel() - case.mean) / case.deviation(fan_in, fan_out))
    below = case.cdf(z)
    distance = max((np.arange(1, n + 1) / n - below).max(), (below - np.arange(n) / n).max())
    assert distance <= math.sqrt(math.log(2 / 1e-6) / (2 * n))
    grid = np.linspace(-6, 6, 20_001)
    density = np.diff(case.cdf(grid))
    moment = {power: float((density * ((grid[1:] + grid[:-1]) / 2) ** power).sum()) for power in (1, 2, 4, 8)}
    for power in (1, 2, 4):
        spread = math.sqrt((moment[2 * power] - moment[power] ** 2) / n)
        assert abs((z**power).mean() - moment[power]) <= 5 * spread


@pytest.mark.parametrize("name", ["zeros", "ones", "constant"])
def test_weights_that_are_all_the_same(name: str) -> None:
    assert (weights("linear", INITIALIZERS[name].given)[0] == INITIALIZERS[name].mean).all()


def test_the_ends_of_what_has_ends() -> None:
    for name, end in (("he_uniform", math.sqrt(6 / 300)), ("lecun_uniform", 0.1), ("fan_in_uniform", 300**-0.5)):
        assert 0.99 * end < np.abs(weights("linear", name)[0]).max() <= end
    found = weights("linear", initializers.truncated_normal(1.0, 0.25))[0]
    assert 0.5 <= found.min() < 0.51
    assert 1.49 < found.max() <= 1.5


@pytest.mark.parametrize("layer", LAYERS)
def test_fans_are_pytorchs(layer: str) -> None:
    """But for the fan_out of groups: PyTorch counts all of them, though an input reaches one."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed; the comparison with it needs it")
    groups, shape = 4 if layer == "groups" else 1, weights(layer, "zeros")[0].shape
    kernel = {"linear": (), "convolution": (3, 5), "signals": (5,), "groups": (5, 5)}[layer]
    weight = torch.empty(shape[0], shape[1] // math.prod(kernel), *kernel)
    torch.manual_seed(0)
    _, fan_in, fan_out = LAYERS[layer]
    for fill, end in (
        (torch.nn.init.kaiming_uniform_, math.sqrt(6 / fan_in)),
        (torch.nn.init.xavier_uniform_, math.sqrt(6 / (fan_in + groups * fan_out))),
    ):
        assert 0.99 * end < float(fill(weight).abs().max()) <= end * (1 + eps("float32"))


@pytest.mark.parametrize("shape", [(20, 30), (30, 20), (7, 7)])
def test_orthogonal_rows_or_columns(shape: tuple[int, int]) -> None:
    out_features, in_features = shape
    layer = nn.Linear(in_features, out_features, weight_init=initializers.orthogonal(3.0))
    w = nn.Sequential(layer, dtype="float64").state_dict()["0.weight"]
    products = w @ w.T if out_features <= in_features else w.T @ w
    assert_within(products, 9 * np.eye(min(shape)), 9 * 32 * eps("float64"))


def test_the_default_is_pytorchs_for_weight_and_bias(isa: str, dtype: str) -> None:
    """More weights than are drawn at once, and not a multiple of a vector's."""
    model = nn.Sequential(nn.ReLU(), nn.Linear(301, 207), seed=8, dtype=dtype)
    weight, bias = reference.initializers.linear_default(207, 301, seed=8, layer=1)
    state = model.state_dict()
    assert_same_bits(state["1.weight"], weight.astype(dtype))
    assert_same_bits(state["1.bias"], bias.astype(dtype))
    assert np.abs(state["1.weight"]).max() < 301**-0.5


def test_weights_depend_on_the_seed_and_the_place_only(isa: str) -> None:
    a, b = nn.MLP([5, 4, 3], seed=1), nn.MLP([5, 4, 3], seed=1)
    assert_same_bits(a.state_dict(), b.state_dict())
    other = nn.MLP([5, 4, 3], seed=2).state_dict()
    assert not (a.state_dict()["0.weight"] == other["0.weight"]).any()
    twice = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4)).state_dict()
    assert not (twice["0.weight"] == twice["1.weight"]).any()


# ---- Numbers that may be infinite ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        lambda: initializers.uniform(-1e308, 1e308),
        lambda: initializers.normal(std=1e308),
        lambda: initializers.normal(mean=1.7e308, std=1e307),
        lambda: initializers.truncated_normal(std=1e308),
        lambda: initializers.Initializer.from_config({"type": "normal", "mean": 0.0, "std": 1e308}),
    ],
)
def test_settings_that_overflow_by_themselves_are_refused_at_once(make: Callable[[], Any]) -> None:
    with pytest.raises(ValueError, match=r"^\[\w+\] .* may draw infinite numbers; give smaller settings"):
        make()


TOO_LARGE: dict[str, Callable[[float], nn.Layer]] = {  # near the largest number that is given
    "constant": lambda most: nn.Linear(2, 1, weight_init=initializers.constant(-1.01 * most)),
    "uniform": lambda most: nn.Linear(2, 1, weight_init=initializers.uniform(0, 1.01 * most)),
    "normal": lambda most: nn.Linear(2, 1, bias_init=initializers.normal(std=0.15 * most)),
    "truncated_normal": lambda most: nn.Linear(2, 1, weight_init=initializers.truncated_normal(0.1 * most, 0.5 * most)),
    "glorot_uniform": lambda most: nn.Linear(1, 1, weight_init=initializers.glorot_uniform(0.6 * most)),
    "glorot_normal": lambda most: nn.Conv2d(1, 1, 1, weight_init=initializers.glorot_normal(0.3 * most)),
    "orthogonal": lambda most: nn.Linear(2, 1, weight_init=initializers.orthogonal(1.01 * most)),
    "init": lambda most: nn.PReLU(init=-1.01 * most),
}


@pytest.mark.parametrize("name", TOO_LARGE)
def test_numbers_that_overflow_in_float32_are_refused_by_a_network_of_float32(name: str) -> None:
    layer = TOO_LARGE[name](float(np.finfo("float32").max))
    with pytest.raises(ValueError, match=rf'^layer 1: \[{name}\] start values may be as large as .*dtype="float64"$'):
        nn.Sequential(nn.Identity(), layer)
    wide = nn.Sequential(nn.Identity(), layer, dtype="float64")
    assert all(np.isfinite(values).all() for values in wide.state_dict().values())


@pytest.mark.parametrize("name", ["glorot_uniform", "glorot_normal"])
def test_numbers_that_overflow_in_float64_are_refused_by_every_network(name: str) -> None:
    layer = nn.Residual(TOO_LARGE[name](float(np.finfo("float64").max)))
    with pytest.raises(ValueError, match=rf"^layer 0.body.0: \[{name}\] .* give smaller settings$"):
        nn.Sequential(layer, dtype="float64")


def test_the_largest_numbers_are_taken(dtype: str) -> None:
    most = float(np.finfo(dtype).max)
    ends = initializers.uniform(-most / 2, most / 2), initializers.normal(std=most / 6.77)
    for given in (*ends, initializers.constant(most), initializers.orthogonal(most)):
        model = nn.Sequential(nn.Linear(100, 100, weight_init=given), dtype=dtype)
        assert np.isfinite(model.state_dict()["0.weight"]).all()


def test_a_file_of_such_a_layer_is_read_in_its_own_dtype(tmp_path: pathlib.Path) -> None:
    model = nn.Sequential(TOO_LARGE["normal"](float(np.finfo("float32").max)), dtype="float64")
    model.save(tmp_path / "m")
    assert_same_bits(nn.load(tmp_path / "m").state_dict(), model.state_dict())
