"""Audio files as a stream of mono float32 blocks, by libsndfile: WAV, FLAC, Ogg Opus and Vorbis, MP3."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np

from edge_asr.arrays import Float32Array
from edge_asr.audio import ogg, pcm, wav
from edge_asr.audio.resample import Resampler
from edge_asr.errors import AudioError

_BLOCKS_PER_S = 10
"""Blocks are small enough to make partial results flow, large enough to cost nothing."""

_LONGEST_PACKET_S = 0.12
"""No Opus packet holds more (RFC 6716, section 2.1.4)."""

_UNKNOWN_FRAMES_FROM = 1 << 62
"""libsndfile's count for a stream without one is the largest 64-bit integer."""


class AudioFile:
    """An open audio file; make one with :func:`open_audio`.

    A context manager, and an iterator over its samples as (n,) float32 blocks at ``sample_rate_hz``, once.
    Memory is bounded by a block, whatever the file's length.
    """

    def __init__(self, path: Path, *, sample_rate_hz: int = 16_000) -> None:
        self.path = path
        self.sample_rate_hz = sample_rate_hz
        with ExitStack() as opened:
            file = opened.enter_context(_open_regular(path))
            self._decoder = opened.enter_context(_open_decoder(path, file))
            self.source_rate_hz: int = self._decoder.samplerate
            self.channels: int = self._decoder.channels
            with _naming(path):
                self._resampler = Resampler(self.source_rate_hz, sample_rate_hz)
            self._opened = opened.pop_all()
        frames: int = self._decoder.frames
        self._promised_frames = frames if frames < _UNKNOWN_FRAMES_FROM else None
        self._read_frames = 0
        # An encoder may count in the end its own padding that a decoder does not give back.
        lossless = self._decoder.format in ("WAV", "FLAC", "AIFF", "W64", "RF64")
        self._padding_frames = 0 if lossless else int(_LONGEST_PACKET_S * self.source_rate_hz)

    @property
    def duration_s(self) -> float | None:
        """Length of the recording; None where the file does not say."""
        return None if self._promised_frames is None else self._promised_frames / self.source_rate_hz

    def __iter__(self) -> Iterator[Float32Array]:
        """Yield the samples.

        Raises
        ------
        AudioError: the data is damaged, breaks off, or has NaN or infinite samples. Blocks before the
            fault have been yielded by then.
        """
        while (block := self._read()).size:
            yield self._resampler.push(block)
        if self._read_frames < max(1, (self._promised_frames or 0) - self._padding_frames):
            raise self._broken("the data ends")
        yield self._resampler.flush()

    def __enter__(self) -> AudioFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file. Closing twice does no harm."""
        self._opened.close()

    def _read(self) -> Float32Array:
        """Decode the next block, (n,) at the file's own rate; empty at the end."""
        import soundfile

        wanted = max(1, self.source_rate_hz // _BLOCKS_PER_S)
        try:
            block: Float32Array = self._decoder.read(wanted, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise self._broken("decoding fails") from error
        with _naming(self.path):
            pcm.check_samples(block, sample_rate_hz=self.source_rate_hz, first_sample=self._read_frames)
        self._read_frames += len(block)
        return pcm.to_mono(block)

    def _broken(self, what: str) -> AudioError:
        of = "" if self.duration_s is None else f" of {self.duration_s:.2f}"
        return AudioError(
            f"{self.path}: {what} after {self._read_frames / self.source_rate_hz:.2f}{of} s: "
            "the file is damaged or truncated, copy or record it again"
        )


def open_audio(path: str | os.PathLike[str], *, sample_rate_hz: int = 16_000) -> AudioFile:
    """Open an audio file of any rate and channel count for reading as mono at ``sample_rate_hz``.

    WAV, FLAC, Ogg Opus, Ogg Vorbis, MP3 (libsndfile 1.1 or newer), and what else libsndfile decodes.
    A WAV or Ogg that was cut off is refused here, damage elsewhere while reading. What cannot be seen:
    an Ogg cut exactly between two pages or with its last page damaged, and less than 0.12 s missing at
    the end of a compressed file. A WAV written into a pipe, whose header could not tell its length, is
    read to its end.

    Raises
    ------
    AudioError: a missing file, a directory, a pipe, an empty file, no audio, a header without
        samples, a truncated file, an impossible sample rate. The message starts with the path.
    """
    return AudioFile(Path(path), sample_rate_hz=sample_rate_hz)


def read_audio(path: str | os.PathLike[str], sample_rate_hz: int = 16_000) -> Float32Array:
    """Read a whole audio file as (n,) mono float32 at ``sample_rate_hz``; errors as in :func:`open_audio`."""
    with open_audio(path, sample_rate_hz=sample_rate_hz) as audio:
        return np.concatenate(list(audio))


def _open_regular(path: Path) -> BinaryIO:
    try:
        status = path.stat()  # before open, which waits for ever on a named pipe
        if stat.S_ISDIR(status.st_mode):
            raise AudioError(f"{path}: expected an audio file, this is a directory")
        if not stat.S_ISREG(status.st_mode):
            raise AudioError(f"{path}: expected an audio file, this is a pipe or device: save it to a file")
        if status.st_size == 0:
            raise AudioError(f"{path}: the file is empty (0 bytes)")
        return path.open("rb", buffering=0)
    except FileNotFoundError:
        raise AudioError(f"{path}: no such file") from None
    except OSError as error:
        raise AudioError(f"{path}: cannot be read: {error.strerror}") from error


def _open_decoder(path: Path, file: BinaryIO) -> Any:
    """Open a ``soundfile.SoundFile`` on ``file``, which stays the caller's to close."""
    import soundfile

    chunk = wav.find_data(file)
    if chunk is not None and chunk.truncated:
        raise AudioError(
            f"{path}: truncated: the header promises {chunk.promised_bytes} bytes of samples, "
            f"the file holds {chunk.present_bytes}: copy or record it again"
        )
    if chunk is None and ogg.breaks_off(file):
        raise AudioError(f"{path}: truncated: the last Ogg page is incomplete: copy or record it again")
    file.seek(0)
    try:
        if chunk is not None and chunk.size_is_zero:
            decoder = soundfile.SoundFile(wav.UnboundedData(file, chunk))
        else:
            # By descriptor: an open file would make soundfile trust the ending of its name.
            decoder = soundfile.SoundFile(file.fileno(), closefd=False)
    except soundfile.LibsndfileError as error:
        # Of libsndfile's texts, that of code 1 says enough; some others mislead ("possibly a pipe?").
        what = "not an audio file" if error.code == 1 else "damaged at its start, or of an unknown encoding"
        raise AudioError(f"{path}: {what}: expected WAV, FLAC, Ogg Opus, Ogg Vorbis or MP3") from error
    if decoder.frames == 0:
        decoder.close()
        raise AudioError(f"{path}: the file has a header but no samples")
    # Else soundfile seeks after every read, to where it is; that garbles MP3 and hides damage in Ogg.
    decoder.seekable = lambda: False
    return decoder


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Put the path in front of the AudioErrors of the block."""
    try:
        yield
    except AudioError as error:
        raise AudioError(f"{path}: {error}") from error
