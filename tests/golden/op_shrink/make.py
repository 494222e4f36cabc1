import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from op_golden import case, node, noise, write

write(__file__, [case("plain", node("Shrink", "x", lambd=0.5), {"x": noise(3, 4)}, lambda x: x * (x.abs() > 0.5))])
