import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import torch
from torch.nn import functional as F

from op_golden import case, node, noise, write

FRAMES, BATCH, INPUTS, HIDDEN = 4, 3, 2, 5
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
# The order of torch's gates among ONNX's: i f g o among i o f c, r z n among z r h.
ORDER = {"RNN": [0], "GRU": [1, 0, 2], "LSTM": [0, 2, 3, 1]}


def tensors(op, directions=1, frames=FRAMES, bias=True, start=True, by_batch=False):
    rows, (d, h) = GATES[op] * HIDDEN, (directions, HIDDEN)
    data = {
        "x": noise(*((BATCH, frames) if by_batch else (frames, BATCH)), INPUTS),
        "w": noise(d, rows, INPUTS, seed=1, low=-0.7, high=0.7),
        "r": noise(d, rows, h, seed=2, low=-0.7, high=0.7),
    }
    state = (BATCH, d, h) if by_batch else (d, BATCH, h)
    data |= {"b": noise(d, 2 * rows, seed=3)} if bias else {}
    data |= {"s": noise(*state, seed=4, low=-1, high=1)} if start else {}
    data |= {"c": noise(*state, seed=5, low=-1, high=1)} if start and op == "LSTM" else {}
    return data


def of_torch(op, directions=1, by_batch=False):
    """torch's own LSTM, GRU or RNN with ONNX's weights."""

    def arranged(v):
        blocks = v.split(HIDDEN, 0)
        return torch.cat([blocks[at] for at in ORDER[op]])

    def f(x, w, r, b, s, c=None):
        weights = []
        for d in range(directions):
            of_input, own = b[d].chunk(2)
            weights += [arranged(w[d]), arranged(r[d]), arranged(of_input), arranged(own)]
        if by_batch:
            x, s, c = x.transpose(0, 1), s.transpose(0, 1), None if c is None else c.transpose(0, 1)
        run = {"RNN": torch.rnn_tanh, "GRU": torch.gru, "LSTM": torch.lstm}[op]
        hx = (s, c) if op == "LSTM" else s
        y, *last = run(x, hx, weights, True, 1, 0.0, False, directions == 2, False)
        y = y.unflatten(-1, (directions, HIDDEN)).transpose(1, 2)
        if by_batch:
            return y.permute(2, 0, 1, 3), *(v.transpose(0, 1) for v in last)
        return y, *last

    return f


def stated(op, acts, directions=("forward",), lengths=None, clip=None, before_reset=False, forget=False, names=""):
    """The recurrence as ONNX states it; `names` says which tensors come after x, w and r."""

    def f(x, w, r, *rest):
        given = dict(zip(names, rest, strict=True))
        limited = (lambda v: v.clamp(-clip, clip)) if clip else (lambda v: v)
        act = [lambda v, a=a: a(limited(v)) for a in acts]
        ys, hs, cs = [], [], []
        for d, direction in enumerate(directions):
            wb, rb = given["b"][d].chunk(2) if "b" in given else (torch.zeros(w.shape[1]),) * 2
            zeros = torch.zeros(x.shape[1], HIDDEN, dtype=x.dtype)
            h = given["s"][d] if "s" in given else zeros
            c = given["c"][d] if "c" in given else zeros
            p = given["p"][d].chunk(3) if "p" in given else [0.0] * 3
            y = [None] * len(x)
            for t in range(len(x)) if direction == "forward" else reversed(range(len(x))):
                g = x[t] @ w[d].T + wb
                if op == "RNN":
                    hn, cn = act[0](g + h @ r[d].T + rb), c
                elif op == "GRU":
                    (gz, gr, gh), (bz, br, bh) = g.chunk(3, 1), rb.chunk(3)
                    rz, rr, rh = r[d].chunk(3)
                    z, reset = act[0](gz + h @ rz.T + bz), act[0](gr + h @ rr.T + br)
                    inner = reset * (h @ rh.T + bh) if before_reset else (reset * h) @ rh.T + bh
                    hn, cn = (1 - z) * act[1](gh + inner) + z * h, c
                else:
                    gi, go, gf, gc = (g + h @ r[d].T + rb).chunk(4, 1)
                    i = act[0](gi + p[0] * c)
                    fg = 1 - i if forget else act[0](gf + p[2] * c)
                    cn = fg * c + i * act[1](gc)
                    hn = act[0](go + p[1] * cn) * act[2](cn)
                inside = torch.ones(x.shape[1], 1, dtype=torch.bool) if lengths is None else (t < lengths)[:, None]
                y[t] = torch.where(inside, hn, 0.0)
                h, c = torch.where(inside, hn, h), torch.where(inside, cn, c)
            ys.append(torch.stack(y))
            hs.append(h)
            cs.append(c)
        out = torch.stack(ys, 1), torch.stack(hs), torch.stack(cs)
        return out if op == "LSTM" else out[:2]

    return f


