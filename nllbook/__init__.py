"""nllbook: from likelihood to the loss functions of machine learning.

The helper package of the book of that name. A module mirrors a chapter, a function its formula.
Everything is in nats (natural logarithms) unless a base is given.
"""

from nllbook import datasets, exercises, figures, plotting
from nllbook.claims import ClaimError, check
from nllbook.coding import (
    arithmetic_decode,
    arithmetic_encode,
    huffman_code,
    prefix_decode,
    prefix_encode,
)
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
from nllbook.losses import (
    asymmetric_laplace_nll,
    bernoulli_nll,
    categorical_nll,
    gaussian_nll,
    huber_nll,
    laplace_nll,
    poisson_nll,
    student_t_nll,
)
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
    "arithmetic_decode",
    "arithmetic_encode",
    "asymmetric_laplace_nll",
    "bernoulli_nll",
    "binary_entropy",
    "categorical_nll",
    "check",
    "cross_entropy",
    "datasets",
    "digamma",
    "entropy",
    "exercises",
    "figures",
    "gaussian_nll",
    "glue",
    "gradient_descent",
    "huber_nll",
    "huffman_code",
    "kl_divergence",
    "laplace_nll",
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
    "poisson_nll",
    "prefix_decode",
    "prefix_encode",
    "scientific",
    "sigmoid",
    "softmax",
    "softplus",
    "student_t_nll",
    "surprisal",
    "trigamma",
    "xlogy",
]
