"""Letters and digits one by one: "b c seven", "double s", "t as in tango", "alpha bravo one".

The sound "oh" is the letter; the digit is "zero" here. "Double u" is the letter w.
"""

from __future__ import annotations

from string import ascii_lowercase

from edge_asr.decoder.grammar.builtin.number import UNITS
from edge_asr.decoder.grammar.builtin.sketch import Sketch
from edge_asr.decoder.network import WordNetwork

# The radiotelephony alphabet of the ITU Radio Regulations (appendix 14), with its common spellings.
ALPHABET = dict(
    zip(
        ascii_lowercase,
        (
            "alpha|alfa", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india",
            "juliet|juliett", "kilo", "lima", "mike", "november", "oscar", "papa", "quebec", "romeo",
            "sierra", "tango", "uniform", "victor", "whiskey|whisky", "x ray", "yankee", "zulu",
        ),
        strict=True,
    )
)  # fmt: skip
"""Letter -> words that stand for it."""
_SAID = {"z": "z|zed"}
"""Letters with more than one name."""


def spelling() -> WordNetwork:
    """One or more letters and digits."""
    sketch = Sketch("spelling")
    first, last = sketch.node(), sketch.node()
    sketch.skip(sketch.start, first)
    sketch.say(first, last, f"zero|{UNITS}")
    repeated = sketch.after(first, "double|triple")
    sketch.say(repeated, last, f"zero|{UNITS}")
    for letter, code in ALPHABET.items():
        names = _SAID.get(letter, letter)
        sketch.say(first, last, code)
        said = sketch.after(first, names)
        sketch.skip(said, last)
        sketch.say(sketch.after(said, "as in|like"), last, code)
        if letter != "u":
            sketch.say(repeated, last, names)
    sketch.skip(last, first)
    sketch.skip(last, sketch.end)
    return sketch.network
