"""Negative log-likelihoods at vocabulary scale, in PyTorch, which is imported here alone.

=====================  ===========================================================================
Function               Value
=====================  ===========================================================================
linear_cross_entropy   −log softmax(x Wᵀ + b)[target], never holding the logits of all rows
vocab_parallel_nll     −log softmax(z)[target] where each process holds the logits of some classes
data_parallel_nll      the mean over all processes, each of which holds some of the rows
=====================  ===========================================================================

All are in nats, with the classes on the last axis. Half-precision numbers are summed in float32.
Errors are those of the rest of the package: a ValueError, or a TypeError
for a wrong type, names the argument, what was expected, what came and where; on a GPU too, where an
index out of range stops at a message and not at a device-side assertion.
"""

try:
    import torch as _  # noqa: F401
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "nllbook.torch needs PyTorch, which is not installed: pip install torch", name="torch"
    ) from error

from nllbook.torch.linear import linear_cross_entropy
from nllbook.torch.parallel import data_parallel_nll, vocab_parallel_nll

__all__ = ["data_parallel_nll", "linear_cross_entropy", "vocab_parallel_nll"]
