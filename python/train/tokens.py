"""Prompts as the networks read them."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from config import MAX_TOKENS
from text import without_ends


class TextBatcher:
    """Turns strings into padded ids and masks."""

    def __init__(self, tokenizer_path: Path) -> None:
        self.tokenizer = without_ends(tokenizer_path)

    def __call__(self, texts: list[str]) -> tuple[Tensor, Tensor]:
        """`[b, n]` ids and mask; `n` is the longest of the batch, at least 1 and at most `MAX_TOKENS`."""
        rows = [e.ids[:MAX_TOKENS] for e in self.tokenizer.encode_batch(texts)]
        width = max(1, *(len(r) for r in rows))
        width = min(MAX_TOKENS, -(-width // 8) * 8)
        ids = torch.zeros(len(rows), width, dtype=torch.long)
        mask = torch.zeros(len(rows), width)
        for i, row in enumerate(rows):
            ids[i, : len(row)] = torch.tensor(row, dtype=torch.long)
            mask[i, : len(row)] = 1
        return ids, mask
