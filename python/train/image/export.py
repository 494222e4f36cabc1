"""Write model packages of trained image networks, and check them against PyTorch.

python -m image.export denoiser --checkpoint runs/adapter/last.pt --text-of emoji-clip --card card.json \
    --out ../../models/emoji-64
python -m image.export towers --checkpoint runs/clip/last.pt --card card.json --out ../../models/emoji-clip
python -m image.export segmenter --checkpoint runs/segmenter/last.pt --card card.json --out ../../models/emoji-seg
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnx import numpy_helper
from torch import nn

from config import MAX_TOKENS, TRAIN_STEPS
from image.export_graphs import denoiser_graph, image_graph, segmenter_graph, text_graph
from image.networks import DenoiserSizes, ImageDenoiser, Segmenter, Towers, TowersSizes
from onnx_builder import GraphBuilder

SIDE = 64
TOLERANCE = 2e-4


def write(graph: GraphBuilder, path: Path) -> None:
    """Write a graph, and round the network's weights as the file stores them."""
    model = graph.model()
    stored = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
    for name, load in graph.origins.items():
        load(stored[name])
    onnx.save(model, path)


def largest_difference(path: Path, feeds: dict[str, np.ndarray], expected: list[torch.Tensor]) -> float:
    """Between ONNX Runtime and PyTorch, over the graph's outputs."""
    got = ort.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, feeds)
    worst = max(float(np.abs(a - b.numpy()).max()) for a, b in zip(got, expected, strict=True))
    if not worst < TOLERANCE:
        raise SystemExit(f"{path.name} differs from PyTorch by {worst:.2e}")
    return worst


