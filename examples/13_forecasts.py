"""Forecasts of two famous series: airline passengers a year ahead, sunspots two years ahead.

A window of the last months goes through a GRU, and a linear layer says all months ahead at once. The end of each
series is held out. From each of its months a forecast is made, of what was known by then, and compared with what needs
no network: the last value, the value a season before, and that one with the average change over a season added.
Settings were chosen on years before those held out.

Passengers (Box and Jenkins, Time Series Analysis, 1970) grow by about an eighth a year, and summers by more passengers
than winters: logarithms make sums of that. The network says what will change since a year before. It beats both naive
forecasts by far, but not the third: 144 months have little to tell beyond season and growth. Sunspots (monthly means
of Wolf's numbers, 1749 to 1983) come in cycles of about eleven years, no two of them alike. There its mean error over
two years is smaller than those of all three by 30 %; a single month ahead the last value is as good. Square roots make
the noise alike in months of many and of few.

    python examples/13_forecasts.py --folder tables
    python examples/13_forecasts.py --folder tables --layer LSTM --plot forecasts.png

The files airline-passengers.csv and monthly-sunspots.csv have a header and two columns, the month and its number:
https://github.com/jbrownlee/Datasets has both. NNEXT_TABLES may name their folder as well.
"""

import argparse
import csv
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import nnext as nn

LAYERS: dict[str, type[nn.GRU | nn.LSTM]] = {"GRU": nn.GRU, "LSTM": nn.LSTM}


@dataclass
class Task:
    """A series, what is asked about it, and the scale on which the network sees it."""

    file: str
    width: int  # months of a window
    horizon: int  # months ahead
    held_out: int
    season: int
    changes: bool  # whether the network says changes since a season before
    epochs: int
    scaled: Callable[[np.ndarray], np.ndarray]
    unscaled: Callable[[np.ndarray], np.ndarray]


TASKS = (
    Task("airline-passengers.csv", 24, 12, 24, 12, True, 30, np.log, np.exp),
    Task("monthly-sunspots.csv", 132, 24, 600, 132, False, 10, np.sqrt, lambda x: np.maximum(x, 0) ** 2),
)


def main(arguments: Sequence[str] | None = None) -> dict[str, dict[str, float]]:
    """Forecast both series; return the mean absolute errors of each way, by the file's name."""
    parser = argparse.ArgumentParser(description="Forecast airline passengers and sunspots.")
    parser.add_argument(
        "--folder", default=os.environ.get("NNEXT_TABLES"), help="of the files; NNEXT_TABLES by default"
    )
    parser.add_argument("--layer", choices=LAYERS, default="GRU")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--plot", metavar="FILE", help="draw the forecasts; needs matplotlib")
    options = parser.parse_args(arguments)
    if options.folder is None:
        parser.error("name the folder of the tables: --folder, or NNEXT_TABLES")

    errors, pictures = {}, []
    for task in TASKS:
        series = read_numbers(Path(options.folder) / task.file)
        truth, forecasts = compare(task, series, options.layer, options.seed)
        print(f"\n{task.file}: {len(truth)} forecasts of {task.horizon} months, mean absolute error")
        print(f"{'':24s}{'all months':>12s}{'the first':>12s}{'the last':>12s}")
        for name, said in forecasts.items():
            off = abs(said - truth).mean(axis=0)  # for each month ahead
            print(f"{name:24s}{off.mean():12.2f}{off[0]:12.2f}{off[-1]:12.2f}")
        errors[task.file] = {name: float(abs(said - truth).mean()) for name, said in forecasts.items()}
        pictures.append((task, series, forecasts["network"]))
    if options.plot:
        draw(pictures, options.plot)
    return errors


def read_numbers(path: Path) -> np.ndarray:
    """Return the second column of a file with a header."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        return np.array([float(row[1]) for row in list(csv.reader(file))[1:] if row])


def compare(task: Task, series: np.ndarray, layer: str, seed: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return what came in the held-out months, (n, horizon), and what each way of forecasting had said."""
    windows, after = nn.datasets.windows(task.scaled(series), task.width, task.horizon)
    season_before = windows[:, -task.season :, 0][:, : task.horizon]
    first = len(series) - task.held_out - task.width  # the window before the first month that is held out
    train, test = slice(0, first - task.horizon + 1), slice(first, None)  # no month is in targets of both

    # How high a growing series stands, no window of the past has shown: the network sees distances from the last value.
    X = windows - windows[:, -1:] if task.changes else windows
    base = season_before if task.changes else np.zeros_like(after)
    said = base[test] + network_forecasts(task, X[train], (after - base)[train], X[test], layer, seed)

    change = (after - season_before)[train].mean()
    forecasts = {
        "last value": np.broadcast_to(windows[test, -1], after[test].shape),
        "a season before": season_before[test],
        "season and change": season_before[test] + change,
        "network": said,
    }
    return task.unscaled(after[test]), {name: task.unscaled(values) for name, values in forecasts.items()}


def network_forecasts(
    task: Task, X: np.ndarray, y: np.ndarray, X_test: np.ndarray, layer: str, seed: int
) -> np.ndarray:
    """Train a network on windows X and what came after, (n, horizon); return what it says of other windows."""
    center, spread = X.mean(), X.std()
    model = nn.Sequential(LAYERS[layer](1, 32), nn.Linear(32, task.horizon), seed=seed)
    model.compile("mse", nn.Adam(lr=nn.Cosine(3e-3, epochs=task.epochs)), clip_norm=1.0)
    model.fit((X - center) / spread, (y - y.mean()) / y.std(), epochs=task.epochs, batch_size=16, verbose=0)
    return model.predict((X_test - center) / spread) * y.std() + y.mean()


def draw(pictures: list[tuple[Task, np.ndarray, np.ndarray]], path: str) -> None:
    """Draw the ends of the series and, from each horizon to the next, what the network had said."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 7), layout="constrained")
    for ax, (task, series, said) in zip(figure.subplots(len(pictures)), pictures, strict=True):
        first = len(series) - task.held_out
        start = first - task.held_out // 4
        ax.plot(range(start, len(series)), series[start:], color="0.6", label="what came")
        for i in range(0, len(said), task.horizon):
            label = f"said up to {task.horizon} months ahead" if i == 0 else None
            ax.plot(range(first + i, first + i + task.horizon), said[i], color="C1", label=label)
        ax.axvline(first, color="0.8", linestyle=":")
        ax.set(title=task.file, xlabel="month of the series")
        ax.legend()
    figure.savefig(path)
    print(f"\ndrawn: {path}")


if __name__ == "__main__":
    main()
