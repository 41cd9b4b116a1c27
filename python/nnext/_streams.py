"""The standard streams as programs find them: absent, replaced, closed, full, or short of letters."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any


def show(*lines: str) -> None:
    """Print lines on stdout; where that is absent, closed or broken, nobody sees them.

    Examples
    --------
    >>> show("seen")
    seen
    """
    print(*lines, sep="\n", file=Stream(sys.stdout))


class Stream:
    """Writes to another stream what that can take. No call of it raises: what cannot be shown is not worth a training.

    Parameters
    ----------
    under : text stream or None
        ``sys.stderr``, or what stands in its place; None where a process has none.

    Attributes
    ----------
    error : OSError or None
        The first failure of the device, such as a full disk: what was written is lost.

    Examples
    --------
    >>> import sys
    >>> print("seen", file=Stream(sys.stdout))
    seen
    >>> print("lost", file=Stream(None))
    """

    def __init__(self, under: Any) -> None:
        self._under = under
        self.error: OSError | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._under, name)  # encoding, fileno and the like

    def write(self, text: str) -> int:
        """Write, with escapes for letters that the encoding lacks."""

        def write() -> None:
            try:
                self._under.write(text)
            except UnicodeEncodeError:
                encoding = self._under.encoding
                self._under.write(text.encode(encoding, "backslashreplace").decode(encoding))

        self._attempt(write)
        return len(text)

    def flush(self) -> None:
        """Write what is still in a buffer."""
        self._attempt(lambda: self._under.flush())

    def isatty(self) -> bool:
        """Tell whether it is known to be a terminal."""
        return bool(self._attempt(lambda: self._under.isatty()))

    def _attempt(self, action: Callable[[], Any]) -> Any:
        try:
            return action()
        except OSError as error:
            self.error = self.error or error
        except Exception:  # closed, or without this method; one that somebody wrote may raise anything
            pass
        return None
