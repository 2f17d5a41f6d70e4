"""``python -m export sign BUNDLE --key FILE``: vouch for all files of a bundle with an Ed25519 key.

Writes ``SHA256SUMS`` and ``SHA256SUMS.sig`` beside the files; edge_asr/signature.py says what they hold.
"""

from __future__ import annotations

import argparse
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from edge_asr.bundle import Bundle, Description
from edge_asr.errors import BundleError, UsageError
from edge_asr.signature import CHECKSUMS, SIGNATURE, Signature
from edge_asr.trust import show_key

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def read_private_key(path: Path) -> Ed25519PrivateKey:
    """Read an Ed25519 key in PEM.

    Raises
    ------
    UsageError: the file cannot be read, others than its owner may use it, or it holds no such key.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        mode = path.stat().st_mode
        pem = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: the key cannot be read: {error.strerror}") from error
    if mode & _OTHERS:
        raise UsageError(
            f"{path}: others may use this key (mode {stat.S_IMODE(mode):04o}): run chmod 600 {path}"
        )
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:  # TypeError: it is encrypted
        raise UsageError(f"{path}: expected a private key in PEM, not encrypted: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(f"{path}: expected an Ed25519 key, make one with: python -m export keygen")
    return key


def sign(name_or_path: str | Path, key: Ed25519PrivateKey) -> Signature:
    """Sign a bundle, replacing the signature that it has.

    Raises
    ------
    BundleError: it cannot be trusted: a file is missing, was changed, or is not named by the bundle.
    """
    found = Description.read(name_or_path)
    Bundle.load(found.directory)
    for file in found.surplus():
        raise BundleError(
            f"{found.directory / file}: is not in model.json, and a signature vouches for all files: remove "
            "it, or pack it with --extra"
        )
    message = found.checksums()
    signature = Signature(key=key.public_key().public_bytes_raw(), signature=key.sign(message))
    for file, data in ((CHECKSUMS, message), (SIGNATURE, signature.render().encode("ascii"))):
        # Put in its place when it is whole. The name cannot be a link that leads elsewhere.
        partial = found.directory / f".{file}.part"
        partial.unlink(missing_ok=True)
        partial.write_bytes(data)
        os.replace(partial, found.directory / file)
    return signature


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of ``python -m export sign``."""
    parser.add_argument("bundle", help="name of a packaged model, or a bundle's directory")
    parser.add_argument(
        "--key", type=Path, required=True, metavar="FILE", help="private key in PEM (python -m export keygen)"
    )


def run(args: argparse.Namespace) -> int:
    """Sign, and say with which key."""
    signature = sign(args.bundle, read_private_key(args.key))
    print(f"{Description.read(args.bundle).directory / SIGNATURE}: signed by {show_key(signature.key)}")
    return 0
