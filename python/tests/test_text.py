"""What the words of a prompt say, and what changes nothing."""

from __future__ import annotations

import random
import re
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from text import PATTERN, SIDE, known_words, other_side, placed, plain_ends, reword, synonym, without_ends
from verbs import VERBS, gerund, imperative, indicative
from wordings import DOERS, PLACES, WHOLE, WITHIN, otherwise, parted, wordings

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


def test_other_words_name_no_side_of_their_own() -> None:
    """A side is `{0}`; the two sides come together."""
    for pattern, others in (*WHOLE, *WITHIN):
        for other in others:
            sides = re.findall(r"\b(left|right)", other)
            assert sides.count("left") == sides.count("right"), (pattern.pattern, other)
            assert "clockwise" not in other


@pytest.mark.parametrize(
    "phrase",
    [
        "walks sideways to the SIDE and stops",
        "does a SIDE roundhouse kick",
        "throws a SIDE jab",
        "punches with the SIDE fist from the rear",
        "runs and turns SIDE ninety degrees",
        "kicks a soccer ball with the SIDE foot",
        "lifts the SIDE hand to the mouth and leans back to drink",
        "jogs in a circle to the SIDE",
        "ducks under a punch, moving SIDE",
        "holds the SIDE hand out, ready to cast a spell",
        "defends with a high SIDE block",
        "then starts walking sideways to the SIDE",
        "is turning SIDE",
    ],
)
def test_rows_keep_sides(phrase: str) -> None:
    for side, other in (("left", "right"), ("right", "left")):
        said = wordings(phrase.replace("SIDE", side))
        assert len(said) >= 4
        assert all(re.search(rf"\b{side}\b", text) for text in said)
        assert not any(re.search(rf"\b{other}\b", text) for text in said)


@pytest.mark.parametrize(
    ("phrase", "number"),
    [
        ("punches three times", "three"),
        ("punches four times with the left hand", "four"),
        ("jumps while running three times", "three"),
        ("jumps forward twice", "two|twice|ahead again"),
        ("kicks two times", "two|double|again"),
        ("does five jumping jacks", "five"),
    ],
)
def test_rows_keep_numbers(phrase: str, number: str) -> None:
    assert wordings(phrase)
    assert all(re.search(number, text) for text in wordings(phrase))


def test_places_change_nothing_of_the_motion() -> None:
    assert len(set(PLACES)) == len(PLACES) >= 60
    moves = re.compile(
        r"\b(?:walk|run|jog|turn|jump|kick|punch|sits|sitting|fast|slow|quick|forward|back|up|around|twice)\w*\b"
    )
    assert not any(SIDE.search(place) or moves.search(place) for place in PLACES)
    rng = random.Random(3)
    for text in ("a man turns left", "kick twice with the right leg"):
        said = {placed(text, rng) for _ in range(500)}
        assert len(said) > len(PLACES)
        assert all(text in place for place in said)
        assert all(SIDE.findall(place) == SIDE.findall(text) for place in said)


def test_about_one_caption_in_twelve_says_where() -> None:
    rng = random.Random(4)
    said = [reword("a person turns left", rng) for _ in range(4000)]
    assert 0.06 < sum(any(place in text for place in PLACES) for text in said) / len(said) < 0.1
    assert not any("right" in text for text in said)


@pytest.mark.parametrize(
    ("phrase", "order", "doing"),
    [
        ("walks forward", "walk forward", "walking forward"),
        ("walks forward, then turns left and stops", "walk forward, then turn left and stop",
         "walking forward, then turning left and stopping"),
        ("walks and then sits down", "walk and then sit down", "walking and then sitting down"),
        ("raises their hands and waves", "raise your hands and wave", "raising their hands and waving"),
        ("slowly lies down and dies", "slowly lie down and die", "slowly lying down and dying"),
        ("is walking and turning left", "walk and turn left", "walking and turning left"),
        ("looks left and right", "look left and right", "looking left and right"),
        ("crawls on hands and knees", "crawl on hands and knees", "crawling on hands and knees"),
        ("pushes a ball, carries a box and hurries", "push a ball, carry a box and hurry",
         "pushing a ball, carrying a box and hurrying"),
    ],
)  # fmt: skip
def test_verbs_of_each_part_are_turned(phrase: str, order: str, doing: str) -> None:
    assert imperative(phrase) == order
    assert gerund(phrase) == doing


@pytest.mark.parametrize(
    "phrase", ["frobs the knob", "walks and frobs", "performs blocks and kicks", "fights with punches and kicks", ""]
)
def test_what_is_no_known_verb_stays(phrase: str) -> None:
    assert imperative(phrase) is None
    assert gerund(phrase) is None


def test_what_is_not_done_is_no_gerund() -> None:
    assert imperative("does not move") == "do not move"
    assert gerund("does not move") is None


def test_rewording_turns_compounds() -> None:
    rng = random.Random(5)
    said = {reword("a person walks forward, then turns left and stops", rng) for _ in range(500)}
    assert any(re.match(r"walk \w+.* turn \w+.* stop", text) for text in said)
    assert any(re.match(r"walking \w+.* turning \w+.* stopping", text) for text in said)
    assert {reword("a person frobs and walks", rng).split()[-3] for _ in range(50)} >= {"frobs"}
    assert not any("right" in text.split() for text in said)


def test_nouns_have_no_synonyms_of_verbs() -> None:
    rng = random.Random(6)
    for text, kept in (
        ("a person frobs two punches", "two punches"),
        ("a person punches the air", "punches the air"),
    ):
        said = {PATTERN.sub(lambda m: synonym(m, rng), text) for _ in range(100)}
        assert all(kept in other for other in said), text
    said = {PATTERN.sub(lambda m: synonym(m, rng), "a person turns left") for _ in range(100)}
    assert said == {"a person turns left", "a person rotates left"}


def test_captions_without_a_subject_are_read() -> None:
    assert indicative("walking in a circle") == indicative("walk in a circle") == "walks in a circle"
    assert parted("turn left happily") == ("", "turns left happily")
    assert parted("an angry man walks and turns back") == ("a person", "walks and turns back angrily")
    assert parted("the zombie turns around") == ("a person", "turns around like a zombie")
    assert parted("he is there") is None
    assert all(
        text.endswith("like a zombie")
        for text in wordings("turns around like a zombie")
        if "undead" not in text and "dead" not in text and "corpse" not in text and "as a zombie" not in text
    )


def test_manners_in_the_middle_are_kept() -> None:
    said = wordings("walks forward angrily and turns around")
    assert len(said) > 10
    assert all(text.endswith(" angrily") for text in said)
    assert all(text.endswith("with a box") for text in wordings("with a box walks"))


def test_gerunds_are_spelled_right() -> None:
    assert {VERBS[v] for v in ("runs", "lies", "dances", "sees", "mimics", "tiptoes", "hits", "does")} == {
        "running", "lying", "dancing", "seeing", "mimicking", "tiptoeing", "hitting", "doing",
    }  # fmt: skip


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
    forms = {said for part in taught - whole for said in (imperative(part), gerund(part)) if said}
    assert not {prompt for prompt in prompts if prompt.lower() in forms}
