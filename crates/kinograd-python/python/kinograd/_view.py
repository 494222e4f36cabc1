"""A clip as a small page that draws it, for notebooks: a canvas and a script, nothing from a network."""

from __future__ import annotations

import html as escapes
import importlib.resources
import json
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

# More frames than this are thinned out: a notebook keeps them all.
MOST_FRAMES = 600


def page(joints: npt.NDArray[np.float32], parents: Sequence[int], fps: float) -> str:
    """The page: joints `[frames, joints, 3]` in metres, rounded to millimetres."""
    stride = -(-len(joints) // MOST_FRAMES)
    places = np.rint(1000 * joints[::stride]).astype(int).reshape(-(-len(joints) // stride), -1)
    clip = {"fps": fps / stride, "parents": list(parents), "joints_mm": places.tolist()}
    template = importlib.resources.files("kinograd").joinpath("view.html").read_text(encoding="utf-8")
    return template.replace("/*CLIP*/null", json.dumps(clip, separators=(",", ":")))


def html(joints: npt.NDArray[np.float32], parents: Sequence[int], fps: float) -> str:
    """The page in a frame of its own, which keeps its script and its names from the notebook's."""
    source = escapes.escape(page(joints, parents, fps), quote=True)
    style = "width: 100%; max-width: 640px; height: 340px; border: 1px solid #ddd"
    return f'<iframe sandbox="allow-scripts" style="{style}" srcdoc="{source}" title="A clip"></iframe>'
