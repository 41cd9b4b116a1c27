"""The optimizer's state belongs to the parameter, its step count included: what PyTorch gives, to 1e-10 in float64."""

import copy
import pathlib
from collections.abc import Iterator

import numpy as np
import pytest

import nnext as nn
from cases import EVERY_OPTIMIZER, OPTIMIZERS, WITH_RATES
from torch_twins import torch, twin

TOLERANCE, BATCH = 1e-10, 8
LAYERS = [nn.Linear(6, 9), nn.Tanh(), nn.Linear(9, 7), nn.Tanh(), nn.Linear(7, 3)]
NAMES = ("0", "2", "4")


@pytest.fixture(autouse=True)
def _settings() -> Iterator[None]:
    """Keep PyTorch to one thread, and its scalars to float64: else NAdam's product of momenta is a float32."""
    threads, dtype = torch.get_num_threads(), torch.get_default_dtype()
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_num_threads(threads)
    torch.set_default_dtype(dtype)


class Pair:
    """The same network and optimizer in nnext and PyTorch, and what a person does to both."""

    def __init__(self, optimizer: str, frozen: tuple[str, ...] = ()) -> None:
        self.model = nn.Sequential(*LAYERS, seed=5, dtype="float64")
        self.model.compile("mse", OPTIMIZERS[optimizer].make())
        self.twin = twin(self.model)
        self.twin.load_state_dict({k: torch.from_numpy(v) for k, v in self.model.state_dict().items()})
        self.optimizer = OPTIMIZERS[optimizer].make_torch(self.twin.parameters())
        self.rng = np.random.default_rng(1)
        self.train(*frozen, trainable=False)

    def train(self, *names: str, trainable: bool) -> None:
        """Freeze or unfreeze layers."""
        for name in names:
            (self.model.unfreeze if trainable else self.model.freeze)(name)
            self.twin[int(name)].requires_grad_(trainable)

    def steps(self, count: int, way: str = "fit") -> None:
        X, y = self.rng.normal(size=(count * BATCH, 6)), self.rng.normal(size=(count * BATCH, 3))
        if way == "fit":
            self.model.fit(X, y, batch_size=BATCH, shuffle=False, verbose=0)
        for start in range(0, len(X), BATCH):
            rows = slice(start, start + BATCH)
            if way == "own loop":
                self.model.loss_and_grads(X[rows], y[rows])
                self.model.step()
            self.optimizer.zero_grad()
            torch.nn.functional.mse_loss(self.twin(torch.from_numpy(X[rows])), torch.from_numpy(y[rows])).backward()
            self.optimizer.step()

    def load(self) -> None:
        """Set all parameters to others; the optimizer keeps its sums, as in PyTorch."""
        values = {name: self.rng.normal(size=a.shape) for name, a in self.model.state_dict().items()}
        self.model.load_state_dict(values)
        self.twin.load_state_dict({name: torch.from_numpy(a) for name, a in values.items()})

    def assert_equal(self) -> None:
        for name, values in self.twin.state_dict().items():
            theirs = values.detach().numpy()
            error = np.abs(self.model.state_dict()[name] - theirs).max() / np.abs(theirs).max()
            assert error <= TOLERANCE, f"{name} is off by {error:.3g}"


