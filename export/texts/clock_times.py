"""Times of day as they are said."""

from __future__ import annotations

import random

from edge_asr.decoder.grammar.numbers import spell_integer

_FRAMES = ("at {}", "set an alarm for {}", "wake me up at {}", "it is {}", "{}", "{}")
_PARTS = ("", "", " a m", " p m", " in the morning", " in the afternoon", " in the evening", " tonight")


def times(count: int, seed: int) -> list[str]:
    """``count`` times, some within a few words."""
    rng = random.Random(f"times {seed}")
    return [rng.choice(_FRAMES).format(_time(rng)) for _ in range(count)]


def _time(rng: random.Random) -> str:
    hour, minute = rng.randint(1, 12), rng.choice((0, 0, 15, 30, 45, rng.randrange(60)))
    name, following = (spell_integer(h)[0][0] for h in (hour, hour % 12 + 1))
    if minute == 0:
        return rng.choice((f"{name} o'clock", name + rng.choice(_PARTS), "noon", "midnight"))
    words = " ".join((("oh",) if minute < 10 else ()) + spell_integer(minute)[0])
    ways = [f"{name} {words}{rng.choice(_PARTS)}"]
    if minute in (15, 30, 45):
        ways.append(
            {15: f"quarter past {name}", 30: f"half past {name}", 45: f"quarter to {following}"}[minute]
        )
    elif minute % 5 == 0:
        part = " ".join(spell_integer(min(minute, 60 - minute))[0])
        ways.append(f"{part} past {name}" if minute < 30 else f"{part} to {following}")
    return rng.choice(ways)
