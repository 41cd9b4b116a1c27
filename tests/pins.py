"""Trainings whose bits are recorded in tests/golden/pins.json, and what each comes to.

They are made of public names that mean the same in every version. Data comes from the bits of a generator alone, so
that no mathematical library has a say in it.
"""

import pathlib
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nnext as nn
from internals import training_state

Array = np.ndarray
Result = dict[str, Any]

OPTIMIZERS: dict[str, Callable[[], nn.optimizers.Optimizer]] = {
    "sgd": lambda: nn.SGD(lr=0.1),
    "nesterov": lambda: nn.SGD(lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.01),
    "adam": lambda: nn.Adam(lr=0.01, betas=(0.8, 0.99), eps=1e-6, weight_decay=0.1),
    "adagrad": lambda: nn.Adagrad(lr=0.05, weight_decay=0.01),
}


# ---- Parts ----------------------------------------------------------------------------------------------------------


def uniform(seed: int, *shape: int) -> Array:
    return (2 * np.random.default_rng(seed).random(shape) - 1).astype("float32")


def labels(seed: int, n: int, classes: int) -> Array:
    return (np.random.default_rng(seed).random(n) * classes).astype("int64")


def build(
    *layers: nn.Layer,
    loss: str,
    optimizer: str = "adam",
    dtype: str = "float32",
    input_shape: tuple[int, ...] | None = None,
    **settings: Any,
) -> Any:
    model = nn.Sequential(*layers, seed=7, dtype=dtype, input_shape=input_shape)
    model.compile(loss=loss, optimizer=OPTIMIZERS[optimizer](), **settings)
    return model


def hidden(features: int = 65) -> list[nn.Layer]:
    """Return layers of which a step of 480 rows has work for a team of eight."""
    return [nn.Linear(features, 131), nn.ReLU(), nn.Dropout(0.3), nn.Linear(131, 40), nn.Tanh()]


def classifier(optimizer: str = "adam", **settings: Any) -> Any:
    return build(*hidden(), nn.Linear(40, 10), loss="cross_entropy", optimizer=optimizer, **settings)


def classes(n: int = 1100) -> tuple[Array, Array]:
    return uniform(1, n, 65), labels(2, n, 10)


def result(model: nn.Sequential, X: Any, y: Array, losses: Any, scale: float = 1.0) -> Result:
    """Return what a training has come to: its state, the losses on the way, evaluation and predictions."""
    loss = model.evaluate(X, y, scale=scale)["loss"]
    return training_state(model) | {
        "losses": np.array(losses),
        "evaluated": np.array(loss),
        "predicted": model.predict(X, scale=scale),
    }


def fitted(model: nn.Sequential, X: Any, y: Array, scale: float = 1.0, **options: Any) -> Result:
    options = {"epochs": 2, "batch_size": 480, "verbose": 0, **options}
    losses = model.fit(X, y, scale=scale, **options).history["loss"]
    return result(model, X, y, losses, scale)


# ---- Trainings ------------------------------------------------------------------------------------------------------


def xor(optimizer: str, dtype: str = "float32") -> Result:
    X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")
    model = build(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1), loss="mse", optimizer=optimizer, dtype=dtype)
    return fitted(model, X, X.sum(axis=1) % 2, epochs=5, batch_size=3)


def ten() -> list[nn.Layer]:
    return [nn.Linear(10, 10), nn.ReLU(), nn.Linear(10, 10), nn.ReLU(), nn.Linear(10, 10)]


def tens(optimizer: str, dtype: str = "float32") -> Result:
    model = build(*ten(), loss="cross_entropy", optimizer=optimizer, dtype=dtype)
    return fitted(model, uniform(3, 50, 10), labels(4, 50, 10), epochs=3, batch_size=8)


def layered(loss: str, last: list[nn.Layer], y: Array, optimizer: str, dtype: str) -> Result:
    layers = [nn.Linear(65, 131), nn.LeakyReLU(0.1), nn.Dropout(0.2), nn.Linear(131, 40), nn.Sigmoid()]
    return fitted(
        build(*layers, nn.Linear(40, 10), *last, loss=loss, optimizer=optimizer, dtype=dtype), classes()[0], y
    )


def long_steps(**settings: Any) -> Result:
    """Take two steps of 390 MFLOP, which are interruptible, and one of 5 rows."""
    layers = [nn.Linear(300, 300), nn.ReLU(), nn.Dropout(0.2), nn.Linear(300, 10)]
    X, y = uniform(5, 1405, 300), labels(6, 1405, 10)
    return fitted(build(*layers, loss="cross_entropy", **settings), X, y, epochs=1, batch_size=700)


