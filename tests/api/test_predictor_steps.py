"""Predictor.reset and Predictor.step: a sequence a step at a time, with the bits of predict."""

import copy
import gc
import itertools
import re
import sys
import threading
import weakref
from typing import Any

import numpy as np
import pytest

import nnext as nn
from support import assert_same_bits

F, T = 5, 9

NETWORKS: dict[str, list[nn.Layer]] = {
    f"{kind.__name__} {levels}{', steps' if steps else ''}": [kind(F, 3, levels, return_sequences=steps)]
    for kind in (nn.RNN, nn.GRU, nn.LSTM)
    for levels in (1, 2, 3)
    for steps in (False, True)
}
NETWORKS |= {
    "between": [
        nn.Linear(F, 6),
        nn.LayerNorm(6),
        nn.LSTM(6, 7, return_sequences=True),
        nn.Dropout(0.5),
        nn.Linear(7, 5),
        nn.Tanh(),
        nn.GRU(5, 4, 2, dropout=0.5, return_sequences=True),
        nn.Linear(4, 3),
        nn.Softmax(),
    ],
    "last": [nn.RMSNorm(F), nn.RNN(F, 4, nonlinearity="relu", return_sequences=True), nn.GRU(4, 3), nn.Linear(3, 2)],
    "wide": [nn.LSTM(F, 150, return_sequences=True), nn.GRU(150, 90)],
    "held": [
        nn.Residual(nn.Linear(F, F), nn.LSTM(F, F, return_sequences=True)),
        nn.Branches([nn.GRU(F, 2, return_sequences=True)], [], [nn.RNN(F, 3, return_sequences=True), nn.PReLU(3)]),
    ],
    "no recurrent layer": [nn.Linear(F, 4), nn.GELU(), nn.Linear(4, 3)],
}
WORDS: dict[str, list[nn.Layer]] = {
    "words": [nn.Embedding(11, 4), nn.LSTM(4, 5, 2), nn.Linear(5, 3)],
    "words, steps": [nn.Embedding(11, 4, padding_idx=0), nn.GRU(4, 5, return_sequences=True), nn.LogSoftmax()],
}


def network(name: str, dtype: str = "float32") -> nn.Sequential:
    layers = {**NETWORKS, **WORDS}[name]
    return nn.Sequential(*layers, seed=7, dtype=dtype, input_shape=(T, F) if name.startswith("no ") else None)


