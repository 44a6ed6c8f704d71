"""Settings of the machine that would change what a notebook shows are put aside for the tests."""

import os

os.environ.pop("MPLBACKEND", None)  # with "agg", kernels would show no figures
