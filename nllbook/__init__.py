"""nllbook: from likelihood to the loss functions of machine learning.

The helper package of the book of that name. A module mirrors a chapter, a function its formula.
Everything is in nats (natural logarithms) unless a base is given.
"""

from nllbook import datasets, plotting
from nllbook.claims import ClaimError, check
from nllbook.distributions import (
    Bernoulli,
    Categorical,
    Exponential,
    Gamma,
    Gaussian,
    Laplace,
    Poisson,
    StudentT,
    Uniform,
)
from nllbook.information import (
    binary_entropy,
    cross_entropy,
    entropy,
    kl_divergence,
    perplexity,
    surprisal,
)
from nllbook.likelihood import likelihood, log_likelihood, nll
from nllbook.numerics import (
    digamma,
    lgamma,
    log_sigmoid,
    log_softmax,
    logsumexp,
    sigmoid,
    softmax,
    softplus,
    trigamma,
    xlogy,
)
from nllbook.optimize import History, gradient_descent, newton
from nllbook.prose import glue, scientific

__version__ = "0.1.0"

__all__ = [
    "Bernoulli",
    "Categorical",
    "ClaimError",
    "Exponential",
    "Gamma",
    "Gaussian",
    "History",
    "Laplace",
    "Poisson",
    "StudentT",
    "Uniform",
    "binary_entropy",
    "check",
    "cross_entropy",
    "datasets",
    "digamma",
    "entropy",
    "glue",
    "gradient_descent",
    "kl_divergence",
    "lgamma",
    "likelihood",
    "log_likelihood",
    "log_sigmoid",
    "log_softmax",
    "logsumexp",
    "newton",
    "nll",
    "perplexity",
    "plotting",
    "scientific",
    "sigmoid",
    "softmax",
    "softplus",
    "surprisal",
    "trigamma",
    "xlogy",
]
