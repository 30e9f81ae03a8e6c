"""What a kind of line is declared with. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of line. ``modules`` are those of vlog that print it; ``words`` is matched at the text's beginning, of a
    text that holds ``mark``.

    ``source`` is the place that prints it, ``since`` the first release of Open vSwitch or OVN in which it has these
    words. All of them still did in Open vSwitch 3.7 and OVN 26.03.

    ``subject`` of what it finds, and further named groups, are what the line says. ``many`` bounds how many lines of
    one subject are kept of one source, and ``apart`` how many seconds lie between two of them: the others are counted.
    """

    name: str
    mark: str
    modules: tuple[str, ...]
    words: str
    source: str
    since: str = ""
    many: int = 2000
    apart: float = 0.0
    pattern: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pattern", re.compile(self.words))
