"""Grammars: which sentences can be said, and what they mean.

A new format is one module with ``read_X(path) -> WordNetwork`` and one line in READERS.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from edge_asr.decoder.network import WordNetwork
from edge_asr.errors import GrammarError

READERS = {
    ".jsgf": "edge_asr.decoder.grammar.jsgf:read_jsgf",
    ".gram": "edge_asr.decoder.grammar.jsgf:read_jsgf",
    ".yaml": "edge_asr.decoder.grammar.templates:read_templates",
    ".yml": "edge_asr.decoder.grammar.templates:read_templates",
    ".txt": "edge_asr.decoder.grammar.sentences:read_sentences",
}
"""File name ending (lower case) -> function. Imported on use, so that only a template loads hassil."""


def load_grammar(path: str | Path) -> WordNetwork:
    """Read the grammar file ``path``, or the directory of sentence templates.

    The ending of the name decides; a file with another ending that begins with ``#JSGF`` is JSGF.

    Raises
    ------
    GrammarError: missing file, unknown kind, no UTF-8, no sentence, or any mistake within, with its line.
    """
    path = Path(path)
    if path.is_dir():
        kind = ".yaml"
    elif path.suffix.lower() in READERS:
        kind = path.suffix.lower()
    elif _begins_with_jsgf(path):
        kind = ".jsgf"
    else:
        raise GrammarError(
            f"unknown kind of grammar {path.suffix or path.name!r}: expected a directory of .yaml files "
            f"or one of {', '.join(READERS)}",
            source=str(path),
        )
    module, _, name = READERS[kind].partition(":")
    reader: Callable[[Path], WordNetwork] = getattr(import_module(module), name)
    return reader(path)


def _begins_with_jsgf(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"#JSGF")
    except OSError as error:
        raise GrammarError(f"cannot read the grammar: {error.strerror or error}", source=str(path)) from error
