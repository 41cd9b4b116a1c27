"""Losses of sequences of different lengths: those of each alone, added up by how many steps count and how much."""

from typing import Any

import numpy as np
import pytest

import nnext as nn
from sequence_cases import CASES, F, SequenceCase, as_list, draw_lengths, fill_after_ends
from support import assert_same_bits
from tolerance import assert_relative, eps

N, MORE = 11, 6
MANY = 1e4 * eps("float64")  # relative to the largest: sums of some hundred terms in another order
WITHOUT_DROPOUT = [name for name in CASES if "Dropout" not in repr(CASES[name].layers)]  # masks are by the row
OF_STEPS = [name for name in WITHOUT_DROPOUT if CASES[name].gives is not None]


class Task:
    """Samples of a case, with targets of classes or numbers."""

    def __init__(self, name: str, loss: str, rng: np.random.Generator, n: int = N) -> None:
        self.case: SequenceCase = CASES[name]
        steps = self.case.least + MORE
        self.X, self.lengths = self.case.values(rng, n, steps), draw_lengths(rng, n, steps, self.case.least)
        self.loss, self.rng = loss, rng
        outputs = self.case.model().predict(self.X)
        self.counts = np.array([1 if self.case.gives is None else self.case.gives(int(k)) for k in self.lengths])
        self.steps = 1 if self.case.gives is None else self.case.by_steps(outputs).shape[1]
        if loss == "mse":
            self.y = rng.normal(size=outputs.shape)
        else:
            k = self.case.by_steps(outputs).shape[-1]
            self.y = rng.integers(k, size=n if self.case.gives is None else (n, self.steps))

    def model(self, optimizer: Any = "sgd", **settings: Any) -> nn.Sequential:
        model = self.case.model()
        model.compile(self.loss, optimizer, **settings)
        return model

    def of(self, i: int, values: np.ndarray) -> np.ndarray:
        """Return what belongs to a sequence alone."""
        if self.case.gives is None:
            return values[i : i + 1]
        return self.case.by_steps(values[i : i + 1]).swapaxes(0, 1)[: self.counts[i]].swapaxes(0, 1)

    def target(self, i: int) -> np.ndarray:
        alone = self.of(i, self.y)
        return np.ascontiguousarray(np.moveaxis(alone, 1, 2) if self.case.signal and alone.ndim == 3 else alone)

    def alone(self, model: nn.Sequential, i: int, **more: Any) -> tuple[float, dict[str, np.ndarray]]:
        return model.loss_and_grads(self.case.alone(self.X[i], self.lengths[i]), self.target(i), **more)


def weighted(parts: list[tuple[float, dict[str, np.ndarray]]], shares: Any) -> tuple[float, dict[str, np.ndarray]]:
    shares = np.asarray(shares, float) / np.sum(shares)
    names = parts[0][1]
    return (
        float(sum(share * loss for share, (loss, _) in zip(shares, parts, strict=True))),
        {name: sum(share * grads[name] for share, (_, grads) in zip(shares, parts, strict=True)) for name in names},
    )


def assert_close(found: tuple[float, dict[str, np.ndarray]], expected: tuple[float, dict[str, np.ndarray]]) -> None:
    assert_relative(found[0], expected[0], MANY)
    assert found[1].keys() == expected[1].keys()
    largest = max(np.abs(values).max() for values in expected[1].values())
    for name, values in expected[1].items():
        np.testing.assert_allclose(found[1][name], values, rtol=0, atol=MANY * largest, err_msg=name)


@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
@pytest.mark.parametrize("name", WITHOUT_DROPOUT)
def test_gradients_are_those_of_each_alone(name: str, loss: str, rng: np.random.Generator) -> None:
    """The mean over sequences or, where the loss is one of steps, over the steps that count."""
    task = Task(name, loss, rng)
    model = task.model()
    parts = [task.alone(model, i) for i in range(N)]
    assert_close(model.loss_and_grads(task.X, task.y, lengths=task.lengths), weighted(parts, task.counts))
    assert model.evaluate(task.X, task.y, lengths=task.lengths)["loss"] == pytest.approx(
        weighted(parts, task.counts)[0], rel=1e-12
    )


@pytest.mark.parametrize("name", WITHOUT_DROPOUT)
def test_a_weight_of_a_sequence_is_one_of_each_of_its_steps(name: str, rng: np.random.Generator) -> None:
    task, w = Task(name, "mse", rng), rng.integers(0, 4, size=N)
    w[0] = 3
    model = task.model()
    parts = [task.alone(model, i) for i in range(N)]
    found = model.loss_and_grads(task.X, task.y, sample_weight=w, lengths=task.lengths)
    assert_close(found, weighted(parts, w * task.counts))
    rows = np.repeat(np.arange(N), w)
    assert_close(found, model.loss_and_grads(task.X[rows], task.y[rows], lengths=task.lengths[rows]))
    if task.case.gives is not None:
        each = np.repeat(w[:, None], task.steps, axis=1)
        assert_close(found, model.loss_and_grads(task.X, task.y, sample_weight=each, lengths=task.lengths))


