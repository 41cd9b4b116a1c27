"""A table with ten columns: learn to tell the rows of two classes apart.

Most data of the world lie in tables. This one is made up: two classes, each of two groups of rows, in six columns that
tell something and four that are noise, in units that have nothing to do with each other. Three habits are worth
learning here: hold out rows for a test before anything else; bring the columns to the same scale; look at loss *and*
accuracy, on rows that were trained on and on rows that were not. Where these two part, the network has begun to learn
its rows by heart.

    python examples/04_tabular.py
"""

import numpy as np

import nnext as nn


def main(short: bool = False) -> dict[str, float]:
    """Train; return loss and accuracy on the test rows."""
    X, y = make_table(n=1000 if short else 4000)
    X_train, X_test, y_train, y_test = nn.datasets.train_test_split(X, y, test_size=0.25)

    # Mean and deviation come from the training rows alone: the test must stay unseen.
    mean, deviation = X_train.mean(axis=0), X_train.std(axis=0)
    X_train, X_test = (X_train - mean) / deviation, (X_test - mean) / deviation

    model = nn.Sequential(
        nn.Linear(10, 10), nn.ReLU(),
        nn.Linear(10, 10), nn.ReLU(),
        nn.Linear(10, 1), nn.Sigmoid(),
    )  # fmt: skip
    model.compile(loss="bce", optimizer=nn.Adam(lr=0.01), metrics=["accuracy"])
    model.summary()
    print()
    model.fit(X_train, y_train, epochs=20, batch_size=32, validation_data=(X_test, y_test), verbose=2)

    result = model.evaluate(X_test, y_test)
    always_the_same = max(y_test.mean(), 1 - y_test.mean())
    print(f"\ntest: loss {result['loss']:.4f}, accuracy {result['accuracy']:.4f}")
    print(f"saying always the same would be right for {always_the_same:.4f}")
    return result


def make_table(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (n, 10) numbers and n labels, 0 or 1."""
    random = np.random.default_rng(0)
    centres = 2.0 * random.choice([-1, 1], size=(4, 6))
    group = random.integers(4, size=n)
    informative = centres[group] + 1.5 * random.normal(size=(n, 6))
    X = np.hstack([informative, random.normal(size=(n, 4))])
    units = 10.0 ** random.integers(-2, 4, size=10)  # from hundredths to thousands
    return X * units, group % 2


if __name__ == "__main__":
    main()
