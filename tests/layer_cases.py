"""The table of layers that the tests go through: each type of layer has a row here (tests/layers checks that)."""

from dataclasses import dataclass, field
from itertools import pairwise
from math import prod

import numpy as np

import nnext as nn

Shape = tuple[int, ...]  # of a sample, as users see it: (F,), (T, F), (C, L) or (C, H, W)


@dataclass(frozen=True)
class LayerCase:
    """A layer, the shape of a sample that it takes, that of what it gives (None: the same), and its arrays."""

    layer: nn.Layer
    shape: Shape = (5,)
    gives: Shape | None = None
    tensors: dict[str, Shape] = field(default_factory=dict)
    signal: bool = False  # two axes of a sample are (C, L), not (T, F)
    below: int | None = None  # x has whole numbers from 0 that are below this

    @property
    def output(self) -> Shape:
        return self.shape if self.gives is None else self.gives

    def suitable(self, x: np.ndarray) -> np.ndarray:
        """Return x, or whole numbers made of it, for the layer or what comes before it."""
        return x if self.below is None else np.floor(np.abs(x) * self.below) % self.below

    def before(self) -> tuple[nn.Layer, Shape]:
        """Return a layer that can come before, with parameters if it may change x, and the shape of a sample for it."""
        if self.below is not None:
            return nn.Identity(), self.shape
        if len(self.shape) == 3:
            channels, *size = self.shape
            return nn.Conv2d(2, channels, 1, bias=False), (2, *size)
        if self.signal:  # the pool changes nothing, but says that it is one
            return nn.Residual(nn.MaxPool1d(1), nn.LayerNorm(self.shape[1])), self.shape
        *steps, features = self.shape
        return nn.Linear(4, features, bias=False), (*steps, 4)  # a bias has no gradient before a normalization

    def head(self, outputs: int) -> list[nn.Layer]:
        """Return layers that can come after and give so many outputs."""
        flat = [nn.Flatten()] if len(self.output) > 1 else []
        return [*flat, nn.Linear(prod(self.output), outputs)]


def _normalizer(affine: bool = True, prefix: str = "", n: int = 5) -> dict[str, tuple[int, ...]]:
    names = [*(["weight", "bias"] if affine else []), "running_mean", "running_var"]
    return {f"{prefix}{name}": (n,) for name in names} | {f"{prefix}num_batches_tracked": ()}


def _weighted(*shape: int, bias: bool = True, prefix: str = "") -> dict[str, Shape]:
    return {f"{prefix}weight": shape} | ({f"{prefix}bias": shape[:1]} if bias else {})


def _recurrent(gates: int, *sizes: int, bias: bool = True, ways: tuple[str, ...] = ("",)) -> dict[str, Shape]:
    """Return the arrays of levels, each of which reads the features of the size before its own."""
    return {
        f"{name}_l{k}{way}": shape
        for k, (features, h) in enumerate(pairwise(sizes))
        for way in ways
        for name, shape in (
            ("weight_ih", (gates * h, features if k == 0 else features * len(ways))),
            ("weight_hh", (gates * h, h)),
            *((("bias_ih", (gates * h,)), ("bias_hh", (gates * h,))) if bias else ()),
        )
    }


_BOTH_WAYS = ("", "_reverse")

_NESTED = nn.Residual(
    nn.Linear(5, 4, bias=False), nn.BatchNorm1d(4), nn.Residual(nn.GELU(), nn.Linear(4, 4, bias=False)), nn.Linear(4, 5)
)

