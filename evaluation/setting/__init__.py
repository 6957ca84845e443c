"""What is evaluated, on what and how: one frozen setting, its protocol and its identity."""

from evaluation.setting.protocol import EvalProtocol
from evaluation.setting.setting import Metric, Setting

__all__ = ["EvalProtocol", "Metric", "Setting"]
