"""``edge-asr inspect``: what a model is, and whether it can be trusted."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from edge_asr.bundle import Bundle
from edge_asr.cli import main
from edge_asr.errors import BundleError, MissingExtraError, UsageError
from edge_asr.signature import CHECKSUMS, SIGNATURE
from edge_asr.trust import REQUIRE_VARIABLE, TRUST_VARIABLE

MODEL = "en-tiny"


@pytest.fixture(autouse=True)
def _no_keys_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(TRUST_VARIABLE, str(tmp_path / "no-keys"))
    monkeypatch.delenv(REQUIRE_VARIABLE, raising=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the model that a test may spoil."""
    return Path(shutil.copytree(Bundle.load(MODEL).directory, tmp_path / "copy"))


@pytest.fixture
def signed(copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[Path, Path]:
    """The copy, signed, and the trust file that names its key."""
    pytest.importorskip("cryptography", reason="needs cryptography (the extra signing)")
    from export.__main__ import main as export

    key, trust = tmp_path / "key.pem", tmp_path / "trusted_keys"
    assert export(["keygen", "--key", str(key), "--name", "workshop", "--trust", str(trust)]) == 0
    assert export(["sign", str(copy), "--key", str(key)]) == 0
    capsys.readouterr()
    return copy, trust


def _json(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, dict[str, Any]]:
    code = main(["inspect", "--json", *map(str, arguments)])
    return code, json.loads(capsys.readouterr().out)


def test_what_a_packaged_model_is(capsys: pytest.CaptureFixture[str]) -> None:
    bundle = Bundle.load(MODEL)
    code, facts = _json(capsys, MODEL)
    assert code == 0
    assert (facts["name"], facts["language"], facts["schema"]) == (MODEL, "en", 1)
    assert facts["files"].keys() == bundle.config.files.keys()
    assert facts["size_bytes"] == sum(path.stat().st_size for path in map(bundle.path, facts["files"]))
    assert facts["graphs"]["graph"] == bundle.config.acoustic.graph
    words = facts["vocabulary"]
    assert (words["units"], words["tokens"], words["lexicon_words"]) == ("phones", 40, 20_000)
    assert words["guesses_pronunciations"] is True
    assert words["language_model"]["order"] == 2
    assert words["language_model"]["n_grams"] > words["language_model"]["words"] == 20_000
    assert words["neural_language_model"] is None
    licences = {row["set"]: row["licence"] for row in facts["licences"]}
    assert licences["librispeech"] == "CC BY 4.0" and "set" not in licences
    assert facts["signature"]["state"] == "unsigned"


def test_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", MODEL]) == 0
    out = capsys.readouterr().out
    for expected in ("20,000 words", "40 phones", "2-grams", "unsigned", "CC BY 4.0", "acoustic.int8.onnx"):
        assert expected in out


def test_a_changed_file_is_no_fact(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (copy / "CARD.md").open("a") as stream:
        stream.write("\n")
    assert main(["inspect", str(copy)]) == BundleError.exit_code
    assert "CARD.md: was changed" in capsys.readouterr().err


def test_a_bundle_without_card_states_no_licences(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    description = copy / "model.json"
    values = json.loads(description.read_bytes())
    del values["files"]["CARD.md"]
    description.write_text(json.dumps(values))
    (copy / "model.json.sha256").unlink()
    assert main(["inspect", str(copy)]) == 0
    assert "not stated" in capsys.readouterr().out


def test_all_that_is_wrong_is_named_at_once(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (copy / "phones.npz").write_bytes(b"")
    (copy / "tokens.txt").unlink()
    (copy / "more.txt").write_bytes(b"")
    code, report = _json(capsys, "--verify", copy)
    states = {file["file"]: file["state"] for file in report["files"]}
    assert code == BundleError.exit_code and report["trusted"] is False
    assert {file for file, state in states.items() if state == "wrong"} == {"phones.npz", "tokens.txt"}
    assert states["more.txt"] == "surplus" and states["graph.npz"] == "right"
    assert main(["inspect", "--verify", str(copy)]) == BundleError.exit_code
    assert "REFUSED  more.txt: is not in model.json" in capsys.readouterr().out


def test_unsigned_and_whole_passes_where_no_keys_are_trusted(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "--verify", MODEL]) == 0
    assert capsys.readouterr().out.endswith("\nunsigned\n")


def test_a_signature_is_verified(signed: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    copy, trust = signed
    code, report = _json(capsys, "--verify", "--trust", trust, copy)
    assert (code, report["trusted"], report["signature"]["signer"]) == (0, True, "workshop")
    assert main(["inspect", "--trust", str(trust), str(copy)]) == 0
    assert "signed by workshop (" in capsys.readouterr().out


def test_keys_at_the_usual_place_are_asked_by_verify(
    signed: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    copy, trust = signed
    monkeypatch.setenv(TRUST_VARIABLE, str(trust))
    assert _json(capsys, "--verify", copy)[1]["signature"]["state"] == "valid"
    code, report = _json(capsys, "--verify", MODEL)
    assert (code, report["signature"]["state"]) == (BundleError.exit_code, "refused")
    assert "is missing" in report["signature"]["problem"]


def test_a_signature_counts_for_nothing_where_no_keys_are_trusted(
    signed: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    code, report = _json(capsys, "--verify", signed[0])
    assert (code, report["signature"]["state"]) == (BundleError.exit_code, "refused")
    assert report["signature"]["key"] in report["signature"]["problem"]
    code, facts = _json(capsys, signed[0])
    assert (code, facts["signature"]["state"]) == (0, "not checked")


def test_a_tampered_signed_bundle_is_refused(
    signed: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    copy, trust = signed
    (copy / CHECKSUMS).write_bytes(b"# edge-asr bundle 1\n")
    code, report = _json(capsys, "--verify", "--trust", trust, copy)
    assert code == BundleError.exit_code and f"{CHECKSUMS}: was changed" in report["signature"]["problem"]
    (copy / SIGNATURE).write_text("ed25519 AAAA")
    code, report = _json(capsys, "--verify", "--trust", trust, copy)
    assert code == BundleError.exit_code and "expected one line" in report["signature"]["problem"]


def test_the_list_of_checksums_can_be_had(
    signed: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", "--checksums", str(signed[0])]) == 0
    assert capsys.readouterr().out.encode() == (signed[0] / CHECKSUMS).read_bytes()


@pytest.mark.parametrize("command", ["inspect", "transcribe"])
def test_a_required_signature_that_is_missing_is_refused_by_name(
    command: str, signed: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    (signed[0] / SIGNATURE).unlink()
    model, file = ([signed[0]], []) if command == "inspect" else (["--model", signed[0]], ["a.wav"])
    arguments = [command, *model, "--trust", signed[1], *file]
    assert main([*map(str, arguments)]) == BundleError.exit_code
    assert f"{signed[0] / SIGNATURE}: is missing: a signature is required" in capsys.readouterr().err


def test_required_without_keys_says_where_they_belong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", "--require-signature", MODEL]) == UsageError.exit_code
    assert f"{tmp_path / 'no-keys'}: the trusted keys cannot be read" in capsys.readouterr().err


def test_without_the_package_the_extra_is_named(
    signed: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    copy, trust = signed
    monkeypatch.setitem(sys.modules, "cryptography.exceptions", None)
    code = main(["inspect", "--verify", "--trust", str(trust), str(copy)])
    assert code == MissingExtraError.exit_code
    assert "pip install 'edge-asr[signing]'" in capsys.readouterr().err
    assert main(["inspect", str(copy)]) == 0, "what is not checked needs no package"
