"""The field's methods once more, from their equations: one image, one head, one patch at a time.

Beside the parameters of open_clip's model nothing is shared with the library; what `naive` has is
used. Options are those of the methods.
"""

import math

import torch
from naive import feed_forward, layer_norm, out_proj, project_patches, projections, streams


def self_attention(a, b, v):
    """softmax(a b^T / sqrt(d)) v."""
    return torch.softmax(a @ b.T / a.shape[-1] ** 0.5, -1) @ v


def last_of(visual, image):
    """The stream into the last block, the block, its q, k, v per head."""
    x, block = streams(visual, image)[-2], visual.transformer.resblocks[-1]
    return x, block, projections(layer_norm(x, block.ln_1), block)


def finish(visual, x, block, heads, options):
    """Written, with what the options keep of the block."""
    g = out_proj(heads, block)
    g = x + g if options.residual else g
    return project_patches(visual, g + feed_forward(g, block) if options.mlp else g)


def sclip_heads(p):
    return [
        self_attention(q, q, v) + self_attention(k, k, v)
        for q, k, v in zip(p["q"], p["k"], p["v"], strict=True)
    ]


def maskclip(visual, image, options):
    x, block, p = last_of(visual, image)
    return finish(visual, x, block, p["v"], options)


def sclip(visual, image, options):
    x, block, p = last_of(visual, image)
    return finish(visual, x, block, sclip_heads(p), options)


def clearclip(visual, image, options):
    """Readouts of the last blocks, summed; residual and MLP are the last block's."""
    ordinary, total = streams(visual, image), 0
    count = len(visual.transformer.resblocks)
    for number in range(count - options.last_blocks, count):
        x, block = ordinary[number], visual.transformer.resblocks[number]
        p = projections(layer_norm(x, block.ln_1), block)
        heads = [
            sum(self_attention(p[name][h], p[name][h], v) for name in options.projections)
            / len(options.projections)
            for h, v in enumerate(p["v"])
        ]
        g = out_proj(heads, block)
        if number == count - 1:
            g = x + g if options.residual else g
            g = g + feed_forward(g, block) if options.mlp else g
        total = total + g
    return project_patches(visual, total)


def gaussian(grid, sigma):
    """Omega, entry by entry; row and column 0 are the class token's."""
    rows, columns = grid
    omega = torch.zeros(1 + rows * columns, 1 + rows * columns)
    for i in range(rows * columns):
        for j in range(rows * columns):
            down = i // columns - j // columns
            across = i % columns - j % columns
            omega[1 + i, 1 + j] = math.exp(-(down**2 + across**2) / (2 * sigma**2))
    return omega


def naclip_heads(p, grid, options):
    omega, root = gaussian(grid, options.sigma), p["v"][0].shape[-1] ** 0.5
    if options.nonly:
        pairs = [
            float(a.norm()) * float(b.norm())
            for q, k in zip(p["q"], p["k"], strict=True)
            for a in q
            for b in k
        ]
        shares = torch.softmax(omega * (sum(pairs) / len(pairs) / root), -1)
        return [shares @ v for v in p["v"]]
    return [
        torch.softmax(k @ k.T / root + omega, -1) @ v for k, v in zip(p["k"], p["v"], strict=True)
    ]


def naclip(visual, image, options, grid):
    x, block, p = last_of(visual, image)
    return finish(visual, x, block, naclip_heads(p, grid, options), options)


def weights_of(visual, image, number):
    """softmax(q k^T / sqrt(d)) of a block, counted from 1, per head."""
    x, block = streams(visual, image)[number - 1], visual.transformer.resblocks[number - 1]
    p = projections(layer_norm(x, block.ln_1), block)
    return [
        torch.softmax(q @ k.T / q.shape[-1] ** 0.5, -1) for q, k in zip(p["q"], p["k"], strict=True)
    ]


def resclip(visual, image, options, grid, omega_sigma=5.0):
    """The attention itself is mixed, head by head, and then applied."""
    x, block, p = last_of(visual, image)
    root, omega = p["v"][0].shape[-1] ** 0.5, gaussian(grid, omega_sigma)
    middle = [weights_of(visual, image, number) for number in options.layers]
    heads = []
    for h, v in enumerate(p["v"]):
        by = {name: torch.softmax(p[name][h] @ p[name][h].T / root, -1) for name in "qk"}
        own = {
            "naclip": torch.softmax(p["k"][h] @ p["k"][h].T / root + omega, -1),
            "sclip": by["q"] + by["k"],
            "clearclip": by["q"],
        }[options.base]
        mean = sum(one[h] for one in middle) / len(middle)
        heads.append(options.factor * ((1 - options.share) * own + options.share * mean) @ v)
    return finish(visual, x, block, heads, options)


def itaclip(visual, image, options):
    x, block, p = last_of(visual, image)
    ordinary, root = streams(visual, image), p["v"][0].shape[-1] ** 0.5
    heads = []
    for h, v in enumerate(p["v"]):

        def both(found, h=h):
            return sum(torch.softmax(found[n][h] @ found[n][h].T / root, -1) for n in "qk")

        middle = []
        for number in options.layers:
            other = visual.transformer.resblocks[number - 1]
            u = layer_norm(ordinary[number - 1], other.ln_1)
            middle.append(both(projections(u, other)))
        mean = sum(middle) / len(middle)
        heads.append((0.5 * both(p) + 0.5 * mean) @ v)
    return finish(visual, x, block, heads, options)


