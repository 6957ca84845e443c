"""The equations as pure functions: what they promise beyond the parity of whole methods."""

import dataclasses

import pytest
import torch

from gem.methods import Gem
from gem.self_attention import attend, inverse_temperature, refine, start

B, H, N, D = 2, 3, 7, 4


@pytest.fixture
def projected():
    return torch.randn(B, H, N, D, generator=torch.Generator().manual_seed(0))


def attention(**options):
    return Gem(**options).attention


def test_points_are_of_unit_length_and_the_projection_is_left_alone(projected):
    before = projected.clone()
    points = start(projected, attention())
    torch.testing.assert_close(points.norm(dim=-1), torch.ones(B, H, N))
    torch.testing.assert_close(refine(points, 2.0, attention()).norm(dim=-1), torch.ones(B, H, N))
    assert torch.equal(projected, before)


def test_without_normalisation_p0_is_the_projection_itself(projected):
    assert start(projected, attention(normalize=False)) is projected


def test_every_image_has_its_own_adaptive_temperature():
    """Eq. 8 by hand: tokens of length 3 and of length 6, heads of width 4."""
    tokens = torch.stack([torch.full((N, 9), 1.0), torch.full((N, 9), 2.0)])
    found = inverse_temperature(tokens, D, attention(temperature_scale=2.0))
    torch.testing.assert_close(found, torch.tensor([3.0, 6.0])[:, None, None, None])


def test_a_number_divides_and_the_standard_temperature_is_that_of_the_heads():
    tokens = torch.ones(B, N, 9)
    assert inverse_temperature(tokens, D, attention(temperature=0.25)) == 4
    assert inverse_temperature(tokens, D, attention(temperature="standard")) == 0.5
    scaled = attention(temperature="standard", temperature_scale=6.0)
    assert inverse_temperature(tokens, D, scaled) == 3


def test_a_temperature_per_image_is_that_of_each_image_alone(projected):
    inverse = torch.tensor([0.5, 3.0])[:, None, None, None]
    found = attend(projected, projected, inverse)
    for image, one in enumerate((0.5, 3.0)):
        alone = attend(projected[image : image + 1], projected[image : image + 1], one)
        torch.testing.assert_close(found[image : image + 1], alone)


def test_attentions_that_differ_in_k_take_the_same_steps():
    assert attention(iters=1).step == attention(iters=3).step
    changes = {"normalize": False, "temperature": 0.5, "temperature_scale": 2.0}
    for name, value in changes.items():
        assert dataclasses.replace(attention(), **{name: value}).step != attention().step
