"""Handwritten digits: MNIST, the task that every network is tried on.

60,000 images of 28 x 28 pixels to learn from, 10,000 for the test. One hidden layer of 128 neurons and ten times
through the data are enough to read about 98 of 100 digits right.

    python examples/05_mnist.py --folder path/of/the/four/files
    python examples/05_mnist.py          # from NNEXT_DATA, else downloaded: pip install "nnext-learn[datasets]"
"""

import argparse
import time
from collections.abc import Sequence

import numpy as np

import nnext as nn


def main(argv: Sequence[str] | None = None) -> float:
    """Train and test; return the accuracy on the test images."""
    parser = argparse.ArgumentParser(description="Learn to read MNIST's handwritten digits.")
    parser.add_argument("--folder", help="where the four files of MNIST are (default: NNEXT_DATA, cache, download)")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--save", metavar="FILE", help="keep the trained model in a .safetensors file")
    options = parser.parse_args(argv)

    (X, y), (X_test, y_test) = nn.datasets.load_mnist(options.folder)
    # Pixels are bytes, 0 to 255. Without the average of all digits, a grey blot, what remains tells them apart.
    mean = X.mean(axis=0, dtype="float32")
    X, X_centred = (X - mean) / np.float32(255), (X_test - mean) / np.float32(255)

    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
    model.compile(loss="cross_entropy", optimizer=nn.Adam(lr=1e-3), metrics=["accuracy"])
    model.summary()

    started = time.perf_counter()
    model.fit(X, y, epochs=options.epochs, batch_size=128)
    seconds = time.perf_counter() - started

    result = model.evaluate(X_centred, y_test)
    print(f"\ntest accuracy {result['accuracy']:.4f}, loss {result['loss']:.4f}, after {seconds:.1f} s of training")

    probabilities = model.predict_proba(X_centred)
    says, sure = probabilities.argmax(axis=1), probabilities.max(axis=1)
    hard = sure.argmin()
    print(f"hardest is test image {hard}: {sure[hard]:.0%} sure that it is {says[hard]}, right is {y_test[hard]}\n")
    print(drawn(X_test[hard]))

    if options.save:
        model.save(options.save)
        print(f"saved as {options.save}; look at it with: python -m nnext info {options.save}")
    return result["accuracy"]


def drawn(image: np.ndarray) -> str:
    """Draw an image in letters, every second row: a letter is about twice as high as wide."""
    ink = np.array(list(" .:-=+*#%@"))
    return "\n".join("".join(ink[(row * 9).round().astype(int)]).rstrip() for row in image[::2] / 255)


if __name__ == "__main__":
    main()
