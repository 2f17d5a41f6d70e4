"""``edge-asr``: the command line. The only module, with its commands, that prints."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from edge_asr import __version__
from edge_asr.errors import EdgeAsrError

COMMANDS = {
    "transcribe": "edge_asr.commands.transcribe",
    "listen": "edge_asr.commands.listen",
    "grammar": "edge_asr.commands.grammar",
    "evaluate": "edge_asr.commands.evaluate",
    "devices": "edge_asr.commands.devices",
    "inspect": "edge_asr.commands.inspect",
}
"""Name -> module with ``HELP``, ``add_arguments(parser)`` and ``run(args) -> exit code``."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code (errors.py lists them)."""
    parser = argparse.ArgumentParser(prog="edge-asr", description="Speech recognition on the device.")
    parser.add_argument("--version", action="version", version=f"edge-asr {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, path in COMMANDS.items():
        module = importlib.import_module(path)
        command = commands.add_parser(name, help=module.HELP, description=module.HELP)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    args = parser.parse_args(argv)
    try:
        code: int = args.run(args)
        sys.stdout.flush()
        return code
    except EdgeAsrError as error:
        print(f"edge-asr: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader (head, a pager) has left; Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main())
