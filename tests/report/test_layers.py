"""The layers of a prediction, read again from their data URIs."""

import base64
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from evaluation.pictures.palette import palette
from evaluation.report.layers import HEAT, colour_names, heat_uri, mask_uri, outline_uri
from gem.overlay import ALPHA, colours


def opened(uri):
    kind, _, text = uri.partition(";base64,")
    assert kind == "data:image/png"
    return np.asarray(Image.open(BytesIO(base64.b64decode(text))).convert("RGBA"))


@pytest.mark.parametrize("background", [True, False])
def test_a_mask_has_the_colours_of_its_labels(background):
    labels = np.array([[0, 7, 7], [255, 150, 0]])
    found = opened(mask_uri(labels, background=background))
    inks = (255 * palette(background=background)).round()
    np.testing.assert_array_equal(found[0, 1], [*inks[7], 255])
    np.testing.assert_array_equal(found[1, 1], [*inks[150], 255])
    assert found[1, 0, 3] == 0  # void
    assert found[0, 0, 3] == (0 if background else 255)
    assert colour_names(8, background=background)[7] == "#" + "".join(
        f"{int(one):02x}" for one in inks[7]
    )


def test_an_outline_is_the_inner_edge_of_a_region():
    labels = np.zeros((7, 9), dtype=int)
    labels[1:6, 2:8] = 3
    edge = np.zeros(labels.shape, dtype=bool)
    edge[1:6, 2:8] = True
    edge[2:5, 3:7] = False
    for white in (True, False):
        found = opened(outline_uri(labels, background=True, white=white))
        np.testing.assert_array_equal(found[..., 3] > 0, edge)
    np.testing.assert_array_equal(opened(outline_uri(labels, background=True, white=True))[1, 2],
                                  [255, 255, 255, 255])  # fmt: skip
    assert not opened(outline_uri(np.full((5, 5), 3), background=True))[..., 3].any()


def test_outlines_of_photographs_are_thicker():
    labels = np.zeros((300, 520), dtype=int)
    labels[:, 260:] = 1
    found = opened(outline_uri(labels, background=True))
    assert (found[10, :, 3] > 0).sum() == 4


def test_heat_is_nothing_at_the_median_and_lightest_at_the_highest_of_all_classes():
    maps = np.zeros((2, 2, 4))
    maps[0, 0, 0], maps[1, 1, 3] = 0.5, 1.0
    low, high = (opened(one) for one in heat_uri(maps, [0, 1], Image.new("RGB", (64, 32))))
    assert low.shape == (HEAT // 2, HEAT, 4)
    assert low[-1, -1, 3] == 0
    assert high[-1, -1, 3] == round(255 * ALPHA)
    np.testing.assert_array_equal(high[-1, -1, :3], (255 * colours(np.array(1.0))).round())
    assert 0 < low[0, 0, 3] < high[-1, -1, 3]
