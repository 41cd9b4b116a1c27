"""Batches that are handed over: the bits of the same steps from arrays, the ends of epochs, and what is refused."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import nnext as nn
from batches import threads_that_read
from internals import counters, training_state
from sparse import csr
from support import assert_same_bits, unchanged

N, FEATURES, CLASSES, SIZE = 70, 9, 3, 16
Pairs = list[tuple[np.ndarray, ...]]


def squares(y_pred: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    return float(((y_pred - np.eye(CLASSES)[y]) ** 2).mean()), 2 * (y_pred - np.eye(CLASSES)[y]) / y_pred.size


def network(loss: Any = "cross_entropy", **compiled: Any) -> nn.Sequential:
    layers = [nn.Linear(FEATURES, 7), nn.BatchNorm1d(7), nn.ReLU(), nn.Dropout(0.2), nn.Linear(7, CLASSES)]
    model = nn.Sequential(*layers, seed=5)
    model.compile(loss, **{"optimizer": nn.Adam(lr=0.01), "metrics": ["accuracy"], **compiled})
    return model


@pytest.fixture
def data(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    return rng.normal(size=(N, FEATURES)).astype("float32"), rng.integers(CLASSES, size=N)


def cut(*arrays: np.ndarray, size: int = SIZE) -> Pairs:
    return [tuple(array[first : first + size] for array in arrays) for first in range(0, len(arrays[0]), size)]


class Loader:
    """What can be read again and again, as PyTorch's DataLoader; lists in place of tuples, as it gives them."""

    def __init__(self, pairs: Pairs) -> None:
        self.pairs = pairs

    def __iter__(self) -> Iterator[Any]:
        return (list(pair) for pair in self.pairs)


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


def trained(model: nn.Sequential, *given: Any, **options: Any) -> dict[str, Any]:
    history = model.fit(*given, **{"epochs": 3, "verbose": 0, **options}).history
    return training_state(model) | {name: np.array(values) for name, values in history.items()}


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
    weighted, by_sample = network(), network()
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


# ---- Epochs ---------------------------------------------------------------------------------------------------------


def test_an_iterator_goes_on_from_epoch_to_epoch(data: Any) -> None:
    pairs = cut(*data, size=5)
    model, expected = network(), network()
    taken = []
    given = (taken.append(i) or pair for i, pair in enumerate(pairs * 10))  # type: ignore[func-returns-value]
    history = model.fit(given, epochs=3, steps_per_epoch=4, verbose=0)
    expected.fit(pairs[:12], epochs=1, verbose=0)
    assert_same_bits(model.state_dict(), expected.state_dict())
    assert (history.epoch, history.stop_reason, taken) == ([0, 1, 2], "all epochs done", list(range(12)))
    assert counters(model)[:2] == (12, 3)


def test_what_can_be_read_again_starts_again(data: Any) -> None:
    pairs = cut(*data, size=5)
    model, expected = network(), network()
    model.fit(Loader(pairs), epochs=3, steps_per_epoch=2, verbose=0)
    expected.fit(pairs[:2], epochs=3, verbose=0)
    assert_same_bits(training_state(model), training_state(expected))


@pytest.mark.parametrize(
    ("make", "options", "epochs", "reason"),
    [
        (iter, {"epochs": 3}, 1, "the batches ended after epoch 0"),
        (iter, {"epochs": 3, "steps_per_epoch": 5}, 1, "the batches ended after epoch 0"),
        (iter, {"epochs": 3, "steps_per_epoch": 3}, 2, "the batches ended in epoch 1 after 2 of 3 steps"),
        (list, {"epochs": 3, "steps_per_epoch": 7}, 1, "the batches ended in epoch 0 after 5 of 7 steps"),
    ],
)
def test_batches_that_end_early_end_the_fit(
    data: Any, make: Any, options: dict[str, int], epochs: int, reason: str
) -> None:
    ends = []
    end = nn.callbacks.LambdaCallback(on_train_end=lambda logs: ends.append(1))
    with pytest.warns(UserWarning, match=rf"^\[fit\] {reason}, and with them the fit; give a list"):
        history = network().fit(make(cut(*data)), callbacks=[end], verbose=0, **options)
    assert (len(history.epoch), len(history["loss"]), history.stop_reason, ends) == (epochs, epochs, reason, [1])


