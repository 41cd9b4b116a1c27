"""Sequences of different lengths that cannot be: refused with both values and the cure, and nothing has changed."""

from typing import Any

import numpy as np
import pytest

import nnext as nn
from support import unchanged

T, F = 6, 4
X = np.random.default_rng(0).normal(size=(4, T, F))
LABELS, LENGTHS = np.arange(4) % 3, [1, 6, 3, 2]
SEQUENCES = [X[0], X[1][:2], X[2][:5]]
STEPS = [[1] * 6, [0, 2], [1] * 5]  # labels of them


def compiled(*layers: nn.Layer, loss: Any = "cross_entropy", **settings: Any) -> nn.Sequential:
    model = nn.Sequential(*layers, seed=1)
    model.compile(loss, "sgd", **settings)
    return model


def lstm(**settings: Any) -> nn.Sequential:
    return compiled(nn.LSTM(F, 3), **settings)


def of_steps(**settings: Any) -> nn.Sequential:
    return compiled(nn.LSTM(F, 3, return_sequences=True), **settings)


CALLS: dict[str, Any] = {
    "fit": lambda model, X, y, **more: model.fit(X, y, verbose=0, **more),
    "evaluate": lambda model, X, y, **more: model.evaluate(X, y, **more),
    "train_on_batch": lambda model, X, y, **more: model.train_on_batch(X, y, **more),
    "test_on_batch": lambda model, X, y, **more: model.test_on_batch(X, y, **more),
    "loss_and_grads": lambda model, X, y, **more: model.loss_and_grads(X, y, **more),
    "predict": lambda model, X, y, **more: model.predict(X, **more),
    "predict_proba": lambda model, X, y, **more: model.predict_proba(X, **more),
    "predict_classes": lambda model, X, y, **more: model.predict_classes(X, **more),
    "forward": lambda model, X, y, **more: model.forward(X, **more),
    "padded": lambda model, X, y, **more: model.predict(nn.padded(X, **more)),
}
WRONG_LENGTHS: dict[str, tuple[Any, str]] = {
    "zero": ([2, 0, 3, 2], r"lengths has 0 at 1; give whole numbers, from 1 to the steps of X"),
    "negative": ([-1, 6, 3, 2], r"lengths has -1 at 0; give whole numbers, from 1 to the steps of X"),
    "above": ([1, 6, 7, 2], r"lengths has 7 at 2 but X has 6 steps; give at most as many"),
    "far above": ([1, 6, 2**40, 2], r"lengths has 1.09951e\+12 at 2; give whole numbers, from 1"),
    "not whole": ([1.5, 6, 3, 2], r"lengths has 1.5 at 0; give whole numbers, from 1 to the steps of X"),
    "nan": ([1, np.nan, 3, 2], r"lengths has nan at 1; give whole numbers"),
    "infinite": ([1, np.inf, 3, 2], r"lengths has inf at 1; give whole numbers"),
    "too few": ([1, 6, 3], r"lengths has shape \(3,\) but X has 4 rows; give the number of steps of each"),
    "none": ([], r"lengths has shape \(0,\) but X has 4 rows"),
    "one number": (3, r"lengths has shape \(\) but X has 4 rows"),
    "a column": ([[1], [2], [3], [4]], r"lengths has shape \(4, 1\) but X has 4 rows"),
    "a mask": (np.ones((4, T), bool), r"lengths has dtype bool; give how many steps each has, as a mask.sum\(axis=1\)"),
    "words": (["a", "b", "c", "d"], r"lengths has dtype <U1, with 'a' at 0; give real numbers"),
    "missing": ([1, None, 3, 2], r"lengths has dtype object, with None at 1"),
    "masked": (np.ma.array([1, 2, 3, 4], mask=[0, 1, 0, 0]), r"lengths has masked values; fill them first"),
}


@pytest.mark.parametrize("name", WRONG_LENGTHS)
@pytest.mark.parametrize("operation", CALLS)
def test_lengths_that_are_none(operation: str, name: str) -> None:
    lengths, message = WRONG_LENGTHS[name]
    model = lstm()
    is_of_predict = name == "above" and operation in ("padded", "predict_proba", "predict_classes")  # as it has the X
    said = "predict" if is_of_predict else operation
    with unchanged(model), pytest.raises((ValueError, TypeError), match=rf"^\[{said}\] {message}"):
        CALLS[operation](model, X, LABELS, lengths=lengths)


