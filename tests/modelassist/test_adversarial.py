"""Perturbations: of the right size, zero on padding, and worse than chance ones of that size."""

import pytest
import torch

from modelassist.adversarial import perturbation


@pytest.fixture
def case() -> tuple[torch.nn.Module, torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    network = torch.nn.Sequential(torch.nn.Linear(6, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
    mask = torch.tensor([[1, 1, 1, 0], [1, 1, 0, 0]])
    return network, torch.randn(2, 4, 6), mask


@pytest.mark.parametrize(("method", "steps"), [("fgm", 1), ("pgd", 1), ("pgd", 4)])
def test_size_padding_and_harm(case, method: str, steps: int) -> None:  # type: ignore[no-untyped-def]
    network, embedded, mask = case
    inside = mask.unsqueeze(-1)

    def loss(inputs: torch.Tensor) -> torch.Tensor:
        return (network(inputs) * inside).sum()

    change = perturbation(loss, embedded, mask, method=method, epsilon=0.2, steps=steps)
    assert (change[mask == 0] == 0).all()
    allowed = 0.2 * (embedded * inside).pow(2).sum((1, 2)).sqrt()
    size = change.pow(2).sum((1, 2)).sqrt()
    assert (size <= allowed * 1.0001).all()
    assert (size > allowed * 0.5).all()
    harm = loss(embedded + change) - loss(embedded)
    for _ in range(20):
        other = torch.randn_like(change) * inside
        other *= (allowed / other.pow(2).sum((1, 2)).sqrt())[:, None, None]
        assert harm > loss(embedded + other) - loss(embedded)
    assert all(value.grad is None for value in network.parameters())


def test_several_steps_harm_at_least_as_much(case) -> None:  # type: ignore[no-untyped-def]
    network, embedded, mask = case

    def loss(inputs: torch.Tensor) -> torch.Tensor:
        return network(inputs).pow(2).sum()

    harms = [
        loss(embedded + perturbation(loss, embedded, mask, method=method, epsilon=0.5, steps=8)).item()
        for method in ("fgm", "pgd")
    ]
    assert harms[1] >= harms[0] * 0.98


def test_no_gradient_is_no_perturbation(case) -> None:  # type: ignore[no-untyped-def]
    _, embedded, mask = case
    change = perturbation(lambda x: (x * 0).sum(), embedded, mask, method="fgm", epsilon=0.5, steps=1)
    assert torch.isfinite(change).all()
    assert (change == 0).all()
