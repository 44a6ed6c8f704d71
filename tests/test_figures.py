"""The numbers of the interactive figures are those of `nllbook`, wherever their sliders stand."""

from __future__ import annotations

import gzip
import json
import math
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from playwright.sync_api import expect
from scipy import integrate, optimize

import nllbook
from nllbook import figures
from web import npm, source
from web.browser import visit
from web.figures import shown

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

State = dict[str, Any]
DATA = [1.2, 1.9, 2.3, 2.6, 3.1, 3.2, 3.8, 4.1, 4.9, 5.9]


def found(folder: Path, name: str, states: list[State]) -> list[dict[str, Any]]:
    """The figure's `values` at these states, as JavaScript computes them."""
    (folder / "module.mjs").write_text(figures.module(name), encoding="utf-8")
    program = f"import {{ values }} from {json.dumps((folder / 'module.mjs').as_uri())};\n"
    program += f"console.log(JSON.stringify({json.dumps(states)}.map(values)))"
    run = subprocess.run(
        [npm.node(), "--input-type=module", "--eval", program],
        capture_output=True,
        text=True,
        check=True,
    )
    values: list[dict[str, Any]] = json.loads(run.stdout)
    return values


def coin(n: int, k: int) -> State:
    model = nllbook.Bernoulli(k / n)
    nll = nllbook.nll([1] * k + [0] * (n - k), model)
    return {
        "mle": model.p,
        "nll": nll,
        "likelihood": math.exp(-n * nll),
        "error": math.sqrt(model.p * (1 - model.p) / n),
    }


def product(n: int) -> State:
    heads = round(0.7 * n)
    total = nllbook.nll([1] * heads + [0] * (n - heads), nllbook.Bernoulli(0.7), reduction="sum")
    return {"sum": -total, "product": math.exp(-total)}


def surprise(p: float) -> State:
    return {"nats": nllbook.surprisal(p), "bits": nllbook.surprisal(p, base=2)}


def gap(q: float) -> State:
    p, other = [0.7, 0.3], [1 - q, q]
    return {
        "entropy": nllbook.entropy(p),
        "cross": nllbook.cross_entropy(p, other),
        "kl": nllbook.kl_divergence(p, other),
    }


def residuals(m: float, s: float) -> State:
    return {
        "mse": np.mean(np.square(np.subtract(DATA, m))),
        "nll": nllbook.gaussian_nll(DATA, m, std=s),
    }


def logit(z: float, y: int) -> State:
    nll, slope = nllbook.bernoulli_nll(y, logits=z, return_grad=True)
    p = nllbook.sigmoid(z)
    return {
        "p": p,
        "nll": nll,
        "slope": slope,
        "square": (p - y) ** 2,
        "squareSlope": 2 * (p - y) * p * (1 - p),
    }


def simplex(a: float, b: float, c: float, y: int) -> State:
    z = [a, b, c]
    nll = nllbook.categorical_nll(y, logits=z)
    return {"p": nllbook.softmax(z), "nll": nll, "lse": nllbook.logsumexp(z)}


def memory(rows: int, classes: float, bytes: int) -> State:
    n, k = 2**rows, math.floor(2**classes + 0.5)
    peak = 16 if bytes == 4 else 14  # the proposition of chapter 7, whose cells count it
    return {
        "n": n,
        "k": k,
        "logits": n * k * bytes,
        "peak": n * k * peak,
        "chunk": min(n, 2048) * k * 4,
    }


GRIDS: dict[str, tuple[Any, list[State]]] = {
    "coin": (coin, [{"n": n, "k": k} for n in (1, 2, 10, 37, 100) for k in range(0, n + 1, 3)]),
    "product": (product, [{"n": n} for n in range(10, 1501, 70)]),
    "surprise": (surprise, [{"p": p / 200} for p in range(1, 201)]),
    "gap": (gap, [{"q": q / 100} for q in range(1, 100)]),
    "residuals": (
        residuals,
        [{"m": m / 10, "s": s / 20} for m in range(0, 71, 7) for s in range(4, 81, 7)],
    ),
    "logit": (logit, [{"z": z / 10, "y": y} for z in range(-80, 81) for y in (0, 1)]),
    "simplex": (
        simplex,
        [
            {"a": a, "b": b, "c": c, "y": y}
            for a in (-6, -0.3, 6)
            for b in (-6, 2.1)
            for c in (-1, 5.9)
            for y in (0, 1, 2)
        ],
    ),
    "memory": (
        memory,
        [
            {"rows": rows, "classes": classes / 4, "bytes": size}
            for rows in range(8, 17)
            for classes in range(28, 73, 5)
            for size in (2, 4)
        ],
    ),
}


def test_each_figure_has_a_grid_or_a_search_of_its_own() -> None:
    assert GRIDS.keys() | {"directions"} == figures.STATES.keys()


