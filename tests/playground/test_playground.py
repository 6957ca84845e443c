"""The page's logic, without gradio: what is asked, what is computed anew, what is shown."""

from base64 import b64encode
from io import BytesIO

import numpy as np
import pytest
import torch
from drawn import save_turned
from PIL import Image

import gem
from evaluation.launch import compose_setting
from evaluation.launch.errors import sentence
from evaluation.playground import html
from evaluation.playground.answer import pixel
from evaluation.playground.files import maps_file, picture_file
from evaluation.playground.model import Playground
from evaluation.playground.picture import LARGEST, drawn_scene, read_picture
from evaluation.playground.question import Question, chosen, read_words
from evaluation.playground.session import Session

WORDS = ("a cat", "a dog", "a red bird")
ALL = ("CLIP", "GEM")


@pytest.fixture(scope="module")
def playground(folder):
    return Playground(compose_setting(words(folder)))


def words(folder):
    return [
        f"backbone.model={folder}", "backbone.weights=embedded", "backbone.device=cpu",
        "short_side=40", "prompts=word",
    ]  # fmt: skip


def image(size=(60, 40), seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def file_of(picture, kind="PNG"):
    written = BytesIO()
    picture.save(written, format=kind)
    return written.getvalue()


def sent(content, name="a.png"):
    return {"name": name, "size": len(content), "data": b64encode(content).decode()}


def test_words_are_lines_or_parts():
    assert read_words(" a cat ;a dog\n\na cat\n") == ("a cat", "a dog")
    with pytest.raises(ValueError, match="no words: write what to look for, one a line"):
        read_words(" ; \n")
    with pytest.raises(ValueError, match="25 words, expected 24 at most"):
        read_words("\n".join(map(str, range(25))))


def test_methods_are_chosen():
    with pytest.raises(ValueError, match="no method is chosen"):
        chosen([])
    assert chosen(["GEM"]) == ("GEM",)


def test_the_scores_are_those_of_the_library(playground, small):
    """At the picture's own size, where the page shows it at this size."""
    picture = playground.take(image((360, 240)), "a")
    question = Question(words=WORDS, methods=ALL, iters=2, blocks=2, temperature_scale=1.5)
    answer = playground.ask(picture, question)
    own = gem.Gem(iters=2, blocks=2, temperature_scale=1.5)
    for found, method in zip(answer.found, (gem.Clip(), own), strict=True):
        model = gem.Grounder(gem.Patches(backbone=small, method=method), gem.ShortSide(size=40))
        reference = model.scores(image((360, 240)), WORDS)
        torch.testing.assert_close(torch.from_numpy(found.scores), reference)
    assert [one.variant for one in answer.found] == ["", "iters=2 temperature_scale=1.5 blocks=2"]


def test_only_what_is_new_is_computed(playground):
    picture, fresh_words = playground.take(image(), "a"), ("a ship", "a cow", "a bus", "a car")

    def ask(last, **changes):
        given = {"words": fresh_words[:3], "methods": ALL, "blocks": 2} | changes
        answer = playground.ask(picture, Question(**given), last)
        spent = answer.spent
        return answer, (spent.passes, spent.texts, spent.methods)

    first, spent = ask(None, words=fresh_words)
    assert spent == (1, 4, ALL)
    second, spent = ask(first)
    assert spent == (0, 0, ALL)
    third, spent = ask(second, iters=3)
    assert spent == (0, 0, ("GEM",))
    assert third.found[0] is second.found[0]
    again, spent = ask(third, iters=3)
    assert spent == (0, 0, ())
    _, spent = ask(again, iters=3, background=0.2)  # the labels change
    assert spent == (0, 0, ALL)
    fresh = playground.ask(playground.take(image(), "b"), third.question)
    np.testing.assert_allclose(fresh.found[1].scores, third.found[1].scores, atol=1e-6)
    assert fresh.spent.passes == 0  # another name, the same pixels
    other = playground.ask(playground.take(image(seed=1), "c"), third.question, third)
    assert (other.spent.passes, other.spent.methods) == (1, ALL)


def test_labels_are_the_protocols_decision(playground):
    """With three words by hand: the best, where its softmax at 100 is above the threshold."""
    picture = playground.take(image(), "a")
    for threshold in (0.0, 0.5):
        question = Question(words=WORDS, methods=("GEM",), blocks=2, background=threshold)
        (found,) = playground.ask(picture, question).found
        powers = np.exp(100 * found.scores.astype(np.float64))
        shares = powers / powers.sum(axis=0)
        expected = (shares.argmax(axis=0) + 1) * (shares.max(axis=0) >= threshold)
        near = abs(shares.max(axis=0) - threshold) < 1e-3
        assert (found.labels == expected)[~near].mean() > 0.999
        assert (found.labels == 0).any() == (threshold > 0)


def test_the_ranking_at_a_point(playground):
    picture = playground.take(image(), "a")
    answer = playground.ask(picture, Question(words=WORDS, methods=("CLIP",), background=0.0))
    (found,) = answer.found
    ranked = answer.ranking(found, (0.25, 0.5))
    row, column = pixel((0.25, 0.5), found.labels.shape)
    scores = found.scores[:, row, column]
    assert [one.place for one in ranked] == list(np.argsort(-scores))
    assert ranked[0].score == pytest.approx(float(scores.max()))
    assert sum(one.share for one in ranked) == pytest.approx(1)
    assert answer.label(found, (0.25, 0.5)) == ranked[0].word
    assert pixel((1.0, 1.0), (240, 360)) == (239, 359)
    assert pixel((-1, 2), (240, 360)) == (239, 0)


def test_only_methods_that_the_tower_serves(playground):
    """Five blocks: ResCLIP reads the ninth, ProxyCLIP another model, CLIP Surgery six."""
    assert set(playground.methods) >= {"CLIP", "MaskCLIP", "GEM", "NACLIP", "ClearCLIP"}
    assert not {"ResCLIP (RCS)", "ProxyCLIP", "CLIP Surgery", "SC-CLIP"} & set(playground.methods)
    assert playground.depth == 5
    with pytest.raises(ValueError, match="the method 'x' is not here, expected one of CLIP"):
        playground.ask(playground.take(image(), "a"), Question(words=WORDS, methods=("x",)))


def test_the_command_lines_method_keeps_its_options(folder):
    given = [*words(folder), "method=naclip", "method.sigma=2"]
    own = Playground(compose_setting(given))
    assert own.methods["NACLIP"].sigma == 2
    assert "NACLIP" in own.first
    with pytest.raises(ValueError, match="GroupViT has no methods to compare"):
        Playground(compose_setting(["segmenter=groupvit"]))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "a.png is empty, expected an image"),
        (b"no image", "a.png cannot be read as an image: it is none of the formats that are known"),
        (file_of(image())[:400], "a.png cannot be read as an image: it ends early"),
    ],
)
def test_what_is_no_image(content, said):
    with pytest.raises(ValueError) as caught:
        read_picture(content, "a.png")
    assert str(caught.value) == said


