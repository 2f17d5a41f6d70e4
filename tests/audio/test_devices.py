import sys
from pathlib import Path

import pytest

from edge_asr.audio.devices import InputDevice, choose_device, load_portaudio
from edge_asr.errors import DeviceError, MissingExtraError


def device(index: int, name: str, host_api: str = "ALSA", *, is_default: bool = False) -> InputDevice:
    return InputDevice(
        index=index, name=name, host_api=host_api, channels=2, sample_rate_hz=48_000, is_default=is_default
    )


DEVICES = [
    device(0, "HDA Intel: front"),
    device(3, "USB Mic: Audio"),
    device(4, "USB Camera: Audio"),
    device(5, "USB Mic: Audio extra"),
    device(7, "default", is_default=True),
    device(8, "HDA Intel: front", "OSS"),
]


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (None, 7),
        (3, 3),
        ("camera", 4),
        ("usb mic: audio", 3),  # exactly this name, although another one contains it
        ("intel", 0),  # the same microphone through two systems
    ],
)
def test_the_device_that_is_meant(wanted: int | str | None, index: int) -> None:
    assert choose_device(DEVICES, wanted).index == index


@pytest.mark.parametrize("wanted", [1, "bluetooth"])
def test_an_unknown_device_lists_all(wanted: int | str) -> None:
    with pytest.raises(DeviceError, match=f"no capture device {wanted!r}") as caught:
        choose_device(DEVICES, wanted)
    for one in DEVICES:
        assert f"\n  {one.index}: {one.name} ({one.host_api}, 48000 Hz)" in str(caught.value)


def test_an_unclear_name_lists_what_it_fits() -> None:
    with pytest.raises(DeviceError, match="several") as caught:
        choose_device(DEVICES, "usb")
    assert "3: USB Mic" in str(caught.value)
    assert "HDA" not in str(caught.value)


def test_no_default_and_no_device() -> None:
    with pytest.raises(DeviceError, match="no default microphone"):
        choose_device(DEVICES[:3], None)
    with pytest.raises(DeviceError, match="connect a microphone"):
        choose_device([], None)


def test_a_missing_package_names_the_pip_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'edge-asr\[microphone\]'"):
        load_portaudio()


def test_a_missing_library_names_the_apt_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    with pytest.raises(DeviceError, match=r"PortAudio library not found.*apt install libportaudio2"):
        load_portaudio()
