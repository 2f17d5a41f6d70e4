"""Grammars: which sentences can be said, and what they mean.

A new format is one module with ``read_X(path, rejects) -> WordNetwork`` and one line in READERS.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from edge_asr.decoder.grammar.rejects import Reject
from edge_asr.decoder.network import WordNetwork
from edge_asr.errors import GrammarError
from edge_asr.garbage import collector_paused

READERS = {
    ".jsgf": "edge_asr.decoder.grammar.jsgf:read_jsgf",
    ".gram": "edge_asr.decoder.grammar.jsgf:read_jsgf",
    ".yaml": "edge_asr.decoder.grammar.templates:read_templates",
    ".yml": "edge_asr.decoder.grammar.templates:read_templates",
    ".txt": "edge_asr.decoder.grammar.sentences:read_sentences",
}
"""File name ending (lower case) -> function. Imported on use, so that only a template loads hassil."""


@collector_paused()
def load_grammar(
    path: str | Path, rejects: list[Reject] | None = None, *, name: str | None = None
) -> WordNetwork:
    """Read the grammar file ``path``, or the directory of sentence templates.

    The ending of the name decides; a file with another ending that begins with ``#JSGF`` is JSGF.

    Parameters
    ----------
    name: what messages call it; None is its file name (``shown_names``).
    rejects: takes note of mistakes, which then cost no more than the rule, alternative, sentence or list
        value that they stand in. Without it the first mistake is raised: nothing is left out unless
        someone is told.

    Raises
    ------
    GrammarError: missing file, unknown kind, no UTF-8, too large, no sentence left; or, without
        ``rejects``, any mistake within, with its line.
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
    module, _, function = READERS[kind].partition(":")
    reader: Callable[[Path, list[Reject] | None], WordNetwork] = getattr(import_module(module), function)
    if name in (None, path.name):
        return reader(path, rejects)
    noted: list[Reject] = []
    try:
        network = reader(path, None if rejects is None else noted)
    except GrammarError as error:
        if error.source != path.name:
            raise
        raise type(error)(error.message, source=name, line=error.line) from error
    finally:
        if rejects is not None:
            rejects += [replace(r, source=name) if r.source == path.name else r for r in noted]
    return replace(network, name=name)


def shown_names(paths: Iterable[Path]) -> dict[Path, str]:
    """What messages call each file: its name, or the whole path where two files have the same name."""
    different = set(paths)
    counts = Counter(path.name for path in different)
    return {path: path.name if counts[path.name] == 1 else str(path) for path in different}


def load_grammars(
    grammars: Iterable[WordNetwork | str | Path], rejects: list[Reject] | None = None
) -> list[WordNetwork]:
    """The networks of all ``grammars`` (networks or files).

    Raises
    ------
    GrammarError: as ``load_grammar``; with ``rejects`` only if nothing is left of all files together: one
        of which nothing is left is noted.
    """
    networks: list[WordNetwork] = []
    errors: list[GrammarError] = []
    given = [g if isinstance(g, WordNetwork) else Path(g) for g in grammars]
    names = shown_names(g for g in given if isinstance(g, Path))
    for grammar in given:
        try:
            if isinstance(grammar, Path):
                grammar = load_grammar(grammar, rejects, name=names[grammar])
            networks.append(grammar)
        except GrammarError as error:
            if rejects is None:
                raise
            errors.append(error)
    if errors and not networks:
        raise errors[0]
    if rejects is not None:
        rejects += [reject for reject in map(Reject.of, errors) if reject not in rejects]
    return networks


def _begins_with_jsgf(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"#JSGF")
    except OSError as error:
        raise GrammarError(f"cannot read the grammar: {error.strerror or error}", source=str(path)) from error
