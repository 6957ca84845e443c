"""A page to play with: words, methods and their settings on one picture, answered from one trace.

What is computed and how it is shown needs no gradio; `evaluation.playground.page` alone does.
"""
