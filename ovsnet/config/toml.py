"""TOML as people write it: what is none is named in a sentence, whatever the parser raises for it."""

from __future__ import annotations

import tomllib
from typing import Any

from ovsnet.errors import ConfigError


def parse(content: bytes | str, what: str, *, remedy: str = "") -> dict[str, Any]:
    """The table that ``content`` holds. Raises ConfigError, which calls it ``what``."""
    try:
        return tomllib.loads(content if isinstance(content, str) else content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{what} is not valid TOML: {error}.", remedy=remedy) from error
    except ValueError as error:  # int() refuses more than 4300 digits
        raise ConfigError(f"{what} is not valid TOML: it holds a number of too many digits.", remedy=remedy) from error
    except RecursionError as error:
        raise ConfigError(f"{what} is not valid TOML: it is nested too deep.", remedy=remedy) from error
