"""From images to integer counts: batches, decisions, accumulators."""
