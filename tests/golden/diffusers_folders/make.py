"""Tiny diffusers pipelines with random weights, exported by Optimum into folders as people have them, and what the
pipelines' own networks and schedulers make of them.

    pip install -r requirements.txt      # an environment of its own: transformers before 5
    python make.py

Writes for every folder `x_t`, x̂0 of each step by `DDIMScheduler` from the folder's own configuration with trailing
steps and classifier-free guidance (`plain`), the gradient of ½‖picture − 0.3‖² by x_t at each of these steps
(`gradient`), the last picture, and the token ids of odd strings by transformers' tokenizer. Of the latent consistency
model it is `LCMScheduler` without guidance of another text; `lcm_noise` is what it draws.
"""

import inspect
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import onnx
import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    LatentConsistencyModelPipeline,
    LCMScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from diffusers.schedulers import scheduling_lcm
from odd import ODD
from optimum.exporters.onnx import main_export
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    CLIPTokenizerFast,
)

HERE = Path(__file__).resolve().parent
PROMPT, STEPS, CFG, SIDE, DIMS, TOKENS = "a red heart on the sea's edge", 4, 3.0, 8, 8, 16
WORDS = [
    "a", "red", "heart", "on", "the", "sea", "edge", "blue", "star", "it", "is", "dont", "we", "ll", "and", "line",
    "hello", "world", "two", "spaces",
]  # fmt: skip


def vocabulary(folder: Path):
    """CLIP's byte pairs for a few words: `vocab.json` and `merges.txt`."""
    from transformers.models.clip.tokenization_clip import bytes_to_unicode

    letters = list(bytes_to_unicode().values())
    merges, tokens = [], letters + [c + "</w>" for c in letters]
    for word in WORDS:
        left = word[0] + ("</w>" if len(word) == 1 else "")
        for i, c in enumerate(word[1:], 2):
            right = c + ("</w>" if i == len(word) else "")
            if (left, right) not in merges:
                merges.append((left, right))
            left += right
    tokens += [a + b for a, b in merges] + ["<|startoftext|>", "<|endoftext|>"]
    folder.mkdir(parents=True, exist_ok=True)
    numbered = {token: i for i, token in enumerate(dict.fromkeys(tokens))}
    (folder / "vocab.json").write_text(json.dumps(numbered), encoding="utf-8")
    lines = ["#version: 0.2", *(f"{a} {b}" for a, b in merges)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=TOKENS)


def text_config(tokenizer, hidden, **more):
    return CLIPTextConfig(
        vocab_size=len(tokenizer), hidden_size=hidden, intermediate_size=12, num_hidden_layers=2, num_attention_heads=2,
        max_position_embeddings=TOKENS, bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id, **more,
    )  # fmt: skip


def unet(**more):
    return UNet2DConditionModel(
        sample_size=SIDE, in_channels=4, out_channels=4, block_out_channels=(8, 8), layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        norm_num_groups=4, attention_head_dim=2, **more,
    )  # fmt: skip


def vae(scaling):
    return AutoencoderKL(
        block_out_channels=(4, 4), norm_num_groups=2, latent_channels=4, layers_per_block=1, sample_size=2 * SIDE,
        down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2, scaling_factor=scaling,
    )  # fmt: skip


def random_weights(*modules):
    """Weights that make what is told and the time matter."""
    with torch.no_grad():
        for p in (p for m in modules for p in m.eval().parameters()):
            p.add_(torch.randn_like(p) * (0.15 if p.ndim > 1 else 0.05))


def exported(pipeline, name, beside=()):
    """Optimum's folder of a pipeline; the weights of the parts in `beside` go to a file of their own."""
    folder = HERE / name
    with tempfile.TemporaryDirectory() as saved:
        pipeline.save_pretrained(saved)
        main_export(saved, folder, task="text-to-image", library_name="diffusers", do_validation=False)
    for part in folder.glob("*/model.onnx"):
        model = onnx.load(part)
        for node in model.graph.node:
            node.ClearField("doc_string")
        del model.graph.value_info[:]
        part.unlink()
        beside_it = {"save_as_external_data": True, "location": "model.onnx_data"} if part.parent.name in beside else {}
        onnx.save(model, part, **beside_it)
    shutil.rmtree(folder / "vae_encoder")
    for config in folder.glob("**/*.json"):
        said = json.loads(config.read_text())
        if said.pop("_name_or_path", None):  # where it lay
            config.write_text(json.dumps(said, indent=2) + "\n")


