"""Pictures: the numbers in them, one by one."""

from typing import Any

import numpy as np
import pytest

import nnext as nn
from pins import uniform

pytest.importorskip("matplotlib", reason="matplotlib is not installed, which draws the pictures")

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

Array = np.ndarray
X, Y = uniform(3, 60, 2), np.arange(60) % 3


def axes() -> Axes:
    return Figure().subplots()


def image(ax: Axes) -> Array:
    return np.asarray(ax.images[0].get_array().filled(np.nan) if ax.images[0].get_array().dtype.kind == "f"
                      else ax.images[0].get_array())  # fmt: skip


def classifier(*last: nn.Layer, outputs: int = 3, loss: str = "cross_entropy") -> nn.Sequential:
    model = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, outputs), *last, seed=2)
    model.compile(loss=loss, optimizer=nn.Adam(lr=0.05))
    return model


# ---- Learning curves ------------------------------------------------------------------------------------------------


def test_curves_have_the_numbers_of_the_history_in_the_pictures_of_both() -> None:
    model = classifier()
    model.compile("cross_entropy", metrics="accuracy")
    history = model.fit(X, Y, epochs=3, validation_data=(X, Y), verbose=0)
    ax = nn.plot.learning_curves(history, "accuracy", ax=axes())
    training, validation, best = ax.get_lines()
    assert training.get_xdata().tolist() == validation.get_xdata().tolist() == [1, 2, 3]
    assert training.get_ydata().tolist() == history["accuracy"]
    assert validation.get_ydata().tolist() == history["val_accuracy"]
    assert list(best.get_xdata()) == [history.best_epoch + 1] * 2
    assert training.get_color() != validation.get_color()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["training", "validation", "best epoch"]


# ---- Classes --------------------------------------------------------------------------------------------------------


def test_the_confusion_matrix_counts_true_downwards_and_predicted_to_the_right() -> None:
    ax = nn.plot.confusion_matrix(y_true=[2, 0, 0, 1, 2, 2], y_pred=[2, 0, 2, 1, 2, 2], ax=axes())
    assert image(ax).tolist() == [[1, 0, 1], [0, 1, 0], [0, 0, 3]]
    assert {text.get_position(): text.get_text() for text in ax.texts}[2, 0] == "1"
    assert len(ax.texts) == 9
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0", "1", "2"]
    assert ax.figure.axes[1].get_ylabel() == "samples"


@pytest.mark.parametrize(
    ("normalize", "expected", "unit"),
    [
        ("true", [[2 / 3, 1 / 3], [0, 0]], "share of the true class"),
        ("pred", [[1, 1], [0, 0]], "share of the predicted class"),
        ("all", [[2 / 3, 1 / 3], [0, 0]], "share of all samples"),
    ],
)
def test_counts_are_divided_by_what_is_said(normalize: str, expected: Any, unit: str) -> None:
    ax = nn.plot.confusion_matrix(
        y_true=["a", "a", "a"], y_pred=["a", "b", "a"], normalize=normalize, class_names=("x", "y"), ax=axes()
    )
    np.testing.assert_array_equal(image(ax), expected)
    assert [text.get_text() for text in ax.texts] == [f"{value:.2f}" for row in expected for value in row]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["x", "y"]
    assert ax.figure.axes[1].get_ylabel() == unit


def test_a_model_is_asked_for_its_classes_and_their_names() -> None:
    model = classifier()
    names = np.array(["low", "mid", "top"])[Y]
    model.fit(X, names, epochs=2, verbose=0)
    said = model.predict_classes(X)
    ax = nn.plot.confusion_matrix(model, X, names, ax=axes())
    expected = [[int(((names == true) & (said == pred)).sum()) for pred in ("low", "mid", "top")]
                for true in ("low", "mid", "top")]  # fmt: skip
    assert image(ax).tolist() == expected
    assert [label.get_text() for label in ax.get_xticklabels()] == ["low", "mid", "top"]
    one_hot = nn.plot.confusion_matrix(classifier(), X, np.eye(3)[Y], ax=axes())
    assert image(one_hot).tolist() == image(nn.plot.confusion_matrix(classifier(), X, Y, ax=axes())).tolist()
    scaled = nn.plot.confusion_matrix(model, 10 * X, names, scale=0.1, ax=axes())
    assert image(scaled).sum() == 60


