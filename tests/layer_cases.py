"""The table of layers that the tests go through: each type of layer has a row here (tests/layers checks that)."""

from dataclasses import dataclass, field
from math import prod

import nnext as nn

Shape = tuple[int, ...]  # of a sample, as users see it: (F,), (T, F) or (C, H, W)


@dataclass(frozen=True)
class LayerCase:
    """A layer, the shape of a sample that it takes, that of what it gives (None: the same), and its arrays."""

    layer: nn.Layer
    shape: Shape = (5,)
    gives: Shape | None = None
    tensors: dict[str, Shape] = field(default_factory=dict)

    @property
    def output(self) -> Shape:
        return self.shape if self.gives is None else self.gives

    def before(self) -> tuple[nn.Layer, Shape]:
        """Return a layer with parameters that can come before, and the shape of a sample for it."""
        if len(self.shape) == 3:
            channels, *size = self.shape
            return nn.Conv2d(2, channels, 1, bias=False), (2, *size)
        *steps, features = self.shape
        return nn.Linear(4, features, bias=False), (*steps, 4)  # a bias has no gradient before a normalization

    def head(self, outputs: int) -> list[nn.Layer]:
        """Return layers that can come after and give so many outputs."""
        flat = [nn.Flatten()] if len(self.output) > 1 else []
        return [*flat, nn.Linear(prod(self.output), outputs)]


def _normalizer(affine: bool = True, prefix: str = "", n: int = 5) -> dict[str, tuple[int, ...]]:
    names = [*(["weight", "bias"] if affine else []), "running_mean", "running_var"]
    return {f"{prefix}{name}": (n,) for name in names} | {f"{prefix}num_batches_tracked": ()}


_NESTED = nn.Residual(
    nn.Linear(5, 4, bias=False), nn.BatchNorm1d(4), nn.Residual(nn.GELU(), nn.Linear(4, 4, bias=False)), nn.Linear(4, 5)
)

LAYERS = {
    "linear": LayerCase(nn.Linear(5, 3), (5,), (3,), {"weight": (3, 5), "bias": (3,)}),
    "linear_without_bias": LayerCase(nn.Linear(5, 3, bias=False), (5,), (3,), {"weight": (3, 5)}),
    "identity": LayerCase(nn.Identity()),
    "relu": LayerCase(nn.ReLU()),
    "leaky_relu": LayerCase(nn.LeakyReLU(0.2)),
    "tanh": LayerCase(nn.Tanh()),
    "sigmoid": LayerCase(nn.Sigmoid()),
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
        tensors={"body.0.weight": (5, 5), "body.0.bias": (5,)},
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
}
