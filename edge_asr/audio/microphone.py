"""Live capture through PortAudio, at the device's own rate: resampling is left to ``resample.py``."""

from __future__ import annotations

import time
from collections.abc import Iterator
from queue import Empty
from types import TracebackType
from typing import Any

from edge_asr.arrays import Float32Array
from edge_asr.audio import pcm
from edge_asr.audio.block_queue import Block, BlockQueue
from edge_asr.audio.devices import choose_device, list_devices, load_portaudio
from edge_asr.errors import DeviceError

STALLED_AFTER_S = 5.0
"""A device that delivers nothing for so long is gone: PortAudio does not always notice an unplugged one."""

_POLL_S = 0.25


class Microphone:
    """A capture device as a stream of mono blocks.

    ::

        with Microphone("USB") as microphone:
            for block in microphone:      # Block, at microphone.sample_rate_hz
                ...

    The loop ends after :meth:`close` from another thread; an exception within it, KeyboardInterrupt too,
    leaves through the ``with``, which closes the device. A reader that is late loses no audio until
    ``queue_s`` have piled up; what is lost after that, or in the device, is counted in
    ``Block.dropped_samples`` of the block that follows.

    Parameters
    ----------
    device: as :func:`~edge_asr.audio.devices.choose_device` takes it.
    block_ms: length of the blocks.
    queue_s: how late the reader may be.

    Raises
    ------
    MissingExtraError, DeviceError: no sounddevice, no PortAudio, no such device.
    """

    def __init__(self, device: int | str | None = None, *, block_ms: int = 20, queue_s: float = 10.0) -> None:
        self._portaudio = load_portaudio()
        self.device = choose_device(list_devices(), device)
        self.sample_rate_hz = self.device.sample_rate_hz
        self._block_samples = max(1, self.sample_rate_hz * block_ms // 1000)
        self._queue = BlockQueue(max(self._block_samples, round(self.sample_rate_hz * queue_s)))
        self._stream: Any = None
        self._closing = False
        self._next_adc_s = 0.0

    def __enter__(self) -> Microphone:
        """Open the device and start.

        Raises
        ------
        DeviceError: it is busy, or refuses its own default rate.
        """
        self._stream = self._open()
        try:
            self._stream.start()
        except self._portaudio.PortAudioError as error:
            self.close()
            raise self._failed(f"does not start ({error})") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop and give the device back; from any thread. What was captured can still be read."""
        self._closing = True
        if self._stream is not None:
            self._stream.close(ignore_errors=True)
        self._queue.close()

    def __iter__(self) -> Iterator[Block]:
        """Yield blocks as they come.

        Raises
        ------
        DeviceError: the device failed, was unplugged, or fell silent altogether; what it had captured
            has been yielded by then.
        """
        heard_at_s = time.monotonic()
        while True:
            try:
                block = self._queue.get(timeout_s=_POLL_S)
            except Empty:
                if time.monotonic() - heard_at_s > STALLED_AFTER_S:
                    raise self._failed(f"has delivered nothing for {STALLED_AFTER_S:g} s") from None
                continue
            if block is None:
                if self._closing:
                    return
                raise self._failed("has stopped delivering")
            heard_at_s = time.monotonic()
            yield block

    def _open(self) -> Any:
        """Open with one channel; some devices only open with all they have."""
        for channels in (1, self.device.channels):
            try:
                return self._portaudio.InputStream(
                    device=self.device.index,
                    samplerate=self.sample_rate_hz,
                    channels=channels,
                    dtype="float32",
                    blocksize=self._block_samples,
                    callback=self._on_audio,
                    finished_callback=self._queue.close,
                )
            except self._portaudio.PortAudioError as error:
                refusal = error
        raise self._failed(f"cannot be opened ({refusal})") from refusal

    def _on_audio(self, samples: Float32Array, frames: int, times: Any, status: Any) -> None:
        """PortAudio's callback: copy and leave. ``samples`` (frames, channels) is PortAudio's memory."""
        began_s = times.inputBufferAdcTime
        lost = 0
        if status.input_overflow:
            lost = overflow_samples(
                late_s=began_s - self._next_adc_s, sample_rate_hz=self.sample_rate_hz, block_samples=frames
            )
        self._next_adc_s = began_s + frames / self.sample_rate_hz
        self._queue.put(pcm.to_mono(samples.copy()), dropped_samples=lost)

    def _failed(self, what: str) -> DeviceError:
        return DeviceError(
            f"the capture device {self.device} {what}: see that it is connected and that no other program "
            "holds it, or choose another"
        )


def overflow_samples(*, late_s: float, sample_rate_hz: int, block_samples: int) -> int:
    """How many samples an overflow of the device's own buffer lost. PortAudio only says that some were.

    Parameters
    ----------
    late_s: by how much the block's capture time lies after the end of the block before it.
    block_samples: the answer where the clock shows no gap (not every host keeps it): a device drops
        buffers, not samples.
    """
    measured = round(late_s * sample_rate_hz)
    return measured if measured > 0 else block_samples
