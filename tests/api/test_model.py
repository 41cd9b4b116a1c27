"""Sequential and MLP: how they are built, described, copied and asked."""

from typing import Any

import numpy as np
import pytest

import nnext as nn
from support import assert_same_bits


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: nn.Sequential(), ValueError, r"\[Sequential\] there are no layers; give at least one"),
        (lambda: nn.Sequential([]), ValueError, r"\[Sequential\] there are no layers; give at least one"),
        (
            lambda: nn.Sequential(nn.ReLU(), 3.5),
            TypeError,
            r"\[Sequential\] layers\[1\] is 3.5; give one of tanh, .*Layer$",
        ),
        (
            lambda: nn.Sequential(nn.ReLU(), "rely"),
            ValueError,
            r"unknown layers\[1\] 'rely'; use one of .*did you mean relu\?",
        ),
        (
            lambda: nn.Sequential(nn.ReLU(), "linear"),
            ValueError,
            r"'linear'; give nn.Linear\(in_features, out_features\)",
        ),
        (
            lambda: nn.Sequential([nn.ReLU()], nn.ReLU()),
            TypeError,
            r"layers\[0\] is \[ReLU\(\)\]; unpack it, as in nn.Sequential",
        ),
        (
            lambda: nn.Sequential(nn.MLP([2, 1])),
            TypeError,
            r"layers\[0\] is Sequential\(Linear\(2, 1\)\); unpack its layers",
        ),
        (
            lambda: nn.Sequential(784, 10),
            TypeError,
            r"\[Sequential\] layers\[0\] is 784; give sizes to nn.MLP\(\[4, 8, 2\]\)",
        ),
        (
            lambda: nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(5, 2)),
            ValueError,
            r"layer 2: \[linear\] x has 4 features but the layer expects 5; change in_features",
        ),
        (
            lambda: nn.Sequential(nn.ReLU(), seed=-1),
            ValueError,
            r"\[Sequential\] seed is -1; give a whole number from 0",
        ),
        (lambda: nn.Sequential(nn.ReLU(), seed=2**64), ValueError, r"seed is 18446744073709551616; give a whole"),
        (lambda: nn.Sequential(nn.ReLU(), seed=1.5), TypeError, r"\[Sequential\] seed is 1.5; give a whole number"),
        (lambda: nn.Sequential(nn.ReLU(), dtype="float16"), ValueError, r"unknown dtype 'float16'; use one of float32"),
        (lambda: nn.Sequential(nn.ReLU(), dtype="real"), TypeError, r"\[Sequential\] dtype is 'real'; use \"float32\""),
        (lambda: nn.Linear(0, 2), ValueError, r"\[Linear\] in_features is 0; give a whole number from 1"),
        (lambda: nn.Linear(2, -1), ValueError, r"\[Linear\] out_features is -1; give a whole number from 1"),
        (lambda: nn.Linear(2.0, 1), TypeError, r"\[Linear\] in_features is 2.0; give a whole number"),
        (lambda: nn.Linear(2, True), TypeError, r"\[Linear\] out_features is True; give a whole number"),
        (lambda: nn.Linear(2, 2**31), ValueError, r"\[Linear\] out_features is 2147483648; give a whole number"),
        (
            lambda: nn.Linear(2, 2, weight_init="he"),
            ValueError,
            r"\[Linear\] unknown weight_init 'he'; use one of zeros",
        ),
        (lambda: nn.Linear(2, 2, weight_init=3), TypeError, r"\[Linear\] weight_init is 3; give one of zeros"),
        (
            lambda: nn.Linear(2, 2, bias_init="orthogonal"),
            ValueError,
            r"\[Linear\] bias_init is 'orthogonal', which is",
        ),
        (lambda: nn.Dropout(1.0), ValueError, r"\[Dropout\] p is 1.0; give a finite number in \[0, 1\)"),
        (lambda: nn.Dropout("half"), TypeError, r"\[Dropout\] p is 'half'; give a number"),
        (lambda: nn.LeakyReLU(np.ones(2)), TypeError, r"\[LeakyReLU\] negative_slope is array.*; give a number"),
        (lambda: nn.MLP([4]), ValueError, r"\[MLP\] sizes is \[4\]; give at least features and outputs"),
        (lambda: nn.MLP(4), TypeError, r"\[MLP\] sizes is 4; give all sizes in one list"),
        (lambda: nn.MLP([4, 0, 2]), ValueError, r"\[Linear\] out_features is 0; give a whole number from 1"),
        (lambda: nn.MLP([4, 2], activation="gelu2"), ValueError, r"\[MLP\] unknown activation 'gelu2'; use one of"),
        (lambda: nn.MLP([4, 2], dropout=False), TypeError, r"\[MLP\] dropout is False; give a number"),
        (lambda: nn.MLP([4, 2], dropout=None), TypeError, r"\[MLP\] dropout is None; give a number"),
        (lambda: nn.MLP([4, 2], "relu", 0.1, True), TypeError, r"\[MLP\] takes sizes, activation, dropout by position"),
        (lambda: nn.MLP(2, 4, 2), TypeError, r"sizes is 2; give all sizes in one list, .*as in nn.MLP\(\[4, 8, 2\]\)"),
        (lambda: nn.MLP([4, 2], batch_norm=1), TypeError, r"\[MLP\] batch_norm is 1; give True or False"),
        (lambda: nn.GELU("erf"), ValueError, r"\[GELU\] unknown approximate 'erf'; use one of none, tanh"),
        (lambda: nn.BatchNorm1d(0), ValueError, r"\[BatchNorm1d\] num_features is 0; give a whole number from 1"),
        (lambda: nn.BatchNorm1d(2, eps=0), ValueError, r"\[BatchNorm1d\] eps is 0; give a finite number in \(0, inf"),
        (lambda: nn.BatchNorm1d(2, momentum=1.5), ValueError, r"\[BatchNorm1d\] momentum is 1.5; give .* in \[0, 1\]"),
        (lambda: nn.BatchNorm1d(2, affine=None), TypeError, r"\[BatchNorm1d\] affine is None; give True or False"),
        (
            lambda: nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(5)),
            ValueError,
            r"layer 1: \[batch_norm\] x has 4 features but the layer expects 5; change num_features",
        ),
        (lambda: nn.Residual(), ValueError, r"\[Residual\] there are no layers; give at least one, for example"),
        (lambda: nn.Residual(3), TypeError, r"\[Residual\] body\[0\] is 3; give one of"),
        (lambda: nn.Residual(nn.ReLU(), shortcut=3), TypeError, r"\[Residual\] shortcut is 3; give one of"),
        (
            lambda: nn.Sequential(nn.Linear(3, 4), nn.Residual(nn.Linear(4, 2))),
            ValueError,
            r"layer 1: \[residual\] one branch gives \(2,\) a sample but another \(4,\); give all the same, for "
            r"example with Linear\(4, 2\) at the end of that one",
        ),
        (
            lambda: nn.Sequential(nn.Residual(nn.ReLU(), nn.Residual(nn.Linear(4, 4), nn.Linear(5, 4)))),
            ValueError,
            r"layer 0.body.1.body.1: \[linear\] x has 4 features but the layer expects 5",
        ),
        (
            lambda: nn.initializers.uniform(1, 1),
            ValueError,
            r"\[uniform\] high is 1.0; give a finite .* in \(1, inf",
        ),
        (lambda: nn.initializers.normal(std=-1), ValueError, r"\[normal\] std is -1; give a finite number in \[0, inf"),
    ],
)
def test_what_cannot_be_built_is_named(build: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        build()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.SGD(lr=-1), r"\[SGD\] lr is -1; give a finite number in \[0, inf\]"),
        (lambda: nn.SGD(lr=np.inf), r"\[SGD\] lr is inf; give a finite number"),
        (lambda: nn.SGD(momentum=-0.1), r"\[SGD\] momentum is -0.1; give a finite number"),
        (lambda: nn.SGD(nesterov=True), r"\[SGD\] nesterov needs momentum, which is 0; give momentum > 0"),
        (lambda: nn.Adam(betas=(0.9, 1.0)), r"\[Adam\] betas\[1\] is 1.0; give a finite number in \[0, 1\)"),
        (lambda: nn.Adam(eps=0), r"\[Adam\] eps is 0; give a finite number in \(0, inf\]"),
        (lambda: nn.Adam(weight_decay=np.nan), r"\[Adam\] weight_decay is nan; give a finite number"),
        (lambda: nn.NAdam(betas=(1.0, 0.9)), r"\[NAdam\] betas\[0\] is 1.0; give a finite number in \[0, 1\)"),
        (lambda: nn.NAdam(eps=0), r"\[NAdam\] eps is 0; give a finite number in \(0, inf\]"),
        (lambda: nn.NAdam(momentum_decay=-1), r"\[NAdam\] momentum_decay is -1; give a finite number"),
        (lambda: nn.Adagrad(lr_decay=-1), r"\[Adagrad\] lr_decay is -1; give a finite number"),
        (lambda: nn.Adagrad(initial_accumulator_value=-1), r"\[Adagrad\] initial_accumulator_value is -1; give"),
    ],
)
def test_optimizers_check_their_settings(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_a_rate_is_checked_when_it_is_changed() -> None:
    optimizer = nn.Adam(lr=0.5)
    with pytest.raises(TypeError, match=r"\[Adam\] lr is 'fast'; give a number"):
        optimizer.lr = "fast"  # type: ignore[assignment]
    with pytest.raises(TypeError, match=r"\[Adam\] betas is 3; give two numbers"):
        nn.Adam(betas=3)  # type: ignore[arg-type]
    assert optimizer.lr == 0.5


# ---- Description ----------------------------------------------------------------------------------------------------


def test_repr_says_how_to_build_it_again() -> None:
    for model in (
        nn.Sequential(
            nn.Linear(3, 2, weight_init="zeros"), nn.LeakyReLU(0.5), nn.Dropout(0.25), seed=7, dtype="float64"
        ),
        nn.Sequential(nn.Flatten(), nn.Linear(3, 2, bias=False), nn.Softmax()),
    ):
        again = eval(repr(model), vars(nn.initializers) | vars(nn))  # our own text
        assert repr(again) == repr(model)
        assert_same_bits(again.state_dict(), model.state_dict())
    assert repr(nn.SGD(lr=0.1)) == "SGD(lr=0.1)"


def test_summary_and_count(capsys: pytest.CaptureFixture[str]) -> None:
    model = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 10, bias=False))
    model.freeze("0")
    model.summary()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines] == [
        ["layer", "output", "params", "FLOPs", "bytes"],
        ["0", "Linear", "(frozen)", "(n,", "128)", "100,480", "200,832", "512"],
        ["1", "ReLU", "(n,", "128)", "0", "1,024", "512"],
        ["2", "Dropout", "(n,", "128)", "0", "0", "0"],
        ["3", "Linear", "(n,", "10)", "1,280", "2,560", "40"],
        ["total", "101,760", "204,416", "1,064"],
    ]
    assert len({len(line) for line in lines}) == 1
    assert model.count_params() == 101_760
    assert nn.Sequential(nn.ReLU()).count_params() == 0
    nn.Sequential(nn.ReLU()).summary()
    assert "(n, ?)" in capsys.readouterr().out
    nn.Sequential(nn.Residual(nn.Linear(4, 3), nn.BatchNorm1d(3), shortcut=nn.Linear(4, 3, bias=False))).summary()
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["layer", "output", "params", "FLOPs", "bytes"],
        ["0", "Residual", "(n,", "3)", "33", "66", "48"],
        ["0.body.0", "Linear", "(n,", "3)", "15", "27", "12"],
        ["0.body.1", "BatchNorm1d", "(n,", "3)", "6", "12", "12"],
        ["0.shortcut.0", "Linear", "(n,", "3)", "12", "24", "12"],
        ["total", "33", "66", "48"],
    ]
    assert model.in_features == 784
    assert nn.Sequential(nn.Flatten(), nn.Tanh()).in_features is None


def test_mlp_is_the_sequential_it_stands_for() -> None:
    mlp = nn.MLP([5, 4, 3, 2], activation="tanh", dropout=0.1, seed=9, dtype="float64")
    layers = (nn.Linear(5, 4), nn.Tanh(), nn.Dropout(0.1), nn.Linear(4, 3), nn.Tanh(), nn.Dropout(0.1), nn.Linear(3, 2))
    assert mlp.layers == layers
    assert_same_bits(mlp.state_dict(), nn.Sequential(*layers, seed=9, dtype="float64").state_dict())
    assert nn.MLP((5, 2)).layers == nn.MLP((5, 2), batch_norm=True).layers == (nn.Linear(5, 2),)
    layers = (nn.Linear(5, 4), nn.BatchNorm1d(4), nn.GELU(), nn.Dropout(0.1), nn.Linear(4, 2))
    assert nn.MLP([5, 4, 2], activation="gelu", dropout=0.1, batch_norm=True).layers == layers
    assert nn.MLP(np.array([5, 4, 2])).layers[1:2] == (nn.ReLU(),)
    assert nn.MLP([5, 4, 2], activation=nn.LeakyReLU(0.3)).layers[1] == nn.LeakyReLU(0.3)