LAYERS = {
    "linear": LayerCase(nn.Linear(5, 3), (5,), (3,), _weighted(3, 5)),
    "linear_without_bias": LayerCase(nn.Linear(5, 3, bias=False), (5,), (3,), _weighted(3, 5, bias=False)),
    "identity": LayerCase(nn.Identity()),
    "relu": LayerCase(nn.ReLU()),
    "leaky_relu": LayerCase(nn.LeakyReLU(0.2)),
    "hardtanh": LayerCase(nn.Hardtanh(-0.5, 2)),
    "hardswish": LayerCase(nn.Hardswish()),
    "tanh": LayerCase(nn.Tanh()),
    "sigmoid": LayerCase(nn.Sigmoid()),
    "softsign": LayerCase(nn.Softsign()),
    "elu": LayerCase(nn.ELU()),
    "elu_steep": LayerCase(nn.ELU(1.5)),
    "selu": LayerCase(nn.SELU()),
    "softplus": LayerCase(nn.Softplus(beta=2)),
    "silu": LayerCase(nn.SiLU()),
    "mish": LayerCase(nn.Mish()),
    "gelu": LayerCase(nn.GELU()),
    "gelu_tanh": LayerCase(nn.GELU(approximate="tanh")),
    "softmax": LayerCase(nn.Softmax()),
    "dropout": LayerCase(nn.Dropout(0.3)),
    "flatten": LayerCase(nn.Flatten()),
    "batch_norm": LayerCase(nn.BatchNorm1d(5), tensors=_normalizer()),
    "batch_norm_not_affine": LayerCase(nn.BatchNorm1d(5, affine=False, eps=0.1), tensors=_normalizer(affine=False)),
    "batch_norm_cumulative": LayerCase(nn.BatchNorm1d(5, momentum=None), tensors=_normalizer()),
    "residual": LayerCase(
        nn.Residual(nn.Linear(5, 5), nn.Tanh()),
        tensors=_weighted(5, 5, prefix="body.0."),
    ),
    "residual_projection": LayerCase(
        nn.Residual(nn.Sigmoid(), nn.Linear(5, 3), shortcut=nn.Linear(5, 3, bias=False)),
        gives=(3,),
        tensors={"body.1.weight": (3, 5), "body.1.bias": (3,), "shortcut.0.weight": (3, 5)},
    ),
    "residual_nested": LayerCase(
        _NESTED,
        tensors={
            "body.0.weight": (4, 5),
            **_normalizer(prefix="body.1.", n=4),
            "body.2.body.1.weight": (4, 4),
            "body.3.weight": (5, 4),
            "body.3.bias": (5,),
        },
    ),
    "residual_dropout": LayerCase(nn.Residual(nn.Dropout(0.3), nn.Residual(nn.Dropout(0.4)))),
    "branches": LayerCase(
        nn.Branches([nn.Linear(5, 3)], [], [nn.Tanh()]), gives=(13,), tensors=_weighted(3, 5, prefix="branches.0.0.")
    ),
    "branches_add": LayerCase(
        nn.Branches([], [nn.Linear(5, 5, bias=False)], [nn.Sigmoid()], join="add"),
        tensors=_weighted(5, 5, bias=False, prefix="branches.1.0."),
    ),
    "branches_nested": LayerCase(
        nn.Branches([nn.Residual(nn.Branches([nn.Linear(5, 2)], [nn.Linear(5, 3)]))], [nn.BatchNorm1d(5), nn.GELU()]),
        gives=(10,),
        tensors={
            **_weighted(2, 5, prefix="branches.0.0.body.0.branches.0.0."),
            **_weighted(3, 5, prefix="branches.0.0.body.0.branches.1.0."),
            **_normalizer(prefix="branches.1.0."),
        },
    ),
    "branches_dropout": LayerCase(nn.Branches([nn.Dropout(0.3)], [nn.Dropout(0.4)]), gives=(10,)),
    "layer_norm": LayerCase(nn.LayerNorm(5), tensors={"weight": (5,), "bias": (5,)}),
    "rms_norm": LayerCase(nn.RMSNorm(5), tensors={"weight": (5,)}),
    "rms_norm_not_affine": LayerCase(nn.RMSNorm(5, 0.1, elementwise_affine=False)),
    "prelu": LayerCase(nn.PReLU(), tensors={"weight": (1,)}),
    "prelu_features": LayerCase(nn.PReLU(5, init=-0.7), tensors={"weight": (5,)}),
    "log_softmax": LayerCase(nn.LogSoftmax()),
    "alpha_dropout": LayerCase(nn.AlphaDropout(0.3)),
    "gaussian_noise": LayerCase(nn.GaussianNoise(0.3)),
    "reshape": LayerCase(nn.Reshape(-1), (4, 3), (12,)),
    "reshape_to_steps": LayerCase(nn.Reshape(3, -1), (12,), (3, 4)),
    "reshape_to_images": LayerCase(nn.Reshape(2, 3, 4), (24,), (2, 3, 4)),
}

