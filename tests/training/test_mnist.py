"""Real handwritten digits, where NNEXT_DATA names them."""

import numpy as np

import nnext as nn
from internals import training_state
from layer_cases import LENET_5
from support import assert_same_bits

Set = tuple[np.ndarray, np.ndarray]


def test_mnist_784_128_10_recognises_97_8_percent(mnist: tuple[Set, Set]) -> None:
    (X, y), (X_test, y_test) = mnist
    mean = X.mean(axis=0, dtype="float32")
    X, X_test = (X - mean) / np.float32(255), (X_test - mean) / np.float32(255)
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
    model.compile(loss="cross_entropy", optimizer=nn.Adam(lr=1e-3), metrics=["accuracy"])
    model.fit(X, y, epochs=10, batch_size=128, verbose=0)
    assert model.evaluate(X_test, y_test)["accuracy"] >= 0.978


def test_lenet_5_reads_98_8_percent_after_five_epochs_of_bytes(mnist: tuple[Set, Set]) -> None:
    (X, y), (X_test, y_test) = mnist
    model = nn.Sequential(*LENET_5)
    optimizer = nn.Adam(lr=nn.Cosine(2e-3, epochs=5, warmup=0.5))
    model.compile(loss="cross_entropy", optimizer=optimizer, metrics=["accuracy"])
    model.fit(X, y, epochs=5, batch_size=64, scale=1 / 255, verbose=0)
    assert model.evaluate(X_test, y_test, scale=1 / 255)["accuracy"] >= 0.988


def test_images_in_bytes_train_like_the_same_numbers_in_floats(mnist: tuple[Set, Set]) -> None:
    (X, y), _ = mnist
    states = []
    for images in (X[:500], X[:500].astype("float32").reshape(500, 784), np.asfortranarray(X[:500])):
        model = nn.Sequential(nn.Flatten(), nn.Linear(784, 16), nn.Tanh(), nn.Linear(16, 10))
        model.compile(loss="cross_entropy", optimizer=nn.SGD(lr=1e-4))
        model.fit(images, y[:500], verbose=0)
        states.append(training_state(model))
    for state in states[1:]:
        assert_same_bits(state, states[0])
