"""A model bundle: one directory with ``model.json`` and the files it names, trusted byte by byte."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge_asr import golden
from edge_asr.arrays import Float32Array
from edge_asr.config import BundleConfig, from_dict
from edge_asr.errors import BundleError
from edge_asr.signature import CHECKSUMS, SIGNATURE, checksums, require_signature
from edge_asr.trust import TrustedKeys

SCHEMA = 1
"""Layout of ``model.json`` that this runtime reads."""

MODEL_JSON = "model.json"
"""The description: everything else is named in it."""

SEAL = "model.json.sha256"
"""Hash of ``model.json`` as ``sha256sum -c`` reads it. Who tunes model.json by hand removes it."""

TOKENS = "tokens.txt"
"""Token of each output, one a line; the first is the blank."""

LEXICON = "lexicon.txt.xz"
"""Pronunciations, one a line: the word, then its tokens."""

WORD_LOOP = "graph.npz"
"""Search graph for free text (decoder/graph.py)."""

PHONE_LOOP = "phones.npz"
"""Search graph of all phone sequences, weighed by a bigram: the background that sentences of a grammar must
stand up to. Optional."""

G2P = "g2p.onnx"
"""Letter-to-phone model for words that the lexicon lacks (decoder/g2p.py). A bundle may do without: then the
one that the package brings for its language serves, if it knows the bundle's phones."""

NEURAL_LM = "neural-lm.npz"
"""Neural language model that re-scores the sentences of free text (decoder/neural_lm.py). Optional."""

GOLDEN = "golden.txt"
"""Golden vectors (golden.py)."""

_MODELS = Path(__file__).parent / "models"
_FILE_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)*", re.ASCII)
_VOUCHED_ELSEWHERE = frozenset({MODEL_JSON, SEAL, CHECKSUMS, SIGNATURE})
_LARGEST_DESCRIPTION_BYTES = 4 << 20


def available_models() -> tuple[str, ...]:
    """Names of the models that the package brings, sorted."""
    return tuple(sorted(path.parent.name for path in _MODELS.glob(f"*/{MODEL_JSON}")))


def packaged_g2p(language: str) -> Path | None:
    """The letter-to-phone model that the package brings for a language; None where it brings none.

    Parameters
    ----------
    language: BCP 47 tag; the first subtag counts ("en" of "en-GB").

    Raises
    ------
    BundleError: the file was changed, or nothing vouches for it.
    """
    directory = _MODELS / f"g2p-{language.partition('-')[0].lower()}"
    if not directory.is_dir():
        return None
    path, checksum = directory / G2P, directory / f"{G2P}.sha256"
    try:
        expected = checksum.read_text(encoding="ascii").split(" ")[0]
    except (OSError, ValueError) as error:
        raise BundleError(f"{checksum}: cannot be read ({error}); install edge-asr again") from error
    _verify(path, expected)
    return path


@dataclass(frozen=True, kw_only=True)
class Description:
    """``model.json`` as it was read; the files that it names are not looked at yet."""

    directory: Path
    """Where it lies."""
    config: BundleConfig
    """Its content."""
    sha256: str
    """Hash of its bytes."""

    @classmethod
    def read(cls, name_or_path: str | Path) -> Description:
        """Find a bundle and read its ``model.json``; errors as in :meth:`Bundle.load`."""
        directory = _find(name_or_path)
        data = _read_description(directory)
        return cls(
            directory=directory,
            config=_parse(data, directory / MODEL_JSON),
            sha256=hashlib.sha256(data).hexdigest(),
        )

    def verify(self, file: str) -> None:
        """Compare a file with its hash.

        Raises
        ------
        BundleError: it is missing, was changed, or is not within the bundle.
        """
        _verify(_locate(self.directory, file), self.config.files[file])

    def surplus(self) -> Iterator[str]:
        """Files that nothing vouches for, by name; nobody ever opens them."""
        known = _VOUCHED_ELSEWHERE | self.config.files.keys()
        for folder, folders, files in os.walk(self.directory):
            links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
            for name in sorted([*files, *links]):
                file = Path(folder, name).relative_to(self.directory).as_posix()
                if file not in known:
                    yield file

    def checksums(self) -> bytes:
        """What a signature of the bundle signs (signature.py)."""
        return checksums({**self.config.files, MODEL_JSON: self.sha256})