def sequence(name: str, dtype: str, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    if name in WORDS:
        return rng.integers(11, size=T).astype(dtype)
    return rng.normal(size=(T, F)).astype(dtype)


def expected(model: nn.Sequential, x: np.ndarray) -> np.ndarray:
    """Return what predict gives at each step, or of the steps until there."""
    outputs = model.predict(x[None])[0]
    return outputs if outputs.ndim == 2 else np.stack([model.predict(x[None, : t + 1])[0] for t in range(len(x))])


def stepped(predictor: Any, x: np.ndarray, state: Any = None) -> np.ndarray:
    found = []
    for step in x:
        y, state = predictor.step(step, state)
        found.append(y)
    return np.stack(found)


@pytest.mark.parametrize("name", [*NETWORKS, *WORDS])
def test_steps_have_the_bits_of_predict(name: str, isa: str, dtype: str) -> None:
    model, x = network(name, dtype), sequence(name, dtype)
    predictor, outputs = model.compile_inference(), expected(model, x)
    assert_same_bits(stepped(predictor, x), outputs)
    assert_same_bits(stepped(predictor, x, predictor.reset()), outputs)
    assert_same_bits(stepped(predictor, x), outputs)  # one sequence leaves nothing for the next


@pytest.mark.parametrize("name", [*NETWORKS, *WORDS])
def test_a_copy_goes_on_by_itself(name: str) -> None:
    model, x, other = network(name), sequence(name, "float32"), sequence(name, "float32", 1)[4:]
    predictor, state = model.compile_inference(), None
    for step in x[:4]:
        _, state = predictor.step(step, state)
    copies = [copy.copy(state), copy.deepcopy(state), copy.copy(copy.copy(state))]
    both = np.concatenate([x[:4], other])
    assert_same_bits(stepped(predictor, x[4:], state), expected(model, x)[4:])
    for each in copies:
        assert type(each) is type(state)
        assert_same_bits(stepped(predictor, other, each), expected(model, both)[4:])


def test_a_step_changes_the_state_that_it_is_given_and_returns_it() -> None:
    model, x = network("LSTM 2"), sequence("LSTM 2", "float32")
    predictor = model.compile_inference()
    state = predictor.reset()
    for t, output in enumerate(expected(model, x)):
        y, after = predictor.step(x[t], state)
        assert after is state
        assert_same_bits(y, output)


def test_sequences_may_be_interleaved() -> None:
    model = network("between")
    predictor = model.compile_inference()
    sequences = [sequence("between", "float32", seed) for seed in range(5)]
    states = [predictor.reset() for _ in sequences]
    found = np.empty((5, T, 3), "float32")
    for t, i in itertools.product(range(T), range(5)):
        found[i, t], states[i] = predictor.step(sequences[i][t], states[i])
    assert_same_bits(found, model.predict(np.stack(sequences)))


@pytest.mark.parametrize("name", ["LSTM 2", "wide"])
def test_threads_with_states_of_their_own(name: str) -> None:
    model = network(name)
    predictor = model.compile_inference()
    sequences = [sequence(name, "float32", seed) for seed in range(4)]
    outputs, wrong = [expected(model, x) for x in sequences], []

    def run(i: int) -> None:
        for _ in range(30):
            if stepped(predictor, sequences[i]).tobytes() != outputs[i].tobytes():
                wrong.append(i)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_one_state_in_two_threads_is_refused_or_taken_in_turn() -> None:
    predictor = nn.Sequential(nn.LSTM(600, 600), seed=1).compile_inference()
    state, x, said = predictor.reset(), np.ones(600, "float32"), []

    def run() -> None:
        for _ in range(40):
            try:
                predictor.step(x, state)
                copy.copy(state)
            except RuntimeError as error:
                said.append(str(error))

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(message.startswith("[step] another thread is at a step from this state; give") for message in said)
    predictor.step(x, state)  # it is free again


def test_it_stays_as_it_was_when_the_model_trains_on() -> None:
    model = network("LSTM 2")
    model.compile("mse", "sgd")
    x = sequence("LSTM 2", "float32")
    predictor, outputs = model.compile_inference(), expected(model, x)
    first, state = predictor.step(x[0])
    model.fit(np.ones((4, T, F)), np.ones((4, 3)), verbose=0)
    assert_same_bits(np.stack([first, *stepped(predictor, x[1:], state)]), outputs)
    assert expected(model, x).tobytes() != outputs.tobytes()


# ---- What goes in and out -------------------------------------------------------------------------------------------


def test_each_form_of_a_step_is_the_same() -> None:
    predictor = network("GRU 1").compile_inference()
    x = np.arange(1, F + 1, dtype="float32")
    y, _ = predictor.step(x)
    assert y.shape == (3,)
    wide = np.zeros(2 * F, "float32")
    wide[::2] = x
    forms = (
        x.tolist(),
        tuple(x),
        x.astype("int8"),
        x.astype("float64"),
        x[None],
        x[None, None],
        wide[::2],
        x.astype(">f4"),
    )
    for form in forms:
        assert_same_bits(predictor.step(form)[0], y)
    assert_same_bits(predictor.step(x=x, state=None)[0], y)
    assert_same_bits(predictor.step(x, predictor.reset())[0], y)
    assert_same_bits(predictor.step(x, state=predictor.reset())[0], y)
    assert np.isnan(predictor.step(x * np.nan)[0]).all()


def test_each_form_of_a_word_is_the_same() -> None:
    for dtype in ("float32", "float64"):
        predictor = network("words", dtype).compile_inference()
        y, _ = predictor.step(3)
        for form in (3.0, [3], [[3]], np.array(3), np.uint8(3), np.array([3], dtype), np.array([[3]], "int64")):
            assert_same_bits(predictor.step(form)[0], y)


@pytest.mark.parametrize("wrong", [11, -1, 2.5, 1e30, np.inf])
def test_words_that_are_none(wrong: float) -> None:
    for dtype in ("float32", "float64"):
        predictor = network("words", dtype).compile_inference()
        state = predictor.reset()
        before, _ = predictor.step(3, copy.copy(state))
        for form in (wrong, [wrong], np.array([wrong], dtype), np.array([wrong], "float64")):
            with pytest.raises(
                ValueError, match=r"^\[step\] x has .* but the network takes whole numbers from 0 to 10; "
            ):
                predictor.step(form, state)
        assert_same_bits(predictor.step(3, state)[0], before)  # nothing has happened
        sample = np.array([[wrong]], dtype)
        for given in (sample, sample[0], np.repeat(sample, 3, axis=1)):
            with pytest.raises(
                ValueError, match=r"^\[predict\] X has .* but the network takes whole numbers from 0 to"
            ):
                predictor(given)
    assert np.isnan(predictor.step(np.nan)[0]).all()


def test_the_output_is_written_where_one_wants_it() -> None:
    predictor = network("GRU 1").compile_inference()
    x, out = np.ones(F, "float32"), np.empty(3, "float32")
    y, state = predictor.step(x)
    assert predictor.step(x, None, out)[0] is out
    assert_same_bits(out, y)
    out[:] = 0
    assert predictor.step(x, out=out)[0] is out
    assert_same_bits(out, y)
    row = np.empty((1, 3), "float32")
    assert predictor.step(x, state, out=row)[0] is row
    assert_same_bits(row[0], predictor.step(x, predictor.step(x)[1])[0])


def test_the_output_may_lie_where_x_does() -> None:
    predictor = nn.Sequential(nn.LSTM(4, 4, return_sequences=True), nn.Linear(4, 4), seed=1).compile_inference()
    x = np.linspace(-1, 1, 4, dtype="float32")
    y, _ = predictor.step(x)
    predictor.step(x, out=x)
    assert_same_bits(x, y)


def read_only() -> np.ndarray:
    out = np.empty(3, "float32")
    out.flags.writeable = False
    return out


@pytest.mark.parametrize(
    "out",
    [
        np.empty(3),
        np.empty(4, "float32"),
        np.empty(6, "float32")[::2],
        read_only(),
        [0, 0, 0],
        5,
        np.empty((2, 3), "f4"),
    ],
)
def test_no_other_output_is_written(out: Any) -> None:
    predictor = network("GRU 1").compile_inference()
    state, x = predictor.reset(), np.ones(F, "float32")
    before, _ = predictor.step(x, copy.copy(state))
    with pytest.raises(ValueError, match=r"^\[step\] out must be a C-contiguous array of float32 with shape \(3,\)"):
        predictor.step(x, state, out)
    assert_same_bits(predictor.step(x, state)[0], before)


@pytest.mark.parametrize(
    "x",
    [np.ones(F - 1), np.ones(F + 1), np.ones((F, 1)), np.ones((2, F)), np.ones((0, F)), 1.0, []],
    ids=lambda x: str(np.shape(x)),
)
def test_steps_of_other_shapes_are_refused(x: Any) -> None:
    predictor = network("GRU 1").compile_inference()
    for given in (x, np.asarray(x, "float32")):
        with pytest.raises(ValueError, match=r"^\[step\] x has shape .* but a step has 5 features; give \(5,\)"):
            predictor.step(given)


@pytest.mark.parametrize("x", [None, "abcde", list("abcde"), np.ones(F, "complex64"), object(), {}, [None] * F])
def test_what_has_no_numbers_is_refused(x: Any) -> None:
    with pytest.raises(TypeError, match=r"^\[step\] x has dtype"):
        network("GRU 1").compile_inference().step(x)


def test_square_steps_are_no_rows() -> None:
    predictor = nn.Sequential(nn.GRU(4, 3)).compile_inference()
    with pytest.raises(ValueError, match=r"^\[step\] x has shape \(2, 2\) but a step has 4 features; give \(4,\)"):
        predictor.step(np.ones((2, 2), "float32"))


def test_calls_that_are_none() -> None:
    predictor = network("GRU 1").compile_inference()
    x, state = np.ones(F, "float32"), predictor.reset()
    wrong: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
        ((), {}),
        ((), {"state": state}),
        ((x,), {"x": x}),
        ((x, state), {"state": state}),
        ((x, state, None, None), {}),
        ((x,), {"hidden": state}),
    ]
    for arguments, named in wrong:
        with pytest.raises(
            TypeError, match=r"^\[step\] it takes x, state and, if wanted, out=; for example step\(x, sta"
        ):
            predictor.step(*arguments, **named)
    with pytest.raises(TypeError):
        predictor.reset(1)  # type: ignore[call-arg]


