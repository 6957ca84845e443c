"""The names and call signatures of the released GEM (the package gem_torch), over this library.

Code that was written for the release runs with it. What the release returns is returned, but where
the release does not do what it says: see each docstring.

Shapes: b images, y x pixels, w prompts, e embedding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gem.backbones import OpenClip
from gem.methods import Clip, Gem
from gem.patches import Patches

if TYPE_CHECKING:
    import torch
    from jaxtyping import Float
    from PIL import Image
    from torch import Tensor

    from gem.methods import Method

TEMPLATE = "a photo of a {}."
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
LISTED = {
    "ViT-B/32": "openai laion400m_e32", "ViT-B/32-quickgelu": "metaclip_400m",
    "ViT-B/16": "openai laion400m_e32", "ViT-B/16-quickgelu": "metaclip_400m",
    "ViT-L/14": "openai laion400m_e32", "ViT-L/14-quickgelu": "metaclip_400m",
    "ViT-L/14-336": "openai",
}  # fmt: skip
"""Models of the paper, and the tags of their weights."""
IGNORED = {
    "jit": False, "force_custom_text": False, "force_patch_dropout": None,
    "force_image_size": None, "force_preprocess_cfg": None, "pretrained_image": False,
    "pretrained_hf": True, "cache_dir": None, "output_dict": None, "require_pretrained": False,
}  # fmt: skip
"""Arguments of the release that go to open_clip, and the values that change nothing."""


def create_gem_model(  # noqa: PLR0917 the signature of the release
    model_name: str,
    pretrained: str | None = None,
    gem_depth: int = 7,
    ss_attn_iter: int = 1,
    ss_attn_temp: float | None = None,
    precision: str = "fp32",
    device: str | torch.device = "cpu",
    *,
    force_quick_gelu: bool = False,
    **others: Any,
) -> GemModel:
    """A model to be called with a batch of images and names of classes, as the release's.

    model_name, pretrained: as open_clip has them; "/" in a name is "-", and a folder is one. None
        is random weights.
    gem_depth: layers of GEM's path, plus one: 7, the release's default, is 6 layers; the paper's
        depth 4 is 5. 2 or more.
    ss_attn_iter: the iterations K.
    ss_attn_temp: the INVERSE of the temperature; None is the adaptive one (Eq. 8).
    force_quick_gelu: the activation for weights of a file, unless the name ends in ``-quickgelu``;
        that of a tag is known, which the release gets wrong for some.

    Raises ValueError for an argument that the release passes on to open_clip and that is not
    supported here.
    """
    for name, value in others.items():
        if name not in IGNORED or value != IGNORED[name]:
            raise ValueError(f"create_gem_model({name}={value!r}) is not supported")
    if gem_depth < 2:
        raise ValueError(f"gem_depth={gem_depth}: expected 2 or more; it counts layers plus one")
    name = model_name if Path(model_name).is_dir() else model_name.replace("/", "-")
    from_file = pretrained is not None and Path(pretrained).is_file()
    backbone = OpenClip(
        model=name,
        weights=pretrained,
        quick_gelu=force_quick_gelu
        or name.endswith("-quickgelu")
        or (False if from_file else None),
        device=str(device),
        precision=precision,  # type: ignore[arg-type] # it is checked there
    )
    method = Gem(
        blocks=gem_depth - 1,
        iters=ss_attn_iter,
        temperature="adaptive" if ss_attn_temp is None else 1 / ss_attn_temp,
    )
    return GemModel(backbone, method)


def create_model_and_transforms(
    model_name: str, pretrained: str | None = None, gem_depth: int = 7, **others: Any
) -> tuple[GemModel, ImageTransform]:
    """`create_gem_model` and `get_gem_img_transform`.

    The release's own hands its arguments on in another order, and fails.
    """
    model = create_gem_model(model_name, pretrained, gem_depth, **others)
    return model, get_gem_img_transform()


def get_gem_img_transform(
    img_size: int | tuple[int, int] = (448, 448),
    mean: tuple[float, float, float] | None = None,
    std: tuple[float, float, float] | None = None,
) -> ImageTransform:
    """From an image to what a model is called with: bicubic resize, CLIP's mean and deviation.

    img_size: (height, width), which loses the aspect ratio as the release does by default, or the
        shorter side, which keeps it. Images that are not RGB become it; the release fails.
    """
    return ImageTransform(img_size, mean or MEAN, std or STD)


def get_tokenizer(model_name: str = "", context_length: int | None = None, **others: Any) -> Any:
    """open_clip's tokenizer of a model."""
    import open_clip

    return open_clip.get_tokenizer(model_name, context_length=context_length, **others)


