"""Classes as words."""

import pytest
import torch
from pydantic import ValidationError

from gem.vocabulary import Prompts, Vocabulary, embed_words


class Recorder:
    """A text tower that remembers what it was asked, and answers with rows of ``table``."""

    def __init__(self, table):
        self.table = torch.tensor(table)

    def __call__(self, prompts):
        self.asked = list(prompts)
        return self.table


def test_the_words_are_asked_and_not_the_names():
    tower = Recorder([[1.0, 0.0], [0.0, 1.0]])
    vocabulary = Vocabulary(names=("diningtable", "tvmonitor"), words=("table", "monitor"))
    embed_words(vocabulary, Prompts(templates=("a photo of a {}",)), tower)
    assert tower.asked == ["a photo of a table", "a photo of a monitor"]


def test_templates_are_averaged_per_class_and_normalised():
    """Two classes, two templates: (1, 0) and (0, 1) give the diagonal."""
    tower = Recorder([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8], [0.6, 0.8]])
    vocabulary = Vocabulary(names=("a", "b"), words=("a", "b"))
    found = embed_words(vocabulary, Prompts(templates=("{}", "two {}")), tower)
    assert tower.asked == ["a", "two a", "b", "two b"]
    torch.testing.assert_close(found, torch.tensor([[0.5**0.5, 0.5**0.5], [0.6, 0.8]]))


def test_one_template_is_the_text_tower_itself(small):
    vocabulary = Vocabulary(names=("cat", "dog"), words=("cat", "dog"))
    found = embed_words(vocabulary, Prompts(templates=("a photo of a {}",)), small.embed)
    own = small.embed(["a photo of a cat", "a photo of a dog"])
    torch.testing.assert_close(found, own)


def test_several_words_of_a_class_are_several_queries():
    tower = Recorder([[1.0, 0.0]] * 4)
    vocabulary = Vocabulary(names=("person", "dog"), words=("person; man in a suit;boy", "dog"))
    found = vocabulary.with_text(embed_words(vocabulary, Prompts(templates=("a {}",)), tower))
    assert tower.asked == ["a person", "a man in a suit", "a boy", "a dog"]
    assert found.class_index.tolist() == [0, 0, 0, 1]
    assert found.words == ("person", "man in a suit", "boy", "dog")
    assert vocabulary.class_words == ((0, "person"), (0, "man in a suit"), (0, "boy"), (1, "dog"))
    assert (found.classes, found.background) == (2, False)
    parts = found.by_class(torch.arange(8.0).reshape(4, 2, 1))
    assert [part.flatten().tolist() for part in parts] == [[0, 1, 2, 3, 4, 5], [6, 7]]


def test_names_and_words_are_pairs():
    with pytest.raises(ValidationError, match="2 names but words for 1 classes"):
        Vocabulary(names=("a", "b"), words=("a",))


@pytest.mark.parametrize("words", ["", " ", "a;", ";a", "a;;b"])
def test_no_word_is_empty(words):
    with pytest.raises(ValidationError, match="the class 'a' has an empty word in "):
        Vocabulary(names=("a",), words=(words,))


@pytest.mark.parametrize("template", ["a photo", "{} and {}", "{name}", ""])
def test_a_template_has_one_gap(template):
    with pytest.raises(ValidationError, match=r"needs one \{\} for the word"):
        Prompts(templates=(template,))


def test_there_is_a_template():
    with pytest.raises(ValidationError, match="at least 1 item"):
        Prompts(templates=())
