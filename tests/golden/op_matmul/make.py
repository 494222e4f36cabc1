import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch

from op_golden import case, node, noise, write

m = torch.matmul
write(
    __file__,
    [
        case("matrices", node("MatMul", "ab"), {"a": noise(3, 4), "b": noise(4, 5)}, m),
        case("batched", node("MatMul", "ab"), {"a": noise(2, 3, 4), "b": noise(2, 4, 5)}, m),
        case("shared_right", node("MatMul", "ab"), {"a": noise(2, 3, 4), "b": noise(4, 5)}, m),
        case("shared_left", node("MatMul", "ab"), {"a": noise(3, 4), "b": noise(2, 4, 5)}, m),
        case("broadcast", node("MatMul", "ab"), {"a": noise(2, 1, 3, 4), "b": noise(6, 4, 5)}, m),
        case("row", node("MatMul", "ab"), {"a": noise(4), "b": noise(2, 4, 5)}, m),
        case("column", node("MatMul", "ab"), {"a": noise(2, 3, 4), "b": noise(4)}, m),
        case("dot", node("MatMul", "ab"), {"a": noise(4), "b": noise(4, seed=1)}, m),
    ],
)
