"""All trainable parts together, and how they are stored in and read from a model package."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from config import TrainConfig
from export_graphs import denoiser_graph, motion_graph, text_graph
from losses import LIMBS, PARTS
from model import Denoiser, MotionTower, TextTower
from onnx_builder import GraphBuilder

PROBE_ACTIONS = 64
PROBE_MOTION = 4 * PARTS + 1
PROBE_LIMBS = len(LIMBS) * 2


class Networks(nn.Module):
    """The denoiser with its text tower and null condition, and the two towers of the embedding."""

    def __init__(self, config: TrainConfig, table: Tensor, known: Tensor) -> None:
        super().__init__()
        self.config = config
        self.denoiser = Denoiser(config.denoiser, config.text.out)
        self.text = TextTower(config.text, table, known)
        self.null = nn.Parameter(torch.zeros(config.text.out))
        embed_text = type(config.text)(**{**vars(config.text), "out": config.embedding.out})
        self.embed_text = TextTower(embed_text, table, known)
        self.embed_motion = MotionTower(config.embedding)
        self.temperature = nn.Parameter(torch.tensor(2.3))
        # training only: keeps the conditions of different actions apart
        self.probe = nn.Linear(config.text.out, PROBE_ACTIONS + PROBE_MOTION + PROBE_LIMBS)

    def condition(self, ids: Tensor, mask: Tensor, dropped: Tensor | None = None) -> Tensor:
        """`[b, d]`; the null condition where there is no token or where `dropped` `[b]` is 1."""
        return self.mixed(self.text(ids, mask), mask, dropped)

    def mixed(self, condition: Tensor, mask: Tensor, dropped: Tensor | None = None) -> Tensor:
        """`condition` with the null condition put in."""
        some = mask.sum(1, keepdim=True).clamp(max=1.0)
        if dropped is not None:
            some = some * (1 - dropped[:, None])
        return condition * some + self.null * (1 - some)

    def graphs(self) -> dict[str, GraphBuilder]:
        """The ONNX graphs by file name."""
        return {
            "denoiser.onnx": denoiser_graph(self.denoiser),
            "text.onnx": text_graph(self.text, self.null, self.embed_text),
            "motion_embedding.onnx": motion_graph(self.embed_motion),
        }


def load_package(networks: Networks, folder: Path) -> None:
    """Take the weights of an exported package of the same sizes.

    Raises `ValueError` when a stored weight has no place, or a place no stored weight.
    """
    for file, graph in networks.graphs().items():
        stored = {i.name: i for i in onnx.load(folder / file).graph.initializer}
        missing = set(graph.origins) - set(stored)
        if missing:
            raise ValueError(f"{file}: no weight named {sorted(missing)[0]}")
        for name, load in graph.origins.items():
            load(numpy_helper.to_array(stored[name]))


@torch.no_grad()
def learn_words(networks: Networks, words: Tensor) -> int:
    """Give each token of `words` `[vocab]` (non-zero: to be learnt) that has none yet a correction, zero at first.

    Returns how many were added; what the networks compute stays the same.
    """
    tower = networks.text
    new = torch.nonzero((words > 0) & (tower.known == 0)).flatten()
    known = tower.known.clone()
    known[new] = int(known.max()) + 1 + torch.arange(len(new))
    for tower in (networks.text, networks.embed_text):
        rows = torch.zeros(len(new), tower.correction.shape[1])
        tower.correction = nn.Parameter(torch.cat([tower.correction, rows]))
        tower.known = known.clone()
    return len(new)


def package_constants(folder: Path) -> dict[str, np.ndarray]:
    """Mean and spread of an exported package's features."""
    stored = np.load(folder / "constants.npz")
    return {name: stored[name] for name in ("mean", "std")}


def text_buffers(folder: Path) -> tuple[Tensor, Tensor]:
    """The token table and the known-word map of an exported package."""
    stored = {i.name: numpy_helper.to_array(i) for i in onnx.load(folder / "text.onnx").graph.initializer}
    return torch.from_numpy(np.array(stored["table"])), torch.from_numpy(np.array(stored["condition_tower/known"]))


def round_to_half(networks: Networks) -> None:
    """Round every weight as the exported file stores it."""
    for graph in networks.graphs().values():
        arrays = {i.name: numpy_helper.to_array(i) for i in graph.initializers}
        for name, load in graph.origins.items():
            load(arrays[name])
