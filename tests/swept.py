"""Records of a sweep that no evaluation has made: GEM's iterations and temperatures."""

from reported import METHODS, record

from evaluation.records.record import write_record

ITERS, SCALES = (0, 1, 2, 3), (0.1, 1.0, 10.0)


def scores_of(iters, scale):
    """The best is at two iterations and a scale of 1."""
    return 0.4 - 0.01 * (iters - 2) ** 2 - 0.05 * (scale != 1) - 0.001 * (scale == 10)


def method_record(number, name="gem", *, miou, dataset="toy", **options):
    """A record with options of its method."""
    made = record(name, key=f"{number:012x}", miou=miou, dataset=dataset)
    segmenter = {"_target_": "gem.Patches", "method": {"_target_": f"gem.{name}", **options}}
    made.setting["segmenter"] = segmenter
    made.setting["words"] = ["a"]
    return made


def swept(folder, *, datasets=("toy",), others=()):
    """Write the records of the sweep; ``others`` are methods beside GEM, without options."""
    number = 0
    for place, dataset in enumerate(datasets):
        for iters in ITERS:
            for scale in SCALES:
                number += 1
                miou = scores_of(iters, scale) - 0.1 * place
                options = {"iters": iters, "temperature_scale": scale}
                write_record(method_record(number, miou=miou, dataset=dataset, **options), folder)
        for name in others:
            number += 1
            miou = 0.1 + METHODS.index(name) / 100 - 0.01 * place
            write_record(method_record(number, name, miou=miou, dataset=dataset), folder)
    return folder
