"""A training loop of one's own: forward, backward, step, and a loss that the library does not have.

``fit`` covers the usual. Sometimes one wants something else, here: not the value to expect, but the value that is not
exceeded in nine cases of ten, as a baker does who prefers some left-over bread to an empty shelf. The loss for that is
the pinball loss (Koenker and Bassett, Econometrica 46, 1978): a prediction that is too low costs nine times as much as
one that is too high by the same amount.

    python examples/06_custom_training_loop.py
"""

import numpy as np

import nnext as nn

QUANTILE = 0.9


def pinball(y_pred: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the loss and its gradient with respect to y_pred."""
    missing = y - y_pred
    loss = np.maximum(QUANTILE * missing, (QUANTILE - 1) * missing).mean()
    return float(loss), np.where(missing > 0, -QUANTILE, 1 - QUANTILE) / y.size


def main(short: bool = False) -> dict[str, float]:
    """Train in three ways; return what each one came to."""
    random = np.random.default_rng(0)
    X = random.uniform(-1, 1, size=(1000, 1))
    y = np.sin(3 * X) + (0.2 + 0.3 * (X + 1)) * random.normal(size=X.shape)  # the noise grows to the right
    epochs = 30 if short else 150

    # 1. By hand: the network gives outputs, we give it the gradient of any loss in these outputs.
    model = nn.MLP([1, 32, 1], activation="tanh", dtype="float64")
    model.compile(loss="mse", optimizer=nn.Adam())  # for step(); the loss is not used below
    for epoch in range(epochs):
        model.optimizer.lr = learning_rate(epoch, epochs)
        order = random.permutation(len(X))
        total = 0.0
        for rows in np.split(order, 20):
            loss, dY = pinball(model.forward(X[rows]), y[rows])
            model.backward(dY)  # the gradients of all parameters are in model.grads() now
            model.step()
            total += loss / 20
        if epoch in (0, 1, 4, 19, epochs - 1):
            print(f"epoch {epoch + 1:3}: pinball loss {total:.4f}, {below(model, X, y):.1%} of the points are below")
    result = {"share below the curve": below(model, X, y)}

    # 2. The same loss, given to fit: the shortest way where the rest is as usual.
    again = nn.MLP([1, 32, 1], activation="tanh", dtype="float64")
    again.compile(loss=pinball, optimizer=nn.Adam())
    again.fit(X, y, epochs=epochs, batch_size=50, callbacks=[SlowDown()], verbose=0)
    result["share below the curve of fit"] = below(again, X, y)
    print(f"\nthe same loss within fit:             {below(again, X, y):.1%} of the points are below")

    # 3. loss_and_grads: all gradients of a built-in loss in one call, to look at or to use in an update of one's own.
    plain = nn.MLP([1, 32, 1], activation="tanh", dtype="float64")
    plain.compile(loss="mse")
    for _ in range(epochs):
        loss, grads = plain.loss_and_grads(X, y)
        weights = plain.state_dict()
        plain.load_state_dict({name: weights[name] - 0.1 * grads[name] for name in weights})
    length = np.sqrt(sum((g**2).sum() for g in grads.values()))
    result["mse"] = plain.evaluate(X, y)["loss"]
    print(f"gradient descent in one line, on mse: loss {loss:.4f}, length of the gradient {length:.4f}")
    return result


def learning_rate(epoch: int, epochs: int) -> float:
    """Return a rate that falls to 0: 50 points tell only roughly where to go, and small last steps even that out."""
    return 0.02 * (1 - epoch / epochs)


class SlowDown(nn.Callback):
    """Does the same within fit."""

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        """Set the rate of the epoch to come."""
        self.model.optimizer.lr = learning_rate(epoch, self.params["epochs"])


def below(model: nn.Sequential, X: np.ndarray, y: np.ndarray) -> float:
    """Return the share of points that lie below the network's curve."""
    return float((y <= model.predict(X)).mean())


if __name__ == "__main__":
    main()
