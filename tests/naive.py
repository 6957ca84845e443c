"""The methods once more, straight from the equations, one head and one image at a time.

Plain products, softmax and loops over the raw parameters of open_clip's model; nothing of
`gem.trace` or `gem.backbones`.
"""

import torch


def layer_norm(x, norm):
    centred = x - x.mean(dim=-1, keepdim=True)
    deviation = (centred.pow(2).mean(dim=-1, keepdim=True) + norm.eps).sqrt()
    return centred / deviation * norm.weight + norm.bias


def gelu(x):
    return x * 0.5 * (1 + torch.erf(x / 2**0.5))


def feed_forward(x, block):
    """FFN(LN2 x)."""
    first, second = block.mlp.c_fc, block.mlp.c_proj
    hidden = gelu(layer_norm(x, block.ln_2) @ first.weight.T + first.bias)
    return hidden @ second.weight.T + second.bias


def projections(u, block):
    """q, k, v of the tokens u, a list of [n, d] per head."""
    width, heads = u.shape[-1], block.attn.num_heads
    found = {}
    for i, name in enumerate("qkv"):
        rows = slice(i * width, (i + 1) * width)
        whole = u @ block.attn.in_proj_weight[rows].T + block.attn.in_proj_bias[rows]
        found[name] = list(whole.split(width // heads, dim=-1))
    return found


def out_proj(heads, block):
    return torch.cat(heads, dim=-1) @ block.attn.out_proj.weight.T + block.attn.out_proj.bias


def unit(x):
    return x / x.norm(dim=-1, keepdim=True)


def block_forward(x, block):
    """The block as trained: softmax(q k^T / sqrt(d)) v, then the FFN."""
    p = projections(layer_norm(x, block.ln_1), block)
    root = p["q"][0].shape[-1] ** 0.5
    triples = zip(p["q"], p["k"], p["v"], strict=True)
    x = x + out_proj([torch.softmax(q @ k.T / root, -1) @ v for q, k, v in triples], block)
    return x + feed_forward(x, block)


def streams(visual, image):
    """The tokens that enter each block, and those that leave the last one."""
    x = visual.conv1(image[None])[0].flatten(1).T
    x = torch.cat([visual.class_embedding[None], x]) + visual.positional_embedding
    found = [layer_norm(x, visual.ln_pre)]
    for block in visual.transformer.resblocks:
        found.append(block_forward(found[-1], block))
    return found


def project_patches(visual, x):
    return layer_norm(x[1:], visual.ln_post) @ visual.proj


def clip(visual, image):
    return project_patches(visual, streams(visual, image)[-1])


def maskclip(visual, image):
    block = visual.transformer.resblocks[-1]
    u = layer_norm(streams(visual, image)[-2], block.ln_1)
    return project_patches(visual, out_proj(projections(u, block)["v"], block))


def clip_surgery(visual, image, blocks):
    """g <- g + out_proj(softmax(v v^T / sqrt(d)) v), u always from the original path."""
    ordinary = streams(visual, image)
    first = len(ordinary) - 1 - blocks
    g = ordinary[first]
    for x, block in zip(ordinary[first:-1], visual.transformer.resblocks[first:], strict=True):
        values = projections(layer_norm(x, block.ln_1), block)["v"]
        root = values[0].shape[-1] ** 0.5
        g = g + out_proj([torch.softmax(v @ v.T / root, -1) @ v for v in values], block)
    return project_patches(visual, g)


def temperature(u, width, kind):
    """Eq. 8: tau = N sqrt(d) / sum of the token norms; sqrt(d); or the number itself."""
    if kind == "adaptive":
        total = sum(token.pow(2).sum().sqrt() for token in u)
        return len(u) * width**0.5 / total
    return width**0.5 if kind == "standard" else kind


def self_self(p, v, *, tau, iters, normalize):
    """Eq. 4 to 7 for one head."""
    p = unit(p) if normalize else p
    for _ in range(iters):
        p = torch.softmax(p @ p.T / tau, dim=-1) @ p
        p = unit(p) if normalize else p
    return torch.softmax(p @ p.T / tau, dim=-1) @ v


def gem(visual, image, options):
    """The second path over the last blocks of the tower, ``options`` a `gem.Gem`."""
    ordinary = streams(visual, image)
    first = len(ordinary) - 1 - options.blocks
    g = ordinary[first]
    for x, block in zip(ordinary[first:-1], visual.transformer.resblocks[first:], strict=True):
        u = layer_norm(x, block.ln_1)
        found = projections(u, block)
        tau = temperature(u, found["v"][0].shape[-1], options.temperature)
        tau = tau / options.temperature_scale
        rule = {"tau": tau, "iters": options.iters, "normalize": options.normalize}
        heads = [
            sum(self_self(found[name][h], v, **rule) for name in options.projections)
            / len(options.projections)
            for h, v in enumerate(found["v"])
        ]
        g = g + out_proj(heads, block)
        g = g + feed_forward(g, block) if options.mlp else g
    return project_patches(visual, g)


def bilinear(plane, rows, columns):
    """A plane [u, v, c] on another grid, pixel by pixel: cells have their values at the centre."""

    def place(number, count, old):
        at = min(max((number + 0.5) * old / count - 0.5, 0), old - 1)
        first = int(at)
        return first, min(first + 1, old - 1), at - first

    found = torch.zeros(rows, columns, plane.shape[-1])
    for y in range(rows):
        top, bottom, down = place(y, rows, plane.shape[0])
        for x in range(columns):
            left, right, across = place(x, columns, plane.shape[1])
            above = (1 - across) * plane[top, left] + across * plane[top, right]
            below = (1 - across) * plane[bottom, left] + across * plane[bottom, right]
            found[y, x] = (1 - down) * above + down * below
    return found


def proxyclip(visual, image, tokens, grids, options):
    """Values read by softmax(scale (S - margin mean S)) of another model's tokens [p, c].

    ``grids``: rows and columns of CLIP's patches and of the other model's.
    """
    block = visual.transformer.resblocks[-1]
    values = projections(layer_norm(streams(visual, image)[-2], block.ln_1), block)["v"]
    alike = torch.stack([unit(tokens) @ unit(one) for one in tokens])
    mean = sum(float(one) for one in alike.flatten()) / alike.numel()
    heads = []
    for v in values:
        finer = bilinear(v[1:].reshape(*grids[0], -1), *grids[1]).reshape(len(tokens), -1)
        rows = []
        for row in alike:
            near = [j for j, one in enumerate(row) if one - options.margin * mean >= 0]
            weights = [torch.exp(options.scale * (row[j] - options.margin * mean)) for j in near]
            rows.append(
                sum(w * finer[j] for w, j in zip(weights, near, strict=True)) / sum(weights)
            )
        heads.append(torch.stack(rows))
    written = out_proj(heads, block)
    return layer_norm(written, visual.ln_post) @ visual.proj
