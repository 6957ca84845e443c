"""The sizes of a model of open_clip, known without building it."""

from gem.backbones.model_config import check_supported, config_of, own_size
from gem.tower import TowerShape


def tower_shape(name: str) -> TowerShape:
    """Sizes of the image tower by the model's config. Raises ValueError for what is not supported.

    And what `gem.backbones.model_config.config_of` raises. A tower of timm is built without memory
    for its parameters: only timm knows its sizes.
    """
    config = config_of(name)
    check_supported(name, config)
    vision = config["vision_cfg"]
    if vision.get("timm_model_name"):
        from gem.backbones.open_timm import empty_visual, visual_shape

        return visual_shape(empty_visual(name, config))
    depth, patch = (
        vision[size] if size in vision else own_size("CLIPVisionCfg", size)
        for size in ("layers", "patch_size")
    )
    return TowerShape(num_blocks=depth, patch_size=patch, embedding=config["embed_dim"])
