"""Pictures of a run: share of the FMA ceiling over a product's size, ratio to each peer by work, time over load."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

matplotlib.use("Agg")  # files, no window

from matplotlib import pyplot as plt
from matplotlib.axes import Axes

Result = dict[str, Any]


def draw(run: Result, folder: Path) -> None:
    """Write a PNG file for each benchmark of a run that has something to draw."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, benchmark in run["benchmarks"].items():
        timed = [result for result in benchmark["results"] if "ratio" in result.get("libraries", {}).get("nnext", {})]
        if name == "matmul":
            for key in {(_dtype(result), result["threads"]) for result in timed}:
                chosen = [result for result in timed if (_dtype(result), result["threads"]) == key]
                _save(folder / f"matmul_{key[0]}_{key[1]}.png", _draw_shares, chosen, f"{key[0]}, threads: {key[1]}")
        if name == "load":
            for case in dict.fromkeys(result["case"] for result in timed):
                chosen = [result for result in timed if result["case"] == case]
                _save(folder / f"load_{case.replace(' ', '_').replace(',', '')}.png", _draw_load, chosen, case)
        elif timed:
            _save(folder / f"{name}_ratios.png", _draw_ratios, timed, benchmark["title"])


def _dtype(result: Result) -> str:
    return str(result["case"].split()[-1])


def _save(path: Path, drawer: Any, results: list[Result], title: str) -> None:
    figure, axes = plt.subplots(figsize=(9, 2 + 0.5 * len(results) if drawer is _draw_ratios else 5))
    drawer(axes, results)
    axes.set_title(title)
    axes.legend(fontsize="small")
    axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def _draw_shares(axes: Axes, results: list[Result]) -> None:
    """Draw the share of the ceiling over the size of square products, a line a library."""
    square = [result for result in results if "^3" in result["case"]]
    for name in square[0]["libraries"] if square else ():
        with_it = [result for result in square if name in result["libraries"]]
        sizes = [int(result["case"].split("^")[0]) for result in with_it]
        shares = [result["libraries"][name]["share"] for result in with_it]
        axes.plot(sizes, [middle for middle, _, _ in shares], marker="o", label=name)
        axes.fill_between(sizes, [low for _, low, _ in shares], [high for _, _, high in shares], alpha=0.2)
    axes.set_xscale("log", base=2)
    axes.set(xlabel="n of an n x n x n product", ylabel="share of the FMA ceiling", ylim=(0, None))


def _draw_ratios(axes: Axes, results: list[Result]) -> None:
    """Draw the ratios to nnext with their intervals, a row a case, a colour a library."""
    names = dict.fromkeys(name for result in results for name in result["libraries"] if name != "nnext")
    for place, name in enumerate(names):
        rows = [(y, result["libraries"].get(name, {})) for y, result in enumerate(results)]
        points = [(y + 0.6 * (place + 0.5) / len(names) - 0.3, *row["ratio"]) for y, row in rows if "ratio" in row]
        if points:
            heights, middles, lows, highs = zip(*points, strict=True)
            errors = [[m - low for m, low in zip(middles, lows, strict=True)]]
            errors += [[high - m for m, high in zip(middles, highs, strict=True)]]
            axes.errorbar(middles, heights, xerr=errors, fmt="o", markersize=4, label=name)
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xscale("log")
    axes.set_yticks(range(len(results)), [f"{result['case']}, t{result['threads']}" for result in results])
    axes.invert_yaxis()
    axes.set_xlabel("times nnext's time (right of 1: nnext is faster)")


def _draw_load(axes: Axes, results: list[Result]) -> None:
    """Draw the median time of one work over what computes beside it, with the middle half of the rounds around it."""
    for name in results[0]["libraries"]:
        lows, middles, highs = np.quantile(
            [r["libraries"][name]["seconds"] for r in results], [0.25, 0.5, 0.75], axis=1
        )
        fixed = "thread" in name
        axes.plot(middles, marker="o", label=name, linestyle="--" if fixed else "-", linewidth=1 if fixed else 2)
        axes.fill_between(range(len(results)), lows, highs, alpha=0.2)
    axes.set_xticks(range(len(results)), [result["beside"] or "nothing" for result in results])
    axes.set_yscale("log")
    axes.set(xlabel="what computes beside it", ylabel="seconds")