def first_layer_by_columns() -> Result:
    model = build(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10), loss="cross_entropy")
    return fitted(model, uniform(7, 300, 784), labels(8, 300, 10), batch_size=64)


def own_loop(**settings: Any) -> Result:
    """Take steps in both ways in turn."""
    model, (X, y), seen, losses = classifier(**settings), classes(), {}, []
    for i in range(4):
        rows = slice(250 * i, 250 * i + 250)
        if i % 2:
            outputs = model.forward(X[rows])
            seen[f"dX.{i}"] = model.backward((outputs - np.eye(10, dtype="float32")[y[rows]]) / 256)
        else:
            loss, grads = model.loss_and_grads(X[rows], y[rows])
            losses.append(loss)
            seen |= {f"gradient.{name}.{i}": values for name, values in grads.items()}
        model.step()
    return seen | result(model, X, y, losses)


def halves() -> Result:
    """Train in bf16, with layers wide enough for them and of one that is not."""
    layers = [nn.Linear(65, 256), nn.ReLU(), nn.Dropout(0.2), nn.Linear(256, 67), nn.Tanh(), nn.Linear(67, 10)]
    X, y = uniform(9, 700, 65), labels(10, 700, 10)
    return fitted(build(*layers, loss="cross_entropy", precision="bf16"), X, y, batch_size=300)


def frozen_from_the_start(layer: str) -> Result:
    model = classifier()
    model.freeze(layer)
    return fitted(model, *classes())


def frozen_tiny() -> Result:
    model = build(*ten(), loss="cross_entropy")
    model.freeze("0")
    return fitted(model, uniform(3, 50, 10), labels(4, 50, 10), batch_size=8)


def frozen_on_the_way(layer: str) -> Result:
    model, (X, y) = classifier(), classes()
    model.fit(X, y, batch_size=480, verbose=0)
    model.freeze(layer)
    return fitted(model, X, y)


def rolled_back(layers: list[nn.Layer], lr: float, batch_size: int = 64, largest: float = 1) -> Result:
    """Diverge and be taken back; then let the same model begin anew from its first weights."""
    model = nn.Sequential(*layers, seed=7)
    X, start = uniform(11, 700, model.in_features or 0), model.state_dict()
    X[43] *= largest
    y = X.sum(axis=1)
    model.compile(loss="mse", optimizer=nn.SGD(lr=lr, momentum=0.9))
    with pytest.raises(nn.DivergenceError) as caught:
        model.fit(X, y, epochs=1000, batch_size=batch_size, verbose=0)
    back = {f"back.{name}": values for name, values in training_state(model).items()}
    back["back.where"] = np.array([caught.value.epoch, caught.value.step])
    model.load_state_dict(start)
    model.compile(loss="mse", optimizer=nn.SGD(lr=1e-3))
    return back | fitted(model, np.clip(X, -1, 1), y.clip(-1, 1))


def subnormal_sums(layers: list[nn.Layer]) -> Result:
    """Keep Adam's means of gradients that are zero from the second step on: halved 140 times, lost but on baseline."""
    X = uniform(14, 140, 10)
    X[1:, 0] = 0
    model = nn.Sequential(*layers, seed=7)
    model.compile(loss="mse", optimizer=nn.Adam(lr=1e-3, betas=(0.5, 0.9)))
    return fitted(model, X, uniform(15, 140, 10), batch_size=1, epochs=1, shuffle=False)


def resumed() -> Result:
    model, (X, y) = classifier(), classes()
    model.fit(X, y, batch_size=480, verbose=0)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "model.safetensors"
        model.save(path)
        return fitted(nn.load(path), X, y)


def bytes_with_scale(*layers: nn.Layer) -> Result:
    X = (np.random.default_rng(12).random((500, 8, 8)) * 256).astype("uint8")
    model = build(nn.Flatten(), *layers, loss="cross_entropy")
    return fitted(model, X, labels(13, 500, 10), scale=1 / 255, batch_size=128)


def one_row_left() -> Result:
    """Train with samples in float64, converted batch by batch, in their own order; the last batch is one row."""
    X, y = classes(481)
    return fitted(classifier("nesterov"), X.astype("float64"), y, shuffle=False)


def _one_hot(y: Array) -> Array:
    return np.eye(10, dtype="float32")[y]


Y = classes()[1]
SHARES = (_one_hot(Y) + _one_hot((Y + 1) % 10)) / 2


