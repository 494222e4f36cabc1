"""A second embedding, which judges clips that the first one steered: other networks, other seed.

Convolutions over frames in place of attention over patches, clean clips only, and a vocabulary of the captions' words.
`train_embedding.py --judge` trains it; this file writes its package:

    python judge.py --embedding judge/embedding.pt --data dataset --tokenizer text/tokenizer.json --out motion-judge
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
import torch.nn.functional as F
from onnx import TensorProto
from torch import Tensor, nn

from config import FEATURES, FPS, MAX_FRAMES, MAX_TOKENS, MIN_FRAMES, PATCH
from export_graphs import key_bias, length, plain_block, unit
from export_graphs import masked_mean as graph_mean
from model import MASKED, PlainBlock, masked_mean, sinusoid
from onnx_builder import GraphBuilder, assign

TOLERANCE = 1e-4
ROLES = {
    "text_encoder": "text.onnx",
    "motion_embedding": "motion_embedding.onnx",
    "tokenizer": "tokenizer.json",
    "constants": "constants.npz",
}


@dataclass
class JudgeConfig:
    """Sizes."""

    words: int = 96
    text: int = 96
    layers: int = 2
    heads: int = 4
    channels: int = 128
    halvings: int = 3
    out: int = 128


class WordTower(nn.Module):
    """Learnt vectors of known words, a small transformer, a mean. Unknown words share a vector."""

    def __init__(self, c: JudgeConfig, words: Tensor, known: Tensor) -> None:
        """`words` `[rows, words]`: first vectors; `known` `[vocab]`: each token's row, 0 = unknown."""
        super().__init__()
        self.register_buffer("known", known.long())
        self.words = nn.Parameter(words.clone())
        self.inp = nn.Linear(c.words, c.text)
        self.position = nn.Parameter(0.5 * sinusoid(torch.arange(MAX_TOKENS).float(), c.text, 100.0))
        self.blocks = nn.ModuleList(PlainBlock(c.text, c.heads) for _ in range(c.layers))
        self.norm = nn.LayerNorm(c.text)
        self.out = nn.Linear(c.text, c.out)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """`ids` `[b, n]`, `mask` `[b, n]` → `[b, out]`."""
        rows = self.known[ids]
        if self.training:
            rows = rows * (torch.rand(rows.shape) > 0.1)
        x = self.inp(self.words[rows]) + self.position[: ids.shape[1]]
        bias = ((1 - mask) * MASKED)[:, None, None, :]
        for block in self.blocks:
            x = block(x, bias)
        return self.out(masked_mean(self.norm(x), mask))

    def graph(self) -> GraphBuilder:
        """As ONNX."""
        g = GraphBuilder("text_encoder")
        ids = g.input("token_ids", ["batch", "tokens"], TensorProto.INT64)
        mask = g.input("token_mask", ["batch", "tokens"])
        rows = g.op("Gather", g.raw(self.known.numpy().astype(np.int32), "known"), ids)
        x = g.op("Gather", g.weight(self.words, "words", lambda a: assign(self.words, a)), rows)
        position = g.slice(g.weight(self.position, "position"), 0, 0, length(g, ids))
        x = g.op("Add", g.linear(x, self.inp, "inp"), position)
        bias = key_bias(g, g.reshape(mask, 0, 1, 1, -1))
        for i, block in enumerate(self.blocks):
            g.scope = [f"block{i}"]
            x = plain_block(g, x, block, bias)
        g.scope = []
        x = g.layer_norm(x, self.norm.weight.numel(), self.norm)
        e = unit(g, g.linear(graph_mean(g, x, g.op("Unsqueeze", mask, g.ints(2))), self.out, "out"))
        for name in ("condition", "embedding"):  # readers of packages ask for both
            g.output(e, name, ["batch", self.out.out_features])
        return g


