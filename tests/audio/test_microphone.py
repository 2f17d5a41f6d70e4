"""Microphone against a sound card made of Python."""

import sys
import threading
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edge_asr.audio import microphone as microphone_module
from edge_asr.audio.devices import list_devices
from edge_asr.audio.microphone import Microphone, overflow_samples
from edge_asr.errors import DeviceError


class PortAudioError(Exception):
    pass


class FakeStream:
    """Remembers its arguments; the test calls ``deliver`` as PortAudio's thread would."""

    def __init__(self, card: "FakeCard", **arguments: Any) -> None:
        if arguments["channels"] not in card.accepts_channels:
            raise PortAudioError("Invalid number of channels")
        self.card = card
        self.arguments = arguments
        self.closed = False
        self.started = False
        card.streams.append(self)

    def start(self) -> None:
        if self.card.busy:
            raise PortAudioError("Device unavailable")
        self.started = True

    def close(self, ignore_errors: bool = True) -> None:
        if not self.closed:
            self.closed = True
            self.arguments["finished_callback"]()

    def deliver(self, samples: np.ndarray, *, at_s: float = 0.0, overflow: bool = False) -> None:
        memory = samples.reshape(-1, self.arguments["channels"]).astype(np.float32)
        self.arguments["callback"](
            memory,
            len(memory),
            SimpleNamespace(inputBufferAdcTime=at_s),
            SimpleNamespace(input_overflow=overflow),
        )
        memory[:] = np.nan  # PortAudio takes its memory back

    def unplug(self) -> None:
        self.arguments["finished_callback"]()


class FakeCard(ModuleType):
    """Stands in for the module ``sounddevice``."""

    PortAudioError = PortAudioError

    def __init__(self) -> None:
        super().__init__("sounddevice")
        self.accepts_channels = [1, 2]
        self.busy = False
        self.streams: list[FakeStream] = []
        self.default = SimpleNamespace(device=[-1, -1], hostapi=0)

    def query_hostapis(self, index: int | None = None) -> Any:
        apis = ({"name": "ALSA", "default_input_device": 1},)
        return apis if index is None else apis[index]

    def query_devices(self) -> list[dict[str, Any]]:
        return [
            {"name": "Loudspeaker", "hostapi": 0, "max_input_channels": 0, "default_samplerate": 48_000.0},
            {"name": "USB Mic", "hostapi": 0, "max_input_channels": 2, "default_samplerate": 44_100.0},
            {"name": "Line In", "hostapi": 0, "max_input_channels": 2, "default_samplerate": 48_000.0},
        ]

    @property
    def InputStream(self) -> Callable[..., FakeStream]:  # noqa: N802  (sounddevice's name)
        return lambda **arguments: FakeStream(self, **arguments)


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> FakeCard:
    fake = FakeCard()
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    return fake


def test_only_inputs_are_listed(card: FakeCard) -> None:
    assert [(d.index, d.name, d.is_default) for d in list_devices()] == [
        (1, "USB Mic", True),
        (2, "Line In", False),
    ]
    card.default.device = [2, 0]
    assert [d.is_default for d in list_devices()] == [False, True]


def test_the_device_keeps_its_own_rate(card: FakeCard) -> None:
    for wanted, rate_hz in [(None, 44_100), ("line", 48_000), (1, 44_100)]:
        with Microphone(wanted) as microphone:
            assert microphone.sample_rate_hz == rate_hz
            arguments = card.streams[-1].arguments
            assert (arguments["samplerate"], arguments["dtype"], arguments["channels"]) == (
                rate_hz,
                "float32",
                1,
            )
            assert arguments["blocksize"] == rate_hz // 50
        assert card.streams[-1].closed


def test_blocks_are_copies_in_order(card: FakeCard) -> None:
    with Microphone() as microphone:
        for i in range(3):
            card.streams[0].deliver(np.full(10, i))
    assert [block.samples.tolist() for block in microphone] == [[float(i)] * 10 for i in range(3)]


def test_a_device_that_has_no_mono_is_mixed(card: FakeCard) -> None:
    card.accepts_channels = [2]
    with Microphone() as microphone:
        card.streams[0].deliver(np.array([[1.0, 0.0], [0.5, -0.5]]))
    assert [block.samples.tolist() for block in microphone] == [[0.5, 0.0]]


def test_a_late_reader_learns_what_was_lost(card: FakeCard) -> None:
    with Microphone(queue_s=0.02) as microphone:
        block = np.zeros(882)
        for _ in range(4):
            card.streams[0].deliver(block)
    assert [(b.samples.size, b.dropped_samples) for b in microphone] == [(882, 0), (0, 3 * 882)]


def test_an_overflow_in_the_device_is_measured_by_its_clock(card: FakeCard) -> None:
    with Microphone() as microphone:
        stream = card.streams[0]
        stream.deliver(np.zeros(441), at_s=5.00)
        stream.deliver(np.zeros(441), at_s=5.01)
        stream.deliver(np.zeros(441), at_s=5.12, overflow=True)
    assert [b.dropped_samples for b in microphone] == [0, 0, 4410]


def test_an_overflow_without_a_clock_counts_a_block() -> None:
    assert overflow_samples(late_s=0.0, sample_rate_hz=48_000, block_samples=960) == 960
    assert overflow_samples(late_s=-0.02, sample_rate_hz=48_000, block_samples=960) == 960
    assert overflow_samples(late_s=0.5, sample_rate_hz=48_000, block_samples=960) == 24_000


def test_a_refusal_and_a_busy_device(card: FakeCard) -> None:
    card.accepts_channels = []
    with pytest.raises(DeviceError, match=r"USB Mic.*cannot be opened \(Invalid number of channels\)"):
        Microphone().__enter__()
    card.accepts_channels = [1]
    card.busy = True
    with pytest.raises(DeviceError, match=r"USB Mic.*does not start \(Device unavailable\)"):
        Microphone().__enter__()
    assert card.streams[-1].closed


def test_an_unplugged_device_is_an_error_after_its_last_block(card: FakeCard) -> None:
    heard = []
    with Microphone() as microphone, pytest.raises(DeviceError, match="has stopped delivering"):
        card.streams[0].deliver(np.zeros(10))
        card.streams[0].unplug()
        heard.extend(microphone)
    assert len(heard) == 1


def test_a_device_that_falls_silent_is_an_error(card: FakeCard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(microphone_module, "STALLED_AFTER_S", 0.05)
    monkeypatch.setattr(microphone_module, "_POLL_S", 0.02)
    with Microphone() as microphone, pytest.raises(DeviceError, match=r"delivered nothing for 0\.05 s"):
        next(iter(microphone))


def test_close_from_another_thread_ends_the_loop(card: FakeCard) -> None:
    with Microphone() as microphone:
        closer = threading.Timer(0.05, microphone.close)
        closer.start()
        assert list(microphone) == []
        closer.join()


def test_an_interrupt_closes_the_device(card: FakeCard) -> None:
    with pytest.raises(KeyboardInterrupt), Microphone() as microphone:
        card.streams[0].deliver(np.zeros(10))
        for _ in microphone:
            raise KeyboardInterrupt
    assert card.streams[0].closed
