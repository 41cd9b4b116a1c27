"""Pictures: where all of them are drawn, what stands at their axes, and what they refuse."""

import inspect
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nnext as nn
from support import run_python, unchanged

pytest.importorskip("matplotlib", reason="matplotlib is not installed, which draws the pictures")

from matplotlib.axes import Axes
from matplotlib.figure import Figure

X = np.random.default_rng(1).normal(size=(12, 2))
Y = np.array([0, 1, 1] * 4)


def axes() -> Axes:
    return Figure().subplots()


@pytest.fixture(scope="module")
def model() -> nn.Sequential:
    net = nn.MLP([2, 4, 2])
    net.compile(loss="cross_entropy")
    net.fit(X, Y, epochs=2, verbose=0)
    return net


CONV = nn.Sequential(nn.Conv2d(2, 3, 3))
# Each function with arguments that suit it, and what stands at the axes.
PICTURES: dict[str, tuple[Callable[..., Axes], str, str]] = {
    "learning_curves": (lambda m, **ax: nn.plot.learning_curves(m.history, **ax), "epoch", "loss"),
    "confusion_matrix": (lambda m, **ax: nn.plot.confusion_matrix(m, X, Y, **ax), "predicted class", "true class"),
    "decision_boundary": (
        lambda m, **ax: nn.plot.decision_boundary(m, X, Y, resolution=5, **ax),
        "feature 0 (units of X)",
        "feature 1 (units of X)",
    ),
    "calibration": (
        lambda m, **ax: nn.plot.calibration(m, X, Y, **ax),
        "confidence (probability of the predicted class)",
        "accuracy (share that is right)",
    ),
    "residuals": (
        lambda m, **ax: nn.plot.residuals(m, X, np.eye(2)[Y], **ax),
        "prediction (units of y)",
        "residual: y - prediction (units of y)",
    ),
    "weights": (lambda m, **ax: nn.plot.weights(m, **ax), "feature that goes in", "unit"),
    "filters": (lambda m, **ax: nn.plot.filters(CONV, **ax), "input channel", "output channel"),
    "activation_histogram": (
        lambda m, **ax: nn.plot.activation_histogram(m, X, **ax),
        "activation",
        "share of the layer's activations",
    ),
    "gradient_histogram": (
        lambda m, **ax: nn.plot.gradient_histogram(m, X, Y, **ax),
        "size of a parameter's gradient",
        "share of the layer's parameters",
    ),
    "network_diagram": (lambda m, **ax: nn.plot.network_diagram(m, **ax), "", ""),
}
every_picture = pytest.mark.parametrize("name", PICTURES)


def test_every_function_is_in_the_table() -> None:
    assert sorted(PICTURES) == sorted(nn.plot.__all__)
    assert all("ax" in inspect.signature(getattr(nn.plot, name)).parameters for name in PICTURES)


@every_picture
def test_axes_that_are_given_are_drawn_into_and_returned(model: nn.Sequential, name: str) -> None:
    draw, x, y = PICTURES[name]
    ax = axes()
    with unchanged(model):
        assert draw(model, ax=ax) is ax
    assert (ax.get_xlabel(), ax.get_ylabel()) == (x, y)
    assert ax.has_data() or ax.patches
    ax.figure.savefig("/dev/null", format="png", dpi=20)  # nothing is left that cannot be drawn


