"""Which capture devices there are, and which one a user means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

from edge_asr.errors import DeviceError, MissingExtraError


@dataclass(frozen=True, kw_only=True)
class InputDevice:
    """A device that can capture."""

    index: int
    """PortAudio's number; it may change when devices come and go."""
    name: str
    """PortAudio's name."""
    host_api: str
    """The system behind it: ALSA, Core Audio, Windows WASAPI."""
    channels: int
    """How many it can capture at the most."""
    sample_rate_hz: int
    """Its own rate, at which nobody resamples on the way."""
    is_default: bool
    """The one taken when none is named."""

    def __str__(self) -> str:
        return f"{self.index}: {self.name} ({self.host_api}, {self.sample_rate_hz} Hz)"


def load_portaudio() -> ModuleType:
    """Import sounddevice, which finds the devices on its first import in a process.

    Raises
    ------
    MissingExtraError: the package is absent.
    DeviceError: the package is there, the PortAudio library it needs is not.
    """
    try:
        import sounddevice
    except ImportError:
        raise MissingExtraError("sounddevice", "microphone", "capturing from a microphone") from None
    except OSError as error:
        raise DeviceError(
            f"the PortAudio library does not load ({error}): "
            "install it (Debian, Ubuntu: apt install libportaudio2)"
        ) from error
    module: ModuleType = sounddevice
    return module


def list_devices() -> tuple[InputDevice, ...]:
    """All devices that can capture, in PortAudio's order; errors as in :func:`load_portaudio`."""
    sounddevice = load_portaudio()
    host_apis = [api["name"] for api in sounddevice.query_hostapis()]
    default = sounddevice.default.device[0]
    if default == -1:  # nobody set one in this process: PortAudio's own, if it has any
        api = sounddevice.default.hostapi
        default = sounddevice.query_hostapis(api)["default_input_device"] if host_apis else -1
    return tuple(
        InputDevice(
            index=index,
            name=device["name"],
            host_api=host_apis[device["hostapi"]],
            channels=device["max_input_channels"],
            sample_rate_hz=round(device["default_samplerate"]),
            is_default=index == default,
        )
        for index, device in enumerate(sounddevice.query_devices())
        if device["max_input_channels"] > 0
    )


def choose_device(devices: Sequence[InputDevice], wanted: int | str | None) -> InputDevice:
    """The device that the user means.

    Parameters
    ----------
    wanted: an index; or a name or a part of one, in any case; or None for the default device. Of
        several that match, one with exactly that name wins, then one on the default device's host API.

    Raises
    ------
    DeviceError: none matches, or several do equally well. The message lists the devices.
    """
    if not devices:
        raise DeviceError("no device that can capture was found: connect a microphone and start again")
    listing = "".join(f"\n  {device}" for device in devices)
    if wanted is None:
        chosen = [device for device in devices if device.is_default]
        if not chosen:
            raise DeviceError(f"the system names no default microphone: choose one of{listing}")
        return chosen[0]
    if isinstance(wanted, int):
        matches = [device for device in devices if device.index == wanted]
    else:
        matches = _by_name(devices, wanted.casefold())
    if len(matches) == 1:
        return matches[0]
    if matches:
        listing = "".join(f"\n  {device}" for device in matches)
        raise DeviceError(f"{wanted!r} fits several capture devices: say the number of one of{listing}")
    raise DeviceError(f"no capture device {wanted!r}: choose one of{listing}")


def _by_name(devices: Sequence[InputDevice], wanted: str) -> list[InputDevice]:
    matches = [device for device in devices if wanted in device.name.casefold()]
    preferred_api = {device.host_api for device in devices if device.is_default}
    for narrowed in (
        [device for device in matches if device.name.casefold() == wanted],
        [device for device in matches if device.host_api in preferred_api],
    ):
        if narrowed and len(matches) > 1:
            matches = narrowed
    return matches
