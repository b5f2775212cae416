"""Training against the worst small change of the inputs: perturbations of the word embeddings.

`perturbation` gives the change to add to the embeddings of a batch; its size is a share of each text's own
embedding norm. FGM is one step along the gradient (Miyato et al. 2017), PGD several small ones that are
brought back into the ball (Madry et al. 2018).
"""

from collections.abc import Callable

import torch

Loss = Callable[[torch.Tensor], torch.Tensor]  # from embeddings [texts, pieces, width] to a number


def perturbation(
    loss: Loss, embedded: torch.Tensor, mask: torch.Tensor, *, method: str, epsilon: float, steps: int
) -> torch.Tensor:
    """The change `[texts, pieces, width]` that raises the loss most, about; zero on padding. Leaves no gradients."""
    rounds = 1 if method == "fgm" else steps
    inside = mask.unsqueeze(-1).to(embedded.dtype)
    start = embedded.detach()
    radius = epsilon * _norm(start * inside)
    # PGD's steps are longer than an even share of the way, so that it can turn.
    stride = radius if rounds == 1 else radius * 1.5 / rounds
    change = torch.zeros_like(start)
    for _ in range(rounds):
        change.requires_grad_()
        (gradient,) = torch.autograd.grad(loss(start + change), change)
        change = change.detach() + stride * _direction(gradient * inside)
        change = change * (radius / _norm(change).clamp_min(1e-12)).clamp_max(1.0)
    return change.detach()


def _norm(values: torch.Tensor) -> torch.Tensor:
    """Of each text `[texts, 1, 1]`."""
    return values.float().pow(2).sum((1, 2), keepdim=True).sqrt()


def _direction(gradient: torch.Tensor) -> torch.Tensor:
    return torch.nan_to_num(gradient.float()) / _norm(torch.nan_to_num(gradient)).clamp_min(1e-12)
