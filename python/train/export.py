"""Write a model package: ONNX files, tokenizer, constants, `model.json` with hashes; then check it."""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch

from config import FEATURES, FPS, MAX_FRAMES, MAX_TOKENS, MIN_FRAMES, PATCH, TRAIN_STEPS, TrainConfig
from networks import Networks, round_to_half
from text import without_ends

TOLERANCE = 1e-4
ROLES = {
    "denoiser": "denoiser.onnx",
    "text_encoder": "text.onnx",
    "motion_embedding": "motion_embedding.onnx",
    "tokenizer": "tokenizer.json",
    "constants": "constants.npz",
}


def description(folder: Path, config: TrainConfig, card: dict) -> dict:
    """The contents of `model.json`; `card` adds name, licence, data, limits, prompts and metrics."""
    files = {
        role: {"path": path, "sha256": hashlib.sha256((folder / path).read_bytes()).hexdigest()}
        for role, path in ROLES.items()
    }
    return {
        "schema": 1,
        "name": card.get("name", "motion-base"),
        "version": card.get("version", "0.1.0"),
        "kind": "motion",
        "files": files,
        "prediction": "x0",
        "schedule": {"kind": "cosine", "train_steps": TRAIN_STEPS},
        "representation": {
            "kind": "humanml3d",
            "fps": FPS,
            "features": FEATURES,
            "min_frames": MIN_FRAMES,
            "max_frames": MAX_FRAMES,
            "patch_frames": PATCH,
        },
        "conditioning": {"dims": config.text.out, "max_tokens": MAX_TOKENS, "embedding_dims": config.embedding.out},
        "defaults": card.get("defaults", {"cfg": 1.5, "steps": 20, "sampler": "ddim"}),
        "licence": card.get("licence", ""),
        "data": card.get("data", ""),
        "limits": card.get("limits", []),
        "known_prompts": card.get("known_prompts", []),
        "metrics": card.get("metrics", {}),
    }


def write_package(
    networks: Networks, mean: np.ndarray, std: np.ndarray, tokenizer: Path, out: Path, card: dict
) -> float:
    """Write and check the package; returns the largest difference from PyTorch over all outputs."""
    networks = networks.eval()
    round_to_half(networks)
    out.mkdir(parents=True, exist_ok=True)
    for file, graph in networks.graphs().items():
        onnx.save(graph.model(), out / file)
    without_ends(tokenizer).save(str(out / "tokenizer.json"))
    null = networks.null.detach().numpy()
    np.savez(
        out / "constants.npz",
        mean=mean.astype(np.float32),
        std=std.astype(np.float32),
        null_condition=null.astype(np.float32),
    )
    text = json.dumps(description(out, networks.config, card), indent=1, ensure_ascii=False)
    (out / "model.json").write_text(text + "\n")
    worst = check(networks, out)
    if worst > TOLERANCE:
        raise SystemExit(f"the exported graphs differ from PyTorch by {worst:.2e}")
    return worst


@torch.no_grad()
def check(networks: Networks, folder: Path) -> float:
    """Largest difference between ONNX Runtime and PyTorch over several batch sizes and lengths."""
    worst = 0.0
    rng = np.random.default_rng(0)
    sessions = {role: ort.InferenceSession(folder / ROLES[role]) for role in list(ROLES)[:3]}
    vocab = networks.text.table.shape[0]
    for batch, frames, tokens in [(1, 20, 3), (2, 80, 8), (3, 200, MAX_TOKENS)]:
        mask = np.ones((batch, frames), np.float32)
        mask[-1, frames - 8 :] = 0
        token_mask = np.ones((batch, tokens), np.float32)
        token_mask[-1, tokens // 2 :] = 0
        token_mask[0] *= batch != 3  # one text without tokens
        x = rng.standard_normal((batch, frames, FEATURES)).astype(np.float32)
        t = rng.uniform(0, TRAIN_STEPS - 1, batch).astype(np.float32)
        ids = rng.integers(2, vocab, (batch, tokens))
        condition = networks.condition(torch.from_numpy(ids), torch.from_numpy(token_mask))
        embedding = networks.embed_text(torch.from_numpy(ids), torch.from_numpy(token_mask))
        embedding = torch.nn.functional.normalize(embedding, dim=1)
        got = sessions["text_encoder"].run(None, {"token_ids": ids, "token_mask": token_mask})
        pairs = [(got[0], condition)]
        if batch != 3:
            pairs.append((got[1], embedding))
        feeds = {"x_t": x, "timestep": t, "condition": condition.numpy(), "frame_mask": mask}
        real = torch.from_numpy(mask)
        x0 = networks.denoiser(torch.from_numpy(x), torch.from_numpy(t), condition, real)
        pairs.append((sessions["denoiser"].run(None, feeds)[0] * mask[..., None], x0 * real[..., None]))
        e = networks.embed_motion(torch.from_numpy(x), torch.from_numpy(mask))
        pairs.append((sessions["motion_embedding"].run(None, {"features": x, "frame_mask": mask})[0], e))
        worst = max(worst, *(float(np.abs(a - b.numpy()).max()) for a, b in pairs))
    return worst


def main() -> None:
    """Command line: export a checkpoint of `train.py`."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--embedding", type=Path, help="checkpoint of train_embedding.py")
    parser.add_argument("--weights", choices=("ema", "model"), default="ema")
    parser.add_argument("--card", type=Path, help="JSON with licence, data, limits, known_prompts, metrics")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    state = torch.load(args.checkpoint, weights_only=False, map_location="cpu")
    networks = Networks(TrainConfig.from_dict(state["config"]), state["table"], state["known"])
    networks.load_state_dict(state[args.weights])
    if args.embedding:
        towers = torch.load(args.embedding, weights_only=False, map_location="cpu")["ema"]
        own = {k: v for k, v in towers.items() if k.startswith("embed_")}
        networks.load_state_dict(own, strict=False)
    card = json.loads(args.card.read_text()) if args.card else {}
    worst = write_package(networks, state["mean"], state["std"], Path(state["tokenizer"]), args.out, card)
    size = sum(f.stat().st_size for f in args.out.iterdir())
    print(json.dumps({"out": str(args.out), "bytes": size, "max_difference": worst, "step": state.get("step")}))


if __name__ == "__main__":
    main()