# Of sequences: all of these act on the features of each step but the last, which takes all together.
LAYERS |= {
    "linear_steps": LayerCase(nn.Linear(5, 3), (4, 5), (4, 3), _weighted(3, 5)),
    "relu_steps": LayerCase(nn.ReLU(), (4, 5)),
    "softmax_steps": LayerCase(nn.Softmax(), (4, 5)),
    "dropout_steps": LayerCase(nn.Dropout(0.3), (4, 5)),
    "residual_steps": LayerCase(
        nn.Residual(nn.Linear(5, 5, bias=False), nn.Tanh()), (4, 5), tensors={"body.0.weight": (5, 5)}
    ),
    "branches_steps": LayerCase(nn.Branches([nn.Sigmoid()], []), (4, 5), (4, 10)),
    "layer_norm_steps": LayerCase(nn.LayerNorm(5, bias=False), (4, 5), tensors={"weight": (5,)}),
    "flatten_steps": LayerCase(nn.Flatten(), (4, 5), (20,)),
    "rms_norm_steps": LayerCase(nn.RMSNorm(5, 1e-3), (4, 5), tensors={"weight": (5,)}),
    "prelu_steps": LayerCase(nn.PReLU(5), (4, 5), tensors={"weight": (5,)}),
    "log_softmax_steps": LayerCase(nn.LogSoftmax(), (4, 5)),
    "gaussian_noise_steps": LayerCase(nn.GaussianNoise(2), (4, 5)),
    "attention_pooling": LayerCase(
        nn.AttentionPooling(5, 3), (4, 5), (5,), {"weight": (3, 5), "bias": (3,), "context": (3,)}
    ),
    "layer_norm_sequence": LayerCase(nn.LayerNorm((4, 5)), (4, 5), tensors={"weight": (4, 5), "bias": (4, 5)}),
}

# Of sequences, whose steps are read one after the other. Of three levels and more the bounds of rounding say little.
LAYERS |= {
    "rnn": LayerCase(nn.RNN(5, 3), (4, 5), (3,), _recurrent(1, 5, 3)),
    "rnn_relu": LayerCase(
        nn.RNN(5, 3, nonlinearity="relu", return_sequences=True), (4, 5), (4, 3), _recurrent(1, 5, 3)
    ),
    "rnn_stacked": LayerCase(nn.RNN(5, 2, 3), (3, 5), (2,), _recurrent(1, 5, 2, 2, 2)),
    "rnn_bidirectional": LayerCase(
        nn.RNN(5, 2, 2, bidirectional=True), (3, 5), (4,), _recurrent(1, 5, 2, 2, ways=_BOTH_WAYS)
    ),
    "rnn_dropout": LayerCase(
        nn.RNN(5, 2, 3, dropout=0.3, bidirectional=True, return_sequences=True), (3, 5), (3, 4),
        _recurrent(1, 5, 2, 2, 2, ways=_BOTH_WAYS),
    ),
    "gru": LayerCase(nn.GRU(5, 3), (4, 5), (3,), _recurrent(3, 5, 3)),
    "gru_without_bias": LayerCase(
        nn.GRU(5, 3, bias=False, return_sequences=True), (4, 5), (4, 3), _recurrent(3, 5, 3, bias=False)
    ),
    "gru_bidirectional": LayerCase(
        nn.GRU(5, 2, bidirectional=True), (4, 5), (4,), _recurrent(3, 5, 2, ways=_BOTH_WAYS)
    ),
    "gru_dropout": LayerCase(nn.GRU(5, 2, 2, dropout=0.3), (3, 5), (2,), _recurrent(3, 5, 2, 2)),
    "lstm": LayerCase(nn.LSTM(5, 3), (4, 5), (3,), _recurrent(4, 5, 3)),
    "lstm_stacked": LayerCase(nn.LSTM(5, 2, 2, forget_bias=0.5), (4, 5), (2,), _recurrent(4, 5, 2, 2)),
    "lstm_bidirectional": LayerCase(
        nn.LSTM(5, 2, 2, bidirectional=True, return_sequences=True), (3, 5), (3, 4),
        _recurrent(4, 5, 2, 2, ways=_BOTH_WAYS),
    ),
    "lstm_dropout": LayerCase(nn.LSTM(5, 2, 2, dropout=0.3), (3, 5), (2,), _recurrent(4, 5, 2, 2)),
    "embedding": LayerCase(nn.Embedding(7, 3), (4,), (4, 3), {"weight": (7, 3)}, below=7),
    # its vector has no gradient, whatever a difference says: x has none of it
    "embedding_padding": LayerCase(nn.Embedding(7, 3, padding_idx=6), (4,), (4, 3), {"weight": (7, 3)}, below=6),
}  # fmt: skip

