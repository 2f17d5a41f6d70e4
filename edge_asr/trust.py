"""Whose signatures count: a file of names and Ed25519 public keys, and whether a signature is required.

One key a line, a name and the 32 bytes of the key in base64; ``#`` begins a comment::

    # name        public key
    workshop      eL2nVF6zl0OcPS0DRvmUDSkFM0uSnYp2Yh7ZA+aaMBI=
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edge_asr.errors import UsageError

TRUST_VARIABLE = "EDGE_ASR_TRUSTED_KEYS"
"""Environment variable that names the trust file."""

REQUIRE_VARIABLE = "EDGE_ASR_REQUIRE_SIGNATURE"
"""Environment variable: ``1`` refuses every bundle that no trusted key signed."""

KEY_BYTES = 32
"""Length of an Ed25519 public key (RFC 8032)."""

KEY_NAME = re.compile(r"[\w.@+-]{1,64}", re.ASCII)
"""What a key may be called."""

_LARGEST_BYTES = 1 << 20
_SWITCH = {"1": True, "true": True, "yes": True, "on": True, "": False, "0": False, "false": False}
_SWITCH |= {"no": False, "off": False}


@dataclass(frozen=True, kw_only=True)
class TrustedKeys:
    """The keys of one trust file."""

    source: str
    """The file, for messages."""
    names: Mapping[bytes, str]
    """Public key, raw -> the name that the file gives it."""

    @classmethod
    def load(cls, path: Path) -> TrustedKeys:
        """Read a trust file.

        Raises
        ------
        UsageError: it cannot be read, or a line is no name and key, or a name or a key stands there twice.
        """
        try:
            with path.open("rb") as stream:
                data = stream.read(_LARGEST_BYTES + 1)
            text = data.decode("utf-8")
        except OSError as error:
            raise UsageError(
                f"{path}: the trusted keys cannot be read ({error.strerror}); write a line 'NAME PUBLIC_KEY' "
                f"for each into it, or name another file with --trust or {TRUST_VARIABLE}"
            ) from error
        except UnicodeDecodeError as error:
            raise UsageError(f"{path}: expected text, one 'NAME PUBLIC_KEY' a line: {error}") from error
        if len(data) > _LARGEST_BYTES:
            raise UsageError(f"{path}: expected a trust file of at most {_LARGEST_BYTES:,} bytes")
        names: dict[bytes, str] = {}
        for number, line in enumerate(text.splitlines(), start=1):
            words = line.partition("#")[0].split()
            if not words:
                continue
            key = parse_key(words[1]) if len(words) == 2 and KEY_NAME.fullmatch(words[0]) else None
            if key is None:
                raise UsageError(
                    f"{path}:{number}: expected a name and a public key ({KEY_BYTES} bytes in base64), "
                    f"got {line.strip()[:80]!r}"
                )
            if key in names or words[0] in names.values():
                raise UsageError(f"{path}:{number}: the name or the key stands here twice: {words[0]!r}")
            names[key] = words[0]
        return cls(source=str(path), names=names)


def parse_key(text: str) -> bytes | None:
    """The raw public key that stands in base64, or None."""
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == KEY_BYTES else None


def show_key(key: bytes) -> str:
    """A raw public key in base64."""
    return base64.b64encode(key).decode("ascii")


def default_trust_file(environ: Mapping[str, str]) -> Path:
    """Where trusted keys stand: ``EDGE_ASR_TRUSTED_KEYS``, else ``edge-asr/trusted_keys`` in the user's
    configuration (``XDG_CONFIG_HOME``, by default ``~/.config``)."""
    named = environ.get(TRUST_VARIABLE)
    if named:
        return Path(named)
    home = environ.get("XDG_CONFIG_HOME", "")
    # The XDG base directory specification has relative paths ignored.
    configuration = Path(home) if home.startswith("/") else Path(environ.get("HOME", "/")) / ".config"
    return configuration / "edge-asr" / "trusted_keys"


def signature_required(environ: Mapping[str, str]) -> bool:
    """Whether ``EDGE_ASR_REQUIRE_SIGNATURE`` asks for a signature.

    Raises
    ------
    UsageError: it says neither yes nor no: a slip must not turn the check off.
    """
    value = environ.get(REQUIRE_VARIABLE, "")
    if value.lower() not in _SWITCH:
        raise UsageError(f"{REQUIRE_VARIABLE}: expected 1 or 0, got {value!r}")
    return _SWITCH[value.lower()]


def keys_in_force(
    require: bool | None, trust: str | Path | None, environ: Mapping[str, str] = os.environ
) -> TrustedKeys | None:
    """The keys that a bundle must be signed with; None where no signature is asked for.

    Parameters
    ----------
    require: None is as the environment says, unless ``trust`` is named: who names keys wants them asked.
    trust: the trust file; None is ``default_trust_file``.

    Raises
    ------
    UsageError: as ``TrustedKeys.load`` and ``signature_required``, or keys that are not to be asked.
    """
    if require is False and trust is not None:
        raise UsageError(f"trusted keys ({trust}), but no signature is required: leave one of them out")
    if require is None:
        require = trust is not None or signature_required(environ)
    return TrustedKeys.load(Path(trust or default_trust_file(environ))) if require else None
