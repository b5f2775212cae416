"""Regular expressions that a person typed: compiled only if they cannot fill the memory; pure.

Whoever matches with one gives a `timeout` along: some expressions need for ever in some texts.
"""

from typing import Any

import regex

PATTERN_MAX = 1_000  # characters
_EXPANDED_MAX = 20_000  # a repeat such as x{9} is compiled as so many x: nested ones would fill the memory
_PIECE = regex.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\{(\d+)?(?:,(\d+)?)?\}|.", regex.DOTALL)
_CALL = regex.compile(r"\(\?(?:R|\d+|&|P>)")  # of itself or of a group: recursion fills the memory too


class BadExpression(ValueError):
    """Why an expression is not taken, as the rest of a sentence."""


def compiled(pattern: str) -> Any:
    """The expression made ready; raises `BadExpression`."""
    if not pattern.strip() or len(pattern) > PATTERN_MAX:
        raise BadExpression(f"a pattern has 1 to {PATTERN_MAX:,} characters")
    if _CALL.search(pattern):
        raise BadExpression("an expression must not call itself or a group of its own")
    if _expanded(pattern) > _EXPANDED_MAX:
        raise BadExpression(f"with its repeats written out it has more than {_EXPANDED_MAX:,} pieces")
    try:
        return regex.compile(pattern)
    except (regex.error, RecursionError) as error:
        raise BadExpression(f"/{pattern}/ is no regular expression: {error}") from error


def _expanded(pattern: str) -> int:
    """How many pieces an expression has when each {n} is written out."""
    sizes, last = [0], 0  # of the groups that are open; of the piece before
    for piece in _PIECE.finditer(pattern):
        times = max(int(digits or 0) for digits in piece.groups())
        if times:
            sizes[-1] += last * (times - 1)
            last *= times
        elif piece[0] == "(":
            sizes.append(0)
        elif piece[0] == ")" and len(sizes) > 1:
            last = sizes.pop()
            sizes[-1] += last
        else:
            last = 1
            sizes[-1] += 1
    return sum(sizes)
