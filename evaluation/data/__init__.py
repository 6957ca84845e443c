"""Data sets: readers of official layouts, and drawn scenes."""

from evaluation.data.card import VOID, Card, load_card
from evaluation.data.folder import Folder
from evaluation.data.hub import Hub
from evaluation.data.instances import Instances
from evaluation.data.pairs import Pairs
from evaluation.data.points import PointLabels
from evaluation.data.sample import Dataset, Points, Sample
from evaluation.data.toy import Toy
from evaluation.data.toy_points import ToyPoints
from evaluation.data.words import Words

__all__ = [
    "VOID",
    "Card",
    "Dataset",
    "Folder",
    "Hub",
    "Instances",
    "Pairs",
    "PointLabels",
    "Points",
    "Sample",
    "Toy",
    "ToyPoints",
    "Words",
    "load_card",
]
