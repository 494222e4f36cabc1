"""Tiny image packages with random weights, exported as trained ones are, and what PyTorch makes of them.

pip install -r ../../../python/train/requirements.txt && python make.py
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "python" / "train"))

from config import TextConfig
from image import export, reference
from image.networks import (
    ConvTowerSizes,
    DenoiserSizes,
    ImageDenoiser,
    PatchTowerSizes,
    Segmenter,
    Towers,
    TowersSizes,
)

HERE = Path(__file__).resolve().parent
SIDE = 16
WORDS = ["[PAD]", "[UNK]", "a", "red", "blue", "heart", "star", "dog"]

torch.manual_seed(5)


def random_weights(module: torch.nn.Module) -> torch.nn.Module:
    """No layer at zero, so that every part of the gradient is seen."""
    with torch.no_grad():
        for p in module.parameters():
            p.add_(torch.randn_like(p) * (0.15 if p.ndim > 1 else 0.05))
    return module.eval()


tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(WORDS)}, unk_token="[UNK]"))
tokenizer.normalizer = normalizers.Lowercase()
tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
(HERE / "tokenizer.json").write_text(json.dumps(json.loads(tokenizer.to_str())))

text = TextConfig(table_dims=8, width=16, layers=1, heads=2, out=12)
table, known = torch.randn(len(WORDS), 8).half().float(), torch.arange(len(WORDS)) * (torch.arange(len(WORDS)) > 1)
sizes = DenoiserSizes(channels=(8, 16, 16), blocks=(1, 1, 1), middle=1, heads=2, time=16)
denoiser = random_weights(ImageDenoiser(sizes))
clip = random_weights(Towers(TowersSizes(conv=ConvTowerSizes((8, 16, 16), (1, 1, 0)), text=text), table, known))
judge_sizes = TowersSizes(conv=None, patches=PatchTowerSizes(8, 16, 1, 2), text=text)
judge = Towers(judge_sizes, table, known)
judge.image = type(judge.image)(judge_sizes.patches, text.out, SIDE)
judge = random_weights(judge)
segmenter = random_weights(Segmenter((8, 8, 16)))

for name, result in {
    "tiny-64": lambda out: export.denoiser(denoiser, out, SIDE, None),
    "tiny-clip": lambda out: export.towers(clip, HERE / "tokenizer.json", out, SIDE),
    "tiny-judge": lambda out: export.towers(judge, HERE / "tokenizer.json", out, SIDE),
    "tiny-seg": lambda out: export.segmenter(segmenter, out, SIDE),
}.items():
    out = HERE / name
    out.mkdir(exist_ok=True)
    keys, worst = result(out)
    card = {"licence": "MIT OR Apache-2.0", "data": "none: random weights", "limits": ["for tests only"]}
    export.describe(out, keys, card, SIDE)
    print(name, worst, sum(f.stat().st_size for f in out.iterdir()))
(HERE / "tokenizer.json").unlink()

seen = torch.rand(60, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(6)) * 2 - 1
reference.write(HERE / "tiny-judge", judge.image(seen).detach().double().numpy())

x = torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(3)) * 2 - 1
v = torch.randn(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(4))
t = torch.tensor([400.0, 400.0])
x.requires_grad_()
x0 = denoiser(x, t)
ids, mask = torch.tensor([[2, 3, 5]]), torch.ones(1, 3)
e = clip.image(x)
row = clip.embed_text(ids, mask)
logits = segmenter(x)
out = {
    "x": x,
    "v": v,
    "x0": x0,
    "x0_vjp": torch.autograd.grad((x0 * v).sum(), x)[0],
    "text": row,
    "embedding": e,
    "judge_embedding": judge.image(x),
    "text_distance": 1 - (e * row).sum(1),
    "text_grad": torch.autograd.grad((1 - (e * row).sum(1)).sum(), x, retain_graph=True)[0],
    "logits": logits,
    "logits_vjp": torch.autograd.grad((logits * v[:, :1]).sum(), x)[0],
}
np.savez(HERE / "io.npz", **{k: a.detach().numpy().astype(np.float32) for k, a in out.items()})
