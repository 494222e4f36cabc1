"""Between Blender's world and the protocol's."""

from dataclasses import dataclass

import numpy as np

# Blender has Z up and looks along +Y; a figure that faces −Y there faces +Z here, and +X stays.
Y_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])


@dataclass(frozen=True)
class Stage:
    """The scene: metres in one of its units, and how high its floor lies, in its units."""

    unit_m: float = 1.0
    floor: float = 0.0

    def metres(self, points: np.ndarray) -> np.ndarray:
        """Points of Blender's world `[…, 3]` as metres from the floor, Y up."""
        points = np.asarray(points, dtype=np.float64) - [0.0, 0.0, self.floor]
        return points @ Y_UP.T * self.unit_m

    def ground(self, points: np.ndarray) -> np.ndarray:
        """Points of Blender's world as (x, z) on the ground, metres, `[…, 2]`."""
        return self.metres(points)[..., [0, 2]]

    def scene(self, points_m: np.ndarray) -> np.ndarray:
        """Metres from the floor, Y up, as points of Blender's world."""
        return np.asarray(points_m, dtype=np.float64) @ Y_UP / self.unit_m + [0.0, 0.0, self.floor]