class ConvTower(nn.Module):
    """Residual convolutions over frames, the frame rate halved between them, and a mean."""

    def __init__(self, c: JudgeConfig) -> None:
        super().__init__()
        self.first = nn.Conv1d(FEATURES, c.channels, 5, padding=2)
        self.norms = nn.ModuleList(nn.LayerNorm(c.channels) for _ in range(c.halvings))
        self.wide = nn.ModuleList(nn.Conv1d(c.channels, c.channels, 5, padding=2) for _ in range(c.halvings))
        self.narrow = nn.ModuleList(nn.Conv1d(c.channels, c.channels, 1) for _ in range(c.halvings))
        self.norm = nn.LayerNorm(c.channels)
        self.out = nn.Linear(c.channels, c.out)

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        """`features` `[b, f, 263]` (normalised), `mask` `[b, f]` → unit vectors `[b, out]`."""
        m = mask[:, None, :]
        x = self.first(features.transpose(1, 2) * m) * m
        for norm, wide, narrow in zip(self.norms, self.wide, self.narrow, strict=True):
            x, m = x[:, :, ::2], m[:, :, ::2]
            h = norm(x.transpose(1, 2)).transpose(1, 2) * m
            x = x + narrow(F.silu(wide(h))) * m
        x = self.norm(x.transpose(1, 2))
        return F.normalize(self.out(masked_mean(x, m[:, 0])).float(), dim=1)

    def graph(self) -> GraphBuilder:
        """As ONNX."""
        g = GraphBuilder("motion_embedding")
        features = g.input("features", ["batch", "frames", FEATURES])
        frame_mask = g.input("frame_mask", ["batch", "frames"])

        def turned(x: str) -> str:
            return g.op("Transpose", x, perm=[0, 2, 1])

        def conv(x: str, layer: nn.Conv1d, name: str) -> str:
            weight, bias = g.weight(layer.weight, f"{name}.weight"), g.vector(layer.bias, f"{name}.bias")
            (width,), (pad,) = layer.kernel_size, layer.padding
            return g.op("Conv", x, weight, bias, kernel_shape=[width], pads=[pad, pad])

        def halved(x: str) -> str:
            return g.op("Slice", x, g.ints(0), g.ints(np.iinfo(np.int64).max), g.ints(2), g.ints(2))

        m = g.op("Unsqueeze", frame_mask, g.ints(1))
        x = g.op("Mul", conv(g.op("Mul", turned(features), m), self.first, "first"), m)
        width = self.norm.weight.numel()
        for i, (norm, wide, narrow) in enumerate(zip(self.norms, self.wide, self.narrow, strict=True)):
            g.scope = [f"block{i}"]
            x, m = halved(x), halved(m)
            h = g.op("Mul", turned(g.layer_norm(turned(x), width, norm)), m)
            h = conv(g.silu(conv(h, wide, "wide")), narrow, "narrow")
            x = g.op("Add", x, g.op("Mul", h, m))
        g.scope = ["head"]
        x = graph_mean(g, g.layer_norm(turned(x), width, self.norm), turned(m))
        e = unit(g, g.linear(x, self.out, "out"))
        g.scope = []
        g.output(e, "embedding", ["batch", self.out.out_features])
        return g


class Judge(nn.Module):
    """Both towers, under the names that `train_embedding.py` uses."""

    def __init__(self, config: JudgeConfig, words: Tensor, known: Tensor) -> None:
        super().__init__()
        self.embed_text = WordTower(config, words, known)
        self.embed_motion = ConvTower(config)
        self.temperature = nn.Parameter(torch.tensor(2.3))


def new_judge(table: np.ndarray, known: np.ndarray) -> Judge:
    """Known words begin as their rows of the distilled `table` `[vocab, dims]`, unknown ones as zero."""
    words = np.zeros((int(known.max()) + 1, table.shape[1]), np.float32)
    words[known[known > 0]] = table[known > 0]
    return Judge(JudgeConfig(words=table.shape[1]), torch.from_numpy(words), torch.from_numpy(known))