def available_models() -> str:
    """The models of the paper and the tags of their weights, one a line; others work as well."""
    pairs = [(name, tag) for name, tags in LISTED.items() for tag in tags.split()]
    return "".join(f"{name:20}: {tag}\n" for name, tag in pairs)


@dataclass(frozen=True)
class ImageTransform:
    """Resizes and normalises an image of Pillow; see `get_gem_img_transform`."""

    size: int | tuple[int, int]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    def __call__(self, image: Image.Image) -> Float[Tensor, "3 y x"]:
        """The input of a model, without a batch."""
        from gem.image import to_input
        from gem.pixels import as_rgb

        size = self.size
        if isinstance(size, int):
            short, long = sorted(image.size)
            other = int(size * long / short)
            size = (size, other) if image.height <= image.width else (other, size)
        return to_input(as_rgb(image), size, mean=self.mean, std=self.std)


@dataclass(frozen=True)
class GemModel:
    """What the release calls GEMWrapper: heat maps of images that are normalised already."""

    backbone: OpenClip
    method: Gem

    def __call__(
        self,
        image: Float[Tensor, "b 3 y x"],
        text: Sequence[str],
        normalize: bool = True,  # noqa: FBT002 the release's signature
        return_ori: bool = False,  # noqa: FBT002
    ) -> Float[Tensor, "b w y x"]:
        """One map per class at the size of the images; text: names, without "a photo of a".

        normalize: scale each map to [0, 1]; one that is constant becomes 0 (the release: nan).
            Otherwise cosines. return_ori: of CLIP's own features.
        """
        import torch

        own = self._maps(image, [list(text)] * len(image), 1.0, normalize, return_ori)
        return torch.stack(own)

    def forward(self, *given: Any, **named: Any) -> Float[Tensor, "b w y x"]:
        """The same as calling it."""
        return self(*given, **named)

    def batched_forward(
        self,
        image: Float[Tensor, "b 3 y x"],
        text: Sequence[Sequence[str]],
        normalize: bool = True,  # noqa: FBT002
        return_ori: bool = False,  # noqa: FBT002
    ) -> list[Float[Tensor, "w y x"]]:
        """The maps of each image for classes of its own; not normalised, 100 times the cosine."""
        if len(text) != len(image):
            raise ValueError(f"{len(text)} lists of classes for {len(image)} images")
        return self._maps(image, text, 100.0, normalize, return_ori)

    def _maps(
        self,
        images: Float[Tensor, "b 3 y x"],
        texts: Sequence[Sequence[str]],
        factor: float,
        normalize: bool,
        original: bool,
    ) -> list[Float[Tensor, "w y x"]]:
        from gem.image import min_max, upsample
        from gem.vocabulary import Queries

        method: Method = Clip() if original else self.method
        encoded = Patches(backbone=self.backbone, method=method).encode(images)
        flat = [name for names in texts for name in names]
        text, found, start = self.encode_text(flat)[0], [], 0
        for one, names in zip(encoded, texts, strict=True):
            own = text[start : start + len(names)]
            start += len(names)
            asked = Queries(own, tuple(range(len(own))), background=False, words=tuple(names))
            maps = upsample(factor * one.scores(asked), (images.shape[2], images.shape[3]))
            found.append(min_max(maps) if normalize else maps)
        return found

    def encode_text(self, text: Sequence[str]) -> Float[Tensor, "1 w e"]:
        """Unit-length embeddings of "a photo of a NAME."."""
        return self.backbone.embed([TEMPLATE.format(name) for name in text])[None]

    def to(self, device: str | torch.device) -> GemModel:
        """The model elsewhere; unlike a torch module it stays where it is, and this is another."""
        return replace(self, backbone=replace(self.backbone, device=str(device)))

    def eval(self) -> GemModel:
        """Itself: nothing is ever trained."""
        return self
