"""Signed bundles: every way to exchange something is refused, and the file is named."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from signed_bundles import CONTENT, new_key, seal, write_bundle

from edge_asr.bundle import MODEL_JSON, SEAL, Bundle, Description
from edge_asr.errors import BundleError, MissingExtraError
from edge_asr.recognizer import Recognizer
from edge_asr.signature import CHECKSUMS, SIGNATURE, Signature, checksums
from edge_asr.trust import REQUIRE_VARIABLE, TRUST_VARIABLE, TrustedKeys, show_key

pytest.importorskip("cryptography", reason="needs cryptography (the extra signing)")

from export.sign import sign

KEY = new_key()
PUBLIC = KEY.public_key().public_bytes_raw()
TRUSTED = TrustedKeys(source="keys", names={PUBLIC: "workshop"})


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    directory = write_bundle(tmp_path / "tiny")
    sign(directory, KEY)
    return directory


def _refusal(directory: Path, trusted: TrustedKeys | None = TRUSTED) -> str:
    with pytest.raises(BundleError) as raised:
        Bundle.load(directory, trusted=trusted)
    return str(raised.value)


def test_a_signed_bundle_loads_and_says_who_signed(bundle: Path) -> None:
    assert Bundle.load(bundle, trusted=TRUSTED).signer == "workshop"
    assert Bundle.load(bundle).signer is None, "nobody asked"


def test_the_bytes_that_are_signed(bundle: Path) -> None:
    """Others verify these: a change here breaks every signature that was ever made."""
    found = Description.read(bundle)
    assert checksums({"b": "2", "a/c": "1", "B": "0"}) == b"# edge-asr bundle 1\n0  B\n1  a/c\n2  b\n"
    assert found.checksums() == (bundle / CHECKSUMS).read_bytes()
    listed = [line.split("  ")[1] for line in found.checksums().decode().splitlines()[1:]]
    assert listed == sorted([*CONTENT, MODEL_JSON])


FILES = [*CONTENT, MODEL_JSON, SEAL, CHECKSUMS, SIGNATURE]


@pytest.mark.parametrize(
    ("file", "how"),
    [
        *((file, how) for how in ("longer", "gone") for file in FILES),
        *((file, how) for how in ("flipped", "truncated") for file in FILES if CONTENT.get(file) != b""),
    ],
)
def test_a_tampered_file_is_refused_by_name(bundle: Path, file: str, how: str) -> None:
    path = bundle / file
    data = path.read_bytes()
    middle = len(data) // 3
    match how:
        case "flipped":
            path.write_bytes(data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :])
        case "truncated":
            path.write_bytes(data[:-1])
        case "longer":
            path.write_bytes(data + b"\n")
        case "gone":
            path.unlink()
    harmless = {(SEAL, "gone"), (CHECKSUMS, "gone")}  # the signature vouches for what they vouch for
    if (file, how) in harmless or (file == SEAL and how in ("truncated", "longer")):  # ends with a newline
        assert Bundle.load(bundle, trusted=TRUSTED).signer == "workshop"
    else:
        message = _refusal(bundle)
        assert str(bundle) in message and (MODEL_JSON if file == SEAL else file) in message


@pytest.mark.parametrize("file", CONTENT)
def test_exchanging_a_file_with_its_checksums_and_the_seal_is_refused(bundle: Path, file: str) -> None:
    """Everything is consistent again; only the signature knows."""
    write_bundle(bundle, {**CONTENT, file: b"other"})
    assert Bundle.load(bundle).signer is None
    assert f"{bundle / SIGNATURE}: is no signature of these files by 'workshop'" in _refusal(bundle)
    (bundle / CHECKSUMS).write_bytes(Description.read(bundle).checksums())
    assert "is no signature of these files" in _refusal(bundle)


def test_a_setting_is_signed_too(bundle: Path) -> None:
    values = json.loads((bundle / MODEL_JSON).read_bytes())
    values["decoder"]["beam"] = 1.0
    seal(bundle, json.dumps(values).encode())
    assert "is no signature of these files" in _refusal(bundle)
    (bundle / SEAL).unlink()
    assert "is no signature of these files" in _refusal(bundle)


def test_files_taken_out_or_added_with_a_new_description_are_refused(bundle: Path) -> None:
    less = {file: data for file, data in CONTENT.items() if file != "CARD.md"}
    (bundle / "CARD.md").unlink()
    write_bundle(bundle, less)
    assert "is no signature of these files" in _refusal(bundle)
    write_bundle(bundle, {**CONTENT, "phones.npz": b"more"})
    assert "is no signature of these files" in _refusal(bundle)


@pytest.mark.parametrize("name", ["extra.txt", "parts/extra.txt", "Tokens.txt", ".hidden"])
def test_a_file_that_is_not_signed_is_refused_by_name(bundle: Path, name: str) -> None:
    (bundle / name).write_bytes(b"")
    assert f"{bundle / name}: is not in model.json" in _refusal(bundle)
    Bundle.load(bundle)  # nobody asked for a signature, and nobody opens the file


def test_the_signature_of_another_bundle_is_refused(bundle: Path, tmp_path: Path) -> None:
    other = write_bundle(tmp_path / "other", {**CONTENT, "CARD.md": b"# other\n"})
    sign(other, KEY)
    for file in (SIGNATURE, CHECKSUMS):
        shutil.copy(other / file, bundle / file)
        assert "is no signature of these files" in _refusal(bundle)


def test_an_unsigned_bundle_is_refused(tmp_path: Path) -> None:
    directory = write_bundle(tmp_path / "tiny")
    assert f"{directory / SIGNATURE}: is missing" in _refusal(directory)


def test_a_key_that_nobody_trusts_is_named(bundle: Path) -> None:
    stranger = new_key(2)
    sign(bundle, stranger)
    message = _refusal(bundle)
    assert show_key(stranger.public_key().public_bytes_raw()) in message and "no key of keys" in message


def test_another_key_cannot_claim_to_be_the_trusted_one(bundle: Path) -> None:
    forged = Signature(key=PUBLIC, signature=new_key(2).sign(Description.read(bundle).checksums()))
    (bundle / SIGNATURE).write_text(forged.render())
    assert "is no signature of these files by 'workshop'" in _refusal(bundle)


def test_a_signature_of_the_list_alone_means_nothing(bundle: Path) -> None:
    """The first line is signed too, so that no signature of another kind of list passes for this one."""
    message = Description.read(bundle).checksums()
    bare = Signature(key=PUBLIC, signature=KEY.sign(message.partition(b"\n")[2]))
    (bundle / SIGNATURE).write_text(bare.render())
    assert "is no signature of these files" in _refusal(bundle)


@pytest.mark.parametrize(
    "change",
    [
        lambda line: "",
        lambda line: line[:20],
        lambda line: line[:-5] + "\n",
        lambda line: line.rstrip("\n"),
        lambda line: line + line,
        lambda line: line.replace("ed25519", "rsa"),
        lambda line: line.replace(" ", "  "),
        lambda line: line.replace(" ", "\t"),
        lambda line: "ed25519 " + show_key(PUBLIC) + " " + base64.b64encode(bytes(63)).decode() + "\n",
        lambda line: "ed25519 " + base64.b64encode(bytes(31)).decode() + line[line.rindex(" ") :],
        lambda line: line.rstrip("\n") + "A" * 100_000 + "\n",
        lambda line: "\u00fc" + line,
    ],
)
def test_a_damaged_signature_is_refused(bundle: Path, change: Callable[[str], str]) -> None:
    path = bundle / SIGNATURE
    path.write_text(change(path.read_text()))
    assert str(path) in _refusal(bundle) and "expected one line 'ed25519 PUBLIC_KEY SIGNATURE'" in _refusal(
        bundle
    )


def test_a_trusted_key_that_is_no_point_of_the_curve_signs_nothing(bundle: Path) -> None:
    key = b"\x02" + bytes(31)
    (bundle / SIGNATURE).write_text(Signature(key=key, signature=bytes(64)).render())
    trusted = TrustedKeys(source="keys", names={key: "odd"})
    assert "is no signature of these files by 'odd'" in _refusal(bundle, trusted)


@pytest.mark.parametrize("file", [*CONTENT, MODEL_JSON])
@pytest.mark.parametrize("trusted", [None, TRUSTED])
def test_a_link_out_of_the_bundle_is_refused(
    bundle: Path, tmp_path: Path, file: str, trusted: TrustedKeys | None
) -> None:
    """Its content is right today; who may write there may change it tomorrow."""
    outside = tmp_path / "outside"
    shutil.copy(bundle / file, outside)
    (bundle / file).unlink()
    (bundle / file).symlink_to(outside)
    assert f"{bundle / file}: is a link out of the bundle, to {outside}" in _refusal(bundle, trusted)


def test_a_folder_that_is_a_link_out_is_refused(bundle: Path, tmp_path: Path) -> None:
    shutil.move(bundle / "parts", tmp_path / "parts")
    (bundle / "parts").symlink_to(tmp_path / "parts")
    assert "is a link out of the bundle" in _refusal(bundle, None)


def test_a_surplus_folder_that_is_a_link_is_refused_and_not_walked(bundle: Path) -> None:
    (bundle / "again").symlink_to(bundle)
    assert f"{bundle / 'again'}: is not in model.json" in _refusal(bundle)


@pytest.mark.parametrize("file", ["CARD.md", MODEL_JSON])
def test_a_circle_of_links_is_refused(bundle: Path, file: str) -> None:
    (bundle / file).unlink()
    (bundle / file).symlink_to("a")
    (bundle / "a").symlink_to(file)
    assert str(bundle) in _refusal(bundle, None)


def test_a_pipe_in_the_place_of_a_file_does_not_hang(bundle: Path) -> None:
    (bundle / "CARD.md").unlink()
    os.mkfifo(bundle / "CARD.md")
    assert f"{bundle / 'CARD.md'}: expected a regular file" in _refusal(bundle, None)


def test_the_bundle_itself_may_be_a_link(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "current").symlink_to(bundle)
    assert Bundle.load(tmp_path / "current", trusted=TRUSTED).signer == "workshop"


@pytest.mark.parametrize("file", ["../secret", "a/../../secret", "/etc/hostname", "a\nb", "-x/../y"])
def test_signed_names_that_lead_out_are_refused_all_the_same(bundle: Path, tmp_path: Path, file: str) -> None:
    values = json.loads((bundle / MODEL_JSON).read_bytes())
    values["files"][file] = "0" * 64
    seal(bundle, json.dumps(values).encode())
    signature = Signature(key=PUBLIC, signature=KEY.sign(Description.read(bundle).checksums()))
    (bundle / SIGNATURE).write_text(signature.render())
    assert "is refused" in _refusal(bundle)


def test_a_description_of_deep_nesting_is_no_crash(bundle: Path) -> None:
    seal(bundle, b"[" * 200_000)
    assert "not JSON" in _refusal(bundle, None)


def test_a_description_without_end_is_not_read_whole(bundle: Path) -> None:
    seal(bundle, b" " * ((4 << 20) + 1))
    assert "expected at most" in _refusal(bundle, None)


def test_checking_without_the_package_names_the_extra(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.exceptions", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'edge-asr\[signing\]'"):
        Bundle.load(bundle, trusted=TRUSTED)
    Bundle.load(bundle)


def test_openssl_finds_the_same(bundle: Path, tmp_path: Path) -> None:
    """As signature.py describes it, from the public key in base64 on."""
    if shutil.which("openssl") is None or shutil.which("sha256sum") is None:
        pytest.skip("needs the programs openssl and sha256sum")
    line = (bundle / SIGNATURE).read_text().split()
    (tmp_path / "sig").write_bytes(base64.b64decode(line[2]))
    # SubjectPublicKeyInfo of an Ed25519 key (RFC 8410): this head, then the key.
    der = bytes.fromhex("302a300506032b6570032100") + base64.b64decode(line[1])
    pem = f"-----BEGIN PUBLIC KEY-----\n{base64.b64encode(der).decode()}\n-----END PUBLIC KEY-----\n"
    (tmp_path / "public.pem").write_text(pem)
    check = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", str(tmp_path / "public.pem"), "-rawin"]
    check += ["-in", CHECKSUMS, "-sigfile", str(tmp_path / "sig")]
    for command in (["sha256sum", "--check", "--strict", CHECKSUMS], check):
        subprocess.run(command, cwd=bundle, check=True, capture_output=True)
    with (bundle / CHECKSUMS).open("a") as stream:
        stream.write("# more\n")
    assert subprocess.run(check, cwd=bundle, check=False, capture_output=True).returncode != 0


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A signed copy of a packaged model."""
    directory = tmp_path_factory.mktemp("signed") / "en-tiny"
    shutil.copytree(Bundle.load("en-tiny").directory, directory)
    sign(directory, KEY)
    return directory


def test_a_recognizer_asks_for_a_signature_where_it_should(
    real: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust = tmp_path / "trusted"
    trust.write_text(f"workshop {show_key(PUBLIC)}\n")
    monkeypatch.delenv(REQUIRE_VARIABLE, raising=False)
    monkeypatch.setenv(TRUST_VARIABLE, str(trust))
    assert Recognizer.load(real, trust=trust).bundle.signer == "workshop"
    assert Recognizer.load(real, require_signature=True).bundle.signer == "workshop"
    assert Recognizer.load(real).bundle.signer is None
    with pytest.raises(BundleError, match=r"SHA256SUMS\.sig: is missing"):
        Recognizer.load("en-tiny", require_signature=True)
    monkeypatch.setenv(REQUIRE_VARIABLE, "1")
    with pytest.raises(BundleError, match=r"SHA256SUMS\.sig: is missing"):
        Recognizer.load("en-tiny")
    assert Recognizer.load(real).bundle.signer == "workshop"
    assert Recognizer.load("en-tiny", require_signature=False).bundle.signer is None
