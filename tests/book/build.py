"""Builds the book with all that its links lead to in the repository, and fails at a link that leads nowhere.

python tests/book/build.py mdbook target/book

The pages of `docs` link to files beside that folder: the README, pictures, examples. They are copied with the pages, in
the same places, so that every link holds as it is written; pages among them are chapters of a last part of the book.
"""

from __future__ import annotations

import html.parser
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"(\[[^\]]*\]|!\[[^\]]*\])\(([^)\s#]+)((?:#[^)\s]*)?(?:\s+\"[^\"]*\")?)\)")


def is_foreign(target: str) -> bool:
    """Whether a link leaves the repository."""
    return "://" in target or target.startswith(("mailto:", "#"))


def page_as_staged(page: Path) -> tuple[str, list[Path]]:
    """A page's text, and the files that it leads to. A folder's link leads to its README; without one it is words."""
    found: list[Path] = []

    def staged(match: re.Match[str]) -> str:
        words, target, rest = match.groups()
        if is_foreign(target):
            return match[0]
        path = (page.parent / urllib.parse.unquote(target)).resolve()
        if path.is_dir():
            path = path / "README.md"
            if not path.exists():
                return words.strip("[]")
            target = os.path.relpath(path, page.parent)
        if not path.is_file():
            raise SystemExit(f"{page.relative_to(ROOT)}: {target} leads nowhere")
        found.append(path)
        return f"{words}({target}{rest})"

    lines = []
    is_code = False
    for line in page.read_text(encoding="utf-8").splitlines():
        is_fence = line.lstrip().startswith("```")
        is_code ^= is_fence
        lines.append(line if is_code or is_fence else LINK.sub(staged, line))
    return "\n".join(lines) + "\n", found


def stage(folder: Path) -> int:
    """Puts the pages and all that they lead to into a folder; returns the number of pages."""
    summary = (ROOT / "docs/SUMMARY.md").read_text(encoding="utf-8")
    pages = [ROOT / "docs" / target for target in re.findall(r"\]\(([^)]+)\)", summary)]
    in_book = set(pages)
    others: list[Path] = []
    for page in pages:
        text, leads_to = page_as_staged(page)
        for path in leads_to:
            if path.suffix == ".md" and path not in in_book:
                in_book.add(path)
                others.append(path)
                pages.append(path)
            elif path.suffix != ".md":
                copy = folder / path.relative_to(ROOT)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)
        copy = folder / page.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(text, encoding="utf-8")
    summary = re.sub(r"\]\(([^)]+)\)", r"](docs/\1)", summary)
    summary += "\n# In the repository\n\n"
    for path in sorted(others):
        name = path.relative_to(ROOT)
        summary += f"- [{name}]({name})\n"
    (folder / "SUMMARY.md").write_text(summary, encoding="utf-8")
    return len(pages)


class Page(html.parser.HTMLParser):
    """Anchors and links of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, _tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if name == "id" and value:
                self.anchors.add(value)
            elif name in ("href", "src") and value:
                self.links.append(value)


def dead_links(out: Path) -> list[str]:
    """Links within the book that lead nowhere."""
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in out.rglob("*.html")}
    dead = []
    for path, page in pages.items():
        if path.name in ("404.html", "print.html", "toc.html"):
            continue
        for link in page.links:
            target, _, anchor = link.partition("#")
            if "://" in target or target.startswith(("mailto:", "data:", "javascript:")):
                continue
            to = path if not target else (path.parent / urllib.parse.unquote(target)).resolve()
            if not to.is_file() or (anchor and to in pages and urllib.parse.unquote(anchor) not in pages[to].anchors):
                dead.append(f"{path.relative_to(out)}: {link}")
    return dead


def main() -> None:
    """Stages, builds and checks."""
    mdbook, out = sys.argv[1], Path(sys.argv[2]).resolve()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        settings = (ROOT / "book.toml").read_text(encoding="utf-8")
        # README.md is a page like others here.
        settings = settings.replace('src = "docs"', 'src = "src"').replace(
            "[build]", "[build]\nuse-default-preprocessors = false"
        )
        (folder / "book.toml").write_text(settings, encoding="utf-8")
        (folder / "src").mkdir()
        pages = stage(folder / "src")
        shutil.rmtree(out, ignore_errors=True)
        subprocess.run([mdbook, "build", str(folder), "--dest-dir", str(out)], check=True)
    # mdBook copies its first page there, from another folder.
    first = (
        '<!doctype html><meta http-equiv="refresh" content="0; url=docs/start.html"><a href="docs/start.html">Start</a>'
    )
    (out / "index.html").write_text(first + "\n", encoding="utf-8")
    dead = dead_links(out)
    if dead:
        raise SystemExit("links that lead nowhere:\n" + "\n".join(dead))
    print(f"{out}: {pages} pages, no dead link")


if __name__ == "__main__":
    main()
