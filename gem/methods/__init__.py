"""Methods: pure functions of a `gem.trace.Trace`. One file each."""

from gem.methods.clearclip import ClearClip
from gem.methods.clip import Clip
from gem.methods.clip_surgery import ClipSurgery
from gem.methods.gem import Gem
from gem.methods.itaclip_attention import ItaclipAttention
from gem.methods.maskclip import MaskClip
from gem.methods.method import Method
from gem.methods.naclip import Naclip
from gem.methods.pearl import Pearl
from gem.methods.proxyclip import ProxyClip
from gem.methods.resclip import ResClip
from gem.methods.sc_clip import ScClip
from gem.methods.sclip import Sclip
from gem.methods.sfp import Sfp

__all__ = [
    "ClearClip", "Clip", "ClipSurgery", "Gem", "ItaclipAttention", "MaskClip", "Method", "Naclip",
    "Pearl", "ProxyClip", "ResClip", "ScClip", "Sclip", "Sfp",
]  # fmt: skip
