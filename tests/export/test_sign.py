"""``python -m export keygen`` and ``sign``."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest
from signed_bundles import new_key, write_bundle

pytest.importorskip("cryptography", reason="needs cryptography (the extra signing)")

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from edge_asr.bundle import Bundle
from edge_asr.errors import BundleError, MissingExtraError, UsageError
from edge_asr.signature import CHECKSUMS, SIGNATURE, Signature
from edge_asr.trust import TrustedKeys
from export.__main__ import main
from export.sign import read_private_key, sign


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "tiny")


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "key.pem"
    assert main(["keygen", "--key", str(path), "--name", "workshop", "--trust", str(tmp_path / "trust")]) == 0
    return path


def _secret(path: Path, pem: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(pem)
    path.chmod(mode)
    return path


def test_a_new_key_is_its_owners_alone(key: Path) -> None:
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert key.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----\n")


def test_a_key_is_never_overwritten(key: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = key.read_bytes()
    assert main(["keygen", "--key", str(key), "--name", "again"]) == UsageError.exit_code
    assert "is there already" in capsys.readouterr().err
    assert key.read_bytes() == before


def test_the_public_key_is_printed_and_trusted(
    key: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = (tmp_path / "trust").read_text()
    more = ["--trust", str(tmp_path / "trust")]
    assert main(["keygen", "--key", str(tmp_path / "b.pem"), "--name", "other", *more]) == 0
    assert first + capsys.readouterr().out == (tmp_path / "trust").read_text()
    assert sorted(TrustedKeys.load(tmp_path / "trust").names.values()) == ["other", "workshop"]


@pytest.mark.parametrize("name", ["workshop", "no spaces", ""])
def test_a_name_that_is_taken_or_no_name_makes_no_key(key: Path, tmp_path: Path, name: str) -> None:
    more = ["--trust", str(tmp_path / "trust")]
    assert main(["keygen", "--key", str(tmp_path / "b.pem"), "--name", name, *more]) == UsageError.exit_code
    assert not (tmp_path / "b.pem").exists()


def test_what_is_signed_is_trusted_by_its_key(bundle: Path, key: Path, tmp_path: Path) -> None:
    assert main(["sign", str(bundle), "--key", str(key)]) == 0
    trusted = TrustedKeys.load(tmp_path / "trust")
    assert Bundle.load(bundle, trusted=trusted).signer == "workshop"
    assert {path.name for path in bundle.iterdir() if path.name.startswith((".", "SHA"))} == {
        CHECKSUMS,
        SIGNATURE,
    }


def test_signing_again_gives_the_same_bytes_and_another_key_replaces(bundle: Path) -> None:
    first = sign(bundle, new_key())
    line = (bundle / SIGNATURE).read_bytes()
    assert sign(bundle, new_key()) == first and (bundle / SIGNATURE).read_bytes() == line
    other = sign(bundle, new_key(2))
    assert Signature.read(bundle / SIGNATURE) == other != first


@pytest.mark.parametrize(
    ("file", "data", "message"),
    [
        ("CARD.md", b"changed", r"CARD\.md: was changed"),
        ("extra.txt", b"", r"extra\.txt: is not in model\.json"),
    ],
)
def test_what_cannot_be_trusted_is_not_signed(bundle: Path, file: str, data: bytes, message: str) -> None:
    (bundle / file).write_bytes(data)
    with pytest.raises(BundleError, match=message):
        sign(bundle, new_key())
    assert not (bundle / SIGNATURE).exists()


def test_a_link_in_the_place_of_the_signature_is_replaced_not_followed(bundle: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    for file in (SIGNATURE, CHECKSUMS, f".{SIGNATURE}.part"):
        (bundle / file).symlink_to(victim)
    with pytest.raises(BundleError, match=r"\.part: is not in model\.json"):
        sign(bundle, new_key())
    (bundle / f".{SIGNATURE}.part").unlink()
    sign(bundle, new_key())
    assert victim.read_text() == "mine" and not (bundle / SIGNATURE).is_symlink()


def test_keys_that_are_no_private_ed25519_keys_are_refused(bundle: Path, tmp_path: Path) -> None:
    plain = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem = new_key().private_bytes(*plain)
    locked = new_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    cases = {
        "expected an Ed25519 key": _secret(
            tmp_path / "ec", ec.generate_private_key(ec.SECP256R1()).private_bytes(*plain)
        ),
        "not encrypted": _secret(tmp_path / "locked", locked),
        "expected a private key in PEM": _secret(tmp_path / "cut", pem[: len(pem) // 2]),
        "run chmod 600": _secret(tmp_path / "open", pem, 0o640),
        "cannot be read": tmp_path / "nowhere",
    }
    for message, path in cases.items():
        with pytest.raises(UsageError, match=message):
            read_private_key(path)
    assert read_private_key(_secret(tmp_path / "right", pem)).private_bytes_raw() == bytes([1] * 32)


def test_without_the_package_the_extra_is_named(
    bundle: Path, key: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.exceptions", None)
    assert main(["sign", str(bundle), "--key", str(key)]) == MissingExtraError.exit_code
    assert "pip install 'edge-asr[signing]'" in capsys.readouterr().err
