"""Batches that are handed over have the bits of the same steps from arrays."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import nnext as nn
from batches import CLASSES, SIZE, Loader, N, Pairs, cut, draw, network, squares, trained
from internals import counters, threads_that_read, training_state
from sparse import csr
from support import assert_same_bits


@pytest.fixture
def data(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    return draw(rng)


class Tensor:
    """An array of another library."""

    def __init__(self, values: np.ndarray) -> None:
        self.values, self.shape, self.dtype = values, values.shape, "a type of its own"

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return self.values if dtype is None else self.values.astype(dtype)

    def __len__(self) -> int:
        return len(self.values)


def one_buffer(pairs: Pairs) -> Iterator[Any]:
    """Yield all batches in the same arrays."""
    buffers = [np.empty_like(array) for array in pairs[0]]
    for pair in pairs:
        views = [buffer[: len(array)] for buffer, array in zip(buffers, pair, strict=True)]
        for view, array in zip(views, pair, strict=True):
            view[...] = array
        yield tuple(views)


KINDS: dict[str, Callable[[Pairs], Any]] = {
    "list": list,
    "tuple": tuple,
    "lists": lambda pairs: [[array.tolist() for array in pair] for pair in pairs],
    "loader": Loader,
    "function": lambda pairs: lambda: iter(pairs),
    "function of a list": lambda pairs: lambda: pairs,
    "generator function": lambda pairs: lambda: (pair for pair in pairs),
    "buffers": lambda pairs: lambda: one_buffer(pairs),
    "tensors": lambda pairs: Loader([tuple(map(Tensor, pair)) for pair in pairs]),
    "sparse": lambda pairs: [(csr(X), *others) for X, *others in pairs],
}


@pytest.mark.parametrize("loss", ["cross_entropy", squares])
@pytest.mark.parametrize("kind", KINDS)
def test_bits_are_those_of_the_same_steps_from_arrays(kind: str, loss: Any, data: Any) -> None:
    expected = trained(network(loss), *data, batch_size=SIZE, shuffle=False, validation_data=data)
    given = KINDS[kind](cut(*data))
    assert_same_bits(trained(network(loss), given, validation_data=data), expected)
    assert threads_that_read() == 0


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("how", ["plain", "clip_norm", "frozen", "tiny", "large"])
def test_every_way_through_the_core(rng: np.random.Generator, how: str, threads: int) -> None:
    sizes = {"tiny": [5, 4, 3], "large": [300, 260, 10]}.get(how, [65, 131, 10])
    size = 200 if how == "large" else 50
    X, y = rng.normal(size=(430, sizes[0])).astype("float32"), rng.integers(sizes[-1], size=430)
    states = []
    for given, options in (([X, y], {"batch_size": size, "shuffle": False}), ([Loader(cut(X, y, size=size))], {})):
        model = nn.MLP(sizes, dropout=0.1)
        model.compile("cross_entropy", nn.SGD(0.01, momentum=0.9), clip_norm=0.5 if how == "clip_norm" else None)
        if how == "frozen":
            model.freeze("0")
        with nn.runtime.threads(threads):
            states.append(trained(model, *given, epochs=2, **options))
    assert_same_bits(states[1], states[0])


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("sizes", [[5, 4, 3], [65, 131, 10], [300, 260, 10]])
def test_batches_of_every_size_are_fits_of_their_own(rng: np.random.Generator, sizes: list[int], threads: int) -> None:
    """Growing and shrinking, so that they find the memory of larger ones."""
    rows = [2, 64, 3, 190, 7, 400, 1]
    pairs = [(rng.normal(size=(n, sizes[0])).astype("float32"), rng.integers(sizes[-1], size=n)) for n in rows]
    together, alone = (nn.MLP(sizes, dropout=0.1) for _ in range(2))
    for model in (together, alone):
        model.compile("cross_entropy", nn.SGD(0.01, momentum=0.9))
    with nn.runtime.threads(threads):
        together.fit(Loader(pairs), verbose=0)
        for X, y in pairs:
            alone.fit(X, y, batch_size=500, shuffle=False, verbose=0)
    assert counters(together) == (7, 1, 7)
    assert counters(alone) == (7, 7, 7)
    states = [{k: v for k, v in training_state(m).items() if k != "counters"} for m in (together, alone)]
    assert_same_bits(states[0], states[1])


def test_batches_need_not_be_alike(data: Any) -> None:
    """Labels and one-hot rows, with weights and without, in memory and sparse, of several types and sizes."""
    X, y = data
    one_hot, weight = np.eye(CLASSES)[y], np.ones(N)
    pairs: Pairs = [
        (X[:16], y[:16]), (X[16:19].astype("float64"), one_hot[16:19]), (csr(X[19:50]), y[19:50], weight[19:50]),
        (X[50:52], one_hot[50:52], weight[50:52]), (X[52:], y[52:]),
    ]  # fmt: skip
    together, alone = network(metrics=[]), network(metrics=[])
    together.fit(Loader(pairs), verbose=0)
    for values, *others in pairs:
        alone.fit(values, others[0], batch_size=N, shuffle=False, verbose=0)
    assert_same_bits(together.state_dict(), alone.state_dict())


@pytest.mark.parametrize("two", [False, True])
def test_weights_count_within_their_batch(rng: np.random.Generator, data: Any, two: bool) -> None:
    """A step is that of a fit of the batch alone; what has weight 0 is left out; the loss is that of all samples."""
    X, y = data[0], rng.normal(size=(N, CLASSES)).astype("float32")
    weight = rng.integers(1, 4, size=(N, CLASSES) if two else N).astype(float)
    weight[[0, 17, 18]] = 0
    together, alone = network("mse", metrics=[]), network("mse", metrics=[])
    pairs = cut(X, y, weight)
    history = together.fit(Loader(pairs), verbose=0)
    losses = [alone.fit(X, y, sample_weight=w, batch_size=N, shuffle=False, verbose=0)["loss"][0] for X, y, w in pairs]
    states = [{k: v for k, v in training_state(m).items() if k != "counters"} for m in (together, alone)]
    assert_same_bits(states[0], states[1])
    shares = [w.sum() / w[0].size for *_, w in pairs]
    assert history["loss"] == [pytest.approx(np.average(losses, weights=shares), rel=1e-14)]


def test_classes_have_weights(data: Any) -> None:
    factors = {0: 2.0, 1: 0.0, 2: 1.0}
    weighted, by_sample = network(metrics=None), network(metrics=None)  # metrics take those of samples alone
    X, y = data
    expected = trained(by_sample, cut(X, y, np.array([factors[label] for label in y])))
    assert_same_bits(trained(weighted, Loader(cut(X, y)), class_weight=factors), expected)


def test_evaluate_and_validation_take_batches(data: Any) -> None:
    """The loss of all samples is a mean of the batches', so it differs by rounding; metrics are of all outputs."""
    pairs = cut(*data)
    again: list[Any] = [pairs, tuple(pairs), Loader(pairs), lambda: iter(pairs)]
    model = network()
    expected = model.evaluate(*data)
    for given in (*again, iter(pairs)):
        scores = model.evaluate(given)
        assert scores == {"loss": pytest.approx(expected["loss"], rel=1e-6), "accuracy": expected["accuracy"]}
    history = model.fit(*data, epochs=2, validation_data=data, verbose=0)
    for given in again:
        found = network().fit(*data, epochs=2, validation_data=given, verbose=0)
        assert found["val_loss"] == pytest.approx(history["val_loss"], rel=1e-6)
        assert {**found.history, "val_loss": 0} == {**history.history, "val_loss": 0}
    assert threads_that_read() == 0


