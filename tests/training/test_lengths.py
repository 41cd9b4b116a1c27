"""Sequences of different lengths: whatever is beside a sequence or after its end, it has the bits that it has alone."""

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nnext as nn
from sequence_cases import CASES, SequenceCase, as_list, draw_lengths, fill_after_ends
from strategies import DTYPES, SEEDS
from support import assert_isas_with_fma_agree, assert_same_bits

FILLS = st.sampled_from([0.0, 1.0, -3e30, np.inf, -np.inf, np.nan])
NAMES = st.sampled_from(sorted(CASES))


def alone(case: SequenceCase, ask: Any, values: np.ndarray, lengths: np.ndarray) -> list[np.ndarray]:
    """Return what each sequence gives where there is no other, with steps on the first axis."""
    return [case.by_steps(ask(case.alone(sample, length)))[0] for sample, length in zip(values, lengths, strict=True)]


def assert_each_is(case: SequenceCase, outputs: np.ndarray, lengths: np.ndarray, expected: list[np.ndarray]) -> None:
    """Assert the bits of each sequence, and 0 after its end."""
    for given_, length, one in zip(case.by_steps(outputs), lengths, expected, strict=True):
        if case.gives is None:
            assert_same_bits(given_, one)
            continue
        assert len(one) == case.gives(length)
        assert_same_bits(given_[: len(one)], one)
        assert_same_bits(given_[len(one) :], np.zeros_like(given_[len(one) :]))


@given(NAMES, DTYPES, st.integers(1, 20), st.integers(0, 9), SEEDS, FILLS, st.sampled_from([1, 2, 3]))
def test_no_padding_and_no_company_changes_a_bit(
    name: str, dtype: str, n: int, more: int, seed: int, fill: float, threads: int
) -> None:
    case, rng = CASES[name], np.random.default_rng(seed)
    steps, model = case.least + more, case.model(seed, dtype)
    values, lengths = case.values(rng, n, steps, dtype), draw_lengths(rng, n, steps, case.least)
    expected, order = alone(case, model.predict, values, lengths), rng.permutation(n)
    with nn.runtime.threads(threads):
        for where in (np.arange(n), order):
            of = lengths[where]
            X = fill_after_ends(case, values[where], of, fill)
            for outputs in (
                model.predict(X, lengths=of),
                model.predict(nn.padded(X, of)),
                model.forward(X, training=False, lengths=of),
            ):
                assert_each_is(case, outputs, of, [expected[i] for i in where])


@pytest.mark.parametrize("name", CASES)
def test_on_every_instruction_set(name: str, isa: str, dtype: str, rng: np.random.Generator) -> None:
    case = CASES[name]
    model, values = case.model(dtype=dtype), case.values(rng, 40, case.least + 6, dtype)
    lengths = draw_lengths(rng, 40, case.least + 6, case.least)
    X = fill_after_ends(case, values, lengths, np.nan)
    expected = alone(case, model.predict, values, lengths)
    assert_each_is(case, model.predict(X, lengths=lengths), lengths, expected)
    assert_each_is(case, model.forward(X, training=False, lengths=lengths), lengths, expected)


@given(NAMES.filter(lambda name: not CASES[name].signal), DTYPES, st.integers(1, 300), SEEDS)
def test_lists_have_the_bits_of_padded_arrays(name: str, dtype: str, n: int, seed: int) -> None:
    """Also where they are parted into several batches."""
    case, rng = CASES[name], np.random.default_rng(seed)
    model, steps = case.model(seed, dtype), case.least + 4
    values, lengths = case.values(rng, n, steps, dtype), draw_lengths(rng, n, steps, case.least)
    lengths[0], lengths[-1] = case.least, steps if n > 1 else case.least  # else it is no list of different ones
    outputs = model.predict(as_list(values, lengths))
    expected = model.predict(values, lengths=lengths)
    assert isinstance(outputs, list) == (case.gives is not None and n > 1)
    assert len(outputs) == n
    for i in range(n):
        assert_same_bits(outputs[i], expected[i][: None if case.gives is None else case.gives(lengths[i])])


