"""TerminateOnNaN: a fit that diverges ends like any other, with the state before the bad update."""

from typing import Any

import numpy as np
import pytest

import nnext as nn
from internals import training_state
from support import assert_same_bits


def exploding(**compiled: Any) -> nn.Sequential:
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 1), seed=7)
    model.compile(**{"loss": "mse", "optimizer": nn.SGD(lr=0.6), **compiled})
    return model


def samples(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    return rng.normal(size=(40, 3)).astype("float32"), rng.normal(size=40).astype("float32")


def own_mse(p: np.ndarray, t: np.ndarray) -> tuple[float, np.ndarray]:
    with np.errstate(over="ignore"):
        return float(np.mean((p[:, 0] - t) ** 2)), 2 * (p - t[:, None]) / len(t)


@pytest.mark.parametrize("given", ["arrays", "batches", "own loss"])
def test_the_fit_returns_what_it_has_and_keeps_the_last_good_state(rng: np.random.Generator, given: str) -> None:
    X, y = samples(rng)
    loss: Any = own_mse if given == "own loss" else "mse"
    model, twin = exploding(loss=loss), exploding(loss=loss)
    data: Any = ([(X[i : i + 8], y[i : i + 8]) for i in range(0, 40, 8)],) if given == "batches" else (X, y)
    options = {} if given == "batches" else {"batch_size": 8}
    with pytest.raises(nn.DivergenceError) as caught:
        twin.fit(*data, epochs=99, verbose=0, **options)
    error = caught.value
    assert error.epoch > 0
    history = model.fit(*data, epochs=99, callbacks=nn.TerminateOnNaN(), verbose=0, **options)
    assert history is model.history
    assert history.epoch == list(range(error.epoch))
    assert history.stop_reason == (
        f"TerminateOnNaN in epoch {error.epoch}, step {error.step}: the loss or a weight became NaN or infinite with "
        "lr=0.6"
    )
    assert model.stop_training
    assert_same_bits(training_state(model), training_state(twin))
    model.load_state_dict(exploding().state_dict())
    model.optimizer.lr = 1e-3  # type: ignore[union-attr]
    assert model.fit(*data, verbose=0, **options).stop_reason == "all epochs done"


def test_other_callbacks_finish_their_work(rng: np.random.Generator) -> None:
    X, y = samples(rng)
    model, calls, states = exploding(), list[Any](), list[Any]()

    def keep(epoch: int, logs: Any) -> None:
        calls.append(epoch)
        states.append(model.state_dict())

    watch = nn.LambdaCallback(on_epoch_end=keep, on_train_end=lambda logs: calls.append("end"))
    early = nn.EarlyStopping("loss", patience=99)
    model.fit(X, y, epochs=99, callbacks=[nn.TerminateOnNaN(), watch, early], verbose=0)
    assert calls == [*range(len(states)), "end"]
    assert early.best_epoch is not None
    assert_same_bits(model.state_dict(), states[early.best_epoch])


def test_a_wish_to_stop_is_no_leave_to_diverge(rng: np.random.Generator) -> None:
    """Only who says so in answer to the error lets it go."""
    X, y = samples(rng)
    model, heard = exploding(), list[nn.DivergenceError]()

    class Listener(nn.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.model.stop_training = True

        def on_divergence(self, error: nn.DivergenceError) -> bool:
            heard.append(error)
            return False

    with pytest.raises(nn.DivergenceError) as caught:
        model.fit(np.full_like(X, 3e38), y, epochs=2, callbacks=[Listener(), Listener()], verbose=0)
    assert heard == [caught.value] * 2