# Of signals.
LAYERS |= {
    "conv_signals": LayerCase(nn.Conv1d(2, 3, 3), (2, 5), (3, 3), _weighted(3, 2, 3), signal=True),
    "conv_signals_stride_padding": LayerCase(
        nn.Conv1d(2, 3, 3, stride=2, padding=2, bias=False), (2, 6), (3, 4), _weighted(3, 2, 3, bias=False), signal=True
    ),
    "conv_signals_dilation_groups": LayerCase(
        nn.Conv1d(4, 6, 2, padding=1, dilation=3, groups=2), (4, 5), (6, 4), _weighted(6, 2, 2), signal=True
    ),
    "conv_signals_same": LayerCase(
        nn.Conv1d(2, 2, 4, padding="same", dilation=2), (2, 5), None, _weighted(2, 2, 4), signal=True
    ),
    "conv_signals_whole": LayerCase(nn.Conv1d(2, 3, 4), (2, 4), (3, 1), _weighted(3, 2, 4), signal=True),
    "max_pool_signals": LayerCase(nn.MaxPool1d(2), (2, 7), (2, 3), signal=True),
    "max_pool_signals_overlapping": LayerCase(nn.MaxPool1d(3, 2, 1), (3, 8), (3, 4), signal=True),
    "max_pool_signals_gaps": LayerCase(nn.MaxPool1d(2, stride=3, padding=1), (2, 9), (2, 4), signal=True),
    "avg_pool_signals": LayerCase(nn.AvgPool1d(2), (2, 7), (2, 3), signal=True),
    "avg_pool_signals_overlapping": LayerCase(nn.AvgPool1d(3, 2, 1), (3, 8), (3, 4), signal=True),
    "avg_pool_signals_inside": LayerCase(nn.AvgPool1d(4, 1, 2, count_include_pad=False), (2, 3), (2, 4), signal=True),
    "global_avg_pool_signals": LayerCase(nn.GlobalAvgPool1d(), (3, 5), (3,), signal=True),
    "global_max_pool_signals": LayerCase(nn.GlobalMaxPool1d(), (3, 5), (3,), signal=True),
}

_ATTENDED = {"weight": (2, 3), "bias": (2,), "context": (2,)}
LAYERS |= {
    "attention_pooling_signals": LayerCase(
        nn.Branches([nn.MaxPool1d(1), nn.AttentionPooling(3, 2)], [nn.GlobalAvgPool1d()]),
        (3, 5),
        (6,),
        {f"branches.0.1.{name}": shape for name, shape in _ATTENDED.items()},
        signal=True,
    ),
}

