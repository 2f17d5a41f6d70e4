from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from edge_asr.decoder.compile import compile_networks
from edge_asr.decoder.grammar import load_grammars
from edge_asr.decoder.grammar.rejects import Reject
from edge_asr.decoder.grammar.watch import GrammarFiles
from edge_asr.decoder.graph import Graph
from edge_asr.decoder.lexicon import Lexicon
from edge_asr.decoder.tokens import Tokens
from edge_asr.errors import GrammarError

LEXICON = Lexicon("yes A\nno B\nmaybe A B\n", Tokens(["<blk>", "A", "B"]))


def compile_files(paths: Sequence[Path], rejects: list[Reject] | None) -> Graph:
    return compile_networks(load_grammars(paths, rejects), LEXICON, rejects)


def words(graph: Graph | None) -> set[str]:
    return {output.word for output in graph.outputs} if graph else set()


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "g.txt"
    file.write_text("yes\n")
    return file


def polls(files: GrammarFiles, clock: Clock, times: int = 3) -> list[object]:
    """What comes of polls a second apart, without Nones."""
    found = []
    for _ in range(times):
        clock.now_s += 1.0
        found.append(files.poll())
    return [reload for reload in found if reload is not None]


def test_files_beside_the_grammar_are_watched_too(file: Path, clock: Clock, tmp_path: Path) -> None:
    entries = tmp_path / "entries.txt"
    entries.write_text("no\n")
    files = GrammarFiles(
        [file], lambda paths, rejects: compile_files([*paths, entries], rejects), clock=clock
    )
    assert words(files.graph) == {"yes", "no"}
    entries.write_text("maybe\n")
    assert polls(files, clock) == []
    files = GrammarFiles(
        [file], lambda paths, rejects: compile_files([*paths, entries], rejects), also=[entries], clock=clock
    )
    entries.write_text("no\nno\n")
    [reload] = polls(files, clock)
    assert words(reload.graph) == {"yes", "no"}  # type: ignore[attr-defined]


def test_a_change_is_taken_up_once(file: Path, clock: Clock) -> None:
    files = GrammarFiles([file], compile_files, clock=clock)
    assert words(files.graph) == {"yes"}
    assert polls(files, clock) == []
    file.write_text("no way\nno\n")
    [reload] = polls(files, clock)
    assert words(reload.graph) == {"no"}  # type: ignore[attr-defined]
    assert [str(reject) for reject in files.rejects] == ["g.txt:1: unknown word 'way'"]
    assert reload.rejects == files.rejects  # type: ignore[attr-defined]
    assert reload.graph is files.graph  # type: ignore[attr-defined]
    assert polls(files, clock) == []


def test_a_broken_file_keeps_the_grammar_and_is_told_of_once(file: Path, clock: Clock) -> None:
    files = GrammarFiles([file], compile_files, clock=clock)
    before = files.graph
    file.write_text("½\n")
    [reload] = polls(files, clock, 5)
    assert reload.graph is None  # type: ignore[attr-defined]
    assert "g.txt:1" in str(reload.error)  # type: ignore[attr-defined]
    assert files.graph is before
    file.write_text("maybe\n")
    [reload] = polls(files, clock)
    assert words(reload.graph) == {"maybe"}  # type: ignore[attr-defined]


def test_a_file_that_is_deleted_and_comes_back(file: Path, clock: Clock) -> None:
    files = GrammarFiles([file], compile_files, clock=clock)
    file.unlink()
    [reload] = polls(files, clock)
    assert "No such file" in str(reload.error)  # type: ignore[attr-defined]
    file.write_text("yes\n")
    [reload] = polls(files, clock)
    assert words(reload.graph) == {"yes"}  # type: ignore[attr-defined]


def test_a_file_that_is_being_written_is_left_alone(file: Path, clock: Clock) -> None:
    files = GrammarFiles([file], compile_files, clock=clock)
    for text in ("n", "no\nm", "no\nmaybe\n"):
        file.write_text(text)
        assert polls(files, clock, 1) == []
    assert len(polls(files, clock, 1)) == 1
    assert words(files.graph) == {"no", "maybe"}


def test_a_replaced_file_of_the_same_size_and_time_is_seen(file: Path, clock: Clock, tmp_path: Path) -> None:
    files = GrammarFiles([file], compile_files, clock=clock)
    new = tmp_path / "new"
    new.write_text("no\n\n")
    times = (file.stat().st_atime_ns, file.stat().st_mtime_ns)
    os.utime(new, ns=times)
    new.replace(file)
    assert len(polls(files, clock)) == 1


def test_files_are_looked_at_once_an_interval(file: Path, clock: Clock) -> None:
    files = GrammarFiles([file], compile_files, every_s=2.0, clock=clock)
    file.write_text("no\n")
    looked = []
    for _ in range(50):
        clock.now_s += 0.1
        looked.append(files.poll() is not None)
    assert looked.index(True) in (39, 40, 41)  # tenths of a second do not add up exactly
    assert sum(looked) == 1


def test_strict_keeps_the_grammar_at_any_mistake(file: Path, clock: Clock) -> None:
    files = GrammarFiles([file], compile_files, strict=True, clock=clock)
    file.write_text("no\nway\n")
    [reload] = polls(files, clock)
    assert reload.graph is None  # type: ignore[attr-defined]
    assert words(files.graph) == {"yes"}
    file.write_text("½\n")
    with pytest.raises(GrammarError):
        GrammarFiles([file], compile_files, strict=True)


def test_a_directory_is_watched_too(tmp_path: Path, clock: Clock) -> None:
    template = "language: en\nintents: {A: {data: [{sentences: ['%s']}]}}\n"
    (tmp_path / "a.yaml").write_text(template % "maybe")
    files = GrammarFiles([tmp_path], compile_files, clock=clock)
    (tmp_path / "b.yaml").write_text(template % "(maybe|so) maybe")
    [reload] = polls(files, clock)
    assert [str(reject) for reject in reload.rejects] == ["b.yaml:2: unknown word 'so'"]  # type: ignore[attr-defined]
