"""ProxyCLIP against its equations; against its released code in `test_field_parity`."""

import naive
import pytest
import torch
from companions import companion_of, write_companion
from conftest import roughen, write_config
from pydantic import ValidationError
from test_methods import ROUNDING, difference

import gem
from gem.beside import as_seen_by, traces_beside


@pytest.fixture(scope="module")
def companion(tmp_path_factory):
    folder = write_companion(tmp_path_factory.mktemp("timm") / "vit", reg_tokens=1)
    return companion_of(folder)


def noise(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def sized(folder, size):
    """The small model, trained for another size: `naive` reads its positions as they are."""
    folder = write_config(folder / "sized", image_size=list(size))
    backbone = gem.OpenClip(model=str(folder), device="cpu", seed=3)
    roughen(backbone.towers.model)
    return backbone


def traced(backbone, method, images):
    trace = backbone.trace(images, keep=1)
    return traces_beside(trace, backbone, [method], images)[method.companion]


@pytest.mark.parametrize("options", [{}, {"scale": 10.0, "margin": 0.3}, {"margin": 0.0}], ids=str)
@pytest.mark.parametrize("size", [(16, 32), (40, 24)])
def test_proxyclip_is_its_equations(size, options, tmp_path, companion):
    """Rows are not columns, CLIP's patches are 8 pixels, the companion's 4."""
    method, images = gem.ProxyClip(companion=companion, **options), noise(2, 3, *size)
    backbone = sized(tmp_path, size)
    trace = traced(backbone, method, images)
    beside = trace.companion
    tokens = beside.project(beside.final)
    visual = backbone.towers.model.visual
    expected = [
        naive.proxyclip(visual, image, one, (trace.grid, beside.grid), method)
        for image, one in zip(images, tokens, strict=True)
    ]
    assert method.grid(trace) == (size[0] // 4, size[1] // 4)
    assert difference(method(trace), torch.stack(expected)) <= ROUNDING


def test_the_same_grid_needs_no_resizing(tmp_path):
    backbone = sized(tmp_path, (16, 24))
    companion = companion_of(write_companion(tmp_path / "vit", patch_size=8))
    method, images = gem.ProxyClip(companion=companion), noise(1, 3, 16, 24)
    trace = traced(backbone, method, images)
    beside = trace.companion
    (tokens,) = beside.project(beside.final)
    grids = (trace.grid, beside.grid)
    expected = naive.proxyclip(backbone.towers.model.visual, images[0], tokens, grids, method)
    assert trace.grid == beside.grid == (2, 3)
    assert difference(method(trace)[0], expected) <= ROUNDING


def test_a_companion_is_needed(companion, small, images):
    with pytest.raises(ValidationError, match="companion"):
        gem.ProxyClip()
    with pytest.raises(ValueError, match=r"^the method reads a companion, and the trace has none"):
        gem.ProxyClip(companion=companion)(small.trace(images, keep=1))


@pytest.mark.parametrize("wrong", [{"scale": 0.0}, {"margin": -1.0}, {"gamma": 3.0}], ids=str)
def test_wrong_options(wrong, companion):
    with pytest.raises(ValidationError):
        gem.ProxyClip(companion=companion, **wrong)


def test_how_it_is_called(companion):
    method = gem.ProxyClip(companion=companion)
    assert (method.title, method.published) == ("ProxyCLIP", "2024-08")
    assert gem.Clip().companion is None


def test_the_companion_sees_the_same_pixels(small, companion):
    raw = torch.rand(1, 3, 16, 16)
    mean, std = (torch.tensor(one)[:, None, None] for one in (small.mean, small.std))
    seen = as_seen_by(companion, small, (raw - mean) / std)
    own = torch.tensor(companion.mean)[:, None, None], torch.tensor(companion.std)[:, None, None]
    torch.testing.assert_close(seen, (raw - own[0]) / own[1], atol=1e-5, rtol=0)


def test_pixels_become_whole_patches_of_the_companion(small, tmp_path):
    """Beside patches of 8: 40 and 24 pixels are 3 and 2 patches of 14; a crop would shift them."""
    companion = companion_of(write_companion(tmp_path / "vit", patch_size=14, img_size=28))
    method, images = gem.ProxyClip(companion=companion), noise(1, 3, 40, 24)
    seen = as_seen_by(companion, small, images)
    assert seen.shape == (1, 3, 42, 28)
    trace = traced(small, method, images)
    assert method.grid(trace) == (3, 2)
    assert method(trace).shape == (1, 6, 24)
