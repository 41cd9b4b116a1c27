"""Images: convolutions read MNIST's digits, in two shapes of network.

"lenet" is LeNet-5 of LeCun and others (1998), with ReLU and maxima: two convolutions, each followed by a pool that
halves the image, then three layers as in 05_mnist.py. "inception" lets three branches with windows of different sizes
look at the same image and puts their channels side by side, as Szegedy and others did (2015). Pixels stay bytes.

    python examples/07_images.py --folder path/of/the/four/files
    python examples/07_images.py --network inception   # from NNEXT_DATA, else downloaded
"""

import argparse
import time
from collections.abc import Sequence

import nnext as nn


def lenet() -> nn.Sequential:
    """Return LeNet-5: 61,706 numbers to learn."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2),  # (1, 28, 28) -> (6, 28, 28)
        nn.ReLU(),
        nn.MaxPool2d(2),  # (6, 14, 14)
        nn.Conv2d(6, 16, 5),  # (16, 10, 10)
        nn.ReLU(),
        nn.MaxPool2d(2),  # (16, 5, 5)
        nn.Flatten(),  # (400,)
        nn.Linear(400, 120),
        nn.ReLU(),
        nn.Linear(120, 84),
        nn.ReLU(),
        nn.Linear(84, 10),
        input_shape=(1, 28, 28),
    )


def inception() -> nn.Sequential:
    """Return a small network around one inception block, with no hidden layer behind it."""
    block = nn.Branches(
        [nn.Conv2d(8, 8, 1), nn.ReLU()],
        [nn.Conv2d(8, 8, 1), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1), nn.ReLU()],
        [nn.MaxPool2d(3, stride=1, padding=1), nn.Conv2d(8, 8, 1), nn.ReLU()],
    )
    return nn.Sequential(
        nn.Conv2d(1, 8, 5, stride=2, padding=2),  # (1, 28, 28) -> (8, 14, 14)
        nn.ReLU(),
        block,  # (24, 14, 14): 8 channels of each branch
        nn.BatchNorm2d(24),
        nn.MaxPool2d(2),  # (24, 7, 7)
        nn.Flatten(),
        nn.Linear(24 * 7 * 7, 10),
        input_shape=(1, 28, 28),
    )


def main(argv: Sequence[str] | None = None) -> float:
    """Train and test; return the accuracy on the test images."""
    parser = argparse.ArgumentParser(description="Learn to read MNIST's digits with convolutions.")
    parser.add_argument("--folder", help="where the four files of MNIST are (default: NNEXT_DATA, cache, download)")
    parser.add_argument("--network", choices=["lenet", "inception"], default="lenet")
    parser.add_argument("--epochs", type=int, default=5)
    options = parser.parse_args(argv)

    (X, y), (X_test, y_test) = nn.datasets.load_mnist(options.folder)
    model = lenet() if options.network == "lenet" else inception()
    model.summary()

    # Half an epoch of larger and larger steps, then smaller and smaller ones, to 0 at the end.
    rate = nn.Cosine(2e-3, epochs=options.epochs, warmup=0.5)
    model.compile(loss="cross_entropy", optimizer=nn.Adam(lr=rate), metrics=["accuracy"])
    started = time.perf_counter()
    model.fit(X, y, epochs=options.epochs, batch_size=64, scale=1 / 255)
    seconds = time.perf_counter() - started

    result = model.evaluate(X_test, y_test, scale=1 / 255)
    print(f"\ntest accuracy {result['accuracy']:.4f} after {options.epochs} epochs, {seconds:.1f} s of training")
    return result["accuracy"]


if __name__ == "__main__":
    main()
