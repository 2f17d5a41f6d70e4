"""Home Assistant's sentence templates, parsed by hassil, as a word network.

A file looks like this::

    language: en
    intents:
      HassTurnOn:
        data:
          - sentences:
              - "(turn|switch) on [the] {area} light[s]"
              - "light[s] on;in [the] {area}"
            slots: {domain: light}
    lists:
      area:
        values: [kitchen, {in: "living[ ]room", out: living_room}]
      brightness:
        range: {from: 0, to: 100}
    expansion_rules:
      percent: "{brightness}[%| percent]"
    skip_words: [please, could you]

- The intent's name becomes an IntentMark, ``slots`` become SlotFixed, ``{area}`` and ``{area:slot}``
  become SlotOpen and SlotClose with the value's ``out``. Without ``out`` a plain value is its own
  value, and a template's value is what was said.
- Numbers, in ranges and in texts, are spelled out in English ("one hundred five", "one hundred and five").
- ``requires_context`` and ``excludes_context`` choose list values by their ``context``, and
  ``slot: true`` copies it to a slot, as in hassil; what would come from outside is taken as given.
- Skip words may precede and follow a sentence, at most two at either end. (hassil takes them anywhere.)
- ``{edge_asr.time:at}`` and lists with ``builtin: time`` are slots that are built in
  (``builtin/__init__.py``); a list with ``wildcard: true`` takes one or more words that nobody wrote
  down, as ``{edge_asr.anything:text}`` does.
- A list with ``runtime: true`` is filled when the program runs (``Recognizer.join``).
- A block's ``weight`` says how often its sentences are said compared with those of other blocks (1
  where none is written). The heaviest is neutral, the others cost the logarithm of their share of it.
- ``metadata``, ``response``, ``settings`` and the like have no meaning here.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

from edge_asr.decoder.grammar.located_yaml import Text
from edge_asr.decoder.grammar.rejects import Mistakes, Reject
from edge_asr.decoder.grammar.template_builder import SentenceBuilder
from edge_asr.decoder.grammar.template_file import Block, TemplateFile, parse_template_file, template_file
from edge_asr.decoder.grammar.template_scope import Scope, place_error
from edge_asr.decoder.grammar.text_file import read_utf8
from edge_asr.decoder.grammar.words import add_phrase, add_plain, plain_words
from edge_asr.decoder.grammar.yaml_mending import parse_mended
from edge_asr.decoder.network import MAX_ARCS, IntentMark, Mark, SlotFixed, WordArc, WordNetwork, about
from edge_asr.errors import GrammarError, GrammarSizeError

HOME = "home_assistant"
"""The key by which a YAML file is known to describe a home."""


def read_templates(path: Path, rejects: list[Reject] | None = None) -> WordNetwork:
    """The network of a YAML file, or of all YAML files of a directory taken together.

    A file with the key ``home_assistant`` brings Home Assistant's own sentences (home_assistant.py).

    Raises
    ------
    GrammarError: a file that cannot be read; and as ``parse_templates``. With ``rejects`` a directory
        lacks no more than the file that cannot be read.
    """
    if not path.is_dir():
        mistakes = Mistakes(rejects)
        top = parse_mended(read_utf8(path), path.name, mistakes)
        if isinstance(top.value, dict) and HOME in top.value:
            # Imported here, since it makes templates itself.
            from edge_asr.decoder.grammar.home_assistant import parse_home

            return parse_home(top, path.name, mistakes).network
        return templates_network(template_file(top, mistakes), path.name, mistakes)
    files = sorted(file for file in path.iterdir() if file.suffix in (".yaml", ".yml"))
    if not files:
        raise GrammarError("expected a .yaml file in this directory, found none", source=str(path))
    mistakes = Mistakes(rejects)
    merged: TemplateFile | None = None
    for file in files:
        with mistakes.spare():
            read = parse_template_file(read_utf8(file), file.name, mistakes)
            if merged is None:
                merged = read
            else:
                merged.merge(read, file.name, mistakes)
    if merged is None:
        raise mistakes.nothing_left(path.name, "no file can be read")
    return templates_network(merged, path.name, mistakes)


def parse_templates(text: str, name: str = "<string>", rejects: list[Reject] | None = None) -> WordNetwork:
    """The network of one YAML text.

    With ``rejects`` a sentence, list, list value, rule or skip word with a mistake is left out, and a
    sentence that needs a list or rule that is left out.

    Raises
    ------
    GrammarError: no YAML, no language, no sentence, too large; or a mistake that ``rejects`` does not
        take note of, with its line.
    """
    mistakes = Mistakes(rejects)
    return templates_network(parse_template_file(text, name, mistakes), name, mistakes)


def templates_network(file: TemplateFile, name: str, mistakes: Mistakes) -> WordNetwork:
    """The network of sentence files that were read; errors as ``parse_templates``."""
    measured = _measured(file, name, mistakes)
    network = WordNetwork(name)
    if len(file.first_lines) > 1:
        network.files = tuple((line, source) for source, line in file.first_lines.items())
    first, last = _add_skip_words(network, file, mistakes)
    heaviest = max((block.weight for _, block, _ in measured if block.sentences), default=1.0)
    added = 0
    for intent, block, scope in measured:
        if not block.sentences:
            continue
        line = scope.line(Text("", block.sentences[0].source, block.line))
        weight = math.log(block.weight / heaviest)
        node = _add_marks(network, first, intent, block, line, weight=weight)
        builder = SentenceBuilder(scope, block)
        for sentence in block.sentences:
            nodes, arcs = network.nodes, len(network.arcs)
            with mistakes.spare():
                try:
                    _add_sentence(network, node, last, builder, sentence, scope.line(sentence))
                    added += 1
                except GrammarError:
                    network.nodes = nodes
                    del network.arcs[arcs:]
                    raise
    if not added:
        raise mistakes.nothing_left(name, "no sentence is left")
    return network


def _add_sentence(
    network: WordNetwork, source: int, target: int, builder: SentenceBuilder, sentence: Text, line: int
) -> None:
    if words := plain_words(sentence):
        add_plain(network, source, target, words, line)
        return
    first_arc = len(network.arcs)
    builder.sentence(sentence).merge_into(network, source, target)
    if _is_silent(network.arcs[first_arc:], source, target):
        raise place_error("silence would match this sentence: all of it is optional", sentence)


def _measured(file: TemplateFile, name: str, mistakes: Mistakes) -> list[tuple[str, Block, Scope]]:
    """All blocks with their scope and their good sentences, checked before anything large is built."""
    shared = Scope(file, file.rules, file.lists, mistakes)
    found: list[tuple[str, Block, Scope]] = []
    total = 0
    every = ((intent, block) for intent, blocks in file.intents.items() for block in blocks)
    for intent, block in every:
        scope = shared
        if block.rules or block.lists:
            lists, rules = {**file.lists, **block.lists}, {**file.rules, **block.rules}
            scope = Scope(file, rules, lists, mistakes)
        sentences: list[Text] = []
        for sentence in block.sentences:
            with mistakes.spare():
                size = scope.measure(sentence)
                if size > MAX_ARCS:
                    raise place_error(f"{about(size)} arcs, the limit is {MAX_ARCS:,}", sentence)
                sentences.append(sentence)
                total += size
            if total > MAX_ARCS:
                message = f"up to here {about(total)} arcs, the limit is {MAX_ARCS:,}"
                raise GrammarSizeError(message, source=sentence.source, line=sentence.line)
        found.append((intent, replace(block, sentences=sentences), scope))
    if not total:
        raise mistakes.nothing_left(name, "expected at least one sentence under intents, found none")
    return found


def _add_marks(
    network: WordNetwork, node: int, intent: str, block: Block, line: int, *, weight: float
) -> int:
    """The intent and the fixed slots of a block; return the node behind them."""
    marks: list[Mark] = [IntentMark(intent)]
    marks += [SlotFixed(name, value) for name, values in block.slots.items() for value in values]
    for mark in marks:
        after = network.add_node()
        network.add(node, after, mark=mark, weight=weight, line=line)
        node, weight = after, 0.0
    return node


def _is_silent(arcs: list[WordArc], start: int, end: int) -> bool:
    """Do arcs without words lead from ``start`` to ``end``?"""
    silent: dict[int, list[int]] = {}
    for arc in arcs:
        if arc.word is None:
            silent.setdefault(arc.source, []).append(arc.target)
    waiting, seen = [start], {start}
    while waiting:
        for node in silent.get(waiting.pop(), ()):
            if node not in seen:
                seen.add(node)
                waiting.append(node)
    return end in seen


def _add_skip_words(network: WordNetwork, file: TemplateFile, mistakes: Mistakes) -> tuple[int, int]:
    """Up to two skip words at either end; return the nodes between which sentences belong."""
    if not file.skip_words:
        return network.start, network.end
    first, last = network.add_node(), network.add_node()
    for source, target in ((network.start, first), (last, network.end)):
        between = network.add_node()
        network.add(source, target)
        network.add(between, target)
        for words in file.skip_words:
            line = file.first_lines.get(words.source, 0) + words.line if words.line else 0
            with mistakes.spare():
                add_phrase(network, source, between, words, line)
                add_phrase(network, between, target, words, line)
    return first, last
