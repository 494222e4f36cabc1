"""Verb phrases in other forms: "walks and then sits down" as "walk and then sit down", "walking and then sitting down".

Only what is known is turned: a phrase with a verb that is in no table stays as it is.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

IRREGULAR = {"have": ("has", "having"), "mimic": ("mimics", "mimicking")}
_TABLE = tomllib.loads(Path(__file__).with_name("verbs.toml").read_text())
BASES: tuple[str, ...] = tuple(_TABLE["known"])
DOUBLED = frozenset(_TABLE["doubled"])
NOUNS = frozenset(_TABLE["nouns"])
NO_VERBS = frozenset(_TABLE["no_verbs"])


def third(base: str) -> str:
    """ "walks" of "walk"."""
    if base in IRREGULAR:
        return IRREGULAR[base][0]
    if re.search(r"(?:s|sh|ch|x|z|o)$", base):
        return base + "es"
    return re.sub(r"(?<![aeiou])y$", "ie", base) + "s"


def ing(base: str) -> str:
    """ "walking" of "walk"."""
    if base in IRREGULAR:
        return IRREGULAR[base][1]
    if base in DOUBLED:
        return base + base[-1] + "ing"
    if base.endswith("ie"):
        return base[:-2] + "ying"
    return re.sub(r"(?<![eoy])e$", "", base) + "ing"


BASE = {third(base): base for base in BASES}
VERBS = {third(base): ing(base) for base in BASES}
THIRD = {form: verb for forms in (BASE, VERBS) for verb, form in forms.items()}
IS_DOING = re.compile(r"^is (\w+ing)\b")
# What stands between the parts of a phrase, each of which may have a verb of its own.
JOINTS = re.compile(r"(,? and then |,? then |, and | and |, but | but |, )")
ADVERBS = (
    r"(?:(?:then|first|slowly|quickly|suddenly|carefully|quietly|gently|briefly|finally|again|repeatedly|now|just) )*"
)
OPENING = re.compile(rf"^({ADVERBS})([\w-]+)(.*)$")
# After these a word of `nouns` is no verb.
OF_NOUNS = re.compile(
    r"\b(?:with|of|through|does|do|doing|performs?|practices?|throws?|mak(?:es?|ing)|several|some|few|many|two|three)\b"
)
YOURS = {
    "their": "your", "his": "your", "her": "your", "they": "you", "they're": "you're", "them": "you",
    "themselves": "yourself", "himself": "yourself", "herself": "yourself",
}  # fmt: skip
YOUR = re.compile(rf"\b({'|'.join(sorted(YOURS, key=len, reverse=True))})\b")


def turned(phrase: str, forms: Mapping[str, str]) -> str | None:
    """`phrase` with the first verb of each part as `forms` has it; none where one of them is not known."""
    said, before, doing_so = [], "", False
    for i, part in enumerate(JOINTS.split(phrase)):
        if i % 2:
            said.append(part)
            continue
        opening = OPENING.match(part)
        if opening is None:
            return None
        adverbs, verb, rest = opening.groups()
        if verb == "is" and (doing := re.match(r" (\w+ing)\b", rest)) and doing[1] in THIRD:
            verb, rest, doing_so = THIRD[doing[1]], rest[doing.end() :], True
        elif doing_so and verb in THIRD:
            verb = THIRD[verb]
        known = verb in forms and not (rest.startswith(" not ") and forms is VERBS)
        if i and known and verb in NOUNS and OF_NOUNS.search(before):
            return None
        if not known and (i == 0 or (re.search(r"[^s]s$", verb) and verb not in NO_VERBS)):
            return None  # a verb that no table has, or a noun: better as it is
        said.append(adverbs + forms[verb] + rest if known else part)
        before = part
    return "".join(said)


def imperative(phrase: str) -> str | None:
    """ "walk forward and then raise your hand" of "walks forward and then raises their hand"; none if not known."""
    said = turned(phrase, BASE)
    return None if said is None else YOUR.sub(lambda m: YOURS[m[1]], said)


def gerund(phrase: str) -> str | None:
    """ "walking forward and then sitting down" of "walks forward and then sits down"; none if not known."""
    return turned(phrase, VERBS)


def indicative(phrase: str) -> str | None:
    """ "walks forward" of "walk forward" and of "walking forward"; none of what begins with no verb."""
    found = turned(phrase, THIRD)
    return found if found != phrase else None
