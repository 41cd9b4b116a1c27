"""Tables for the terminal: a block a case, a line a library."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import Ratio

UNITS = (("s", 1.0), ("ms", 1e-3), ("us", 1e-6), ("ns", 1e-9))
Show = Callable[[dict[str, Any]], None]


def facts(machine: Mapping[str, Any]) -> str:
    """Return what `harness.machine` tells, in one line."""
    return ", ".join(f"{key} {value}" for key, value in machine.items())


def write(path: str, result: Mapping[str, Any]) -> None:
    """Write everything measured as JSON."""
    Path(path).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def show(result: dict[str, Any]) -> None:
    """Print what one case gave."""
    print(f"\n{headline(result)}")
    if "megabytes" in result:
        _show_memory(result)
    elif "packages" in result:
        _show_packages(result)
    elif "times slower" in result:
        for name, row in result["times slower"].items():
            print(f"  {name:17} {Ratio(*row)!s} times as long as one alone")
    else:
        _show_times(result)
    if peer := result.get("best_peer"):
        print(f"  the best peer, {peer}, takes {Ratio(*result['libraries'][peer]['ratio'])} times as long as nnext")
    if "default" in result:
        print(
            f"  the default takes {Ratio(*result['default']['ratio'])} times as long as {result['default']['better']}"
        )
    for name, reason in result.get("left_out", {}).items():
        print(f"  {name}: left out, {reason}")


def headline(result: dict[str, Any]) -> str:
    """Return what is measured: case, threads, rounds, what else computed and the ceiling."""
    parts = [result["case"]]
    for key, unit in (("threads", "thread"), ("rounds", "round")):
        if key in result:
            parts.append(f"{result[key]} {unit}{'' if result[key] == 1 else 's'}")
    if beside := result.get("beside"):
        parts.append(f"beside {beside}")
    if result.get("ceiling"):
        ceiling = f"FMA ceiling {np.median(result['ceiling']) / 1e9:.0f} GFLOP/s"
        parts.append(f"{ceiling} of the busy machine" if beside else ceiling)
    return ", ".join(parts)


def _show_times(result: dict[str, Any]) -> None:
    share, rate = (any(key in row for row in result["libraries"].values()) for key in ("share", "bytes_per_second"))
    more = f"{'of ceiling  ' if share else ''}{'     GB/s   ' if rate else ''}"
    print(f"  {'':17} {'median':>9} {'best':>9}  {more}times nnext's [95%]")
    for name, row in result["libraries"].items():
        if "median" not in row:
            accuracies = ", ".join(f"{training['accuracy']:.2%}" for training in row["trainings"])
            print(f"  {name:17} did not come to the goal with nnext: {accuracies}")
            continue
        times = f"{duration(row['median']):>9} {duration(row['best']):>9}"
        more = f"{row['share'][0]:9.1%}   " if "share" in row else ""
        more += f"{row['bytes_per_second'] / 1e9:9.3g}   " if "bytes_per_second" in row else ""
        print(f"  {name:17} {times}  {more}{Ratio(*row['ratio'])}{_trainings(row)}")


def _trainings(row: dict[str, Any]) -> str:
    if "trainings" not in row:
        return ""
    epochs = np.median([training["epochs"] for training in row["trainings"]])
    return f"   {row['reached']} of {len(row['trainings'])} came to the goal, {epochs:.0f} epochs"


def _show_memory(result: dict[str, Any]) -> None:
    data = result["data"]
    print(f"  the samples take {data['float32']:.0f} MB in float32, {data['bytes']:.0f} MB in bytes")
    for name, row in result["megabytes"].items():
        print(
            f"  {name:17} {row['peak'] - row['before']:7.0f} MB, besides {row['before']:.0f} MB of the process before"
        )


def _show_packages(result: dict[str, Any]) -> None:
    print(f"  {'':17} {'median':>9} {'beyond NumPy':>13} {'memory':>8} {'on disk':>9}  times nnext's [95%]")
    for name, row in result["packages"].items():
        beyond = "" if name == "numpy" else f"{1e3 * row['beyond_numpy']:.1f} ms"
        sizes = f"{row['megabytes']:5.0f} MB {row['disk']:6.1f} MB"
        print(f"  {name:17} {duration(row['median']):>9} {beyond:>13} {sizes}  {Ratio(*row['ratio'])}")


def duration(seconds: float) -> str:
    """Return a time with three digits and a unit.

    Examples
    --------
    >>> duration(0.00015), duration(2.5)
    ('150 us', '2.50 s')
    """
    unit, size = next(pair for pair in UNITS if seconds >= pair[1] or pair is UNITS[-1])
    value = seconds / size
    return f"{value:.{max(0, 3 - len(str(int(value))))}f} {unit}"
