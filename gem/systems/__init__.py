"""Segmenters that are models of their own: what the paper's tables compare GEM with.

All of them come from the package `transformers`, an optional extra that is imported when one of
them is used.
"""
