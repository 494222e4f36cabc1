import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from op_golden import case, node, noise, write

write(__file__, [case("image", node("GlobalAveragePool", "x"), {"x": noise(2, 3, 4, 5)}, lambda x: x.mean((2, 3), keepdim=True))])
