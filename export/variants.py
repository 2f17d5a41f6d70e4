"""Ways to say words that the dictionary lacks: files of variants, those of an accent packaged.

A line is ``word PH PH PH`` in the phones of :data:`export.dictionary.PHONES`; further lines of a word are
further variants. Empty lines and what follows a ``#`` are passed over.
"""

from __future__ import annotations

import re
from pathlib import Path

from edge_asr.errors import UsageError
from export.dictionary import PHONES, Pronunciation

ACCENTS = Path(__file__).parent / "accents"
"""Where the packaged files are, one ``NAME.txt`` an accent."""

Variants = dict[str, list[Pronunciation]]
"""Word -> ways to say it, in the order of the file."""

_NAME = re.compile(r"[\w-]+")
_WORD = re.compile(r"[a-z']+")


def variants_file(name: str) -> Path:
    """The packaged file of a name such as ``british``; what has a slash or a dot is a path itself.

    Raises
    ------
    UsageError: there is no such file.
    """
    path = ACCENTS / f"{name}.txt" if _NAME.fullmatch(name) else Path(name)
    if not path.is_file():
        packaged = ", ".join(sorted(file.stem for file in ACCENTS.glob("*.txt")))
        raise UsageError(f"--variants {name}: no such file; packaged are {packaged}")
    return path


def read_variants(path: Path) -> Variants:
    """The variants of a file.

    Raises
    ------
    UsageError: the file is not UTF-8, or a line has no phones, an unknown phone, a word that is not written
        in a-z and apostrophes, or stood in the file before; all with the line's number.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot read the variants: {error}") from error
    variants: Variants = {}
    for number, line in enumerate(lines, start=1):
        word, *phones = line.partition("#")[0].split() or [""]
        if not word:
            continue
        if not phones or not _WORD.fullmatch(word):
            raise UsageError(f"{path}:{number}: expected 'word PH PH ...' in lower case, got {line!r}")
        if unknown := [phone for phone in phones if phone not in PHONES]:
            raise UsageError(f"{path}:{number}: unknown phone {unknown[0]!r}; phones are {' '.join(PHONES)}")
        ways = variants.setdefault(word, [])
        if tuple(phones) in ways:
            raise UsageError(f"{path}:{number}: {line.strip()!r} stands here twice: remove one")
        ways.append(tuple(phones))
    return variants


def merge(files: list[Variants]) -> Variants:
    """The variants of several files, each once."""
    merged: Variants = {}
    for variants in files:
        for word, ways in variants.items():
            known = merged.setdefault(word, [])
            known += [way for way in ways if way not in known]
    return merged
