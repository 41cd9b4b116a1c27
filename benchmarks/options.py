"""What the commands read from their arguments in the same way."""

from __future__ import annotations

import argparse
from collections.abc import Iterable


def count(text: str) -> int:
    """Return a whole number from 1 on."""
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 on")
    return int(text)


def counts(text: str) -> tuple[int, ...]:
    """Return whole numbers from 1 on, with commas between."""
    return tuple(count(part) for part in text.split(","))


def names(text: str) -> list[str]:
    """Return names with commas between."""
    return text.split(",")


def refuse_unknown(parser: argparse.ArgumentParser, given: Iterable[str], known: Iterable[str], what: str) -> None:
    """End the command when a name is none of the known ones."""
    known = list(known)
    if unknown := [name for name in given if name not in known]:
        parser.error(f"unknown {what} {unknown[0]!r}; use {', '.join(known)}")
