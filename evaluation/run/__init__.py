"""From settings to records: single settings, sweeps in shared passes, thresholds, re-runs."""
