"""The class at a glance: scores, questions, and which wrong beliefs the failures point to."""

from __future__ import annotations

import base64
import io
import re
from collections import Counter
from collections.abc import Mapping
from html import escape
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import yaml
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from nllbook import plotting
from nllgrade.batch import named
from nllgrade.export import totals
from nllgrade.feedback import page, table
from nllgrade.grade import Result
from nllgrade.rubric import Marks, who
from nllgrade.spec import Spec


def report(
    results: list[Result],
    spec: Spec,
    title: str,
    marks: Marks,
    beliefs: Mapping[str, str],
) -> str:
    """The page for the instructor; ``beliefs`` says what the wrong ones are, by their ids."""
    scores = [total for _, total in totals(results, marks)]
    statuses = Counter(one.status for one in results)
    said = ", ".join(f"{count} {status}" for status, count in sorted(statuses.items()))
    body = f"<h1>{escape(title)}: the class</h1>\n<p>{len(results)} submissions: {said}.</p>\n"
    text = f"Points of {len(scores)} submissions, of {spec.points:g}: " + _five(scores)
    if missing := sum(who(one) not in marks for one in results if one.manual):
        text += f"; {missing} of them without the points by hand"
    body += _figure(text, _histogram(scores, spec.points))
    rows = []
    shares: dict[str, float] = {}
    for place, item in enumerate(spec.items):
        outcomes = [one.items[place] for one in results if one.status != "unreadable"]
        right = sum(one.earned == one.points for one in outcomes)
        why = Counter(one.mistake or _kind(one.reason) for one in outcomes if one.reason)
        often = "; ".join(f"{escape(what)} ({count})" for what, count in _order(why)[:3])
        shares[item.id] = right / max(len(outcomes), 1)
        rows.append([escape(item.id), f"{right} of {len(outcomes)}", f"{item.points:g}", often])
    text = "The share of the submissions that could be read which got each question right"
    body += _figure(text, _bars(shares))
    body += table("Questions", ["Question", "Right", "Points", "What happened most"], rows)
    held = Counter(
        belief
        for one in results
        for item, outcome in zip(spec.items, one.items, strict=True)
        if (belief := spec.beliefs.get((item.question, outcome.mistake)))
    )
    if held:
        rows = [[escape(beliefs.get(one, one)), str(count)] for one, count in _order(held)]
        body += table("Wrong beliefs that failures point to", ["Belief", "Answers"], rows)
    students = Counter(named(one.student) for one in results)
    twice = [student for student, count in students.items() if count > 1]
    if twice:
        body += f"<p>More than one submission: {escape(', '.join(sorted(twice)))}.</p>\n"
    return page(f"{title}: the class", body)


def _order(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda one: (-one[1], one[0]))


def _kind(reason: str) -> str:
    """A reason without the call that it is about."""
    return re.sub(r"^(?:.*\): |\w+: )", "", reason)


def _five(scores: list[float]) -> str:
    if not scores:
        return "none"
    at = np.quantile(scores, [0, 0.25, 0.5, 0.75, 1])
    return "least {:g}, lower quarter {:g}, median {:g}, upper quarter {:g}, most {:g}".format(*at)


def known_beliefs(assignments: Path) -> dict[str, str]:
    """The wrong beliefs in the words of the book that the masters lie in; none without a book."""
    path = assignments.resolve().parent.parent / "chapters" / "wrong-beliefs.yml"
    if not path.is_file():
        return {}
    return {one["id"]: one["belief"] for one in yaml.safe_load(path.read_text(encoding="utf-8"))}


def _figure(text: str, picture: str) -> str:
    said = escape(text)
    return f'<figure><img alt="{said}" src="{picture}"><figcaption>{said}.</figcaption></figure>\n'


def _bars(shares: Mapping[str, float]) -> str:
    """A picture of the shares, the first at the top."""
    plotting.use_style()
    figure, (axes,) = plotting.figure()
    axes.barh(list(shares)[::-1], list(shares.values())[::-1], color=plotting.PALE)
    axes.set_xlim(0, 1)
    axes.set_xlabel("share that is right")
    return _picture(figure)


def _histogram(scores: list[float], most: float) -> str:
    """A picture of the scores."""
    plotting.use_style()
    figure, (axes,) = plotting.figure()
    axes.hist(scores, bins=20, range=(0, most), color=plotting.PALE)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("points")
    axes.set_ylabel("submissions")
    return _picture(figure)


def _picture(figure: Figure) -> str:
    """The picture as a data address."""
    picture = io.BytesIO()
    figure.savefig(picture, format="png", metadata={"Software": None})
    plt.close(figure)
    return "data:image/png;base64," + base64.b64encode(picture.getvalue()).decode()
