"""What a kind of line is declared with. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of line. ``modules`` are those of vlog that print it; ``words`` is matched at the text's beginning, of a
    text that holds ``mark``.

    ``subject`` of what it finds, and further named groups, are what the line says. ``many`` bounds how many lines of
    one subject are kept of one source, and ``apart`` how many seconds lie between two of them: the others are counted.
    """

    name: str
    mark: str
    modules: tuple[str, ...]
    words: str
    source: str
    many: int = 2000
    apart: float = 0.0
    pattern: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pattern", re.compile(self.words))