# Of sequences, which layers over one axis take after one that says that features are last.
LAYERS |= {
    "conv_steps": LayerCase(
        nn.Residual(nn.Linear(5, 4, bias=False), nn.Conv1d(4, 5, 3, padding="same")), (4, 5), None,
        {"body.0.weight": (4, 5), **_weighted(5, 4, 3, prefix="body.1.")},
    ),
    "conv_steps_stride_groups_dilation": LayerCase(
        nn.Branches(
            [nn.Linear(5, 4, bias=False), nn.Conv1d(4, 6, 3, 2, 1, groups=2, bias=False)],
            [nn.LayerNorm(5, bias=False), nn.Conv1d(5, 2, 3, 2, 2, dilation=2)],
        ), (7, 5), (4, 8),
        {
            "branches.0.0.weight": (4, 5),
            **_weighted(6, 2, 3, bias=False, prefix="branches.0.1."),
            "branches.1.0.weight": (5,),
            **_weighted(2, 5, 3, prefix="branches.1.1."),
        },
    ),
    "pool_steps": LayerCase(
        nn.Branches(
            [nn.Linear(5, 3, bias=False), nn.MaxPool1d(3, 2, 1)], [nn.LayerNorm(5, bias=False), nn.AvgPool1d(3, 2, 1)]
        ), (6, 5), (3, 8), {"branches.0.0.weight": (3, 5), "branches.1.0.weight": (5,)},
    ),
    "global_pool_steps": LayerCase(
        nn.Branches([nn.Linear(5, 3, bias=False), nn.GlobalMaxPool1d()], [nn.PReLU(5), nn.GlobalAvgPool1d()]),
        (4, 5), (8,), {"branches.0.0.weight": (3, 5), "branches.1.0.weight": (5,)},
    ),
}  # fmt: skip

