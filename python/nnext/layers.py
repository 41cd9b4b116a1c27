"""Layers: what a network is made of. They only describe; the network's C++ core owns the numbers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from nnext import _check, initializers
from nnext.initializers import Initializer


class Layer:
    """Base of all layers: an immutable description.

    Examples
    --------
    >>> import nnext as nn
    >>> nn.Linear(4, 2).config()["type"]
    'Linear'
    """

    def config(self) -> dict[str, Any]:
        """Return the layer's type and parameters, enough to build it again.

        Returns
        -------
        dict
            "type" and one entry a parameter, all plain Python values.
        """
        return {"type": type(self).__name__, **asdict(self)}  # type: ignore[call-overload]

    def add_to(self, core: Any) -> None:
        """Append the layer to a network of the C++ core."""
        raise TypeError(f"[{type(self).__name__}] cannot be part of a network")


@dataclass(frozen=True)
class Linear(Layer):
    """Affine map ``y = x @ weight.T + bias``.

    Parameters
    ----------
    in_features, out_features : int
        Columns of x and of y.
    bias : bool
        Whether to add a bias.
    weight_init, bias_init : Initializer, str or None
        Start values; None is PyTorch's default, uniform within ``1 / sqrt(in_features)``.

    Raises
    ------
    ValueError, TypeError
        For sizes below 1, unknown initializers, or an orthogonal bias.

    Notes
    -----
    ``weight`` has shape (out_features, in_features) and ``bias`` (out_features,) in ``state_dict``, as in PyTorch.

    Examples
    --------
    >>> import nnext as nn
    >>> model = nn.Sequential(nn.Linear(3, 2))
    >>> model.state_dict()["0.weight"].shape
    (2, 3)
    """

    in_features: int
    out_features: int
    bias: bool = True
    weight_init: Initializer | str | None = None
    bias_init: Initializer | str | None = None

    def __post_init__(self) -> None:
        for name in ("in_features", "out_features"):
            value = _check.integer("Linear", name, getattr(self, name), low=1, high=2**31 - 1)
            object.__setattr__(self, name, value)
        object.__setattr__(self, "bias", bool(self.bias))
        object.__setattr__(self, "weight_init", initializers.get(self.weight_init, "weight_init"))
        bias_init = initializers.get(self.bias_init, "bias_init")
        if bias_init.name == "orthogonal":
            raise ValueError("[Linear] bias_init is 'orthogonal', which is for weights; use 'zeros' or 'uniform'")
        object.__setattr__(self, "bias_init", bias_init)

    def add_to(self, core: Any) -> None:
        """Append the layer to a network of the C++ core."""
        weight, bias = initializers.get(self.weight_init, "weight_init"), initializers.get(self.bias_init, "bias_init")
        core.add_linear(
            self.in_features,
            self.out_features,
            self.bias,
            (weight.name, weight.a, weight.b),
            (bias.name, bias.a, bias.b),
        )


class Activation(Layer):
    """Base of the element-wise activations.

    Examples
    --------
    >>> import nnext as nn
    >>> isinstance(nn.ReLU(), nn.layers.Activation), isinstance(nn.Softmax(), nn.layers.Activation)
    (True, False)
    """

    name: ClassVar[str]  # in nnext.functional and in the core

    def add_to(self, core: Any) -> None:
        """Append the layer to a network of the C++ core."""
        core.add_activation(self.name)


@dataclass(frozen=True)
class Identity(Activation):
    """``y = x``.

    Examples
    --------
    >>> import nnext as nn
    >>> nn.Sequential(nn.Identity()).predict([[1.0, -2.0]])
    array([[ 1., -2.]], dtype=float32)
    """

    name: ClassVar[str] = "identity"


@dataclass(frozen=True)
class ReLU(Activation):
    """``y = max(x, 0)``; its gradient at 0 is 0. Nair and Hinton, 2010.

    Examples
    --------
    >>> import nnext as nn
    >>> nn.Sequential(nn.ReLU()).predict([[1.0, -2.0]])
    array([[1., 0.]], dtype=float32)
    """

    name: ClassVar[str] = "relu"


@dataclass(frozen=True)
class LeakyReLU(Activation):
    """``y = x`` for x >= 0, ``negative_slope * x`` below. Maas, Hannun and Ng, 2013.

    Parameters
    ----------
    negative_slope : float
        Slope below 0, greater than 0.

    Raises
    ------
    ValueError, TypeError
        Unless it is a finite number greater than 0.

    Examples
    --------
    >>> import nnext as nn
    >>> nn.Sequential(nn.LeakyReLU(0.5)).predict([[1.0, -2.0]])
    array([[ 1., -1.]], dtype=float32)
    """

    negative_slope: float = 0.01
    name: ClassVar[str] = "leaky_relu"

    def __post_init__(self) -> None:
        slope = _check.number("LeakyReLU", "negative_slope", self.negative_slope, low=0, above=True)
        object.__setattr__(self, "negative_slope", slope)

    def add_to(self, core: Any) -> None:
        """Append the layer to a network of the C++ core."""
        core.add_activation(self.name, self.negative_slope)


@dataclass(frozen=True)
class Tanh(Activation):
    """``y = tanh(x)``.

    Examples
    --------
    >>> import nnext as nn
    >>> nn.Sequential(nn.Tanh()).predict([[0.0, 100.0]])
    array([[0., 1.]], dtype=float32)
    """

    name: ClassVar[str] = "tanh"


@dataclass(frozen=True)
class Sigmoid(Activation):
    """``y = 1 / (1 + exp(-x))``. As the last layer before ``bce`` both are computed in one stable form.

    Examples
    --------
    >>> import nnext as nn
    >>> nn.Sequential(nn.Sigmoid()).predict([[0.0, 100.0]])
    array([[0.5, 1. ]], dtype=float32)
    """

    name: ClassVar[str] = "sigmoid"


@dataclass(frozen=True)
class Softmax(Layer):
    """``y = exp(x) / sum(exp(x))`` over the features of each row.

    As the last layer before ``cross_entropy`` both are computed in one stable form.

    Examples
    --------
    >>> import nnext as nn
    >>> nn.Sequential(nn.Softmax()).predict([[1.0, 1.0]])
    array([[0.5, 0.5]], dtype=float32)
    """

    def add_to(self, core: Any) -> None:
        """Append the layer to a network of the C++ core."""
        core.add_softmax()


@dataclass(frozen=True)
class Dropout(Layer):
    """In training, sets each element to 0 with probability p and scales the others by ``1 / (1 - p)``.

    Srivastava et al., JMLR 15 (2014), in the inverted form. Predictions are not changed. The mask is a function of
    seed, step, layer and element, so it is the same for any number of threads.

    Parameters
    ----------
    p : float
        Probability of an element to be dropped, 0 <= p < 1.

    Raises
    ------
    ValueError, TypeError
        Unless 0 <= p < 1.

    Examples
    --------
    >>> import nnext as nn
    >>> nn.Sequential(nn.Dropout(0.5)).predict([[1.0, 2.0]])
    array([[1., 2.]], dtype=float32)
    """

    p: float = 0.5

    def __post_init__(self) -> None:
        object.__setattr__(self, "p", _check.number("Dropout", "p", self.p, low=0, high=1, below=True))

    def add_to(self, core: Any) -> None:
        """Append the layer to a network of the C++ core."""
        core.add_dropout(self.p)


@dataclass(frozen=True)
class Flatten(Layer):
    """Turns samples of any shape into rows: (n, 28, 28) into (n, 784).

    As the first layer it lets a network take images.

    Examples
    --------
    >>> import nnext as nn
    >>> nn.Sequential(nn.Flatten(), nn.Linear(4, 2)).predict([[[1, 2], [3, 4]]]).shape
    (1, 2)
    """

    def add_to(self, core: Any) -> None:
        """Append the layer to a network of the C++ core."""
        core.add_flatten()


ACTIVATIONS: dict[str, type[Layer]] = {
    "identity": Identity,
    "relu": ReLU,
    "leaky_relu": LeakyReLU,
    "tanh": Tanh,
    "sigmoid": Sigmoid,
    "softmax": Softmax,
}

_TYPES: dict[str, type[Layer]] = {layer.__name__: layer for layer in (Linear, Dropout, Flatten, *ACTIVATIONS.values())}


def from_config(config: dict[str, Any]) -> Layer:
    """Build a layer from what ``Layer.config()`` gave. Only the layers of this module can come of it.

    Parameters
    ----------
    config : dict
        "type" and the layer's parameters.

    Raises
    ------
    ValueError, TypeError
        When the type is unknown or a parameter does not fit.

    Examples
    --------
    >>> from_config({"type": "Dropout", "p": 0.2})
    Dropout(p=0.2)
    """
    arguments = dict(config)
    name = _check.choice("layer", "type", arguments.pop("type", None), _TYPES)
    for key in ("weight_init", "bias_init"):
        if isinstance(arguments.get(key), dict):
            arguments[key] = Initializer(**arguments[key])
    return _TYPES[name](**arguments)
