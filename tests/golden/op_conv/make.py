import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch
import torch.nn.functional as F
from op_golden import case, node, noise, write

def conv(x, w, b=None, **k):
    return (F.conv1d if x.dim() == 3 else F.conv2d)(x, w, b, **k)


w1, w2, b = noise(4, 3, 3, seed=1), noise(4, 3, 3, 2, seed=1), noise(4, seed=2)
t1, t2, tb = (torch.tensor(t).double() for t in (w1, w2, b))
group = noise(6, 2, 3, seed=1)
up1, up2 = noise(3, 4, 3, seed=1), noise(3, 2, 3, 2, seed=1)
u1, u2 = torch.tensor(up1).double(), torch.tensor(up2).double()
x1, x2 = noise(2, 3, 9), noise(2, 3, 7, 8)
write(__file__, [
    case("line", node("Conv", "xwb", pads=[1, 1]), {"x": x1, "b": b}, lambda x, b: conv(x, t1, b, padding=1), constants={"w": w1}),
    case("strided", node("Conv", "xwb", strides=[2], pads=[1, 1]), {"x": noise(2, 3, 10)}, lambda x: conv(x, t1, tb, stride=2, padding=1), constants={"w": w1, "b": b}),
    case("strided_fixed", node("Conv", "xw", strides=[3]), {"x": noise(2, 3, 10)}, lambda x: conv(x, t1, stride=3), constants={"w": w1}, dims="fixed"),
    case("dilated", node("Conv", "xw", dilations=[2], pads=[2, 0]), {"x": x1}, lambda x: conv(F.pad(x, (2, 0)), t1, dilation=2), constants={"w": w1}),
    case("groups", node("Conv", "xw", group=3), {"x": noise(2, 6, 9)}, lambda x: conv(x, torch.tensor(group).double(), groups=3), constants={"w": group}),
    case("image", node("Conv", "xw", strides=[2, 1], pads=[1, 0, 1, 1]), {"x": x2}, lambda x: conv(F.pad(x, (0, 1, 1, 1)), t2, stride=(2, 1)), constants={"w": w2}),
    case("same", node("Conv", "xw", auto_pad="SAME_UPPER"), {"x": x1}, lambda x: conv(x, t1, padding=1), constants={"w": w1}),
    case("transposed", node("ConvTranspose", "xw", strides=[2], pads=[1, 1]), {"x": x1}, lambda x: F.conv_transpose1d(x, u1, stride=2, padding=1), constants={"w": up1}),
    case("transposed_image", node("ConvTranspose", "xw", strides=[2, 2], output_padding=[1, 1]), {"x": x2}, lambda x: F.conv_transpose2d(x, u2, stride=2, output_padding=1), constants={"w": up2}),
])
