import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

from op_golden import case, node, noise, write

p = noise(2, 3, low=0.3)
write(
    __file__,
    [
        *(
            case(
                f"exponent_{e}".replace(".", "_").replace("-", "minus_"),
                node("Pow", "xe"),
                {"x": p},
                lambda x, e=e: x**e,
                constants={"e": np.float32(e)},
            )
            for e in (1.0, 2.0, 3.0, 0.5, -1.5)
        ),
        case("both", node("Pow", "xe"), {"x": p, "e": noise(3, seed=1)}, lambda x, e: x**e),
        case("negative_base", node("Pow", "xe"), {"x": noise(2, 3)}, lambda x: x**2, constants={"e": np.int64(2)}),
    ],
)
