import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
from op_golden import case, node, noise, write

x, i = noise(3, 4), np.array([[0, 2, 1], [2, 2, 0]])
nd = np.array([[0, 1], [2, 3], [0, 1]])
u = noise(2, 3, seed=4)
j = np.array([[0, 2, 1], [3, 1, 0]])
write(__file__, [
    case("elements", node("GatherElements", "xi", axis=0), {"x": x, "i": i}, lambda x, i: x.gather(0, i)),
    case("nd", node("GatherND", "xi"), {"x": x, "i": nd}, lambda x, i: x[i[:, 0], i[:, 1]]),
    case("nd_rows", node("GatherND", "xi"), {"x": x, "i": np.array([[1], [1]])}, lambda x, i: x[i[:, 0]]),
    case("scatter", node("ScatterElements", "xju", axis=1), {"x": x, "j": j, "u": u}, lambda x, j, u: x.scatter(1, j, u)),
    case("scatter_add", node("ScatterElements", "xju", axis=1, reduction="add"), {"x": x, "j": j, "u": u}, lambda x, j, u: x.scatter_add(1, j, u)),
    case("scatter_nd", node("ScatterND", "xju"), {"x": x, "j": np.array([[2], [0]]), "u": noise(2, 4, seed=5)}, lambda x, j, u: x.index_copy(0, j[:, 0], u)),
])
