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


UNSEEN = ["\u200b", "\ufeff ", "\u00ad", "\u200d", "\u2060\u200b", "a;\u200b", "\u3000", "\u2800"]


@pytest.mark.parametrize("words", ["", " ", "a;", ";a", "a;;b", *UNSEEN])
def test_no_word_is_empty(words):
    with pytest.raises(ValidationError, match="the class 'a' has an empty word in "):
        Vocabulary(names=("a",), words=(words,))


@pytest.mark.parametrize(
    ("word", "code"),
    [("do\u200bg", "200B"), ("\ufeffdog", "FEFF"), ("d\x1b[31mog", "001B"), ("dog\ud800", "D800")],
)
def test_what_cannot_be_seen_in_a_word_is_refused(word, code):
    """A text tower reads another word than the one on the screen."""
    with pytest.raises(ValidationError) as caught:
        Vocabulary(names=("dog",), words=(word,))
    assert (
        f"the class 'dog' has the word {word!r}, in which U+{code} cannot be seen: take it out"
    ) in str(caught.value)


@pytest.mark.parametrize(
    "word", ["caf\u00e9", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "t-shirt", "a\tb"]
)
def test_words_of_any_script_are_words(word):
    """Persian needs its zero-width non-joiner."""
    assert Vocabulary(names=("a",), words=(word,)).class_words == ((0, word),)


@pytest.mark.parametrize("words", ["dog;dog", "dog; Dog", "caf\u00e9;cafe\u0301", "a dog;a  dog"])
def test_a_class_asks_a_word_once(words):
    """Twice, its probability would be shared with itself."""
    with pytest.raises(ValidationError, match=r"the class 'a' has the word '.*' twice"):
        Vocabulary(names=("a",), words=(words,))


@pytest.mark.parametrize("word", ["bed", "Bed", " bed", "b\u200ded", "\uff42ed"])
def test_words_of_two_classes_are_told(word):
    found = Vocabulary(names=("behind", "bed", "cot"), words=(f"sky;{word}", "bed", "cot"))
    assert found.clashes == ("'bed' is a word of 'behind' and of 'bed'",)
    assert Vocabulary(names=("bed", "cot"), words=("bed", "cot")).clashes == ()


GAPS = ["{} and {}", "{} {x}", "{} {0}", "{0}", "{!r}", "{:>3}", "{} {", "}{}", "{{}}", "{.a}"]


@pytest.mark.parametrize("template", ["a photo", "{name}", "", *GAPS])
def test_a_template_has_one_gap(template):
    with pytest.raises(ValidationError) as caught:
        Prompts(templates=(template,))
    said = f"the template {template!r} needs one {{}} for the word, and no other gap"
    assert said in str(caught.value)


def test_braces_that_are_written_twice_are_text():
    tower = Recorder([[1.0, 0.0]])
    embed_words(Vocabulary(names=("a",), words=("a",)), Prompts(templates=("{{x}} {}",)), tower)
    assert tower.asked == ["{x} a"]


@pytest.mark.parametrize("number", [0.0, float("nan"), float("inf")])
def test_an_embedding_without_a_direction(number):
    """Of length 0 it would be as near to every image as to none."""
    tower = Recorder([[1.0, 0.0], [number, number]])
    vocabulary = Vocabulary(names=("a", "b"), words=("one", "two"))
    with pytest.raises(ValueError, match=r"^the embedding of the word 'two' is 0 or not finite$"):
        embed_words(vocabulary, Prompts(templates=("{}",)), tower)


def test_there_is_a_template():
    with pytest.raises(ValidationError, match="at least 1 item"):
        Prompts(templates=())
