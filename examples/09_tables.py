"""Three tables of the world: the age of a shell, the taste of a wine, the price of a house.

Each is a file of comma-separated values whose last column is the number to foretell. Not all columns are numbers, some
cells may be empty or "?", and units differ: so words become a column for each of them that is 1 or 0, what is missing
becomes the column's mean, and all columns are brought to one scale, by what the training rows say. Whether a network
was worth its trouble is told by the plainest rule there is, a weighted sum of the columns (least squares), on rows that
neither has seen. R^2 is the share of the spread of these rows that is explained; the network's was larger for each
table in each of eight divisions (the `seed` of `compare`).

    python examples/09_tables.py --folder tables

The files are in the UCI Machine Learning Repository (https://archive.ics.uci.edu) as abalone, wine quality (white) and
Boston housing; NNEXT_TABLES may name their folder as well.
"""

import argparse
import csv
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import nnext as nn

TABLES = {
    "abalone.csv": "rings of a shell",
    "winequality-white.csv": "taste, 0 to 10",
    "housing.csv": "price in 1000 $",
}


def main(arguments: Sequence[str] | None = None) -> dict[str, tuple[float, float]]:
    """Train a network for each table; return R^2 of the weighted sum and of the network, on test rows."""
    parser = argparse.ArgumentParser(description="Foretell the last column of tables.")
    parser.add_argument(
        "--folder", default=os.environ.get("NNEXT_TABLES"), help="of the files; NNEXT_TABLES by default"
    )
    parser.add_argument("--epochs", type=int, default=300, help="at most")
    options = parser.parse_args(arguments)
    if options.folder is None:
        parser.error("name the folder of the tables: --folder, or NNEXT_TABLES")
    print(f"{'table':24s}{'rows':>6s}{'columns':>9s}   R^2 of a weighted sum   of the network   off by on average")
    return {name: compare(Path(options.folder) / name, options.epochs) for name in TABLES}


def compare(path: Path, epochs: int, seed: int = 0) -> tuple[float, float]:
    """Return R^2 of the weighted sum and of the network, on a quarter of the rows."""
    *columns, last = read_columns(path)
    y = np.array(last, dtype=float)
    train, test = nn.datasets.train_test_split(np.arange(len(y)), y, test_size=0.25, stratify=False, seed=seed)[:2]
    X = np.hstack([encoded(column, train) for column in columns])

    weights = np.linalg.lstsq(with_ones(X[train]), y[train])[0]
    plain = nn.metrics.r2(y[test], with_ones(X[test]) @ weights)

    mean, deviation = y[train].mean(), y[train].std()
    model = nn.MLP([X.shape[1], 64, 64, 1], activation="gelu", dropout=0.1)
    model.compile(loss="huber", optimizer=nn.Adam(lr=2e-3, weight_decay=1e-3), metrics=["r2"])
    stop = nn.EarlyStopping(patience=60, restore_best_weights=True)
    scaled = (y[train] - mean) / deviation
    model.fit(X[train], scaled, epochs=epochs, batch_size=64, validation_split=0.2, callbacks=stop, verbose=0)
    said = model.predict(X[test])[:, 0] * deviation + mean
    network = nn.metrics.r2(y[test], said)

    print(
        f"{path.name:24s}{len(y):6d}{X.shape[1]:9d}{plain:20.3f}{network:20.3f}"
        f"{nn.metrics.mae(y[test], said):15.2f}  {TABLES[path.name]}"
    )
    return plain, network


def read_columns(path: Path) -> list[list[str]]:
    """Return the cells of each column, without the spaces around them."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = [[cell.strip() for cell in row] for row in csv.reader(file) if row]
    return [list(column) for column in zip(*rows, strict=True)]


def encoded(cells: list[str], train: np.ndarray) -> np.ndarray:
    """Return columns of mean 0 and deviation 1 in the training rows: one of numbers, or one for each word."""
    try:
        numbers = np.array([float("nan" if cell in ("", "?") else cell) for cell in cells])[:, None]
        numbers[np.isnan(numbers)] = np.nanmean(numbers[train])
    except ValueError:  # words
        numbers = (np.array(cells)[:, None] == np.unique(cells)).astype(float)
    deviation = numbers[train].std(axis=0)
    return (numbers - numbers[train].mean(axis=0)) / np.where(deviation > 0, deviation, 1)


def with_ones(X: np.ndarray) -> np.ndarray:
    """Return X with a column of ones, whose weight is the constant of the sum."""
    return np.hstack([X, np.ones((len(X), 1))])


if __name__ == "__main__":
    main()
