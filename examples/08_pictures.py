"""What has the network learned? Six pictures of a training and of what came of it.

A small network reads the handwritten digits that come with the package. The pictures show how the training went, which
digits are taken for which, whether 90% sure is right nine times of ten, what the first layer looks for, how large the
numbers are that each layer gives, and which pixels decide about one digit: the gradient of its own loss in them.

    python examples/08_pictures.py                    # writes pictures.png
    python examples/08_pictures.py --out other.svg
"""

import argparse
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

import nnext as nn


def main(argv: Sequence[str] | None = None) -> np.ndarray:
    """Train, draw, and return the saliency map of the first test digit, (8, 8)."""
    parser = argparse.ArgumentParser(description="Draw what a network has learned about digits.")
    parser.add_argument("--out", default="pictures.png", help="the file; its ending decides the format")
    parser.add_argument("--epochs", type=int, default=20)
    options = parser.parse_args(argv)

    X, y = nn.datasets.load_digits()
    X_train, X_test, y_train, y_test = nn.datasets.train_test_split(X / 16, y)
    model = nn.MLP([64, 36, 10], dropout=0.2)
    model.compile(loss="cross_entropy", optimizer=nn.Adam(lr=5e-3))
    history = model.fit(X_train, y_train, epochs=options.epochs, validation_data=(X_test, y_test))

    # Every picture goes into axes that it is given, so they fit on one page.
    figure = Figure(figsize=(16, 9), layout="constrained")
    panels = figure.subplots(2, 3).ravel()
    nn.plot.learning_curves(history, ax=panels[0])
    nn.plot.confusion_matrix(model, X_test, y_test, ax=panels[1])
    nn.plot.calibration(model, X_test, y_test, ax=panels[2])
    nn.plot.weights(model, 0, image_shape=(8, 8), ax=panels[3])
    nn.plot.activation_histogram(model, X_test, ax=panels[4])

    saliency = np.abs(model.input_gradient(X_test[:1], y_test[:1])).reshape(8, 8)
    shown = panels[5].imshow(saliency, cmap="viridis")
    figure.colorbar(shown, ax=panels[5], label="change of the loss by a pixel")
    panels[5].set(title=f"pixels that decide about a {y_test[0]}", xticks=[], yticks=[])
    figure.savefig(options.out, dpi=100)
    print(f"\npictures: {options.out}")
    return saliency


if __name__ == "__main__":
    main()
