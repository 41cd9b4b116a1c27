"""Recurrent layers: they read a sequence step by step and keep a state from one step to the next."""

from __future__ import annotations

from dataclasses import KW_ONLY, replace

from nnext._fields import choice, flag, nested, number, size
from nnext.initializers import Initializer, glorot_uniform, orthogonal, zeros
from nnext.layers.base import Layer, refuse_orthogonal_bias

__all__ = ["GRU", "LSTM", "RNN"]


class _Sizes(Layer, abstract=True):
    """What all of them are given first."""

    input_size: int = size()
    hidden_size: int = size()
    num_layers: int = size(default=1)


class _Nonlinearity(_Sizes, abstract=True):
    """What `RNN` takes before the settings of all: fields stand in the order of the bases."""

    _: KW_ONLY
    nonlinearity: str = choice(names=("tanh", "relu"), default="tanh")


class _Recurrent(_Sizes, abstract=True):
    """What recurrent layers have in common."""

    _: KW_ONLY
    bias: bool = flag(default=True)
    dropout: float = number(default=0.0, low=0, below=1)
    bidirectional: bool = flag(default=False)
    return_sequences: bool = flag(default=False)
    stateful: bool = flag(default=False)
    weight_init: Initializer | str | None = nested(of=Initializer, default=glorot_uniform())
    recurrent_init: Initializer | str | None = nested(of=Initializer, default=orthogonal())
    bias_init: Initializer | str | None = nested(of=Initializer, default=zeros())

    def check(self) -> None:
        """Refuse what nothing would act on, and a bias that cannot be."""
        operation = type(self).__name__
        refuse_orthogonal_bias(operation, self.bias_init)
        if self.dropout > 0 and self.num_layers == 1:
            raise ValueError(
                f"[{operation}] dropout is {self.dropout} but num_layers is 1, and it acts between layers; leave it "
                "out, give num_layers of 2 or more, or put Dropout after the layer"
            )
        if self.stateful and self.bidirectional:
            raise ValueError(
                f"[{operation}] stateful is True but so is bidirectional, and what comes last cannot be carried to "
                "what comes first; leave one of them out"
            )
        if not self.bias and self.bias_init != zeros():
            raise ValueError(
                f"[{operation}] bias_init is {self.bias_init} but bias is False; leave bias_init out, or give bias=True"
            )

    def evaluating(self) -> Layer:
        """Return what drops nothing."""
        return replace(self, dropout=0.0)


class RNN(_Recurrent, _Nonlinearity):
    """``h_t = tanh(W_ih x_t + b_ih + W_hh h_(t-1) + b_hh)`` from ``h_(-1) = 0``: (T, F) -> (D H,), or (T, D H).

    The simple recurrent network of Elman, Cognitive Science 14 (1990), which is PyTorch's. D is 2 if it goes in both
    directions, else 1.

    Parameters
    ----------
    input_size, hidden_size : int
        Features F of each step of x, and H of the state.
    num_layers : int
        Recurrent layers on top of each other: each but the first reads the D H features that the one below gives at
        each step.
    nonlinearity : {"tanh", "relu"}
        What the state goes through. With "relu" ``weight_hh`` of an identity keeps what it has seen (Le, Jaitly and
        Hinton, arXiv:1504.00941); set it by ``load_state_dict``.
    bias : bool
        Whether to add the two biases.
    dropout : float
        Probability of an element between two layers to be dropped in training, 0 <= dropout < 1; as `Dropout`, at each
        step anew. Above 0 it needs num_layers of 2 or more.
    bidirectional : bool
        Whether a second part reads the steps from the last to the first (Schuster and Paliwal, IEEE Transactions on
        Signal Processing 45, 1997). What both give stands side by side, forward first.
    return_sequences : bool
        Whether to give the last layer's state at each step, (T, D H). Otherwise it is (D H,): the state after the last
        step, beside that of the other direction after the first one.
    stateful : bool
        Whether in `fit` row i of a batch goes on from the state that row i of the batch before has left: truncated
        backpropagation through time (Williams and Peng, Neural Computation 2, 1990), for sequences that are too long
        for one batch. Each epoch starts from 0. It needs shuffle=False and batches of one size, and one direction.
        Everything but `fit` starts each sample from 0; ``compile_inference().step`` goes on.
    weight_init, recurrent_init, bias_init : Initializer, str or None
        Start values of ``weight_ih``, of ``weight_hh`` and of both biases; None is the default, "glorot_uniform",
        "orthogonal" (Saxe, McClelland and Ganguli, ICLR 2014) and "zeros". Weights have the fans F, or H, and H.

    Raises
    ------
    ValueError, TypeError
        For values out of range, unknown initializers, an orthogonal bias, dropout with one layer, or a bias_init other
        than the default without a bias; from the network, when x is no sequence or has other features.

    Notes
    -----
    ``state_dict`` has, as PyTorch's, ``weight_ih_l0`` of shape (H, F), ``weight_hh_l0`` (H, H), ``bias_ih_l0`` and
    ``bias_hh_l0`` (H,); then those of the other direction, ``weight_ih_l0_reverse`` and so on; then those of the next
    layer, ``weight_ih_l1`` (H, D H) and so on.

    Examples
    --------
    >>> import numpy as np
    >>> import nnext as nn
    >>> model = nn.Sequential(nn.RNN(3, 8), nn.Linear(8, 1))
    >>> model.predict(np.ones((10, 7, 3))).shape  # 10 sequences of 7 steps
    (10, 1)
    >>> model.state_dict()["0.weight_ih_l0"].shape
    (8, 3)
    """


