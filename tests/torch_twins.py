"""PyTorch's modules for nnext's layers, with the same names of parameters and buffers."""

import warnings
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest

import nnext as nn
from loss_cases import LossCase
from nnext import reference

torch: Any = pytest.importorskip("torch", reason="PyTorch is not installed; .ci/run installs it for these tests")
torch.set_num_threads(1)  # its pool would fight with nnext's team for the CPUs


class Residual(torch.nn.Module):  # type: ignore[misc]
    """As nnext's; a branch without layers gives x itself."""

    def __init__(self, body: Any, shortcut: Any) -> None:
        super().__init__()
        self.body, self.shortcut = body, shortcut

    def forward(self, x: Any) -> Any:
        return self.body(x) + self.shortcut(x)


class Branches(torch.nn.Module):  # type: ignore[misc]
    """As nnext's."""

    def __init__(self, branches: Sequence[Any], join: str) -> None:
        super().__init__()
        self.branches, self.join = torch.nn.ModuleList(branches), join

    def forward(self, x: Any) -> Any:
        outputs = [branch(x) for branch in self.branches]
        return sum(outputs[1:], start=outputs[0]) if self.join == "add" else torch.cat(outputs, dim=channels(x))


class _Quiet:
    def forward(self, x: Any) -> Any:
        with warnings.catch_warnings():  # of a copy of x for padding that is not even
            warnings.simplefilter("ignore", UserWarning)
            return super().forward(x)  # type: ignore[misc]


class Conv1d(_Quiet, torch.nn.Conv1d):  # type: ignore[misc]
    pass


class Conv2d(_Quiet, torch.nn.Conv2d):  # type: ignore[misc]
    pass


class Softmax(torch.nn.Module):  # type: ignore[misc]
    """Over features, those of each step, or channels."""

    def forward(self, x: Any) -> Any:
        return torch.softmax(x, dim=channels(x))


class LogSoftmax(torch.nn.Module):  # type: ignore[misc]
    def forward(self, x: Any) -> Any:
        return torch.log_softmax(x, dim=channels(x))


class PReLU(torch.nn.PReLU):  # type: ignore[misc]
    """With weights of the features of each step, too: PyTorch's are those of the second axis."""

    def forward(self, x: Any) -> Any:
        return super().forward(x.movedim(channels(x), 1)).movedim(1, channels(x))


class Reshape(torch.nn.Module):  # type: ignore[misc]
    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, x: Any) -> Any:
        return x.reshape(len(x), *self.shape)


class GlobalAvgPool(torch.nn.Module):  # type: ignore[misc]
    def forward(self, x: Any) -> Any:
        return x.flatten(2).mean(dim=2)


class GlobalMaxPool(torch.nn.Module):  # type: ignore[misc]
    def forward(self, x: Any) -> Any:
        return x.max(dim=2).values


class AttentionPooling(torch.nn.Module):  # type: ignore[misc]
    """Of sequences (n, T, F), with the formula of its paper, as PyTorch has none."""

    def __init__(self, in_features: int, attention_size: int) -> None:
        super().__init__()
        for name, shape in (("weight", (attention_size, in_features)), ("bias", (attention_size,))):
            self.register_parameter(name, torch.nn.Parameter(torch.zeros(shape)))
        self.context = torch.nn.Parameter(torch.zeros(attention_size))

    def forward(self, x: Any) -> Any:
        u = torch.tanh(torch.nn.functional.linear(x, self.weight, self.bias))
        return (torch.softmax(u @ self.context, dim=1)[..., None] * x).sum(dim=1)


class _Recurrent:
    """Before one of PyTorch's: what each direction gives after the step that it reads last, or at each step."""

    def __init__(self, return_sequences: bool, **settings: Any) -> None:
        super().__init__(batch_first=True, **settings)
        self.return_sequences = return_sequences

    def forward(self, x: Any) -> Any:
        y, _ = super().forward(x)  # type: ignore[misc]
        size = self.hidden_size  # type: ignore[attr-defined]
        return y if self.return_sequences else torch.cat([y[:, -1, :size], y[:, 0, size:]], dim=1)


