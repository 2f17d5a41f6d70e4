"""The output alphabet of an acoustic model: blank, then phones, characters or pieces of words."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from edge_asr.bundle import TOKENS, Bundle
from edge_asr.errors import BundleError

BLANK = 0
"""Column of the CTC blank in every array of log-probabilities."""
BLANK_NAME = "<blk>"


class Tokens:
    """Names of the columns of the log-probabilities, blank first.

    Raises
    ------
    BundleError: the first name is not ``<blk>``, or a name is empty, stands twice, or holds white space
        other than the one space that separates words of characters.
    """

    def __init__(self, names: Sequence[str], *, source: str = "tokens") -> None:
        if not names or names[BLANK] != BLANK_NAME:
            got = repr(names[0]) if names else "nothing"
            raise BundleError(f"{source}: the first token must be {BLANK_NAME}, got {got}")
        for index, name in enumerate(names):
            if name != " " and len(name.split()) != 1:
                raise BundleError(f"{source}:{index + 1}: expected one token, got {name!r}")
        self.names = tuple(names)
        if len(self.index) != len(self.names):
            twice = next(name for name in names if names.count(name) > 1)
            raise BundleError(f"{source}: token {twice!r} stands twice")

    @classmethod
    def load(cls, path: Path) -> Tokens:
        """Read ``tokens.txt``: one token a line, line number (from 0) = column.

        Raises
        ------
        BundleError: the file is missing, is not UTF-8, or holds no valid list of tokens.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BundleError(f"{path}: cannot read the tokens: {error}") from error
        return cls(text.splitlines(), source=path.name)

    @classmethod
    def of_bundle(cls, bundle: Bundle) -> Tokens:
        """The tokens of a bundle's acoustic model.

        Raises
        ------
        BundleError: as in ``load``, or the network has another number of outputs.
        """
        path, acoustic = bundle.path(TOKENS), bundle.config.acoustic
        tokens = cls.load(path)
        if len(tokens) != acoustic.outputs:
            raise BundleError(
                f"{path}: expected {acoustic.outputs} tokens, one for each output of {acoustic.graph}, "
                f"got {len(tokens)}"
            )
        return tokens

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def index(self) -> dict[str, int]:
        """Column of each name."""
        return {name: index for index, name in enumerate(self.names)}
