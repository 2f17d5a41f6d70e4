from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hassil import Intents, TextSlotList, recognize_all
from hassil.intents import TextSlotValue

from edge_asr.decoder.compile import compile_network
from edge_asr.decoder.grammar import load_grammar
from edge_asr.decoder.grammar.census import enumerate_sentences, random_paths, sentence
from edge_asr.decoder.grammar.home import Entity, Home, Named
from edge_asr.decoder.grammar.home_assistant import home_grammar, read_home_file
from edge_asr.decoder.grammar.match import match
from edge_asr.decoder.grammar.rejects import Reject
from edge_asr.decoder.lexicon import Lexicon
from edge_asr.decoder.tokens import Tokens
from edge_asr.errors import GrammarError, MissingExtraError
from edge_asr.understand.intent import Interpretation, interpret

HOME = """\
home_assistant:
  areas: [Kitchen, {name: Living room, aliases: [lounge]}]
  entities:
    - {name: Ceiling lamp, domain: light, area: Kitchen, aliases: [big light]}
    - {name: Kettle, domain: switch}
    - {name: Front door, domain: lock}
  scenes: [Movie night]
"""


def package(**_: Any) -> SimpleNamespace:
    """A package of few sentences in the format of home-assistant-intents."""

    def get_intents(language: str) -> dict[str, Any] | None:
        if language != "en":
            return None
        lit = {"requires_context": {"domain": ["light", "switch"]}, "metadata": {"slot_combination": "x"}}
        return {
            "language": "en",
            "intents": {
                "HassTurnOn": {
                    "data": [
                        {"sentences": ["<turn> on [the] {name}", "{name} on in {floor}"], **lit},
                        {"sentences": ["open {name}"], "requires_context": {"domain": ["cover", "valve"]}},
                        {"sentences": ["<turn> on [<here>] light[s]"], "slots": {"domain": "light"}}
                        | {"requires_context": {"area": {"slot": True}}},
                        {"sentences": ["{name} scene"], "requires_context": {"domain": ["scene"]}},
                        {"sentences": ["<turn> on {area} lights"], "response": "default"},
                    ]
                },
                "HassBroadcast": {"data": [{"sentences": ["announce {message}", "xylo announce"]}]},
                "HassStartTimer": {"data": [{"sentences": ["{half:minutes} an hour"]}]},
            },
            "lists": {
                "message": {"wildcard": True},
                "half": {"values": [{"in": "half", "out": 30}, {"in": "1/2", "out": 30}]},
            },
            "expansion_rules": {"turn": "(turn|switch)", "here": "in here"},
            "skip_words": [],
            "responses": {"errors": {}},
        }

    return SimpleNamespace(get_intents=get_intents, get_speech_to_phrase_intents=get_intents)


@pytest.fixture
def fake_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "home_assistant_intents", package())  # type: ignore[arg-type]


@pytest.fixture
def home_file(tmp_path: Path) -> Path:
    file = tmp_path / "home.yaml"
    file.write_text(HOME)
    return file


def understood(network: Any, said: str) -> Interpretation | None:
    path = match(network, said.split())
    return None if path is None else interpret(path)


def small_home(**more: Any) -> Home:
    entities = [Entity(name="Big Lamp", domain="light", line=3), Entity(name="Movie", domain="scene")]
    return Home(areas=[Named(name="Hall", aliases=("corridor",))], entities=entities, **more)


@pytest.mark.usefixtures("fake_package")
def test_a_home_says_what_it_has_and_nothing_else() -> None:
    grammar = home_grammar(small_home())
    said = set(enumerate_sentences(grammar.network, 1000))
    turn = {f"{turn} on" for turn in ("turn", "switch")}
    assert said == {
        *(f"{t}{the} big lamp" for t in turn for the in ("", " the")),
        *(f"{t}{here} light{s}" for t in turn for here in ("", " in here") for s in ("", "s")),
        *(f"{t} {area} lights" for t in turn for area in ("hall", "corridor")),
        "movie scene",
        "half an hour",
        "xylo announce",
    }
    assert grammar.sentences == 6
    assert grammar.skipped == {"no cover or valve": 1, "no floor": 1, "open slots": 1}


@pytest.mark.usefixtures("fake_package")
def test_values_are_the_names_as_written() -> None:
    network = home_grammar(small_home()).network
    assert understood(network, "turn on the big lamp") == Interpretation("HassTurnOn", {"name": "Big Lamp"})
    assert understood(network, "turn on corridor lights") == Interpretation("HassTurnOn", {"area": "Hall"})
    assert understood(network, "half an hour") == Interpretation("HassStartTimer", {"minutes": 30})
    assert understood(network, "turn on lights") == Interpretation("HassTurnOn", {"domain": "light"})


