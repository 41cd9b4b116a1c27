"""XOR: the smallest task that one layer cannot learn.

"Either, but not both". No straight line divides the points (0, 0) and (1, 1) from (0, 1) and (1, 0), so a single neuron
must fail; Minsky and Papert's book about that (Perceptrons, 1969) is a famous one. Two hidden neurons are enough: each
draws a line of its own, and the output neuron asks whether a point lies between them.

The network goes through the four rows one at a time and learns from each at once, as in the early days: stochastic
gradient descent with a batch of 1.

    python examples/02_xor.py        # try other seeds: main(seed=9) gets stuck, its loss never falls below 1/8
"""

import numpy as np

import nnext as nn


def main(short: bool = False, seed: int = 0) -> np.ndarray:
    """Train; return the four predictions."""
    X, y = nn.datasets.make_xor()
    model = nn.Sequential(nn.Linear(2, 2), nn.Sigmoid(), nn.Linear(2, 1), nn.Sigmoid(), seed=seed)
    model.compile(loss="mse", optimizer=nn.SGD(lr=0.5))
    history = model.fit(X, y, epochs=5000, batch_size=1, verbose=0)

    for epoch in (0, 499, 999, 1999, 4999):
        print(f"epoch {epoch + 1:4}: loss {history.history['loss'][epoch]:.4f}")
    predictions = model.predict(X).ravel()
    print()
    for (a, b), right, predicted in zip(X, y, predictions, strict=True):
        print(f"{a:.0f} xor {b:.0f} = {right}   the network says {predicted:.3f}")

    # What did the hidden neurons learn? Each has a line on which it is undecided: w1 a + w2 b + bias = 0.
    state = model.state_dict()
    print()
    for i, ((w1, w2), bias) in enumerate(zip(state["0.weight"], state["0.bias"], strict=True)):
        print(f"hidden neuron {i}: is {w1:+.2f} a {w2:+.2f} b {bias:+.2f} above 0?")
    return predictions


if __name__ == "__main__":
    main()
