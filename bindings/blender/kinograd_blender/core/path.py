"""Ways over the ground."""

import numpy as np

from .errors import KinogradError

# A shorter line says no direction.
SHORTEST_M = 0.05


def walked_evenly(name: str, line: np.ndarray, count: int) -> np.ndarray:
    """So many points of a line over the ground `[points, 2]`, metres, at equal distances along it.

    Raises `KinogradError` for a line that has no length.
    """
    steps = np.linalg.norm(np.diff(line, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    if not np.isfinite(along).all() or along[-1] < SHORTEST_M:
        raise KinogradError(f"path “{name}” has no length on the ground")
    kept = np.concatenate([[True], steps > 0.0])
    wanted = np.linspace(0.0, along[-1], count)
    return np.stack([np.interp(wanted, along[kept], line[kept, axis]) for axis in range(2)], axis=-1)


def length_m(line: np.ndarray) -> float:
    """Length of a line over the ground."""
    return float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum())
