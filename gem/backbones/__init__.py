"""Backbones: CLIP-like models that leave a `gem.trace.Trace`. Nothing heavy is imported here."""

from gem.backbones.backbone import Backbone, TowerShape
from gem.backbones.open_clip import OpenClip
from gem.provenance import Provenance

__all__ = ["Backbone", "OpenClip", "Provenance", "TowerShape"]
