"""Warnings that point at the line of the user's from which nnext was called."""

from __future__ import annotations

import inspect
import warnings


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn of what the first caller outside of nnext does, if there is a stream that takes it.

    Raises
    ------
    Warning
        Where the user makes errors of warnings.
    """
    level, frame = 1, inspect.currentframe()
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "nnext":
        level, frame = level + 1, frame.f_back
    try:
        warnings.warn(message, category, stacklevel=level)
    except Warning:
        raise
    except Exception:  # stderr is closed, or somebody's own: Python lets anything pass but an OSError
        pass
