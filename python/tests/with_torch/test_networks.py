"""Graphs written node by node compute what PyTorch does, on tiny networks with random weights."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import json
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
import torch
from onnx import numpy_helper
from torch import Tensor, nn

import export
import judge
from config import FEATURES, PATCH, DenoiserConfig, EmbeddingConfig, TextConfig, TrainConfig
from export_graphs import denoiser_graph
from image import export as image_export
from image.networks import (
    ConvTowerSizes,
    DenoiserSizes,
    ImageDenoiser,
    PatchTower,
    PatchTowerSizes,
    Segmenter,
    Towers,
    TowersSizes,
)
from model import Denoiser
from networks import Networks, learn_words, load_package
from onnx_builder import GraphBuilder

TOKENIZER = Path(__file__).resolve().parents[3] / "models" / "motion-base" / "tokenizer.json"
SMALL = TrainConfig(
    text=TextConfig(table_dims=12, width=16, layers=2, heads=2, out=24),
    denoiser=DenoiserConfig(width=32, blocks=2, heads=4, hidden=48, course=3),
    embedding=EmbeddingConfig(width=16, layers=1, heads=2, out=20),
)
VOCABULARY, SIDE = 50, 16
TOLERANCE = 3e-5


def shaken(module: nn.Module) -> nn.Module:
    """No layer at zero, so that every part of the graph is seen."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for p in module.parameters():
            p.add_(torch.randn(p.shape, generator=generator) * (0.15 if p.ndim > 1 else 0.05))
    return module.eval()


def networks(seed: int = 0) -> Networks:
    """All of a motion package."""
    torch.manual_seed(seed)
    known = torch.arange(VOCABULARY) % 7 * (torch.arange(VOCABULARY) > 1)
    return shaken(Networks(SMALL, torch.randn(VOCABULARY, 12).half(), known))


def run(graph: GraphBuilder, feeds: dict[str, Tensor]) -> list[np.ndarray]:
    """Outputs in ONNX Runtime; the network takes the weights back as the graph stores them."""
    model = graph.model()
    stored = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
    for name, load in graph.origins.items():
        load(stored[name])
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {name: value.numpy() for name, value in feeds.items()})


def largest(a: np.ndarray, b: Tensor) -> float:
    """The largest difference."""
    return float(np.abs(a - b.detach().numpy()).max())


