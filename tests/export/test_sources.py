from pathlib import Path

import pytest

from edge_asr.errors import UsageError
from export.sources import sources_of


def test_sources_come_once_and_sorted() -> None:
    assert [name for name, _ in sources_of(["vctk", "grid", "vctk"])] == ["grid", "vctk"]


def test_a_set_of_unknown_licence_is_refused() -> None:
    with pytest.raises(UsageError, match=r"hearsay, rumour are not known: add them to export/sources\.py"):
        sources_of(["rumour", "grid", "hearsay"])


def test_every_set_of_the_corpora_has_a_source(shared_data: Path) -> None:
    names = [path.parent.name for path in shared_data.glob("*/manifest.jsonl")]
    assert {name for name, _ in sources_of(names)} == set(names)
