"""The two towers of an open_clip model, walked without touching the model.

Shapes: b images, y x pixels, n tokens, c width, h heads, d head width, p patches, e embedding,
w prompts.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from open_clip import CLIP, CustomTextCLIP
from open_clip.transformer import ResidualAttentionBlock, VisionTransformer
from torch import Tensor

from gem.backbones.architecture import Tokenizer, new_model, new_tokenizer, own_quick_gelu
from gem.backbones.backbone import Provenance
from gem.backbones.open_clip import OpenClip
from gem.backbones.weights import load_weights, resolve, sha256
from gem.trace import Heads, Layer, Projection, Resid, Trace

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class ViTBlock:
    """`gem.trace.Block` over one of open_clip's residual attention blocks."""

    def __init__(self, block: ResidualAttentionBlock) -> None:
        self._block = block
        self._weights = dict(zip("qkv", block.attn.in_proj_weight.chunk(3), strict=True))
        self._biases = dict(zip("qkv", block.attn.in_proj_bias.chunk(3), strict=True))

    def norm(self, resid: Resid) -> Resid:
        """``ln_1``."""
        normed: Tensor = self._block.ln_1(resid)
        return normed

    def head(self, normed: Resid, projection: Projection) -> Heads:
        """One third of the input projection, split into heads."""
        flat = F.linear(normed, self._weights[projection], self._biases[projection])
        return rearrange(flat, "b n (h d) -> b h n d", h=self._block.attn.num_heads)

    def write(self, heads: Heads) -> Resid:
        """``out_proj`` and the layer scale, if there is one."""
        update: Tensor = self._block.attn.out_proj(rearrange(heads, "b h n d -> b n (h d)"))
        scaled: Tensor = self._block.ls_1(update)
        return scaled

    def mlp(self, resid: Resid) -> Resid:
        """``ln_2``, the two linear layers, the layer scale."""
        update: Tensor = self._block.ls_2(self._block.mlp(self._block.ln_2(resid)))
        return update


@dataclass(frozen=True)
class Towers:
    """A loaded model. See `gem.backbones.Backbone` for what its methods promise."""

    model: CLIP | CustomTextCLIP
    tokenizer: Tokenizer
    provenance: Provenance
    device: torch.device
    dtype: torch.dtype

    @cached_property
    def visual(self) -> VisionTransformer:
        """The image tower."""
        return self.model.visual

    @cached_property
    def blocks(self) -> tuple[ViTBlock, ...]:
        """Its blocks, first to last."""
        return tuple(ViTBlock(block) for block in self.visual.transformer.resblocks)

    @property
    def patch(self) -> int:
        """Side of a patch, in pixels."""
        return int(self.visual.patch_size[0])

    @property
    def mean(self) -> tuple[float, float, float]:
        """Channel means of the model's own preprocessing."""
        red, green, blue = self.visual.preprocess_cfg["mean"]
        return red, green, blue

    @property
    def std(self) -> tuple[float, float, float]:
        """Channel deviations of the model's own preprocessing."""
        red, green, blue = self.visual.preprocess_cfg["std"]
        return red, green, blue

    @torch.inference_mode()
    def trace(self, images: Float[Tensor, "b 3 y x"], keep: int) -> Trace:
        """Walk the image tower; the last ``keep`` blocks are kept, the rest let go on the way."""
        resid, grid = self._tokens(images.to(self.device, self.dtype, non_blocking=True))
        kept: deque[Layer] = deque(maxlen=keep)
        for block in self.blocks:
            kept.append(Layer(kept[-1].out if kept else resid, block))
        return Trace(kept, project=self._project, grid=grid)

    @torch.inference_mode()
    def embed(self, prompts: Sequence[str]) -> Float[Tensor, "w e"]:
        """Tokenise and encode, 256 prompts at a time. Raises ValueError for one too long."""
        room = self.tokenizer.context_length - 2
        for prompt in prompts:
            if (length := len(self.tokenizer.encode(prompt))) > room:
                raise ValueError(
                    f"the prompt {prompt!r} has {length} tokens, but the text tower reads {room}"
                )
        parts = [
            self.model.encode_text(self.tokenizer(chunk).to(self.device), normalize=True).float()
            for chunk in (prompts[i : i + 256] for i in range(0, len(prompts), 256))
        ]
        return F.normalize(torch.cat(parts), dim=-1)

    def _tokens(self, images: Float[Tensor, "b 3 y x"]) -> tuple[Resid, tuple[int, int]]:
        """Class and patch tokens with position embeddings fitted to the grid; the grid."""
        visual = self.visual
        patches = visual.conv1(images)
        grid = (int(patches.shape[2]), int(patches.shape[3]))
        tokens = rearrange(patches, "b c y x -> b (y x) c")
        first = visual.class_embedding.to(tokens.dtype).expand(len(tokens), 1, -1)
        tokens = torch.cat([first, tokens], dim=1)
        resid: Tensor = visual.ln_pre(tokens + self._positions(grid).to(tokens.dtype))
        return resid, grid

    def _positions(self, grid: tuple[int, int]) -> Float[Tensor, "n c"]:
        """Position embeddings, bicubic with antialias to another grid, as the GEM release has it.

        The corners are not aligned, and the class token keeps its own.
        """
        positions: Tensor = self.visual.positional_embedding
        rows, columns = self.visual.grid_size
        if grid == (rows, columns):
            return positions
        first, plane = positions[:1], positions[1:].float()
        plane = rearrange(plane, "(y x) c -> 1 c y x", y=rows)
        plane = F.interpolate(plane, size=grid, mode="bicubic", antialias=True)
        return torch.cat([first, rearrange(plane, "1 c y x -> (y x) c").to(first.dtype)])

    def _project(self, resid: Resid) -> Float[Tensor, "b p e"]:
        """Final norm and projection of the patch tokens."""
        features: Tensor = self.visual.ln_post(resid[:, 1:]) @ self.visual.proj
        return features


def build(options: OpenClip) -> Towers:
    """Build and load what ``options`` says. Raises what `resolve` and `load_weights` raise."""
    device = pick_device(options.device)
    if options.weights is None:
        told = options.quick_gelu
        quick_gelu = own_quick_gelu(options.model) if told is None else told
        model = new_model(options, device, quick_gelu=quick_gelu)
        source, digest = f"random, seed {options.seed}", None
    else:
        path, quick_gelu = resolve(options.model, options.weights, options.quick_gelu)
        model = new_model(options, device, quick_gelu=quick_gelu)
        digest = load_weights(model, path, Path(options.model).name)
        source = _source(options.weights, path)
    return Towers(
        model=model,
        tokenizer=new_tokenizer(options.model),
        provenance=Provenance(model=Path(options.model).name, source=source, sha256=digest),
        device=device,
        dtype=DTYPES[options.precision],
    )


def provenance(options: OpenClip) -> Provenance:
    """What `build` would say of the model, without building it. Raises what `resolve` raises."""
    source, digest = f"random, seed {options.seed}", None
    if options.weights is not None:
        path, _ = resolve(options.model, options.weights, options.quick_gelu)
        source, digest = _source(options.weights, path), sha256(path)
    return Provenance(model=Path(options.model).name, source=source, sha256=digest)


def _source(weights: str, path: Path) -> str:
    return path.name if path == Path(weights) else weights


def pick_device(name: str) -> torch.device:
    """``auto`` is the GPU if there is one. Raises ValueError for one that is not there."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ValueError(f"backbone.device={name} is not available: {reason}") from error
    return device