SHORT = {
    0: "0",
    2: "2",
    0.123456: "0.123",
    -3.4e-4: "−3.4 · 10⁻⁴",
    1.5e-40: "1.5 · 10⁻⁴⁰",
}
SHORT |= {-1234.5: "−1,230", 2e9: "2.0 · 10⁹", math.inf: "∞", -math.inf: "−∞"}


def test_numbers_are_written_as_people_do(tmp_path: Path) -> None:
    code = figures.module("coin").replace("export default", "export const shown =")
    (tmp_path / "module.mjs").write_text(code + "\nexport { short };", encoding="utf-8")
    numbers = ",".join(str(one).replace("inf", "Infinity") for one in [*SHORT, -0.0])
    program = f"import {{ short }} from {json.dumps((tmp_path / 'module.mjs').as_uri())};\n"
    program += f"console.log(JSON.stringify([{numbers}].map((one) => short(one))))"
    command = [npm.node(), "--input-type=module", "--eval", program]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    found = [text.replace("\u00a0", " ") for text in json.loads(run.stdout)]
    assert found == [*SHORT.values(), "0"]


@pytest.mark.parametrize("name", GRIDS)
def test_numbers_are_those_of_the_package(tmp_path: Path, name: str) -> None:
    function, states = GRIDS[name]
    for state, got in zip(states, found(tmp_path, name, states), strict=True):
        want = function(**state)
        assert got.keys() == want.keys()
        for key, value in want.items():
            # some roundings, of numbers up to 1 where they cancel
            assert_allclose(got[key], value, rtol=1e-11, atol=1e-14, err_msg=f"{key} at {state}")


def mixture(x: float, a: float) -> float:
    """The log-density of half N(−a, 1) and half N(a, 1)."""
    terms = [-nllbook.nll([x], nllbook.Gaussian(mean, 1)) for mean in (-a, a)]
    return float(nllbook.logsumexp(terms) - math.log(2))


def divergence(m: float, s: float, a: float, direction: str) -> float:
    """KL in nats between that and N(m, s²), by adaptive quadrature."""

    def term(x: float) -> float:
        p, q = mixture(x, a), -float(nllbook.nll([x], nllbook.Gaussian(m, s)))
        return math.exp(p) * (p - q) if direction == "forward" else math.exp(q) * (q - p)

    ends = (-a - 9, a + 9) if direction == "forward" else (m - 9 * s, m + 9 * s)
    return float(integrate.quad(term, *ends, epsabs=1e-9, limit=200)[0])


@pytest.mark.slow
@pytest.mark.parametrize("direction", ["forward", "reverse"])
def test_the_nearest_gaussian_is_the_nearest(tmp_path: Path, direction: str) -> None:
    states: list[State] = [{"a": a, "direction": direction} for a in (0, 0.5, 1.5, 2.5, 3, 4)]
    for state, got in zip(states, found(tmp_path, "directions", states), strict=True):
        a = state["a"]
        least = min(
            optimize.minimize(
                lambda at, a=a: divergence(at[0], math.exp(at[1]), a, direction),
                start,
                method="Nelder-Mead",
                options={"xatol": 1e-4, "fatol": 1e-8},
            ).fun
            for start in ((0.05, math.log(1 + a / 2)), (a, 0.05))
        )
        # the steps of its search end at 1e-5
        assert got["kl"] == pytest.approx(least, abs=1e-6)
        assert divergence(got["mean"], got["std"], a, direction) == pytest.approx(least, abs=1e-6)


def test_a_module_is_small() -> None:
    for name in figures.STATES:
        assert len(gzip.compress(figures.module(name).encode())) <= 10_000


def test_each_figure_is_in_a_chapter_once_with_a_question() -> None:
    places = [(name, page) for page in source.pages() for _, name, _ in shown(page)]
    assert sorted(name for name, _ in places) == sorted(figures.STATES)
    assert {page.name for _, page in places} == {
        page.name for page in source.pages() if page.number
    }
    for _, page in places:
        for label, _, _ in shown(page):
            (cell,) = [
                one for one in page.cells if source.figure_options(one.options).get("name") == label
            ]
            assert "?" in source.figure_options(cell.options)["caption"]


