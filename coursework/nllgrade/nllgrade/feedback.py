"""A page for each student: points, what failed and on which input; never what was expected."""

from __future__ import annotations

import hashlib
import re
from html import escape
from pathlib import Path

from nllgrade.grade import Result
from nllgrade.master import Master, questions
from nllgrade.rubric import Marks, earned, who

STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .4rem .6rem .4rem 0;
  border-bottom: 1px solid #8888; overflow-wrap: anywhere; }
thead th, .points { white-space: nowrap; }
caption { text-align: left; font-weight: 600; padding-top: 1.2rem; }
code, pre { font: .9rem/1.4 ui-monospace, monospace; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; border-left: 3px solid #8888;
  padding-left: .8rem; }
figure { margin: 1rem 0; }
img { max-width: 100%; height: auto; }
"""


SHORT = 20  # characters: a name, not a sentence


def page(title: str, body: str) -> str:
    """A page that needs no other file and asks nobody for anything."""
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )


def table(caption: str, head: list[str], rows: list[list[str]]) -> str:
    """A table whose first column names its rows; the cells are HTML."""
    top = "".join(f'<th scope="col">{escape(one)}</th>' for one in head)
    lines = "".join(
        f'<tr><th scope="row"{" class=points" * (len(row[0]) < SHORT)}>{row[0]}</th>'
        + "".join(
            f'<td class="points">{one}</td>' if one[:1].isdigit() else f"<td>{one}</td>"
            for one in row[1:]
        )
        + "</tr>\n"
        for row in rows
    )
    return (
        f"<table>\n<caption>{escape(caption)}</caption>\n<thead><tr>{top}</tr></thead>\n"
        f"<tbody>\n{lines}</tbody>\n</table>\n"
    )


def feedback(result: Result, master: Master, marks: Marks) -> str:
    """The page of one submission."""
    title, by_hand = master.title, earned(marks, result)
    asked = {
        part.grade_id: question.title for question in questions(master) for part in question.parts
    }
    total = result.earned + (by_hand or 0.0)
    of = sum(one.points for one in result.items)
    body = f"<h1>{escape(title)}</h1>\n<p>{escape(result.student)}, {escape(result.file)}</p>\n"
    if result.status != "graded":
        body += f"<p><strong>{escape(result.status)}</strong>: {escape(result.reason)}.</p>\n"
    pending = "" if by_hand is not None or not result.manual else ", derivation not yet graded"
    automatic = f"{result.earned:g} of {of:g} automatic{pending}"
    body += f"<p><strong>{total:g} of {master.points:g} points</strong> ({automatic})</p>\n"
    rows = []
    for item in result.items:
        why = escape(item.reason) if item.earned < item.points else "right"
        if item.mistake:
            why += f"<br>The same comes out for somebody who {escape(item.mistake)}."
        name = f"{asked.get(item.id, item.id)} ({item.id.rpartition('-')[2]})"
        rows.append([escape(name), f"{item.earned:g} of {item.points:g}", why])
    body += table("Questions", ["Question", "Points", "What happened"], rows)
    for question, parts in marks.get(who(result), {}).items():
        rows = [
            [escape(one.criterion), f"{one.points:g} of {one.of:g}", escape(one.comment)]
            for one in parts
        ]
        body += table(asked.get(question, question), ["Criterion", "Points", "Comment"], rows)
    if result.said:
        body += "<h2>Your cells, run from top to bottom</h2>\n"
        for one in result.said:
            body += f"<h3>Cell {one.cell}</h3>\n"
            body += f"<pre>{escape(one.printed)}</pre>\n" if one.printed else ""
            body += f"<p><code>{escape(one.error)}</code></p>\n" if one.error else ""
    return page(f"{title}: {result.student}", body)


def file_name(result: Result) -> str:
    """A name that every system takes, different for each submission."""
    plain = re.sub(r"[^A-Za-z0-9.-]+", "_", result.student).strip("._")[:60] or "student"
    digest = hashlib.sha256(f"{result.student}\0{result.file}".encode()).hexdigest()[:8]
    return f"{plain}-{digest}.html"


def write_all(results: list[Result], master: Master, marks: Marks, folder: Path) -> None:
    """Write the pages of a class, and delete those of an earlier call."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.html"):
        old.unlink()
    for one in results:
        (folder / file_name(one)).write_text(feedback(one, master, marks), encoding="utf-8")