@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
@pytest.mark.parametrize("name", OF_STEPS)
def test_weights_of_steps(name: str, loss: str, rng: np.random.Generator) -> None:
    """Those after an end count for nothing, whatever they are."""
    task = Task(name, loss, rng)
    model, w = task.model(), rng.uniform(0.5, 2, size=(N, task.steps))
    alone = [np.ascontiguousarray(w[i : i + 1, : task.counts[i]]) for i in range(N)]
    parts = [task.alone(model, i, sample_weight=alone[i]) for i in range(N)]
    expected = weighted(parts, [each.sum() for each in alone])
    found = model.loss_and_grads(task.X, task.y, sample_weight=w, lengths=task.lengths)
    assert_close(found, expected)
    for fill in (np.nan, -1.0, 1e9):
        after = np.where(np.arange(task.steps) < task.counts[:, None], w, fill)
        again = model.loss_and_grads(task.X, task.y, sample_weight=after, lengths=task.lengths)
        assert again[0] == found[0]
        assert_same_bits(again[1], found[1])


def test_weights_of_outputs_of_steps(rng: np.random.Generator) -> None:
    for name in ("linear", "signals"):
        task = Task(name, "mse", rng)
        model, w = task.model(), rng.uniform(0.5, 2, size=task.y.shape)
        found = model.loss_and_grads(task.X, task.y, sample_weight=w, lengths=task.lengths)
        total = weight = 0.0
        outputs = task.case.by_steps(model.predict(task.X, lengths=task.lengths))
        for i, count in enumerate(task.counts):
            each = task.case.by_steps(w)[i, :count]
            total += (each * (outputs[i, :count] - task.case.by_steps(task.y)[i, :count]) ** 2).sum()
            weight += each.sum()
        assert_relative(found[0], total / weight, MANY)


@pytest.mark.parametrize("name", OF_STEPS)
def test_targets_after_an_end_do_not_matter(name: str, rng: np.random.Generator) -> None:
    for loss, fills in (("mse", (np.nan, np.inf, 1e30)), ("cross_entropy", (-1, -100, 99))):
        task, found = Task(name, loss, rng), []
        for y in (task.y, *(fill_after_ends(task.case, task.y, task.counts, fill) for fill in fills)):
            model = task.model("adam", metrics=["mae"] if loss == "mse" else ["accuracy"])
            history = model.fit(task.X, y, lengths=task.lengths, epochs=2, batch_size=4, verbose=0).history
            found.append((model.state_dict(), history, model.evaluate(task.X, y, lengths=task.lengths)))
        for state, history, scores in found[1:]:
            assert_same_bits(state, found[0][0])
            assert history == found[0][1]
            assert dict(scores.items()) == dict(found[0][2].items())


def test_factors_of_classes_are_those_of_the_steps_that_count(rng: np.random.Generator) -> None:
    task = Task("LSTM 1, steps", "cross_entropy", rng)
    X, y, lengths = task.X, task.y, task.lengths
    count = np.arange(task.steps) < lengths[:, None]
    factors = {0: 2.0, 1: 0.5, 2: 1.0}
    by_hand = np.array([2.0, 0.5, 1.0])[y]
    for class_weight, w in (
        (factors, by_hand),
        ("balanced", count.sum() / (3 * np.bincount(y[count], minlength=3))[y]),
    ):
        for given in ({}, {"sample_weight": rng.uniform(0.5, 2, size=N)}, {"sample_weight": by_hand + 1}):
            states = []
            weight = given.get("sample_weight", np.ones(N))
            for more in ({**given, "class_weight": class_weight}, {"sample_weight": w * weight.reshape(N, -1)}):
                model = task.model("adam")
                model.fit(X, y, lengths=lengths, epochs=2, batch_size=4, verbose=0, **more)
                states.append(model.state_dict())
            assert_same_bits(states[0], states[1])
            listed = task.model("adam")
            steps = [each[:length] for each, length in zip(y, lengths, strict=True)]
            of_steps = weight if weight.ndim == 1 else as_list(weight, lengths)
            listed.fit(
                as_list(X, lengths), steps, sample_weight=of_steps, class_weight=class_weight, batch_size=N, verbose=0
            )
            once = task.model("adam")
            once.fit(X, y, lengths=lengths, batch_size=N, verbose=0, sample_weight=w * weight.reshape(N, -1))
            for key, values in once.state_dict().items():
                np.testing.assert_allclose(listed.state_dict()[key], values, rtol=1e-9, atol=1e-12)


def test_class_weights_of_the_loss_are_over_the_steps_that_count(rng: np.random.Generator) -> None:
    task = Task("GRU 1, steps", "cross_entropy", rng)
    model = task.case.model()
    model.compile(nn.CrossEntropy(class_weight=[0.5, 1.0, 3.0]))
    w = np.array([0.5, 1.0, 3.0])[task.y]
    expected = task.model().loss_and_grads(task.X, task.y, sample_weight=w, lengths=task.lengths)
    assert_close(model.loss_and_grads(task.X, task.y, lengths=task.lengths), expected)


def test_features_have_no_lengths_to_weigh_by(rng: np.random.Generator) -> None:
    """A sequence with one output counts once, however long it is."""
    assert F == 4
    task, w = Task("LSTM 1", "cross_entropy", rng), rng.uniform(size=N)
    model = task.model()
    parts = [task.alone(model, i) for i in range(N)]
    assert_close(model.loss_and_grads(task.X, task.y, sample_weight=w, lengths=task.lengths), weighted(parts, w))
