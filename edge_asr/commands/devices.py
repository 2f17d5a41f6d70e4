"""``edge-asr devices``: the microphones that ``listen`` can use."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict

HELP = "List the capture devices."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    parser.add_argument("--json", action="store_true", help="one JSON object per device")


def run(args: argparse.Namespace) -> int:
    """Print the devices; the default one is marked with a star."""
    from edge_asr.audio.devices import list_devices

    devices = list_devices()
    if not devices:
        print("no device that can capture was found: connect a microphone", file=sys.stderr)
    for device in devices:
        line = json.dumps(asdict(device)) if args.json else f"{'*' if device.is_default else ' '} {device}"
        print(line)
    return 0
