"""A recipe as TOML again, for one that a command has made."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

from export.recipe import Recipe


def recipe_text(recipe: Recipe, *, comment: str) -> str:
    """TOML that :func:`export.recipe.read_recipe` reads as the same recipe, after lines of comment."""
    lines = [f"# {line}".rstrip() for line in comment.splitlines()]
    values = dataclasses.asdict(recipe)
    return "\n".join([*lines, *_table(values, ())]) + "\n"


def _table(values: dict[str, Any], path: tuple[str, ...]) -> list[str]:
    """Lines of a table: its own values first, since TOML counts what follows a header as its."""
    own = {key: value for key, value in values.items() if not isinstance(value, dict) and value is not None}
    lines = [f"{_key(key)} = {_value(value)}" for key, value in own.items()]
    if path and (own or not values):
        lines = ["", f"[{'.'.join(map(_key, path))}]", *lines]
    for key, value in values.items():
        if isinstance(value, dict):
            lines += _table(value, (*path, key))
    return lines


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, dict):
        given = ((key, part) for key, part in value.items() if part is not None)
        return "{ " + ", ".join(f"{_key(key)} = {_value(part)}" for key, part in given) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    raise TypeError(f"expected a value that TOML has, got {type(value).__name__}")


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key)
