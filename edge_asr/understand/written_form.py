"""What was said as it is written: ``wake me at half past six`` becomes ``wake me at 06:30``.

Inverse text normalisation for English by rules, after a policy of least harm: what may be no number stays in
words, and every change can be traced to the words it covers.

* Numbers are written in digits, ``zero`` to ``nine`` only beside a unit (``two minutes``), behind a label
  (``channel five``), in a range or sum with another number. Round millions keep their word: 2 million.
* Times are HH:MM. Without am, pm or a part of day they are as the clock's face shows them (01:00 to 12:59).
* Dates keep the order in which they were said, the month by name: May 3, 3 May 2026.
* ``first`` to ``ninth`` stay words outside dates; ``tenth`` and ``twenty first`` become 10th and 21st.
* At least two single letters become an abbreviation.

The tables of ``ambiguity.py`` say which words decide. Input is lower case without punctuation, as the
recognizer gives it; what is written already stays, so that writing twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge_asr.understand.ambiguity import JOINTS
from edge_asr.understand.spoken_integer import UNITS, ZEROS, word_at
from edge_asr.understand.written_rules import RULES, may_begin, read_kept

_SMALL = {**{word: str(value) for word, value in UNITS.items()}, **{word: "0" for word in ZEROS}}


@dataclass(frozen=True, slots=True)
class Written:
    """A piece of the written text and the words it stands for."""

    text: str
    """May hold spaces: ``50 %``, ``May 3``."""
    start: int
    """Index of its first spoken word."""
    stop: int
    """Index behind its last spoken word."""
    kind: str
    """``word`` where nothing changed, ``kept`` where nothing may, otherwise the rule's name in ``RULES``."""


def written(words: Sequence[str]) -> list[Written]:
    """The words as they are written, in order; the spans cover every word once."""
    pieces: list[Written] = []
    at = 0
    while at < len(words):
        pieces += _pieces(words, at)
        at = pieces[-1].stop
    return _written_joints(words, pieces)


def written_text(text: str) -> str:
    """The text as it is written: the pieces with spaces between them."""
    return " ".join(piece.text for piece in written(text.split()))


def writer_for(language: str) -> Callable[[str], str]:
    """``written_text`` for a model that hears English (a BCP 47 tag), and no change for any other."""
    return written_text if language.partition("-")[0] == "en" else str


def _pieces(words: Sequence[str], at: int) -> list[Written]:
    """What the first rule that fits makes of the words at ``at``, or the word itself."""
    if may_begin(words[at]):
        kept = read_kept(words, at)
        if kept is not None:
            return [Written(words[i], i, i + 1, "kept") for i in range(at, kept)]
        for kind, rule in RULES.items():
            found = rule(words, at)
            if found is not None:
                return [Written(found[0], at, found[1], kind)]
    return [Written(words[at], at, at + 1, "word")]


def _written_joints(words: Sequence[str], pieces: list[Written]) -> list[Written]:
    """Write small numbers in digits where another number is joined to them: ``seven to 10``."""
    for i in range(1, len(pieces) - 1):
        if pieces[i].text not in JOINTS or pieces[i].kind != "word":
            continue
        sure = pieces[i].text in ("to", "through") or word_at(words, pieces[i - 1].start - 1) == "between"
        for small, other in ((i - 1, i + 1), (i + 1, i - 1)):
            piece = pieces[small]
            if piece.kind != "word" or piece.text not in _SMALL or pieces[other].kind != "number":
                continue
            if sure or piece.text != "one":
                pieces[small] = Written(_SMALL[piece.text], piece.start, piece.stop, "number")
    return pieces
