"""How a training went."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnext import _pictures
from nnext._calls import takes_hints
from nnext._unknown import shown
from nnext.history import History

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["learning_curves"]


@takes_hints
def learning_curves(history: History, quantity: str = "loss", *, ax: Axes | None = None) -> Axes:
    """Draw a quantity epoch by epoch: training and validation, and the epoch of the lowest validation loss.

    ``history.plot()`` draws all quantities, a panel each.

    Parameters
    ----------
    history : History
        What ``fit`` returns; ``model.history``.
    quantity : str
        "loss" or the name of a metric.
    ax : matplotlib.axes.Axes, optional
        Where to draw; without it a new figure of pyplot's.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ImportError
        When matplotlib is not installed.
    ValueError, TypeError
        For a quantity that the history does not have, or what is no History.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import nnext as nn
    >>> history = nn.History()
    >>> history.append(0, {"loss": 0.9, "val_loss": 1.0})
    >>> history.append(1, {"loss": 0.5, "val_loss": 0.7})
    >>> ax = learning_curves(history, ax=Figure().subplots())
    >>> [line.get_label() for line in ax.get_lines()]
    ['training', 'validation', 'best epoch']
    """
    if not isinstance(history, History):
        raise TypeError(f"[learning_curves] history is {shown(history)}; give what fit returns, or model.history")
    known = list(dict.fromkeys(name.removeprefix("val_") for name in history.history))
    if quantity not in known:
        listed = ", ".join(known) or "nothing: fit the model first"
        raise ValueError(f"[learning_curves] the history has no {quantity!r}; it has {listed}")
    axes = _pictures.axes_of("learning_curves", ax)
    _pictures.draw_curves(axes, history.epoch, history.history, quantity, history.best_epoch)
    return axes