def words(kind: type[nn.Layer], dtype: str = "float32", **settings: Any) -> Result:
    """Labels at each step of sequences of several lengths: 19 units, so that no block of gates is full."""
    recurrent = kind(11, 19, return_sequences=True, **settings)
    width = 38 if settings.get("bidirectional") else 19
    model = build(
        nn.Embedding(23, 11), recurrent, nn.Linear(width, 5), loss="cross_entropy", dtype=dtype, clip_norm=0.5
    )
    X, y = labels(3, 90 * 13, 23).reshape(90, 13), labels(4, 90 * 13, 5).reshape(90, 13)
    samples = nn.padded(X, 1 + labels(5, 90, 13))
    return fitted(model, samples, y, batch_size=32)


def long_sequences() -> Result:
    """Of which each batch goes on from the one before."""
    model = build(nn.LSTM(7, 40, stateful=True), nn.Linear(40, 3), loss="mse", optimizer="sgd")
    return fitted(model, uniform(6, 6 * 64, 9, 7), uniform(7, 6 * 64, 3), batch_size=64, shuffle=False)


SCENARIOS: dict[str, Callable[[], Result]] = {
    **{f"tiny 2-2-1, {name}": lambda name=name: xor(name) for name in OPTIMIZERS},
    **{f"tiny 10-10-10-10, {name}": lambda name=name: tens(name) for name in OPTIMIZERS},
    "tiny 2-2-1, adam, float64": lambda: xor("adam", "float64"),
    "tiny 10-10-10-10, nesterov, float64": lambda: tens("nesterov", "float64"),
    "layered, cross_entropy": lambda: fitted(classifier("nesterov"), *classes()),
    "layered, cross_entropy, float64": lambda: fitted(classifier("adam", dtype="float64"), *classes()),
    "layered, shares of classes": lambda: layered("cross_entropy", [], SHARES, "adagrad", "float32"),
    "layered, softmax": lambda: layered("cross_entropy", [nn.Softmax()], Y, "adam", "float32"),
    "layered, mse": lambda: layered("mse", [], SHARES, "adam", "float64"),
    "layered, mse of softmax": lambda: layered("mse", [nn.Softmax()], SHARES, "adagrad", "float32"),
    "layered, bce_with_logits": lambda: layered("bce_with_logits", [], _one_hot(Y), "adam", "float32"),
    "layered, bce": lambda: layered("bce", [nn.Sigmoid()], _one_hot(Y), "nesterov", "float32"),
    "layered, bce, float64": lambda: layered("bce", [nn.Sigmoid()], _one_hot(Y), "adagrad", "float64"),
    "first layer by columns": first_layer_by_columns,
    "long steps": long_steps,
    "own loop": own_loop,
    "own loop, float64": lambda: own_loop(optimizer="nesterov", dtype="float64"),
    "frozen from the start, first layer": lambda: frozen_from_the_start("0"),
    "frozen from the start, last layer": lambda: frozen_from_the_start("5"),
    "frozen from the start, tiny": frozen_tiny,
    "frozen on the way, first layer": lambda: frozen_on_the_way("0"),
    "frozen on the way, middle layer": lambda: frozen_on_the_way("3"),
    "rolled back": lambda: rolled_back([nn.Linear(65, 131), nn.Dropout(0.2), nn.Linear(131, 1)], 0.5),
    "rolled back, tiny": lambda: rolled_back([nn.Linear(3, 4), nn.Linear(4, 1)], 2.0),
    "rolled back, far": lambda: rolled_back([nn.Linear(3, 4), nn.Dropout(0.2), nn.Linear(4, 1)], 0.01, 1, 1e15),
    "subnormal sums": lambda: subnormal_sums([nn.Linear(10, 20), nn.Dropout(0.1), nn.Linear(20, 10)]),
    "subnormal sums, tiny": lambda: subnormal_sums(ten()),
    "resumed from a file": resumed,
    "bytes with a scale": lambda: bytes_with_scale(*hidden(64), nn.Linear(40, 10)),
    "bytes with a scale, tiny": lambda: bytes_with_scale(nn.Linear(64, 10)),
    "sequences, RNN": lambda: words(nn.RNN),
    "sequences, LSTM of two layers": lambda: words(nn.LSTM, num_layers=2, dropout=0.3),
    "sequences, GRU in both directions": lambda: words(nn.GRU, bidirectional=True),
    "sequences, LSTM, float64": lambda: words(nn.LSTM, "float64"),
    "sequences that go on": long_sequences,
    "one row left": one_row_left,
}
BF16_SCENARIOS: dict[str, Callable[[], Result]] = {
    "bf16": halves,
    "bf16, long steps": lambda: long_steps(precision="bf16"),
    "bf16, own loop": lambda: own_loop(precision="bf16"),
}