@pytest.mark.parametrize("given", [[], (), iter([]), lambda: iter([]), Loader([])])
def test_no_batches_at_all_are_an_error(given: Any, data: Any) -> None:
    model = network()
    with unchanged(model), pytest.raises(ValueError, match=r"^\[fit\] there are no batches; give at least one"):
        model.fit(given, verbose=0)
    if given != ():
        with pytest.raises(ValueError, match=r"^\[(evaluate|fit: validation_data)\] there are no batches"):
            model.evaluate(given) if isinstance(given, Iterator) else model.fit(*data, validation_data=given)


def own_mse(y_pred: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    return float(((y_pred - y) ** 2).mean()), 2 * (y_pred - y) / y.size


@pytest.mark.parametrize("sizes", [[FEATURES, CLASSES], [FEATURES, 300, CLASSES]])
@pytest.mark.parametrize("loss", ["mse", own_mse])
@pytest.mark.parametrize("how", ["first batch", "middle", "next epoch", "slowly", "at once"])
def test_divergence_takes_back_one_update(data: Any, how: str, loss: Any, sizes: list[int]) -> None:
    """The state is that to which a fit of arrays goes back: before the update whose loss was the last finite one."""
    X, y = data[0].copy(), np.eye(CLASSES, dtype="float32")[data[1]]
    lr = {"slowly": 30.0, "at once": 3e38}.get(how, 1e-3)
    if how in ("first batch", "middle", "next epoch"):  # the loss overflows, but in the second epoch alone
        y[{"first batch": 0, "middle": 3 * SIZE, "next epoch": 0}[how]] = 1e30
    models = [nn.MLP(sizes) for _ in range(2)]
    steps = []
    for model, given in ((models[0], [X, y]), (models[1], [Loader(cut(X, y))])):
        model.compile(loss, nn.SGD(lr=lr, momentum=0.5))
        if how == "next epoch":
            model.fit(X, np.clip(y, 0, 1), shuffle=False, batch_size=SIZE, verbose=0)
        options = {"batch_size": SIZE, "shuffle": False} if len(given) == 2 else {}
        with pytest.raises(nn.DivergenceError) as caught, np.errstate(all="ignore"):
            model.fit(*given, epochs=50, verbose=0, **options)
        steps.append((caught.value.epoch, caught.value.step))
    assert_same_bits(training_state(models[1]), training_state(models[0]))
    if how in ("first batch", "middle", "next epoch"):
        assert steps[1] == steps[0]


# ---- What is refused ------------------------------------------------------------------------------------------------

X, Y = np.zeros((4, FEATURES)), np.arange(4) % CLASSES
REFUSED: list[tuple[Callable[[nn.Sequential], Any], type[Exception], str]] = [
    (lambda m: m.fit(X), TypeError, r"\[fit\] y is missing; write fit\(X, y\), or give batches"),
    (lambda m: m.fit(X.tolist()), TypeError, r"\[fit\] y is missing"),
    (lambda m: m.fit([(0.0, 1.0), (1.0, 0.0)]), TypeError, r"\[fit\] y is missing"),
    (lambda m: m.fit(list(X)), TypeError, r"\[fit\] y is missing"),
    (lambda m: m.fit({"X": X}), TypeError, r"\[fit\] y is missing"),
    (lambda m: m.fit("X"), TypeError, r"\[fit\] y is missing"),
    (lambda m: m.evaluate(X), TypeError, r"\[evaluate\] y is missing; write evaluate\(X, y\), or give"),
    (lambda m: m.fit(iter([(X, Y)]), Y), TypeError, r"\[fit\] y is given beside batches"),
    (lambda m: m.fit([(X, Y)], sample_weight=Y), TypeError, r"\[fit\] sample_weight is given beside batches"),
    (lambda m: m.fit([(X, Y)], shuffle=True), ValueError, r"\[fit\] shuffle is True, which cannot be obeyed"),
    (lambda m: m.fit([(X, Y)], shuffle=1), TypeError, r"\[fit\] shuffle is 1; give True or False"),
    (lambda m: m.fit([(X, Y)], batch_size=4), ValueError, r"\[fit\] batch_size is 4, which cannot be obeyed"),
    (lambda m: m.fit([(X, Y)], validation_split=0.5), ValueError, r"\[fit\] validation_split is 0.5, which cannot"),
    (lambda m: m.fit([(X, Y)], class_weight="balanced"), ValueError, r"\[fit\] class_weight is 'balanced', which"),
    (lambda m: m.fit(X, Y, steps_per_epoch=2), ValueError, r"\[fit\] steps_per_epoch is for batches, but X and y"),
    (lambda m: m.fit([(X, Y)], steps_per_epoch=0), ValueError, r"\[fit\] steps_per_epoch is 0"),
    (lambda m: m.fit(X, Y, validation_data=iter([(X, Y)])), ValueError, r"\[fit\] validation_data is an iterator"),
    (lambda m: m.fit(X, Y, validation_data=lambda: 3), TypeError, r"\[fit: validation_data\] the function gave 3"),
    (lambda m: m.fit(lambda: 3), TypeError, r"\[fit\] the function gave 3; it must return an iterator of batches"),
    (lambda m: m.fit(iter([X])), TypeError, r"\[fit: batch 0\] it is array.*; give \(X, y\) or"),
    (lambda m: m.fit(iter([{"X": X}])), TypeError, r"\[fit: batch 0\] it is {'X'.*; give \(X, y\) or"),
    (lambda m: m.fit([(X[:, :2], Y)]), ValueError, r"\[fit: batch 0\] X has 2 features but the network expects 9"),
    (lambda m: m.fit([(X, Y[:2])]), ValueError, r"\[fit: batch 0\] y has 2 rows but X has 4"),
    (lambda m: m.fit([(X * np.nan, Y)]), ValueError, r"\[fit: batch 0\] X has 36 values that are NaN"),
    (lambda m: m.fit([(X, Y, Y * 0)]), ValueError, r"\[fit: batch 0\] sample_weight is zero for all 4 samples"),
    (lambda m: m.fit(X, Y, validation_data=[(X, Y[:2])]), ValueError, r"\[fit: validation_data: batch 0\] y has 2"),
    (lambda m: m.evaluate([(X, Y[:2])]), ValueError, r"\[evaluate: batch 0\] y has 2 rows but X has 4"),
    (
        lambda m: m.fit([(X, np.array(["a", "b", "c", "a"]))]),
        ValueError,
        r"\[fit: batch 0\] y has names, such as 'a', but the model has seen none yet",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), REFUSED)
def test_what_cannot_be_is_refused_before_anything_has_changed(
    call: Callable[[nn.Sequential], Any], error: type[Exception], message: str
) -> None:
    model = network()
    with unchanged(model), pytest.raises(error, match=f"^{message}"):
        call(model)
    assert threads_that_read() == 0


def test_a_batch_that_does_not_fit_ends_the_fit_after_a_whole_step(data: Any) -> None:
    pairs = cut(*data)
    model, expected = network(), network()
    with pytest.raises(ValueError, match=r"^\[fit: batch 2\] X has 2 features"):
        model.fit(Loader([*pairs[:2], (pairs[2][0][:, :2], pairs[2][1]), *pairs]), verbose=0)
    expected.fit(pairs[:2], verbose=0)
    assert_same_bits(training_state(model), training_state(expected))
    with pytest.raises(
        ValueError, match=r"^\[fit: batch 1\] y has shape \(16, 3\) but that of the first batch \(16,\)"
    ):
        model.fit([pairs[0], (pairs[1][0], np.eye(CLASSES)[pairs[1][1]])], verbose=0)


def test_names_of_classes_that_the_model_has_seen(data: Any) -> None:
    names = np.array(["cat", "dog", "eel"])[data[1]]
    named, numbered = network(), network()
    named.fit(data[0], names, verbose=0)
    numbered.fit(*data, verbose=0)
    history = named.fit(Loader(cut(data[0], names)), validation_data=cut(data[0], names), verbose=0)
    assert history.history == numbered.fit(Loader(cut(*data)), validation_data=cut(*data), verbose=0).history
    assert_same_bits(training_state(named), training_state(numbered))
