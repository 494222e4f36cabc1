"""Batches, the tokens of prompts, the optimizer, and a run that would go on with another recipe."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from batches import BUCKET, collate, fixed_batches, training_batches
from config import FEATURES, MAX_TOKENS, PATCH, TrainConfig
from data import Item
from export import with_words
from motions import clip_of, load, swaying
from optimizer import orthogonalised
from tokens import TextBatcher
from train import refuse_other_run
from train_embedding import opposed, said

TOKENIZER = Path(__file__).resolve().parents[3] / "models" / "motion-base" / "tokenizer.json"


def test_a_batch_is_padded_and_masked(tmp_path: Path) -> None:
    data = load(tmp_path, [clip_of()], swaying(40))
    [segment] = data.segments
    made = swaying(44)
    batch = collate(data, [Item(segment, 2, 24, "kicks"), Item(segment, 0, 44, "kicks twice", made)])
    assert batch.features.shape == (2, 3 * BUCKET, FEATURES)
    assert batch.mask.sum(1).tolist() == [24, 44]
    torch.testing.assert_close(batch.features[0, :24], torch.from_numpy(swaying(40)[2:26]))
    torch.testing.assert_close(batch.features[1, :44], torch.from_numpy(made))
    assert not batch.features[batch.mask == 0].any()


def test_batches_fill_a_step(tmp_path: Path) -> None:
    clips = [clip_of(id=str(i), frames=frames, croppable=True) for i, frames in enumerate((30, 60, 120))]
    for clip in clips:
        clip["segments"][0]["frames"] = clip["frames"]
    data = load(tmp_path, clips, swaying(120))
    config = replace(TrainConfig(), tokens_per_step=200)
    for batch in itertools.islice(training_batches(data, config, seed=0), 20):
        assert batch.features.shape[:2] == batch.mask.shape
        assert batch.mask.shape[1] % BUCKET == 0
        assert batch.mask.numel() / PATCH <= config.tokens_per_step


def test_fixed_batches_are_the_same_on_every_call(tmp_path: Path) -> None:
    data = load(tmp_path, [clip_of(id=name) for name in "abc"], swaying(40))
    first, second = (fixed_batches(data, data.segments, 2) for _ in range(2))
    assert [len(b.captions) for b in first] == [2, 1]
    for a, b in zip(first, second, strict=True):
        assert torch.equal(a.features, b.features)


def test_tokens_are_padded_to_eight_and_cut() -> None:
    texts = TextBatcher(TOKENIZER)
    ids, mask = texts(["a person walks", "", "walks and " * 50])
    assert ids.shape == mask.shape == (3, MAX_TOKENS)
    assert mask.sum(1).tolist() == [3, 0, MAX_TOKENS]
    assert texts(["a person walks"])[0].shape == (1, 8)


def test_muon_makes_steps_of_equal_size_in_all_directions() -> None:
    g = torch.randn(3, 12, 20, generator=torch.Generator().manual_seed(0))
    sizes = torch.linalg.svdvals(orthogonalised(g))
    # Jordan et al. 2024: the five steps bring singular values to about 0.7 to 1.2
    assert sizes.min() > 0.5
    assert sizes.max() < 1.35


def test_a_run_goes_on_with_its_own_recipe_and_data_only() -> None:
    recipe = TrainConfig().recipe()
    refuse_other_run({"recipe": recipe, "digest": "a"}, recipe, "a", Path("last.pt"))
    with pytest.raises(SystemExit, match=r"another lr: 0\.5"):
        refuse_other_run({"recipe": recipe | {"lr": 0.5}, "digest": "a"}, recipe, "a", Path("last.pt"))
    with pytest.raises(SystemExit, match="another data set"):
        refuse_other_run({"recipe": recipe, "digest": "b"}, recipe, "a", Path("last.pt"))


def test_a_recipe_is_read_back() -> None:
    config = replace(TrainConfig(), lr=0.25)
    assert TrainConfig.from_dict(config.to_dict()) == config


def test_other_sides_numbers_and_paces_are_negatives() -> None:
    kick = "a person kicks twice with the left leg"
    assert opposed(said(kick), said("a person kicks with the right leg"))
    assert opposed(said(kick), said("a person kicks once"))
    assert opposed(said("walks slowly"), said("walks quickly"))
    assert not opposed(said(kick), said("a person kicks"))
    assert not opposed(said("left, then right"), said("right"))


def test_words_keep_their_corrections_however_they_are_numbered() -> None:
    towers = {
        "embed_text.known": torch.tensor([0, 2, 0, 1, 3]),
        "embed_text.correction": torch.tensor([[9.0], [1.0], [2.0], [3.0]]),
        "embed_text.other": torch.ones(2),
    }
    known = torch.tensor([0, 1, 4, 3, 2])
    found = with_words(towers, known)
    assert found["embed_text.other"] is towers["embed_text.other"]
    assert torch.equal(found["embed_text.known"], known)
    # Piece 2 is one that the embedding did not learn.
    assert found["embed_text.correction"][known, 0].tolist() == [9.0, 2.0, 0.0, 1.0, 3.0]
