"""Update rules. These objects hold the settings; the running sums are the model's own.

All follow PyTorch's definitions.
"""

from __future__ import annotations

from typing import Any, ClassVar

from nnext import _check


class Optimizer:
    """Base of the update rules.

    Parameters
    ----------
    lr : float
        Learning rate, >= 0. It may be changed at any time and counts from the next epoch or ``step()`` on.
    weight_decay : float
        Adds ``weight_decay * w`` to every gradient, >= 0.

    Examples
    --------
    >>> import nnext as nn
    >>> optimizer = nn.Adam(lr=0.1)
    >>> optimizer.lr /= 2
    >>> optimizer
    Adam(lr=0.05, weight_decay=0.0, betas=(0.9, 0.999), eps=1e-08)
    """

    name: ClassVar[str]

    def __init__(self, lr: float, weight_decay: float) -> None:
        self.lr = lr
        self.weight_decay = _check.number(self._operation, "weight_decay", weight_decay, low=0)

    @property
    def lr(self) -> float:
        """The learning rate."""
        return self._lr

    @lr.setter
    def lr(self, value: float) -> None:
        self._lr = _check.number(self._operation, "lr", value, low=0)

    @property
    def _operation(self) -> str:
        return type(self).__name__

    def config(self) -> dict[str, Any]:
        """Return the optimizer's type and settings, enough to build it again."""
        settings = {key.lstrip("_"): value for key, value in vars(self).items()}
        return {"type": type(self).__name__, **settings}

    def set_on(self, core: Any) -> None:
        """Put the optimizer in charge of a network of the C++ core."""
        raise TypeError(f"[compile] {type(self).__name__} cannot train a network")

    def __repr__(self) -> str:
        settings = ", ".join(f"{key}={value!r}" for key, value in self.config().items() if key != "type")
        return f"{type(self).__name__}({settings})"


class SGD(Optimizer):
    """Stochastic gradient descent: ``v = momentum * v + g; w -= lr * v``. Sutskever et al., 2013.

    Parameters
    ----------
    lr : float
        Learning rate.
    momentum : float
        0 <= momentum; 0 keeps no velocity.
    nesterov : bool
        Look ahead: ``w -= lr * (g + momentum * v)``. Needs momentum > 0.
    weight_decay : float
        Adds ``weight_decay * w`` to the gradient.

    Raises
    ------
    ValueError, TypeError
        For values out of range.

    Examples
    --------
    >>> import nnext as nn
    >>> nn.SGD(lr=0.1, momentum=0.9)
    SGD(lr=0.1, weight_decay=0.0, momentum=0.9, nesterov=False)
    """

    name = "sgd"

    def __init__(
        self, lr: float = 1e-2, momentum: float = 0.0, nesterov: bool = False, weight_decay: float = 0.0
    ) -> None:
        super().__init__(lr, weight_decay)
        self.momentum = _check.number("SGD", "momentum", momentum, low=0)
        self.nesterov = bool(nesterov)
        if self.nesterov and self.momentum == 0:
            raise ValueError("[SGD] nesterov needs momentum, which is 0; give momentum > 0, for example 0.9")

    def set_on(self, core: Any) -> None:
        """Put the optimizer in charge of a network of the C++ core."""
        core.set_sgd(self.momentum, self.nesterov, self.weight_decay)


class Adam(Optimizer):
    """Adam: steps along the running mean of g, divided by the root of the running mean of g^2. Kingma and Ba, 2015.

    ``m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; w -= lr * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)``

    Parameters
    ----------
    lr : float
        Learning rate.
    betas : tuple of two float
        b1 and b2, each 0 <= b < 1.
    eps : float
        Keeps the quotient finite, > 0.
    weight_decay : float
        Adds ``weight_decay * w`` to the gradient.

    Raises
    ------
    ValueError, TypeError
        For values out of range.

    Examples
    --------
    >>> import nnext as nn
    >>> nn.Adam(lr=1e-3).betas
    (0.9, 0.999)
    """

    name = "adam"

    def __init__(
        self,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(lr, weight_decay)
        try:
            beta1, beta2 = betas
        except (TypeError, ValueError):
            raise TypeError(f"[Adam] betas is {betas!r}; give two numbers, for example (0.9, 0.999)") from None
        self.betas = (
            _check.number("Adam", "betas[0]", beta1, low=0, high=1, below=True),
            _check.number("Adam", "betas[1]", beta2, low=0, high=1, below=True),
        )
        self.eps = _check.number("Adam", "eps", eps, low=0, above=True)

    def set_on(self, core: Any) -> None:
        """Put the optimizer in charge of a network of the C++ core."""
        core.set_adam(*self.betas, self.eps, self.weight_decay)


class Adagrad(Optimizer):
    """Adagrad: ``s += g^2; w -= lr / (1 + (t - 1) lr_decay) * g / (sqrt(s) + eps)``. Duchi, Hazan and Singer, 2011.

    Parameters
    ----------
    lr : float
        Learning rate.
    lr_decay : float
        >= 0.
    eps : float
        Keeps the quotient finite, > 0.
    initial_accumulator_value : float
        What s starts from, >= 0.
    weight_decay : float
        Adds ``weight_decay * w`` to the gradient.

    Raises
    ------
    ValueError, TypeError
        For values out of range.

    Examples
    --------
    >>> import nnext as nn
    >>> nn.Adagrad().lr
    0.01
    """

    name = "adagrad"

    def __init__(
        self,
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        eps: float = 1e-10,
        initial_accumulator_value: float = 0.0,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(lr, weight_decay)
        self.lr_decay = _check.number("Adagrad", "lr_decay", lr_decay, low=0)
        self.eps = _check.number("Adagrad", "eps", eps, low=0, above=True)
        self.initial_accumulator_value = _check.number(
            "Adagrad", "initial_accumulator_value", initial_accumulator_value, low=0
        )

    def set_on(self, core: Any) -> None:
        """Put the optimizer in charge of a network of the C++ core."""
        core.set_adagrad(self.lr_decay, self.eps, self.initial_accumulator_value, self.weight_decay)


OPTIMIZERS: dict[str, type[Optimizer]] = {optimizer.name: optimizer for optimizer in (SGD, Adam, Adagrad)}


def get(optimizer: Any) -> Optimizer:
    """Look an optimizer up by name, with its default settings; an Optimizer is given back.

    Parameters
    ----------
    optimizer : str or Optimizer

    Raises
    ------
    TypeError, ValueError
        For anything else, or an unknown name.

    Examples
    --------
    >>> get("adam").lr
    0.001
    """
    if isinstance(optimizer, Optimizer):
        return optimizer
    return OPTIMIZERS[_check.choice("compile", "optimizer", optimizer, OPTIMIZERS)]()  # type: ignore[call-arg]


def from_config(config: dict[str, Any]) -> Optimizer:
    """Build an optimizer from what ``Optimizer.config()`` gave.

    Examples
    --------
    >>> from_config({"type": "SGD", "lr": 0.5}).lr
    0.5
    """
    types = {optimizer.__name__: optimizer for optimizer in OPTIMIZERS.values()}
    settings = dict(config)
    name = _check.choice("optimizer", "type", settings.pop("type", None), types)
    return types[name](**settings)
