"""Drawn scenes: data that needs no download and no licence."""

from evaluation.data.toy.masks import Toy
from evaluation.data.toy.points import ToyPoints

__all__ = ["Toy", "ToyPoints"]
