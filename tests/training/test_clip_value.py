"""clip_value and l1: what becomes of a gradient before the rule's own."""

from typing import Any

import numpy as np
import pytest

import internals
import nnext as nn
from cases import OPTIMIZERS
from internals import training_state
from loss_cases import LOSSES
from parity import assert_same_training
from small_fits import assert_same_weights
from support import assert_same_bits
from torch_twins import torch, twin

X = np.random.default_rng(1).normal(size=(40, 5))
Y = np.random.default_rng(2).normal(size=(40, 3))


def network(dtype: str = "float64", optimizer: Any = "sgd", **settings: Any) -> nn.Sequential:
    layers = [nn.Linear(5, 70, bias=False), nn.BatchNorm1d(70), nn.Tanh(), nn.Linear(70, 3)]
    model = nn.Sequential(*layers, seed=1, dtype=dtype)
    model.compile(loss="mse", optimizer=optimizer, **settings)
    return model


@pytest.fixture(autouse=True)
def _settings() -> Any:
    """Keep PyTorch's scalars to float64."""
    dtype = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(dtype)


class Prepared:
    """An optimizer of PyTorch's with what people do to gradients before its step."""

    def __init__(self, optimizer: Any, parameters: Any, limit: float | None, value: float | None, l1: float) -> None:
        self.optimizer, self.parameters, self.zero_grad = optimizer, list(parameters), optimizer.zero_grad
        self.limit, self.value, self.l1 = limit, value, l1

    def step(self) -> None:
        if self.limit is not None:
            torch.nn.utils.clip_grad_norm_(self.parameters, self.limit)
        if self.value is not None:
            torch.nn.utils.clip_grad_value_(self.parameters, self.value)
        for w in self.parameters:
            w.grad.add_(self.l1 * w.detach().sign())
        self.optimizer.step()


@pytest.mark.parametrize("limit", [None, 1.0])
@pytest.mark.parametrize("value", [None, 0.02])
@pytest.mark.parametrize("l1", [0.0, 0.01])
@pytest.mark.parametrize("name", ["sgd_nesterov", "adamw", "rmsprop_centered", "adadelta"])
def test_100_steps_beside_pytorch(
    rng: np.random.Generator, name: str, limit: float | None, value: float | None, l1: float
) -> None:
    case = OPTIMIZERS[name]
    model = nn.Sequential(nn.Linear(6, 9), nn.Tanh(), nn.Linear(9, 3), seed=5, dtype="float64")
    model.compile("mse", case.type(**case.settings, l1=l1), clip_norm=limit, clip_value=value)
    other = twin(model)
    theirs = Prepared(case.make_torch(other.parameters()), other.parameters(), limit, value, l1)
    assert_same_training(model, other, theirs, LOSSES["mse"], rng)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_reference_agrees(isa: str, name: str) -> None:
    case = OPTIMIZERS[name]
    layers = [nn.Linear(5, 20), nn.Tanh(), nn.Linear(20, 3)]
    model = nn.Sequential(*layers, seed=1, dtype="float64")
    model.compile("mse", case.type(**case.settings, l1=0.01), clip_norm=0.9, clip_value=0.05)
    rule = getattr(nn.reference, case.type.__name__)(**case.settings, l1=0.01)
    plain = nn.reference.Network.from_model(model, "mse", rule, clip_norm=0.9, clip_value=0.05)
    model.fit(X, Y, epochs=3, batch_size=16, verbose=0)
    plain.fit(X, Y, epochs=3, batch_size=16)
    assert_same_weights(model, plain)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_limit_that_is_never_reached_changes_no_bit(isa: str, dtype: str, name: str) -> None:
    states = []
    for value in (None, 1e6):
        model = network(dtype, OPTIMIZERS[name].make(), clip_value=value)
        model.fit(X, Y, epochs=3, batch_size=16, verbose=0)
        model.loss_and_grads(X, Y)
        model.step()
        states.append(training_state(model))
    assert_same_bits(states[1], states[0])


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_every_way_to_take_a_step_is_the_same(isa: str, threads: int) -> None:
    """Tiny networks, layer by layer, and steps that may be interrupted."""
    rng = np.random.default_rng(3)
    settings: dict[str, Any] = {"clip_value": 0.01}
    for sizes, rows, batch in (([2, 2, 1], 8, 4), ([65, 131, 2], 256, 128), ([300, 300, 10], 1400, 700)):
        samples, targets = rng.normal(size=(rows, sizes[0])), 100 * rng.normal(size=(rows, sizes[-1]))
        fitted, own = nn.MLP(sizes), nn.MLP(sizes)
        for model in (fitted, own):
            model.compile("mse", nn.SGD(lr=0.1, l1=0.03, weight_decay=0.01), **settings)
        with nn.runtime.threads(threads):
            fitted.fit(samples, targets, batch_size=batch, shuffle=False, verbose=0)
        internals.begin_epoch(own, rows, False)
        for start in range(0, rows, batch):
            own.loss_and_grads(samples[start : start + batch], targets[start : start + batch])
            own.step()
        assert_same_bits(training_state(fitted), training_state(own))
        start, decay = nn.MLP(sizes).state_dict(), 0.01 + 0.03 + 0.01
        for name, values in fitted.state_dict().items():
            assert 0 < np.abs(values - start[name]).max() <= 2 * 0.1 * decay * 1.001


def test_grads_and_statistics_are_as_they_were() -> None:
    model, plain = network(clip_value=1e-3), network()
    for net in (model, plain):
        net.loss_and_grads(X, Y)
    assert_same_bits(model.grads(), plain.grads())
    for net in (model, plain):
        net.step()
    assert_same_bits(model.state_dict()["1.running_var"], plain.state_dict()["1.running_var"])


def test_l1_leaves_zeros_alone_and_pulls_the_others() -> None:
    model = nn.Sequential(nn.Linear(3, 1, bias=False), dtype="float64")
    model.load_state_dict({"0.weight": [[0.0, 2.0, -2.0]]})
    model.compile("mse", nn.SGD(lr=1.0, l1=0.5))
    model.fit(np.zeros((4, 3)), np.zeros(4), batch_size=4, verbose=0)
    np.testing.assert_array_equal(model.state_dict()["0.weight"], [[0.0, 1.5, -1.5]])


def test_compile_again_without_it_takes_it_away() -> None:
    model, plain = network(clip_value=0.01), network()
    model.compile(loss="mse", optimizer="sgd")
    for net in (model, plain):
        net.fit(X, Y, verbose=0)
    assert_same_bits(training_state(model), training_state(plain))


@pytest.mark.parametrize("wrong", [0, -1, np.inf, "1", True])
def test_what_is_no_limit_is_refused(wrong: Any) -> None:
    with pytest.raises((ValueError, TypeError), match=r"\[compile\] clip_value is "):
        network(clip_value=wrong)
