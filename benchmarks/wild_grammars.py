"""Grammars and files beside them at random: valid, malformed, made to explode. Each seed gives the same."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

_SAMPLES = Path(__file__).parent.parent / "edge_asr" / "samples"
_WORDS = (  # noqa: SIM905
    "turn on off the light lamp fan in kitchen hall bed room set to one two three please stop play next "
    "radio news call mum dad home work it's o'clock a an of and warm white red blue open close door"
).split()
_ODD = (
    *"()[]{}<>|;:,=*+/\\\"'#&!%@`~^$-_.?\t\0\r\n",
    *("public ", "grammar g;", "import <x.*>;", "<NULL>", "<VOID>", "<a>", "{a=1}", "{intent:X}", "/0/"),
    *("/1e99/", "//", "/*", "*/", "#JSGF V1.0;", "&a ", "*a ", "<<: *a", "!!int ", "!!set ", "? ", "- "),
    *("---\n", "...\n", "{area}", "{0..9999999:n}", "{1..5,2}", "<rule>", "[a|b]", "(a;b;c)", "2nd"),
    *("½", "1,000,000", "999999", "-5", "é", "日本", "🙂", "\u2028", "\x85", "\ufeff", "İ", "ß", "٣", "²"),
    *("\u0301", "''", "' '", "language: en\n", "intents:\n", "sentences:\n", "wildcard: true"),
    *("range: {from: 1, to: 3}", ".inf", "0x" + "f" * 40),
)
_MAY_PRECEDE = {".jsgf": b"#JSGF V1.0;\ngrammar g;\n", ".yaml": b"language: en\nintents:\n", ".txt": b""}


class Wild(NamedTuple):
    """A grammar file that someone might give."""

    name: str
    """File name; its ending says what it claims to be."""
    data: bytes
    kind: str
    """How it was made."""


def wild_grammar(seed: int) -> Wild:
    """The grammar number ``seed``."""
    rng = random.Random(seed)
    kind, make = rng.choices(_KINDS, weights=[weight for _, _, weight in _WEIGHED])[0]
    ending = rng.choice(tuple(_BESIDE) if make is _beside else (".jsgf", ".yaml", ".txt"))
    data = make(rng, ending)
    return Wild(f"wild-{seed}{ending}", data, kind)


def _valid(rng: random.Random, ending: str) -> bytes:
    """A grammar without mistakes, some words unknown."""
    if ending == ".txt":
        lines = (" ".join(rng.choices(_WORDS, k=rng.randint(1, 8))) for _ in range(rng.randint(1, 200)))
        return "\n".join(lines).encode()
    count = rng.randint(1, 8)
    if ending == ".jsgf":
        bodies = [_expansion(rng, rng.randint(0, 4), i, count) for i in range(count)]
        rules = [f"<r{i}> = {body};" for i, body in enumerate(bodies)]
        public = [rule if i and rng.random() < 0.7 else f"public {rule}" for i, rule in enumerate(rules)]
        return ("#JSGF V1.0;\ngrammar wild;\n" + "\n".join(public)).encode()
    sentences = "".join(f'          - "{_template(rng, rng.randint(0, 4))}"\n' for _ in range(count))
    return (
        f"language: en\nintents:\n  A:\n    data:\n      - sentences:\n{sentences}"
        "lists:\n  area: {values: [kitchen, hall, {in: 'bed[ ]room', out: bedroom}]}\n"
        "  n: {range: {from: 0, to: 120}}\n"
        'expansion_rules:\n  rule: "(turn|switch) [the] {area}"\n'
    ).encode()


def _expansion(rng: random.Random, depth: int, rule: int, rules: int) -> str:
    """A JSGF expansion that refers to later rules only."""
    if depth == 0:
        refers = rule + 1 < rules and rng.random() < 0.4
        return f"<r{rng.randrange(rule + 1, rules)}>" if refers else rng.choice(_WORDS)
    parts = [_expansion(rng, depth - 1, rule, rules) for _ in range(rng.randint(1, 4))]
    shape = rng.randrange(6)
    if shape == 0:
        return f"({' | '.join(parts)})"
    if shape == 1:
        return f"[{' | '.join(parts)}]"
    if shape == 2:
        return f"({' '.join(parts)})" + rng.choice("*+")
    if shape == 3:
        return f"({' '.join(parts)}) {{slot{rng.randrange(3)}{rng.choice(('', '=1', ':x'))}}}"
    if shape == 4:
        return f"({' | '.join(f'/{rng.uniform(0.1, 9):.2f}/ {part}' for part in parts)})"
    return " ".join(parts)


def _template(rng: random.Random, depth: int) -> str:
    if depth == 0:
        return rng.choice((*_WORDS, "{area}", "{n}", "<rule>"))
    parts = [_template(rng, depth - 1) for _ in range(rng.randint(1, 3))]
    joint = rng.choice((" ", "", "|", ";", " "))
    opening, closing = rng.choice(("()", "[]", ("", ""))) if joint in " " else "()"
    return f"{opening}{joint.join(parts)}{closing}"


def _mutated(rng: random.Random, ending: str) -> bytes:
    """A sample with a few accidents."""
    return _with_accidents(rng, _sample(ending))


def _beside(rng: random.Random, ending: str) -> bytes:
    """A file that is no grammar of its own, with a few accidents, or noise."""
    if rng.random() < 0.1:
        return rng.randbytes(rng.choice((0, 1, 100, 20_000)))
    return _with_accidents(rng, _BESIDE[ending])


def _with_accidents(rng: random.Random, text: str) -> bytes:
    for _ in range(rng.choice((1, 1, 2, 3, 5, 10, 40))):
        first = rng.randrange(len(text) + 1)
        last = min(len(text), first + rng.choice((1, 1, 5, 30, 300)))
        cut = text[first:last]
        accident = rng.randrange(6)
        if accident == 0:
            text = text[:first] + text[last:]
        elif accident == 1:
            text = text[:first] + rng.choice(_ODD) + text[first:]
        elif accident == 2:
            text = text[:first] + cut * rng.choice((2, 3, 50, 300)) + text[last:]
        elif accident == 3:
            text = text[:first] + "".join(rng.sample(cut, len(cut))) + text[last:]
        elif accident == 4:
            text = text[:first] + rng.choice(_ODD) + text[last:]
        else:
            other = _sample(rng.choice((".jsgf", ".yaml", ".txt")))
            at = rng.randrange(len(other))
            text = text[:first] + other[at : at + 200] + text[last:]
    return text.encode("utf-8", "surrogatepass")


@cache
def _sample(ending: str) -> str:
    if ending == ".txt":
        rooms = ("kitchen", "hall", "bedroom")
        return "\n".join(f"turn {way} the {room} light" for way in ("on", "off") for room in rooms)
    return (_SAMPLES / ("home.yaml" if ending == ".yaml" else "radio.jsgf")).read_text(encoding="utf-8")


def _truncated(rng: random.Random, ending: str) -> bytes:
    data = _sample(ending).encode()
    return data[: rng.randrange(len(data))]


def _noise(rng: random.Random, ending: str) -> bytes:
    """Bytes, or odd signs, at random; behind a good beginning now and then."""
    size = rng.choice((0, 1, 10, 100, 1000, 20_000))
    odd = "".join(rng.choices(_ODD, k=size // 2)).encode()
    data = rng.choice((odd, rng.randbytes(size)))
    return _MAY_PRECEDE[ending] + data if rng.random() < 0.5 else data


def _recoded(rng: random.Random, ending: str) -> bytes:
    encoding = rng.choice(("utf-16", "utf-32", "latin-1", "utf-8-sig", "cp037"))
    text = _sample(ending)
    if ending == ".jsgf":
        codecs = (encoding, "base64", "rot13", "punycode", "idna", "undefined", "hex", "unicode_escape")
        text = text.replace("UTF-8", rng.choice(codecs))
    return text.encode(encoding, "replace")


def _bomb(rng: random.Random, ending: str) -> bytes:
    """Small to write, enormous when written out, or nested without end."""
    n = int(10 ** rng.uniform(0.5, 4))
    word = rng.choice(_WORDS)
    if ending == ".txt":
        return rng.choice(
            (
                f"{word} " * (n * 10),
                f"{word}\n" * (n * 10),
                "".join(f"{word} {rng.choice(_WORDS)} {rng.choice(_WORDS)}\n" for _ in range(n * 3)),
                word * n,
                "9" * n,
                "999,999 " * n,
                "1." + "5" * n,
                "½\n" * n,
                "\n" * (n * 10),
            )
        ).encode()
    if ending == ".jsgf":
        return ("#JSGF V1.0;\ngrammar bomb;\n" + rng.choice(_JSGF_BOMBS)(n, word)).encode()
    return ("language: en\n" + rng.choice(_YAML_BOMBS)(n, word)).encode()


_JSGF_BOMBS: tuple[Callable[[int, str], str], ...] = (
    lambda n, w: f"public <a> = {'[' * n}{w}{']' * n};",
    lambda n, w: f"public <a> = go {f'[{w}] ' * n};",
    lambda n, w: f"public <a> = {f'[{w}] ' * n};",
    lambda n, w: f"public <a> = {f'([{w}]* | {w}+)+ ' * n};",
    lambda n, w: "".join(f"<r{i}> = <r{i + 1}> <r{i + 1}>;" for i in range(n)) + _last_rule(n, w),
    lambda n, w: "".join(f"<r{i}> = [<r{i + 1}>];" for i in range(n)) + _last_rule(n, w),
    lambda n, w: "".join(f"public <r{i}> = {w} <r{(i + 1) % n}>;" for i in range(n)),
    lambda n, w: "".join(f"public <r{i}> = [{w}] <r{(i * 7 + 1) % n}> | {w};" for i in range(n)),
    lambda n, w: "".join(f"public <r{i}> = <r{(i + 1) % n}> <r{(i + 1) % n}> | {w};" for i in range(n)),
    lambda n, w: f"public <a> = {w} {'{s}' * n};",
    lambda n, w: f"public <a> = {'(' * 90}{w}{' {s=1})' * 90} {'{t=2}' * min(n, 90)};",
    lambda n, w: f"public <a> = {w} | <a> {w} | {w} <a> {w} | {w} <a>;" * n,
    lambda n, w: "public <a> = (" + " | ".join([w] * n) + ");",
    lambda n, w: "public <a> = " + " ".join(["(a | the | in)"] * n) + ";",
    lambda n, w: f"public <a> = {w * n};",
    lambda n, w: f"public <a> = (one | two)+ {'([one] two)* ' * n};",
    lambda n, w: f'public <a> = "{f"{w} " * n}";',
    lambda n, w: ";" * n,
    lambda n, w: f"public <a> = {w}\n" * n,
    lambda n, w: f"public <a> = /{'9' * n}/ {w} | /0.{'0' * n}1/ {w};",
)
_YAML_BOMBS: tuple[Callable[[int, str], str], ...] = (
    lambda n, w: _intent(f"'{'[' * n}{w}{']' * n}'"),
    lambda n, w: _intent(f"'go {f'[{w}] ' * n}'"),
    lambda n, w: _intent(f"'go {f'[{w}]' * n}x'"),
    lambda n, w: _intent("'go (" + ";".join([w] * n) + ")'"),
    lambda n, w: _intent(f"'go {'{x} ' * (n % 50)}'") + _values(", ".join([w] * n)),
    lambda n, w: _intent("'go {x}'") + f"lists: {{x: {{range: {{from: 0, to: {n**3}}}}}}}",
    lambda n, w: _intent(f"'go {{-{n * 100}..{n * 100}:x}}'"),
    lambda n, w: _intent("'<r0>'") + _doubling(n, w),
    lambda n, w: "a0: &a0 [x, x]\n" + _aliases(n % 60, "[{}]"),
    lambda n, w: "a0: &a0 {k: v}\n" + _aliases(n % 60, "{{<<: [{}], k: v}}"),
    lambda n, w: "intents: &x {A: *x}\n",
    lambda n, w: "x: " + "[" * n,
    lambda n, w: "x:\n  " + "- " * n + "a",
    lambda n, w: "x: " + "{a: " * n,
    lambda n, w: "? " * n,
    lambda n, w: "".join(f"k{i}: &k{i} v\n" for i in range(n)),
    lambda n, w: _intent("'{x}'") + _values(f"{{in: {w}, out: 0x{'f' * n}}}"),
    lambda n, w: _intent("'{x}'") + "lists: {x: {range: {from: 1, to: 5, multiplier: .inf}}}",
    lambda n, w: _intent("'{x}'") + f"lists: {{x: {{range: {{from: 1, to: {'9' * n}}}}}}}",
    lambda n, w: _intent(f"'{{1..{'9' * n}}}'"),
    lambda n, w: _intent(f"'{f'{w} ' * n}'"),
    lambda n, w: _intent(f"'go {w}'") + f"skip_words: [{', '.join([w] * n)}]\n",
    lambda n, w: "intents:\n" + f"  A: {{data: [{{sentences: ['{w}']}}]}}\n" * n,
    lambda n, w: "intents:\n  A:\n    data:\n      - sentences:\n" + "          - [the] light\n" * n,
)


def _last_rule(n: int, word: str) -> str:
    return f"<r{n}> = {word}; public <a> = go <r0>;"


def _doubling(n: int, word: str) -> str:
    rules = "".join(f"  r{i}: '<r{i + 1}> <r{i + 1}>'\n" for i in range(n))
    return f"expansion_rules:\n{rules}  r{n}: {word}\n"


def _aliases(n: int, form: str) -> str:
    """Each of ``n`` keys stands for nine of the one before."""
    return "".join(f"a{i + 1}: &a{i + 1} {form.format(', '.join([f'*a{i}'] * 9))}\n" for i in range(n))


def _values(values: str) -> str:
    return f"lists: {{x: {{values: [{values}]}}}}\n"


def _intent(sentence: str) -> str:
    return f"intents: {{A: {{data: [{{sentences: [{sentence}]}}]}}}}\n"


_BESIDE = {
    ".home.yaml": "home_assistant:\n  areas: [Kitchen, {name: Living room, aliases: [lounge]}]\n  entities:\n"
    "    - {name: Lamp, domain: light, area: Kitchen}\n  scenes: [Movie night]\n",
    ".list": "# contacts\nann smith\tann@home\nbob\nmum\n2 home street\nwarm white\twhite\n",
    ".words": "lumen L UW M AH N\nmum\nradio R EY D IY OW\nradio R AE D IY OW # odd\n",
    ".arpa": "\\data\\\nngram 1=5\nngram 2=2\n\n\\1-grams:\n-99 <s>\n-1 </s>\n-1 turn -0.5\n"
    "-1 on\n-1 radio\n\n\\2-grams:\n-0.2 turn on\n-0.3 on radio\n\n\\end\\\n",
}
"""A home, the entries of a run-time list, words of a user, a language model: by an ending of their own."""
_WEIGHED: tuple[tuple[str, Callable[[random.Random, str], bytes], int], ...] = (
    ("valid", _valid, 20),
    ("mutated", _mutated, 40),
    ("truncated", _truncated, 8),
    ("noise", _noise, 10),
    ("recoded", _recoded, 2),
    ("bomb", _bomb, 20),
    ("beside", _beside, 6),
)
_KINDS = [(kind, make) for kind, make, _ in _WEIGHED]
