"""The guide shows the examples as they are."""

from __future__ import annotations

import re

from conftest import REPOSITORY


def test_the_guide_shows_the_examples() -> None:
    guide = (REPOSITORY / "docs" / "python.md").read_text(encoding="utf-8")
    shown = re.findall(r"<!-- file: (\S+) -->\n```python\n(.*?)```", guide, re.DOTALL)
    files = sorted(file.name for file in (REPOSITORY / "examples" / "python").glob("*.py"))
    assert sorted(file.rsplit("/", 1)[1] for file, _ in shown) == files
    assert len(shown) == guide.count("```python")
    for file, code in shown:
        assert (REPOSITORY / file).read_text(encoding="utf-8") == code, file