def test_states_that_are_none() -> None:
    model = network("GRU 1")
    predictor, x = model.compile_inference(), np.ones(F, "float32")
    for wrong in (1, "state", predictor, object(), (), np.zeros(3, "float32")):
        with pytest.raises(
            TypeError, match=r"^\[step\] state is a .*; give what reset\(\) or the step before returned"
        ):
            predictor.step(x, wrong)
    for other in (model, network("GRU 1", "float64"), network("LSTM 3")):
        with pytest.raises(
            ValueError, match=r"^\[step\] the state is one of another predictor; begin with this one's re"
        ):
            predictor.step(x, other.compile_inference().reset())
    assert_same_bits(predictor.step(x, None)[0], predictor.step(x)[0])


NONE: dict[str, tuple[list[nn.Layer], str]] = {
    "both ways": (
        [nn.LSTM(F, 3, bidirectional=True)],
        "layer 0 is a LSTM, which looks at several steps or from the end",
    ),
    "Conv1d": ([nn.LSTM(F, 4, return_sequences=True), nn.Conv1d(4, 3, 1)], "layer 1 is a Conv1d, which looks"),
    "MaxPool1d": ([nn.LSTM(F, 4, return_sequences=True), nn.MaxPool1d(1)], "layer 1 is a MaxPool1d, which looks"),
    "GlobalAvgPool1d": ([nn.GRU(F, 4, return_sequences=True), nn.GlobalAvgPool1d()], "layer 1 is a GlobalAvgPool1d"),
    "AttentionPooling": ([nn.AttentionPooling(F, 4)], "layer 0 is a AttentionPooling, which looks at several steps"),
    "Flatten": (
        [nn.RNN(F, 4, return_sequences=True), nn.Flatten()],
        "layer 1 is a Flatten, which looks at several steps",
    ),
    "held": ([nn.Residual(nn.GRU(F, F, return_sequences=True), nn.Conv1d(F, F, 1))], "layer 0.body.1 is a Conv1d"),
    "features": (
        [nn.Linear(F, 3)],
        "the network takes no sequences (steps, features); begin it with a recurrent layer",
    ),
}


