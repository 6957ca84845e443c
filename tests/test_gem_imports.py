"""What the library imports, and when."""

from graphlib import TopologicalSorter

import grimp
import pytest
from test_layout import HEAVY, python

import gem


def test_no_module_imports_itself_through_others():
    """Imports in functions and for types count: `CycleError` names the circle."""
    graph = grimp.build_graph("gem", cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert "gem.patches" in imports["gem.grounder"] | imports["gem"]
    assert "gem.backbones.loading" in imports["gem.backbones.open_clip"]  # lazy
    TopologicalSorter(imports).prepare()


PARTS = """
p = gem.Patches(backbone=gem.OpenClip(model='ViT-B-16'), method=gem.Gem(iters=3))
p.title, p.published, p.variant, p.cache_group, p.pass_key, {p: p == p}
gem.Grounder(p, gem.ShortSide(), gem.SlidingWindow(size=224, stride=112))
gem.Vocabulary(names=('a',), words=('b;c',)).class_words
gem.Prompts(templates=('a {}',))
"""


@pytest.mark.parametrize("code", ["from gem import *", PARTS])
def test_a_mistake_in_options_does_not_wait_for_torch(code):
    ask = f"import sys\nprint([name for name in {HEAVY} if name in sys.modules])"
    assert python(f"import gem\n{code}\n{ask}") == "[]"


def test_everything_that_is_exported_is_there():
    assert all(hasattr(gem, name) for name in gem.__all__)
