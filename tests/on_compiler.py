"""Compiles the Triton kernel for a GPU that is not here, in a process of its own.

Importing triton settles for all of a process whether kernels are compiled or interpreted. What the
test looks at is printed as JSON, for each choice of a gradient and of options.
"""

from __future__ import annotations

import json
import os

os.environ.pop("TRITON_INTERPRET", None)

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from nllbook.torch.kernels import _softmax_nll

HOPPER = GPUTarget("cuda", 90, 32)
POINTERS = {"logits": "*fp32", "targets": "*i64", "scales": "*fp32", "losses": "*fp32"}
NUMBERS = {"stride": "i64", "k": "i32", "ignore_index": "i32"}
FACTORS = dict.fromkeys(("smoothing", "cap", "z_loss"), "fp32")
SIXTEEN = [["tt.divisibility", 16]]  # of the logits' address, a row's stride, and the classes


def compiled(gradient: bool, options: bool) -> dict[str, bool]:
    chosen = {"GRADIENT": gradient, "CAPPED": options, "SMOOTHED": options, "BLOCK": 8192}
    signature = {**POINTERS, **NUMBERS, **FACTORS, **dict.fromkeys(chosen, "constexpr")}
    known = {(0,): SIXTEEN, (4,): SIXTEEN, (5,): SIXTEEN}
    source = ASTSource(_softmax_nll, signature, chosen, known)
    made = triton.compile(source, target=HOPPER, options={"num_warps": 16})
    text = made.asm["ptx"]
    return {
        "compiled": bool(made.asm["cubin"]),
        "reads four at a time": "ld.global.v4" in text,
        "writes four at a time": "st.global.v4" in text,
        "spills": ".local" in text,
    }


def main() -> None:
    choices = [(gradient, options) for gradient in (True, False) for options in (True, False)]
    print(json.dumps([[*one, compiled(*one)] for one in choices]))


if __name__ == "__main__":
    main()
