"""Stick-figure sheets of clips: one row per clip, one column per moment."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from kinematics import PARENTS

COLUMNS = 10


def sheet(clips: list[np.ndarray], titles: list[str], out: Path) -> None:
    """Side views relative to the root, and the path on the ground in the last column."""
    fig, axes = plt.subplots(len(clips), COLUMNS + 1, figsize=(1.25 * (COLUMNS + 1), 1.7 * len(clips)), squeeze=False)
    for row, (joints, title) in enumerate(zip(clips, titles, strict=True)):
        for column, frame in enumerate(np.linspace(0, len(joints) - 1, COLUMNS).astype(int)):
            ax, p = axes[row, column], joints[frame] - joints[frame, 0] * np.array([1, 0, 1])
            u = 0.8 * p[:, 2] - 0.6 * p[:, 0]
            for j, parent in enumerate(PARENTS):
                if parent >= 0:
                    left = j in (1, 4, 7, 10, 13, 16, 18, 20)
                    right = j in (2, 5, 8, 11, 14, 17, 19, 21)
                    colour = "tab:red" if left else "tab:blue" if right else "black"
                    ax.plot(u[[j, parent]], p[[j, parent], 1], color=colour, lw=1.2)
            ax.axhline(0, color="grey", lw=0.5)
            ax.set(xlim=(-0.9, 0.9), ylim=(-0.15, 1.95), xticks=[], yticks=[], aspect="equal")
        ax = axes[row, COLUMNS]
        ax.plot(joints[:, 0, 0], joints[:, 0, 2], lw=1)
        ax.plot(*joints[0, 0, [0, 2]], "go", ms=3)
        ax.set(aspect="equal")
        ax.invert_xaxis()
        ax.tick_params(labelsize=5)
        axes[row, 0].set_title(title, fontsize=7, loc="left")
    fig.tight_layout(pad=0.2)
    fig.savefig(out, dpi=75)
    plt.close(fig)
