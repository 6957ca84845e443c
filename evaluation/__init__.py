"""The evaluation: data, protocol, metrics, runner, records, figures."""
