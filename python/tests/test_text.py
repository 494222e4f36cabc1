"""What the words of a prompt say, and what changes nothing."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from text import known_words, other_side, plain_ends, reword, without_ends

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
