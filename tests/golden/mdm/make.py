"""A tiny denoiser of the MDM family with a tiny CLIP text encoder, as their exporters write them. Random weights.

    pip install torch==2.15.0 transformers==5.23.0 tokenizers==0.23.3 onnx==1.23.2 onnxscript==0.7.2 numpy
    python make.py

The architecture is that of Tevet et al. 2023 (arXiv 2209.14916, section 3 and figure 2) with the authors' interface: x
`[b, 263, 1, frames]`, whole timesteps that index a table, CLIP's text embedding, a mask `[b, 1, 1, frames]`.
`dynamo.onnx` has free axes, `torchscript.onnx` is fixed to one clip of 196 frames, `padding.onnx` is the same network
as `[frames, b, 263]` with PyTorch's mask (true where a frame is padding), `unmasked.onnx` takes a mask and does not use
it, `observing.onnx` takes observed frames besides, as CondMDI. `refused_*.onnx` have the inputs of families that no
goal guides here. `io.npz` holds x̂0 and its vector-Jacobian products by autograd, and what transformers makes of
prompts.
"""

import json
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModelWithProjection, CLIPTokenizer

HERE = Path(__file__).resolve().parent
FEATURES, WIDTH, HEADS, TEXT, TABLE, STEPS = 263, 8, 2, 16, 256, 50
LENGTHS = ([42], [63, 50], [196, 40])
PROMPTS = ["a person walks forward", "Jump!", "the person   doesn't walk, then jumps and runs " * 3]
START, END = "<|startoftext|>", "<|endoftext|>"

torch.manual_seed(3)


class Mdm(nn.Module):
    """Frames and one token of time and text through a transformer's encoder."""

    def __init__(self, masked=True):
        super().__init__()
        self.masked = masked
        place = torch.arange(TABLE)[:, None] * torch.exp(torch.arange(0, WIDTH, 2) * (-np.log(10000.0) / WIDTH))
        self.register_buffer("table", torch.stack([place.sin(), place.cos()], 2).reshape(TABLE, WIDTH))
        self.frames_in, self.frames_out = nn.Linear(FEATURES, WIDTH), nn.Linear(WIDTH, FEATURES)
        self.time = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.SiLU(), nn.Linear(WIDTH, WIDTH))
        self.text = nn.Linear(TEXT, WIDTH)
        layer = nn.TransformerEncoderLayer(WIDTH, HEADS, 2 * WIDTH, activation="gelu")
        self.encoder = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)

    def forward(self, x, timesteps, text_embed, mask):
        frames = self.frames_in(x.squeeze(2).permute(2, 0, 1))
        token = self.time(self.table[timesteps]) + self.text(text_embed)
        both = torch.cat([token[None], frames]) + self.table[: x.shape[3] + 1, None]
        padding = None
        if self.masked:
            seen = mask.reshape(x.shape[0], x.shape[3])
            padding = ~torch.cat([torch.ones_like(seen[:, :1]), seen], 1)
        out = self.frames_out(self.encoder(both, src_key_padding_mask=padding)[1:])
        return out.permute(1, 2, 0).unsqueeze(2) + 0.0 * mask


