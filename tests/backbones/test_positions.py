"""Position embeddings on another grid than that of the training."""

from types import SimpleNamespace

import open_clip
import pytest
import torch
from conftest import write_config

from gem.backbones import OpenClip


def resized(towers, grid):
    """What open_clip itself makes of the embeddings for a model of another size."""
    state = {"visual.positional_embedding": towers.visual.positional_embedding.clone()}
    model = SimpleNamespace(visual=SimpleNamespace(grid_size=grid))
    open_clip.model.resize_pos_embed(state, model)
    return state["visual.positional_embedding"]


@pytest.mark.parametrize("grid", [(7, 7), (3, 3), (3, 9), (9, 3), (1, 1)])
def test_another_grid_is_open_clips_own_resize(grid, small):
    torch.testing.assert_close(small.towers.tower.placed(grid), resized(small.towers, grid))


def test_the_own_grid_is_untouched(small):
    assert small.towers.tower.placed((5, 5)) is small.towers.visual.positional_embedding


def test_the_class_token_keeps_its_own(small):
    own = small.towers.visual.positional_embedding
    assert torch.equal(small.towers.tower.placed((3, 8))[0], own[0])


def test_rows_are_rows(tmp_path):
    """A tower for wide images, 3 x 6 patches: a ramp along the columns stays one."""
    folder = write_config(tmp_path / "wide", image_size=[24, 48])
    towers = OpenClip(model=str(folder), device="cpu").towers
    ramp = torch.arange(6.0).repeat(3, 1).reshape(18, 1).expand(18, 64)
    towers.visual.positional_embedding[1:] = ramp
    found = towers.tower.placed((6, 12))[1:, 0].reshape(6, 12)
    assert torch.allclose(found, found[:1])
    assert (found.diff(dim=1) > 0).all()


def test_a_larger_image_is_the_model_at_that_size(small, state, tmp_path):
    """As open_clip would run a model built and resized for 56 pixels."""
    from gem.methods import Clip

    large = write_config(tmp_path / "large", image_size=56)
    towers = OpenClip(model=str(large), device="cpu").towers
    own = state | {"visual.positional_embedding": resized(small.towers, (7, 7))}
    towers.model.load_state_dict(own)
    images = torch.randn(1, 3, 56, 56, generator=torch.Generator().manual_seed(0))
    taken = towers.visual.forward_intermediates(images, indices=1, output_fmt="NLC")
    native = towers.visual.ln_post(taken["image_intermediates"][-1]) @ towers.visual.proj
    found = Clip()(small.trace(images, keep=1))
    assert (found - native).abs().max() <= 1e-5 * native.abs().max()
