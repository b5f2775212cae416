"""A linear-chain conditional random field over the tags of words: learned transitions (Lafferty et al. 2001).

Its weights stand beside the network, not in it, so the network's folder stays a plain transformers model;
whoever loads it without the transitions decodes a little worse. `decode` has what prediction needs.
"""

import json
from pathlib import Path

import numpy as np
import torch

from modelassist.decode import Tagset, Transitions

FILE = "transitions.json"


class Crf(torch.nn.Module):
    """Scores of one tag after another, and of the first."""

    def __init__(self, tags: int) -> None:
        super().__init__()
        self.steps = torch.nn.Parameter(torch.zeros(tags, tags))  # [previous, next]
        self.start = torch.nn.Parameter(torch.zeros(tags))

    def loss(self, scores: torch.Tensor, tags: torch.Tensor) -> torch.Tensor:
        """The negative log-likelihood of the tags `[texts, words]`, summed; -100 at the end of a text is padding.

        `scores` are the network's, `[texts, words, tags]`.
        """
        real = tags >= 0
        gold = tags.clamp_min(0)
        texts = torch.arange(len(tags), device=tags.device)
        path = self.start[gold[:, 0]] + scores[texts, 0, gold[:, 0]]
        alpha = self.start + scores[:, 0]
        for at in range(1, tags.shape[1]):
            here = real[:, at]
            path = path + here * (self.steps[gold[:, at - 1], gold[:, at]] + scores[texts, at, gold[:, at]])
            reached = torch.logsumexp(alpha.unsqueeze(2) + self.steps, 1) + scores[:, at]
            alpha = torch.where(here.unsqueeze(1), reached, alpha)
        return ((torch.logsumexp(alpha, 1) - path) * real[:, 0]).sum()

    def transitions(self) -> Transitions:
        """As prediction takes them."""
        steps, start = (value.detach().float().cpu().numpy() for value in (self.steps, self.start))
        return Transitions(steps, start)

    @torch.no_grad()
    def copy_known(self, tagset: Tagset, old: Transitions, old_tags: Tagset) -> None:
        """Take over what is known of tags, by their names."""
        known = [name for name in tagset.names if name in old_tags.ids]
        new, before = ([tags.ids[name] for name in known] for tags in (tagset, old_tags))
        self.start[new] = torch.from_numpy(old.start[before]).to(self.start)
        self.steps[np.ix_(new, new)] = torch.from_numpy(old.steps[np.ix_(before, before)]).to(self.steps)


def save(transitions: Transitions, tagset: Tagset, folder: Path) -> None:
    """Write the file that `load` reads."""
    values = {"tags": tagset.names, "steps": transitions.steps.tolist(), "start": transitions.start.tolist()}
    (folder / FILE).write_text(json.dumps(values))


def load(folder: Path, tagset: Tagset) -> Transitions | None:
    """The folder's transitions; None where it has none. Raises ValueError where they are for other tags."""
    path = folder / FILE
    if not path.is_file():
        return None
    values = json.loads(path.read_text())
    if tuple(values["tags"]) != tagset.names:
        raise ValueError(f"{path} is for the tags {values['tags']}")
    return Transitions(np.array(values["steps"], np.float32), np.array(values["start"], np.float32))
