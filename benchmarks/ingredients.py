"""The stages of ``benchmarks.ablation``: one recipe, with one ingredient after the other taken away."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import Any

from export.recipe import CriterionConfig, Recipe

SMALL = {"dim": 128, "ff": 256}
"""Width of the network before it becomes the recipe's own."""


def _without_synthetic(recipe: Recipe) -> Recipe:
    kept = tuple(chosen for chosen in recipe.corpus.train if not chosen.name.startswith("synth_"))
    return dataclasses.replace(recipe, corpus=dataclasses.replace(recipe.corpus, train=kept))


def _without_rooms(recipe: Recipe) -> Recipe:
    """No distortions but the speeds: neither rooms nor devices nor another pitch."""
    return dataclasses.replace(recipe, corpus=dataclasses.replace(recipe.corpus, distortions=()))


def _without_noise(recipe: Recipe) -> Recipe:
    """The same rooms and devices, each utterance in the same one: steps draw apart from each other."""
    quiet = tuple(dataclasses.replace(chain, noise=None, babble=None) for chain in recipe.corpus.distortions)
    return dataclasses.replace(recipe, corpus=dataclasses.replace(recipe.corpus, distortions=quiet))


def _without_criterion(recipe: Recipe) -> Recipe:
    """CTC to the end."""
    return dataclasses.replace(
        recipe, training=dataclasses.replace(recipe.training, criterion=CriterionConfig())
    )


def _smaller(recipe: Recipe) -> Recipe:
    network = dataclasses.replace(recipe.network, options=recipe.network.options | SMALL)
    return dataclasses.replace(recipe, network=network)


BASE = "real"
"""What is left in the end: real speech at several speeds, CTC after a teacher, a small network."""
INGREDIENTS: dict[str, Callable[[Recipe], Recipe]] = {
    "synthetic": _without_synthetic,
    "rooms": _without_rooms,
    "noise": _without_noise,
    "criterion": _without_criterion,
    "bigger": _smaller,
}
"""Ingredient, in the order of the stages -> what takes it away from a recipe that has no later one."""
STAGES = (BASE, *INGREDIENTS)


def stages(recipe: Recipe) -> dict[str, Recipe]:
    """Stage -> recipe, from ``real`` to the whole of ``recipe``; each has all ingredients up to its name."""
    found = []
    for take_away in reversed(INGREDIENTS.values()):
        found.append(recipe)
        recipe = take_away(recipe)
    found.append(recipe)
    return {
        stage: dataclasses.replace(made, name=f"{made.name}-{stage}")
        for stage, made in zip(STAGES, reversed(found), strict=True)
    }


def differences(recipe: Recipe, stored: Mapping[str, Any]) -> list[str]:
    """Dotted names of the fields in which a recipe and one out of a checkpoint differ."""
    return _differences(_plain(dataclasses.asdict(recipe)), _plain(stored), "")


def _plain(values: object) -> Any:
    """Tuples as lists, which are all that a file of values tells apart."""
    return json.loads(json.dumps(values))


def _differences(one: Any, other: Any, where: str) -> list[str]:
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return [] if one == other else [where]
    return [
        name
        for key in sorted(one.keys() | other.keys())
        for name in _differences(one.get(key), other.get(key), f"{where}.{key}".lstrip("."))
    ]
