"""Data sets: readers of official layouts, and drawn scenes."""

from evaluation.data.card import VOID, Card, load_card, task_of
from evaluation.data.class_words import Words
from evaluation.data.hub import Hub
from evaluation.data.image_folder import Folder
from evaluation.data.instances import Instances
from evaluation.data.openimages import PointLabels
from evaluation.data.pairs import Pairs
from evaluation.data.sample import Dataset, Points, Sample
from evaluation.data.toy.masks import Toy
from evaluation.data.toy.points import ToyPoints

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
    "task_of",
]
