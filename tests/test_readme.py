"""Every block of README.md runs and prints what the README says.

A ``sh`` or ``python`` block has a comment right above it: ``<!-- run -->``, or ``<!-- not run: REASON -->``.
A ``text`` block right below a block that runs is its output, compared with all decimal numbers masked.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FENCED = re.compile(
    r"(?:^<!-- (?P<mark>[^\n]*) -->\n+)?"
    r"^```(?P<language>sh|python)\n(?P<body>.*?)^```$"
    r"(?:\n+```text\n(?P<output>.*?)^```$)?",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    line: int
    mark: str | None
    language: str
    body: str
    output: str | None


def _blocks(text: str) -> list[Block]:
    return [
        Block(
            text.count("\n", 0, found.start("language")) + 1,
            *found.group("mark", "language", "body", "output"),
        )
        for found in FENCED.finditer(text)
    ]


def _masked(text: str) -> str:
    """Decimal numbers differ between machines, and with them the padding of columns; words do not."""
    text = re.sub(r"\d+\.\d+", "N", text)
    return "\n".join(" ".join(line.split()) for line in text.strip().splitlines())


BLOCKS = _blocks((ROOT / "README.md").read_text(encoding="utf-8"))
RUNNABLE = [block for block in BLOCKS if block.mark == "run"]


def test_every_block_runs_or_says_why_not() -> None:
    silent = [block.line for block in BLOCKS if not re.fullmatch(r"run|not run: .+", block.mark or "")]
    assert not silent, (
        f"README.md: mark the blocks at lines {silent} with <!-- run --> or <!-- not run: REASON -->"
    )


@pytest.mark.parametrize("block", RUNNABLE, ids=lambda block: f"line {block.line}")
def test_block_prints_what_it_says(block: Block, tmp_path: Path) -> None:
    programs = Path(sys.executable).parent
    if "edge-asr " in block.body and shutil.which("edge-asr", path=str(programs)) is None:
        pytest.skip("edge-asr is not installed beside this Python: `make test` installs it")
    # As if in the root of the repository, but what the block writes there lands in the temporary folder.
    for entry in ROOT.iterdir():
        if not entry.name.startswith("."):
            (tmp_path / entry.name).symlink_to(entry)
    command = ["bash", "-euc", block.body] if block.language == "sh" else [sys.executable, "-c", block.body]
    ran = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert ran.returncode == 0, ran.stderr
    if block.output is not None:
        assert _masked(ran.stdout) == _masked(block.output)


def test_blocks_are_found_with_their_output() -> None:
    text = "a\n<!-- run -->\n```sh\necho 1\n```\n\n```text\n1\n```\n\n```python\nx\n```\n```text\nz\n```\n"
    assert _blocks(text) == [
        Block(3, "run", "sh", "echo 1\n", "1\n"),
        Block(11, None, "python", "x\n", "z\n"),
    ]


def test_masking_keeps_words_and_whole_numbers() -> None:
    assert _masked("turn  on 3 lights 0.93 \n") == _masked("turn on 3 lights    12.10")
    assert _masked("turn on") != _masked("turn off")