@pytest.mark.parametrize("operation", CALLS)
def test_lengths_beside_sequences_that_have_theirs(operation: str) -> None:
    for given in (SEQUENCES, nn.padded(SEQUENCES), tuple(SEQUENCES)):
        with pytest.raises(
            TypeError, match=rf"^\[{operation}\] lengths are given, but the sequences of X have theirs;"
        ):
            CALLS[operation](lstm(), given, [0, 1, 2], lengths=[6, 2, 5])


def test_lengths_beside_batches() -> None:
    model = lstm()
    for call in (model.fit, model.evaluate):
        with pytest.raises(
            TypeError, match=r"lengths are given beside batches; give batches \(padded\(X, lengths\), y\)"
        ):
            call([(X, LABELS)], lengths=LENGTHS)


# ---- Samples and layers that have no lengths ------------------------------------------------------------------------

NETWORKS: dict[str, tuple[list[nn.Layer], Any, str]] = {
    "features": ([nn.Linear(F, 3)], X[:, 0], r"^\[predict\] lengths are given but X has samples of shape \(4,\); they"),
    "images": (
        [nn.Conv2d(1, 3, 3), nn.GlobalAvgPool2d()],
        X,
        r"^\[predict\] lengths are given but X has samples of shape \(1, 6, 4\); they are for sequences",
    ),
    "Flatten": (
        [nn.Flatten(), nn.Linear(T * F, 3)],
        X,
        "^layer 0: a Flatten treats all steps alike, but the sequences",
    ),
    "Flatten behind": (
        [nn.LSTM(F, 2, return_sequences=True), nn.Flatten(), nn.Linear(2 * T, 3)],
        X,
        "^layer 1: a Flatten treats all steps alike, but .*; put a layer before it that takes each to its end, such as",
    ),
    "Reshape": ([nn.Reshape(T * F), nn.Linear(T * F, 3)], X, "^layer 0: a Reshape treats all steps alike"),
    "LayerNorm of all steps": (
        [nn.LayerNorm((T, F)), nn.LSTM(F, 3)],
        X,
        "^layer 0: a LayerNorm treats all steps alike",
    ),
    "a short window": (
        [nn.Linear(F, 3), nn.Conv1d(3, 3, 2), nn.GlobalMaxPool1d()],
        X,
        "^layer 1: the shortest sequence has 1 steps, too few for the window of this Conv1d; leave such sequences out,",
    ),
    "a window behind another": (
        [nn.Linear(F, 3), nn.MaxPool1d(2, padding=1), nn.Conv1d(3, 3, 2), nn.GRU(3, 3)],
        X,
        "^layer 2: the shortest sequence has 1 steps, too few for the window of this Conv1d",
    ),
    "a window in a branch": (
        [nn.Linear(F, 3), nn.Branches([nn.MaxPool1d(2)], [nn.MaxPool1d(3, 2, 1)]), nn.LSTM(6, 3)],
        X,
        r"^layer 1.branches.0.0: the shortest sequence has 1 steps, too few for the window of this MaxPool1d",
    ),
    "a residual that differs": (
        [nn.Linear(F, 3), nn.Residual(nn.Conv1d(3, 3, 5, padding=2), shortcut=[nn.MaxPool1d(1)]), nn.LSTM(3, 3)],
        X,
        "",
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_layers_and_samples_without_lengths(name: str) -> None:
    layers, samples, message = NETWORKS[name]
    model = compiled(*layers)
    model.predict(samples)  # without lengths all is well
    if not message:
        model.predict(samples, lengths=LENGTHS)
        return
    with unchanged(model), pytest.raises(ValueError, match=message):
        model.predict(samples, lengths=LENGTHS)
    with unchanged(model), pytest.raises(ValueError, match=message.replace("predict", "fit")):
        model.fit(samples, LABELS, lengths=LENGTHS, verbose=0)


def test_branches_that_differ_for_some_lengths_only() -> None:
    """Halves, rounded down and up, are the same of even numbers."""
    model = nn.Sequential(nn.Linear(F, 3), nn.Branches([nn.MaxPool1d(2)], [nn.MaxPool1d(3, 2, 1)], join="add"))
    assert model.predict(X, lengths=[2, 6, 4, 2]).shape == (4, 3, 3)
    with pytest.raises(
        ValueError, match=r"^layer 1: of a sequence of 5 steps one of its branches makes 2 and another 3;"
    ):
        model.predict(X, lengths=[2, 6, 4, 5])
    with pytest.raises(
        ValueError, match=r"^layer 1: of a sequence of 3 steps one of its branches makes 1 and another 2;"
    ):
        model.predict([X[0], X[1][:3]])


def test_a_sparse_matrix_has_no_sequences() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    for call in (lstm().predict, nn.padded):
        with pytest.raises(TypeError, match=r"X is a sparse matrix; give X.toarray\(\)"):
            call(sparse.csr_matrix(X[0]), lengths=[1] * T)


# ---- Lists ----------------------------------------------------------------------------------------------------------

LISTS: dict[str, tuple[Any, str]] = {
    "no steps": ([X[0], X[1][:0]], r"sequence 1 of X has no steps; leave it out"),
    "other features": (
        [X[0], X[1][:2, :3]],
        r"sequence 1 of X has shape \(2, 3\) but sequence 0 \(6, 4\); they may dif",
    ),
    "no features": ([X[0], X[1][:2, 0]], r"sequence 1 of X has shape \(2,\) but sequence 0 \(6, 4\); they may differ"),
    "ragged steps": ([X[0], [[1, 2, 3, 4], [1, 2]]], r"sequence 1 of X is no array: "),
    "words": ([X[0], [list("abcd")] * 2], r"sequence 1 of X has dtype <U1"),
    "complex": ([X[0], X[1][:2] * 1j], r"sequence 1 of X has dtype complex128; give real numbers"),
    "masked": ([X[0], np.ma.array(X[1][:2], mask=X[1][:2] > 0)], r"sequence 1 of X has masked values"),
}


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("operation", CALLS)
def test_lists_that_are_no_sequences(operation: str, name: str) -> None:
    given, message = LISTS[name]
    model = lstm()
    with unchanged(model), pytest.raises((ValueError, TypeError), match=rf"^\[{operation}\] {message}"):
        CALLS[operation](model, given, [0, 1])


def test_what_can_be_padded() -> None:
    with pytest.raises(ValueError, match=r"^\[padded\] X is a list without sequences; give at least one"):
        nn.padded([])
    with pytest.raises(
        TypeError, match=r"^\[padded\] X is one array, whose rows have one length; give lengths= beside"
    ):
        nn.padded(X)
    for wrong in (None, "abc", 5, {1, 2}):
        with pytest.raises(
            TypeError, match=r"^\[padded\] X is .*; give a list of sequences, or an array with lengths="
        ):
            nn.padded(wrong)
    with pytest.raises(TypeError, match=r"^\[padded\] X has the single number 1 at 0; give a sequence in"):
        nn.padded([1, 2, 3])
    for wrong in (5, [1, 2, 3]):
        with pytest.raises(
            ValueError, match=r"^\[padded\] lengths are given but X has shape \(3?,?\); they are for seq"
        ):
            nn.padded(wrong, [1, 1, 1])


@pytest.mark.parametrize("operation", ["fit", "evaluate", "predict"])
def test_values_are_told_by_the_number_of_their_sequence(operation: str) -> None:
    """Also where it is padded with others, and in a later batch."""
    many = [X[i % 4][: 1 + i % 6].copy() for i in range(300)]
    many[285][2, 1] = np.nan
    model = lstm()
    with unchanged(model), pytest.raises(ValueError, match=rf"^\[{operation}: sequence 285\] X has .* at \(0, 2, 1\)"):
        CALLS[operation](model, many, np.arange(300) % 3)
    words = compiled(nn.Embedding(5, 3), nn.LSTM(3, 3))
    sentences = [[1] * (1 + i % 6) for i in range(300)]
    sentences[285][3] = 7
    with (
        unchanged(words),
        pytest.raises(
            ValueError, match=rf"^\[{operation}: sequence 285\] X has 7 at \(0, 3\) but the network takes whole"
        ),
    ):
        CALLS[operation](words, sentences, np.arange(300) % 3)


def test_the_network_is_to_blame_where_it_takes_none_of_them() -> None:
    model = compiled(nn.Flatten(), nn.Linear(T * F, 3))
    with pytest.raises(ValueError, match=r"^layer 0: a Flatten treats all steps alike"):
        model.predict([X[0], X[1][:3]])


TARGETS: dict[str, tuple[Any, dict[str, Any], str]] = {
    "too few steps": (
        [[1] * 6, [1], [1] * 5],
        {},
        r"sequence 1 of y has 1 steps but the network gives 2 for that of X",
    ),
    "too many steps": (
        [[1] * 7, [1] * 2, [1] * 5],
        {},
        r"sequence 0 of y has 7 steps but the network gives 6 for that",
    ),
    "too few": ([[1] * 6, [1] * 2], {}, r"y has 2 sequences but X has 3; give both the same number"),
    "too many": ([*STEPS, [1]], {}, r"y has 4 sequences but X has 3; give both the same number"),
    "one for each": ([1, 2, 0], {}, r"y has shape \(3,\) but the network gives 6 steps for the longest sequence of X"),
    "a short array": (np.ones((3, 5), int), {}, r"y has shape \(3, 5\) but the network gives 6 steps for the longest"),
    "a long array": (np.ones((3, 7), int), {}, r"y has shape \(3, 7\) but the network gives 6 steps for the longest"),
    "a low array": (np.ones((2, 6), int), {}, r"y has 2 rows but X has 3; give both the same number of samples"),
    "no class": ([[1] * 6, [0, 2], [1, 1, 5, 1, 1]], {}, r"y has the label 5 at index \(0, 2\)"),
    "weights of other steps": (
        STEPS,
        {"sample_weight": [[1] * 6, [1], [1] * 5]},
        "sequence 1 of sample_weight has 1 st",
    ),
    "weights of a short array": (
        STEPS,
        {"sample_weight": np.ones((3, 5))},
        r"sample_weight has shape \(3, 5\) but the",
    ),
    "too few weights": (
        STEPS,
        {"sample_weight": [1, 1]},
        "sample_weight has 2 rows but X has 3; give both the same num",
    ),
    "negative weights": (STEPS, {"sample_weight": [1, 1, -1]}, "sample_weight has -1 at index 0; weights must not be"),
    "no weight": (
        STEPS,
        {"sample_weight": [0, 0, 0]},
        "sample_weight is zero for all 3 samples; at least one must count",
    ),
}


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("operation", ["fit", "evaluate"])
def test_targets_and_weights_that_do_not_fit(operation: str, name: str) -> None:
    y, more, message = TARGETS[name]
    model = of_steps()
    with unchanged(model), pytest.raises(ValueError, match=rf"^\[{operation}(: sequence \d)?\] {message}"):
        CALLS[operation](model, SEQUENCES, y, **more)


def test_a_target_for_each_sequence_where_the_network_gives_one() -> None:
    for y, message in (([1, 0], "y has 2 rows but X has 3"), ([[1], [1, 2], [0]], "y is no array")):
        with pytest.raises(ValueError, match=rf"^\[fit\] {message}"):
            lstm().fit(SEQUENCES, y, verbose=0)


def test_what_is_wrong_with_validation_is_told_before_the_fit() -> None:
    model = of_steps()
    wrong = [[1] * 6, [0, 2], [1, 1, 5, 1, 1]]
    with (
        unchanged(model),
        pytest.raises(ValueError, match=r"^\[fit: validation_data: sequence 2\] y has the label 5 at index \(0, 2\)"),
    ):
        model.fit(SEQUENCES, STEPS, validation_data=(SEQUENCES, wrong), verbose=0)


def test_a_list_is_not_accumulated() -> None:
    model = lstm(accumulate=2)
    with (
        unchanged(model),
        pytest.raises(ValueError, match=r"^\[fit\] accumulate is 2, which cannot be obeyed with a list"),
    ):
        model.fit(SEQUENCES, [0, 1, 2], verbose=0)


def test_a_list_has_no_one_result() -> None:
    with pytest.raises(
        TypeError, match=r"^\[predict\] X is a list of sequences, whose results are no one array; leave"
    ):
        lstm().predict(SEQUENCES, out=np.zeros((3, 3), "float32"))


def test_targets_of_padded_sequences_that_do_not_fit() -> None:
    model = of_steps()
    for y in (np.ones((3, 5), int), np.ones((3, 9), int), np.ones((2, 6), int), [1, 2, 0]):
        with unchanged(model), pytest.raises(ValueError, match=r"^\[fit\] y has (shape|2 rows)"):
            model.fit(nn.padded(SEQUENCES), y, verbose=0)
