"""What torchvision makes of pictures before a network sees them, and gradients through it by torch.autograd.

pip install torch==2.15.0 torchvision==0.29.2 numpy==2.4.6 && python make.py
"""

import numpy as np
import torch
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as F

rng = np.random.default_rng(23)
picture = (rng.random((2, 3, 10, 14)) * 2 - 1).astype(np.float32).astype(np.float64)
grey = (rng.random((2, 1, 10, 14)) * 2 - 1).astype(np.float32).astype(np.float64)
out = dict(picture=picture, grey=grey)
imagenet = dict(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])
caffe = dict(mean=[103.939, 116.779, 123.68], std=[1.0, 1.0, 1.0])
luma = torch.tensor([299.0, 587, 114], dtype=torch.float64)[:, None, None] / 1000
bilinear, bicubic = InterpolationMode.BILINEAR, InterpolationMode.BICUBIC


def resized(x, size, mode):
    return F.resize((x + 1) / 2, size, interpolation=mode, antialias=True)


cases = {
    # larger, mean and deviation of ImageNet
    "imagenet": (picture, lambda x: F.normalize(resized(x, [17, 23], bilinear), **imagenet)),
    # smaller, cubic
    "clip": (picture, lambda x: F.normalize(resized(x, [6, 5], bicubic), **imagenet)),
    # Caffe's: blue, green, red in 0..255 less the mean, channels last
    "caffe": (
        picture,
        lambda x: F.normalize(255 * resized(x, [6, 20], bilinear).flip(1), **caffe).permute(0, 2, 3, 1),
    ),
    # colours to grey by Pillow's weights (torchvision's sum to 0.9999), and grey to colours
    "to_grey": (picture, lambda x: (resized(x, [8, 8], bilinear) * luma).sum(1, keepdim=True)),
    "from_grey": (grey, lambda x: F.normalize(resized(x, [12, 12], bicubic).expand(-1, 3, -1, -1), **imagenet)),
}
for name, (image, transform) in cases.items():
    x = torch.tensor(image, requires_grad=True)
    seen = transform(x)
    v = torch.tensor(rng.normal(size=tuple(seen.shape)).astype(np.float32).astype(np.float64))
    (gradient,) = torch.autograd.grad(seen, x, v)
    out |= {f"{name}_seen": seen.detach().numpy(), f"{name}_v": v.numpy(), f"{name}_gradient": gradient.numpy()}
np.savez("io.npz", **{key: value.astype(np.float32) for key, value in out.items()})
