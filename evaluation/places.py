"""Where the files that come with the program lie.

In a clone they lie beside the packages, where people read and change them. A wheel has them inside
of this package, in ``shipped/`` (see ``package-dir`` in pyproject.toml).
"""

from pathlib import Path

ROOT = Path(__file__).parents[1]
"""The folder that holds the packages: the clone, or site-packages."""
_SHIPPED = Path(__file__).parent / "shipped"
INSTALLED = _SHIPPED.is_dir()
"""Whether this is an installed wheel and not a clone."""
_BASE = _SHIPPED if INSTALLED else ROOT
CONFIGS = _BASE / "configs"
"""The config groups of Hydra."""
CARDS = _BASE / "datasets"
"""A card per data set, the split lists and the word lists."""
PUBLISHED = _SHIPPED / "published" if INSTALLED else ROOT / "results" / "published"
"""The published tables, one YAML each."""
