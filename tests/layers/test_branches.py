"""Branches: names, freezing, what they are the same as, PyTorch's results, and what cannot be joined."""

from typing import Any

import numpy as np
import pytest

import internals
import nnext as nn
from internals import training_state
from loss_cases import LOSSES
from nnext import reference
from parity import assert_round_trip, assert_same_training
from support import assert_isas_with_fma_agree, assert_same_bits, assert_threads_change_no_bit, unchanged
from torch_twins import torch, twin

INCEPTION = nn.Branches(
    [nn.Conv2d(3, 8, 1), nn.Tanh()],
    [nn.Conv2d(3, 4, 1, bias=False), nn.BatchNorm2d(4), nn.GELU(), nn.Conv2d(4, 17, 3, padding=1)],
    [nn.Conv2d(3, 2, 1), nn.Conv2d(2, 4, 5, padding=2)],
    [nn.MaxPool2d(3, 1, 1), nn.Conv2d(3, 4, 1)],
    [],
)
WITH_RESIDUAL = nn.Branches(
    [nn.Residual(nn.Linear(7, 7), nn.Tanh()), nn.Linear(7, 4)],
    [nn.Branches([nn.Linear(7, 3)], [nn.Sigmoid()]), nn.Linear(10, 4, bias=False)],
    [nn.LayerNorm(7), nn.Linear(7, 4)],
    join="add",
)
NETWORKS: dict[str, tuple[list[nn.Layer], tuple[int, ...]]] = {
    "inception": ([INCEPTION, nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36 * 6, 3)], (3, 6, 4)),
    "first and last": ([nn.Branches([nn.Linear(6, 1)], [nn.Linear(6, 2), nn.Tanh()])], (6,)),
    "residual": ([nn.Linear(5, 7), WITH_RESIDUAL, nn.Tanh(), nn.Linear(4, 3)], (5,)),
    "steps": ([nn.Branches([nn.Linear(4, 5)], [nn.Tanh()]), nn.Flatten(), nn.Linear(27, 3)], (3, 4)),
    "twice": ([nn.Branches([], []), nn.Branches([], [], join="add"), nn.Linear(8, 3)], (4,)),
}


def network(name: str, dtype: str = "float64") -> tuple[nn.Sequential, tuple[int, ...]]:
    layers, shape = NETWORKS[name]
    model = nn.Sequential(*layers, seed=6, dtype=dtype)
    model.compile(loss="mse", optimizer=nn.SGD(lr=0.05, momentum=0.9))
    return model, shape


@pytest.mark.parametrize("name", NETWORKS)
def test_20_steps_are_pytorchs(name: str, isa: str, rng: np.random.Generator) -> None:
    model, shape = network(name)
    other = twin(model)
    optimizer = torch.optim.SGD(other.parameters(), lr=0.05, momentum=0.9)
    assert_same_training(model, other, optimizer, LOSSES["mse"], rng, shape=shape, steps=20)
    assert_round_trip(model, other, rng.normal(size=(3, *shape)))


def trained(name: str, threads: int, dtype: str = "float32") -> dict[str, np.ndarray]:
    (model, shape), rng = network(name, dtype), np.random.default_rng(7)
    X, y = rng.normal(size=(700, *shape)).astype("float32"), rng.normal(size=(700, 3))
    with nn.runtime.threads(threads):
        model.fit(X, y, epochs=2, batch_size=330, verbose=0)
        return training_state(model) | {"predicted": model.predict(X)}


@pytest.mark.parametrize("name", NETWORKS)
def test_no_number_of_threads_changes_a_bit(name: str, isa: str) -> None:
    assert_threads_change_no_bit(lambda threads: trained(name, threads))


@pytest.mark.parametrize("name", NETWORKS)
def test_instruction_sets_with_fma_train_to_the_same_bits(name: str, dtype: str) -> None:
    assert_isas_with_fma_agree(lambda: trained(name, 2, dtype))


def test_names_are_paths_and_configurations_lists_of_lists() -> None:
    model, _ = network("inception")
    names = [name for name in model.state_dict() if name.endswith("weight")]
    assert names == [
        "0.branches.0.0.weight",
        "0.branches.1.0.weight",
        "0.branches.1.1.weight",
        "0.branches.1.3.weight",
        "0.branches.2.0.weight",
        "0.branches.2.1.weight",
        "0.branches.3.1.weight",
        "3.weight",
    ]
    config = nn.Branches([nn.ReLU()], [], ["tanh"], join="add").config()
    assert config == {"type": "Branches", "branches": [[{"type": "ReLU"}], [], [{"type": "Tanh"}]], "join": "add"}
    again = nn.Sequential(*(nn.Layer.from_config(layer.config()) for layer in model.layers), seed=6, dtype="float64")
    assert_same_bits(again.state_dict(), model.state_dict())


