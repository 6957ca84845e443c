"""The whole suite as other machines would run it: ``make test-portable``.

Libraries choose their instructions by the CPU, and can be told to choose those of older ones. Two
threads split sums in another way than one. What this CPU cannot do, such as another maker's order
of summation, is played: `other_rounding`. Words are handed on to pytest.
"""

import os
import subprocess
import sys
import time

import torch

OLD = {  # by the environment variables that torch, oneDNN, MKL and OpenBLAS read
    "ATEN_CPU_CAPABILITY": "default",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "MKL_CBWR": "COMPATIBLE",
    "OPENBLAS_CORETYPE": "Prescott",
}
AVX2 = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_CBWR": "AVX2",
    "OPENBLAS_CORETYPE": "Haswell",
}
MACHINES = {
    "this one": {},
    "this one with two threads": {"GEM_TEST_THREADS": "2"},
    "a CPU without AVX": OLD,
    "a CPU with AVX2, two threads": AVX2 | {"GEM_TEST_THREADS": "2"},
    "another rounding (1)": {"GEM_TEST_ROUNDING": "1"},
    "another rounding (2)": {"GEM_TEST_ROUNDING": "2"},
}


def can_run(variables):
    """Whether this CPU has the instructions that are asked for."""
    asked = variables.get("ATEN_CPU_CAPABILITY")
    return asked != "avx2" or torch.backends.cpu.get_cpu_capability() in {"AVX2", "AVX512"}


def main(words):
    """Run pytest once for each machine; 1 if it failed on one of them."""
    answers = {}
    for name, variables in MACHINES.items():
        told = " ".join(f"{key}={value}" for key, value in variables.items())
        print(f"== {name}: {told or 'nothing set'}", flush=True)
        if not can_run(variables):
            answers[name] = "left out: this CPU cannot do it"
            continue
        start = time.monotonic()
        command = [sys.executable, "-m", "pytest", *words]
        failed = subprocess.run(command, env=os.environ | variables, check=False).returncode
        seconds = time.monotonic() - start
        answers[name] = f"{'FAILED' if failed else 'passed'} in {seconds:.0f} s"
    print("\n".join(f"{name}: {answer}" for name, answer in answers.items()))
    return any(answer.startswith("FAILED") for answer in answers.values())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
