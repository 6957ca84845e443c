"""Models of the package `transformers`: where their files are, how they are loaded and checked.

The package is an optional extra: nothing here imports it before a model is built.
"""

EXTRA = "the package transformers is not installed; pip install 'gem-bench[systems]' gets it"
