"""The evaluation in rooms; docs/architecture.md says what each does, and what it may import."""
