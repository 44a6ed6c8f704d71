"""nllgrade: releases the coursework of the book, and grades submissions without trusting them.

A trusted parent holds the questions, the reference answers and the hidden cases. A submission runs
in a sandbox that has none of these: it is asked for values, and answers with plain arrays.
"""

__version__ = "0.1.0"
