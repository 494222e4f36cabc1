"""Captions in the words that people type: whole phrases, where `text.SYNONYMS` has single words."""

from __future__ import annotations

import random
import re
import tomllib
from pathlib import Path

BETWEEN = re.compile(r"( and then |, then )")
IS_DOING = re.compile(r"^is (\w+ing)\b")
MANNER = re.compile(
    r" (?:happily|joyfully|angrily|in anger|in an (?:elated|angry) way|in a (?:rush|hurry|sad way)|hurriedly|sadly"
    r"|stealthily)$"
)
SIDE = re.compile(r"\b(left|right)\b")

THIRD = {
    "walking": "walks", "running": "runs", "jogging": "jogs", "jumping": "jumps", "turning": "turns",
    "punching": "punches", "stepping": "steps", "kicking": "kicks",
}  # fmt: skip

_TABLE = tomllib.loads(Path(__file__).with_name("wordings.toml").read_text())
DOERS: tuple[str, ...] = tuple(_TABLE["doers"])
WHOLE = [(re.compile("|".join(row["said"])), tuple(row["also"])) for row in _TABLE["whole"]]
WITHIN = [(re.compile(rf"\b(?:{'|'.join(row['said'])})\b"), tuple(row["also"])) for row in _TABLE["within"]]


def filled(other: str, found: re.Match[str]) -> str | None:
    """`other` with what the pattern found in place of `{0}`; none where it wants what was not said."""
    if "{0}" not in other:
        return other
    said = next((group for group in found.groups() if group), None)
    sides = set(SIDE.findall(found[0]))
    if said is None and len(sides) == 1:
        said = sides.pop()
    if said is None and "clockwise" in found[0]:
        said = "left" if "counterclockwise" in found[0] else "right"
    return None if said is None else other.replace("{0}", said)


def wordings(phrase: str) -> list[str]:
    """What else may be said for a verb phrase without its subject, such as "kicks with the left leg"."""
    if (doing := IS_DOING.match(phrase)) and doing[1] in THIRD:
        phrase = THIRD[doing[1]] + phrase[doing.end() :]
    out = []
    if manner := MANNER.search(phrase):
        plain = (other for other in wordings(phrase[: manner.start()]) if not other.startswith("="))
        out += [other + manner[0] for other in plain]
    for pattern, others in WHOLE:
        if found := pattern.fullmatch(phrase):
            out += [text for other in others if (text := filled(other, found)) is not None]
    for pattern, others in WITHIN:
        if found := pattern.search(phrase):
            out += [phrase[: found.start()] + other + phrase[found.end() :] for other in others]
    return out


def all_wordings(phrase: str) -> set[str]:
    """What else may be said for a verb phrase or for one of its parts, without the marks of what stands alone."""
    return {other.lstrip("=") for part in {phrase, *BETWEEN.split(phrase)} for other in wordings(part)}


def otherwise(phrase: str, rng: random.Random) -> str:
    """A verb phrase in other words, part by part; as it is where no row has it. "=" at its start: it has no subject."""
    if others := wordings(phrase):
        return rng.choice(others)
    parts = BETWEEN.split(phrase)
    if len(parts) == 1:
        return phrase
    said = []
    for part in parts:
        others = [other for other in wordings(part) if not other.startswith("=")]
        said.append(rng.choice(others) if others and rng.random() < 0.6 else part)
    return "".join(said)