def walk(scheduler, predict, decode, x):
    """x̂0 of every step, and the gradient of the loss by x_t there."""
    path, gradients = [], []
    for t in scheduler.timesteps:
        x = x.detach().requires_grad_()
        step = scheduler.step(predict(x, t), t, x)
        x0 = step.denoised if isinstance(scheduler, LCMScheduler) else step.pred_original_sample
        loss = 0.5 * (decode(x0) - 0.3).square().sum()
        gradients.append(torch.autograd.grad(loss, x)[0])
        path.append(x0.detach())
        x = step.prev_sample
    return torch.stack(path), torch.stack(gradients)


def golden(pipeline, name, told, null, added=None, **config):
    """`told` and `null` are the encoders' states; `added` the added conditions of either."""
    scheduler = DDIMScheduler.from_config(
        pipeline.scheduler.config, timestep_spacing="trailing", set_alpha_to_one=True, clip_sample=False, **config
    )
    scheduler.set_timesteps(STEPS)
    added = added or (None, None)

    def predict(x, t):
        def rows(states, more):
            more = None if more is None else {k: v.expand(len(x), -1) for k, v in more.items()}
            return pipeline.unet(x, t, states.expand(len(x), -1, -1), added_cond_kwargs=more).sample

        away = rows(null, added[1])
        return away + CFG * (rows(told, added[0]) - away)

    return walked(pipeline, name, scheduler, predict)


def walked(pipeline, name, scheduler, predict):
    """The arrays of a walk, from noise to the picture."""

    def decode(x0):
        return pipeline.vae.decode(x0 / pipeline.vae.config.scaling_factor).sample

    x = torch.randn(2, 4, SIDE, SIDE, generator=torch.Generator().manual_seed(3))
    path, gradient = walk(scheduler, predict, decode, x)
    with torch.no_grad():
        picture = decode(path[-1])
    return {f"{name}_x_t": x, f"{name}_plain": path, f"{name}_gradient": gradient, f"{name}_picture": picture}


def betas(**more):
    return DDIMScheduler(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, steps_offset=1,
                         clip_sample=False, set_alpha_to_one=False, **more)  # fmt: skip