def test_classes_of_one_output_and_of_steps_and_a_class_that_never_occurs() -> None:
    binary = classifier(nn.Sigmoid(), outputs=1, loss="bce")
    y = (X[:, 0] > 0).astype(int)
    said = (binary.predict(X)[:, 0] > 0.5).astype(int)
    expected = [[int(((y == i) & (said == j)).sum()) for j in (0, 1)] for i in (0, 1)]
    assert image(nn.plot.confusion_matrix(binary, X, y, ax=axes())).tolist() == expected
    steps = nn.Sequential(nn.Linear(2, 3))
    steps.compile("cross_entropy")
    labels = Y.reshape(12, 5) % 2
    ax = nn.plot.confusion_matrix(steps, X.reshape(12, 5, 2), labels, ax=axes())
    assert image(ax).shape == (3, 3)
    assert image(ax).sum(axis=1).tolist() == [*np.bincount(labels.ravel()).tolist(), 0]


def test_several_labels_a_sample_and_numbers_have_no_confusion() -> None:
    labels = classifier(nn.Sigmoid(), loss="bce")
    y = np.tile([1, 1, 0], (60, 1))
    with pytest.raises(ValueError, match=r"\[confusion_matrix\] the network gives 3 labels a sample"):
        nn.plot.confusion_matrix(labels, X, y, ax=axes())
    with pytest.raises(ValueError, match=r"\[decision_boundary\] the network gives 3 labels a sample"):
        nn.plot.decision_boundary(labels, X, y, ax=axes())
    numbers = classifier(loss="mse")
    for name, arguments in (("confusion_matrix", (X, Y)), ("calibration", (X, Y)), ("decision_boundary", (X,))):
        with pytest.raises(ValueError, match=rf"\[{name}\] the network gives numbers"):
            getattr(nn.plot, name)(numbers, *arguments, ax=axes())


def test_the_plane_has_the_class_that_the_network_says_there() -> None:
    model = classifier()
    model.fit(X, Y, epochs=5, verbose=0)
    ax = nn.plot.decision_boundary(model, X, Y, resolution=7, ax=axes())
    left, right, below, above = ax.images[0].get_extent()
    low, high = X.min(axis=0).astype(float), X.max(axis=0).astype(float)
    np.testing.assert_allclose([left, below], low - (high - low) / 10)
    np.testing.assert_allclose([right, above], high + (high - low) / 10)
    places = image(ax)
    assert ax.images[0].origin == "lower"
    for row, column in np.ndindex(7, 7):
        x = [left + (column + 0.5) * (right - left) / 7, below + (row + 0.5) * (above - below) / 7]
        assert places[row, column] == model.predict_classes([x])[0]
    for i, points in enumerate(ax.collections):
        np.testing.assert_array_equal(points.get_offsets(), X[i == Y])
        assert points.get_label() == str(i)
    plain = nn.plot.decision_boundary(model, X[:1], resolution=2, ax=axes())
    assert len(plain.collections) == 1
    left, right, below, above = plain.images[0].get_extent()  # around a single point
    np.testing.assert_allclose([left, right, below, above], np.repeat(X[0].astype(float), 2) + [-0.5, 0.5] * 2)


def test_reliability_is_what_bins_of_predictions_are_right() -> None:
    probabilities = np.random.default_rng(4).dirichlet(np.ones(3), size=200)
    y = np.random.default_rng(5).integers(3, size=200)
    ax = nn.plot.calibration(y_true=y, y_prob=probabilities, bins=5, ax=axes())
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == y
    error, bars = 0.0, []
    for b in range(5):
        chosen = (confidence > b / 5) & (confidence <= (b + 1) / 5)
        if chosen.any():
            error += chosen.mean() * abs(right[chosen].mean() - confidence[chosen].mean())
            bars.append((b / 5, right[chosen].mean(), str(chosen.sum())))
    found = [(bar.get_x(), bar.get_height(), text.get_text()) for bar, text in zip(ax.patches, ax.texts, strict=True)]
    np.testing.assert_allclose([row[:2] for row in found], [row[:2] for row in bars], atol=1e-12)
    assert [row[2] for row in found] == [row[2] for row in bars]
    assert ax.get_title() == f"expected calibration error {error:.3f}"


