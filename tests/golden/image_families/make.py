"""Tiny image models of other families, and how diffusers' schedulers walk them: a rectified flow in pixels, classes
with classifier-free guidance, text in a latent space, and a text that is told on demand. Random weights.

    pip install torch==2.15.0 diffusers==0.35.2 tokenizers==0.23.3 onnx==1.23.2 onnxscript==0.7.2 onnxruntime==1.31.1
    python make.py

For every model: x_T, x̂0 of each step unguided and guided by DPS (Chung et al. 2022, algorithm 1) with the squared
distance of the picture from 0.3, whose network is `reward.onnx`, and x̂0's vector–Jacobian product at one level.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "python" / "export"))

from compare_steps import Grey, scheduler_of, walk
from package import export, write

HERE = Path(__file__).resolve().parent
WORDS = ["[PAD]", "[UNK]", "a", "red", "blue", "heart", "star"]
TOKENS, DIMS, CLASSES, STEPS, SIDE = 6, 8, 3, 4, 16
CFG, SCALE = 2.5, 20.0
CARD = {
    "version": "0.1.0",
    "licence": "MIT OR Apache-2.0",
    "data": "none: random weights",
    "limits": ["for tests only"],
}

torch.manual_seed(11)


class Net(nn.Module):
    """Two convolutions beside a skip, which know the time, and a class or tokens where the model has them."""

    def __init__(self, channels, time_scale, classes=0, text=False, width=12):
        super().__init__()
        self.time_scale, self.text = time_scale, text
        self.first, self.time = nn.Conv2d(channels, width, 3, padding=1), nn.Linear(8, width)
        self.classes = nn.Embedding(classes + 1, width) if classes else None
        if text:
            self.key, self.value = nn.Linear(DIMS, 1), nn.Linear(DIMS, width)
        self.last = nn.Conv2d(width, channels, 3, padding=1)

    def forward(self, x_t, timestep, more=None):
        angles = (timestep * self.time_scale)[:, None] * torch.tensor([1.0, 0.3, 0.1, 0.02])
        h = self.first(x_t) + self.time(torch.cat([angles.sin(), angles.cos()], 1))[:, :, None, None]
        if self.classes is not None:
            h = h + self.classes(more)[:, :, None, None]
        if self.text:
            h = h + (self.key(more).softmax(1) * self.value(more)).sum(1)[:, :, None, None]
        return 0.7 * x_t + 0.3 * self.last(F.silu(h))


class Decoder(nn.Module):
    def __init__(self, channels, width=8):
        super().__init__()
        self.first, self.last = nn.Conv2d(channels, width, 3, padding=1), nn.Conv2d(width, 3, 3, padding=1)

    def forward(self, latent):
        return self.last(F.silu(F.interpolate(self.first(latent), scale_factor=2.0, mode="nearest"))).tanh()


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.table, self.mix = nn.Embedding(len(WORDS), DIMS), nn.Linear(DIMS, DIMS)

    def forward(self, token_ids, token_mask):
        e = self.table(token_ids) * token_mask[:, :, None]
        return (self.mix(e) + e.mean(1, keepdim=True)).tanh()


def random_weights(module):
    with torch.no_grad():
        for p in module.parameters():
            p.add_(torch.randn_like(p) * (0.15 if p.ndim > 1 else 0.05))
    return module.eval()


def both_walks(name, predict, x, picture=lambda x0: x0):
    """Without guidance and with it, by the scheduler that the package's `model.json` describes."""
    manifest = json.loads((HERE / f"tiny-{name}" / "model.json").read_text())
    plain, guided = (walk(scheduler_of(manifest, STEPS), predict, x, picture, scale) for scale in (0.0, SCALE))
    return {f"{name}_x_t": x, f"{name}_plain": plain, f"{name}_guided": guided}


