"""The adding problem: what a state must carry through many steps, gates carry and a plain state does not.

At each of T steps there is a number of 0 to 1 and a mark, which is 1 at two of the steps and 0 at all others; the
answer is the sum of the two marked numbers (Hochreiter and Schmidhuber, Neural Computation 9, 1997, experiment 4, with
the numbers of Le, Jaitly and Hinton, arXiv:1504.00941). One mark is in the first half, so its number must be kept for
half the sequence or more. Who always says 1, the mean, has a mean squared error of 1/6, the variance of such a sum.

The state of an RNN goes through its weights and a tanh at each step, and so does the gradient on its way back: after a
hundred of them hardly anything is left, or far too much (Bengio, Simard and Frasconi, IEEE Transactions on Neural
Networks 5, 1994). GRU and LSTM add to their state, and a gate near 1 hands it on unchanged. With rates of 1e-3 and
2e-3 the RNN stays at 1/6 as well.

    python examples/14_adding_problem.py              # T = 200, about 20 seconds
    python examples/14_adding_problem.py --steps 400
"""

import argparse
import time
from collections.abc import Iterator, Sequence

import numpy as np

import nnext as nn

LAYERS: dict[str, type[nn.RNN | nn.GRU | nn.LSTM]] = {"RNN": nn.RNN, "GRU": nn.GRU, "LSTM": nn.LSTM}


def main(arguments: Sequence[str] | None = None) -> dict[str, float]:
    """Train a network of each layer on the same samples; return their mean squared errors."""
    parser = argparse.ArgumentParser(description="Add two numbers that stand far apart in a sequence.")
    parser.add_argument("--steps", type=int, default=200, help="of a sequence")
    parser.add_argument("--updates", type=int, default=4000, help="at most")
    parser.add_argument("--lr", type=float, default=5e-3)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)

    X, y = samples(1000, options.steps, np.random.default_rng([options.seed, 1]))
    print(f"always 1:  mean squared error {np.mean((y - 1) ** 2):.4f}")
    return {name: trained(name, X, y, options) for name in LAYERS}


def trained(name: str, X: np.ndarray, y: np.ndarray, options: argparse.Namespace) -> float:
    """Train until the error on X and y is small or the updates are spent; return it."""
    rng = np.random.default_rng([options.seed, 0])

    def batches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        while True:  # no sample comes twice, so there is nothing to learn by heart
            yield samples(32, options.steps, rng)

    model = nn.Sequential(LAYERS[name](2, 32), nn.Linear(32, 1), seed=options.seed)
    # Where gradients grow along the sequence, one of them could undo all that was learned: hence the clipping.
    model.compile("mse", nn.Adam(lr=options.lr), clip_norm=1.0)

    def stop(_: int, logs: dict[str, float]) -> None:
        model.stop_training = logs["val_loss"] < 0.002

    started = time.perf_counter()
    history = model.fit(
        batches,
        steps_per_epoch=100,
        epochs=max(1, options.updates // 100),
        validation_data=(X, y),
        callbacks=nn.LambdaCallback(on_epoch_end=stop),
        verbose=0,
    )
    seconds, error = time.perf_counter() - started, history["val_loss"][-1]
    updates = 100 * len(history["val_loss"])
    print(f"{name + ':':9s}  mean squared error {error:.4f} after {updates} updates, {seconds:.1f} s")
    return error


def samples(n: int, steps: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return n sequences of numbers and marks, (n, steps, 2), and the sums of the marked numbers, (n,)."""
    numbers, marks, rows = rng.random((n, steps)), np.zeros((n, steps)), np.arange(n)
    marks[rows, rng.integers(steps // 2, size=n)] = 1
    marks[rows, rng.integers(steps // 2, steps, size=n)] = 1
    return np.stack([numbers, marks], axis=2).astype("float32"), (numbers * marks).sum(axis=1)


if __name__ == "__main__":
    main()