def test_an_edge_of_a_bin_belongs_to_the_one_below() -> None:
    ax = nn.plot.calibration(y_true=[1, 0], y_prob=[0.75, 1.0], bins=4, ax=axes())
    assert [(bar.get_x(), float(bar.get_height())) for bar in ax.patches] == [(0.5, 1.0), (0.75, 0.0)]
    assert ax.get_title() == "expected calibration error 0.625"  # (0.25 + 1) / 2


def test_probabilities_of_a_model_are_those_it_predicts() -> None:
    model, binary = classifier(nn.Softmax()), classifier(outputs=1, loss="bce_with_logits")
    labels, y = classifier(nn.Sigmoid(), loss="bce"), (X > 0).astype(int)
    for asked, true, probabilities in (
        (model, Y, model.predict_proba(X)),
        (binary, y[:, 0], binary.predict_proba(X)),
    ):
        ax = nn.plot.calibration(asked, X, true, ax=axes())
        expected = nn.plot.calibration(y_true=true, y_prob=probabilities, ax=axes())
        assert ax.get_title() == expected.get_title()
        assert [b.get_height() for b in ax.patches] == [b.get_height() for b in expected.patches]
    true = np.hstack([y, y[:, :1]])
    ax = nn.plot.calibration(labels, X, true, ax=axes())
    expected = nn.plot.calibration(y_true=true.ravel(), y_prob=labels.predict_proba(X).ravel(), ax=axes())
    assert ax.get_title() == expected.get_title()


# ---- Numbers --------------------------------------------------------------------------------------------------------


def test_residuals_are_what_predictions_leave() -> None:
    model = nn.MLP([2, 3, 2])
    model.compile("mse")
    y = uniform(5, 60, 2)
    ax = nn.plot.residuals(model, X, y, ax=axes())
    said = model.predict(X)
    for i, points in enumerate(ax.collections):
        np.testing.assert_array_equal(points.get_offsets(), np.stack([said[:, i], y[:, i] - said[:, i]], axis=1))
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["output 0", "output 1"]
    assert list(ax.get_lines()[0].get_ydata()) == [0, 0]
    one = nn.MLP([2, 1])
    np.testing.assert_array_equal(
        nn.plot.residuals(one, X, y[:, 0], ax=axes()).collections[0].get_offsets()[:, 1], y[:, 0] - one(X)[:, 0]
    )


def lines(ax: Axes) -> dict[str, tuple[Array, Array]]:
    """Return shares and edges by what the legend calls them."""
    return {part.get_label(): (part.get_data().values, part.get_data().edges) for part in ax.patches}


def test_histograms_of_activations_are_shares_of_each_layer() -> None:
    model = nn.Sequential(nn.Linear(2, 4), nn.Residual(nn.Tanh()), nn.ReLU(), nn.Linear(4, 1))
    ax = nn.plot.activation_histogram(model, X, bins=9, ax=axes())
    found = model.activations(X, range(4))
    every = np.concatenate([values.ravel() for values in found.values()])
    assert list(lines(ax)) == ["0 Linear", "1 Residual", "2 ReLU", "3 Linear"]
    for values, (shares, edges) in zip(found.values(), lines(ax).values(), strict=True):
        assert len(shares) == 9
        assert (edges[0], edges[-1]) == (every.min(), every.max())
        np.testing.assert_allclose(shares.sum(), 1)
        np.testing.assert_array_equal(shares * values.size, np.histogram(values, edges)[0])
    assert list(lines(nn.plot.activation_histogram(model, X, ["1.body.0"], ax=axes()))) == ["1.body.0 Tanh"]
    assert list(lines(nn.plot.activation_histogram(model[2:], found["1"], ax=axes()))) == ["2 ReLU", "3 Linear"]
    model.load_state_dict({"3.bias": [np.float32(3e38)]}, strict=False)
    model.load_state_dict({"3.weight": np.full((1, 4), 3e38)}, strict=False)
    with pytest.raises(ValueError, match=r"\[activation_histogram\] \d+ of \d+ numbers are NaN or infinite"):
        nn.plot.activation_histogram(model, X, ax=axes())


