"""``python -m export keygen --key FILE --name NAME``: an Ed25519 pair, the private key in a file of its own.

The private key is PKCS #8 in PEM as openssl has it, not encrypted, and readable by its owner alone. The
public key is a line of a trust file (edge_asr/trust.py): give that line to those who are to trust you.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from edge_asr.errors import UsageError
from edge_asr.trust import KEY_NAME, TrustedKeys, show_key

_OWNER_ONLY = 0o600


def write_private_key(path: Path) -> bytes:
    """Make a pair, write its private key into a new file with mode 0600; the raw public key.

    Raises
    ------
    UsageError: the file is there already, or cannot be written.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        # Nobody else can open it, not even between making and writing it.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    except FileExistsError as error:
        raise UsageError(
            f"{path}: is there already; a key is never overwritten, name another file"
        ) from error
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from error
    with os.fdopen(handle, "wb") as stream:
        stream.write(pem)
    return key.public_key().public_bytes_raw()


def trust_line(name: str, key: bytes) -> str:
    """The line of a trust file."""
    return f"{name} {show_key(key)}\n"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of ``python -m export keygen``."""
    parser.add_argument(
        "--key", type=Path, required=True, metavar="FILE", help="where to write the private key; a new file"
    )
    parser.add_argument("--name", required=True, help="what the key is called in trust files")
    parser.add_argument("--trust", type=Path, metavar="FILE", help="trust file to add the public key to")


def run(args: argparse.Namespace) -> int:
    """Write the private key, print the line for trust files and add it to ``--trust``."""
    if not KEY_NAME.fullmatch(args.name):
        raise UsageError(f"--name: expected letters, digits, '_', '-', '.', '@' and '+', got {args.name!r}")
    if args.trust and args.trust.exists() and args.name in TrustedKeys.load(args.trust).names.values():
        raise UsageError(f"{args.trust}: has a key {args.name!r} already; choose another --name")
    line = trust_line(args.name, write_private_key(args.key))
    if args.trust:
        args.trust.parent.mkdir(parents=True, exist_ok=True)
        with args.trust.open("a", encoding="utf-8") as stream:
            stream.write(line)
    print(line, end="")
    return 0