def pearl(visual, image, options, steps=5):
    x, block, p = last_of(visual, image)
    heads = []
    for q, k, v in zip(p["q"], p["k"], p["v"], strict=True):
        share = torch.tensor([0.0] + [float(one.norm()) for one in q[1:]])
        share = share / share.sum()
        q_c = q - sum(w * one for w, one in zip(share, q, strict=True))
        k_c = k - sum(w * one for w, one in zip(share, k, strict=True))
        matrix = k_c.T @ q_c
        inner = matrix.T @ matrix  # its inverse root by the coupled steps of Newton and Schulz
        size = inner.norm()
        y, z = inner / size, torch.eye(len(inner))
        for _ in range(steps):
            turn = 0.5 * (3 * torch.eye(len(inner)) - z @ y)
            y, z = y @ turn, turn @ z
        rotation = matrix @ z / size**0.5
        logits = (q @ (k @ rotation).T + options.alpha * k_c @ k_c.T) / q.shape[-1] ** 0.5
        heads.append(torch.softmax(logits, -1) @ v)
    return finish(visual, x, block, heads, options)


# SC-CLIP and SFP.


def cosine(a, b):
    return float(a @ b / (a.norm() * b.norm()))


def alike(patches):
    return torch.tensor([[cosine(a, b) for b in patches] for a in patches])


def shares_above(matrix, least):
    """Below ``least`` nothing; rows divided by their sum."""
    kept = torch.tensor([[c if c >= least else 0.0 for c in row] for row in matrix.tolist()])
    return kept / (kept.sum(dim=1, keepdim=True) + 1e-6)


def sharpened(matrix, scale):
    mean = float(matrix.mean())
    rows = []
    for row in matrix.tolist():
        powers = [math.exp(scale * (c - mean)) if c >= mean else 0.0 for c in row]
        rows.append([power / sum(powers) for power in powers])
    return torch.tensor(rows)


def lof(patches, count):
    """Of each patch the mean of D_i / D_j over its nearest j."""
    squares = [[float((a - b).pow(2).sum()) for b in patches] for a in patches]
    nearest = [
        sorted((j for j in range(len(patches)) if j != i), key=lambda j, i=i: squares[i][j])
        for i in range(len(patches))
    ]
    reach = [squares[i][nearest[i][count - 1]] for i in range(len(patches))]
    return [
        sum(reach[i] / reach[j] for j in nearest[i][:count]) / count for i in range(len(patches))
    ]


def repair(patches, wrong, grid):
    columns = grid[1]
    found = patches.clone()
    for i in range(len(patches)):
        near = [
            j
            for j in range(len(patches))
            if j not in wrong
            and abs(i // columns - j // columns) <= 1
            and abs(i % columns - j % columns) <= 1
        ]
        if i in wrong and near:
            found[i] = sum(patches[j] for j in near) / len(near)
    return found


def sc_clip_outliers(visual, image, options):
    values = torch.tensor(lof(streams(visual, image)[-2][1:], options.neighbours))
    place = options.quantile * (len(values) - 1)
    low, high = values.sort().values[[math.floor(place), math.ceil(place)]].tolist()
    limit = low + (high - low) * (place - math.floor(place))
    return {i for i, value in enumerate(values.tolist()) if value > limit}


def sfp_outliers(visual, image, options):
    depth = len(visual.transformer.resblocks)
    heads = weights_of(visual, image, depth - 1)
    mean = sum(heads) / len(heads)
    drawn = {
        i: options.weight * float(mean[0, 1 + i])
        for i in range(len(mean) - 1)
        if options.weight * mean[0, 1 + i] > mean[1 + i, 1 + i]
    }
    return set(sorted(drawn, key=drawn.get, reverse=True)[: options.count])


def calibrated(visual, image, options, grid):
    """SC-CLIP; SFP where the options have ``weight``."""
    outputs, block = streams(visual, image), visual.transformer.resblocks[-1]
    sfp = hasattr(options, "weight")
    wrong = (sfp_outliers if sfp else sc_clip_outliers)(visual, image, options)
    before = outputs[-2]
    matrix = alike(repair(outputs[options.middle][1:], wrong, grid))
    x = shares_above(matrix, options.least) @ repair(before[1:], wrong, grid)
    kept = matrix * (matrix >= options.least) if sfp else matrix
    by_likeness = sharpened(kept, options.scale)
    levels = sum(outputs[options.levels[0] : options.levels[1] + 1])
    written = []
    for stream, token, first in ((x, before[0], True), (levels[1:], levels[0], False)):
        p = projections(layer_norm(stream, block.ln_1), block)
        heads = []
        for q, k, v in zip(p["q"], p["k"], p["v"], strict=True):
            parts = [by_likeness @ v]
            if first or not sfp:
                parts.append(self_attention(k, k, v))
            if first and sfp:
                parts.append(self_attention(q, q, v))
            heads.append(sum(parts) / len(parts))
        written.append(out_proj(heads, block) + options.class_share * token)
    early = shares_above(alike(outputs[options.early][1:]), options.least)
    y = early @ sum(written)
    return project_patches(visual, torch.cat([before[:1], y]))
