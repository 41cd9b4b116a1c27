"""PyTorch's modules for nnext's layers, with the same names of parameters and buffers."""

import warnings
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest

import nnext as nn
from loss_cases import LossCase

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


class Conv2d(torch.nn.Conv2d):  # type: ignore[misc]
    def forward(self, x: Any) -> Any:
        with warnings.catch_warnings():  # of a copy of x for padding that is not even
            warnings.simplefilter("ignore", UserWarning)
            return super().forward(x)


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


class GlobalAvgPool2d(torch.nn.Module):  # type: ignore[misc]
    def forward(self, x: Any) -> Any:
        return x.mean(dim=(2, 3))


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
    kind: type(kind.__name__, (_Recurrent, getattr(torch.nn, kind.__name__)), {}) for kind in (nn.RNN, nn.GRU, nn.LSTM)
}


class Embedding(torch.nn.Embedding):  # type: ignore[misc]
    """Of whole numbers in any dtype."""

    def forward(self, x: Any) -> Any:
        return super().forward(x.long())


def channels(x: Any) -> int:
    """Return the axis of channels, or of features."""
    return 1 if x.ndim == 4 else -1


def module(layer: nn.Layer) -> Any:
    """Return PyTorch's module; most have the same name and settings."""
    match layer:
        case nn.Residual():
            return Residual(sequential(layer.body), sequential(layer.shortcut))
        case nn.Branches():
            return Branches([sequential(branch) for branch in layer.branches], layer.join)
        case nn.Linear():
            return torch.nn.Linear(layer.in_features, layer.out_features, layer.bias)
        case nn.Softmax():
            return Softmax()
        case nn.LogSoftmax():
            return LogSoftmax()
        case nn.Reshape():
            return Reshape(layer.shape)
        case nn.PReLU():
            return PReLU(layer.num_parameters, layer.init)
        case nn.GaussianNoise():  # PyTorch has none: in evaluation it is this
            return torch.nn.Identity()
        case nn.GlobalAvgPool2d():
            return GlobalAvgPool2d()
    settings = {name: value for name, value in vars(layer).items() if not name.endswith("_init")}
    settings.pop("forget_bias", None)  # PyTorch starts without
    ours = {nn.Conv2d: Conv2d, nn.Embedding: Embedding, **RECURRENT}
    return (ours.get(type(layer)) or getattr(torch.nn, type(layer).__name__))(**settings)


def sequential(layers: Sequence[nn.Layer]) -> Any:
    return torch.nn.Sequential(*map(module, layers))


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
