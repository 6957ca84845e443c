"""Evaluate one setting, or with ``-m`` several.

    python run.py                                   GEM, tiny model, drawn scenes
    python run.py dataset=voc gem.iters=3
    python run.py -m gem.iters=0,1,2,3

An installed package has the same as the command ``gem-bench``.
"""

from evaluation.launch.command import command

if __name__ == "__main__":
    command()
