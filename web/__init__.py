"""Turns the source of the book into the site: one Sphinx extension made of small parts."""