@pytest.mark.parametrize("frames", [4, 20, 72])
def test_denoiser(frames: int) -> None:
    torch.manual_seed(1)
    m = shaken(Denoiser(SMALL.denoiser, 24))
    mask = torch.ones(3, frames)
    mask[1, frames // 2 // PATCH * PATCH + PATCH :] = 0
    feeds = {
        "x_t": torch.randn(3, frames, FEATURES),
        "timestep": torch.tensor([0.0, 400.0, 999.0]),
        "condition": torch.randn(3, 24),
        "frame_mask": mask,
    }
    [got] = run(denoiser_graph(m), feeds)
    assert largest(got, m(*feeds.values())) < TOLERANCE


def test_padding_changes_no_frame() -> None:
    torch.manual_seed(2)
    m = shaken(Denoiser(SMALL.denoiser, 24))
    x, t, c = torch.randn(1, 40, FEATURES), torch.tensor([300.0]), torch.randn(1, 24)
    mask = torch.cat([torch.ones(1, 24), torch.zeros(1, 16)], 1)
    torch.testing.assert_close(m(x, t, c, mask)[:, :24], m(x[:, :24], t, c, mask[:, :24]))


def test_text() -> None:
    all_of = networks()
    ids = torch.randint(0, VOCABULARY, (3, 9))
    mask = torch.ones(3, 9)
    mask[1, 4:] = mask[2] = 0
    condition, embedding = run(all_of.graphs()["text.onnx"], {"token_ids": ids, "token_mask": mask})
    assert largest(condition, all_of.condition(ids, mask)) < TOLERANCE
    assert largest(condition[2], all_of.null) < TOLERANCE
    expected = nn.functional.normalize(all_of.embed_text(ids, mask), dim=1)
    assert largest(embedding[:2], expected[:2]) < TOLERANCE


def test_motion_embedding() -> None:
    all_of = networks()
    x, mask = torch.randn(2, 28, FEATURES), torch.ones(2, 28)
    mask[1, 16:] = 0
    [got] = run(all_of.graphs()["motion_embedding.onnx"], {"features": x, "frame_mask": mask})
    assert largest(got, all_of.embed_motion(x, mask)) < TOLERANCE


def test_a_package_is_written_checked_and_read_back(tmp_path: Path) -> None:
    all_of = networks()
    mean, std = np.zeros(FEATURES), np.ones(FEATURES)
    worst = export.write_package(all_of, mean, std, TOKENIZER, tmp_path, {"name": "tiny"})
    assert worst < TOLERANCE
    for file in json.loads((tmp_path / "model.json").read_text())["files"].values():
        assert hashlib.sha256((tmp_path / file["path"]).read_bytes()).hexdigest() == file["sha256"]
    other = networks(seed=9)
    for tower in (other.text, other.embed_text):
        tower.table = all_of.text.table
    load_package(other, tmp_path)
    with torch.no_grad():
        assert export.check(other, tmp_path) == worst


def test_a_package_says_what_words_it_was_trained_on(tmp_path: Path) -> None:
    def segment(action: str, *captions: str, frames: int = 40) -> dict:
        return {"action": action, "captions": list(captions), "frames": frames}

    segments = [
        segment("kick", "a person kicks with the dancer's leg"),
        segment("punch", "someone punches several times"),
        segment("jump", "a person stands, then jumps up and down three times", "he is hopping twice"),
        segment("gesture", "someone does not move and waves", "a person dodges without moving the feet"),
    ]
    clips = [
        {"split": "train", "segments": [*segments, segment("walk", "too short to moonwalk", frames=8)]},
        {"split": "val", "segments": [segment("walk", "a person tiptoes")]},
    ]
    data, package = tmp_path / "data", tmp_path / "package"
    data.mkdir()
    (data / "index.json").write_text(json.dumps({"clips": clips}))
    all_of = networks()
    export.write_package(all_of, np.zeros(FEATURES), np.ones(FEATURES), TOKENIZER, package, {})
    before = json.loads((package / "model.json").read_text())
    assert "text" not in before
    text = export.text_of_data(data)
    export.add_text(package, {"words": ["older"]})
    export.add_text(package, text)
    after = json.loads((package / "model.json").read_text())
    assert after.pop("text") == text
    assert after == before
    words = text["words"]
    assert words == sorted(set(words))
    # of captions, of other words for the same, of a "kicks" that becomes "does a kick"
    assert {"dancer", "waves", "feet", "leaps", "woman", "kicking", "does", "three"} <= set(words)
    assert not {"dancer's", "moonwalk", "tiptoes", "applauds"} & set(words)
    assert text["counts"] == {"hopping": [2], "jumps": [3], "kicks": [1, 2, 3]}
    assert text["negations"] == ["move", "moving the feet"]
    (data / "index.json").write_text(json.dumps({"clips": clips[1:]}))
    with pytest.raises(SystemExit, match="no segment to train on"):
        export.text_of_data(data)


def test_a_package_of_other_sizes_is_refused(tmp_path: Path) -> None:
    all_of = networks()
    export.write_package(all_of, np.zeros(FEATURES), np.ones(FEATURES), TOKENIZER, tmp_path, {})
    deeper = dataclasses.replace(SMALL, denoiser=dataclasses.replace(SMALL.denoiser, blocks=3))
    other = Networks(deeper, all_of.text.table, all_of.text.known)
    with pytest.raises(ValueError, match=r"denoiser\.onnx: no weight named block2/"):
        load_package(other, tmp_path)


def test_new_words_change_nothing_at_first() -> None:
    all_of = networks()
    ids, mask = torch.arange(VOCABULARY).reshape(5, 10), torch.ones(5, 10)
    before = all_of.condition(ids, mask)
    known = int((all_of.text.known > 0).sum())
    assert learn_words(all_of, torch.ones(VOCABULARY)) == VOCABULARY - known
    torch.testing.assert_close(all_of.condition(ids, mask), before)


def test_judge() -> None:
    torch.manual_seed(4)
    known = torch.arange(VOCABULARY) % 5
    sizes = judge.JudgeConfig(words=12, text=16, layers=1, heads=2, channels=24, halvings=2, out=20)
    m = shaken(judge.Judge(sizes, torch.randn(5, 12), known))
    ids, token_mask = torch.randint(0, VOCABULARY, (2, 7)), torch.ones(2, 7)
    token_mask[1, 3:] = 0
    got = run(m.embed_text.graph(), {"token_ids": ids, "token_mask": token_mask})
    assert largest(got[0], nn.functional.normalize(m.embed_text(ids, token_mask), dim=1)) < TOLERANCE
    x, mask = torch.randn(2, 33, FEATURES), torch.ones(2, 33)
    mask[1, 20:] = 0
    got = run(m.embed_motion.graph(), {"features": x, "frame_mask": mask})
    assert largest(got[0], m.embed_motion(x, mask)) < TOLERANCE


@pytest.mark.parametrize("text", [0, 12])
def test_image_denoiser(tmp_path: Path, text: int) -> None:
    torch.manual_seed(5)
    sizes = DenoiserSizes(channels=(8, 16, 16), blocks=(1, 1, 1), middle=1, heads=2, time=16)
    m = shaken(ImageDenoiser(sizes, text, SIDE))
    keys, worst = image_export.denoiser(m, tmp_path, SIDE, "tiny-clip" if text else None)
    assert worst < TOLERANCE
    assert ("conditioning" in keys) == bool(text)


def test_segmenter(tmp_path: Path) -> None:
    torch.manual_seed(6)
    _, worst = image_export.segmenter(shaken(Segmenter((8, 8, 16))), tmp_path, SIDE)
    assert worst < TOLERANCE


@pytest.mark.parametrize("kind", ["conv", "patches"])
def test_towers(tmp_path: Path, kind: str) -> None:
    torch.manual_seed(7)
    text = TextConfig(table_dims=8, width=16, layers=1, heads=2, out=12)
    table, known = torch.randn(VOCABULARY, 8).half(), torch.arange(VOCABULARY) % 6
    m = Towers(TowersSizes(conv=ConvTowerSizes((8, 16, 16), (1, 1, 0)), text=text), table, known)
    if kind == "patches":
        m.image = PatchTower(PatchTowerSizes(8, 16, 1, 2), text.out, SIDE)
    _, worst = image_export.towers(shaken(m), TOKENIZER, tmp_path, SIDE)
    assert worst < TOLERANCE


def test_a_wrong_graph_is_refused(tmp_path: Path) -> None:
    torch.manual_seed(8)
    m = shaken(Segmenter((8, 8, 16)))
    other = copy.deepcopy(m)
    with torch.no_grad():
        other.out.bias += 0.01
    image_export.segmenter(m, tmp_path, SIDE)
    x = image_export.images(2, SIDE)
    with pytest.raises(SystemExit, match="differs from PyTorch by 1"):
        image_export.largest_difference(tmp_path / "segmentation.onnx", {"image": x.numpy()}, [other(x).detach()])