def images(batch: int, side: int) -> torch.Tensor:
    """Seeded stand-ins."""
    return torch.rand(batch, 3, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1


def unit_rows(batch: int, dims: int) -> torch.Tensor:
    """Seeded stand-ins."""
    rows = torch.randn(batch, dims, generator=torch.Generator().manual_seed(2))
    return nn.functional.normalize(rows, dim=1)


@torch.no_grad()
def denoiser(m: ImageDenoiser, out: Path, side: int, text_of: str | None) -> tuple[dict, float]:
    """`denoiser.onnx` and its keys of `model.json`. One that takes a text is told nothing unless it is asked for."""
    write(denoiser_graph(m, side), out / "denoiser.onnx")
    x, t = images(3, side), torch.tensor([0.0, 500.0, 999.0])
    feeds, told, conditioning, defaults = {"x_t": x.numpy(), "timestep": t.numpy()}, [], {}, {}
    if m.text is not None:
        dims = m.text.inp.in_features
        text = unit_rows(3, dims)
        text[0] = 0
        feeds, told = feeds | {"condition": text[:, None].numpy()}, [text]
        conditioning = {"conditioning": {"dims": dims, "max_tokens": 1, "from": text_of, "null": "zeros"}}
        defaults = {"cfg": 0.0}
    worst = largest_difference(out / "denoiser.onnx", feeds, [m(x, t, *told)])
    keys = {
        "kind": "image",
        "files": {"denoiser": "denoiser.onnx"},
        "prediction": "x0",
        "schedule": {"kind": "cosine", "train_steps": TRAIN_STEPS},
        "defaults": {"steps": 50, "sampler": "ddim"} | defaults,
    }
    return keys | conditioning, worst


@torch.no_grad()
def towers(m: Towers, tokenizer: Path, out: Path, side: int) -> tuple[dict, float]:
    """`image.onnx`, `text.onnx`, the tokenizer and their keys of `model.json`."""
    m = m.eval()
    write(image_graph(m.image, side), out / "image.onnx")
    write(text_graph(m), out / "text.onnx")
    x = images(3, side)
    worst = largest_difference(out / "image.onnx", {"image": x.numpy()}, [m.image(x)])
    ids = torch.randint(2, m.text.table.shape[0], (2, 6), generator=torch.Generator().manual_seed(1))
    mask = torch.ones(2, 6)
    mask[1, 3:] = 0
    e = m.embed_text(ids, mask)
    feeds = {"token_ids": ids.numpy(), "token_mask": mask.numpy()}
    worst = max(worst, largest_difference(out / "text.onnx", feeds, [e, e]))
    if tokenizer.resolve() != (out / "tokenizer.json").resolve():
        shutil.copyfile(tokenizer, out / "tokenizer.json")
    width = m.text.out.out_features
    keys = {
        "kind": "embedding",
        "files": {"image_embedding": "image.onnx", "text_encoder": "text.onnx", "tokenizer": "tokenizer.json"},
        "conditioning": {"dims": width, "max_tokens": MAX_TOKENS, "embedding_dims": width},
    }
    return keys, worst


@torch.no_grad()
def segmenter(m: Segmenter, out: Path, side: int) -> tuple[dict, float]:
    """`segmentation.onnx` and its keys of `model.json`."""
    write(segmenter_graph(m, side), out / "segmentation.onnx")
    x = images(3, side)
    worst = largest_difference(out / "segmentation.onnx", {"image": x.numpy()}, [m(x)])
    return {"kind": "segmentation", "files": {"segmentation": "segmentation.onnx"}}, worst


def describe(out: Path, keys: dict, card: dict, side: int) -> None:
    """Write `model.json`."""
    files = {
        role: {"path": path, "sha256": hashlib.sha256((out / path).read_bytes()).hexdigest()}
        for role, path in keys["files"].items()
    }
    head = {"schema": 1, "name": card.get("name", out.name), "version": card.get("version", "0.1.0")}
    size = {"image": {"channels": 3, "height": side, "width": side}}
    text = json.dumps(head | card | keys | {"files": files} | size, indent=1, ensure_ascii=False)
    (out / "model.json").write_text(text + "\n")


def training(state: dict) -> dict:
    """What a checkpoint says of its run, for the card."""
    known = {k: state[k] for k in ("seed", "batch", "seen") if k in state}
    return {"steps": state["step"], "core_minutes": round(state["minutes"], 1)} | known | state.get("validation", {})


def load(module: nn.Module, state: dict) -> nn.Module:
    """A network with its weights."""
    module.load_state_dict(state)
    return module.eval()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("denoiser", "towers", "segmenter"))
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--card", type=Path, help="JSON with licence, data, limits, known_prompts, metrics")
    parser.add_argument("--text-of", help="package whose text tower the denoiser was trained with")
    parser.add_argument("--tokenizer", type=Path, default=Path("../../models/motion-base/tokenizer.json"))
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    state = torch.load(args.checkpoint, weights_only=False, map_location="cpu")
    if args.kind == "denoiser":
        sizes = {k: tuple(v) if isinstance(v, list) else v for k, v in state["sizes"].items()}
        text = sizes.pop("text", 0)
        if bool(text) != bool(args.text_of):
            parser.error("--text-of goes with a denoiser that takes a text, and such a one needs it")
        m = load(ImageDenoiser(DenoiserSizes(**sizes), text, SIDE), state["ema"])
        keys, worst = denoiser(m, args.out, SIDE, args.text_of)
    elif args.kind == "towers":
        table, known = state["ema"]["text.table"], state["ema"]["text.known"]
        m = load(Towers(TowersSizes.from_dict(state["sizes"]), table, known), state["ema"])
        keys, worst = towers(m, args.tokenizer, args.out, SIDE)
    else:
        keys, worst = segmenter(load(Segmenter(), state["ema"]), args.out, SIDE)
    card = json.loads(args.card.read_text()) if args.card else {}
    card["metrics"] = card.get("metrics", {}) | training(state)
    describe(args.out, keys, card, SIDE)
    size = sum(f.stat().st_size for f in args.out.iterdir())
    print(json.dumps({"out": str(args.out), "bytes": size, "max_difference": worst, "step": state.get("step")}))


if __name__ == "__main__":
    main()
