"""``edge-asr inspect [MODEL]``: what a model is, and with ``--verify`` whether it can be trusted."""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from edge_asr.commands import model
from edge_asr.errors import BundleError

if TYPE_CHECKING:
    from edge_asr.bundle import Description
    from edge_asr.commands.bundle_facts import FileState, SignatureState
    from edge_asr.trust import TrustedKeys

HELP = "Show what a model is: files, sizes, licences, words; verify its checksums and signature."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    parser.add_argument(
        "model",
        nargs="?",
        metavar="MODEL",
        help="name of a packaged model, or a bundle's directory (default: en-small)",
    )
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument(
        "--verify",
        action="store_true",
        help="compare every file with its checksum, refuse files that the bundle does not name, and check "
        "the signature against the trusted keys; a bundle without one passes only where no keys are trusted "
        "and none is required. Exit code 3 where anything is refused",
    )
    instead.add_argument(
        "--checksums",
        action="store_true",
        help="print only the list of checksums, byte for byte what a signature of the bundle signs",
    )
    model.add_trust_arguments(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(args: argparse.Namespace) -> int:
    """Print the facts, the list of checksums, or what is wrong.

    Raises
    ------
    BundleError: no such model, or without ``--verify`` a file that cannot be trusted.
    MissingExtraError: a signature is to be checked, and the package cryptography is not installed.
    UsageError: the trusted keys cannot be read.
    """
    from edge_asr.bundle import Bundle, Description
    from edge_asr.commands.bundle_facts import bundle_facts, signature_state
    from edge_asr.recognizer import DEFAULT_MODEL

    found = Description.read(args.model or DEFAULT_MODEL)
    trusted = _trusted(args)
    if args.verify:
        return _verify(found, trusted, as_json=args.json)
    bundle = Bundle.load(found.directory, trusted=trusted)
    if args.checksums:
        print(found.checksums().decode("ascii"), end="")
        return 0
    facts = bundle_facts(bundle, found.sha256)
    facts["signature"] = asdict(signature_state(found, trusted, check=trusted is not None))
    print(json.dumps(facts, ensure_ascii=False) if args.json else "\n".join(_describe(facts)))
    return 0


def _trusted(args: argparse.Namespace) -> TrustedKeys | None:
    """The keys that were asked for; with ``--verify`` also those that merely lie at the usual place."""
    from edge_asr.trust import TrustedKeys, default_trust_file, keys_in_force

    trusted = keys_in_force(args.require_signature, args.trust)
    usual = default_trust_file(os.environ)
    return TrustedKeys.load(usual) if args.verify and trusted is None and usual.is_file() else trusted


def _verify(found: Description, trusted: TrustedKeys | None, *, as_json: bool) -> int:
    """Print the state of every file and of the signature; 3 where one is refused."""
    from edge_asr.commands.bundle_facts import file_states, signature_state

    files = file_states(found)
    signature = signature_state(found, trusted, check=True)
    refused = signature.state == "refused" or any(file.state != "right" for file in files)
    if as_json:
        report = {
            "name": found.config.name,
            "version": found.sha256,
            "trusted": not refused,
            "files": [asdict(file) for file in files],
            "signature": asdict(signature),
        }
        print(json.dumps(report, ensure_ascii=False))
    else:
        print("\n".join(_describe_states(files, signature)))
    return BundleError.exit_code if refused else 0


def _describe_states(files: list[FileState], signature: SignatureState) -> list[str]:
    words = {"right": "right", "wrong": "REFUSED", "surplus": "REFUSED"}
    unnamed = "is not in model.json, so that nothing vouches for it"
    lines = []
    for file in files:
        problem = unnamed if file.state == "surplus" else file.problem
        lines.append(f"{words[file.state]:<9}{file.file}{f': {problem}' if problem else ''}")
    return [*lines, _describe_signature(asdict(signature))]


def _describe_signature(signature: dict[str, Any]) -> str:
    match signature["state"]:
        case "unsigned":
            return "unsigned"
        case "valid":
            return f"signed by {signature['signer']} ({signature['key']})"
        case "refused":
            return f"REFUSED  {signature['problem']}"
        case _:
            return f"says that {signature['key']} signed it; not checked, --verify does"


def _describe(facts: dict[str, Any]) -> list[str]:
    """The facts for people."""
    acoustic, words = facts["acoustic"], facts["vocabulary"]
    lm, neural = words["language_model"], words["neural_language_model"]
    rows = [
        ("name", facts["name"]),
        ("version", facts["version"][:12]),
        ("language", facts["language"]),
        ("directory", facts["directory"]),
        ("size", f"{facts['size_bytes'] / 1e6:.2f} MB"),
        *((f"  {file}", f"{size:,} bytes") for file, size in facts["files"].items()),
        ("hears", f"{acoustic['sample_rate_hz']} Hz, a step every {acoustic['step_ms']} ms"),
        ("answers after", f"at most {acoustic['lookahead_ms']} ms"),
        ("inference graphs", ", ".join(facts["graphs"].values())),
        ("tokens", f"{words['tokens']} {words['units']}"),
        ("lexicon", f"{words['lexicon_words']:,} words"),
        ("free text", f"{words['free_text_words']:,} words"),
        ("language model", f"{lm['order']}-grams, {lm['n_grams']:,}" if lm else "none"),
        ("re-scored by", f"a neural one, {neural['size_bytes']:,} bytes" if neural else "none"),
        ("unknown words", "are guessed" if words["guesses_pronunciations"] else "need a pronunciation"),
        ("signature", _describe_signature(facts["signature"])),
    ]
    rows += [("licences", "" if facts["licences"] else "not stated: the bundle brings no card")]
    rows += [(f"  {row['set']}", f"{row['licence']} ({row['use']})") for row in facts["licences"]]
    width = 2 + max(len(name) for name, _ in rows)
    return [f"{name:<{width}}{value}".rstrip() for name, value in rows]
