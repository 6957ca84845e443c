"""Record golden tensors from the released GEM code, in an environment of its own.

    python scripts/reference/record.py                         # writes into tests/reference
    python scripts/reference/record.py out=outputs/reference
    python scripts/reference/record.py only_environment=true   # for scripts/reference/speed.py

The release (gem_torch 1.0.1) imports as `gem`, as our library does, and needs an open_clip that
we cannot use, so it never enters our environment: this script makes another, `.venv-reference`
(about 6 GB with a CUDA build of torch), and runs `scripts/reference/inner.py` there. It needs a
package index, no GPU and no pretrained weights. `tests/test_parity.py` compares our library with
the result.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from evaluation.launch.words import Key, command, read_keys

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "tests" / "reference"
# open_clip after 2.23 changed the token layout, which the release does not notice
REQUIREMENTS = ("gem_torch==1.0.1", "open_clip_torch==2.23.0", "torch==2.15.0", "safetensors")
ENVIRONMENT = ROOT / ".venv-reference"
KEYS = {
    "environment": Key(ENVIRONMENT, "folder of the environment"),
    "out": Key(REFERENCE, "folder of the tensors and their manifest"),
    "only_environment": Key(False, "make the environment and print its interpreter"),
}


def python_of(environment: Path) -> Path:
    """The interpreter of a virtual environment."""
    windows = environment / "Scripts" / "python.exe"
    return windows if windows.exists() else environment / "bin" / "python"


def beside_us(name: str) -> Path | None:
    """The program ``name`` in the folder of the running interpreter, if there is one."""
    found = [p for p in Path(sys.executable).parent.glob(f"{name}*") if p.stem == name]
    return found[0] if found else None


def ready(environment: Path) -> bool:
    """Whether the environment already holds the pinned release and its open_clip."""
    pins = [r.split("==") for r in REQUIREMENTS if "==" in r]
    test = "from importlib.metadata import version as v\n"
    test += f"assert all(v(name).split('+')[0] == pin for name, pin in {pins})"
    python = python_of(environment)
    if not python.exists():
        return False
    asked = (python, "-I", "-c", test)
    return subprocess.run(asked, check=False, capture_output=True).returncode == 0


def call(*words: str | Path) -> None:
    """Run a program. Raises OSError if it fails."""
    done = subprocess.run(words, check=False)
    if done.returncode:
        raise OSError(f"{' '.join(map(str, words))}: ended with exit code {done.returncode}")


def make_environment(environment: Path = ENVIRONMENT) -> Path:
    """Make the environment of the release where it is missing; return its interpreter.

    Raises OSError if it cannot be made.
    """
    if ready(environment):
        return python_of(environment)
    uv, python = beside_us("uv"), python_of(environment)
    if not python.exists():
        make = (uv, "venv", "--python", sys.executable) if uv else (sys.executable, "-m", "venv")
        call(*make, environment)
        python = python_of(environment)
    install = (uv, "pip", "install", "--python", python) if uv else (python, "-m", "pip", "install")
    call(*install, *REQUIREMENTS)
    return python


def main(words: Sequence[str] | None = None) -> None:
    """Make the environment, then record."""
    own = read_keys(__doc__, KEYS, words)
    python = make_environment(own["environment"])
    if own["only_environment"]:
        print(python)
        return
    # -I: no folder of ours on the search path, or `import gem` would find our package
    inner = Path(__file__).with_name("inner.py")
    call(python, "-I", "-W", "ignore", inner, REFERENCE, own["out"])


if __name__ == "__main__":
    command(main)
