"""Ground words in one image: an overlay per prompt and a panel of all.

    python scripts/ground.py photo.jpg "a cat" "a remote control"
    python scripts/ground.py scene.png "a house" "a tree" --model tiny

Prompts are asked as they are typed. The model is CLIP ViT-B/16 with OpenAI's weights unless
another is named; `tiny`, which is embedded, knows drawn scenes only.
"""

import argparse
import sys
from pathlib import Path

# What the library says of the keys of run.py is true of these options.
OPTIONS = {
    "backbone.weights": "--weights",
    "backbone.quick_gelu": "--quick-gelu",
    "backbone=": "--model=",
}


def arguments() -> argparse.Namespace:
    """Read the command line."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("image", type=Path, help="a picture in any format that Pillow reads")
    parser.add_argument("prompts", nargs="+", help="what to look for, one map each")
    parser.add_argument("--model", default="ViT-B-16", help="a model of open_clip, or tiny")
    parser.add_argument("--weights", help="a tag or file; openai unless the model is tiny")
    parser.add_argument("--quick-gelu", choices=["true", "false"], help="needed for a weight file")
    parser.add_argument("--iters", type=int, default=1, help="K of GEM")
    parser.add_argument("--blocks", type=int, default=4, help="last blocks that GEM runs through")
    parser.add_argument("--out", type=Path, default=Path("grounded"), help="folder of the pictures")
    return parser.parse_args()


def main() -> None:
    """Ground the prompts and write the pictures."""
    args = arguments()
    import gem

    image = gem.read_image(args.image)
    method = gem.Gem(iters=args.iters, blocks=args.blocks)
    weights = args.weights or (None if args.model == "tiny" else "openai")
    told = None if args.quick_gelu is None else args.quick_gelu == "true"
    model = gem.load(args.model, weights, method=method, quick_gelu=told)
    heats = model.heatmaps(image, args.prompts)
    from evaluation.pictures.overlay import write_overlays

    provenance = model.segmenter.provenance
    caption = f"GEM, K={args.iters}, {args.blocks} blocks, {provenance.model}, {provenance.source}"
    paths = write_overlays(
        image, heats.cpu().numpy(), args.prompts,
        folder=args.out, stem=args.image.stem, caption=caption,
    )  # fmt: skip
    for path in paths:
        print(path)


if __name__ == "__main__":
    try:
        main()
    except (ValueError, OSError) as error:
        said = str(error)
        for key, option in OPTIONS.items():
            said = said.replace(key, option)
        sys.exit(f"error: {said}")