def test_histograms_of_gradients_are_those_of_a_step_and_tell_the_share_of_zeros() -> None:
    model = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 3), nn.Linear(3, 3))
    weight, bias = model.state_dict()["0.weight"], model.state_dict()["0.bias"]
    weight[0], bias[0] = 0, -1  # a dead unit: its three gradients are 0
    model.load_state_dict({"0.weight": weight, "0.bias": bias}, strict=False)
    model.compile("cross_entropy")
    model.freeze("3")
    ax = nn.plot.gradient_histogram(model, X, Y, bins=8, ax=axes())
    _, grads = model.loss_and_grads(X, Y)
    assert list(lines(ax)) == ["0 Linear (25% are 0)", f"2 Linear ({3 / 15:.0%} are 0)"]
    for path, (shares, edges) in zip(("0", "2"), lines(ax).values(), strict=True):
        sizes = np.abs(np.concatenate([grads[f"{path}.weight"].ravel(), grads[f"{path}.bias"]]))
        np.testing.assert_allclose(shares.sum(), np.mean(sizes > 0))
        np.testing.assert_allclose(shares * sizes.size, np.histogram(sizes.astype(float), edges)[0])
    model.freeze("0", "2")
    with pytest.raises(ValueError, match=r"\[gradient_histogram\] there is no layer to draw; give some, or unfreeze"):
        nn.plot.gradient_histogram(model, X, Y, ax=axes())


# ---- Networks -------------------------------------------------------------------------------------------------------


def test_weights_are_a_matrix_or_an_image_for_each_unit() -> None:
    model = nn.MLP([12, 5, 2])
    weight = model.state_dict()["0.weight"]
    np.testing.assert_array_equal(image(nn.plot.weights(model, 0, ax=axes())), weight)
    ax = nn.plot.weights(model, 0, image_shape=(3, 4), ax=axes())  # in two rows of three, the last place empty
    mosaic = image(ax)
    assert mosaic.shape == (2 * 3 + 1, 3 * 4 + 2)
    for i in range(5):
        top, left = i // 3 * 4, i % 3 * 5
        np.testing.assert_array_equal(mosaic[top : top + 3, left : left + 4], weight[i].reshape(3, 4))
    assert np.isnan(mosaic[3]).all()
    assert np.isnan(mosaic[:, [4, 9]]).all()
    assert np.isnan(mosaic[4:, 10:]).all()
    assert ax.images[0].get_clim() == (-np.abs(weight).max(), np.abs(weight).max())
    channels = image(nn.plot.weights(model, 0, image_shape=(3, 2, 2), ax=axes()))  # a row each, of three images
    assert channels.shape == (5 * 2 + 4, 3 * 2 + 2)
    np.testing.assert_array_equal(channels[3:5, 3:5], weight[1].reshape(3, 2, 2)[1])


def test_images_before_a_linear_layer_are_found() -> None:
    model = nn.Sequential(
        nn.Conv2d(1, 2, 2), nn.Flatten(), nn.Linear(2 * 3 * 4, 3), nn.Residual(nn.Linear(3, 3)), input_shape=(1, 4, 5)
    )
    ax = nn.plot.weights(model, 2, ax=axes())
    assert ax.get_title() == "2.weight: 3 units of 2 x 3 x 4"
    part = nn.plot.weights(model[1:], 2, ax=axes())
    np.testing.assert_array_equal(image(part), image(ax))
    np.testing.assert_array_equal(
        image(nn.plot.weights(model, "3.body.0", ax=axes())), model.state_dict()["3.body.0.weight"]
    )
    first = nn.Sequential(nn.Flatten(), nn.Linear(20, 2), input_shape=(1, 4, 5))
    assert nn.plot.weights(first, -1, ax=axes()).get_title() == "1.weight: 2 units of 1 x 4 x 5"


