"""A bundle's Ed25519 signature: one key vouches for all its files at once.

What is signed is the list of checksums, made anew from the bundle whenever it is checked::

    # edge-asr bundle 1
    <sha256 of a file, 64 lower-case hexadecimal digits>  <its name>

a line for ``model.json`` and for each file that it names, sorted by name (ASCII), each ended by one line
feed. The first line keeps the signature from meaning anything else. ``SHA256SUMS`` holds this list for
those who have other tools, ``SHA256SUMS.sig`` the line ``ed25519 PUBLIC_KEY SIGNATURE`` (RFC 8032, 32 and
64 bytes in base64). Checking it by hand, given the signer's public key as PEM::

    sha256sum --check SHA256SUMS
    cut -d ' ' -f 3 SHA256SUMS.sig | base64 -d > signature
    openssl pkeyutl -verify -pubin -inkey public.pem -rawin -in SHA256SUMS -sigfile signature

A signature does not say how new a bundle is: an older one by the same key is as valid.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edge_asr.errors import BundleError, MissingExtraError
from edge_asr.trust import TRUST_VARIABLE, TrustedKeys, parse_key, show_key

CHECKSUMS = "SHA256SUMS"
"""The list of checksums as ``sha256sum --check`` reads it."""

SIGNATURE = "SHA256SUMS.sig"
"""The signature of that list."""

SIGNATURE_BYTES = 64
"""Length of an Ed25519 signature (RFC 8032)."""

_HEAD = "# edge-asr bundle 1\n"
_KIND = "ed25519"
_LARGEST_BYTES = 1024


def checksums(files: Mapping[str, str]) -> bytes:
    """The bytes that are signed.

    Parameters
    ----------
    files: name -> sha256 of every file, ``model.json`` included.
    """
    return (_HEAD + "".join(f"{files[name]}  {name}\n" for name in sorted(files))).encode("ascii")


@dataclass(frozen=True, kw_only=True)
class Signature:
    """What ``SHA256SUMS.sig`` says, not yet checked."""

    key: bytes
    """Raw public key of who claims to have signed."""
    signature: bytes
    """The signature itself."""

    @classmethod
    def read(cls, path: Path) -> Signature | None:
        """Read a signature file; None where there is none.

        Raises
        ------
        BundleError: the file is not one line of kind, key and signature.
        """
        try:
            with path.open("rb") as stream:
                words = stream.read(_LARGEST_BYTES).decode("ascii", errors="replace").split(" ")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise BundleError(f"{path}: the signature cannot be read ({error.strerror})") from error
        if len(words) == 3 and words[0] == _KIND and words[2].endswith("\n"):
            key, signature = parse_key(words[1]), _parse_signature(words[2].removesuffix("\n"))
            if key is not None and signature is not None:
                return cls(key=key, signature=signature)
        raise BundleError(
            f"{path}: expected one line '{_KIND} PUBLIC_KEY SIGNATURE' ({SIGNATURE_BYTES} bytes in base64), "
            "got another or only a part of it: fetch or sign the bundle again"
        )

    def render(self) -> str:
        """The line of the file."""
        return f"{_KIND} {show_key(self.key)} {base64.b64encode(self.signature).decode('ascii')}\n"

    def fits(self, message: bytes) -> bool:
        """Whether the key's owner signed ``message``.

        Raises
        ------
        MissingExtraError: the package cryptography is not installed.
        """
        try:
            from cryptography.exceptions import InvalidSignature
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        except ImportError as error:
            raise MissingExtraError("cryptography", "signing", "Checking a bundle's signature") from error
        try:
            Ed25519PublicKey.from_public_bytes(self.key).verify(self.signature, message)
        except (InvalidSignature, ValueError):  # ValueError: the bytes are no point of the curve
            return False
        return True


def require_signature(directory: Path, message: bytes, trusted: TrustedKeys) -> str:
    """The name of the trusted key that signed ``message``, the checksums of the bundle in ``directory``.

    Raises
    ------
    BundleError: no signature, a damaged one, one of a key that is not trusted, one of other checksums, or a
        ``SHA256SUMS`` that lists other checksums.
    MissingExtraError: the package cryptography is not installed.
    """
    path = directory / SIGNATURE
    found = Signature.read(path)
    if found is None:
        raise BundleError(
            f"{path}: is missing: a signature is required, and this bundle has none; fetch a signed one, or "
            "sign it (python -m export sign)"
        )
    name = trusted.names.get(found.key)
    if name is None:
        raise BundleError(
            f"{path}: signed by {show_key(found.key)}, which is no key of {trusted.source}: add a line with "
            f"a name and this key if you trust it, or name another file with --trust or {TRUST_VARIABLE}"
        )
    if not found.fits(message):
        raise BundleError(
            f"{path}: is no signature of these files by {name!r}: one of them or the signature was "
            "exchanged; fetch or sign the bundle again"
        )
    listed = directory / CHECKSUMS
    if listed.is_file() and not _holds(listed, message):
        raise BundleError(
            f"{listed}: was changed: lists other checksums than the bundle has; fetch or sign it again"
        )
    return name


def _holds(path: Path, data: bytes) -> bool:
    with path.open("rb") as stream:
        return stream.read(len(data) + 1) == data


def _parse_signature(text: str) -> bytes | None:
    try:
        signature = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return signature if len(signature) == SIGNATURE_BYTES else None
