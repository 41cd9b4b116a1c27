"""A larger network that does not learn its samples by heart: MNIST with everything that keeps it from that.

Two layers of 512 neurons could memorize 60,000 images. Against that stand dropout (Srivastava and others, 2014), which
drops other neurons in each step, batch normalization (Ioffe and Szegedy, 2015), smoothed labels (Szegedy and others,
2016), which never ask for more than 91 % of certainty, and steps that become smaller along a cosine (Loshchilov and
Hutter, 2017). Pixels stay bytes. A loss of 0.50 would be the least possible here: that of the smoothed labels alone.

    python examples/10_regularized.py --folder path/of/the/four/files
    python examples/10_regularized.py --seeds 3          # from NNEXT_DATA, else downloaded
"""

import argparse
import time
from collections.abc import Sequence

import numpy as np

import nnext as nn


def network(seed: int) -> nn.Sequential:
    """Return the network."""
    hidden = [[nn.Linear(size, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Dropout(0.3)] for size in (784, 512)]
    return nn.Sequential(nn.Flatten(), nn.Dropout(0.1), *hidden[0], *hidden[1], nn.Linear(512, 10), seed=seed)


def main(argv: Sequence[str] | None = None) -> float:
    """Train and test; return the accuracy on the test images, the mean over the seeds."""
    parser = argparse.ArgumentParser(description="Learn to read MNIST's digits, and not by heart.")
    parser.add_argument("--folder", help="where the four files of MNIST are (default: NNEXT_DATA, cache, download)")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=1, help="how many networks, with seeds 0, 1, ...")
    options = parser.parse_args(argv)

    (X, y), (X_test, y_test) = nn.datasets.load_mnist(options.folder)
    found = []
    for seed in range(options.seeds):
        model = network(seed)
        # Batch normalization bears large steps; the first epoch leads up to them.
        rate = nn.Cosine(5e-3, epochs=options.epochs, warmup=min(1, options.epochs / 2))
        model.compile(nn.CrossEntropy(label_smoothing=0.1), nn.Adam(lr=rate), metrics=["accuracy"])
        started = time.perf_counter()
        model.fit(X, y, epochs=options.epochs, batch_size=64, scale=1 / 255)
        found.append(model.evaluate(X_test, y_test, scale=1 / 255)["accuracy"])
        print(f"seed {seed}: test accuracy {found[-1]:.4f} after {time.perf_counter() - started:.1f} s of training")
    print(f"mean of {len(found)}: {np.mean(found):.4f}")
    return float(np.mean(found))


if __name__ == "__main__":
    main()
