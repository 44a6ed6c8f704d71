"""The class at a glance: scores, questions, and which wrong beliefs the failures point to."""

from __future__ import annotations

import base64
import io
import re
from collections import Counter
from html import escape

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import MaxNLocator

from nllbook import plotting
from nllgrade.export import totals
from nllgrade.feedback import page, table
from nllgrade.grade import Result
from nllgrade.rubric import Marks
from nllgrade.spec import Spec


def report(results: list[Result], spec: Spec, title: str, marks: Marks) -> str:
    """The page for the instructor."""
    scores = [total for _, total in totals(results, marks)]
    statuses = Counter(one.status for one in results)
    said = ", ".join(f"{count} {status}" for status, count in sorted(statuses.items()))
    body = f"<h1>{escape(title)}: the class</h1>\n<p>{len(results)} submissions: {said}.</p>\n"
    text = f"Points of {len(scores)} submissions, of {spec.points:g}: " + _five(scores)
    body += f'<figure><img alt="{escape(text)}" src="{_histogram(scores, spec.points)}">'
    body += f"<figcaption>{escape(text)}</figcaption></figure>\n"
    rows = []
    for place, item in enumerate(spec.items):
        outcomes = [one.items[place] for one in results if one.status != "unreadable"]
        right = sum(one.earned == one.points for one in outcomes)
        why = Counter(one.mistake or _kind(one.reason) for one in outcomes if one.reason)
        often = "; ".join(f"{escape(what)} ({count})" for what, count in _order(why)[:3])
        rows.append([escape(item.id), f"{right} of {len(outcomes)}", f"{item.points:g}", often])
    body += table("Questions", ["Question", "Right", "Points", "What happened most"], rows)
    beliefs = Counter(
        belief
        for one in results
        for item, outcome in zip(spec.items, one.items, strict=True)
        if (belief := spec.beliefs.get((item.question, outcome.mistake)))
    )
    if beliefs:
        rows = [[escape(belief), str(count)] for belief, count in _order(beliefs)]
        body += table("Wrong beliefs that failures point to", ["Belief", "Answers"], rows)
    twice = [who for who, count in Counter(one.student for one in results).items() if count > 1]
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


def _histogram(scores: list[float], most: float) -> str:
    """A picture of the scores, as a data address."""
    plotting.use_style()
    figure, (axes,) = plotting.figure()
    axes.hist(scores, bins=20, range=(0, most), color=plotting.PALE)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("points")
    axes.set_ylabel("submissions")
    picture = io.BytesIO()
    figure.savefig(picture, format="png", metadata={"Software": None})
    plt.close(figure)
    return "data:image/png;base64," + base64.b64encode(picture.getvalue()).decode()
