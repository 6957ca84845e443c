"""Two records compared, printed, and written if asked."""

from __future__ import annotations

from pathlib import Path

from evaluation.comparison.compare import compare
from evaluation.comparison.files import read_both
from evaluation.console import note, say
from evaluation.records.record import find_file
from evaluation.terminal.comparison_table import comparison_frame, show_comparison

MORE = "images are compared too, and each difference has an interval and a p"


def compare_records(
    words: tuple[str, str],
    folder: Path,
    *,
    draws: int,
    seed: int,
    classes: int,
    images: int,
    csv: Path | None,
) -> None:
    """Print two records side by side.

    words: their files, or the beginnings of their keys in ``folder``. classes, images: how many
    are shown. csv: gets all of it. Raises ValueError as `find_file` and `compare`, and for a broken
    file of counts by image.
    """
    pairs = [find_file(word, folder) for word in words]
    counts, lacking = read_both(pairs)
    first, second = (record for record, _ in pairs)
    found = compare(first, second, counts, draws=draws, seed=seed)
    drawn = f"{first.images} images, {draws} draws, seed={seed}"
    tested = f"interval and p (two-sided): paired bootstrap over {drawn}"
    show_comparison(found, (first, second), classes=classes, images=images, tested=tested)
    for path in lacking:
        note(f"there is no {path}: with counts by image of both (run.py save=images), {MORE}")
    if csv:
        from evaluation.records.spreadsheet import frame_csv
        from evaluation.whole_files import write_text

        write_text(csv, frame_csv(comparison_frame(found)))
        say("written: ", csv)
