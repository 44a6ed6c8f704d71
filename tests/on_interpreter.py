"""Runs the Triton kernel on the CPU, in a process of its own: `python on_interpreter.py IN OUT`.

Importing triton settles for all of a process whether kernels are compiled or interpreted. IN holds
calls of `kernels.softmax_nll_`; OUT gets their losses and what is then in the place of the logits,
and the memory that the first took, in KiB, with its rows more than 2³¹ numbers apart.
"""

from __future__ import annotations

import os
import resource
import sys

os.environ["TRITON_INTERPRET"] = "1"

import torch

from nllbook.torch.kernels import softmax_nll_
from nllbook.torch.softmax import Options

FAR = 2**30 + 7  # numbers from row to row: fewer than 2³¹, and yet the third row is beyond


def most_memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    source, result = sys.argv[1:]
    calls = torch.load(source)
    before = most_memory()
    z = calls[0][0]
    far = torch.empty((len(z) - 1) * FAR + z.shape[1]).as_strided(
        z.shape, (FAR, 1)
    )  # pages not touched are not there
    calls[0][0] = far.copy_(z)
    found, memory = [], []
    for z, target, scale, options in calls:
        losses = softmax_nll_(z, target, scale, Options(**options))
        found.append((losses, z.clone()))
        memory.append(most_memory() - before)
    torch.save((found, memory[0]), result)


if __name__ == "__main__":
    main()
