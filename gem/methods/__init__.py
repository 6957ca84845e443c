"""Methods: pure functions of a `gem.trace.Trace`. One file each."""

from gem.methods.clip import Clip
from gem.methods.clip_surgery import ClipSurgery
from gem.methods.gem import Gem
from gem.methods.maskclip import MaskClip
from gem.methods.method import Method
from gem.methods.proxyclip import ProxyClip

__all__ = ["Clip", "ClipSurgery", "Gem", "MaskClip", "Method", "ProxyClip"]
