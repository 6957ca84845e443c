"""Small SAM, SAM 2 and Grounding DINO with random weights, as folders of the hub's own format."""

import torch
import transformers

from gem.hub.stand_in_words import stand_in_tokenizer

SIDE = 64  # of what the small SAMs see, in pixels
WORDS = 1200  # of the small vocabulary


def sam_config():
    prompt = {"hidden_size": 16, "image_size": SIDE, "patch_size": 8, "mask_input_channels": 4}
    decoder = {
        "hidden_size": 16, "mlp_dim": 32, "num_attention_heads": 2, "iou_head_hidden_dim": 16,
    }  # fmt: skip
    vision = {
        "hidden_size": 32, "output_channels": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
        "image_size": SIDE, "patch_size": 8, "window_size": 4, "global_attn_indexes": [1],
        "num_pos_feats": 8, "initializer_range": 0.2,
    }  # fmt: skip
    return transformers.SamConfig(
        vision_config=vision, prompt_encoder_config=prompt, mask_decoder_config=decoder
    )


def sam2_config():
    backbone = {
        "model_type": "sam2_hiera_det_model", "hidden_size": 8, "num_attention_heads": 1,
        "image_size": [SIDE, SIDE], "blocks_per_stage": [1, 1, 2, 1],
        "embed_dim_per_stage": [8, 16, 32, 64], "num_attention_heads_per_stage": [1, 1, 2, 2],
        "window_size_per_stage": [4, 4, 4, 4], "global_attention_blocks": [3],
        "window_positional_embedding_background_size": [4, 4],
    }  # fmt: skip
    vision = {
        "backbone_config": backbone, "backbone_channel_list": [64, 32, 16, 8],
        "backbone_feature_sizes": [[16, 16], [8, 8], [4, 4]], "fpn_hidden_size": 16,
    }  # fmt: skip
    prompt = {"hidden_size": 16, "image_size": SIDE, "patch_size": 16, "mask_input_channels": 4}
    decoder = {
        "hidden_size": 16, "mlp_dim": 32, "num_attention_heads": 2, "iou_head_hidden_dim": 16,
    }  # fmt: skip
    return transformers.Sam2Config(
        vision_config=vision, prompt_encoder_config=prompt, mask_decoder_config=decoder
    )


def detector_config(**changes):
    backbone = {
        "model_type": "swin", "image_size": 32, "embed_dim": 8, "depths": [1, 1, 1, 1],
        "num_heads": [1, 1, 2, 2], "window_size": 4, "out_indices": [2, 3, 4],
    }  # fmt: skip
    text = {
        "model_type": "bert", "vocab_size": WORDS, "hidden_size": 16, "num_hidden_layers": 1,
        "num_attention_heads": 2, "intermediate_size": 32, "max_position_embeddings": 64,
    }  # fmt: skip
    given = {
        "num_queries": 20, "encoder_layers": 1, "decoder_layers": 2, "encoder_ffn_dim": 32,
        "decoder_ffn_dim": 32, "encoder_attention_heads": 2, "decoder_attention_heads": 2,
        "d_model": 32, "max_text_len": 40,
    }  # fmt: skip
    return transformers.GroundingDinoConfig(
        backbone_config=backbone, text_config=text, **given | changes
    )


def noisy(model, seed):
    """Noise on all parameters: none is 0 or 1 by its initialisation."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for value in model.parameters():
            value.add_(torch.randn(value.shape, generator=generator) * 0.1)
    return model.eval()


def loud(model):
    """Logits of masks that exceed 1 in size, and predicted IoUs that differ."""
    decoder = model.mask_decoder
    with torch.no_grad():
        for name, value in decoder.transformer.named_parameters():
            value.mul_(1 if "norm" in name else 5)  # so that points matter
        for part in decoder.output_hypernetworks_mlps:
            part.proj_out.weight.mul_(4000)
            part.proj_out.bias.mul_(4000)
        decoder.iou_prediction_head.proj_out.weight.mul_(5)
        decoder.iou_prediction_head.proj_out.bias.add_(0.5)
    return model


def save_sam(folder, seed=0):
    torch.manual_seed(seed)
    loud(noisy(transformers.SamModel(sam_config()), seed)).save_pretrained(folder)
    return folder


def save_sam2(folder, seed=0):
    torch.manual_seed(seed)
    loud(noisy(transformers.Sam2Model(sam2_config()), seed)).save_pretrained(folder)
    return folder


def save_detector(folder, seed=0, **changes):
    torch.manual_seed(seed)
    model = transformers.GroundingDinoForObjectDetection(detector_config(**changes))
    noisy(model, seed).save_pretrained(folder)
    stand_in_tokenizer(WORDS).save_pretrained(folder)
    return folder
