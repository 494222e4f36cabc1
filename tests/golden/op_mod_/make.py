import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from op_golden import case, node, noise, write

a, b = noise(2, 3, high=5), noise(3, seed=1, low=0.6)
write(
    __file__, [case("fmod", node("Mod", "ab", fmod=1), {"a": a, "b": b}, lambda a, b: a - b * (a / b).detach().trunc())]
)