class Observing(nn.Module):
    """Frames that are observed take the place of x_t's, as of CondMDI (Cohan et al. 2024)."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x, timesteps, text_embed, mask, obs_x0, obs_mask):
        return self.inner(torch.where(obs_mask, obs_x0, x), timesteps, text_embed, mask)


class FramesFirst(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x, timesteps, text_embed, key_padding_mask):
        mask = (~key_padding_mask)[:, None, None]
        return self.inner(x.permute(1, 2, 0).unsqueeze(2), timesteps, text_embed, mask).squeeze(2).permute(2, 0, 1)


def inputs(batch, frames):
    return (
        torch.randn(batch, FEATURES, 1, frames),
        torch.full((batch,), 7),
        torch.randn(batch, TEXT),
        torch.ones(batch, 1, 1, frames, dtype=torch.bool),
    )


def wave(shape, step):
    """Numbers that the test makes again: the sine of multiples of a step, in the order of memory."""
    return torch.from_numpy(np.sin(step * np.arange(np.prod(shape))).astype(np.float32).reshape(shape))


def without_traces(path):
    """The exporter notes where its code lies; a golden does not."""
    model = onnx.load(path)
    for thing in [model.graph, *model.graph.node, *model.graph.input, *model.graph.output, *model.graph.value_info]:
        thing.doc_string = ""
        del thing.metadata_props[:]
    onnx.save(model, path)


def export(name, net, args, names, dynamic=None):
    kept = {"input_names": names, "output_names": ["output"], "verbose": False}
    path = str(HERE / f"{name}.onnx")
    if dynamic is None:
        torch.onnx.export(net, args, path, dynamo=False, opset_version=17, **kept)
    else:
        torch.onnx.export(net, args, path, dynamo=True, external_data=False, dynamic_shapes=dynamic, **kept)
    without_traces(path)


def export_denoisers(net, unmasked):
    names = ["x", "timesteps", "text_embed", "mask"]
    b, t = torch.export.Dim("b", min=1, max=64), torch.export.Dim("t", min=2, max=200)
    free = ({0: b, 3: t}, {0: b}, {0: b}, {0: b, 3: t})
    export("dynamo", net, inputs(2, 60), names, free)
    export("unmasked", unmasked, inputs(2, 60), names, free)
    export("torchscript", net, inputs(1, 196), names)
    x, time, text, mask = inputs(2, 60)
    observing = (x, time, text, mask, 0.5 * x, x > 1)
    more = ["obs_x0", "obs_mask"]
    export("observing", Observing(net), observing, [*names, *more], (*free, {0: b, 3: t}, {0: b, 3: t}))
    first = (x.squeeze(2).permute(2, 0, 1), time, text, ~mask[:, 0, 0])
    free = ({0: t, 1: b}, {0: b}, {0: b}, {0: b, 1: t})
    export("padding", FramesFirst(net), first, [*names[:3], "key_padding_mask"], free)


def steps_of(net, io):
    """Every 13th column of x̂0 and Jᵀv for each batch of lengths, `[b, frames, 21]`; x_t is `wave(.., 0.37)` and v
    `wave(.., 0.73)` of `[b, frames, 263]`, as packages have clips, both 0 beyond a clip's length."""
    for case, lengths in enumerate(LENGTHS):
        text, shape = torch.randn(len(lengths), TEXT), (len(lengths), max(lengths), FEATURES)
        x, v = (wave(shape, step).permute(0, 2, 1).unsqueeze(2) for step in (0.37, 0.73))
        mask = torch.ones(len(lengths), 1, 1, max(lengths), dtype=torch.bool)
        for row, length in enumerate(lengths):
            mask[row, ..., length:] = False
        time = torch.full((len(lengths),), 9 + case)
        x, v = (x * mask).clone(), v * mask
        x.requires_grad_()
        x0 = net(x, time, text, mask) * mask
        (pulled,) = torch.autograd.grad(x0, x, v)
        for key, clip in {"x0": x0, "pulled": pulled * mask}.items():
            io[f"{key}_{case}"] = clip.detach().squeeze(2).permute(0, 2, 1)[..., ::13].contiguous().numpy()
        io[f"text_{case}"], io[f"lengths_{case}"] = text.numpy(), np.array(lengths)
        io[f"time_{case}"] = np.array([9.0 + case])


def write_tokenizer(folder):
    """A vocabulary of letters and a few merges, in CLIP's two files."""
    letters = "abcdefghijklmnopqrstuvwxyz,.!'"
    merges = ["w a", "l k", "wa lk</w>", "p e", "r s", "pe rs", "o n</w>", "pers on</w>", "t h", "th e</w>", "wa lk"]
    vocab = [*letters, *(letter + "</w>" for letter in letters)]
    merges.insert(2, "l k</w>")
    vocab += [merge.replace(" ", "") for merge in merges]
    vocab += [START, END]
    (folder / "vocab.json").write_text(json.dumps({token: at for at, token in enumerate(vocab)}) + "\n")
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges]) + "\n")
    return len(vocab)