@pytest.mark.usefixtures("fake_package")
def test_open_slots_on_request() -> None:
    grammar = home_grammar(small_home(open_slots=True))
    assert "open slots" not in grammar.skipped
    found = understood(grammar.network, "announce dinner is ready")
    assert found == Interpretation("HassBroadcast", {"message": "dinner is ready"})


@pytest.mark.usefixtures("fake_package")
def test_words_of_the_package_may_be_unknown_but_not_names_of_the_home() -> None:
    words = "turn switch on the in here light lights half an hour big lamp movie scene hall corridor"
    tokens = Tokens(["<blk>", "A"])
    network = home_grammar(small_home()).network
    graph = compile_network(network, Lexicon("".join(f"{word} A\n" for word in words.split()), tokens))
    assert "xylo" not in {output.word for output in graph.outputs}
    less = "".join(f"{word} A\n" for word in words.split() if word != "lamp")
    with pytest.raises(GrammarError, match=r"^home_assistant:3: unknown word 'lamp'"):
        compile_network(network, Lexicon(less, tokens))


@pytest.mark.usefixtures("fake_package")
def test_file_is_known_by_its_key_and_may_add_sentences(home_file: Path) -> None:
    own = "intents: {Own: {data: [{sentences: ['where is [the] {name}']}]}}\n"
    home_file.write_text(HOME + own)
    network = load_grammar(home_file)
    assert network.name == "home.yaml"
    assert understood(network, "switch on big light") == Interpretation(
        "HassTurnOn", {"name": "Ceiling lamp"}
    )
    assert understood(network, "where is the front door") == Interpretation("Own", {"name": "Front door"})
    assert understood(network, "movie night scene") == Interpretation("HassTurnOn", {"name": "Movie night"})


@pytest.mark.usefixtures("fake_package")
@pytest.mark.parametrize(
    ("line", "old", "new", "problem"),
    [
        (2, "  areas", "  arias", "unknown key 'arias'"),
        (4, "name: Ceiling lamp, ", "", "expected a key 'name'"),
        (4, "domain: light, ", "", "expected a key 'domain'"),
        (5, "domain: switch", "domain: switch, colour: red", "unknown key 'colour'"),
        (4, "area: Kitchen", "area: Kitten", "'Kitten', which is not among the areas"),
        (2, "[Kitchen, {", "[on, {", "quotes"),
        (7, "[Movie night]", "Movie", "expected a list for scenes"),
        (7, "scenes: [Movie night]", "sentences: few", "all or spoken"),
        (7, "scenes: [Movie night]", "open_slots: 3", "true or false"),
        (7, "scenes: [Movie night]", "scenes: [the 2nd]", "2nd"),
        (7, "[Movie night]", "['']", "expected words for the name of a scene, got ''"),
        (2, "aliases: [lounge]", "aliases: ['!?']", "expected words for an alias, got '!\\?'"),
    ],
)
def test_mistake_in_a_home_names_its_line(
    home_file: Path, line: int, old: str, new: str, problem: str
) -> None:
    assert old in HOME
    home_file.write_text(HOME.replace(old, new))
    with pytest.raises(GrammarError, match=problem) as caught:
        load_grammar(home_file)
    assert (caught.value.source, caught.value.line) == ("home.yaml", line)


@pytest.mark.usefixtures("fake_package")
def test_language_that_the_package_lacks(home_file: Path) -> None:
    home_file.write_text(HOME + "  language: xx\n")
    with pytest.raises(GrammarError, match="no all sentences in 'xx'"):
        load_grammar(home_file)


def test_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch, home_file: Path) -> None:
    monkeypatch.setitem(sys.modules, "home_assistant_intents", None)
    with pytest.raises(MissingExtraError, match=r"edge-asr\[home-assistant\]"):
        load_grammar(home_file)


@pytest.mark.parametrize("kind", ["all", "spoken"])
def test_sentences_of_the_package(home_file: Path, kind: str) -> None:
    pytest.importorskip("home_assistant_intents", reason="needs the package home-assistant-intents")
    home_file.write_text(HOME + f"  sentences: {kind}\n")
    network = load_grammar(home_file)
    on = understood(network, "turn on the ceiling lamp")
    assert on == Interpretation("HassTurnOn", {"name": "Ceiling lamp"})
    assert understood(network, "unlock the front door") == Interpretation(
        "HassTurnOff", {"name": "Front door"}
    )
    assert understood(network, "turn off the lounge lights") == Interpretation(
        "HassTurnOff", {"area": "Living room", "domain": "light"}
    )
    timer = understood(network, "set a timer for twenty five minutes")
    assert timer == Interpretation("HassStartTimer", {"minutes": 25})
    scene = understood(network, "activate movie night")
    assert (scene == Interpretation("HassTurnOn", {"name": "Movie night"})) == (kind == "all")