def test_a_picture_is_shown_as_people_see_it(tmp_path, playground):
    save_turned(image((96, 64)), tmp_path / "photo.png")
    found = read_picture((tmp_path / "photo.png").read_bytes(), "photo.png")
    assert found.size == (64, 96)
    picture = playground.take(found, "photo.png")
    assert (picture.size, picture.shown.size) == ((64, 96), (240, 360))  # small ones are enlarged


def test_what_a_page_sends(playground):
    session = Session()
    with pytest.raises(ValueError, match="there is no picture: open one"):
        session.ask(playground, "a cat", ["CLIP"], 1, 1.0, 1, 0.85)
    session.take(playground, sent(file_of(image())))
    answer = session.ask(playground, "a cat; a dog", ["CLIP", "GEM"], 1, 1.0, 2, 0.85)
    assert answer.picture.name == "a.png"
    for odd, said in [
        (
            {"name": "b.png", "size": LARGEST + 1, "data": ""},
            "b.png has 50 MB, expected 50 at most",
        ),
        ({"name": "b.png", "data": "?"}, "b.png did not arrive whole"),
        ({"name": "camera", "problem": "Permission denied"}, "camera: Permission denied"),
    ]:
        with pytest.raises(ValueError) as caught:
            session.take(playground, odd)
        assert str(caught.value) == said
    assert session.answer is answer  # a mistake changes nothing
    with pytest.raises(ValueError, match="a point is two numbers"):
        session.click("a", None)
    session.click(0.5, 7)
    assert session.point == (0.5, 1.0)


def test_a_prompt_that_does_not_fit(playground):
    session = Session()
    session.take(playground, sent(file_of(image())))
    with pytest.raises(ValueError) as caught:
        session.ask(playground, "a " * 40, ["CLIP"], 1, 1.0, 1, 0.85)
    assert "tokens" in sentence(caught.value)
    with pytest.raises(ValueError) as caught:
        session.ask(playground, "a\u200bcat", ["CLIP"], 1, 1.0, 1, 0.85)
    assert "U+200B cannot be seen" in sentence(caught.value)


def test_texts_of_users_are_escaped(playground):
    picture = playground.take(image(), '<b>"x"</b>')
    bad = ("<script>", "{{x}}", "${1+1}")
    answer = playground.ask(picture, Question(words=bad, methods=("GEM",), blocks=2))
    whole = "".join([
        html.picture_html(picture, None), html.answer_html(answer, (0.5, 0.5)),
        html.ranking_html(answer, (0.5, 0.5)), html.problem_html("<script>"),
    ])  # fmt: skip
    assert "<script>" not in whole
    assert "<b>&" not in whole
    assert whole.count("&lt;script&gt;") == 4  # title, alternative text, ranking, problem


def test_one_word_alone_is_explained(playground):
    picture = playground.take(image(), "a")
    alone = playground.ask(picture, Question(words=("a cat",), methods=("CLIP",)))
    assert "One word alone" in html.status_html(alone)
    assert "Click on any picture" in html.ranking_html(alone, None)


def test_what_is_saved(playground):
    picture = playground.take(image((90, 60)), "a")
    answer = playground.ask(picture, Question(words=WORDS, methods=ALL, blocks=2))
    with np.load(BytesIO(maps_file(answer)), allow_pickle=False) as found:
        assert found["scores"].shape == (2, 3, 240, 360)
        np.testing.assert_array_equal(found["scores"][1], answer.found[1].scores)
        np.testing.assert_array_equal(found["labels"][0], answer.found[0].labels)
        assert found["methods"].tolist() == ["CLIP", "GEM"]
        assert found["words"].tolist() == list(WORDS)
        assert found["size"].tolist() == [90, 60]
    with Image.open(BytesIO(picture_file(answer))) as sheet:
        assert sheet.width > 3 * 320
        assert sheet.height > 2 * 320 * 2 / 3


def test_drawn_scenes_have_words_that_are_not_there():
    scene, found = drawn_scene(5)
    assert scene.size == (512, 512)
    assert len(set(found)) == len(found) >= 3
