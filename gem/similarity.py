"""How alike the patches of an image are, and what is read along it (ProxyCLIP, SC-CLIP, SFP).

Everything is float32, whatever the tower computes in.

Shapes: b images, p patches row by row, u v rows and columns of patches, h heads, d head width,
c width.
"""

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor

Tokens = Float[Tensor, "b p c"]
Alike = Float[Tensor, "b p p"]
EPSILON = 1e-6  # added to the sums that rows are divided by, as in SC-CLIP's code


def cosines(tokens: Tokens) -> Alike:
    """The cosine of every patch with every other one."""
    unit = F.normalize(tokens.float(), dim=-1)
    return unit @ unit.mT


def above(alike: Alike, least: float) -> Alike:
    """The similarities of at least ``least``; what is below becomes 0."""
    return torch.where(alike < least, 0.0, alike)


def row_shares(alike: Alike, least: float) -> Alike:
    """Shares that each patch gives to those like it: 0 below ``least``, rows of sum 1."""
    kept = above(alike, least)
    return kept / (kept.sum(dim=-1, keepdim=True) + EPSILON)


def sharpened(alike: Alike, *, scale: float, margin: float = 1.0) -> Alike:
    """softmax(scale (S - margin mean S)) over each row, where what is negative has no share.

    The mean is that of all pairs of the image. A patch that is less like all patches, itself
    included, than the margin asks reads itself alone: released codes get nan there.
    """
    centred = alike - margin * alike.mean(dim=(1, 2), keepdim=True)
    itself = torch.eye(alike.shape[1], dtype=torch.bool, device=alike.device)
    lonely = (centred < 0).all(dim=-1, keepdim=True) & itself
    logits = (scale * centred).masked_fill((centred < 0) & ~lonely, -torch.inf)
    return logits.softmax(dim=-1)


def read(shares: Alike, values: Float[Tensor, "b h p d"]) -> Float[Tensor, "b h p d"]:
    """The values, read by the same shares in every head.

    The heads side by side: for each of its own the shares would be copied.
    """
    heads = values.shape[1]
    found = shares.to(values.dtype) @ rearrange(values, "b h p d -> b p (h d)")
    return rearrange(found, "b p (h d) -> b h p d", h=heads)


def outlier_factors(tokens: Tokens, neighbours: int) -> Float[Tensor, "b p"]:
    """The local outlier factor (Breunig et al., SIGMOD 2000) as SC-CLIP computes it.

    With D the squared distance to the k-th neighbour, the mean of D_i / D_j over the k neighbours
    j of patch i; about 1 among patches of one density. Raises ValueError for an image of too few
    patches.
    """
    count = tokens.shape[1]
    if count <= neighbours:
        raise ValueError(
            f"method.neighbours={neighbours}: an image of {count} patches has no such number of "
            "neighbours; give larger images or windows"
        )
    points = tokens.float()
    distances = torch.cdist(points, points).square()
    distances.diagonal(dim1=1, dim2=2).fill_(torch.inf)
    near, place = distances.topk(neighbours, dim=-1, largest=False)
    reach = near[..., -1]
    others = reach[:, None].expand(-1, count, -1).gather(2, place)
    tiny = torch.finfo(others.dtype).tiny
    return (reach[..., None] / others.clamp_min(tiny)).mean(dim=-1)


def repaired(tokens: Tokens, wrong: Bool[Tensor, "b p"], grid: tuple[int, int]) -> Tokens:
    """Wrong patches become the mean of the right ones among their 8 neighbours, if any is right."""
    plane = rearrange(tokens.float(), "b (u v) c -> b c u v", u=grid[0])
    right = rearrange(~wrong, "b (u v) -> b 1 u v", u=grid[0]).float()
    total = 9 * F.avg_pool2d(plane * right, 3, stride=1, padding=1)
    count = 9 * F.avg_pool2d(right, 3, stride=1, padding=1)
    mean = torch.where((right == 0) & (count > 0.5), total / count.clamp_min(1), plane)
    return rearrange(mean, "b c u v -> b (u v) c")
