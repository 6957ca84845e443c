"""What the original release of BLIP saves, of a model of the library: names written out by hand."""

import torch

# The inverse of what is read: names of the original release from those of the library.
ORIGINAL = {
    "vision_model.embeddings.class_embedding": "visual_encoder.cls_token",
    "vision_model.embeddings.position_embedding": "visual_encoder.pos_embed",
    "vision_model.embeddings.patch_embedding.weight": "visual_encoder.patch_embed.proj.weight",
    "vision_model.embeddings.patch_embedding.bias": "visual_encoder.patch_embed.proj.bias",
    "vision_model.post_layernorm.weight": "visual_encoder.norm.weight",
    "vision_model.post_layernorm.bias": "visual_encoder.norm.bias",
}
IN_A_BLOCK = {
    "layer_norm1": "norm1", "self_attn.qkv": "attn.qkv", "self_attn.projection": "attn.proj",
    "layer_norm2": "norm2", "mlp.fc1": "mlp.fc1", "mlp.fc2": "mlp.fc2",
}  # fmt: skip
for number in range(5):
    for ours, theirs in IN_A_BLOCK.items():
        for kind in ("weight", "bias"):
            ORIGINAL[f"vision_model.encoder.layers.{number}.{ours}.{kind}"] = (
                f"visual_encoder.blocks.{number}.{theirs}.{kind}"
            )


def original_of(model):
    """The tensors of pre-training: two towers, their momentum copies, queues, the decoder."""
    state = {ORIGINAL.get(key, key): value for key, value in model.state_dict().items()}
    copies = {
        key.replace("encoder.", "encoder_m.", 1).replace("proj.", "proj_m.", 1): value + 1
        for key, value in state.items()
    }
    rest = {
        "text_encoder.embeddings.position_ids": torch.arange(512)[None],
        "temp": torch.tensor(0.07),
        "image_queue": torch.ones(24, 8),
        "text_queue": torch.ones(24, 8),
        "queue_ptr": torch.zeros(1, dtype=torch.long),
        "text_decoder.cls.predictions.bias": torch.ones(9),
    }
    return copies | rest | state


def write_original(model, path, **changes):
    """The file, with what else training saves."""
    content = {"model": original_of(model) | changes, "epoch": 19, "config": {"vit": "base"}}
    torch.save(content, path)
    return path