def outputs(op):
    return ["y", "h", "e"] if op == "LSTM" else ["y", "h"]


def one(name, op, f, data, inputs, constants=None, dims="fixed", **attributes):
    return case(
        name,
        node(op, inputs, outputs(op), hidden_size=HIDDEN, **attributes),
        data,
        f,
        constants=constants,
        outputs=tuple(outputs(op)),
        dims=dims,
        fixed=("w", "r", "b", "p"),
    )


cases = []
for op in GATES:
    plain = ["x", "w", "r", "b", "", "s"] + (["c"] if op == "LSTM" else [])
    more = {"linear_before_reset": 1} if op == "GRU" else {}
    cases.append(one(f"{op}_torch", op, of_torch(op), tensors(op), plain, **more))
    # Too long to be written out, and of free length: as a Scan.
    cases.append(one(f"{op}_long", op, of_torch(op), tensors(op, frames=18), plain, **more))
    free = tensors(op, 2)
    both = {"direction": "bidirectional"} | more
    cases.append(one(f"{op}_both", op, of_torch(op, 2), free, plain, dims="shared", **both))

sigmoid, tanh, relu = torch.sigmoid, torch.tanh, torch.relu
standard = {"RNN": [tanh], "GRU": [sigmoid, tanh], "LSTM": [sigmoid, tanh, tanh]}
lengths = np.array([2, 4, 3], np.int32)
for op in GATES:
    for direction, dims in (("forward", "fixed"), ("reverse", "shared")):
        f = stated(op, standard[op], (direction,), torch.tensor(lengths), names="bs" + "c" * (op == "LSTM"))
        cases.append(
            one(
                f"{op}_lengths_{direction}",
                op,
                f,
                tensors(op),
                ["x", "w", "r", "b", "n", "s"] + (["c"] if op == "LSTM" else []),
                constants={"n": lengths},
                dims=dims,
                direction=direction,
            )
        )
    bare = tensors(op, bias=False, start=False)
    cases.append(one(f"{op}_bare", op, stated(op, standard[op]), bare, "xwr", dims="shared"))

softened = [F.hardsigmoid, lambda v: 1.7 * torch.tanh(0.6 * v), lambda v: F.leaky_relu(v, 0.2)]
peeped = tensors("LSTM") | {"p": noise(1, 3 * HIDDEN, seed=7)}
every = ["x", "w", "r", "b", "", "s", "c", "p"]
cases += [
    one("GRU_reset_first", "GRU", stated("GRU", standard["GRU"], names="bs"), tensors("GRU"), every[:6]),
    one("LSTM_peepholes", "LSTM", stated("LSTM", standard["LSTM"], names="bscp"), peeped, every),
    one(
        "LSTM_input_forget",
        "LSTM",
        stated("LSTM", standard["LSTM"], forget=True, names="bscp"),
        peeped,
        every,
        input_forget=1,
    ),
    one(
        "LSTM_activations",
        "LSTM",
        stated("LSTM", softened, names="bsc"),
        tensors("LSTM"),
        ["x", "w", "r", "b", "", "s", "c"],
        activations=["HardSigmoid", "ScaledTanh", "LeakyRelu"],
        activation_alpha=[1 / 6, 1.7, 0.2],
        activation_beta=[0.5, 0.6],
    ),
    one(
        "RNN_clip",
        "RNN",
        stated("RNN", [relu], clip=0.8, names="bs"),
        tensors("RNN"),
        ["x", "w", "r", "b", "", "s"],
        activations=["Relu"],
        clip=0.8,
    ),
    one(
        "GRU_affine",
        "GRU",
        stated("GRU", [F.softsign, lambda v: 0.3 * v + 0.1], names="bs"),
        tensors("GRU"),
        ["x", "w", "r", "b", "", "s"],
        activations=["Softsign", "Affine"],
        activation_alpha=[0.3],
        activation_beta=[0.1],
    ),
]
write(__file__, cases)