def export_text(folder, io):
    folder.mkdir(exist_ok=True)
    size = write_tokenizer(folder)
    tokenizer = CLIPTokenizer.from_pretrained(folder)
    config = CLIPTextConfig(
        vocab_size=size, hidden_size=TEXT, intermediate_size=TEXT, num_hidden_layers=1, num_attention_heads=2,
        projection_dim=TEXT, eos_token_id=size - 1, bos_token_id=size - 2, pad_token_id=size - 1,
    )  # fmt: skip
    encoder = CLIPTextModelWithProjection(config).eval()

    class Encoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = encoder

        def forward(self, input_ids):
            return self.inner(input_ids=input_ids).text_embeds

    ids = torch.zeros(len(PROMPTS), 77, dtype=torch.int64)
    for row, prompt in enumerate(PROMPTS):
        tokens = tokenizer(prompt, truncation=True, max_length=22)["input_ids"]
        ids[row, : len(tokens)] = torch.tensor(tokens)
    io["token_ids"], io["text_embeds"] = ids.numpy(), Encoder()(ids).detach().numpy()
    batch = torch.export.Dim("batch", min=1, max=64)
    torch.onnx.export(
        Encoder(), (ids,), str(folder / "model.onnx"), dynamo=True, external_data=False, verbose=False,
        input_names=["input_ids"], output_names=["text_embeds"], dynamic_shapes=({0: batch},),
    )  # fmt: skip
    without_traces(str(folder / "model.onnx"))


def write_statistics(folder):
    """A standing body that walks: what HumanML3D's columns are, in round numbers."""
    folder.mkdir(exist_ok=True)
    heights = [.9, .9, .5, .5, 1., .1, .1, 1.1, .0, .0, 1.4, 1.3, 1.3, 1.5, 1.3, 1.3, 1.1, 1.1, .9, .9, .9]  # fmt: skip
    mean, std = np.zeros(FEATURES, np.float32), np.full(FEATURES, 0.1, np.float32)
    mean[2], mean[3] = 0.03, 0.95
    mean[5:67:3] = heights
    mean[67:193:6], mean[71:193:6] = 1.0, 1.0
    std[:4] = 0.01, 0.01, 0.02, 0.03
    np.save(folder / "Mean.npy", mean)
    np.save(folder / "Std.npy", std)
    mean[2], std[:3] = 1.0, (0.5, 1.0, 1.0)
    np.save(folder / "Mean_abs_3d.npy", mean)
    np.save(folder / "Std_abs_3d.npy", std)


def write_refused():
    """Graphs of nothing but inputs: they are told by these."""
    f32, i64 = onnx.TensorProto.FLOAT, onnx.TensorProto.INT64
    families = {
        "loop": [(name, i64, [1]) for name in ("batch_size", "njoints", "nfeats", "n_frames")],
        "camdm": [
            ("input_x", f32, [1, 26, 6, 45]),
            ("past_motion", f32, [1, 26, 6, 10]),
            ("traj_trans", f32, [1, 2, 45]),
        ],
        "mld": [
            ("sample", f32, ["b", 1, 256]),
            ("timestep", i64, ["b"]),
            ("encoder_hidden_states", f32, ["b", 1, 768]),
        ],
        "motionlcm": [("sample", f32, ["b", 1, 256]), ("timestep", i64, ["b"]), ("timestep_cond", f32, ["b", 256])],
        "ardy": [("cfg_weight_cstr", f32, [1]), ("x", f32, [1, "tok", 148]), ("text_feat_pad_mask", f32, [1, "n"])],
    }
    for name, tensors in families.items():
        ins = [onnx.helper.make_tensor_value_info(*tensor) for tensor in tensors]
        out = onnx.helper.make_tensor_value_info("output", *tensors[0][1:])
        node = onnx.helper.make_node("Identity", [tensors[0][0]], ["output"])
        graph = onnx.helper.make_graph([node], name, ins, [out])
        model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
        onnx.save(model, HERE / f"refused_{name}.onnx")


def main():
    warnings.filterwarnings("ignore")
    io = {}
    net, unmasked = Mdm().eval(), Mdm(masked=False).eval()
    unmasked.load_state_dict(net.state_dict())
    export_denoisers(net, unmasked)
    steps_of(net, io)
    export_text(HERE / "clip", io)
    write_statistics(HERE / "stats")
    write_refused()
    (HERE / "args.json").write_text(json.dumps({"diffusion_steps": STEPS, "noise_schedule": "cosine"}) + "\n")
    np.savez(HERE / "io.npz", **io)


if __name__ == "__main__":
    main()