def stable_diffusion(work):
    tokenizer = vocabulary(work / "tokenizer")
    encoder = CLIPTextModel(text_config(tokenizer, DIMS))
    network, decoder = unet(cross_attention_dim=DIMS), vae(0.18215)
    random_weights(encoder, network, decoder)
    pipeline = StableDiffusionPipeline(
        vae=decoder, text_encoder=encoder, tokenizer=tokenizer, unet=network, scheduler=betas(), safety_checker=None,
        feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    exported(pipeline, "stable-diffusion", beside=("unet", "text_encoder"))
    with torch.no_grad():
        told, null = pipeline.encode_prompt(PROMPT, "cpu", 1, True)
    out = golden(pipeline, "sd", told, null)
    # The same networks as if they had been trained otherwise, down to no signal at all.
    out |= golden(pipeline, "zero_snr", told, null, prediction_type="v_prediction", rescale_betas_zero_snr=True)
    out |= {"sd_told": told, "sd_null": null}
    return out


def odd_strings(name, part):
    """Ids, padded, by the tokenizer in a folder as transformers 5 has it (before: `CLIPTokenizerFast`)."""
    tokenizer = CLIPTokenizerFast.from_pretrained(HERE / name / part)
    return [tokenizer(t, padding="max_length", truncation=True, max_length=TOKENS).input_ids for t in ODD]


def stable_diffusion_xl(work):
    one = vocabulary(work / "tokenizer")
    two = CLIPTokenizer(str(work / "tokenizer/vocab.json"), str(work / "tokenizer/merges.txt"), model_max_length=TOKENS,
                        pad_token="!")  # fmt: skip
    encoders = (CLIPTextModel(text_config(one, DIMS)),
                CLIPTextModelWithProjection(text_config(two, 12, projection_dim=10)))  # fmt: skip
    network = unet(cross_attention_dim=DIMS + 12, addition_embed_type="text_time", addition_time_embed_dim=4,
                   projection_class_embeddings_input_dim=10 + 6 * 4, transformer_layers_per_block=1)  # fmt: skip
    decoder = vae(0.13025)
    random_weights(*encoders, network, decoder)
    pipeline = StableDiffusionXLPipeline(
        vae=decoder, text_encoder=encoders[0], text_encoder_2=encoders[1], tokenizer=one, tokenizer_2=two, unet=network,
        scheduler=betas(), force_zeros_for_empty_prompt=True, add_watermarker=False,
    )  # fmt: skip
    exported(pipeline, "stable-diffusion-xl", beside=("text_encoder", "text_encoder_2"))
    with torch.no_grad():
        told, null, pooled, no_pooled = pipeline.encode_prompt(PROMPT, device="cpu", do_classifier_free_guidance=True)
    ids = torch.tensor([[2.0 * SIDE, 2.0 * SIDE, 0, 0, 2.0 * SIDE, 2.0 * SIDE]])
    added = tuple({"text_embeds": p, "time_ids": ids} for p in (pooled, no_pooled))
    return golden(pipeline, "sdxl", told, null, added) | {"sdxl_told": told, "sdxl_pooled": pooled}


def latent_consistency(work):
    """A distilled network (Luo et al. 2023): told its guidance's scale, and walked by noise that is drawn anew."""
    tokenizer = vocabulary(work / "tokenizer")
    encoder = CLIPTextModel(text_config(tokenizer, DIMS))
    network, decoder = unet(cross_attention_dim=DIMS, time_cond_proj_dim=10), vae(0.18215)
    random_weights(encoder, network, decoder)
    scheduler = LCMScheduler(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, clip_sample=False)
    pipeline = LatentConsistencyModelPipeline(
        vae=decoder, text_encoder=encoder, tokenizer=tokenizer, unet=network, scheduler=scheduler, safety_checker=None,
        feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    exported(pipeline, "latent-consistency")
    with torch.no_grad():
        told, _ = pipeline.encode_prompt(PROMPT, "cpu", 1, False)
    # The pipeline's own scale, when none is given.
    scale = inspect.signature(pipeline.__call__).parameters["guidance_scale"].default
    told_scale = pipeline.get_guidance_scale_embedding(torch.tensor([scale - 1.0]), 10)
    scheduler.set_timesteps(STEPS)
    drawn = torch.randn(STEPS - 1, 2, 4, SIDE, SIDE, generator=torch.Generator().manual_seed(4))
    waiting = iter(drawn)
    scheduling_lcm.randn_tensor = lambda shape, **_: next(waiting)

    def predict(x, t):
        return network(x, t, told.expand(len(x), -1, -1), timestep_cond=told_scale.expand(len(x), -1)).sample

    return walked(pipeline, "lcm", scheduler, predict) | {"lcm_noise": drawn}


def main():
    torch.manual_seed(5)
    out = {}
    for make in (stable_diffusion, stable_diffusion_xl, latent_consistency):
        with tempfile.TemporaryDirectory() as work:
            out |= make(Path(work))
    folders = {"first": ("stable-diffusion", "tokenizer"), "second": ("stable-diffusion-xl", "tokenizer_2")}
    ids = {name: odd_strings(*folder) for name, folder in folders.items()}
    lines = [json.dumps({"text": text, **{k: v[i] for k, v in ids.items()}}) for i, text in enumerate(ODD)]
    (HERE / "odd.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")
    np.savez(HERE / "io.npz", **{k: a.detach().numpy().astype(np.float32) for k, a in out.items()})


main()