@every_picture
def test_without_axes_the_figure_is_pyplots(model: nn.Sequential, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPLBACKEND", "Agg")
    from matplotlib import pyplot

    pyplot.switch_backend("Agg")
    before = pyplot.get_fignums()
    ax = PICTURES[name][0](model)
    assert [number for number in pyplot.get_fignums() if number not in before] == [ax.figure.number]
    pyplot.close(ax.figure)


def test_pyplot_is_imported_for_a_figure_of_its_own_alone() -> None:
    code = """
import sys
import numpy as np
import nnext as nn
assert "matplotlib" not in sys.modules
nn.plot
assert "matplotlib" not in sys.modules
from matplotlib.figure import Figure
X, y = np.eye(4, 2), np.array([0, 1, 1, 0])
model = nn.MLP([2, 3, 2])
model.compile("cross_entropy")
history = model.fit(X, y, verbose=0)
nn.plot.learning_curves(history, ax=Figure().subplots())
nn.plot.confusion_matrix(model, X, y, ax=Figure().subplots())
nn.plot.decision_boundary(model, X, y, resolution=5, ax=Figure().subplots())
nn.plot.calibration(model, X, y, ax=Figure().subplots())
nn.plot.residuals(model, X, np.eye(2)[y], ax=Figure().subplots())
nn.plot.weights(model, ax=Figure().subplots())
nn.plot.filters(nn.Sequential(nn.Conv2d(1, 2, 3)), ax=Figure().subplots())
nn.plot.activation_histogram(model, X, ax=Figure().subplots())
nn.plot.gradient_histogram(model, X, y, ax=Figure().subplots())
nn.plot.network_diagram(model, ax=Figure().subplots())
assert "matplotlib.pyplot" not in sys.modules
nn.plot.weights(model)
assert "matplotlib.pyplot" in sys.modules
"""
    result = run_python(code, MPLBACKEND="Agg")
    assert result.returncode == 0, result.stderr


@every_picture
def test_without_matplotlib_it_says_how_to_get_it(
    model: nn.Sequential, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ax = axes()
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    for arguments in ({}, {"ax": ax}):
        with pytest.raises(
            ImportError, match=r'\[plot\] matplotlib is not installed; pip install "nnext-learn\[plot\]"'
        ):
            PICTURES[name][0](model, **arguments)


@every_picture
def test_what_is_no_axes_is_refused(model: nn.Sequential, name: str) -> None:
    for wrong in (Figure(), "axes", np.array([axes()])):
        with pytest.raises(TypeError, match=rf"\[{name}\] ax is .*; give the axes of a figure"):
            PICTURES[name][0](model, ax=wrong)


def smallest_distance(colours: Any) -> float:
    """Return how far the most similar two of some colours are from each other in sRGB, for people without red or green.

    What they see is that of F. Vienot, H. Brettel and J. D. Mollon, Color Research and Application 24 (1999), whose
    shares of the three cones are these.
    """
    from matplotlib.colors import to_rgb

    cones = np.array([[17.8824, 43.5161, 4.11935], [3.45565, 27.1554, 3.86714], [0.0299566, 0.184309, 1.46709]])
    protanopes = np.array([[0, 2.02344, -2.52581], [0, 1, 0], [0, 0, 1]])
    deuteranopes = np.array([[1, 0, 0], [0.494207, 0, 1.24827], [0, 0, 1]])
    linear = np.array([to_rgb(colour) for colour in colours]) ** 2.2
    distances = []
    for seen in (protanopes, deuteranopes):
        shown = np.clip(linear @ (np.linalg.inv(cones) @ seen @ cones).T, 0, 1) ** (1 / 2.2)
        distances += [np.linalg.norm(a - b) for i, a in enumerate(shown) for b in shown[:i]]
    return float(min(distances))


def test_colours_differ_for_everyone() -> None:
    assert smallest_distance(f"C{i}" for i in range(8)) < 0.05  # as matplotlib's first eight do not
    model = nn.Sequential(nn.Linear(2, 8))
    model.compile("cross_entropy")
    ax = nn.plot.decision_boundary(model, X[:8], np.arange(8), resolution=3, ax=axes())
    assert smallest_distance(points.get_facecolor()[0] for points in ax.collections) > 0.1
    assert len({points.get_paths()[0].vertices.tobytes() for points in ax.collections}) == 8  # and so do markers
    lines = nn.plot.learning_curves(two_epochs(), ax=axes()).get_lines()
    assert smallest_distance(line.get_color() for line in lines) > 0.1


def two_epochs() -> nn.History:
    history = nn.History()
    for epoch in range(2):
        history.append(epoch, {"loss": 1.0, "val_loss": 2.0})
    return history


MODELS: list[tuple[str, Callable[[Any], Any]]] = [
    ("confusion_matrix", lambda m: nn.plot.confusion_matrix(m, X, Y)),
    ("calibration", lambda m: nn.plot.calibration(m, X, Y)),
    ("residuals", lambda m: nn.plot.residuals(m, X, Y)),
    ("decision_boundary", lambda m: nn.plot.decision_boundary(m, X)),
    ("weights", nn.plot.weights),
    ("filters", nn.plot.filters),
    ("activation_histogram", lambda m: nn.plot.activation_histogram(m, X)),
    ("gradient_histogram", lambda m: nn.plot.gradient_histogram(m, X, Y)),
    ("network_diagram", nn.plot.network_diagram),
]


@pytest.mark.parametrize(("name", "draw"), MODELS)
def test_what_is_no_model_is_refused(name: str, draw: Callable[[Any], Any]) -> None:
    for wrong in (nn.Linear(2, 3), X, "model"):
        with pytest.raises(TypeError, match=rf"\[{name}\] model is .*; give a Sequential or MLP"):
            draw(wrong)


@pytest.mark.parametrize(
    ("draw", "error", "message"),
    [
        (lambda m: nn.plot.learning_curves(m), TypeError, r"\[learning_curves\] history is .*; give what fit returns"),
        (lambda m: nn.plot.learning_curves(m.history, "acc"), ValueError, r"the history has no 'acc'; it has loss"),
        (lambda m: nn.plot.learning_curves(nn.History()), ValueError, r"it has nothing: fit the model first"),
        (lambda m: nn.plot.confusion_matrix(m, X), TypeError, r"give either model, X and y or y_true and y_pred, and"),
        (lambda m: nn.plot.confusion_matrix(y_true=Y), TypeError, r"give either model, X and y or y_true and y_pred"),
        (lambda m: nn.plot.confusion_matrix(m, X, Y, y_true=Y), TypeError, r"give either model, X and y or y_true"),
        (lambda m: nn.plot.confusion_matrix(Y, Y), TypeError, r"confusion_matrix\(y_true=\.\.\., y_pred=\.\.\.\)"),
        (lambda m: nn.plot.confusion_matrix(m, X, Y[:5]), ValueError, r"y has 5 entries but the model gives 12 pred"),
        (lambda m: nn.plot.confusion_matrix(m, X, Y + 1), ValueError, r"\[confusion_matrix\] y has 2 at \(1,\), which"),
        (
            lambda m: nn.plot.confusion_matrix(m, X, Y, normalize="rows"),
            ValueError,
            r"unknown normalize 'rows'; use one of true, pred, all",
        ),
        (
            lambda m: nn.plot.confusion_matrix(m, X, Y, class_names=["a"]),
            ValueError,
            r"class_names has 1 names but there are 2 classes",
        ),
        (
            lambda m: nn.plot.confusion_matrix(y_true=Y, y_pred=np.eye(2)[Y]),
            ValueError,
            r"y_pred \(12, 2\); give a class for each sample",
        ),
        (lambda m: nn.plot.confusion_matrix(y_true=Y, y_pred=Y[:3]), ValueError, r"shape \(12,\) but y_pred \(3,\)"),
        (lambda m: nn.plot.calibration(m, X, Y, bins=0), ValueError, r"\[calibration\] bins is 0; give a whole number"),
        (lambda m: nn.plot.calibration(y_true=Y, y_prob=2.0 * Y), ValueError, r"y_prob has numbers outside \[0, 1\]"),
        (lambda m: nn.plot.calibration(y_true=Y + 1, y_prob=0.5 * Y), ValueError, r"y_true has what is no class"),
        (lambda m: nn.plot.residuals(m, X, Y), ValueError, r"\(12,\).*but the predictions \(12, 2\).*confusion_matrix"),
        (lambda m: nn.plot.residuals(y_true=["a"], y_pred=[1.0]), ValueError, r"residuals are of numbers"),
        (lambda m: nn.plot.decision_boundary(m, X[:, :1]), ValueError, r"X has shape \(12, 1\).*two features"),
        (lambda m: nn.plot.decision_boundary(m, X, resolution=1), ValueError, r"resolution is 1; give a whole number"),
        (lambda m: nn.plot.weights(m, 1), ValueError, r"layer 1, ReLU, has no weights; those with some are 0, 2"),
        (lambda m: nn.plot.weights(m, "9"), ValueError, r"\[weights\] unknown layer '9'; use one of 0, 1, 2"),
        (
            lambda m: nn.plot.weights(CONV),
            ValueError,
            r"0\.weight has shape \(3, 2, 3, 3\), which is no matrix.*filters",
        ),
        (lambda m: nn.plot.filters(m), ValueError, r"0\.weight has shape \(4, 2\), which are no kernels; use weights"),
        (
            lambda m: nn.plot.weights(m, 0, image_shape=(2, 2)),
            ValueError,
            r"image_shape is \(2, 2\) but the layer reads 2",
        ),
        (lambda m: nn.plot.activation_histogram(m, X, []), ValueError, r"there is no layer to draw"),
        (lambda m: nn.plot.network_diagram(m, (3,)), ValueError, r"x has 3 features but the layer expects 2"),
    ],
)
def test_what_cannot_be_drawn_is_said(
    model: nn.Sequential, draw: Callable[[Any], Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        draw(model)
