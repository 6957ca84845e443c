"""Segmenters that are no CLIP-like model."""