@dataclass(frozen=True)
class Bundle:
    """A verified bundle. Make one with :meth:`load`."""

    directory: Path
    """Where the files lie."""
    config: BundleConfig
    """``model.json``."""
    signer: str | None = None
    """Name of the trusted key whose signature was checked; None where none was asked for."""

    @classmethod
    def load(cls, name_or_path: str | Path, *, trusted: TrustedKeys | None = None) -> Bundle:
        """Read and verify a bundle.

        Parameters
        ----------
        name_or_path: name of a packaged model (it comes first), or a directory that holds model.json.
        trusted: keys of which one must have signed the bundle; None asks for no signature.

        Raises
        ------
        BundleError: no such model or directory; ``model.json`` of another schema, with an unknown,
            missing or wrong key; a file that is missing, was changed or lies outside. With ``trusted`` also
            a signature that is missing, wrong or of another key, and a file that the bundle does not name.
            The message names the file.
        MissingExtraError: a signature is to be checked and the package cryptography is not installed.
        """
        found = Description.read(name_or_path)
        directory, config = found.directory, found.config
        for file in sorted(config.files):
            found.verify(file)
        signer = None
        if trusted is not None:
            for file in found.surplus():
                raise BundleError(
                    f"{directory / file}: is not in {MODEL_JSON}, so that nothing vouches for it: remove it, "
                    "or fetch the bundle again"
                )
            signer = require_signature(directory, found.checksums(), trusted)
        bundle = cls(directory, config, signer)
        neural_lm = NEURAL_LM if config.decoder.rescoring else None
        for needed in (config.acoustic.graph, config.acoustic.tflite, TOKENS, neural_lm):
            if needed is not None:
                bundle.path(needed)
        return bundle

    def path(self, file: str) -> Path:
        """Where ``file`` lies.

        Raises
        ------
        BundleError: ``files`` in model.json does not name it, so that nothing vouches for it.
        """
        if file not in self.config.files:
            raise BundleError(
                f"{self.directory}: the bundle has no file {file!r}; it has {', '.join(self.config.files)}"
            )
        return _locate(self.directory, file)

    def golden(self) -> dict[str, Float32Array]:
        """The golden vectors by name.

        Raises
        ------
        BundleError: the bundle brings none, or they cannot be read.
        """
        path = self.path(GOLDEN)
        return golden.parse(path.read_text(encoding="ascii"), where=str(path))


def _find(name_or_path: str | Path) -> Path:
    """Directory of a packaged model or of a path."""
    if name_or_path in available_models():
        return _MODELS / name_or_path
    directory = Path(name_or_path)
    if (directory / MODEL_JSON).is_file():
        return directory
    if directory.is_dir():
        raise BundleError(f"{directory}: {MODEL_JSON} is missing, so this is no model bundle")
    known = ", ".join(available_models()) or "none"
    raise BundleError(f"no model or directory {str(name_or_path)!r}; packaged models: {known}")


def _read_description(directory: Path) -> bytes:
    """The bytes of model.json, which the seal vouches for where there is one."""
    path, seal = _inside(directory, MODEL_JSON), directory / SEAL
    try:
        with path.open("rb") as stream:
            data = stream.read(_LARGEST_DESCRIPTION_BYTES + 1)
    except OSError as error:
        raise BundleError(f"{path}: cannot be read ({error.strerror})") from error
    if len(data) > _LARGEST_DESCRIPTION_BYTES:
        raise BundleError(f"{path}: expected at most {_LARGEST_DESCRIPTION_BYTES:,} bytes")
    if seal.is_file():
        with seal.open("rb") as stream:
            line = stream.read(1024).decode("utf-8", errors="replace")
        _compare(path, line.split(" ")[0], hashlib.sha256(data).hexdigest())
    return data


def _parse(data: bytes, path: Path) -> BundleConfig:
    """Parse model.json; the schema first, since another one may have any keys."""
    try:
        values = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:  # also UnicodeDecodeError
        raise BundleError(f"{path}: not JSON: {error}") from error
    schema = values.get("schema") if isinstance(values, dict) else None
    if schema != SCHEMA:
        raise BundleError(
            f"{path}: schema {schema!r}, but this runtime reads schema {SCHEMA}: "
            "use the edge-asr release that packed it, or pack the model again"
        )
    return from_dict(BundleConfig, values, where=str(path))


def _locate(directory: Path, file: str) -> Path:
    """Path of a file of the bundle; a name or a link that leads out of the directory is refused."""
    if not _FILE_NAME.fullmatch(file):
        raise BundleError(
            f"{directory / MODEL_JSON}: file name {file!r} is refused: "
            "a name is made of letters, digits, '_', '-' and '.', and stays within the bundle"
        )
    return _inside(directory, file)


def _inside(directory: Path, file: str) -> Path:
    """``directory / file``, which must not be a link to elsewhere, a device or a pipe."""
    path = directory / file
    try:
        target = path.resolve()
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle
        raise BundleError(f"{path}: cannot be read: {error}") from error
    if not target.is_relative_to(directory.resolve()):
        raise BundleError(f"{path}: is a link out of the bundle, to {target}: put the file itself there")
    if path.exists() and not path.is_file():
        raise BundleError(f"{path}: expected a regular file, got something else")
    return path


def _verify(path: Path, expected: str) -> None:
    """Compare the sha256 of a file with what model.json says."""
    try:
        with path.open("rb") as stream:
            got = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise BundleError(
            f"{path}: cannot be read ({error.strerror}); fetch or pack the bundle again"
        ) from error
    _compare(path, expected, got)


def _compare(path: Path, expected: str, got: str) -> None:
    if got != expected:
        raise BundleError(
            f"{path}: was changed: expected sha256 {expected[:12]}..., got {got[:12]}...; "
            "fetch or pack the bundle again"
        )