def test_filters_are_a_grid_of_kernels() -> None:
    model = nn.Sequential(nn.Conv2d(2, 3, (2, 4)), nn.Conv2d(3, 3, 3, groups=3))
    weight = model.state_dict()["0.weight"]
    ax = nn.plot.filters(model, ax=axes())
    kernels = image(ax)
    assert kernels.shape == (3 * 2 + 2, 2 * 4 + 1)
    for i, j in np.ndindex(3, 2):
        np.testing.assert_array_equal(kernels[3 * i : 3 * i + 2, 5 * j : 5 * j + 4], weight[i, j])
    assert np.isnan(kernels[2]).all()
    assert ax.get_title() == "0.weight: 3 x 2 kernels of 2 x 4"
    assert image(nn.plot.filters(model, 1, ax=axes())).shape == (2 * 3 + 1, 2 * 3 + 1)  # a square of one channel each


def test_the_diagram_has_a_box_a_layer_and_an_arrow_for_each_way() -> None:
    model = nn.Sequential(
        nn.Linear(4, 3),
        nn.Residual(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 3)),
        nn.Branches([nn.Tanh()], [], [nn.Residual(nn.Linear(3, 2), shortcut=nn.Linear(3, 2))]),
        nn.Linear(8, 1),
    )
    ax = nn.plot.network_diagram(model, ax=axes())
    texts = [text.get_text() for text in ax.texts]
    assert texts == [
        "input\n(n, 4)",
        "0 Linear\n(n, 3), 15 parameters",
        "1.body.0 Linear\n(n, 5), 20 parameters",
        "1.body.1 ReLU\n(n, 5)",
        "1.body.2 Linear\n(n, 3), 18 parameters",
        "1 Residual +\n(n, 3)",
        "2.branches.0.0 Tanh\n(n, 3)",
        "2.branches.2.0.body.0 Linear\n(n, 2), 8 parameters",
        "2.branches.2.0.shortcut.0 Linear\n(n, 2), 8 parameters",
        "2.branches.2.0 Residual +\n(n, 2)",
        "2 Branches concat\n(n, 8)",
        "3 Linear\n(n, 1), 9 parameters",
    ]
    boxes = [patch for patch in ax.patches if isinstance(patch, FancyBboxPatch)]
    arrows = [patch for patch in ax.patches if isinstance(patch, FancyArrowPatch)]
    assert len(boxes) == len(texts)
    # Into each of the eleven boxes below the input one, into a join one for each branch: 2, 3 and 2.
    assert len(arrows) == 8 + 2 + 3 + 2
    places = [
        (box.get_x(), box.get_y(), box.get_x() + box.get_width(), box.get_y() + box.get_height()) for box in boxes
    ]
    for i, (left, top, right, bottom) in enumerate(places):
        assert ax.get_xlim()[0] <= left < right <= ax.get_xlim()[1]
        assert ax.get_ylim()[1] <= top < bottom <= ax.get_ylim()[0]
        for other in places[:i]:  # none lies on another
            assert right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top
        for line in ax.get_lines():  # nor on a way past it
            for t in np.linspace(0, 1, 50):
                x, y = (np.array([1 - t, t]) @ np.stack([line.get_xdata(), line.get_ydata()], axis=1)).tolist()
                assert not (left < x < right and top < y < bottom)


def test_the_diagram_shows_shapes_where_they_are_known() -> None:
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.GlobalAvgPool2d())
    unknown = [text.get_text() for text in nn.plot.network_diagram(model, ax=axes()).texts]
    assert unknown == ["input\n(n, ?)", "0 Conv2d\n(n, ?), 40 parameters", "1 GlobalAvgPool2d\n(n, ?)"]
    known = [text.get_text() for text in nn.plot.network_diagram(model, (1, 8, 6), ax=axes()).texts]
    assert known == ["input\n(n, 1, 8, 6)", "0 Conv2d\n(n, 4, 6, 4), 40 parameters", "1 GlobalAvgPool2d\n(n, 4)"]
    part = nn.MLP([2, 3, 1])[1:]
    assert [text.get_text() for text in nn.plot.network_diagram(part, ax=axes()).texts][1:] == [
        "1 ReLU\n(n, 3)",
        "2 Linear\n(n, 1), 4 parameters",
    ]
