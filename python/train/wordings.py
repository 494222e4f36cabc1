"""Captions in the words that people type: whole phrases, where `text.SYNONYMS` has single words."""

from __future__ import annotations

import random
import re
import tomllib
from pathlib import Path

from verbs import IS_DOING, THIRD, indicative

SUBJECT = re.compile(r"^(a person|someone|the person|a man|a woman|a dancer|somebody)\b")
# Who else does it in the captions, and what that says of how.
DOES_SO = [
    (re.compile(r"^an? (?:happy) (?:person|man|woman) "), " happily"),
    (re.compile(r"^an? (?:angry) (?:person|man|woman) "), " angrily"),
    (re.compile(r"^an? (?:elated) (?:person|man|woman) "), " in an elated way"),
    (re.compile(r"^(?:a|the) zombie "), " like a zombie"),
]
DOES = re.compile(r"^(?:a|the) (?:fighter|martial artist|ballet dancer) ")
FIRST = re.compile(r"^(in a (?:hurry|rush)|in a karate stance|in a fighting stance|with a box|then) ")
BETWEEN = re.compile(r"( and then |, then )")
MANNERS = (
    r" (?:happily|joyfully|angrily|in anger|in an (?:elated|angry) way|in a (?:rush|hurry|sad way)|hurriedly|sadly"
    r"|stealthily|like (?:a zombie|the undead)|carrying a box|with a box(?: in the hands)?"
    r"|with careful, quiet steps|in a (?:karate|fighting) stance)"
)
MANNER = re.compile(rf"{MANNERS}$")
MANNER_FIRST = re.compile(rf"^(.+)({MANNERS}) (and .+)$")
NEEDLESS = re.compile(r" (?:in a straight line|at a normal pace|while standing)$")
SIDE = re.compile(r"\b(left|right)\b")

_TABLE = tomllib.loads(Path(__file__).with_name("wordings.toml").read_text())
DOERS: tuple[str, ...] = tuple(_TABLE["doers"])
PLACES: tuple[str, ...] = tuple(_TABLE["places"])
WHOLE = [(re.compile("|".join(row["said"])), tuple(row["also"])) for row in _TABLE["whole"]]
WITHIN = [(re.compile(rf"\b(?:{'|'.join(row['said'])})\b"), tuple(row["also"])) for row in _TABLE["within"]]


def parted(caption: str) -> tuple[str, str] | None:
    """Who does it and what is done, in the third person: "an angry man walks" is "a person", "walks angrily".

    Who is none where the caption has only the verb, as in "walk forward"; none at all where its words are not known.
    """
    if subject := SUBJECT.match(caption):
        return subject[0], caption[subject.end() :].strip()
    if subject := DOES.match(caption):
        return subject[0].strip(), caption[subject.end() :]
    for pattern, how in DOES_SO:
        if subject := pattern.match(caption):
            return "a person", caption[subject.end() :] + how
    phrase = indicative(caption)
    return None if phrase is None else ("", phrase)


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
    if first := FIRST.match(phrase):
        rest = phrase[first.end() :]
        if first[1] == "then":
            return [f"then {other}" for other in wordings(rest) if not other.startswith("=")]
        return wordings(f"{rest} {first[1]}")
    if first := MANNER_FIRST.match(phrase):
        return wordings(f"{first[1]} {first[3]}{first[2]}")
    out = wordings(phrase[: needless.start()]) if (needless := NEEDLESS.search(phrase)) else []
    if manner := MANNER.search(phrase):
        plain = (other for other in wordings(phrase[: manner.start()]) if not other.startswith("="))
        out += [other + manner[0] for other in plain]
    doing = IS_DOING.match(phrase)
    same = [THIRD[doing[1]] + phrase[doing.end() :]] if doing and doing[1] in THIRD else []
    for text in (phrase, *same):
        for pattern, others in WHOLE:
            if found := pattern.fullmatch(text):
                out += [said for other in others if (said := filled(other, found)) is not None]
        for pattern, others in WITHIN:
            if found := pattern.search(text):
                out += [text[: found.start()] + other + text[found.end() :] for other in others]
    return list(dict.fromkeys(out))


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
