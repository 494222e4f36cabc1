"""Emoji drawings from npm packages, rendered with their names and keywords into one file.

Needs `npm` and the PyPI package `resvg-py` (MIT; it carries the renderer resvg, MIT OR Apache-2.0). The sets are
Apache-2.0 (noto, noto-v1, fxemoji) or MIT (fluent-emoji, fluent-emoji-flat, emojilib). Nothing rendered here belongs
in the repository.

    python -m image.prepare --raw raw --out emoji.npz
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import re
import subprocess
import tarfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SIZE = 64
SETS = {
    "noto": "@iconify-json/noto@1.2.9",
    "noto-v1": "@iconify-json/noto-v1@1.2.5",
    "fluent-flat": "@iconify-json/fluent-emoji-flat@1.2.6",
    "fluent": "@iconify-json/fluent-emoji@1.2.7",
    "fxemoji": "@iconify-json/fxemoji@1.2.2",
}
NAMES = "emojilib@4.0.3"
LICENCES = ("MIT", "Apache-2.0")
TONES = {f"1f3f{digit}" for digit in "bcdef"}
JOINER = "200d"
SAME_NAME = "fluent-flat"
"""The set whose table of code points also holds for the sets that carry none."""
HELD_OUT_ONE_IN = 20


@dataclass(frozen=True)
class Drawing:
    """One picture to be rendered."""

    name: str
    source: str
    category: str
    svg: str


def fetch(raw: Path) -> dict[str, Path]:
    """Download and unpack the packages that `raw` lacks; returns their folders."""
    folders = {}
    for name, spec in {**SETS, "names": NAMES}.items():
        folder = raw / spec.removeprefix("@").replace("/", "-").replace("@", "-")
        if not (folder / "package.json").exists():
            raw.mkdir(parents=True, exist_ok=True)
            packed = subprocess.run(
                ["npm", "pack", "--silent", spec], cwd=raw, check=True, capture_output=True, text=True
            )
            archive = raw / packed.stdout.strip().splitlines()[-1]
            with tarfile.open(archive) as tar:
                tar.extractall(folder, filter="data")
            for item in (folder / "package").iterdir():
                item.rename(folder / item.name)
            archive.unlink()
        licence = json.loads((folder / "package.json").read_text())["license"]
        if licence not in LICENCES:
            raise SystemExit(f"{spec}: licence {licence}, expected one of {LICENCES}")
        folders[name] = folder
    return folders


def code(points: str) -> str:
    """Code points without the variation selector."""
    return "-".join(p for p in points.split("-") if p != "fe0f")


def squashed(name: str) -> str:
    """Letters and digits only, so that `alarm-clock` meets `alarmclock`."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def words(name: str) -> str:
    """`red_apple` as `red apple`."""
    return re.sub(r"[^a-z0-9]+", " ", name.lower()).strip()


def is_plain(points: str) -> bool:
    """Whether neither a skin tone nor a gendered or family sequence is meant."""
    parts = points.split("-")
    return not TONES & set(parts) and JOINER not in parts


def captions(folder: Path) -> dict[str, list[str]]:
    """By code points: the name, then keywords made of letters."""
    table = json.loads((folder / "dist" / "emoji-en-US.json").read_text())
    result = {}
    for char, keywords in table.items():
        points = code("-".join(f"{ord(c):04x}" for c in char))
        texts = [words(k) for k in keywords if re.search(r"[a-z]{2}", k)]
        result[points] = list(dict.fromkeys(t for t in texts if t))
    return result


def drawings(folders: dict[str, Path]) -> tuple[list[Drawing], dict[str, list[str]]]:
    """All plain drawings, and the captions by name; names are those of `emojilib` where it knows the code points."""
    known = captions(folders["names"])
    points_of: dict[str, str] = {}
    for source in (SAME_NAME, "noto"):
        for points, name in json.loads((folders[source] / "chars.json").read_text()).items():
            points_of.setdefault(squashed(name), code(points))
    for points, texts in known.items():
        points_of.setdefault(squashed(texts[0]), points) if texts else None
    category_of = {}
    for group, names in json.loads((folders["noto"] / "metadata.json").read_text())["categories"].items():
        category_of |= {points_of[squashed(n)]: group for n in names if squashed(n) in points_of}
    found, texts_of = [], {}
    for source in SETS:
        data = json.loads((folders[source] / "icons.json").read_text())
        for icon_name, icon in data["icons"].items():
            points = points_of.get(squashed(icon_name))
            category = category_of.get(points, "")
            if points is None or not is_plain(points) or category in ("", "Flags"):
                continue
            texts = known.get(points) or [words(icon_name)]
            texts = list(dict.fromkeys([texts[0], words(icon_name) if "-" in icon_name else texts[0], *texts[1:]]))
            texts_of.setdefault(texts[0], texts)
            width, height = (icon.get(k, data.get(k, 16)) for k in ("width", "height"))
            left, top = icon.get("left", 0), icon.get("top", 0)
            svg = (
                '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
                f'width="{SIZE}" height="{SIZE}" viewBox="{left} {top} {width} {height}">{icon["body"]}</svg>'
            )
            found.append(Drawing(texts[0], source, category, svg))
    unique = {(d.name, d.source, d.svg): d for d in found}
    return list(unique.values()), texts_of


def render(drawing: Drawing) -> np.ndarray | None:
    """RGBA `u8 [SIZE, SIZE, 4]`, alpha not premultiplied; `None` where nothing is seen."""
    import resvg_py
    from PIL import Image

    data = bytes(resvg_py.svg_to_bytes(svg_string=drawing.svg, width=2 * SIZE, skip_system_fonts=True))
    image = Image.open(io.BytesIO(data)).convert("RGBa").resize((SIZE, SIZE), Image.Resampling.BOX).convert("RGBA")
    pixels = np.asarray(image)
    return pixels if (pixels[..., 3] > 127).mean() > 0.02 else None


def held_out(name: str) -> bool:
    """Whether a name is kept from the training of the towers; does not depend on the list of names."""
    return int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) % HELD_OUT_ONE_IN == 0


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--raw", type=Path, required=True, help="where the packages are kept")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    items, texts_of = drawings(fetch(args.raw))
    with ProcessPoolExecutor(args.workers) as pool:
        pixels = list(pool.map(render, items, chunksize=32))
    kept = [(d, p) for d, p in zip(items, pixels, strict=True) if p is not None]
    names = sorted({d.name for d, _ in kept})
    index = {name: i for i, name in enumerate(names)}
    np.savez_compressed(
        args.out,
        rgba=np.stack([p for _, p in kept]),
        name=np.array([index[d.name] for d, _ in kept], np.int32),
        source=np.array([list(SETS).index(d.source) for d, _ in kept], np.int8),
        category=np.array([d.category for d, _ in kept]),
        names=np.array(names),
        held_out=np.array([held_out(n) for n in names]),
        captions=np.array(json.dumps([texts_of[n] for n in names])),
    )
    counts = {s: sum(d.source == s for d, _ in kept) for s in SETS}
    print(json.dumps({"pictures": len(kept), "names": len(names), "held_out": sum(map(held_out, names)), **counts}))


if __name__ == "__main__":
    main()
