"""Sampling in NumPy terms: DDIM with classifier-free guidance, on PyTorch or an exported package."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime as ort

from config import FEATURES, MAX_TOKENS, TRAIN_STEPS
from losses import cosine_alpha_bar
from tokens import TextBatcher

Forward = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]


class Package:
    """An exported package on ONNX Runtime."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        self.description = json.loads((folder / "model.json").read_text())
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.denoiser = ort.InferenceSession(folder / "denoiser.onnx", options)
        self.text = ort.InferenceSession(folder / "text.onnx", options)
        self.motion = ort.InferenceSession(folder / "motion_embedding.onnx", options)
        self.texts = TextBatcher(folder / "tokenizer.json")
        constants = np.load(folder / "constants.npz")
        self.mean, self.std, self.null = constants["mean"], constants["std"], constants["null_condition"]

    def encode(self, prompts: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """Conditions `[b, d]` and unit embeddings `[b, e]`."""
        ids, mask = self.texts(prompts)
        condition, embedding = self.text.run(
            None, {"token_ids": ids.numpy()[:, :MAX_TOKENS], "token_mask": mask.numpy()}
        )
        return condition, embedding

    def forward(self, x_t: np.ndarray, t: np.ndarray, condition: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """x̂0."""
        feeds = {"x_t": x_t, "timestep": t, "condition": condition, "frame_mask": mask}
        return self.denoiser.run(None, feeds)[0]

    def embed(self, features: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """Unit motion embeddings of normalised features."""
        return self.motion.run(None, {"features": features, "frame_mask": mask})[0]

    def sample(self, prompts: list[str], frames: int, steps: int, cfg: float, seed: int) -> np.ndarray:
        """Features `[b, frames, 263]`, not normalised."""
        condition, _ = self.encode(prompts)
        x = ddim(self.forward, condition, self.null, frames, steps, cfg, seed)
        return x * self.std + self.mean


def trailing(steps: int) -> np.ndarray:
    """`steps` levels from 999 downwards, evenly spaced ("trailing" of Lin et al. 2024)."""
    return np.round(np.arange(TRAIN_STEPS, 0, -TRAIN_STEPS / steps)).astype(int) - 1


def ddim(
    forward: Forward, condition: np.ndarray, null: np.ndarray, frames: int, steps: int, cfg: float, seed: int
) -> np.ndarray:
    """Deterministic DDIM (Song et al. 2020, eq. 12, eta 0); normalised features `[b, frames, 263]`."""
    b = condition.shape[0]
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((b, frames, FEATURES)).astype(np.float32)
    mask = np.ones((2 * b, frames), np.float32)
    both = np.concatenate([condition, np.broadcast_to(null, condition.shape)]).astype(np.float32)
    bars = cosine_alpha_bar()
    levels = trailing(steps)
    x0 = x
    for i, level in enumerate(levels):
        t = np.full(2 * b, level, np.float32)
        out = forward(np.concatenate([x, x]), t, both, mask)
        x0 = out[b:] + cfg * (out[:b] - out[b:])
        before = bars[levels[i + 1]] if i + 1 < steps else 1.0
        noise = (x - np.sqrt(bars[level]) * x0) / np.sqrt(1 - bars[level])
        x = (np.sqrt(before) * x0 + np.sqrt(1 - before) * noise).astype(np.float32)
    return x0
