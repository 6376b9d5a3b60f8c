"""One page for a colleague: what ran, its results, failures and pictures, in a single file.

``page`` writes it.
"""
