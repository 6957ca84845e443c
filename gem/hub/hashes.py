"""Files of a model as hashes."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path


def sha256(path: Path) -> str:
    """Hash of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def files_digest(paths: Iterable[Path]) -> str:
    """Twelve hexadecimal digits for names and contents of those of the files that there are."""
    paths = [path for path in paths if path.is_file()]
    parts = [(path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in paths]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]
