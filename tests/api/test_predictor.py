"""Predictor: the network as it was, for one sample at once."""

import gc
import threading
import weakref

import numpy as np
import pytest

import nnext as nn
from copying import WAYS
from support import assert_same_bits


def network(dtype="float32"):
    return nn.Sequential(
        nn.Linear(5, 70), nn.ReLU(), nn.Dropout(0.5), nn.Linear(70, 3), nn.Softmax(), seed=3, dtype=dtype
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gives_the_bits_of_predict_for_samples_and_rows(dtype, isa):
    model = network(dtype)
    X = np.random.default_rng(0).normal(size=(9, 5)).astype(dtype)
    predictor, expected = model.compile_inference(), model.predict(X)
    for x, y in zip(X, expected, strict=True):
        np.testing.assert_array_equal(predictor(x), y)
        np.testing.assert_array_equal(predictor(x[None]), y[None])
    np.testing.assert_array_equal(predictor(X), expected)


@pytest.mark.parametrize("sizes", [[1, 1], [2, 2, 1], [17, 129, 65, 33], [784, 128, 10], [3, 300]])
def test_rows_do_not_depend_on_their_company(sizes, isa):
    model = nn.MLP(sizes)
    X = np.random.default_rng(1).normal(size=(15, sizes[0])).astype("float32")
    rows = np.concatenate([model.predict(x[None]) for x in X])
    np.testing.assert_array_equal(rows, model.predict(X))


def test_writes_into_out():
    model = network()
    predictor, x = model.compile_inference(), np.ones(5, dtype="float32")
    out = np.empty(3, dtype="float32")
    assert predictor(x, out=out) is out
    np.testing.assert_array_equal(out, model.predict(x[None])[0])
    rows = np.empty((1, 3), dtype="float32")
    assert predictor(x[None], rows) is rows
    np.testing.assert_array_equal(rows[0], out)


def test_out_may_be_x():
    model = nn.Sequential(nn.Linear(4, 4), nn.Tanh())
    x = np.linspace(-1, 1, 4, dtype="float32")
    expected = model.predict(x[None])[0]
    model.compile_inference()(x, out=x)
    np.testing.assert_array_equal(x, expected)


def test_takes_what_predict_takes():
    model = network()
    predictor, x = model.compile_inference(), [1.0, 2.0, 3.0, 4.0, 5.0]
    expected = model.predict([x])[0]
    strided = np.zeros(10, dtype="float32")
    strided[::2] = x
    for given in (x, np.array(x), np.array(x, dtype="int64"), strided[::2]):
        np.testing.assert_array_equal(predictor(given), expected)
    np.testing.assert_array_equal(predictor([x, x]), [expected, expected])


def test_flattens_as_the_model_does():
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    X = np.arange(4, dtype="float32").reshape(1, 2, 2)
    np.testing.assert_array_equal(model.compile_inference()(X), model.predict(X))


def test_stays_as_it_was_when_the_model_trains_on():
    model = network()
    model.compile("cross_entropy", nn.SGD(lr=0.5))
    X, y = np.random.default_rng(2).normal(size=(20, 5)).astype("float32"), np.arange(20) % 3
    predictor = model.compile_inference()
    before = predictor(X)
    model.fit(X, y, verbose=0)
    np.testing.assert_array_equal(predictor(X), before)
    assert not np.array_equal(model.predict(X), before)


def test_many_threads_at_once():
    model = nn.MLP([30, 100, 10])
    X = np.random.default_rng(3).normal(size=(8, 30)).astype("float32")
    predictor, expected = model.compile_inference(), model.predict(X)
    wrong = []

    def run(i):
        for _ in range(500):
            if not np.array_equal(predictor(X[i]), expected[i]):
                wrong.append(i)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_nan_in_gives_nan_out():
    predictor = nn.MLP([2, 3, 1], activation="tanh").compile_inference()
    assert np.isnan(predictor(np.array([np.nan, 1], dtype="float32"))).all()


def test_says_what_it_is():
    predictor = network().compile_inference()
    assert repr(predictor) == "Predictor(in_features=5, out_features=3, dtype='float32')"
    with pytest.raises(TypeError):
        type(predictor)()


@pytest.mark.parametrize(
    ("arguments", "options", "error", "says"),
    [
        ((), {}, TypeError, "predictor(x)"),
        (([1.0] * 5, None, None), {}, TypeError, "predictor(x)"),
        (([1.0] * 5,), {"into": None}, TypeError, "predictor(x)"),
        (([1.0] * 4,), {}, ValueError, "4 features but the network expects 5"),
        ((["a"] * 5,), {}, TypeError, "give real numbers"),
        ((np.ones(5, dtype="float32"),), {"out": [0.0] * 3}, ValueError, "out="),
        ((np.ones((1, 5), dtype="float32"),), {"out": np.empty((1, 4), "float32")}, ValueError, "(1, 4)"),
        ((np.ones((2, 5), dtype="float32"),), {"out": np.empty((2, 3), "float64")}, TypeError, "float32"),
    ],
)
def test_refuses(arguments, options, error, says):
    with pytest.raises(error) as caught:
        network().compile_inference()(*arguments, **options)
    assert says in str(caught.value)


def test_needs_to_know_the_features():
    with pytest.raises(ValueError, match="samples of several shapes"):
        nn.Sequential(nn.ReLU()).compile_inference()


# ---- Copies and pickles; test_copies.py sends one to another process -------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_a_twin_gives_its_bits(dtype, way):
    model = nn.Sequential(
        nn.Linear(5, 70), nn.BatchNorm1d(70), nn.Residual(nn.Linear(70, 70)), nn.Softmax(), dtype=dtype
    )
    X = np.random.default_rng(4).normal(size=(12, 5)).astype(dtype)
    model.compile("mse")
    model.fit(X, np.ones((12, 70)), verbose=0)  # statistics of its own
    predictor = model.compile_inference()
    twin, again = WAYS[way](predictor), WAYS[way](WAYS[way](predictor))
    assert repr(twin) == repr(predictor)
    for each in (twin, again):
        assert_same_bits(each(X), model.predict(X))
        assert_same_bits(each(X[0]), predictor(X[0]))


def test_leaves_its_network_free():
    predictor = nn.MLP([5, 2]).compile_inference()
    engine = weakref.ref(predictor.engine)
    del predictor
    gc.collect()
    assert engine() is None
