"""Models that leave a `gem.trace.Trace`: CLIP-like backbones, and companions without text.

Nothing heavy is imported here.
"""

from gem.backbones.backbone import Backbone, TowerShape
from gem.backbones.blip import Blip
from gem.backbones.open_clip import OpenClip
from gem.backbones.timm_vit import TimmVit
from gem.provenance import Provenance

__all__ = ["Backbone", "Blip", "OpenClip", "Provenance", "TimmVit", "TowerShape"]