# Of images.
LAYERS |= {
    "conv": LayerCase(nn.Conv2d(2, 3, 3), (2, 5, 4), (3, 3, 2), _weighted(3, 2, 3, 3)),
    "conv_stride_padding": LayerCase(
        nn.Conv2d(2, 3, (3, 2), stride=(2, 1), padding=(1, 0)), (2, 5, 4), (3, 3, 3), _weighted(3, 2, 3, 2)
    ),
    "conv_dilation_groups": LayerCase(
        nn.Conv2d(4, 6, (2, 3), padding=(0, 1), dilation=(2, 1), groups=2), (4, 4, 3), (6, 2, 3), _weighted(6, 2, 2, 3)
    ),
    "conv_same": LayerCase(nn.Conv2d(2, 3, 3, padding="same"), (2, 3, 4), (3, 3, 4), _weighted(3, 2, 3, 3)),
    "conv_same_even_dilation": LayerCase(
        nn.Conv2d(2, 2, (2, 3), padding="same", dilation=(3, 2), bias=False), (2, 4, 5), None,
        _weighted(2, 2, 2, 3, bias=False),
    ),
    "conv_1x1": LayerCase(nn.Conv2d(5, 3, 1), (5, 2, 3), (3, 2, 3), _weighted(3, 5, 1, 1)),
    "conv_1x1_stride": LayerCase(nn.Conv2d(3, 4, 1, stride=2), (3, 3, 5), (4, 2, 3), _weighted(4, 3, 1, 1)),
    "conv_depthwise": LayerCase(nn.Conv2d(3, 3, 3, padding=1, groups=3), (3, 3, 4), None, _weighted(3, 1, 3, 3)),
    "conv_depthwise_multiplier": LayerCase(
        nn.Conv2d(3, 6, 3, stride=2, groups=3, bias=False), (3, 5, 4), (6, 2, 1), _weighted(6, 1, 3, 3, bias=False)
    ),
    "conv_one_channel": LayerCase(nn.Conv2d(1, 2, 5, padding=2), (1, 3, 4), (2, 3, 4), _weighted(2, 1, 5, 5)),
    "max_pool": LayerCase(nn.MaxPool2d(2), (2, 5, 4), (2, 2, 2)),
    "max_pool_overlapping": LayerCase(nn.MaxPool2d(3, 2, 1), (2, 5, 4), (2, 3, 2)),
    "max_pool_sides": LayerCase(nn.MaxPool2d((1, 3), (2, 1), (0, 1)), (2, 4, 3), (2, 2, 3)),
    "avg_pool": LayerCase(nn.AvgPool2d(2), (2, 5, 4), (2, 2, 2)),
    "avg_pool_overlapping": LayerCase(nn.AvgPool2d(3, 2, 1), (2, 5, 4), (2, 3, 2)),
    "avg_pool_inside": LayerCase(nn.AvgPool2d((3, 2), 1, 1, count_include_pad=False), (2, 3, 2), (2, 3, 3)),
    "global_avg_pool": LayerCase(nn.GlobalAvgPool2d(), (3, 2, 5), (3,)),
    "batch_norm_images": LayerCase(nn.BatchNorm2d(2), (2, 3, 4), tensors=_normalizer(n=2)),
    "batch_norm_images_plain": LayerCase(
        nn.BatchNorm2d(3, eps=0.1, momentum=None, affine=False), (3, 2, 2), tensors=_normalizer(affine=False, n=3)
    ),
    "layer_norm_images": LayerCase(
        nn.LayerNorm((2, 3, 4)), (2, 3, 4), tensors={"weight": (2, 3, 4), "bias": (2, 3, 4)}
    ),
    "layer_norm_planes": LayerCase(nn.LayerNorm((3, 4), 0.1, elementwise_affine=False), (2, 3, 4)),
    "rms_norm_images": LayerCase(nn.RMSNorm((2, 3, 4)), (2, 3, 4), tensors={"weight": (2, 3, 4)}),
    "rms_norm_planes": LayerCase(nn.RMSNorm((3, 4), 0.1), (2, 3, 4), tensors={"weight": (3, 4)}),
    "prelu_images": LayerCase(nn.PReLU(3), (3, 2, 4), tensors={"weight": (3,)}),
    "prelu_images_shared": LayerCase(nn.PReLU(init=0.1), (3, 2, 4), tensors={"weight": (1,)}),
    "log_softmax_images": LayerCase(nn.LogSoftmax(), (3, 2, 4)),
    "alpha_dropout_images": LayerCase(nn.AlphaDropout(0.3), (3, 2, 4)),
    "gaussian_noise_images": LayerCase(nn.GaussianNoise(0.3), (3, 2, 4)),
    "reshape_images": LayerCase(nn.Reshape(4, -1, 3), (3, 2, 4), (4, 2, 3)),
    "reshape_images_to_steps": LayerCase(nn.Reshape(6, 4), (3, 2, 4), (6, 4)),
    "softmax_images": LayerCase(nn.Softmax(), (3, 2, 4)),
    "tanh_images": LayerCase(nn.Tanh(), (3, 2, 4)),
    "dropout_images": LayerCase(nn.Dropout(0.3), (3, 2, 4)),
    "flatten_images": LayerCase(nn.Flatten(), (3, 2, 4), (24,)),
    "inception": LayerCase(
        nn.Branches(
            [nn.Conv2d(3, 2, 1)], [nn.Conv2d(3, 2, 1), nn.GELU(), nn.Conv2d(2, 3, 3, padding=1)], [],
            [nn.AvgPool2d(3, 1, 1), nn.Conv2d(3, 1, 1, bias=False)],
        ), (3, 2, 3), (9, 2, 3),
        {
            **_weighted(2, 3, 1, 1, prefix="branches.0.0."),
            **_weighted(2, 3, 1, 1, prefix="branches.1.0."),
            **_weighted(3, 2, 3, 3, prefix="branches.1.2."),
            **_weighted(1, 3, 1, 1, bias=False, prefix="branches.3.1."),
        },
    ),
    "residual_images": LayerCase(
        nn.Residual(
            nn.Conv2d(2, 3, 3, padding=1, bias=False), nn.BatchNorm2d(3), nn.Tanh(), nn.Conv2d(3, 3, 3, padding="same"),
            shortcut=nn.Conv2d(2, 3, 1, bias=False),
        ), (2, 3, 2), (3, 3, 2),
        {
            **_weighted(3, 2, 3, 3, bias=False, prefix="body.0."),
            **_normalizer(prefix="body.1.", n=3),
            **_weighted(3, 3, 3, 3, prefix="body.3."),
            **_weighted(3, 2, 1, 1, bias=False, prefix="shortcut.0."),
        },
    ),
}  # fmt: skip

# LeCun, Bottou, Bengio and Haffner, Proc. IEEE 86, 1998, with ReLU and maxima.
LENET_5: list[nn.Layer] = [
    nn.Conv2d(1, 6, 5, padding=2),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Conv2d(6, 16, 5),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Linear(400, 120),
    nn.ReLU(),
    nn.Linear(120, 84),
    nn.ReLU(),
    nn.Linear(84, 10),
]
