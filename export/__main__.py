"""``python -m export COMMAND``: the workstation side, from recordings to a model bundle."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from edge_asr.errors import EdgeAsrError, MissingExtraError

COMMANDS = {
    "gmm": ("export.gmm.command", "train", "train GMM-HMMs by a recipe and align its speech"),
    "train": ("export.train", "train", "train a network by a recipe"),
    "prune": ("export.prune.command", "train", "cut out of a network what it can do without"),
    "distill": ("export.distill", "train", "train a network by a larger one, and compare both"),
    "convert": ("export.convert.command", "export", "make inference graphs of a trained network"),
    "tflite-env": ("export.convert.environment", "export", "make the environment that converts to TFLite"),
    "quantize": ("export.quantize.command", "export", "make a graph of fewer bits, or see what they cost"),
    "average": ("export.average", "train", "make one network of the weights of several"),
    "verify": ("export.verify", "export", "compare all forms of a network on real speech"),
    "lexicon": ("export.lexicon", "train", "choose the words a model knows"),
    "lm": ("export.lm.command", "train", "make a language model of text"),
    "show-batch": ("export.show_batch", "train", "draw what a network is fed"),
    "texts": ("export.texts.command", "train", "draw sentences to be spoken"),
    "synthesize": ("export.synthesize.command", "train", "speak texts in many voices"),
    "label": ("export.label.command", "train", "write down what a model hears, to be learned"),
    "g2p": ("export.g2p.command", "train", "train a model that guesses how words are said"),
    "g2p-convert": ("export.g2p.convert", "export", "make an int8 file of such a model"),
    "g2p-verify": ("export.g2p.verify", "export", "compare the file with the model on held-out words"),
    "g2p-pack": ("export.g2p.pack", "export", "make it the package's model of its language"),
    "neural-lm-texts": ("export.neural_lm.texts", "train", "cut texts into pieces for such a model"),
    "neural-lm": ("export.neural_lm.command", "train", "train a neural language model"),
    "neural-lm-convert": ("export.neural_lm.convert", "train", "make an int8 file of such a model"),
    "neural-lm-verify": ("export.neural_lm.verify", "train", "compare the file with the model"),
    "pack": ("export.pack", "export", "make a model bundle"),
    "add-tflite": ("export.add_tflite", "export", "put a TFLite graph into a bundle"),
    "free-text": ("export.free_text", "export", "give a bundle other words or another language model"),
    "keygen": ("export.keygen", "signing", "make a pair of keys that sign bundles"),
    "sign": ("export.sign", "signing", "sign a model bundle"),
    "unpack": ("export.unpack", "export", "make a checkpoint again of a bundle"),
}
"""Command -> module that offers ``add_arguments`` and ``run``, the extra it needs, and what it does."""

_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its module, and torch with it, is imported only then."""
    summary = "\n".join(f"  {name:19}{what}" for name, (_, _, what) in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="python -m export",
        usage="python -m export COMMAND ...",
        description=f"commands (each has --help):\n{summary}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=COMMANDS, help=argparse.SUPPRESS)
    parser.add_argument("rest", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    try:
        return _run(args.command, args.rest)
    except EdgeAsrError as error:
        print(f"python -m export {args.command}: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return _INTERRUPTED


def _run(command: str, rest: Sequence[str]) -> int:
    module_name, extra, what = COMMANDS[command]
    parser = argparse.ArgumentParser(prog=f"python -m export {command}", description=what)
    try:
        module = importlib.import_module(module_name)
        module.add_arguments(parser)
        return int(module.run(parser.parse_args(rest)))
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("", "edge_asr", "export"):
            raise
        raise MissingExtraError(package, extra, f"python -m export {command}") from error


if __name__ == "__main__":
    sys.exit(main())
