"""The command line: composing configs, building settings, telling a user's mistakes.

The only room that knows Hydra and OmegaConf: what they compose becomes typed objects here.
"""

from evaluation.launch.compose import build, compose_setting, construct, output_options
from evaluation.launch.errors import MISTAKES, sentence

__all__ = ["MISTAKES", "build", "compose_setting", "construct", "output_options", "sentence"]
