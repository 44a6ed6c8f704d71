"""Draws the pictures of the instructor's guide: a class is made up, graded, and photographed.

``make guide-pictures`` writes chapters/instructors-*.webp.
"""

from __future__ import annotations

import io
import random
import tempfile
from pathlib import Path

from nllgrade.__main__ import main as nllgrade
from PIL import Image, ImageOps

from tests.coursework.papers import master, solved, written
from web.browser import launched, visit
from web.source import CHAPTERS

NAME = "1-likelihood"
STUDENTS = 30
WIDTH, SCALE = 544, 2  # CSS pixels, and pixels in each
DERIVATION = "The likelihood is $p^n (1 - p)^{S - n}$, which is largest at $p = n / S$."


def hand_in(folder: Path) -> None:
    """Honest students, each with the plausible mistakes of a few questions."""
    choose = random.Random(11)
    planted = master(NAME).mistakes
    questions = sorted({one.question for one in planted})
    for number in range(1, STUDENTS + 1):
        missed = choose.sample(questions, choose.choice((0, 1, 1, 2, 3)))
        answers = {
            question: choose.choice([one.source for one in planted if one.question == question])
            for question in missed
        }
        notebook = solved(NAME, answers=answers)
        next(one for one in notebook["cells"] if one["id"] == "derivation")["source"] = DERIVATION
        student = folder / f"student{number:02}"
        student.mkdir(parents=True)
        (student / f"{NAME}.ipynb").write_bytes(written(notebook))


def photograph(page: Path, name: str, height: int) -> None:
    """The top of a page, on white, as the guide shows it."""
    with launched() as browser:
        size = (WIDTH, height)
        with visit(browser, page.as_uri(), size=size, device_scale_factor=SCALE) as seen:
            rows = [
                box["y"] + box["height"]
                for row in seen.page.locator("tr").all()
                if (box := row.bounding_box())
            ]
            bottom = max(one for one in rows if one <= height)  # no row is cut

            shot = seen.page.screenshot(clip={"x": 0, "y": 0, "width": WIDTH, "height": bottom})
    target = CHAPTERS / f"instructors-{name}.webp"
    framed = ImageOps.expand(Image.open(io.BytesIO(shot)).convert("RGB"), SCALE, "#cccccc")
    framed.convert("P", palette=Image.Palette.ADAPTIVE, colors=32).save(
        target, lossless=True, quality=100, method=6
    )
    print(f"{target.relative_to(CHAPTERS.parent)}: {target.stat().st_size / 1000:.0f} kB")


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        hand_in(folder / "handed-in")
        graded = folder / "graded"
        assert (
            nllgrade(
                ["grade", str(folder / "handed-in"), "--assignment", "1", "--out", str(graded)]
            )
            == 0
        )
        assert nllgrade(["feedback", str(graded)]) == 0
        assert nllgrade(["report", str(graded)]) == 0
        photograph(graded / "report.html", "report", 1150)
        pages = sorted((graded / "feedback").iterdir())
        photograph(
            max(pages, key=lambda page: page.read_text().count("comes out")), "feedback", 1010
        )


if __name__ == "__main__":
    main()
