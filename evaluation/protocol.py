"""How an evaluation turns images into decisions: every choice has a name and a value.

Shapes: c classes asked, y x pixels of the mask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import SkipValidation

from gem.options import Fraction, Positive, options
from gem.resize import Resize

if TYPE_CHECKING:
    from jaxtyping import Float, Int64
    from torch import Tensor


@options
class Protocol:
    """The paper's protocol unless set otherwise (Sec. 4.1).

    name: for tables and records.
    resize: the size that the model sees. The whole image is seen at once, without windows.
    logit_scale: what cosines are multiplied by before the softmax. The paper does not say; 100 is
        CLIP's own trained scale and that of the author's code.
    background: softmax probability under which a pixel is background, for data sets whose truth
        has a background class; null where there is none. The paper's 0.85, over the foreground
        classes.
    """

    name: str
    resize: SkipValidation[Resize]
    logit_scale: Positive = 100.0
    background: Fraction | None = 0.85

    def decide(self, cosines: Float[Tensor, "c y x"], *, background: bool) -> Int64[Tensor, "y x"]:
        """The label of every pixel, from cosines that were upsampled to the mask.

        Without ``background`` labels are 0 to c-1; with it 0 is background and classes follow.
        Raises ValueError if a background is asked for and the protocol has no rule for it.
        """
        if not background:
            return cosines.argmax(dim=0)
        if self.background is None:
            raise ValueError(
                f"protocol.background is null in protocol {self.name}, but the data set has a "
                "background class: set a threshold in [0, 1]"
            )
        logits = cosines * self.logit_scale
        peak, best = logits.max(dim=0)
        certain = (peak - logits.logsumexp(dim=0)).exp() >= self.background
        return (best + 1) * certain
