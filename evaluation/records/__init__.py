"""Records: one JSON file per evaluated setting, with all that a number needs to be believed."""
