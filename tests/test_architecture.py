"""The rules of the house that a machine can check; each reads the tree, so new modules are covered."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import edge_asr

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("edge_asr", "export", "benchmarks", "firmware_bridge")

# The street that audio walks down: each imports what stands before it, and leaf modules.
STREET = (
    "audio",
    "enhance",
    "vad",
    "features",
    "acoustic",
    "decoder",
    "understand",
    "utterance",
    "stream",
    "recognizer",
    "service",
    "commands",
    "cli",
    "__main__",
)
DOOR = "edge_asr"
WORKSTATION_ONLY = ("export", "benchmarks", "firmware_bridge", "torch", "onnx", "tensorflow")

IMPORT_PATH = re.compile(rf"(?:{'|'.join(PACKAGES)})(?:\.\w+)+:\w+")
MODULES = sorted(path.relative_to(ROOT) for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
RUNTIME_MODULES = [path for path in MODULES if path.parts[0] == "edge_asr"]


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), filename=str(path))


def _module_name(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _is_module(name: str) -> bool:
    place = ROOT.joinpath(*name.split("."))
    return place.is_dir() or place.with_suffix(".py").is_file()


def _import_paths(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of each string that is wholly a ``module:attribute`` of ours: the registries' entries."""
    for node in ast.walk(_tree(path)):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and IMPORT_PATH.fullmatch(node.value)
        ):
            yield node.lineno, node.value


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of each module that ``path`` imports anywhere, functions and registries included."""
    package = ".".join(path.parent.parts)
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(path.parent.parts) - node.level + 1] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                name = f"{source}.{alias.name}"
                yield node.lineno, name if _is_module(name) else source
    for line, text in _import_paths(path):
        yield line, text.partition(":")[0]


def _house_number(module: str) -> int:
    """Place on the street; -1 is a leaf. The door counts as the recognizer, which it hands out."""
    if module == DOOR:
        return STREET.index("recognizer")
    stage = module.split(".")[1]
    return STREET.index(stage) if stage in STREET else -1


@pytest.mark.parametrize("path", [p for p in RUNTIME_MODULES if _module_name(p) != DOOR], ids=str)
def test_imports_go_one_way(path: Path) -> None:
    here = _house_number(_module_name(path))
    where = f"{path} is " + ("a leaf module" if here < 0 else f"in {STREET[here]}")
    wrong = [
        f"{path}:{line}: {where}; it must not import {name}"
        for line, name in _imports(path)
        if name.partition(".")[0] == "edge_asr" and _house_number(name) > here
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", RUNTIME_MODULES, ids=str)
def test_runtime_knows_nothing_of_the_workstation(path: Path) -> None:
    wrong = [
        f"{path}:{line}: the runtime must not import {name}"
        for line, name in _imports(path)
        if name.partition(".")[0] in WORKSTATION_ONLY
    ]
    assert not wrong, "\n".join(wrong)


def test_import_loads_numpy_and_nothing_heavier() -> None:
    script = """
import sys
before = set(sys.modules)
import edge_asr
after = {name.partition(".")[0] for name in set(sys.modules) - before}
print(*sorted(after - set(sys.stdlib_module_names) - {"edge_asr", "numpy"}))
"""
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert ran.stdout.split() == []


def _is_pcm_scale(node: ast.AST) -> bool:
    """Whether ``node`` is the scale of 16-bit samples, in whichever spelling."""
    match node:
        case ast.Constant(value=int() | float() as value):
            return value in (32767, 32768, 1 / 32767, 1 / 32768)
        case ast.BinOp():
            return ast.unparse(node) in ("1 << 15", "2 ** 15", "2.0 ** 15", "2 ** -15", "2.0 ** -15")
        case ast.Attribute(attr="iinfo"):
            return True
        case _:
            return False


def test_one_door_for_pcm() -> None:
    places = [
        f"{path}:{getattr(node, 'lineno', 0)}"
        for path in RUNTIME_MODULES
        for node in ast.walk(_tree(path))
        if _is_pcm_scale(node)
    ]
    wrong = [place for place in places if not place.startswith("edge_asr/audio/pcm.py:")]
    assert not wrong, f"only edge_asr/audio/pcm.py knows the scale of PCM, not {', '.join(wrong)}"
    assert places, (
        "edge_asr/audio/pcm.py no longer holds the scale: does this test still look at the right file?"
    )


def test_modules_are_named_by_a_noun() -> None:
    nowhere = {"utils", "util", "common", "helpers", "helper", "misc"}
    wrong = [str(path) for path in MODULES if nowhere & {path.stem, *path.parts[:-1]}]
    assert not wrong, f"name these by what they hold: {', '.join(wrong)}"


def test_no_module_is_longer_than_400_lines() -> None:
    lengths = {str(path): len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in MODULES}
    wrong = [f"{path} ({lines} lines)" for path, lines in lengths.items() if lines > 400]
    assert not wrong, f"two nouns in one room? {', '.join(wrong)}"


REGISTERED = sorted({text for path in MODULES for _, text in _import_paths(path)})


@pytest.mark.parametrize("import_path", REGISTERED)
def test_registered_name_resolves(import_path: str) -> None:
    module, _, attribute = import_path.partition(":")
    try:
        loaded = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] in PACKAGES:
            raise
        pytest.skip(f"{module} needs the package {error.name}, which is not installed")
    assert hasattr(loaded, attribute), f"{module} has no {attribute}"


def test_registries_were_found() -> None:
    """Keeps the test above honest: it has no subjects if the registries change their spelling."""
    assert "edge_asr.acoustic.onnx:OnnxEngine" in REGISTERED


def test_door_is_pinned() -> None:
    assert set(edge_asr.__all__) == {
        "EdgeAsrError",
        "Final",
        "Gap",
        "Intent",
        "Partial",
        "Recognizer",
        "Rejected",
        "SpeechStarted",
        "Stream",
        "Word",
        "__version__",
    }
    missing = [name for name in edge_asr.__all__ if not hasattr(edge_asr, name)]
    assert not missing
    with pytest.raises(AttributeError, match="no attribute 'Recogniser'"):
        edge_asr.Recogniser  # noqa: B018