@pytest.mark.parametrize(
    ("name", "state", "message"),
    [
        ("coins", {}, "name = 'coins' must be one of coin, product, "),
        ("coin", {"m": 1}, "m is no number of 'coin', which has n, k"),
    ],
)
def test_errors(name: str, state: State, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        figures.show(name, **state)


# ---- in the browser


HEIGHT = "(one) => one.offsetHeight"
MOVING = [(page.name, name, state) for page in source.pages() for _, name, state in shown(page)]


@contextmanager
def opened(site: Path, browser: Browser, page: str, **options: Any) -> Iterator[tuple[Page, Any]]:
    address = (site / "html" / "chapters" / f"{page}.html").as_uri()
    with visit(browser, address, **options) as found:
        yield found.page, found
        assert found.errors == []


@pytest.mark.slow
@pytest.mark.parametrize(("page", "name", "state"), MOVING, ids=[one[1] for one in MOVING])
@pytest.mark.parametrize("size", [(1280, 900), (390, 844)], ids=["wide", "phone"])
def test_a_figure_moves_by_keys_and_stays_in_its_place(
    site: Path, browser: Browser, page: str, name: str, state: State, size: tuple[int, int]
) -> None:
    with opened(site, browser, page, size=size) as (shown_page, _):
        place = shown_page.locator(f".live[data-figure={name}]")
        place.scroll_into_view_if_needed()
        figure = place.locator("xpath=ancestor::figure")
        assert figure.locator("img").is_hidden()
        says = place.locator(".nll-says")
        expect(says).not_to_be_empty()
        expect(place.get_by_role("status")).to_be_empty()  # nothing is read aloud unasked
        before, height = says.inner_text(), figure.evaluate(HEIGHT)
        slider = place.get_by_role("slider").first
        slider.press("ArrowRight")
        expect(says).not_to_have_text(before)
        expect(place.get_by_role("status")).to_have_text(says.inner_text())
        told = place.locator("svg").get_attribute("aria-label")
        assert told is not None
        assert told.endswith(says.inner_text())
        expect(slider).to_have_attribute(
            "aria-valuetext", place.locator(".nll-value").first.inner_text()
        )
        assert figure.evaluate(HEIGHT) == height
        assert place.evaluate("(one) => one.scrollWidth <= one.clientWidth")


@pytest.mark.slow
@pytest.mark.parametrize("page", sorted({one[0] for one in MOVING}))
def test_nothing_jumps_when_figures_begin(site: Path, browser: Browser, page: str) -> None:
    """The height of each figure with its script, and without."""
    heights = []
    address = (site / "html" / "chapters" / f"{page}.html").as_uri()
    for blocked in (True, False):
        with visit(browser, address) as found:
            if blocked:
                found.page.route("**/figure-*.js", lambda route: route.abort())
                found.page.reload()
            heights.append(
                found.page.eval_on_selector_all(
                    "figure:has(.live)", "(all) => all.map((one) => one.offsetHeight)"
                )
            )
    for one, other in zip(*heights, strict=True):
        assert abs(one - other) <= 2


@pytest.mark.slow
def test_a_figure_moves_by_hand(site: Path, browser: Browser) -> None:
    with opened(site, browser, "negative-log-likelihood") as (page, _):
        stage = page.locator(".live[data-figure=surprise] svg")
        stage.scroll_into_view_if_needed()
        box = stage.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * (34 + 304 * 0.8) / 346, box["y"] + 20, steps=4)
        page.mouse.up()
        output = page.locator(".live[data-figure=surprise] .nll-value")
        assert float(output.inner_text()) == pytest.approx(0.8, abs=0.011)
        page.mouse.move(box["x"], box["y"] - 20)  # a drag that begins elsewhere moves nothing
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 30, steps=4)
        page.mouse.up()
        assert float(output.inner_text()) == pytest.approx(0.8, abs=0.011)


@pytest.mark.slow
@pytest.mark.parametrize("part", ["svg", "input"])
def test_scrolling_by_touch_moves_no_figure(site: Path, browser: Browser, part: str) -> None:
    options = {"size": (390, 844), "has_touch": True, "is_mobile": True}
    with opened(site, browser, "negative-log-likelihood", **options) as (page, _):
        place = page.locator(".live[data-figure=surprise]")
        place.scroll_into_view_if_needed()
        value, box = place.locator(".nll-value"), place.locator(part).bounding_box()
        assert box is not None
        before, top = value.inner_text(), page.evaluate("scrollY")
        session = page.context.new_cdp_session(page)
        x, y = box["x"] + box["width"] * 0.8, box["y"] + box["height"] / 2

        def touch(kind: str, at: float) -> None:
            points = [{"x": x, "y": at}] if kind != "touchEnd" else []
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        touch("touchStart", y)
        for step in range(1, 9):
            touch("touchMove", y - 20 * step)
        touch("touchEnd", y)
        page.wait_for_function(f"Math.abs(scrollY - {top}) > 60")
        expect(value).to_have_text(before)
        if part == "svg":  # and a tap moves it
            place.locator(part).tap(position={"x": box["width"] * 0.8, "y": box["height"] / 2})
            expect(value).not_to_have_text(before)


@pytest.mark.slow
def test_on_paper_and_without_scripts_there_is_the_picture(site: Path, browser: Browser) -> None:
    with opened(site, browser, "likelihood") as (page, _):
        figure = page.locator("figure:has(.live)")
        expect(figure.locator("img")).to_be_hidden()
        page.emulate_media(media="print")
        expect(figure.locator("img")).to_be_visible()
        assert figure.locator(".live").is_hidden()
    with opened(site, browser, "likelihood", drawn=False, java_script_enabled=False) as (page, _):
        figure = page.locator("figure:has(.live)")
        assert figure.locator("img").is_visible()
        assert figure.locator(".live").evaluate(HEIGHT) == 0
