"""Write a model package: ONNX files, tokenizer, constants, `model.json` with hashes; then check it.

    python export.py --checkpoint CHECKPOINT --data DATA --card CARD --out PACKAGE
    python export.py --data DATA --out PACKAGE

The second form adds the words of the training to the `model.json` of a package that is there.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch

from config import FEATURES, FPS, MAX_FRAMES, MAX_TOKENS, MIN_FRAMES, PATCH, TRAIN_STEPS, TrainConfig
from facts import COUNTS, TIMES
from networks import Networks, round_to_half
from stitch import COUNTED, JOINED, SEVERAL
from text import LOOKUP, SUBJECTS, without_ends
from verbs import BASE, VERBS
from wordings import DOERS, PLACES, all_wordings, parted

TOLERANCE = 1e-4
ROLES = {
    "denoiser": "denoiser.onnx",
    "text_encoder": "text.onnx",
    "motion_embedding": "motion_embedding.onnx",
    "tokenizer": "tokenizer.json",
    "constants": "constants.npz",
}

# As `kinograd` reads prompts (`crates/kinograd/src/words`): words, parts of a prompt, negations; and counts.
WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
PART = re.compile(r"[,;:.!?\n]|\b(?:and|then|but|while|before|after|or)\b")
NEGATED = re.compile(r"\b(?:not|no|never|without|nor|neither|[a-z]+n't)\s+(.*)")
NUMBERS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10}
COUNT = re.compile(r"\b(?:(once)|(twice)|(thrice)|(\d+|" + "|".join(NUMBERS) + r") times)\b")
SUBJECT = re.compile(r"^(?:(?:he|she|someone|somebody|(?:an?|the)\s+\w+)\s+)?(?:is\s+)?")


def words_of(text: str) -> set[str]:
    """The words of a caption, in lower case; of "person's" it is "person"."""
    text = re.sub(r"'(s|re|ll|ve|d|m)\b", "", text.lower())
    return {word for word in WORD.findall(text) if not word.isdigit()}


def counts_of(caption: str) -> dict[str, set[int]]:
    """How often a caption says that a verb is done: "a person jumps three times" → `{"jumps": {3}}`.

    The last finite verb before the count, "jumps" of "jumps up and down" and of "jumps while running".
    """
    found = defaultdict(set)
    caption = caption.lower()
    for match in COUNT.finditer(caption):
        once, twice, thrice, number = match.groups()
        times = 1 if once else 2 if twice else 3 if thrice else NUMBERS.get(number) or int(number)
        before = WORD.findall(SUBJECT.sub("", caption[: match.start()]))
        verbs = [word for word in before if word in VERBS] or before[:1]
        for verb in verbs[-1:]:
            found[verb].add(times)
    return found


def negations_of(caption: str) -> set[str]:
    """What follows the negations of a caption, to the end of the part of the sentence."""
    parts = (NEGATED.search(part.strip()) for part in PART.split(caption.lower()))
    return {" ".join(WORD.findall(match[1])) for match in parts if match}


def trained_text(segments: Iterable[dict]) -> dict:
    """`text` of a `model.json`: what segments of training data, and what `text.reword` makes of them, say."""
    words, negations = set(), set()
    counts: dict[str, set[int]] = defaultdict(set)
    captions = set()
    for segment in segments:
        captions.update(segment["captions"])
        action = segment["action"]
        # `stitch.Stitcher.longer` does it twice and says so; `facts.with_facts` counts what is done.
        said_so = ({2} if action in COUNTED & JOINED else set()) | (set(TIMES) if action in COUNTS else set())
        if said_so and not all(SEVERAL.search(c) for c in segment["captions"]):
            counts[next(verb for verb, base in BASE.items() if base == action)] |= said_so
    said = " . ".join(captions).lower()
    rows = [row for word, row in LOOKUP.items() if re.search(rf"\b{word}\b", said)]
    rewordings = [
        *SUBJECTS,
        *DOERS,
        *PLACES,
        *TIMES.values(),
        *(other for caption in captions if (told := parted(caption.lower())) for other in all_wordings(told[1])),
        *(other for row in rows for other in row),
    ]
    for caption in [*captions, *rewordings]:
        words |= words_of(caption)
        negations |= negations_of(caption)
    for verb in words & VERBS.keys():
        words |= {VERBS[verb], BASE[verb]}
    for caption in captions:
        for verb, times in counts_of(caption).items():
            counts[verb] |= times
    return {
        "words": sorted(words),
        "counts": {verb: sorted(times) for verb, times in sorted(counts.items())},
        "negations": sorted(negations),
    }


def text_of_data(folder: Path) -> dict:
    """`trained_text` of the train split of a data set of `kinograd dataset build`."""
    clips = json.loads((folder / "index.json").read_text())["clips"]
    trained = [s for c in clips if c["split"] == "train" for s in c["segments"] if s["frames"] >= MIN_FRAMES]
    if not trained:
        raise SystemExit(f"{folder}: no segment to train on")
    return trained_text(trained)


def add_text(package: Path, text: dict) -> None:
    """Write `text` into the `model.json` of a package."""
    path = package / "model.json"
    old = json.loads(path.read_text())
    new = {}
    for key, value in old.items():
        if key == "defaults":
            new["text"] = text
        if key != "text":
            new[key] = value
    path.write_text(json.dumps(new, indent=1, ensure_ascii=False) + "\n")


def description(folder: Path, config: TrainConfig, card: dict) -> dict:
    """The contents of `model.json`; `card` adds name, licence, data, limits, prompts, words and metrics."""
    files = {
        role: {"path": path, "sha256": hashlib.sha256((folder / path).read_bytes()).hexdigest()}
        for role, path in ROLES.items()
    }
    text = {"text": card["text"]} if card.get("text") else {}
    return {
        "schema": 1,
        "name": card.get("name", "motion-base"),
        "version": card.get("version", "0.1.0"),
        "kind": "motion",
        "files": files,
        "prediction": "x0",
        "schedule": {"kind": "cosine", "train_steps": TRAIN_STEPS},
        "representation": {
            "kind": "humanml3d",
            "fps": FPS,
            "features": FEATURES,
            "min_frames": MIN_FRAMES,
            "max_frames": MAX_FRAMES,
            "patch_frames": PATCH,
        },
        "conditioning": {"dims": config.text.out, "max_tokens": MAX_TOKENS, "embedding_dims": config.embedding.out},
        **text,
        "defaults": card.get("defaults", {"cfg": 1.5, "steps": 20, "sampler": "ddim"}),
        "licence": card.get("licence", ""),
        "data": card.get("data", ""),
        "limits": card.get("limits", []),
        "known_prompts": card.get("known_prompts", []),
        "metrics": card.get("metrics", {}),
    }


def write_package(
    networks: Networks, mean: np.ndarray, std: np.ndarray, tokenizer: Path, out: Path, card: dict
) -> float:
    """Write and check the package; returns the largest difference from PyTorch over all outputs."""
    networks = networks.eval()
    round_to_half(networks)
    out.mkdir(parents=True, exist_ok=True)
    for file, graph in networks.graphs().items():
        onnx.save(graph.model(), out / file)
    without_ends(tokenizer).save(str(out / "tokenizer.json"))
    null = networks.null.detach().numpy()
    np.savez(
        out / "constants.npz",
        mean=mean.astype(np.float32),
        std=std.astype(np.float32),
        null_condition=null.astype(np.float32),
    )
    text = json.dumps(description(out, networks.config, card), indent=1, ensure_ascii=False)
    (out / "model.json").write_text(text + "\n")
    worst = check(networks, out)
    if worst > TOLERANCE:
        raise SystemExit(f"the exported graphs differ from PyTorch by {worst:.2e}")
    return worst


@torch.no_grad()
def check(networks: Networks, folder: Path) -> float:
    """Largest difference between ONNX Runtime and PyTorch over several batch sizes and lengths."""
    worst = 0.0
    rng = np.random.default_rng(0)
    sessions = {role: ort.InferenceSession(folder / ROLES[role]) for role in list(ROLES)[:3]}
    vocab = networks.text.table.shape[0]
    for batch, frames, tokens in [(1, 20, 3), (2, 80, 8), (3, 200, MAX_TOKENS)]:
        mask = np.ones((batch, frames), np.float32)
        mask[-1, frames - 8 :] = 0
        token_mask = np.ones((batch, tokens), np.float32)
        token_mask[-1, tokens // 2 :] = 0
        token_mask[0] *= batch != 3  # one text without tokens
        x = rng.standard_normal((batch, frames, FEATURES)).astype(np.float32)
        t = rng.uniform(0, TRAIN_STEPS - 1, batch).astype(np.float32)
        ids = rng.integers(2, vocab, (batch, tokens))
        condition = networks.condition(torch.from_numpy(ids), torch.from_numpy(token_mask))
        embedding = networks.embed_text(torch.from_numpy(ids), torch.from_numpy(token_mask))
        embedding = torch.nn.functional.normalize(embedding, dim=1)
        got = sessions["text_encoder"].run(None, {"token_ids": ids, "token_mask": token_mask})
        pairs = [(got[0], condition)]
        if batch != 3:
            pairs.append((got[1], embedding))
        feeds = {"x_t": x, "timestep": t, "condition": condition.numpy(), "frame_mask": mask}
        real = torch.from_numpy(mask)
        x0 = networks.denoiser(torch.from_numpy(x), torch.from_numpy(t), condition, real)
        pairs.append((sessions["denoiser"].run(None, feeds)[0] * mask[..., None], x0 * real[..., None]))
        e = networks.embed_motion(torch.from_numpy(x), torch.from_numpy(mask))
        pairs.append((sessions["motion_embedding"].run(None, {"features": x, "frame_mask": mask})[0], e))
        worst = max(worst, *(float(np.abs(a - b.numpy()).max()) for a, b in pairs))
    return worst


def with_words(towers: dict[str, torch.Tensor], known: torch.Tensor) -> dict[str, torch.Tensor]:
    """Weights of the embedding's towers with the rows of the word corrections where `known` `[vocab]` has them.

    Each training numbers the words as it meets them. A word that the embedding did not learn has no correction.
    """
    own, learnt = towers["embed_text.known"], towers["embed_text.correction"]
    rows = torch.zeros(int(known.max()) + 1, learnt.shape[1])
    rows[0] = learnt[0]
    both = (known > 0) & (own > 0)
    rows[known[both]] = learnt[own[both]]
    return towers | {"embed_text.known": known.clone(), "embed_text.correction": rows}


def main() -> None:
    """Command line: export a checkpoint of `train.py`, or add the words of its data to a package."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--checkpoint", type=Path, help="of train.py; without it only the words are written")
    parser.add_argument("--data", type=Path, help="data set of the training: its captions are the package's words")
    parser.add_argument("--embedding", type=Path, help="checkpoint of train_embedding.py")
    parser.add_argument("--weights", choices=("ema", "model"), default="ema")
    parser.add_argument("--card", type=Path, help="JSON with licence, data, limits, known_prompts, metrics")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    if args.checkpoint is None:
        if args.data is None:
            parser.error("--checkpoint or --data must be given")
        add_text(args.out, text_of_data(args.data))
        return
    state = torch.load(args.checkpoint, weights_only=False, map_location="cpu")
    networks = Networks(TrainConfig.from_dict(state["config"]), state["table"], state["known"])
    networks.load_state_dict(state[args.weights])
    if args.embedding:
        towers = torch.load(args.embedding, weights_only=False, map_location="cpu")["ema"]
        own = {k: v for k, v in towers.items() if k.startswith("embed_")}
        networks.load_state_dict(with_words(own, networks.text.known), strict=False)
    card = json.loads(args.card.read_text()) if args.card else {}
    if args.data:
        card["text"] = text_of_data(args.data)
    worst = write_package(networks, state["mean"], state["std"], Path(state["tokenizer"]), args.out, card)
    size = sum(f.stat().st_size for f in args.out.iterdir())
    print(json.dumps({"out": str(args.out), "bytes": size, "max_difference": worst, "step": state.get("step")}))


if __name__ == "__main__":
    main()