def test_a_scale_is_for_every_batch(data: Any) -> None:
    X, y = (data[0] * 100).astype("uint8"), data[1]
    expected = trained(network(), X, y, batch_size=SIZE, shuffle=False, scale=1 / 255)
    model = network()
    assert_same_bits(trained(model, Loader(cut(X, y)), scale=1 / 255), expected)
    with pytest.warns(UserWarning, match="the model was fitted with scale"):
        model.evaluate(Loader(cut(X, y)))


def test_loaders_of_pytorch_also_with_processes(data: Any) -> None:
    torch = pytest.importorskip("torch")
    X, y = data
    tensors = torch.utils.data.TensorDataset(torch.as_tensor(X), torch.as_tensor(y))
    states = []
    for given in (
        cut(X, y),
        torch.utils.data.DataLoader(tensors, batch_size=SIZE),
        torch.utils.data.DataLoader(tensors, batch_size=SIZE, num_workers=2),
    ):
        states.append(trained(network(), given, validation_data=given))
    assert_same_bits(states[1], states[0])
    assert_same_bits(states[2], states[0])
    model = network()
    model.fit(*tensors.tensors, validation_split=0.5, verbose=0)
    model.evaluate(*tensors.tensors)
    assert model.predict(tensors.tensors[0]).shape == (N, CLASSES)
