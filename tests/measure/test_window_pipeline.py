"""The pipeline of the mmseg family once more: files in, label maps out.

OpenCV reads and resizes; windows, padding, sums and counts are loops; maps are upsampled by torch's
own bilinear. Only the features of a window come from the model. What is expected is computed by
nothing of `gem.resize`, `gem.windows`, `gem.features` or the evaluation.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from conftest import REPOSITORY
from drawn import CARD
from near_ties import COSINE, same_where_clear
from PIL import Image

from evaluation.data import Card, Sample, Words
from evaluation.measure import ByTask
from evaluation.measure.decision import label_map
from evaluation.measure.work import Work, count_here
from evaluation.setting import EvalProtocol, Setting
from gem import MaskClip, Patches, Prompts, ShortSide, SlidingWindow, read_image

VOC = REPOSITORY.parent / "shared" / "data" / "VOCdevkit" / "VOC2012" / "JPEGImages"
ASKED = ("dog;puppy", "tree", "a photo of a house;hut;barn", "sheep grazing")
AGREE = 0.99999
SIZES = [(241, 333), (167, 90), (97, 301), (64, 64)]
SCALE, THRESHOLD = 40.0, 0.22


@dataclass(frozen=True)
class Files:
    """Images in a folder, each with a truth of its size that says nothing."""

    root: str
    ids: tuple[str, ...]
    background: bool = True

    @property
    def card(self):
        return Card(name="files", background=self.background, **CARD | {"images": None})

    def check(self, ids):
        """Nothing can be missing."""

    def __getitem__(self, sample_id):
        image = read_image(f"{self.root}/{sample_id}.jpg")
        truth = np.random.default_rng(0).integers(0, 5, (image.height, image.width))
        return Sample(id=sample_id, image=image, truth=truth.astype(np.uint8))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """JPEGs of odd sizes: coarse noise, made smooth."""
    folder, rng = tmp_path_factory.mktemp("jpegs"), np.random.default_rng(7)
    for number, (height, width) in enumerate(SIZES):
        coarse = rng.integers(0, 256, (height // 20 + 2, width // 20 + 2, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((width, height)).save(folder / f"{number}.jpg", quality=90)
    return Files(str(folder), tuple(map(str, range(len(SIZES)))))


def setting_of(backbone, dataset, *, short, window, stride, multiple):
    windows = window and SlidingWindow(size=window, stride=stride)
    resize = ShortSide(size=short, filter="opencv_bilinear", rounding="pad", multiple=multiple)
    return Setting(
        segmenter=Patches(backbone=backbone, method=MaskClip()), dataset=dataset, metric=ByTask(),
        protocol=EvalProtocol(
            name="slide", resize=resize, windows=windows, logit_scale=SCALE, background=THRESHOLD
        ),
        prompts=Prompts(templates=("{}", "a {}")), vocabulary=Words(words=ASKED), batch_size=2,
    )  # fmt: skip


def label_maps_of(setting):
    """The label map of every sample, and the confusion matrix of all."""
    found, queries = {}, []

    def watch(one, asked, image, item):
        size = item.truth.shape
        found[item.id] = label_map(image, asked, one.protocol, size, background=True).numpy()
        queries.append(asked)

    work = Work([setting], watcher=lambda: watch)
    for _ in count_here(work):
        pass
    (result,) = work.results()
    return found, queries[0], np.array(result.outcome.counts["matrix"])


def read(path, short):
    """Pixels of the file, its shorter side ``short``, normalised as CLIP wants them."""
    bgr = cv2.imread(str(path))
    height, width = bgr.shape[:2]
    factor = min(2048 / max(height, width), short / min(height, width))
    size = (int(width * factor + 0.5), int(height * factor + 0.5))
    rgb = cv2.resize(bgr, size, interpolation=cv2.INTER_LINEAR)[:, :, ::-1].astype(np.float32)
    mean = np.array([0.48145466, 0.4578275, 0.40821073], np.float32) * 255
    std = np.array([0.26862954, 0.26130258, 0.27577711], np.float32) * 255
    return (rgb - mean) / std, (height, width)


def cosines_of(backbone, text, window, multiple):
    """Maps of one window at its own pixels: padded, seen, upsampled, cut."""
    height, width = window.shape[:2]
    down, across = ((-side) % multiple for side in (height, width))
    top, left = down // 2, across // 2
    padded = np.zeros((height + down, width + across, 3), np.float32)
    padded[top : top + height, left : left + width] = window
    seen = torch.from_numpy(padded).permute(2, 0, 1)[None]
    with torch.inference_mode():
        features = MaskClip()(backbone.trace(seen, keep=1))[0].double()
    features = features / features.norm(dim=-1, keepdim=True)
    grid = (padded.shape[0] // 8, padded.shape[1] // 8)
    maps = (features @ text.double().T).T.reshape(1, len(text), *grid)
    fine = F.interpolate(maps, size=padded.shape[:2], mode="bilinear", align_corners=False)[0]
    return fine[:, top : top + height, left : left + width].numpy()


def expected_of(backbone, path, queries, *, short, window, stride, multiple):
    """Labels, and how clear each is: the least distance of cosines that decide it."""
    pixels, size = read(path, short)
    height, width = pixels.shape[:2]
    side, step = window or max(height, width), stride or 1
    total, count = np.zeros((len(queries.text), height, width)), np.zeros((height, width))
    for row in range(max(height - side + step - 1, 0) // step + 1):
        for column in range(max(width - side + step - 1, 0) // step + 1):
            bottom, right = min(row * step + side, height), min(column * step + side, width)
            top, left = max(bottom - side, 0), max(right - side, 0)
            cut = pixels[top:bottom, left:right]
            total[:, top:bottom, left:right] += cosines_of(
                backbone, queries.text, cut, multiple or 8
            )
            count[top:bottom, left:right] += 1
    maps = torch.from_numpy(total / count)[None]
    fine = F.interpolate(maps, size=size, mode="bilinear", align_corners=False)[0].numpy()
    return decided(fine, queries.class_index.numpy())


def decided(cosines, owner):
    shares = np.exp(SCALE * (cosines - cosines.max(axis=0)))
    shares /= shares.sum(axis=0)
    classes = np.stack([shares[owner == one].max(axis=0) for one in range(owner.max() + 1)])
    ranked = np.sort(classes, axis=0)
    labels = np.where(ranked[-1] < THRESHOLD, 0, classes.argmax(axis=0) + 1)
    lead = np.where(labels > 0, ranked[-1] - ranked[-2], np.inf)
    return labels, np.minimum(lead, np.abs(ranked[-1] - THRESHOLD)) / SCALE


GEOMETRY = [
    {"short": 101, "window": 56, "stride": 28, "multiple": None},  # windows of whole patches
    {"short": 101, "window": 59, "stride": 31, "multiple": None},  # each padded to 64
    {"short": 101, "window": 60, "stride": 30, "multiple": 20},  # the tower leaves 4 pixels out
    {"short": 101, "window": 4096, "stride": 112, "multiple": None},  # the whole image, padded
    {"short": 101, "window": 4096, "stride": 112, "multiple": 1},  # the same, nothing padded
    {"short": 45, "window": 64, "stride": 32, "multiple": None},  # lower than a window
]


def compare(setting, geometry):
    """The share of equal pixels, and that nothing but near-ties differs."""
    found, queries, matrix = label_maps_of(setting)
    equal = pixels = 0
    counted = np.zeros_like(matrix)
    for sample_id, labels in found.items():
        path = f"{setting.dataset.root}/{sample_id}.jpg"
        expected, margins = expected_of(setting.segmenter.backbone, path, queries, **geometry)
        same_where_clear(labels, expected, margins=margins, clear=COSINE)
        equal, pixels = equal + (labels == expected).sum(), pixels + labels.size
        np.add.at(counted, (setting.dataset[sample_id].truth, expected), 1)
    assert len(found) == len(setting.ids)
    assert np.abs(matrix - counted).sum() <= 2 * (1 - AGREE) * pixels
    assert (counted.sum(axis=0) > 0).sum() >= 3  # else hardly anything was compared
    return equal / pixels


@pytest.mark.parametrize("geometry", GEOMETRY, ids=lambda one: "-".join(map(str, one.values())))
def test_label_maps_of_drawn_jpegs(geometry, small, drawn):
    agreement = compare(setting_of(small, drawn, **geometry), geometry)
    print(f"agreement {agreement:.7f}")
    assert agreement >= AGREE


@pytest.mark.skipif(not VOC.is_dir(), reason=f"there are no files in {VOC}")
@pytest.mark.parametrize("window", [224, 4096])
def test_label_maps_of_real_photographs(window, small):
    """As ClearCLIP's code sees VOC, but for the model; and as NACLIP's sees it, whole."""
    ids = tuple(sorted(path.stem for path in VOC.glob("*.jpg")))[:3]
    multiple = None if window == 224 else 1
    geometry = {"short": 336, "window": window, "stride": 112, "multiple": multiple}
    agreement = compare(setting_of(small, Files(str(VOC), ids), **geometry), geometry)
    print(f"agreement {agreement:.7f}")
    assert agreement >= AGREE


@pytest.mark.parametrize("change", [{"filter": "pillow_bicubic"}, {"rounding": "round"}])
def test_each_choice_counts(change, small, drawn):
    """With Pillow's filter or rounded sides the pixels are not these: the golden sees both."""
    geometry = GEOMETRY[1]
    setting = setting_of(small, drawn, **geometry)
    resize = replace(setting.protocol.resize, **change)
    other = replace(setting, protocol=replace(setting.protocol, resize=resize))
    mine, theirs = label_maps_of(setting)[0], label_maps_of(other)[0]
    equal = sum((mine[one] == theirs[one]).sum() for one in mine)
    assert equal < 0.999 * sum(one.size for one in mine.values())
