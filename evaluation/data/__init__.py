"""Data sets: readers of official layouts, and drawn scenes."""

from evaluation.data.card import VOID, Card, load_card
from evaluation.data.pairs import Pairs
from evaluation.data.sample import Dataset, Sample
from evaluation.data.toy import Toy

__all__ = ["VOID", "Card", "Dataset", "Pairs", "Sample", "Toy", "load_card"]