@pytest.fixture(params=OPTIMIZERS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("way", ["fit", "own loop"])
@pytest.mark.parametrize("layer", NAMES)
def test_frozen_and_unfrozen(name: str, layer: str, way: str) -> None:
    pair = Pair(name)
    for trainable in (True, False, True, False, True):
        pair.train(layer, trainable=trainable)
        pair.steps(7, way)
    pair.assert_equal()


def test_layers_that_train_from_the_second_step_on(name: str) -> None:
    """What PyTorch has for new parameters: their own first step, and biases corrected from there."""
    pair = Pair(name, frozen=("0", "2"))
    pair.steps(9)
    pair.train("2", trainable=True)
    pair.steps(9)
    pair.train("0", trainable=True)
    pair.train("4", trainable=False)
    pair.steps(9)
    pair.train("4", trainable=True)
    pair.steps(9)
    pair.assert_equal()


def test_other_parameters_keep_the_sums(name: str) -> None:
    pair = Pair(name)
    pair.steps(8)
    pair.load()
    pair.steps(8)
    pair.assert_equal()


@pytest.mark.parametrize("way", ["file", "copy"])
def test_a_file_and_a_copy_keep_each_parameters_steps(name: str, way: str, tmp_path: pathlib.Path) -> None:
    pair = Pair(name, frozen=("2",))
    pair.steps(6)
    pair.train("0", trainable=False)
    pair.train("2", trainable=True)
    pair.steps(5)
    if way == "file":
        pair.model.save(tmp_path / "m")
        pair.model = nn.load(tmp_path / "m")
    else:
        pair.model = copy.deepcopy(pair.model)
    pair.steps(5)
    pair.train("0", trainable=True)
    pair.steps(5)
    pair.assert_equal()


@pytest.mark.parametrize("name", WITH_RATES)
def test_another_rate_counts_from_the_next_step(name: str) -> None:
    pair = Pair(name)
    for lr in (0.01, 0.003, 0.02):
        assert pair.model.optimizer is not None
        pair.model.optimizer.lr = lr
        pair.optimizer.param_groups[0]["lr"] = lr
        pair.steps(5, "own loop")
        pair.steps(5)
    pair.assert_equal()


def test_a_rate_that_a_loss_function_sets_counts_from_its_step_on() -> None:
    X, y = np.random.default_rng(0).normal(size=(12, 6)), np.zeros((12, 3))
    rates = [0.1, 0.0, 0.02]

    def loss(p: np.ndarray, t: np.ndarray) -> tuple[float, np.ndarray]:
        own.optimizer.lr = rates[len(seen) % 3]  # type: ignore[union-attr]
        seen.append(own.optimizer.lr)  # type: ignore[union-attr]
        return float((p**2).mean()), 2 * p / p.size

    seen: list[float] = []
    own, twin = (nn.Sequential(*LAYERS, dtype="float64") for _ in range(2))
    own.compile(loss, nn.SGD(lr=0.5))
    own.fit(X, y, batch_size=4, shuffle=False, verbose=0)
    twin.compile("mse", nn.SGD(lr=0.5))
    for i, rate in enumerate(rates):
        twin.optimizer.lr = rate  # type: ignore[union-attr]
        twin.fit(X[4 * i : 4 * i + 4], y[:4], batch_size=4, verbose=0)
    for name, values in twin.state_dict().items():
        np.testing.assert_allclose(own.state_dict()[name], values, rtol=1e-12)


def test_compiling_again_starts_afresh(name: str) -> None:
    pair = Pair(name)
    pair.steps(6)
    pair.model.compile("mse", OPTIMIZERS[name].make())
    pair.optimizer = OPTIMIZERS[name].make_torch(pair.twin.parameters())
    pair.steps(6)
    pair.assert_equal()


def test_every_optimizer_is_here() -> None:
    assert {case.type for case in EVERY_OPTIMIZER.values()} == set(nn.Optimizer.types().values())


@pytest.mark.parametrize("optimizer", [nn.Adam, nn.AdamW])
def test_the_corrections_of_means_hold_to_the_last_digit(optimizer: type[nn.Adam]) -> None:
    """With gradients that stay the same every step is lr long, also where corrections become 1: from 54 and 74 on."""
    lr, steps, start = 0.1, 120, 20.0
    model = nn.Sequential(nn.Linear(1, 1, bias=False), dtype="float64")
    model.load_state_dict({"0.weight": [[start]]})
    model.compile("mae", optimizer(lr=lr, betas=(0.5, 0.6), eps=1e-30, weight_decay=0.0))
    model.fit(np.ones((steps, 1)), np.zeros((steps, 1)), batch_size=1, verbose=0)
    error = abs(model.state_dict()["0.weight"][0, 0] - (start - steps * lr))
    assert error <= 2 * steps * np.finfo(float).eps * start