@pytest.mark.parametrize(
    ("names", "frozen"),
    [
        (["1"], {"branches.0.0.body.0", "branches.0.1", "branches.1.0.branches.0.0", "branches.1.1", "branches.2.0",
                 "branches.2.1"}),
        (["1.branches.1"], {"branches.1.0.branches.0.0", "branches.1.1"}),
        (["1.branches.0.0", "1.branches.2.0"], {"branches.0.0.body.0", "branches.2.0"}),
    ],
)  # fmt: skip
def test_freezing_a_layer_a_branch_or_all(names: list[str], frozen: set[str], rng: np.random.Generator) -> None:
    model, shape = network("residual")
    model.freeze(*names)
    assert internals.frozen(model) == {f"1.{name}" for name in frozen}
    before = model.state_dict()
    model.fit(rng.normal(size=(20, *shape)), rng.normal(size=(20, 3)), batch_size=7, verbose=0)
    for name, values in model.state_dict().items():
        assert (values == before[name]).all() == (name.rpartition(".")[0] in internals.frozen(model))
    model.unfreeze(*names)
    assert internals.frozen(model) == set()
    with unchanged(model), pytest.raises(ValueError, match=r"unknown layer '1\.branches\.3'; use one of 0, 1, 1\.br"):
        model.freeze("1.branches.3")


def test_start_values_and_dropout_have_random_numbers_of_their_own() -> None:
    model, _ = network("inception")
    twin_state = reference.Network.from_config([layer.config() for layer in model.layers], seed=6).state_dict()
    assert_same_bits(model.state_dict(), twin_state)
    drop = nn.Branches([nn.Dropout(0.5), nn.Dropout(0.5)], [nn.Dropout(0.5)])
    ones = np.ones((40, 50))
    y = nn.Sequential(nn.Identity(), drop, seed=9, dtype="float64").forward(ones)
    masks = [reference.random.dropout_mask(ones.shape, 0.5, 9, (1 << 13) + i, 0) for i in range(3)]
    assert_same_bits(y, np.concatenate([masks[0] * masks[1], masks[2]], axis=1))


def test_two_that_are_added_are_a_residual(isa: str, dtype: str, rng: np.random.Generator) -> None:
    body: list[nn.Layer] = [nn.Linear(6, 9), nn.Dropout(0.3), nn.Linear(9, 4)]
    shortcut = [nn.Linear(6, 4)]
    X, y = rng.normal(size=(50, 6)), rng.normal(size=(50, 4))
    results: list[Any] = []
    for layer in (nn.Residual(*body, shortcut=shortcut), nn.Branches(body, shortcut, join="add")):
        model = nn.Sequential(layer, seed=8, dtype=dtype)
        model.compile(loss="mse", optimizer="adam")
        model.fit(X, y, epochs=2, batch_size=20, verbose=0)
        results.append((model.predict(X), list(model.state_dict().values())))
    assert_same_bits(results[0][0], results[1][0])
    for ours, theirs in zip(results[0][1], results[1][1], strict=True):
        assert_same_bits(ours, theirs)


@pytest.mark.parametrize("shape", [(7,), (3, 5), (3, 4, 5)])
def test_branches_that_do_nothing(shape: tuple[int, ...], isa: str, dtype: str, rng: np.random.Generator) -> None:
    x = rng.normal(size=(4, *shape)).astype(dtype)
    axis = 1 if len(shape) == 3 else -1
    added, beside = (nn.Sequential(nn.Branches([], [], [], join=join), dtype=dtype) for join in ("add", "concat"))
    assert_same_bits(added.predict(x), x + x + x)
    assert_same_bits(beside.predict(x), np.concatenate([x, x, x], axis=axis))
    assert_same_bits(beside.forward(x), beside.predict(x))
    assert_same_bits(beside.backward(beside.predict(x)), x + x + x)
    assert_same_bits(added.forward(x), added.predict(x))
    assert_same_bits(added.backward(x), x + x + x)


def test_the_summary_has_a_row_for_each_layer_within(capsys: pytest.CaptureFixture[str]) -> None:
    nn.Sequential(nn.Branches([nn.Residual(nn.Linear(4, 4))], [nn.Tanh()])).summary()
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [row[:2] for row in rows[1:-1]] == [
        ["0", "Branches"],
        ["0.branches.0.0", "Residual"],
        ["0.branches.0.0.body.0", "Linear"],
        ["0.branches.1.0", "Tanh"],
    ]
    assert rows[1][2:] == ["(n,", "8)", "20", "72", "80"]


CONV3, CONV5 = nn.Conv2d(1, 2, 3), nn.Conv2d(1, 2, 5)


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (nn.Branches([CONV3], [CONV5]), (1, 7, 7), r"layer 0: \[branches\] .*\b5\b.*\b3\b"),
        (nn.Branches([CONV3], [nn.Flatten()]), (1, 7, 7), r"layer 0: \[branches\] "),
        (nn.Branches([CONV3], [nn.Conv2d(1, 3, 3)], join="add"), (1, 7, 7), r"layer 0: \[branches\] .*\b2\b.*\b3\b"),
        (nn.Branches([nn.Linear(4, 2)], [nn.Linear(4, 3)], join="add"), (4,), r"layer 0: \[branches\] .*\b2\b.*\b3\b"),
        (nn.Branches([nn.Linear(4, 2)], [nn.Linear(5, 2)]), (4,), r"layer 0.branches.1.0: \[linear\] .*\b4\b.*\b5\b"),
    ],
)
def test_what_cannot_be_joined_is_refused(layer: nn.Layer, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        nn.Sequential(layer).predict(np.zeros((2, *shape)))
