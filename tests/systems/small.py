"""Small models of the systems, random but with no part that is 0 or 1 by its init, as the hub has.

They are saved by `transformers` into a folder and loaded from there by our own code.
"""

import torch
import transformers
from conftest import roughen

transformers.logging.disable_progress_bar()
TEXT = {
    "vocab_size": 49408, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
    "num_attention_heads": 2, "max_position_embeddings": 20,
}  # fmt: skip
GROUPVIT = {
    "text_config": TEXT,
    "vision_config": {
        "hidden_size": 32, "intermediate_size": 48, "depths": [2, 1, 1], "num_hidden_layers": 4,
        "num_group_tokens": [8, 4, 0], "num_output_groups": [8, 4, 4], "num_attention_heads": 2,
        "image_size": 32, "patch_size": 8,
    },
    "projection_dim": 24, "projection_intermediate_dim": 40,
}  # fmt: skip
CLIPSEG = {
    "text_config": TEXT,
    "vision_config": {
        "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 5,
        "num_attention_heads": 2, "image_size": 48, "patch_size": 16,
    },
    "projection_dim": 24, "extract_layers": [0, 1, 3], "reduce_dim": 16,
    "decoder_num_attention_heads": 2, "decoder_intermediate_size": 24,
    "use_complex_transposed_convolution": True,
}  # fmt: skip


def learn_statistics(model):
    """Means and variances of its batch norms, from noise: so that groups and words differ."""
    generator = torch.Generator().manual_seed(2)
    ids = torch.tensor([[49406, 320, 1125, 539, 320, 0, 269, 49407]]).repeat(64, 1)
    ids[:, 5] = torch.randint(0, 49000, (64,), generator=generator)  # a photo of a WORD.
    images = torch.randn(64, 3, 32, 32, generator=generator)
    groups = model.vision_model(images, return_dict=True).last_hidden_state.flatten(0, 1)
    texts = model.text_model(ids).pooler_output
    for projection, features in (
        (model.visual_projection, groups), (model.text_projection, texts)
    ):  # fmt: skip
        projection[1].momentum = None  # the mean of all
        projection.train()(features)
        projection.eval()[3].bias.mul_(0.1)


def saved(model, folder, **options):
    """Save a model as the hub has it; the folder."""
    with torch.no_grad():
        roughen(model)
        if hasattr(model, "text_projection"):
            learn_statistics(model)
    model.save_pretrained(str(folder), **options)
    return folder


def groupvit_folder(folder, **changes):
    """A GroupViT of 8-pixel patches, 32 pixels a side: 16 of them in 8, then in 4 groups."""
    vision = GROUPVIT["vision_config"] | changes
    torch.manual_seed(0)
    config = transformers.GroupViTConfig(**GROUPVIT | {"vision_config": vision})
    model = transformers.GroupViTModel(config).eval()
    with torch.no_grad():
        model.logit_scale.fill_(3.0)
        model.vision_model.embeddings.position_embeddings.normal_(std=0.5)
        for stage in model.vision_model.encoder.stages:
            if stage.group_token is not None:
                stage.group_token.normal_()
            if stage.downsample is not None:  # else all patches would take alike of all groups
                stage.downsample.assign.q_proj.weight.mul_(12)
                stage.downsample.assign.k_proj.weight.mul_(12)
    return saved(model, folder)


def clipseg_folder(folder, **changes):
    """A CLIPSeg of 16-pixel patches, 48 a side, whose decoder reads layers 1, 2 and 4 of 5."""
    torch.manual_seed(0)
    model = transformers.CLIPSegForImageSegmentation(
        transformers.CLIPSegConfig(**CLIPSEG | changes)
    ).eval()
    with torch.no_grad():
        model.decoder.film_mul.weight.mul_(2)
    return saved(model, folder)
