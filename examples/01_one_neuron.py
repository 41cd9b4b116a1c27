"""One neuron learns to turn degrees Celsius into degrees Fahrenheit.

A neuron multiplies its input by a weight and adds a bias: ``y = weight * x + bias``. Nobody tells it the rule. It sees
six thermometers with both scales, says what it thinks, and moves weight and bias a little, down the slope of its error.
That slope is the gradient, and going down it again and again is all there is to learning.

    python examples/01_one_neuron.py
"""

import numpy as np

import nnext as nn


def main(short: bool = False) -> tuple[float, float]:
    """Train; return the weight and the bias found."""
    celsius = np.array([[-10.0], [0.0], [8.0], [15.0], [22.0], [38.0]])
    fahrenheit = np.array([14.0, 32.0, 46.4, 59.0, 71.6, 100.4])
    X = celsius / 10  # inputs near 1 let one learning rate suit both numbers

    neuron = nn.Sequential(nn.Linear(1, 1, weight_init="zeros", bias_init="zeros"), dtype="float64")
    neuron.compile(loss="mse", optimizer=nn.SGD(lr=0.1))

    # The very first step, by hand. The loss is the mean of (y_pred - y)^2, so its slope for the weight is the mean of
    # 2 (y_pred - y) x, and for the bias the mean of 2 (y_pred - y).
    loss, grads = neuron.loss_and_grads(X, fahrenheit)
    error = neuron.predict(X).ravel() - fahrenheit
    print(f"loss at the start          {loss:10.2f}   by hand {np.mean(error**2):10.2f}")
    print(f"its slope for the weight   {grads['0.weight'].item():10.2f}   by hand {np.mean(2 * error * X[:, 0]):10.2f}")
    print(f"its slope for the bias     {grads['0.bias'].item():10.2f}   by hand {np.mean(2 * error):10.2f}\n")

    for step in range(200):
        neuron.fit(X, fahrenheit, batch_size=6, shuffle=False, verbose=0)
        if step in (0, 1, 3, 10, 40, 199):
            weight, bias = parameters(neuron)
            print(f"after {step + 1:3} steps: fahrenheit = {weight / 10:6.4f} * celsius + {bias:7.4f}")

    print(f"\n100 degrees Celsius are {neuron.predict([[100 / 10]]).item():.1f} degrees Fahrenheit")
    return parameters(neuron)


def parameters(neuron: nn.Sequential) -> tuple[float, float]:
    """Return the neuron's two numbers."""
    state = neuron.state_dict()
    return state["0.weight"].item(), state["0.bias"].item()


if __name__ == "__main__":
    main()
