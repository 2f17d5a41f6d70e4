"""The README's tables are what the measurements say."""

from __future__ import annotations

import re

from benchmarks.render import README, TABLES, render
from benchmarks.result import RESULTS


def test_the_tables_of_the_readme_are_those_of_the_results() -> None:
    text = README.read_text(encoding="utf-8")
    names = set(re.findall(r"<!-- table: ([\w-]+) -->", text))
    assert names == set(TABLES)
    assert all((RESULTS / f"{name}.json").is_file() for name in names)
    assert render(text) == text, "run python -m benchmarks.render"
