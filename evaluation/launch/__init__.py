"""The command line: composing configs, building settings, telling a user's mistakes.

The only room that knows Hydra and OmegaConf: what they compose becomes typed objects here.
"""

from evaluation.launch.compose import (
    build,
    build_engine,
    build_tracker,
    compose_config,
    compose_engine,
    compose_setting,
    output_options,
)
from evaluation.launch.errors import MISTAKES, sentence
from evaluation.launch.parts import construct

__all__ = [
    "MISTAKES", "build", "build_engine", "build_tracker", "compose_config", "compose_engine",
    "compose_setting", "construct", "output_options", "sentence",
]  # fmt: skip
