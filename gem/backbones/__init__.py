"""Backbones: CLIP-like models that leave a `gem.trace.Trace`. Nothing heavy is imported here."""

from gem.backbones.backbone import Backbone, Provenance
from gem.backbones.open_clip import OpenClip

__all__ = ["Backbone", "OpenClip", "Provenance"]