class GRU(_Recurrent):
    """A state that gates update: (T, F) -> (D H,), or (T, D H). Cho et al., EMNLP 2014, in PyTorch's form.

    From ``h_(-1) = 0``, at each step::

        r = sigmoid(W_ir x_t + b_ir + W_hr h_(t-1) + b_hr)          how much of the state to look at
        z = sigmoid(W_iz x_t + b_iz + W_hz h_(t-1) + b_hz)          how much of the state to keep
        n = tanh(W_in x_t + b_in + r * (W_hn h_(t-1) + b_hn))       what is new
        h_t = (1 - z) * n + z * h_(t-1)

    Cho et al. multiply r with the state before the product; here, as in cuDNN, it is after it.

    Parameters
    ----------
    input_size, hidden_size, num_layers, bias, dropout, bidirectional, return_sequences, stateful
        As for `RNN`.
    weight_init, recurrent_init, bias_init
        As for `RNN`, each gate's part drawn for itself.

    Raises
    ------
    ValueError, TypeError
        As for `RNN`.

    Notes
    -----
    The arrays of ``state_dict`` have PyTorch's names, which are those of `RNN`, and shapes: ``weight_ih_l0`` (3 H, F)
    is W_ir, W_iz and W_in, one below the other, and so are the others.

    Examples
    --------
    >>> import numpy as np
    >>> import nnext as nn
    >>> model = nn.Sequential(nn.GRU(3, 8, bidirectional=True, return_sequences=True))
    >>> model.predict(np.ones((10, 7, 3))).shape
    (10, 7, 16)
    >>> model.state_dict()["0.weight_ih_l0_reverse"].shape
    (24, 3)
    """


class LSTM(_Recurrent):
    """A cell that keeps what gates let in: (T, F) -> (D H,), or (T, D H).

    Hochreiter and Schmidhuber, Neural Computation 9 (1997), with the forget gate of Gers, Schmidhuber and Cummins,
    Neural Computation 12 (2000). From ``h_(-1) = c_(-1) = 0``, at each step::

        i = sigmoid(W_ii x_t + b_ii + W_hi h_(t-1) + b_hi)          what to let into the cell
        f = sigmoid(W_if x_t + b_if + W_hf h_(t-1) + b_hf)          what of it to keep
        g = tanh(W_ig x_t + b_ig + W_hg h_(t-1) + b_hg)             what is new
        o = sigmoid(W_io x_t + b_io + W_ho h_(t-1) + b_ho)          what of it to show
        c_t = f * c_(t-1) + i * g
        h_t = o * tanh(c_t)

    Parameters
    ----------
    input_size, hidden_size, num_layers, bias, dropout, bidirectional, return_sequences, stateful
        As for `RNN`.
    weight_init, recurrent_init, bias_init
        As for `RNN`, each gate's part drawn for itself.
    forget_bias : float
        What is added to the start values of b_if, so that the cell keeps what it has until it learns better
        (Jozefowicz, Zaremba and Sutskever, ICML 2015). Without a bias nothing is added, and it can only be 0 or left
        out.

    Raises
    ------
    ValueError, TypeError
        As for `RNN`, and for a forget_bias other than 0 and the default without a bias.

    Notes
    -----
    The arrays of ``state_dict`` have PyTorch's names, which are those of `RNN`, and shapes: ``weight_ih_l0`` (4 H, F)
    is W_ii, W_if, W_ig and W_io, one below the other, and so are the others. PyTorch adds nothing to b_if.

    Examples
    --------
    >>> import numpy as np
    >>> import nnext as nn
    >>> model = nn.Sequential(nn.LSTM(3, 2, num_layers=2, dropout=0.5))
    >>> model.predict(np.ones((10, 7, 3))).shape
    (10, 2)
    >>> model.state_dict()["0.bias_ih_l1"]
    array([0., 0., 1., 1., 0., 0., 0., 0.], dtype=float32)
    """

    _: KW_ONLY
    forget_bias: float = number(default=1.0)

    def check(self) -> None:
        """Refuse something to add to a bias that is not there."""
        super().check()
        if not self.bias and self.forget_bias not in (0, 1):  # the default cannot be told from what was left out
            raise ValueError(
                f"[LSTM] forget_bias is {self.forget_bias} but bias is False; leave forget_bias out, or give bias=True"
            )
