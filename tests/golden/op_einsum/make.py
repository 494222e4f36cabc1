import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch

from op_golden import case, node, noise, write

a, b = noise(2, 3, 4), noise(2, 4, 5)


def pair(name, equation, a, b):
    return case(
        name, node("Einsum", "ab", equation=equation), {"a": a, "b": b}, lambda a, b: torch.einsum(equation, a, b)
    )


write(
    __file__,
    [
        pair("product", "bij,bjk->bik", a, b),
        pair("implicit", "bij,bjk", a, b),
        pair("attention", "bqhd,bkhd->bhqk", noise(2, 3, 2, 4), noise(2, 5, 2, 4)),
        pair("outer", "i,j->ij", noise(3), noise(4)),
        pair("contracted", "ij,ij->", noise(3, 4), noise(3, 4, seed=1)),
        pair("rest", "...ij,jk->...ik", noise(2, 6, 3, 4), noise(4, 5)),
        pair("summed_alone", "ij,k->ik", noise(3, 4), noise(5)),
        case("permuted", node("Einsum", "a", equation="ijk->kij"), {"a": a}, lambda a: torch.einsum("ijk->kij", a)),
        case(
            "three",
            node("Einsum", "abc", equation="ij,jk,kl->il"),
            {"a": noise(2, 3), "b": noise(3, 4), "c": noise(4, 5)},
            lambda a, b, c: a @ b @ c,
        ),
        case("trace", node("Einsum", "a", equation="ii->"), {"a": noise(3, 3)}, lambda a: a.trace()),
        case(
            "diagonal",
            node("Einsum", "a", equation="bii->bi"),
            {"a": noise(2, 3, 3)},
            lambda a: a.diagonal(dim1=1, dim2=2),
        ),
        pair("diagonal_product", "bii,ij->bj", noise(2, 3, 3), noise(3, 4)),
    ],
)
