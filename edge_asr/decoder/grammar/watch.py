"""Grammar files that are compiled again when they change, without a thread: ask between two blocks of audio.

::

    files = GrammarFiles(["home.yaml"], recognizer.compile)
    stream = recognizer.stream(graph=files.graph, vad="webrtc")
    for block in microphone:
        reload = files.poll()
        if reload and reload.graph:
            stream.use(reload.graph)
        events = stream.accept_waveform(block.samples)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from edge_asr.decoder.grammar.rejects import Reject
from edge_asr.decoder.graph import Graph
from edge_asr.errors import GrammarError

Compile: TypeAlias = Callable[[Sequence[Path], list[Reject] | None], Graph]
"""``Recognizer.compile``."""

_Look: TypeAlias = tuple[tuple[str, int, int, int], ...]
"""Path, time of change, size and inode of every file that there is."""


@dataclass(frozen=True, kw_only=True)
class Reload:
    """What came of a change of the files."""

    graph: Graph | None
    """The new grammar; None where the files cannot be used and the old grammar stays."""
    rejects: tuple[Reject, ...]
    """What is left out of the files."""
    error: GrammarError | None
    """Why they cannot be used."""


class GrammarFiles:
    """Grammar files, or directories of sentence templates, and the graph that they last compiled to.

    A change is taken up once the files have stayed as they are for one interval, so that none is read
    half written. Compiling happens within ``poll`` and takes its time (a second for ten thousand
    sentences), during which the audio must wait in its queue: a ``Microphone`` holds ten seconds.

    Parameters
    ----------
    paths: the files.
    compile_files: ``Recognizer.compile``.
    also: further files that ``compile_files`` reads, such as the entries of run-time lists.
    strict: keep the old grammar if anything is wrong with the new one, instead of leaving that out.
    every_s: how often the files are looked at.
    clock: seconds from anywhere.

    Raises
    ------
    GrammarError: nothing of the files can be used, or with ``strict`` not all of it.
    """

    def __init__(
        self,
        paths: Sequence[str | Path],
        compile_files: Compile,
        *,
        also: Sequence[str | Path] = (),
        strict: bool = False,
        every_s: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._paths = [Path(path) for path in paths]
        self._also = [Path(path) for path in also]
        self._compile_files = compile_files
        self._strict = strict
        self._every_s = every_s
        self._clock = clock
        self._seen = self._compiled = self._look()
        self._next_look_s = clock() + every_s
        self.rejects: tuple[Reject, ...] = ()
        """What is left out of the files as they were last compiled."""
        self.graph = self._compile()

    def poll(self) -> Reload | None:
        """Look whether the files have changed, if it is time to: what came of it, once for each change."""
        now_s = self._clock()
        if now_s < self._next_look_s:
            return None
        self._next_look_s = now_s + self._every_s
        look = self._look()
        settled, self._seen = look == self._seen, look
        if not settled or look == self._compiled:
            return None
        self._compiled = look
        try:
            self.graph = self._compile()
        except GrammarError as error:
            return Reload(graph=None, rejects=(), error=error)
        return Reload(graph=self.graph, rejects=self.rejects, error=None)

    def _compile(self) -> Graph:
        rejects: list[Reject] = []
        graph = self._compile_files(self._paths, None if self._strict else rejects)
        self.rejects = tuple(rejects)
        return graph

    def _look(self) -> _Look:
        found = []
        for path in (*self._paths, *self._also):
            try:
                files = sorted(path.iterdir()) if path.is_dir() else [path]
            except OSError:
                files = []
            for file in files:
                try:
                    status = file.stat()
                except OSError:
                    continue  # while an editor replaces it, a file may be absent for a moment
                found.append((str(file), status.st_mtime_ns, status.st_size, status.st_ino))
        return tuple(found)
