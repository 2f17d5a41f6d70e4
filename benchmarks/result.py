"""A measurement on disk: the figures with the commit, the machine and the command that made them."""

from __future__ import annotations

import json
import os
import platform
import shlex
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
_PACKAGES = ("numpy", "onnxruntime", "ai-edge-litert", "pocketsphinx", "jiwer")


def write_result(name: str, figures: dict[str, Any]) -> Path:
    """Write ``benchmarks/results/NAME.json`` and return its path."""
    module = sys.modules["__main__"].__spec__
    command = ["python", "-m", module.name if module else "benchmarks", *sys.argv[1:]]
    result = {
        "command": shlex.join(command),
        "commit": _commit(),
        "machine": _machine(),
        "versions": {p: _version(p) for p in _PACKAGES},
        "figures": figures,
    }
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(result, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return path


def _commit() -> str:
    """Short hash of HEAD, with ``+`` where the working tree differs from it."""
    git = ["git", "-C", str(RESULTS)]
    commit = subprocess.run(
        [*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    if commit.returncode:
        return "unknown"
    status = [*git, "status", "--porcelain", "--untracked-files=no"]
    changed = subprocess.run(status, capture_output=True, text=True, check=False).stdout.strip()
    return commit.stdout.strip() + ("+" if changed else "")


def _machine() -> str:
    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                processor = line.partition(":")[2].strip()
                break
    return f"{processor}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
