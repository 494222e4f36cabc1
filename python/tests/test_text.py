"""What the words of a prompt say, and what changes nothing."""

from __future__ import annotations

import random
import re
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from text import known_words, other_side, plain_ends, reword, without_ends
from wordings import DOERS, WHOLE, WITHIN, otherwise, wordings

TOKENIZER = Path(__file__).resolve().parents[2] / "models" / "motion-base" / "tokenizer.json"


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    """That of a package."""
    return without_ends(TOKENIZER)


def test_ends_are_cut() -> None:
    assert plain_ends(" a person walks?! ") == "a person walks"


@pytest.mark.parametrize("text", ["A person walks.", "A PERSON WALKS!", "a person walks ...", " a person walks "])
def test_ends_and_case_change_no_token(tokenizer: Tokenizer, text: str) -> None:
    assert tokenizer.encode(text).ids == tokenizer.encode("a person walks").ids


def test_what_stands_between_words_is_a_token(tokenizer: Tokenizer) -> None:
    assert tokenizer.encode("a person, walks").ids != tokenizer.encode("a person walks").ids


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("kicks with the Left leg, turns right", "kicks with the right leg, turns left"),
        ("a counter-clockwise circle", "a clockwise circle"),
        ("an upright bright person", "an upright bright person"),
    ],
)
def test_other_side(text: str, other: str) -> None:
    assert other_side(text) == other


def test_reworded_captions_keep_their_second_verb() -> None:
    rng = random.Random(0)
    said = {reword("someone lifts a knee and stands", rng) for _ in range(200)}
    assert len(said) > 5
    assert not any("is lifts" in text for text in said)


def test_rewording_never_turns_left_to_right() -> None:
    rng = random.Random(1)
    for _ in range(300):
        words = reword("a person kicks with the left leg", rng).split()
        assert "right" not in words


def test_known_words_have_rows_of_their_own(tokenizer: Tokenizer) -> None:
    known = known_words(tokenizer, ["a person pirouettes"])
    rows = known[known > 0]
    np.testing.assert_array_equal(np.sort(rows), np.arange(1, len(rows) + 1))
    assert all(known[i] > 0 for i in tokenizer.encode("pirouettes").ids)
    assert not known[:2].any()


def test_other_words_keep_side_and_number() -> None:
    for side, other in (("left", "right"), ("right", "left")):
        said = [
            *wordings(f"kicks with the {side} leg"),
            *wordings(f"swings the {side} arm and throws"),
            *wordings(f"walks forward and turns {side}"),
        ]
        assert len(said) > 20
        assert not any(other in text for text in said)
        assert all(side in text for text in said)
    assert all("five" in text for text in wordings("jumps five times"))
    circles = wordings("walks in a counterclockwise circle")
    assert circles
    assert all("left" in text for text in circles)


def test_other_words_keep_manner_and_order() -> None:
    assert all(text.endswith("in a hurry") for text in wordings("walks backwards in a hurry"))
    rng = random.Random(2)
    said = {otherwise("stands and then jumps forward", rng) for _ in range(200)}
    assert len(said) > 20
    assert all(" then " in text and not text.startswith("=") for text in said)
    assert otherwise("does what no row has", rng) == "does what no row has"


def test_every_row_of_other_words_is_whole() -> None:
    for pattern, others in (*WHOLE, *WITHIN):
        assert len(set(others)) == len(others) >= 2, pattern.pattern
        slots = any("{0}" in other for other in others)
        assert not slots or "(left|right)" in pattern.pattern or pattern.groups, pattern.pattern
    assert len(set(DOERS)) == len(DOERS)


def test_held_out_prompts_are_no_captions() -> None:
    """What judges a model is none of the sentences that it is taught."""
    folder = Path(__file__).resolve().parents[2] / "crates" / "kinograd-eval" / "src" / "prompts" / "held_out"
    prompts = {text for file in folder.glob("*.rs") for text in re.findall(r'prompt: "([^"]+)"', file.read_text())}
    assert len(prompts) >= 90
    parts = [other for _, others in (*WHOLE, *WITHIN) for other in others]
    taught = {part.replace("{0}", said).lstrip("=") for part in parts for said in ("left", "right", "twice", "five")}
    whole = {part.replace("{0}", said)[1:] for part in parts for said in ("left", "right") if part.startswith("=")}
    subject = re.compile(r"^(?:(?:a|an|the) \w+|someone|somebody|he|she) ")
    assert all(subject.match(f"{doer} walks") for doer in DOERS if len(doer.split()) == 2 and doer[:3] in ("a ", "the"))
    assert not {prompt for prompt in prompts if prompt in whole}
    assert not {prompt for prompt in prompts if subject.sub("", prompt) in taught - whole}
