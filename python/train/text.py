"""What a prompt's words say: their ends, their sides, the known ones, and captions said in other words."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from verbs import BASE, NOUNS, VERBS, gerund, imperative
from wordings import DOERS, PLACES, SUBJECT, WHOLE, WITHIN, otherwise, parted

SUBJECTS = (
    "a person",
    "someone",
    "the person",
    "a man",
    "a woman",
    "the figure",
    "somebody",
    "a character",
    "he",
    "she",
)
ENDS = " \t\n.,;:!?…"
OTHER_WORDS = 0.45  # share of captions that are said in words of `wordings.toml`, where it has any
IN_PLACES = 0.08  # share of captions that say where it is
# each row: words that may replace one another without changing what the body does
SYNONYMS = [
    ("walks", "strolls", "steps"),
    ("walking", "strolling", "stepping"),
    ("jogs", "jogs along", "runs slowly", "trots"),
    ("jogging", "running slowly", "trotting"),
    ("runs", "runs fast", "sprints"),
    ("running", "sprinting"),
    ("forward", "forwards", "ahead", "straight ahead"),
    ("backward", "backwards", "back"),
    ("sideways", "to the side", "laterally"),
    ("quickly", "fast", "rapidly", "briskly"),
    ("slowly", "at a slow pace", "unhurriedly"),
    ("jumps", "leaps"),
    ("hops", "jumps on one leg", "hops about"),
    ("side steps", "sidesteps", "side-steps", "steps sideways"),
    ("turns", "rotates"),
    ("crouches down", "squats down", "ducks down"),
    ("stands still", "stands", "stands idle", "stays still", "does not move"),
    ("sits down", "takes a seat"),
    ("stands up", "gets up", "rises"),
    ("stops", "halts", "comes to a stop"),
    ("punches", "throws punches", "boxes"),
    ("in a circle", "in circles", "around in a circle"),
    ("happily", "joyfully", "cheerfully"),
    ("angrily", "furiously", "in anger"),
    ("twice", "two times"),
    ("and then", "then", "and afterwards"),
    ("throws a ball", "tosses a ball"),
    ("kicks", "does a kick"),
    ("claps", "applauds"),
]
LOOKUP: dict[str, tuple[str, ...]] = {word: row for row in SYNONYMS for word in row[:1]}
PATTERN = re.compile(r"\b(" + "|".join(sorted(LOOKUP, key=len, reverse=True)) + r")\b")
# "throws two punches" and "turns around" are no verbs that `SYNONYMS` may replace.
OF_VERB = re.compile(r"(?:^|\b(?:person|someone|somebody|man|woman|dancer|fighter|and|then)|,) ?$")
NO_SYNONYM = re.compile(r"\b(?:turns (?!left|right|to the (?:left|right))|punches (?!and |then ))")


SIDES = {
    "left": "right", "lefts": "rights", "leftward": "rightward", "leftwards": "rightwards",
    "lefthanded": "righthanded", "leftmost": "rightmost", "clockwise": "counterclockwise",
}  # fmt: skip
SIDES |= {b: a for a, b in SIDES.items()} | {
    "anticlockwise": "clockwise", "counter-clockwise": "clockwise", "anti-clockwise": "clockwise",
}  # fmt: skip
SIDE = re.compile(r"\b(" + "|".join(sorted(SIDES, key=len, reverse=True)) + r")\b", re.IGNORECASE)


def other_side(text: str) -> str:
    """What a mirrored clip shows: every word of side is the other one; the same text where there is none."""
    return SIDE.sub(lambda m: SIDES[m[1].lower()], text)


def plain_ends(text: str) -> str:
    """Without space and punctuation at the ends: they change nothing that a prompt says."""
    return text.strip().rstrip(ENDS).strip()


def without_ends(tokenizer: Path) -> Tokenizer:
    """A tokenizer that leaves out what `plain_ends` does, so that whoever reads the package does so too."""
    spec = json.loads(tokenizer.read_text())
    ends = {"type": "Replace", "pattern": {"Regex": r"[\s.,;:!?…]+$"}, "content": ""}
    own = spec["normalizer"]
    parts = own["normalizers"] if own and own["type"] == "Sequence" else [own] if own else []
    spec["normalizer"] = {"type": "Sequence", "normalizers": [p for p in parts if p["type"] != "Replace"] + [ends]}
    return Tokenizer.from_str(json.dumps(spec))


def synonym(found: re.Match[str], rng: random.Random) -> str:
    """Another word for one of `SYNONYMS`, or that word."""
    word, before = found[1], found.string[: found.start()]
    noun = word in NOUNS and not OF_VERB.search(before)
    if noun or NO_SYNONYM.match(found.string, found.start()) or rng.random() >= 0.6:
        return word
    return rng.choice(LOOKUP[word])


def reworded(text: str, rng: random.Random) -> str:
    """A caption in words of `wordings.toml`; one that has no subject stays without one half the time."""
    if (told := parted(text)) is None:
        return text
    subject, phrase = told
    said = otherwise(phrase, rng)
    if said == phrase:
        return text
    if said.startswith("="):
        return said[1:]
    if not subject and rng.random() < 0.5 and (bare := rng.choice((imperative, gerund))(said)):
        return bare
    return f"{subject or rng.choice(SUBJECTS)} {said}"


def placed(text: str, rng: random.Random) -> str:
    """A caption and where that is, which changes nothing of the motion."""
    place = rng.choice(PLACES)
    return f"{place}, {text}" if rng.random() < 0.3 else f"{text} {place}"


def reword(caption: str, rng: random.Random) -> str:
    """Say the same differently: other words, subject, synonyms, verb form, a place, rarely a typo."""
    text = plain_ends(caption).lower()
    if rng.random() < OTHER_WORDS:
        text = reworded(text, rng)
    if rng.random() < 0.3:
        text = PATTERN.sub(lambda m: synonym(m, rng), text)
    text = styled(text, rng)
    if rng.random() < IN_PLACES:
        text = placed(text, rng)
    if rng.random() < 0.02 and len(text) > 12:
        i = rng.randrange(3, len(text) - 3)
        text = text[:i] + text[i + 1 :]
    return text


def styled(text: str, rng: random.Random) -> str:
    """A caption with its verbs in another form, without its subject, or with another one; often as it is."""
    subject = SUBJECT.match(text)
    style = rng.random()
    if subject is None or style >= 0.65:
        return " ".join(text.split())
    phrase = text[subject.end() :].strip()
    if style < 0.3:
        said = gerund(phrase) if style < 0.2 else imperative(phrase)
        if said is not None:
            return f"{subject[0]} is {said}" if style < 0.12 and not said.startswith("then ") else said
    if style < 0.4:
        return phrase
    return f"{rng.choice(SUBJECTS if rng.random() < 0.5 else DOERS)} {phrase}"


def known_words(tokenizer: Tokenizer, captions: list[str]) -> np.ndarray:
    """`[vocab]` int32: a row of the learnt correction for each piece that training can meet, else 0."""
    words = set()
    others = [other.lstrip("=") for _, row in (*WHOLE, *WITHIN) for other in row]
    extra = [
        *SUBJECTS,
        *DOERS,
        *PLACES,
        *others,
        *(w for row in SYNONYMS for w in row),
        *VERBS.values(),
        *BASE.values(),
    ]
    for encoding in tokenizer.encode_batch([*captions, *extra]):
        words.update(encoding.ids)
    known = np.zeros(tokenizer.get_vocab_size(), np.int32)
    for row, token in enumerate(sorted(words - {0, 1}), start=1):
        known[token] = row
    return known
