"""What is done while memory fails: each operation with the model that it begins with, and all that may come of it."""

import copy
import io
import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import internals
import nnext as nn
from sparse import csr

RNG = np.random.default_rng(0)
X = RNG.normal(size=(160, 64)).astype("float32")
X64 = X.astype("float64")[:, ::-1]
SPARSE = np.where(X > 1, X, 0)
STEPS = X.reshape(160, 8, 8)
LENGTHS = np.resize([8, 3, 1, 5], 160)
SEQUENCES = [sequence[:length] for sequence, length in zip(STEPS, LENGTHS, strict=True)]
IMAGES = RNG.normal(size=(20, 2, 8, 8)).astype("float32")
Y = RNG.normal(size=(160, 4)).astype("float32")
LABELS = RNG.integers(0, 4, 160)
WEIGHTS = np.resize([0.5, 1.5], 160)  # of the same mean in all batches
BATCHES = [(X[i : i + 64], LABELS[i : i + 64]) for i in (0, 64, 128)]
FIT: dict[str, Any] = {"batch_size": 64, "verbose": 0}

Call = Callable[[Any], Any]


def own_loss(y_pred: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    return float(np.mean((y_pred - y) ** 2)), 2 * (y_pred - y) / y.size


def trained(loss: Any = "cross_entropy", optimizer: Any = "adam", **settings: Any) -> nn.Sequential:
    """Two threads share its steps."""
    model = nn.MLP([64, 256, 4], dropout=0.1, seed=1)
    model.compile(loss, optimizer, **settings)
    model.fit(X, targets(model), **FIT)
    return model


def targets(model: nn.Sequential) -> Any:
    """Return what the loss takes."""
    assert model.compiled is not None
    return LABELS if model.compiled.loss == nn.CrossEntropy() else Y


def goes_on(model: nn.Sequential) -> None:
    """Train as anybody would after an error; compile before where nobody has."""
    samples = IMAGES if len(model.input_shape or ()) == 3 else X[:, : model.in_features]
    if isinstance(model[0], nn.LSTM):
        samples = STEPS
    outputs = model.predict(samples)
    if model.compiled is None:
        model.compile("mse", nn.SGD(lr=0.01, momentum=0.9))
    y = targets(model) if outputs.shape == Y.shape else np.zeros_like(outputs)
    model.fit(samples, y, **FIT)


class Operation(NamedTuple):
    """A call, the model that it is made with, and others that lead to what it may leave beside before and after."""

    call: Call
    make: Callable[[], nn.Sequential] = trained
    between: tuple[Call, ...] = ()


def fits(
    fit: Callable[..., Any], make: Callable[[], nn.Sequential] = trained, rows: int = len(X), batch_size: int = 64
) -> Operation:
    """Return two epochs of ``fit(model, rows, **options)``, which may end after each step, or as an epoch begins.

    Samples come in their own order: the first steps of an epoch are those of one with fewer samples.
    """
    options = {"batch_size": batch_size, "shuffle": False, "verbose": 0}

    def train(model: nn.Sequential, whole: int, steps: int) -> None:
        for _ in range(whole):
            fit(model, rows, **options)
        if steps == 0:
            internals.begin_epoch(model, rows, False)
        elif steps > 0:
            fit(model, steps * batch_size, **options)

    between = itertools.product((0, 1), range(-1, -(-rows // batch_size)))
    leads = (lambda model, at=at: train(model, *at) for at in between)
    return Operation(lambda model: fit(model, rows, epochs=2, **options), make, tuple(leads))


def fit_batches(model: nn.Sequential, count: int = len(BATCHES)) -> None:
    model.fit(iter(BATCHES[:count]), verbose=0)


def with_gradients() -> nn.Sequential:
    model = trained()
    model.loss_and_grads(X, LABELS)
    return model


def with_outputs() -> nn.Sequential:
    model = trained()
    model.forward(X)
    return model


def frozen() -> nn.Sequential:
    model = trained(ema=0.9)
    model.freeze("0")
    return model


def convolution(**kind: Any) -> nn.Sequential:
    layers = [
        nn.Conv2d(2, 8, 3),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 8, 2),
        nn.Flatten(),
        nn.Linear(32, 4),
    ]
    return nn.Sequential(*layers, input_shape=(2, 8, 8), **kind)


def compiled_convolution() -> nn.Sequential:
    model = convolution()
    model.compile("mse", "adam")
    return model


def branches() -> nn.Sequential:
    block = nn.Residual(nn.Linear(16, 16), nn.LayerNorm(16), nn.GELU())
    return nn.Sequential(nn.Linear(64, 16), block, nn.Branches([nn.Linear(16, 2)], [nn.Linear(16, 2)]))


def compiled_branches() -> nn.Sequential:
    model = branches()
    model.compile("mse", nn.SGD(lr=0.01, momentum=0.9), clip_norm=1.0)
    return model


def recurrent() -> nn.Sequential:
    model = nn.Sequential(nn.LSTM(8, 16, 2), nn.Linear(16, 4), seed=1)
    model.compile("cross_entropy", "adam")
    return model


def step(model: nn.Sequential) -> None:
    """Begin a sequence, go on with it and with a copy of its state."""
    predictor = model.compile_inference()
    for x in (STEPS[0, 0], STEPS[0, 1].tolist()):
        _, state = predictor.step(x, predictor.reset())
        predictor.step(x, copy.copy(state))


def freeze_with_slices(model: nn.Sequential) -> None:
    """Several models of the network are told."""
    head = model[1:]
    head.compile("mse", nn.SGD(lr=0.1, momentum=0.9), ema=0.5)
    model.freeze("0", "3")


def saved() -> bytes:
    file = io.BytesIO()
    trained().save(file)
    return file.getvalue()


FILE = saved()

OPERATIONS: dict[str, Operation] = {
    "fit": fits(lambda model, n, **options: model.fit(X[:n], LABELS[:n], **options)),
    "fit of float64 views with weights": fits(
        lambda model, n, **options: model.fit(X64[:n], LABELS[:n], sample_weight=WEIGHTS[:n], **options)
    ),
    "fit of CSR": fits(lambda model, n, **options: model.fit(csr(SPARSE[:n]), LABELS[:n], **options)),
    "fit of batches": Operation(
        fit_batches,
        between=(
            lambda model: internals.begin_epoch(model, 0, False),
            *(lambda model, count=count: fit_batches(model, count) for count in (1, 2)),
        ),
    ),
    "fit with a loss of one's own": fits(
        lambda model, n, **options: model.fit(X[:n], Y[:n], **options), lambda: trained(own_loss, nn.SGD(lr=0.01))
    ),
    "fit by LBFGS": fits(
        lambda model, n, **options: model.fit(X[:n], Y[:n], **options),
        lambda: trained("mse", nn.LBFGS(max_iter=2, history_size=2)),
        batch_size=len(X),
    ),
    "fit of images": fits(
        lambda model, n, **options: model.fit(IMAGES[:n], Y[:n], **options), compiled_convolution, len(IMAGES), 8
    ),
    "fit of branches": fits(lambda model, n, **options: model.fit(X[:n], Y[:n], **options), compiled_branches),
    "fit with lengths": fits(
        lambda model, n, **options: model.fit(STEPS[:n], LABELS[:n], lengths=LENGTHS[:n], **options), recurrent
    ),
    "predict with lengths": Operation(lambda model: model.predict(STEPS, lengths=LENGTHS), recurrent),
    "predict of a list": Operation(lambda model: model.predict(SEQUENCES), recurrent),
    "evaluate of a list": Operation(lambda model: model.evaluate(SEQUENCES, LABELS), recurrent),
    "train_on_batch of a list": Operation(lambda model: model.train_on_batch(SEQUENCES, LABELS), recurrent),
    "steps of a predictor": Operation(step, recurrent),
    "train_on_batch": Operation(lambda model: model.train_on_batch(X, LABELS)),
    "predict": Operation(lambda model: model.predict(X)),
    "predict of one row": Operation(lambda model: model.predict(X[:1])),
    "predict of float64 views": Operation(lambda model: model.predict(X64)),
    "evaluate": Operation(lambda model: model.evaluate(X, LABELS)),
    "loss_and_grads": Operation(lambda model: model.loss_and_grads(X, LABELS)),
    "step": Operation(lambda model: model.step(), with_gradients),
    "forward": Operation(lambda model: model.forward(X)),
    "backward": Operation(lambda model: model.backward(Y), with_outputs),
    "compile sgd": Operation(lambda model: model.compile("mse", nn.SGD(lr=0.1, momentum=0.9))),
    "compile adam": Operation(lambda model: model.compile("cross_entropy", "adam", clip_norm=1.0)),
    "compile LBFGS": Operation(lambda model: model.compile("mse", nn.LBFGS())),
    "compile ema": Operation(lambda model: model.compile("cross_entropy", "adam", ema=0.9)),
    "construct MLP": Operation(lambda model: nn.MLP([64, 256, 4])),
    "construct convolution": Operation(lambda model: convolution()),
    "construct branches": Operation(lambda model: branches()),
    "state_dict": Operation(lambda model: model.state_dict()),
    "load_state_dict": Operation(
        lambda model: model.load_state_dict({name: 2 * array for name, array in model.state_dict().items()})
    ),
    "load_state_dict with averages": Operation(
        lambda model: model.load_state_dict({name: 2 * array for name, array in model.state_dict().items()}),
        lambda: trained(ema=0.9),
    ),
    "save": Operation(lambda model: model.save(io.BytesIO())),
    "load": Operation(lambda model: nn.load(io.BytesIO(FILE))),
    "compile_inference": Operation(lambda model: model.compile_inference()(X[0])),
    "matmul": Operation(lambda model: nn.functional.matmul(X, X64, transpose_b=True)),
    "softmax": Operation(lambda model: nn.functional.softmax(X64)),
    "freeze": Operation(lambda model: model.freeze("0")),
    "freeze beside a slice": Operation(freeze_with_slices),
    "unfreeze": Operation(lambda model: model.unfreeze("0"), frozen),
    "slice": Operation(lambda model: model[:-1]),
    "copy": Operation(lambda model: copy.copy(model)),
}
# What a search must find: never among those that are searched by default.
HALF_DONE = Operation(lambda model: (model.engine.set_counters((99, 9)), model.freeze("0")))
if nn.runtime.available_bf16():
    OPERATIONS["compile bf16"] = Operation(lambda model: model.compile("cross_entropy", "adam", precision="bf16"))
