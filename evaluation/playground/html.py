"""Answers as pieces of the page. All text of users is escaped."""

from __future__ import annotations

from markupsafe import Markup, escape

from evaluation.playground.answer import Answer, Found, Ranked
from evaluation.playground.drawing import address, hexadecimal
from evaluation.playground.picture import Picture
from gem.overlay import ANCHORS

Point = tuple[float, float]
"""Shares of width and height."""


def picture_html(picture: Picture, point: Point | None) -> str:
    """The picture, with the point that was clicked."""
    width, height = picture.size
    return map_html(address(picture.shown), f"the picture {picture.name}", point) + Markup(
        '<p class="name">{}, {} x {}</p>'
    ).format(picture.name, width, height)


def map_html(source: str, alternative: str, point: Point | None) -> Markup:
    """A picture that can be clicked, with a cross at the point."""
    across, down = point or (0, 0)
    return Markup(
        '<div class="map"><img src="{}" alt="{}" draggable="false">'
        '<i class="cross" style="left:{:.2%};top:{:.2%}"{}></i></div>'
    ).format(source, alternative, across, down, Markup("") if point else Markup(" hidden"))


def answer_html(answer: Answer, point: Point | None) -> str:
    """For each method its label map and a heat map for each word."""
    parts = [method_html(one, answer, point) for one in answer.found]
    return Markup('<div class="methods">{}</div>').format(Markup("").join(parts))


def method_html(one: Found, answer: Answer, point: Point | None) -> Markup:
    """A row: heading, colour bar, and the maps."""
    drawn, words = one.drawn, answer.question.words
    cells = [cell_html(drawn.labels, "labels", "", f"labels of {one.title}", point)]
    for place, (word, heat) in enumerate(zip(words, drawn.heats, strict=True)):
        best = f"{one.scores[place].max():.3f}"
        swatch = Markup('<b class="swatch" style="background:{}"></b>').format(hexadecimal(place))
        alternative = f"where {one.title} finds {word}"
        cells.append(cell_html(heat, swatch + word, best, alternative, point))
    return Markup(
        '<section class="method"><h3>{} <small>{}</small><span class="bar">{:.3f}'
        '<i style="background:{}"></i>{:.3f}</span></h3><div class="cells">{}</div></section>'
    ).format(
        one.title, one.variant, drawn.scale.low, gradient(), drawn.scale.high,
        Markup("").join(cells),
    )  # fmt: skip


def cell_html(
    source: str, title: str | Markup, below: str, alternative: str, point: Point | None
) -> Markup:
    """One map with its title."""
    return Markup("<figure>{}<figcaption>{} <small>{}</small></figcaption></figure>").format(
        map_html(source, alternative, point), title, below
    )


def gradient() -> str:
    """The colours of the scale, as CSS has them."""
    return f"linear-gradient(90deg, {', '.join(f'#{one}' for one in ANCHORS)})"


def ranking_html(answer: Answer, point: Point | None) -> str:
    """What each method has at the point: the words, the best first."""
    if point is None:
        return (
            '<p class="hint">Click on any picture: the words at that point, method by method.</p>'
        )
    width, height = answer.picture.size
    place = f"At {point[0] * width:.0f}, {point[1] * height:.0f} of the picture"
    lists = [ranked_html(one, answer, point) for one in answer.found]
    return Markup('<p class="hint">{}</p><div class="ranks">{}</div>').format(
        place, Markup("").join(lists)
    )


def ranked_html(one: Found, answer: Answer, point: Point) -> Markup:
    """A list of the words at a point, each with its score, and what the label map says there."""
    rows = Markup("").join(row_html(ranked) for ranked in answer.ranking(one, point))
    label = answer.label(one, point) or "none of them"
    return Markup(
        '<section class="rank"><h4>{}</h4><table><tbody>{}</tbody></table>'
        "<p>label: {}</p></section>"
    ).format(one.title, rows, label)


def row_html(ranked: Ranked) -> Markup:
    """A word with its score, and its share as a bar."""
    return Markup(
        '<tr><th scope="row">{}</th><td class="share"><i style="width:{:.1%};background:{}"></i>'
        "</td><td>{:.3f}</td><td>{:.0%}</td></tr>"
    ).format(
        ranked.word, ranked.share, hexadecimal(ranked.place), ranked.score, ranked.share
    )  # fmt: skip


def status_html(answer: Answer) -> str:
    """The time and what was computed, and what a reader must know."""
    said = Markup('<p class="status">{}.</p>').format(answer.spent.said)
    for note in notes(answer):
        said += Markup('<p class="note">{}</p>').format(note)
    return said


def notes(answer: Answer) -> list[str]:
    """What would be misread without it."""
    found = []
    if answer.random:
        found.append("The weights are random: nothing that is shown means anything.")
    if len(answer.question.words) == 1:
        found.append(
            "One word alone has nothing to be compared with: it is bright somewhere, and the label "
            "map has it everywhere. Add others, also such that are not there."
        )
    return found


def problem_html(said: str) -> str:
    """What is wrong, in one sentence."""
    return Markup('<p class="problem" role="alert">{}</p>').format(escape(said))
