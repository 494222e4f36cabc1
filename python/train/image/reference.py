"""Write what the judge's embeddings of the drawings are like into its package, and score the drawings themselves.

python -m image.reference --data emoji.npz --judge ../../models/emoji-judge --guide ../../models/emoji-clip

`kinograd bench image` takes Fréchet distances from it. The printed row scores the drawings that bear the benchmark's
prompts as names, as the benchmark scores pictures.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
from tokenizers import Tokenizer

from image.data import Pictures, on_white

BATCH = 64
PROMPTS = {
    "a red heart": "red heart",
    "a yellow star": "star",
    "a red apple": "red apple",
    "a strawberry": "strawberry",
    "a smiling face": "smiling face",
    "a cat face": "cat face",
    "a frog": "frog",
    "a blue fish": "fish",
    "a green tree": "deciduous tree",
    "a sunflower": "sunflower",
    "a pizza": "pizza",
    "a crescent moon": "crescent moon",
}
"""The benchmark's prompts and the names of drawings that show them."""


class Towers:
    """A package's networks."""

    def __init__(self, folder: Path) -> None:
        files = json.loads((folder / "model.json").read_text())["files"]
        self.image, self.text = (
            ort.InferenceSession(folder / files[role]["path"], providers=["CPUExecutionProvider"])
            for role in ("image_embedding", "text_encoder")
        )
        self.tokenizer = Tokenizer.from_file(str(folder / files["tokenizer"]["path"]))

    def embed_images(self, images: torch.Tensor) -> np.ndarray:
        """Unit rows."""
        parts = [self.image.run(["embedding"], {"image": part.numpy()})[0] for part in images.split(BATCH)]
        return np.concatenate(parts).astype(np.float64)

    def embed_texts(self, texts: list[str]) -> np.ndarray:
        """Unit rows."""
        rows = []
        for text in texts:
            ids = np.array([self.tokenizer.encode(text).ids])
            feeds = {"token_ids": ids, "token_mask": np.ones(ids.shape, np.float32)}
            rows.append(self.text.run(["embedding"], feeds)[0][0])
        return np.stack(rows).astype(np.float64)


def frechet(rows: np.ndarray, mean: np.ndarray, covariance: np.ndarray) -> float:
    """Between the rows' Gaussian and another one."""
    own, shift = np.cov(rows.T), rows.mean(0) - mean
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(values.clip(0)) @ vectors.T
    cross = np.sqrt(np.linalg.eigvalsh(root @ own @ root).clip(0)).sum()
    return float(shift @ shift + np.trace(own) + np.trace(covariance) - 2 * cross)


def write(folder: Path, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`reference.npz` and its entry in `model.json`."""
    mean, covariance = rows.mean(0).astype(np.float32), np.cov(rows.T).astype(np.float32)
    path = folder / "reference.npz"
    np.savez_compressed(path, mean=mean, covariance=covariance)
    described = json.loads((folder / "model.json").read_text())
    described["files"]["reference"] = {"path": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    (folder / "model.json").write_text(json.dumps(described, indent=1, ensure_ascii=False) + "\n")
    return mean.astype(np.float64), covariance.astype(np.float64)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="file of image.prepare")
    parser.add_argument("--judge", type=Path, required=True)
    parser.add_argument("--guide", type=Path, required=True)
    args = parser.parse_args()
    pictures = Pictures(args.data)
    indices = torch.arange(len(pictures.name))
    judge, guide = Towers(args.judge), Towers(args.guide)
    rows = np.concatenate([judge.embed_images(on_white(*pictures.batch(part))) for part in indices.split(512)])
    mean, covariance = write(args.judge, rows)

    index, prompt = [], []
    for at, name in enumerate(PROMPTS.values()):
        own = [int(i) for i in (pictures.name == pictures.names.index(name)).nonzero()]
        index += own
        prompt += [at] * len(own)
    shown = on_white(*pictures.batch(torch.tensor(index)))
    row = {"drawings": len(index)}
    for label, towers in (("guide", guide), ("judge", judge)):
        scores = towers.embed_images(shown) @ towers.embed_texts(list(PROMPTS)).T
        row[label] = round(float(scores[np.arange(len(index)), prompt].mean()), 3)
        row[f"named, {label}"] = round(float((scores.argmax(1) == np.array(prompt)).mean()), 3)
    row["gap"] = round(row["guide"] - row["judge"], 3)
    row["frechet"] = round(frechet(rows[index], mean, covariance), 3)
    print(json.dumps(row))


if __name__ == "__main__":
    main()
