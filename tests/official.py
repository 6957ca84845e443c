"""Files as their publishers lay them out, small, and the rules for what they store."""

import csv

from PIL import Image

# Independent of the cards: the rules as the field's repositories state them.
COCO_GAPS = {11, 25, 28, 29, 44, 65, 67, 68, 70, 82, 90}
STUFF = [i for i in range(182) if i not in COCO_GAPS]
CITY = [7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33]
RULES = {
    ("voc", "official"): {**{i: i for i in range(21)}, 255: 255},
    ("voc20", "official"): {0: 255, **{i: i - 1 for i in range(1, 21)}, 255: 255},
    ("context", "official"): {0: 255, **{i: i - 1 for i in range(1, 60)}},
    ("context", "train_ids"): {**{i: i for i in range(59)}, 255: 255},
    ("context60", "official"): {i: i for i in range(60)},
    ("context60", "train_ids"): {**{i: i + 1 for i in range(59)}, 255: 0},
    ("ade20k", "official"): {0: 255, **{i: i - 1 for i in range(1, 151)}},
    ("ade20k", "train_ids"): {**{i: i for i in range(150)}, 255: 255},
    ("coco_object", "official"): {**{i: i for i in range(81)}, 255: 255},
    ("coco_object_stuff", "official"): {
        **{i: (STUFF.index(i) + 1 if i < 91 else 0) for i in STUFF},
        255: 0,
    },
    ("coco_stuff", "official"): {**{i: STUFF.index(i) for i in STUFF}, 255: 255},
    ("coco_stuff", "train_ids"): {**{i: i for i in range(171)}, 255: 255},
    ("cityscapes", "official"): {i: (CITY.index(i) if i in CITY else 255) for i in range(34)},
    ("cityscapes", "train_ids"): {**{i: i for i in range(19)}, 255: 255},
}

# Files in the official layouts.
LAYOUTS = {
    "voc20": ("VOCdevkit/VOC2012/JPEGImages/{}.jpg", "VOCdevkit/VOC2012/SegmentationClass/{}.png"),
    "ade20k": (
        "ADEChallengeData2016/images/validation/{}.jpg",
        "ADEChallengeData2016/annotations/validation/{}.png",
    ),
    "context": (
        "VOCdevkit/VOC2010/JPEGImages/{}.jpg",
        "VOCdevkit/VOC2010/SegmentationClassContext/{}.png",
    ),
    "coco_stuff": ("coco/val2017/{}.jpg", "coco/stuffthingmaps/val2017/{}.png"),
    "coco_object_stuff": ("coco/val2017/{}.jpg", "coco/stuffthingmaps/val2017/{}.png"),
    "cityscapes": (
        "cityscapes/leftImg8bit/val/{}_leftImg8bit.png",
        "cityscapes/gtFine/val/{}_gtFine_labelIds.png",
    ),
}
IDS = {
    "voc20": "2007_000033",
    "ade20k": "ADE_val_00000001",
    "context": "2008_000002",
    "coco_stuff": "000000000139",
    "coco_object_stuff": "000000000139",
    "cityscapes": "frankfurt/frankfurt_000000_000294",
}


def lay(root, name, ids, stored):
    """One pair in the official layout, and the list of VOC."""
    image, mask = (root / pattern.format(ids) for pattern in LAYOUTS[name])
    for path in (image, mask):
        path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (stored.shape[1], stored.shape[0]), (9, 9, 9)).save(image)
    Image.fromarray(stored).save(mask)
    if name == "voc20":
        listing = root / "VOCdevkit/VOC2012/ImageSets/Segmentation/val.txt"
        listing.parent.mkdir(parents=True, exist_ok=True)
        listing.write_text(f"{ids}\n")


# OpenImages: two tables and a folder of images.
HEADER = ["ImageId", "X", "Y", "Label", "EstimatedYesNo", "Source"]
HEADER += ["YesVotes", "NoVotes", "UnsureVotes", "TextLabel"]
NAMES = {"/m/0bt9lr": "Dog", "/m/01yrx": "Cat", "/m/0nan": "null", "/m/04ctx": "Knife, fork"}


def write_csv(path, header, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])


def lay_openimages(root, rows, *, names=NAMES, header=HEADER, images=()):
    """The tables with these points and names, and images of 12 x 8 pixels."""
    folder = root / "openimages"
    (folder / "validation").mkdir(parents=True, exist_ok=True)
    for name in images:
        Image.new("RGB", (12, 8)).save(folder / "validation" / f"{name}.jpg")
    whole = [(*row, "ih", 1, 0, 0, 'a "quoted", text') for row in rows]
    write_csv(folder / "oidv7-val-annotations-point-labels.csv", header, whole)
    write_csv(folder / "oidv7-class-descriptions.csv", ["LabelName", "DisplayName"], names.items())
