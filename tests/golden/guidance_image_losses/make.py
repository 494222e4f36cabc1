"""Image operators of torch and SciPy, and image losses stated in torch with gradients by torch.autograd.

pip install torch==2.15.0 numpy==2.4.6 scipy==1.17.1 && python make.py
"""

import numpy as np
import torch
import torch.nn.functional as F
from scipy.ndimage import gaussian_filter

rng = np.random.default_rng(11)
batch, side = 2, 16
image = (rng.random((batch, 3, side, side)) * 2 - 1).astype(np.float32).astype(np.float64)
x = torch.tensor(image, requires_grad=True)
out = dict(image=image)

# operators
out["box"] = F.avg_pool2d(x, 4).detach().numpy()
bicubic = F.interpolate(x, scale_factor=0.25, mode="bicubic", antialias=True, align_corners=False)
out["bicubic"] = bicubic.detach().numpy()
out["blur"] = gaussian_filter(image, sigma=(0, 0, 1.6, 1.6), mode="reflect", truncate=4.0)

# measurements: root mean square of the residual
low = (rng.random((3, 4, 4)) * 2 - 1).astype(np.float32).astype(np.float64)
photo = (rng.random((3, side, side)) * 2 - 1).astype(np.float32).astype(np.float64)
kept = (rng.random((side, side)) < 0.6).astype(np.float64)
out |= dict(low=low, photo=photo, kept=kept)


def rms(residual, count=None):
    square = residual.square().flatten(1).sum(1)
    return (square / (residual[0].numel() if count is None else count)).sqrt()


def edges(picture):
    grey = picture.mean(1, keepdim=True)
    sobel = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=torch.float64) / 8
    padded = F.pad(grey, (1, 1, 1, 1), mode="replicate")
    gx = F.conv2d(padded, sobel[None, None])
    gy = F.conv2d(padded, sobel.T[None, None])
    m = (gx**2 + gy**2 + 1e-6).sqrt() - 1e-3
    return (m / (m + 0.1))[:, 0]


drawing = rng.random((side, side))
means, deviations = rng.normal(size=3) * 0.3, rng.random(3)
mask = (rng.random((side, side)) < 0.4).astype(np.float32).astype(np.float64)
weights = rng.normal(size=(5, 3 * side * side)) * 0.05
out |= dict(drawing=drawing, means=means, deviations=deviations, mask=mask, weights=weights)
statistics = torch.cat(
    [
        x.mean((2, 3)) - torch.tensor(means),
        (x.var((2, 3), unbiased=False) + 1e-8).sqrt() - torch.tensor(deviations),
    ],
    1,
)
logits = 3 * x.mean(1, keepdim=True)
scores = x.flatten(1) @ torch.tensor(weights).T
truth = torch.tensor(mask)[None, None].expand_as(logits)
losses = {
    "sr": rms(F.avg_pool2d(x, 4) - torch.tensor(low)),
    "inpaint": rms((x - torch.tensor(photo)) * torch.tensor(kept), 3 * kept.sum()),
    "sketch": rms(edges(x) - torch.tensor(drawing)),
    "colour": rms(statistics),
    "colour_means": rms(statistics[:, :3]),
    "seg": F.binary_cross_entropy_with_logits(logits, truth, reduction="none").mean((1, 2, 3)),
    "class": F.cross_entropy(scores, torch.full((batch,), 3), reduction="none"),
    "reward": -scores[:, 0],
}
out["edges"] = edges(x).detach().numpy()
for name, loss in losses.items():
    out[name] = loss.detach().numpy()
    out[name + "_grad"] = torch.autograd.grad(loss.sum(), x, retain_graph=True)[0].numpy()
    print(name, loss.tolist())
np.savez("io.npz", **{k: np.asarray(v, np.float32 if v.size > 500 else np.float64) for k, v in out.items()})
