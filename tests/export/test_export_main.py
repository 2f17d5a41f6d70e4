import argparse
import subprocess
import sys
import types
from pathlib import Path

import pytest

from edge_asr.errors import MissingExtraError, UsageError
from export.__main__ import COMMANDS, main


def _command(monkeypatch: pytest.MonkeyPatch, run: object) -> None:
    module = types.ModuleType("probe")
    module.add_arguments = lambda parser: parser.add_argument("--n", type=int)  # type: ignore[attr-defined]
    module.run = run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "probe", module)
    monkeypatch.setitem(COMMANDS, "probe", ("probe", "train", "a probe"))


def test_a_command_gets_its_arguments_and_gives_its_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    _command(monkeypatch, lambda args: args.n)
    assert main(["probe", "--n", "7"]) == 7


def test_a_deliberate_error_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(args: argparse.Namespace) -> int:
        raise UsageError("expected this, got that")

    _command(monkeypatch, run)
    assert main(["probe"]) == UsageError.exit_code
    assert capsys.readouterr().err == "python -m export probe: expected this, got that\n"


def test_a_missing_package_names_the_pip_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(args: argparse.Namespace) -> int:
        import no_such_package.inner  # type: ignore[import-not-found]  # noqa: F401

        return 0

    _command(monkeypatch, run)
    assert main(["probe"]) == MissingExtraError.exit_code
    err = capsys.readouterr().err
    assert "no_such_package" in err and "pip install 'edge-asr[train]'" in err


def test_a_missing_module_of_our_own_is_a_bug_and_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COMMANDS, "probe", ("export.no_such_module", "train", "a probe"))
    with pytest.raises(ModuleNotFoundError):
        main(["probe"])


def test_interrupt_has_an_exit_code_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(args: argparse.Namespace) -> int:
        raise KeyboardInterrupt

    _command(monkeypatch, run)
    assert main(["probe"]) == 130


def test_help_lists_the_commands_without_loading_torch(repository: Path) -> None:
    script = """
import sys
from export.__main__ import main
try:
    main(["--help"])
finally:
    assert not {"torch", "onnx", "onnxruntime"} & set(sys.modules)
"""
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=repository, capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    assert all(command in ran.stdout for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch", reason="needs torch (the extra train)")
    pytest.importorskip("onnx", reason="needs onnx (the extra export)")
    with pytest.raises(SystemExit) as stopped:
        main([command, "--help"])
    assert stopped.value.code == 0
    assert f"python -m export {command}" in capsys.readouterr().out
