"""Tests of the package, of the book's machinery, and of the book's own checks."""
