"""Which keys are trusted, and when a signature is asked for."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from edge_asr.errors import UsageError
from edge_asr.trust import (
    REQUIRE_VARIABLE,
    TRUST_VARIABLE,
    TrustedKeys,
    default_trust_file,
    keys_in_force,
    parse_key,
    show_key,
    signature_required,
)

ONE, OTHER = bytes(range(32)), bytes(32)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "trusted_keys"
    path.write_text(f"# ours\n\n workshop\t{show_key(ONE)}  # since May\nann@home {show_key(OTHER)}\n")
    return path


def test_a_trust_file_names_keys(file: Path) -> None:
    trusted = TrustedKeys.load(file)
    assert (trusted.names, trusted.source) == ({ONE: "workshop", OTHER: "ann@home"}, str(file))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("workshop", r":1: expected a name and a public key"),
        (f"workshop {base64.b64encode(bytes(31)).decode()}", "expected a name and a public key"),
        (f"workshop {base64.b64encode(bytes(33)).decode()}", "expected a name and a public key"),
        (f"workshop {show_key(ONE)[:-1]}", "expected a name and a public key"),
        (f"workshop ssh-ed25519 {show_key(ONE)}", "expected a name and a public key"),
        (f"work/shop {show_key(ONE)}", "expected a name and a public key"),
        (f"a {show_key(ONE)}\nb {show_key(ONE)}", ":2: .* twice: 'b'"),
        (f"a {show_key(ONE)}\na {show_key(OTHER)}", ":2: .* twice: 'a'"),
        ("\xff", "expected text"),
        ("# " + "x" * (1 << 20), "at most"),
    ],
)
def test_a_line_that_is_no_key_is_refused_with_its_number(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "trusted_keys"
    path.write_bytes(line.encode("latin-1"))
    with pytest.raises(UsageError, match=message) as raised:
        TrustedKeys.load(path)
    assert str(path) in str(raised.value)


def test_a_trust_file_that_is_absent_says_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="write a line 'NAME PUBLIC_KEY'"):
        TrustedKeys.load(tmp_path / "nowhere")


def test_keys_survive_base64() -> None:
    assert parse_key(show_key(ONE)) == ONE
    assert parse_key(f" {show_key(ONE)}") is None


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({TRUST_VARIABLE: "/k", "XDG_CONFIG_HOME": "/c", "HOME": "/h"}, "/k"),
        ({"XDG_CONFIG_HOME": "/c", "HOME": "/h"}, "/c/edge-asr/trusted_keys"),
        ({"XDG_CONFIG_HOME": "relative", "HOME": "/h"}, "/h/.config/edge-asr/trusted_keys"),
        ({"HOME": "/h"}, "/h/.config/edge-asr/trusted_keys"),
    ],
)
def test_where_keys_stand(environ: dict[str, str], expected: str) -> None:
    assert default_trust_file(environ) == Path(expected)


@pytest.mark.parametrize(("value", "asked"), [("1", True), ("Yes", True), ("0", False), ("", False)])
def test_the_environment_can_ask_for_signatures(value: str, asked: bool) -> None:
    assert signature_required({REQUIRE_VARIABLE: value}) is asked
    assert signature_required({}) is False


def test_a_slip_in_the_environment_does_not_turn_the_check_off() -> None:
    with pytest.raises(UsageError, match="expected 1 or 0, got 'ture'"):
        signature_required({REQUIRE_VARIABLE: "ture"})


def test_when_a_signature_is_asked_for(file: Path) -> None:
    asking = {REQUIRE_VARIABLE: "1", TRUST_VARIABLE: str(file)}
    silent = {TRUST_VARIABLE: str(file)}
    keys = TrustedKeys.load(file)
    assert keys_in_force(None, None, silent) is None, "keys that merely lie there ask for nothing"
    assert keys_in_force(False, None, asking) is None
    assert keys_in_force(None, None, asking) == keys
    assert keys_in_force(True, None, silent) == keys
    assert keys_in_force(None, file, {}) == keys, "who names keys wants them asked"
    with pytest.raises(UsageError, match="leave one of them out"):
        keys_in_force(False, file, {})