@pytest.mark.parametrize("name", NONE)
def test_networks_without_steps_are_refused(name: str) -> None:
    layers, message = NONE[name]
    predictor = nn.Sequential(*layers).compile_inference()
    for call in (predictor.reset, lambda predictor=predictor: predictor.step(np.ones(F, "float32"))):
        with pytest.raises(ValueError, match=r"^\[step\] " + re.escape(message)):
            call()


# ---- Lifetimes ------------------------------------------------------------------------------------------------------


def test_a_state_keeps_its_predictor_alive() -> None:
    model, x = network("LSTM 2"), sequence("LSTM 2", "float32")
    predictor = model.compile_inference()
    alive = weakref.ref(predictor.engine)
    y, state = predictor.step(x[0])
    references = sys.getrefcount(predictor)
    kept = [copy.copy(state) for _ in range(10)]
    assert sys.getrefcount(predictor) == references + 10
    del kept
    assert sys.getrefcount(predictor) == references
    step = predictor.step
    del predictor
    gc.collect()
    assert alive() is not None
    assert_same_bits(np.stack([y, *(step(each, state)[0] for each in x[1:])]), expected(model, x))
    del step, state
    gc.collect()
    assert alive() is None


def test_nothing_stays_of_steps() -> None:
    """Neither of states nor of steps that are refused; tests/soak.py counts bytes."""
    predictor = network("LSTM 2").compile_inference()
    x, state = np.ones(F, "float32"), predictor.reset()
    references = sys.getrefcount(state), sys.getrefcount(predictor)
    for _ in range(1000):
        predictor.step(x, state)
        predictor.step(x)
        copy.copy(state)
        for wrong in (lambda: predictor.step(x[:3], state), lambda: predictor.step(x, state, out=x[:1])):
            with pytest.raises(ValueError, match=r"^\[step\]"):
                wrong()
    assert (sys.getrefcount(state), sys.getrefcount(predictor)) == references
