"""Record golden tensors from the released GEM code, in an environment of its own.

    python scripts/record_reference.py                      # writes into tests/reference
    python scripts/record_reference.py --only-environment   # for scripts/speed_reference.py

The release (gem_torch 1.0.1) imports as `gem`, as our library does, and needs an open_clip that
we cannot use, so it never enters our environment: this script makes another, `.venv-reference`
(about 6 GB with a CUDA build of torch), and runs `scripts/reference_inner.py` there. It needs a
package index, no GPU and no pretrained weights. `tests/test_parity.py` compares our library with
the result.
"""

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "tests" / "reference"
# open_clip after 2.23 changed the token layout, which the release does not notice
REQUIREMENTS = ("gem_torch==1.0.1", "open_clip_torch==2.23.0", "torch==2.15.0", "safetensors")


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
    command = (python, "-I", "-c", test)
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def call(*command: str | Path) -> None:
    """Run a command. Raises CalledProcessError if it fails."""
    subprocess.run(command, check=True)


def make_environment(environment: Path) -> Path:
    """Make the environment of the release where it is missing; return its interpreter."""
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


def main() -> None:
    """Make the environment, then record."""
    raw = argparse.RawTextHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--environment", type=Path, default=ROOT / ".venv-reference")
    parser.add_argument("--out", type=Path, default=REFERENCE)
    parser.add_argument(
        "--only-environment", action="store_true", help="make it and print its interpreter"
    )
    args = parser.parse_args()
    python = make_environment(args.environment)
    if args.only_environment:
        print(python)
        return
    # -I: no folder of ours on the search path, or `import gem` would find our package
    inner = ROOT / "scripts" / "reference_inner.py"
    call(python, "-I", "-W", "ignore", inner, REFERENCE, args.out)


if __name__ == "__main__":
    main()
