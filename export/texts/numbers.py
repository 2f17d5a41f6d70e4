"""Numbers as they are said: whole, with decimals, digit by digit, and with what they count."""

from __future__ import annotations

import random

from edge_asr.decoder.grammar.numbers import spell_decimal, spell_integer

_UNITS = (
    "percent", "degrees", "minutes", "seconds", "hours", "miles", "kilometers", "dollars", "people", "meters",
)  # fmt: skip
_ORDINARY = ("it costs {}", "set it to {}", "channel {}", "number {}", "there are {}", "page {}")


def numbers(count: int, seed: int) -> list[str]:
    """``count`` numbers, small ones more often than large ones, some within a few words."""
    rng = random.Random(f"numbers {seed}")
    return [_number(rng) for _ in range(count)]


def _number(rng: random.Random) -> str:
    kind = rng.choice(("whole", "whole", "unit", "decimal", "digits", "phrase"))
    if kind == "digits":
        digits = rng.choices(
            ("oh", "zero", *(spell_integer(n)[0][0] for n in range(1, 10))), k=rng.randint(2, 8)
        )
        return " ".join(digits)
    # As many numbers of one digit as of two, and so on: small ones are what people say.
    value = rng.randrange(10 ** rng.choice((1, 2, 2, 3, 3, 4, 6)))
    if kind == "decimal":
        ways = spell_decimal(f"{value % 1000}.{rng.randrange(100):02}".rstrip("0").rstrip("."))
    else:
        ways = spell_integer(value)
    words = " ".join(rng.choice(ways))
    if kind == "unit":
        return f"{words} {rng.choice(_UNITS)}"
    return rng.choice(_ORDINARY).format(words) if kind == "phrase" else words
