"""Networks of rows that Hypothesis draws: Linear, Residual and Branches, with others between."""

from dataclasses import dataclass

from hypothesis import strategies as st

import nnext as nn
from activation_cases import ACTIVATIONS

SMOOTH: list[nn.Layer] = [*(case.layer for case in ACTIVATIONS.values() if not case.kinks), nn.Softmax()]
SMOOTH += [nn.LogSoftmax()]
KINKED: list[nn.Layer] = [*(case.layer for case in ACTIVATIONS.values() if case.kinks), nn.PReLU()]
NOISE: list[nn.Layer] = [*(nn.Dropout(p) for p in (0.0, 0.1, 0.5, 0.9)), nn.AlphaDropout(0.3), nn.GaussianNoise(0.5)]


@dataclass(frozen=True)
class Choice:
    """What may stand between Linear layers."""

    smooth: bool = False
    dropout: bool = True
    batch_norm: bool = True

    @property
    def eps(self) -> float:
        """Of normalizations: where the variance is small, a smaller one bends y within a step of differences."""
        return 0.1 if self.smooth else 1e-3

    def without_shape(self) -> list[nn.Layer]:
        """Return the layers that suit any number of features, of channels, or of images."""
        known = [*SMOOTH, *([] if self.smooth else KINKED)]
        return known + (NOISE if self.dropout else [])


@st.composite
def between(draw: st.DrawFn, features: int, choice: Choice) -> nn.Layer:
    """Draw a layer that gives as many features as it takes, and holds no others."""
    known = [*choice.without_shape(), nn.Flatten(), nn.LayerNorm(features, choice.eps, bias=draw(st.booleans()))]
    known += [nn.RMSNorm(features, choice.eps, elementwise_affine=draw(st.booleans())), nn.Reshape(features)]
    known += [] if choice.smooth else [nn.PReLU(features, draw(st.floats(-1, 1, width=16)))]
    if choice.batch_norm:
        momentum = draw(st.sampled_from([0.1, 0.5, None]))
        known += [nn.BatchNorm1d(features, eps=choice.eps, momentum=momentum, affine=draw(st.booleans()))] * 4
    return draw(st.sampled_from(known))


@st.composite
def residuals(draw: st.DrawFn, features: int, given: int, choice: Choice, depth: int = 1) -> nn.Residual:
    """Draw a Residual of some Linear and other layers, maybe with another one in it, and a shortcut where it must."""
    inside = draw(st.integers(1, 8))
    body: list[nn.Layer] = draw(st.lists(between(features, choice), max_size=1))
    body.append(nn.Linear(features, inside))
    if depth > 0 and draw(st.booleans()):
        body.append(draw(residuals(inside, inside, choice, depth - 1)))
    body += [draw(between(inside, choice)), nn.Linear(inside, given, bias=draw(st.booleans()))]
    body += draw(st.lists(between(given, choice), max_size=1))
    shortcut: list[nn.Layer] = draw(st.lists(between(features, choice), max_size=1))
    if features != given:
        shortcut.append(nn.Linear(features, given, bias=draw(st.booleans())))
    return nn.Residual(*body, shortcut=shortcut)


@st.composite
def branches(draw: st.DrawFn, features: int, choice: Choice) -> tuple[nn.Branches, int]:
    """Draw Branches, and return how many features they give."""
    join, given = draw(st.sampled_from(["concat", "add"])), draw(st.integers(1, 8))
    first = [draw(between(features, choice)), nn.Linear(features, given)]
    if join == "add":
        return nn.Branches(first, [nn.Linear(features, given, bias=False)], join="add"), given
    return nn.Branches(first, draw(st.lists(between(features, choice), max_size=2)), []), given + 2 * features


@st.composite
def stacks(draw: st.DrawFn, max_size: int = 40, min_outputs: int = 1, **choice: bool) -> list[nn.Layer]:
    """Draw layers: Linear, Residual or Branches, then any others, up to four times; a Linear layer is the last."""
    chosen = Choice(**choice)
    sizes = draw(st.lists(st.integers(1, max_size), min_size=1, max_size=4))
    sizes.append(draw(st.integers(min_outputs, max_size)))
    layers: list[nn.Layer] = []
    for i in range(len(sizes) - 1):
        if i > 0 or draw(st.booleans()):
            layers += draw(st.lists(between(sizes[i], chosen), max_size=2))
        if i > 0 and draw(st.integers(0, 3)) == 0:
            block, sizes[i] = draw(branches(sizes[i], chosen))
            layers.append(block)
        if i + 2 < len(sizes) and draw(st.booleans()):
            layers.append(draw(residuals(sizes[i], sizes[i + 1], chosen)))
        else:
            layers.append(nn.Linear(sizes[i], sizes[i + 1], bias=draw(st.booleans())))
    return layers
