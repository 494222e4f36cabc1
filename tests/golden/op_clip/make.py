import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

from op_golden import case, node, noise, write

write(
    __file__,
    [
        case(
            "both",
            node("Clip", "xlh"),
            {"x": noise(3, 4)},
            lambda x: x.clamp(-1, 0.5),
            constants={"l": np.float32(-1), "h": np.float32(0.5)},
        ),
        case(
            "low", node("Clip", "xl"), {"x": noise(3, 4)}, lambda x: x.clamp(min=0.1), constants={"l": np.float32(0.1)}
        ),
        case(
            "high",
            node("Clip", ["x", "", "h"]),
            {"x": noise(3, 4)},
            lambda x: x.clamp(max=0.1),
            constants={"h": np.float32(0.1)},
        ),
        case(
            "bounds",
            node("Clip", "xlh"),
            {"x": noise(3, 4), "l": np.float32(-1), "h": np.float32(0.5)},
            lambda x, low, high: x.maximum(low).minimum(high),
        ),
        case(
            "crossed",
            node("Clip", "xlh"),
            {"x": noise(3, 4), "l": np.float32(1), "h": np.float32(0.5)},
            lambda x, low, high: x.maximum(low).minimum(high),
        ),
    ],
)
