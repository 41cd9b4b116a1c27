"""The optimizer that torch.optim lacks."""

from typing import Any

import torch


class Lion(torch.optim.Optimizer):  # type: ignore[misc]
    """Chen et al., NeurIPS 2023, algorithm 2."""

    def __init__(
        self, parameters: Any, lr: float, betas: tuple[float, float] = (0.9, 0.99), weight_decay: float = 0.0
    ) -> None:
        super().__init__(parameters, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        for group in self.param_groups:
            (beta1, beta2), lr = group["betas"], group["lr"]
            for w in group["params"]:
                if w.grad is None:
                    continue
                mean = self.state[w].setdefault("exp_avg", torch.zeros_like(w))
                w.mul_(1 - lr * group["weight_decay"]).sub_(lr * (beta1 * mean + (1 - beta1) * w.grad).sign())
                mean.mul_(beta2).add_((1 - beta2) * w.grad)
