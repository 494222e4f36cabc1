"""Motion made for tests."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

import stitch
from config import FEATURES
from data import MotionData

SEGMENT = {"start": 0, "frames": 30, "action": "kick", "captions": ["a person kicks"], "croppable": False}


def clip_of(**changes: object) -> dict:
    """A clip of 40 frames with one segment; `changes` go to the clip or, where it has the key, to the segment."""
    clip = {"id": "c", "source_id": "c", "family": "f", "split": "train", "mirrored": False, "offset": 0, "frames": 40}
    segment = SEGMENT | {k: v for k, v in changes.items() if k in SEGMENT and k != "frames"}
    return clip | {k: v for k, v in changes.items() if k in clip} | {"segments": [segment]}


def swaying(frames: int) -> np.ndarray:
    """Features of a body that turns, drifts and swings, with velocities that fit."""
    t = np.arange(frames)[:, None] / 20
    f = np.zeros((frames, FEATURES), np.float32)
    f[:, :1] = 0.01 * np.sin(t)
    f[:, 1:3] = 0.02 * np.cos(t + np.array([0, 1]))
    f[:, 3] = 0.9
    f[:, 4:67] = np.linspace(-0.5, 1.2, 63) + 0.1 * np.sin(2 * t + np.arange(63))
    return stitch.with_velocities(f)


def load(folder: Path, clips: list[dict], features: np.ndarray) -> MotionData:
    """A data set written to a folder and read back; its mean is 0, its spread 1."""
    np.save(folder / "features.npy", features)
    np.save(folder / "mean.npy", np.zeros(FEATURES, np.float32))
    np.save(folder / "std.npy", np.ones(FEATURES, np.float32))
    (folder / "index.json").write_text(json.dumps({"clips": clips}))
    return MotionData(folder)