@torch.no_grad()
def check(judge: Judge, folder: Path) -> float:
    """Largest difference between ONNX Runtime and PyTorch over several sizes."""
    rng, worst = np.random.default_rng(0), 0.0
    text, motion = (ort.InferenceSession(folder / ROLES[r]) for r in ("text_encoder", "motion_embedding"))
    vocab = len(judge.embed_text.known)
    for batch, frames, tokens in [(1, MIN_FRAMES, 3), (2, 81, 8), (3, MAX_FRAMES, MAX_TOKENS)]:
        mask, token_mask = np.ones((batch, frames), np.float32), np.ones((batch, tokens), np.float32)
        mask[-1, frames - 8 :] = 0
        token_mask[-1, tokens // 2 :] = 0
        x = rng.standard_normal((batch, frames, FEATURES)).astype(np.float32)
        ids = rng.integers(2, vocab, (batch, tokens))
        expected = F.normalize(judge.embed_text(torch.from_numpy(ids), torch.from_numpy(token_mask)), dim=1)
        got = text.run(None, {"token_ids": ids, "token_mask": token_mask})[0]
        worst = max(worst, float(np.abs(got - expected.numpy()).max()))
        expected = judge.embed_motion(torch.from_numpy(x), torch.from_numpy(mask))
        got = motion.run(None, {"features": x, "frame_mask": mask})[0]
        worst = max(worst, float(np.abs(got - expected.numpy()).max()))
    return worst


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--embedding", type=Path, required=True, help="checkpoint of train_embedding.py --judge")
    parser.add_argument("--data", type=Path, required=True, help="data set that it was trained on")
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--card", type=Path, help="JSON with name, licence, data, limits, metrics")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    state = torch.load(args.embedding, weights_only=False, map_location="cpu")["ema"]
    words = state["embed_text.words"]
    judge = Judge(JudgeConfig(words=words.shape[1]), words, state["embed_text.known"])
    judge.load_state_dict(state)
    judge.eval()
    graphs = {"text.onnx": judge.embed_text.graph(), "motion_embedding.onnx": judge.embed_motion.graph()}
    args.out.mkdir(parents=True, exist_ok=True)
    for file, graph in graphs.items():
        onnx.save(graph.model(), args.out / file)
        stored = {i.name: onnx.numpy_helper.to_array(i) for i in graph.initializers}
        for name, load in graph.origins.items():
            load(stored[name])
    worst = check(judge, args.out)
    if worst > TOLERANCE:
        raise SystemExit(f"the exported graphs differ from PyTorch by {worst:.2e}")
    shutil.copyfile(args.tokenizer, args.out / "tokenizer.json")
    constants = {name: np.load(args.data / f"{name}.npy").astype(np.float32) for name in ("mean", "std")}
    np.savez(args.out / "constants.npz", **constants, null_condition=np.zeros(JudgeConfig.out, np.float32))
    card = json.loads(args.card.read_text()) if args.card else {}
    files = {
        role: {"path": path, "sha256": hashlib.sha256((args.out / path).read_bytes()).hexdigest()}
        for role, path in ROLES.items()
    }
    frames = {"min_frames": MIN_FRAMES, "max_frames": MAX_FRAMES, "patch_frames": PATCH}
    description = {
        "schema": 1,
        "name": card.get("name", args.out.name),
        "version": card.get("version", "0.1.0"),
        "kind": "embedding",
        "files": files,
        "representation": {"kind": "humanml3d", "fps": FPS, "features": FEATURES, **frames},
        "conditioning": {"dims": JudgeConfig.out, "max_tokens": MAX_TOKENS, "embedding_dims": JudgeConfig.out},
        "licence": card.get("licence", ""),
        "data": card.get("data", ""),
        "limits": card.get("limits", []),
        "metrics": card.get("metrics", {}),
    }
    (args.out / "model.json").write_text(json.dumps(description, indent=1, ensure_ascii=False) + "\n")
    size = sum(f.stat().st_size for f in args.out.iterdir())
    print(json.dumps({"out": str(args.out), "bytes": size, "max_difference": worst}))


if __name__ == "__main__":
    main()