def test_home_assistant_understands_what_is_said_here(home_file: Path) -> None:
    """Sentences at random mean to Home Assistant's own parser what they mean here."""
    package = pytest.importorskip("home_assistant_intents", reason="needs the package home-assistant-intents")
    home_file.write_text(HOME + "  sentences: spoken\n")
    intents = Intents.from_dict(package.get_speech_to_phrase_intents("en"))
    names = {"ceiling lamp": "light", "big light": "light", "kettle": "switch", "front door": "lock"}
    out = {"big light": "Ceiling lamp", "lounge": "Living room"}

    def value(text: str, domain: str = "") -> TextSlotValue:
        context = {"domain": domain} if domain else {}
        return TextSlotValue.from_tuple((text, out.get(text, text.capitalize()), context), False)

    lists = {
        "name": TextSlotList("name", [value(text, domain) for text, domain in names.items()]),
        "area": TextSlotList("area", [value(text) for text in ("kitchen", "living room", "lounge")]),
        "floor": TextSlotList("floor", []),
    }
    for path in random_paths(load_grammar(home_file), 60, seed=7, by_turns=True):
        found = interpret(path)
        assert found is not None
        if "a hundred" in sentence(path):
            continue  # hassil knows "one hundred" alone
        if str(found.slots.get("volume_step", "")).startswith("-"):
            continue  # hassil leaves out the list's multiplier of -1
        understood = [
            (result.intent.name, {name: entity.value for name, entity in result.entities.items()})
            for result in recognize_all(
                sentence(path), intents, slot_lists=lists, intent_context={"area": "Kitchen"}, language="en"
            )
        ]
        slots = [
            {name: v for name, v in entities.items() if name in found.slots}
            for intent, entities in understood
            if intent == found.intent
        ]
        assert found.slots in slots, (sentence(path), found, understood)


def test_home_of_a_file(home_file: Path) -> None:
    home = read_home_file(home_file)
    assert [(area.name, area.aliases) for area in home.areas] == [
        ("Kitchen", ()),
        ("Living room", ("lounge",)),
    ]
    lamp, *_, scene = home.entities
    assert lamp == Entity(name="Ceiling lamp", domain="light", area="Kitchen", aliases=("big light",), line=4)
    assert (scene.name, scene.domain) == ("Movie night", "scene")
    home_file.write_text("intents: {}\n")
    with pytest.raises(GrammarError, match="expected a key 'home_assistant'"):
        read_home_file(home_file)


def test_a_mistake_in_a_home_costs_the_thing_that_has_it(home_file: Path) -> None:
    pytest.importorskip("home_assistant_intents", reason="needs the package home-assistant-intents")
    home_file.write_text(
        "home_assistant:\n  areas: [Kitchen]\n  entities:\n"
        "    - {name: Lamp, domain: light, area: Attic}\n    - {name: 2nd lamp, domain: light}\n"
        "    - {name: Kettle, domain: switch, colour: red}\n    - {name: Big light, domain: light}\n"
    )
    rejects: list[Reject] = []
    network = load_grammar(home_file, rejects)
    assert sorted(reject.line or 0 for reject in rejects) == [4, 5, 6]
    assert match(network, ["turn", "on", "the", "big", "light"])
    with pytest.raises(GrammarError, match=":4: 'Lamp' is in the area 'Attic'"):
        load_grammar(home_file)


def test_other_mistakes_in_a_home_cost_no_more(home_file: Path) -> None:
    pytest.importorskip("home_assistant_intents", reason="needs the package home-assistant-intents")
    home_file.write_text(
        "home_assistant:\n  areas: [Kitchen, '', {name: Hall, aliases: ['-']}]\n  floors: upstairs\n"
        "  scenes: {Movie: night}\n  sentences: few\n  open_slots: 3\n"
        "  entities:\n    - {name: Big light, domain: light}\n"
    )
    rejects: list[Reject] = []
    network = load_grammar(home_file, rejects)
    assert sorted(reject.line or 0 for reject in rejects) == [2, 2, 3, 4, 5, 6]
    assert match(network, ["turn", "on", "the", "big", "light", "in", "the", "kitchen"])
    assert not match(network, ["turn", "on", "the"])


@pytest.mark.parametrize("kind", ["all", "spoken"])
def test_entity_that_no_sentence_names_is_named(home_file: Path, kind: str) -> None:
    pytest.importorskip("home_assistant_intents", reason="needs the package home-assistant-intents")
    home_file.write_text(
        f"home_assistant:\n  sentences: {kind}\n  scenes: [Movie night]\n  entities:\n"
        "    - {name: Doorbell, domain: camera}\n    - {name: Lamp, domain: light}\n"
        "    - {name: Lamp, domain: lihgt}\n"
    )
    rejects: list[Reject] = []
    load_grammar(home_file, rejects)
    scene = {"all": [], "spoken": [3]}[kind]
    assert sorted(reject.line or 0 for reject in rejects) == [*scene, 5, 7]
    assert any("'Doorbell' cannot be said" in r.message and "names a camera" in r.message for r in rejects)
