"""What layers have in common that hold several chains, which all read x."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nnext import layers as descriptions
from nnext.reference.arrays import Array
from nnext.reference.layers.base import Draw, Layer
from nnext.reference.layers.chain import Chain, within


class Parallel(Layer):
    """Chains that read x, and something that joins their outputs; arrays have names such as "body.0.weight"."""

    def chains(self) -> dict[str, Chain]:
        """Return the chains by the names that they have in paths."""
        raise NotImplementedError

    def join(self, outputs: Sequence[Array]) -> Array:
        """Return y from what the chains give."""
        raise NotImplementedError

    def parts(self, dy: Array, outputs: Sequence[Array]) -> Sequence[Array]:
        """Return the gradient of each chain's output."""
        raise NotImplementedError

    @staticmethod
    def held(config: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
        """Return the configurations of the layers of each chain."""
        chains = descriptions.Layer.from_config(config).chains()
        return {name: [layer.config() for layer in layers] for name, layers in chains.items()}

    @classmethod
    def build_chains(
        cls, config: Mapping[str, Any], tensors: Mapping[str, Array], inner: Iterator[int]
    ) -> Iterator[Chain]:
        """Build the layers of each chain, those of the first first."""
        for name, configs in cls.held(config).items():
            yield Chain.build(configs, within(tensors, f"{name}."), inner, inner)

    @classmethod
    def start(cls, config: Mapping[str, Any], seed: int, number: int, inner: Iterator[int]) -> dict[str, Array]:
        """Let the layers of each chain begin, those of the first first."""
        return {
            f"{chain}.{name}": values
            for chain, configs in cls.held(config).items()
            for name, values in Chain.start(configs, seed, inner, inner).items()
        }

    def _all(self, kind: str) -> dict[str, Array]:
        return {f"{name}.{key}": a for name, chain in self.chains().items() for key, a in chain.named(kind).items()}

    def parameters(self) -> dict[str, Array]:
        """Return the weights of all chains."""
        return self._all("parameters")

    def buffers(self) -> dict[str, Array]:
        """Return the buffers of all chains."""
        return self._all("buffers")

    def tensors(self) -> dict[str, Array]:
        """Return both, layer by layer."""
        return self._all("tensors")

    def image_axes(self) -> int | None:
        """Return what a chain says."""
        said = [axes for chain in self.chains().values() if (axes := chain.image_axes()) is not None]
        return max(said, default=None)

    def forward(self, x: Array, draw: Draw | None) -> tuple[Array, tuple[list[Array], list[list[Any]]]]:
        """Join what all chains make of x."""
        went = [chain.forward(x, draw) for chain in self.chains().values()]
        outputs = [y for y, _ in went]
        return self.join(outputs), (outputs, [saved for _, saved in went])

    def backward(self, dy: Array, saved: tuple[list[Array], list[list[Any]]]) -> tuple[Array, dict[str, Array]]:
        """Each chain gets its part of dy, and x the sum of what they give, in their order."""
        outputs, kept = saved
        dx: list[Array] = []
        grads: dict[str, Array] = {}
        for (name, chain), part, own in zip(self.chains().items(), self.parts(dy, outputs), kept, strict=True):
            back, within_chain = chain.backward(part, own)
            dx.append(back)
            grads |= {f"{name}.{key}": g for key, g in within_chain.items()}
        return added(dx), grads

    def update(self, saved: tuple[list[Array], list[list[Any]]]) -> None:
        """Let the layers of all chains change their buffers."""
        for chain, kept in zip(self.chains().values(), saved[1], strict=True):
            chain.update(kept)


def added(outputs: Sequence[Array]) -> Array:
    """Add what chains give, in their order; NumPy would also add what does not fit."""
    shapes = [y.shape for y in outputs]
    if len(set(shapes)) > 1:
        raise ValueError(f"[add] the branches give the shapes {shapes}; give all the same, or join them by concat")
    return sum(outputs[1:], start=outputs[0])
