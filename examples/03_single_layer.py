"""A single layer finds out which of three inputs matters.

Four rows of three numbers, and the answer is always the first number: the network must learn to trust input 0 and to
ignore the others. It is the example of many first courses ("a neural network in nine lines"), and its loop is here
twice: written out with NumPy, and as a model. Both start from the same weights and end with the same ones.

    python examples/03_single_layer.py
"""

import numpy as np

import nnext as nn

X = np.array([[0, 0, 1], [1, 1, 1], [1, 0, 1], [0, 1, 1]], dtype="float64")
y = np.array([0, 1, 1, 0])


def main(short: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Train both; return the model's weights and NumPy's."""
    epochs = 500 if short else 10_000
    model = nn.Sequential(nn.Linear(3, 1, bias=False), nn.Sigmoid(), dtype="float64", seed=1)
    by_hand = model.state_dict()["0.weight"].ravel()

    # The mean of four squared errors has the slope 2/4 * sum(...), so lr=2 makes the step of the loop below.
    model.compile(loss="mse", optimizer=nn.SGD(lr=2))
    model.fit(X, y, epochs=epochs, batch_size=4, shuffle=False, verbose=0)

    for _ in range(epochs):
        output = 1 / (1 + np.exp(-X @ by_hand))
        by_hand += X.T @ ((y - output) * output * (1 - output))

    weights = model.state_dict()["0.weight"].ravel()
    print(f"weights of the model   {weights.round(4)}   the first input decides")
    print(f"weights by hand        {by_hand.round(4)}\n")
    for row, right in zip(X, y, strict=True):
        print(f"{row.astype(int)} -> {right}   the network says {model.predict([row]).item():.3f}")
    print(f"[1 0 0], which it has never seen: {model.predict([[1, 0, 0]]).item():.3f}")
    return weights, by_hand


if __name__ == "__main__":
    main()
