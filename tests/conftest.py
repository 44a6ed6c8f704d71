"""Settings of the machine that would change what a notebook shows are put aside for the tests."""

import os

import pytest

os.environ.pop("MPLBACKEND", None)  # with "agg", kernels would show no figures
pytest.register_assert_rewrite("tests.libraries")  # its asserts say what they found, too

# Imported by test_libraries.py alone, when it runs: the libraries take seconds to import.
collect_ignore_glob = ["libraries/of_*.py"]
