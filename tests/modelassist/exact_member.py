"""A member of a team that trains in full precision."""

import torch

from modelassist import optimizer, team_member

optimizer.precision = lambda _: torch.float32  # type: ignore[assignment]

if __name__ == "__main__":
    team_member.main()
