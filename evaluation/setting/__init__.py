"""What is evaluated, on what and how: one frozen setting, its protocol and its identity."""

from evaluation.setting.dataset_values import DatasetValues
from evaluation.setting.pamr import Pamr
from evaluation.setting.protocol import EvalProtocol
from evaluation.setting.setting import Metric, Setting

__all__ = ["DatasetValues", "EvalProtocol", "Metric", "Pamr", "Setting"]
