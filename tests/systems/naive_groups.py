"""GroupViT's rule once more, in loops over windows, pixels and classes.

The model's own forward passes a window of the size that it was trained on; nothing of `gem`.
"""

import numpy as np
import torch
import torch.nn.functional as F
from transformers.models.groupvit.modeling_groupvit import get_grouping_from_attentions


def starts(side, window, stride):
    """As mmseg's slide inference: the last window is moved back to the border."""
    found, start = [], 0
    while True:
        if start + window >= side:
            return [*found, max(side - window, 0)]
        found.append(start)
        start += stride


def softmax(row):
    raised = np.exp(row - row.max())
    return raised / raised.sum()


def unit(vector):
    return vector / np.linalg.norm(vector)


def seen(model, window):
    """Embeddings of groups and of the whole, and the shares of each pixel of one window."""
    with torch.no_grad():
        found = model.vision_model(window[None], output_attentions=True, return_dict=True)
        groups = [model.visual_projection(one[None])[0] for one in found.last_hidden_state[0]]
        whole = model.visual_projection(found.pooler_output)[0]
        shares = get_grouping_from_attentions(found.attentions, window.shape[1:])[0]
    embeddings = [unit(one.double().numpy()) for one in groups]
    return embeddings, unit(whole.double().numpy()), shares.numpy()


def matrix(groups, whole, text, owners, scale):
    """A row of scores of all words for each group."""
    fits = {}
    for owner, word in zip(owners, text, strict=True):
        fits[owner] = max(fits.get(owner, -np.inf), scale * whole @ word)
    best = sorted(fits, key=fits.get, reverse=True)[:5]
    kept = np.array([owner in best for owner in owners])
    rows = []
    for group in groups:
        logits = np.array([scale * group @ word for word in text])
        row = np.zeros(len(text))
        row[kept] = softmax(logits[kept])
        rows.append(row * softmax(logits))
    return rows


def scores(model, image, text, owners, *, window, stride, background=None):
    """Mean scores [w, y, x], mean background [y, x], and how clear each pixel's groups are."""
    text = F.normalize(text.double(), dim=-1).numpy()
    scale = min(float(model.logit_scale.detach().double().exp()), 100)
    height, width = image.shape[1:]
    total, empty = np.zeros((len(text), height, width)), np.zeros((height, width))
    count, clear = np.zeros((height, width)), np.full((height, width), np.inf)
    for top in starts(height, window, stride):
        for left in starts(width, window, stride):
            part = image[:, top : top + window, left : left + window]
            groups, whole, shares = seen(model, part)
            rows = matrix(groups, whole, text, owners, scale)
            limit = min(background or 0, max(row.max() for row in rows))
            for y in range(part.shape[1]):
                for x in range(part.shape[2]):
                    row = rows[shares[:, y, x].argmax()]
                    total[:, top + y, left + x] += row
                    empty[top + y, left + x] += row.max() < limit
                    count[top + y, left + x] += 1
                    second, first = np.sort(shares[:, y, x])[-2:]
                    clear[top + y, left + x] = min(clear[top + y, left + x], first - second)
    return total / count, empty / count, clear
