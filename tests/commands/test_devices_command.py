"""``edge-asr devices`` on made-up hardware."""

from __future__ import annotations

import json

import pytest

from edge_asr.audio import devices
from edge_asr.audio.devices import InputDevice
from edge_asr.cli import main

USB = InputDevice(
    index=3, name="USB Mic", host_api="ALSA", channels=2, sample_rate_hz=48_000, is_default=True
)


def test_the_default_device_has_a_star(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(devices, "list_devices", lambda: (USB,))
    assert main(["devices"]) == 0
    assert capsys.readouterr().out == "* 3: USB Mic (ALSA, 48000 Hz)\n"


def test_json_has_one_object_a_device(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(devices, "list_devices", lambda: (USB, USB))
    assert main(["devices", "--json"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["sample_rate_hz"] for line in lines] == [48_000, 48_000]


def test_no_device_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(devices, "list_devices", lambda: ())
    assert main(["devices"]) == 0
    assert "no device" in capsys.readouterr().err