def normal(*shape, seed):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def main():
    out = {}
    flow = random_weights(Net(3, 0.01))
    classes = random_weights(Net(3, 10.0, classes=CLASSES))
    latent, decoder, encoder = (random_weights(m) for m in (Net(4, 0.01, text=True), Decoder(4), Encoder()))
    export(Grey(), (normal(2, 3, SIDE, SIDE, seed=1),), ["image"], ["reward"], HERE / "reward.onnx")

    # a flow
    x = normal(2, 3, SIDE, SIDE, seed=2)
    t = torch.tensor([500.0, 20.0])
    folder = HERE / "tiny-flow"
    folder.mkdir(exist_ok=True)
    export(flow, (x, t), ["x_t", "timestep"], ["x0"], folder / "denoiser.onnx")
    picture = {"channels": 3, "height": SIDE, "width": SIDE}
    write(folder, "image", {"denoiser": "denoiser.onnx"}, prediction="flow", image=picture,
          schedule={"kind": "flow", "train_steps": 1000, "shift": 3.0}, **CARD)  # fmt: skip
    out |= both_walks("flow", lambda x, t: flow(x, t.float().expand(len(x))), x)
    v, level = normal(2, 3, SIDE, SIDE, seed=3), 0.4  # σ
    sample = (x / ((1 - level) ** 2 + level**2) ** 0.5).requires_grad_()  # variance-preserving
    inner = sample * ((1 - level) ** 2 + level**2) ** 0.5
    x0 = inner - level * flow(inner, torch.full((2,), 1000 * level))
    out |= {
        "flow_sample": sample,
        "flow_v": v,
        "flow_x0": x0,
        "flow_vjp": torch.autograd.grad((x0 * v).sum(), sample)[0],
    }

    # classes; the network's time is continuous
    folder = HERE / "tiny-class"
    folder.mkdir(exist_ok=True)
    label = torch.tensor([1, 2])
    export(classes, (x, t / 1000, label), ["x_t", "timestep", "class"], ["x0"], folder / "denoiser.onnx")
    write(folder, "image", {"denoiser": "denoiser.onnx"}, prediction="v", image=picture,
          schedule={"kind": "linear", "train_steps": 1000, "time": "continuous"},
          classes={"count": CLASSES, "null": CLASSES, "names": ["cat, tabby", "dog", "bird"]}, defaults={"cfg": 1.0},
          **CARD)  # fmt: skip

    def guided_class(x, t):
        def rows(c):
            return classes(x, (t / 1000).expand(len(x)), torch.full((len(x),), c))

        return rows(CLASSES) + CFG * (rows(1) - rows(CLASSES))

    out |= both_walks("class", guided_class, normal(2, 3, SIDE, SIDE, seed=4))

    # text, in a latent space
    folder = HERE / "tiny-latent"
    folder.mkdir(exist_ok=True)
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    ids, mask = torch.zeros(2, TOKENS, dtype=torch.long), torch.zeros(2, TOKENS)
    ids[0, :3], mask[0, :3] = torch.tensor([2, 3, 5]), 1  # "a red heart", and nothing
    export(encoder, (ids, mask), ["token_ids", "token_mask"], ["condition"], folder / "text.onnx")
    states = encoder(ids, mask).detach()
    z = normal(2, 4, SIDE // 2, SIDE // 2, seed=5)
    export(latent, (z, t, states), ["x_t", "timestep", "condition"], ["x0"], folder / "denoiser.onnx")
    export(decoder, (z,), ["latent"], ["image"], folder / "decoder.onnx")
    files = {"denoiser": "denoiser.onnx", "decoder": "decoder.onnx", "text_encoder": "text.onnx",
             "tokenizer": "tokenizer.json"}  # fmt: skip
    write(folder, "image", files, prediction="epsilon", image=picture, defaults={"cfg": CFG},
          latent={"channels": 4, "height": SIDE // 2, "width": SIDE // 2, "scale": 2.0, "shift": 0.1},
          schedule={"kind": "scaled_linear", "train_steps": 1000}, conditioning={"dims": DIMS, "max_tokens": TOKENS},
          **CARD)  # fmt: skip

    def guided_text(x, t):
        def rows(c):
            return latent(x, t.float().expand(len(x)), states[c : c + 1].expand(len(x), -1, -1))

        return rows(1) + CFG * (rows(0) - rows(1))

    def decode(x0):
        return decoder(x0 / 2.0 + 0.1)

    out |= both_walks("latent", guided_text, z, decode)
    out["latent_picture"] = decode(out["latent_plain"][-1])

    # a text that only those tell who ask for it, by the encoder of the package before; no text is zeros
    told = random_weights(Net(3, 0.01, text=True))
    folder = HERE / "tiny-told"
    folder.mkdir(exist_ok=True)
    export(told, (x, t, states), ["x_t", "timestep", "condition"], ["x0"], folder / "denoiser.onnx")
    write(folder, "image", {"denoiser": "denoiser.onnx"}, prediction="v", image=picture, defaults={"cfg": 0.0},
          schedule={"kind": "cosine", "train_steps": 1000},
          conditioning={"dims": DIMS, "max_tokens": TOKENS, "from": "tiny-latent", "null": "zeros"},
          **CARD)  # fmt: skip
    ids[1, :3], mask[1, :3] = torch.tensor([2, 4, 6]), 1  # "a blue star"
    [heart, star], zeros = encoder(ids, mask).detach(), torch.zeros(TOKENS, DIMS)

    def telling(text, away, cfg):
        def rows(x, t, c):
            return told(x, t.float().expand(len(x)), c.expand(len(x), -1, -1))

        return lambda x, t: rows(x, t, away) + cfg * (rows(x, t, text) - rows(x, t, away))

    x = normal(2, 3, SIDE, SIDE, seed=6)
    out |= both_walks("told", telling(heart, zeros, CFG), x)
    for name, text, away, cfg in (("untold", zeros, zeros, 1.0), ("away", heart, star, CFG)):
        walked = both_walks("told", telling(text, away, cfg), x)
        out |= {f"{name}_{key}": walked[f"told_{key}"] for key in ("x_t", "plain", "guided")}
    np.savez(HERE / "io.npz", **{k: a.detach().numpy().astype(np.float32) for k, a in out.items()})


main()