@pytest.mark.parametrize("name", CASES)
def test_lengths_that_are_all_steps_are_none(name: str, dtype: str, rng: np.random.Generator) -> None:
    case = CASES[name]
    for n, steps in itertools.product((1, 9), (case.least, case.least + 5)):
        model, X = case.model(dtype=dtype), case.values(rng, n, steps, dtype)
        assert_same_bits(model.predict(X, lengths=np.full(n, steps)), model.predict(X))
        assert_same_bits(model.forward(X, lengths=[steps] * n), model.forward(X))
        outputs = model.forward(X)
        dY = rng.normal(size=outputs.shape).astype(dtype)
        dX, grads = model.backward(dY), model.grads()
        model.forward(X, lengths=[float(steps)] * n)
        assert_same_bits(model.backward(dY), dX)
        assert_same_bits(model.grads(), grads)


@pytest.mark.parametrize("name", CASES)
def test_what_is_after_an_end_has_no_gradient_and_gives_none(name: str, isa: str, rng: np.random.Generator) -> None:
    """Nor does the gradient of outputs there matter."""
    case = CASES[name]
    model, steps = case.model(), case.least + 6
    values, lengths = case.values(rng, 12, steps), draw_lengths(rng, 12, steps, case.least)
    found = []
    for fill, threads, of_outputs in ((0.0, 1, 0.0), (np.nan, 2, 1e300), (np.inf, 3, -1.0)):
        with nn.runtime.threads(threads):
            outputs = model.forward(fill_after_ends(case, values, lengths, fill), lengths=lengths)
            dY = np.random.default_rng(1).normal(size=outputs.shape)
            if case.gives is not None:
                for row, length in zip(case.by_steps(dY), lengths, strict=True):
                    row[case.gives(length) :] = of_outputs
            found.append((model.backward(dY), model.grads()))
    for dX, grads in found[1:]:
        assert_same_bits(dX, found[0][0])
        assert_same_bits(grads, found[0][1])
    for row, length in zip(case.by_steps(found[0][0]), lengths, strict=True):
        assert not row[length:].any()


@pytest.mark.parametrize("name", CASES)
def test_instruction_sets_with_fma_agree(name: str, rng: np.random.Generator) -> None:
    case = CASES[name]
    values, lengths = case.values(rng, 9, 8, "float32"), draw_lengths(rng, 9, 8, case.least)
    assert_isas_with_fma_agree(lambda: case.model(dtype="float32").predict(values, lengths=lengths))


@pytest.mark.parametrize("name", CASES)
def test_no_samples_give_no_outputs(name: str, dtype: str, rng: np.random.Generator) -> None:
    case = CASES[name]
    model, X = case.model(dtype=dtype), case.values(rng, 3, case.least + 2, dtype)
    outputs = model.predict(X)
    for none_of, more in ((X[:0], {}), (X[:0], {"lengths": []}), (nn.padded(X[:0], []), {})):
        none = model.predict(none_of, **more)
        assert none.shape == (0, *outputs.shape[1:])
        assert none.dtype == outputs.dtype


@pytest.mark.parametrize("name", CASES)
def test_outputs_are_written_where_one_wants_them(name: str, dtype: str, rng: np.random.Generator) -> None:
    """Zeros after the ends, too."""
    case = CASES[name]
    model, X = case.model(dtype=dtype), case.values(rng, 5, case.least + 3, dtype)
    lengths = draw_lengths(rng, 5, case.least + 3, case.least)
    expected = model.predict(X, lengths=lengths)
    out = np.full_like(expected, np.nan)
    assert model.predict(X, out=out, lengths=lengths) is out
    assert_same_bits(out, expected)