RECURRENT = {
    kind.__name__: type(kind.__name__, (_Recurrent, getattr(torch.nn, kind.__name__)), {})
    for kind in (nn.RNN, nn.GRU, nn.LSTM)
}


class Embedding(torch.nn.Embedding):  # type: ignore[misc]
    """Of whole numbers in any dtype."""

    def forward(self, x: Any) -> Any:
        return super().forward(x.long())


def channels(x: Any) -> int:
    """Return the axis of channels, or of features."""
    return 1 if x.ndim == 4 else -1


MADE_HERE = {
    "AttentionPooling": AttentionPooling,
    "Conv1d": Conv1d,
    "Conv2d": Conv2d,
    "Embedding": Embedding,
    "GlobalAvgPool1d": GlobalAvgPool,
    "GlobalAvgPool2d": GlobalAvgPool,
    "GlobalMaxPool1d": GlobalMaxPool,
    "LogSoftmax": LogSoftmax,
    "Softmax": Softmax,
    **RECURRENT,
}


def module(layer: nn.Layer, steps: bool) -> Any:
    """Return PyTorch's module; most have the same name and settings."""
    match layer:
        case nn.Residual():
            return Residual(sequential(layer.body, steps), sequential(layer.shortcut, steps))
        case nn.Branches():
            return Branches([sequential(branch, steps) for branch in layer.branches], layer.join)
        case nn.Linear():
            return torch.nn.Linear(layer.in_features, layer.out_features, layer.bias)
        case nn.GaussianNoise():  # PyTorch has none: in evaluation it is this
            return torch.nn.Identity()
        case nn.Reshape():
            return Reshape(layer.shape)
        case nn.PReLU():
            return PReLU(layer.num_parameters, layer.init)
    settings = {name: value for name, value in vars(layer).items() if not name.endswith("_init")}
    settings.pop("forget_bias", None)  # PyTorch starts without
    name = type(layer).__name__
    made = MADE_HERE.get(name) or getattr(torch.nn, name)
    if isinstance(layer, nn.AttentionPooling):
        return turning(made(**settings), not steps)
    return turning(made(**settings), steps and name.endswith("1d") and not isinstance(layer, nn.BatchNorm1d))


def turning(made: Any, turns: bool) -> Any:
    """Let a module that takes signals (n, C, L) take and give sequences (n, T, F), or the reverse."""
    if turns:
        made.register_forward_pre_hook(lambda _, inputs: (inputs[0].movedim(-1, 1),))
        made.register_forward_hook(lambda _, inputs, y: y.movedim(1, -1) if y.ndim == 3 else y)
    return made


def sequential(layers: Sequence[nn.Layer], steps: bool | None = None) -> Any:
    """Return the modules in a row. `steps`: is x (n, T, F), not (n, C, L)? None: what comes first says so."""
    if steps is None:
        network = reference.Network.from_config([layer.config() for layer in layers])
        steps = reference.Chain(network.layers, []).image_axes() != 1
    return torch.nn.Sequential(*(module(layer, steps) for layer in layers))


def load(made: Any, state: dict[str, np.ndarray]) -> None:
    """Give a module the numbers of a state."""
    made.load_state_dict({name: torch.from_numpy(values) for name, values in state.items()})


def twin(model: nn.Sequential) -> Any:
    """Return the same network, with the numbers of the model, in training mode and float64."""
    made = sequential(model.layers).double()
    load(made, model.state_dict())
    return made


def loss(case: LossCase, output: Any, y: np.ndarray, weight: np.ndarray | None = None) -> Any:
    """PyTorch's mean loss; after Softmax it has none, so the definition stands in."""
    f, target = torch.nn.functional, torch.from_numpy(y)
    rule = case.torch
    if isinstance(rule, str):
        settings = dict(case.arguments)
        if "pos_weight" in settings:
            settings["pos_weight"] = torch.as_tensor(settings["pos_weight"])
        rule = partial(getattr(f, rule), reduction="none", **settings)
    if case.is_mean:
        rows = rule(output, target.double()).mean(dim=1)
    else:
        rows = rule(torch.log(output) if isinstance(case.last_layer, nn.Softmax) else output, target)
    scale = torch.ones(len(rows), dtype=torch.float64) if weight is None else torch.from_numpy(weight)
    return (rows * scale).sum() / scale.sum()
