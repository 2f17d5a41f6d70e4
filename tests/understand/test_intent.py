from __future__ import annotations

import math
from pathlib import Path

import pytest

from edge_asr.decoder.grammar import load_grammar
from edge_asr.decoder.grammar.census import count_sentences, random_paths
from edge_asr.decoder.grammar.match import match
from edge_asr.decoder.network import IntentMark, Mark, SlotClose, SlotFixed, SlotOpen
from edge_asr.understand.intent import Interpretation, interpret

INTENT = IntentMark("Go")


def test_no_intent_is_no_interpretation() -> None:
    assert interpret([]) is None
    assert interpret([("hello", ()), (None, (SlotFixed("a", 1),))]) is None


def test_last_intent_counts() -> None:
    assert interpret([("a", (INTENT,)), ("b", ()), (None, (IntentMark("Stop"),))]) == Interpretation("Stop")


def test_slot_takes_its_words_or_its_value() -> None:
    path = [
        ("in", (INTENT,)),
        ("living", (SlotOpen("area"), SlotOpen("word"))),
        ("room", ()),
        ("five", (SlotClose("word"), SlotClose("area", "living_room"), SlotOpen("n"))),
        (None, (SlotClose("n", 5),)),
    ]
    slots = {"word": "living room", "area": "living_room", "n": 5}
    assert interpret(path) == Interpretation("Go", slots)  # type: ignore[arg-type]


def test_nested_slots_of_one_name_close_inside_out() -> None:
    path = [
        ("a", (INTENT, SlotOpen("s"))),
        ("b", (SlotOpen("s"),)),
        ("c", (SlotClose("s"),)),
        (None, (SlotClose("s"),)),
    ]
    assert interpret(path) == Interpretation("Go", {"s": ["b", "a b c"]})


def test_slots_may_overlap() -> None:
    path = [
        ("a", (INTENT, SlotOpen("s"))),
        ("b", (SlotOpen("t"),)),
        ("c", (SlotClose("s"),)),
        (None, (SlotClose("t"),)),
    ]
    assert interpret(path) == Interpretation("Go", {"s": "a b", "t": "b c"})


def test_slot_filled_more_than_once_is_a_list() -> None:
    last: tuple[Mark, ...] = (SlotClose("c", 7), SlotFixed("f", "x"), SlotFixed("f", "x"))
    path = [("red", (INTENT, SlotOpen("c"))), ("blue", (SlotClose("c"), SlotOpen("c"))), (None, last)]
    assert interpret(path) == Interpretation("Go", {"c": ["red", 7], "f": ["x", "x"]})


def test_what_is_said_goes_before_what_is_set() -> None:
    marks: tuple[Mark, ...] = (INTENT, SlotFixed("area", "hall"), SlotFixed("other", 1), SlotOpen("area"))
    path = [("here", marks), (None, (SlotClose("area"),))]
    assert interpret(path) == Interpretation("Go", {"area": "here", "other": 1})


def test_slot_without_words_is_left_out() -> None:
    marks: tuple[Mark, ...] = (INTENT, SlotOpen("s"), SlotClose("s"), SlotOpen("t"), SlotClose("t", 0))
    assert interpret([("go", marks), (None, ())]) == Interpretation("Go", {"t": 0})


def test_slot_still_open_is_left_out() -> None:
    assert interpret([("go", (INTENT, SlotOpen("s"))), (None, ())]) == Interpretation("Go")


def test_close_without_open_is_a_fault() -> None:
    with pytest.raises(ValueError, match="'s' closes"):
        interpret([("go", (INTENT, SlotClose("s")))])


@pytest.mark.parametrize(
    ("sample", "said", "intent", "slots"),
    [
        ("home.yaml", "turn on the living room lights", "HassTurnOn",
         {"domain": "light", "area": "living_room"}),
        ("home.yaml", "switch off the fan in the office", "HassTurnOff", {"domain": "fan", "area": "office"}),
        ("home.yaml", "turn in the kitchen all of the lamps off", "HassTurnOff",
         {"domain": "light", "area": "kitchen"}),
        ("home.yaml", "please set the bedroom brightness to a hundred percent", "HassLightSet",
         {"area": "bedroom", "brightness": 100}),
        ("home.yaml", "make the hall lights warm white", "HassLightSet",
         {"area": "hall", "color": "warm_white"}),
        ("home.yaml", "set the heating in the bathroom to twenty one degrees", "HassClimateSetTemperature",
         {"area": "bathroom", "temperature": 21}),
        ("home.yaml", "close the blinds in the living room please", "HassCloseCover",
         {"area": "living_room", "cover": "blind"}),
        ("home.yaml", "open the garage door", "HassOpenCover", {"cover": "garage_door"}),
        ("home.yaml", "set a timer for two hours and thirty minutes", "HassStartTimer",
         {"hours": 2, "minutes": 30}),
        ("home.yaml", "start a timer for half an hour", "HassStartTimer", {"minutes": 30}),
        ("home.yaml", "activate the good night scene", "HassSceneTurnOn", {"scene": "good_night"}),
        ("home.yaml", "what time is it", "HassGetCurrentTime", {}),
        ("home.yaml", "stop", "HassStop", {}),
        ("radio.jsgf", "please play jazz", "PlayStation", {"station": "jazz"}),
        ("radio.jsgf", "tune to ninety eight point five megahertz", "SetFrequency",
         {"frequency": "ninety eight point five"}),
        ("radio.jsgf", "turn the volume down a little", "SetVolume", {"step": -1, "amount": "small"}),
        ("radio.jsgf", "set the volume to seven", "SetVolume", {"volume": 7}),
        ("radio.jsgf", "turn the radio off", "RadioOff", {}),
        ("radio.jsgf", "call mum at work", "Call", {"contact": "mum", "place": "work"}),
        ("radio.jsgf", "dial one two oh", "Call", {"number": "one two oh"}),
        ("radio.jsgf", "set the heating to twenty one degrees", "Climate", {"temperature": 21}),
        ("radio.jsgf", "skip to the next station", "Seek", {"direction": "next"}),
    ],
)  # fmt: skip
def test_samples(repository: Path, sample: str, said: str, intent: str, slots: dict[str, object]) -> None:
    path = match(load_grammar(repository / "edge_asr" / "samples" / sample), said.split())
    assert path is not None
    assert interpret(path) == Interpretation(intent, slots)  # type: ignore[arg-type]


@pytest.mark.parametrize("sample", ["home.yaml", "radio.jsgf"])
def test_every_sentence_of_a_sample_has_an_intent(repository: Path, sample: str) -> None:
    network = load_grammar(repository / "edge_asr" / "samples" / sample)
    assert 1_000 < count_sentences(network) <= math.inf
    for path in random_paths(network, 200, seed=0):
        assert interpret(path) is not None


@pytest.mark.parametrize("sample", ["home.yaml", "radio.jsgf"])
def test_words_of_the_samples_have_known_pronunciations(repository: Path, sample: str) -> None:
    pocketsphinx = pytest.importorskip(
        "pocketsphinx", reason="needs the dictionary in the pocketsphinx wheel"
    )
    dictionary = Path(pocketsphinx.get_model_path()) / "en-us" / "cmudict-en-us.dict"
    known = {line.split()[0] for line in dictionary.read_text(encoding="utf-8").splitlines() if line.strip()}
    network = load_grammar(repository / "edge_asr" / "samples" / sample)
    assert {word for word, _ in network.vocabulary()} <= known
