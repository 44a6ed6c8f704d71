"""Puts together what is published, and checks it: the site, and the branch for Colab and Binder.

``python -m web.publish [--repository URL] [--site URL]`` builds the book for these addresses, or
for those in the environment, in _config.yml, of the git remote. It fills _build/publish/site and
_build/publish/branch, checks both, and says what is in them. Nothing leaves the machine: the
workflow publishes the two folders.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
import yaml

from web import assignments_page, committed, launch, offline, pdf, publish_check
from web.browser import NoBrowserError
from web.launch import Addresses
from web.source import ROOT, Chapter, pages

v4: Any = nbformat.v4  # has no types
HTML = ROOT / "_build" / "html"
TARGET = ROOT / "_build" / "publish"
MADE_UP = "https://github.com/example/likelihood-to-loss"
EPOCH = "1577836800"  # 1 January 2020: the date of every file in the wheel
INSTALL = "install-nllbook"  # the first cell's id and tag


class PublishError(Exception):
    """Says, in one line, why nothing was put together."""


@dataclass(frozen=True)
class Wheel:
    """The package as one file."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def version(self) -> str:
        return self.name.split("-")[1]

    @property
    def hash(self) -> str:
        return sha256(self.path.read_bytes()).hexdigest()


def build_wheel(folder: Path) -> Wheel:
    """The same source gives the same bytes: else a notebook would refuse a wheel made again."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": EPOCH}
    run = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    built = sorted(folder.glob("nllbook-*.whl"))
    if run.returncode or len(built) != 1:
        said = (run.stderr.strip() or "it said nothing").split("\n")[-1]
        raise PublishError(f"hatchling made no wheel of nllbook: {said}")
    return Wheel(built[0])


# ---- the notebooks

CELL = """\
# Run this cell first. It looks for the book's small package, nllbook. Where that is
# missing, it is installed from the book's own site, and from nowhere else; pip refuses
# the file if its checksum is not the one below.
import importlib.util
from importlib import metadata

WHEEL = "{address}"
SHA256 = "{hash}"


def installed():
    try:
        return metadata.version("nllbook")
    except metadata.PackageNotFoundError:
        return None


if installed() == "{version}":
    print("nllbook {version} is installed already: nothing to do.")
else:
    %pip install --quiet --no-deps "nllbook @ {{WHEEL}}#sha256={{SHA256}}"
    importlib.invalidate_caches()
    if installed() != "{version}":
        raise RuntimeError(
            "nllbook was not installed; pip says why above. If the book has changed "
            "since you got this notebook, get it anew from the book's site."
        )
    print("Installed nllbook {version} from", WHEEL)"""

NEEDS = """

# This chapter needs one more package, a large one.
if importlib.util.find_spec("{package}") is None:
    %pip install --quiet {package}"""

NOTE = (
    "*This is the chapter [{title}]({page}) of “{book}” as a notebook. Run the cells in order, "
    "from the top; then change what you like. Prose and figures: CC BY 4.0; code: MIT.*"
)


def book_title() -> str:
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    return str(config["title"])


def notebook(chapter: Chapter, wheel: Wheel, site: str) -> str:
    """The committed notebook as readers get it: the cell that installs, and links to the site."""
    path = ROOT / "notebooks" / f"{chapter.name}.ipynb"
    if not path.exists():
        raise PublishError(f"notebooks/{path.name} is missing: run make notebooks")
    made = v4.reads(path.read_text(encoding="utf-8"))
    page = f"{site}chapters/{chapter.name}.html"
    for cell in made.cells:
        if cell.cell_type == "markdown":
            cell.source = _to_site(cell.source, site)
        else:  # figures are drawn by running; until then the caption says what to see
            cell.outputs = [one for one in cell.outputs if not _stands_for_a_figure(one)]
    first, *rest = made.cells
    assert first.id == "generated", path  # the note for those who edit the book
    first.id, first.source = "note", NOTE.format(title=chapter.title, page=page, book=book_title())
    made.cells = [first, *rest]
    return installing(made, wheel, site, committed.needs(chapter))


def installing(made: Any, wheel: Wheel, site: str, package: str = "") -> str:
    """The text of a notebook, its first cell the one that installs nllbook, and ``package``."""
    code = CELL.format(version=wheel.version, address=site + wheel.name, hash=wheel.hash)
    code += NEEDS.format(package=package) if package else ""
    install = v4.new_code_cell(code, id=INSTALL, metadata={"tags": [INSTALL]})
    made.cells = [install, *made.cells]
    nbformat.validate(made)
    return str(v4.writes(made)) + "\n"


def notebooks(wheel: Wheel, site: str) -> dict[str, str]:
    """All that are published: the chapters with cells, and the assignments without answers."""
    return {
        **{one.name: notebook(one, wheel, site) for one in pages() if one.cells},
        **{
            name: installing(v4.reads(text), wheel, site)
            for name, text in assignments_page.notebooks(site)
        },
    }


def _stands_for_a_figure(output: Any) -> bool:
    return str(output.get("data", {}).get("text/plain", "")).startswith("<Figure ")


def _to_site(text: str, site: str) -> str:
    """Links to other pages: a copy of one notebook stands alone, the site has them all."""
    text = re.sub(r"\]\(\.\./chapters/([\w-]+)\.md(?=[#)])", rf"]({site}chapters/\1.html", text)
    return re.sub(r"\]\(([\w-]+)\.ipynb(?=[#)])", rf"]({site}chapters/\1.html", text)


# ---- the branch

README = """\
# {book}: the notebooks

Every chapter and every assignment of [the book]({site}) as a notebook: what its buttons open in
Colab and in Binder.
The book's workflow writes this branch. To change something, edit the chapters in
[the repository]({repository}).

- `notebooks/`: the first cell installs `nllbook` where it is missing, from the book's site.
- `{wheel}`: that package. Its sha256 is `{hash}`.
- `.binder/`: from it Binder makes the machine that runs the notebooks.

Prose and figures are under CC BY 4.0 ([notebooks/LICENSE](notebooks/LICENSE)), all code under the
MIT licence ([LICENSE](LICENSE)).
"""


def binder(folder: Path, wheel: Wheel) -> None:
    """The files of .binder/, with the wheel in the place of the checkout, and the lock beside."""
    folder.mkdir(parents=True)
    shutil.copy(ROOT / ".binder" / "runtime.txt", folder)
    shutil.copy(ROOT / "requirements.txt", folder / "constraints.txt")
    lines = (ROOT / ".binder" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    # pip reads this path from where it is started, which is the top of the branch
    there = {
        "-c ../requirements.txt": "-c constraints.txt",
        ".": f"file:./{wheel.name}#sha256={wheel.hash}",
    }
    assert there.keys() <= set(lines), "publish.py replaces these lines of .binder"
    wanted = [there.get(line, line) for line in lines if not line.startswith("#")]
    (folder / "requirements.txt").write_text("\n".join(wanted) + "\n", encoding="utf-8")


def assemble(html: Path, target: Path, found: Addresses, whole: Path) -> Wheel:
    """Fill the two folders anew; ``whole`` is the book as a PDF."""
    shutil.rmtree(target, ignore_errors=True)
    site, branch = target / "site", target / "branch"
    shutil.copytree(html, site, ignore=shutil.ignore_patterns(*offline.NOT_FOR_READERS))
    shutil.copy(whole, site / pdf.NAME)
    wheel = build_wheel(site)
    made = notebooks(wheel, found.site)
    for place in (site, branch):
        (place / launch.FOLDER).mkdir(parents=True, exist_ok=True)
        for name, text in made.items():
            path = place / launch.FOLDER / f"{name}.ipynb"
            path.write_text(text, encoding="utf-8", newline="\n")
    with TemporaryDirectory() as scratch:
        shutil.copy(offline.pack(site, Path(scratch), found.site), site)
    shutil.copy(wheel.path, branch)
    binder(branch / ".binder", wheel)
    readme = README.format(
        book=book_title(),
        site=found.site,
        repository=found.repository,
        wheel=wheel.name,
        hash=wheel.hash,
    )
    (branch / "README.md").write_text(readme, encoding="utf-8")
    shutil.copy(ROOT / "LICENSE", branch)
    shutil.copy(ROOT / "chapters" / "LICENSE", branch / launch.FOLDER)
    return wheel


# ---- the addresses


def pages_address(repository: Addresses) -> str:
    """Where GitHub Pages puts a repository's site, unless it has a domain of its own."""
    owner, _, name = repository.github.lower().partition("/")
    host = f"{owner}.github.io"
    return (
        f"https://{host}/"
        if name == host
        else f"https://{host}/{repository.github[len(owner) + 1 :]}/"
    )


def _remote() -> str:
    """The repository that this checkout was cloned from, where that is on GitHub."""
    try:
        command = ["git", "remote", "get-url", "origin"]
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        found = launch.addresses(run.stdout)
    except (OSError, launch.AddressError):
        return ""
    return found.repository if found.github else ""


def find_addresses(repository: str, site: str) -> tuple[Addresses, str]:
    """What to publish for, and in a few words where that stands."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    stands = (
        ("as asked for", repository),
        (f"from {launch.REPOSITORY}", os.environ.get(launch.REPOSITORY, "")),
        ("from _config.yml", config.get("repository", {}).get("url") or ""),
        ("from the git remote", _remote()),
        ("made up: no repository is named anywhere", MADE_UP),
    )
    how, repository = next((how, one) for how, one in stands if one)
    site = site or os.environ.get(launch.SITE, "") or config.get("html", {}).get("baseurl") or ""
    found = launch.addresses(repository, site)
    if not found.site and found.github:
        found = launch.addresses(repository, pages_address(found))
    if not found.site:
        raise PublishError(f"{repository} is not on GitHub: say where its site is, by --site URL")
    return found, how


def build(found: Addresses) -> None:
    """Build the book for these addresses, as make book does."""
    environment = {**os.environ, launch.REPOSITORY: found.repository, launch.SITE: found.site}
    command = ["make", "--no-print-directory", "book"]
    if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode:
        raise PublishError("The book was not built, so there is nothing to publish")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m web.publish", description=__doc__)
    parser.add_argument("--repository", default="", help="https://github.com/OWNER/NAME")
    parser.add_argument("--site", default="", help="where the site is served")
    options = parser.parse_args(arguments)
    try:
        found, how = find_addresses(options.repository, options.site)
        print(f"Repository: {found.repository} ({how})\nSite: {found.site}", flush=True)
        build(found)
        whole = HTML.parent / pdf.NAME
        pdf.make(HTML, whole)
        wheel = assemble(HTML, TARGET, found, whole)
    except (PublishError, pdf.PdfError, NoBrowserError, launch.AddressError) as error:
        print(error, file=sys.stderr)
        return 1
    wrong = publish_check.problems(TARGET, found, wheel.name, wheel.hash)
    print(publish_check.summary(TARGET, wheel.name, wheel.hash))
    print(*wrong, sep="\n", end="\n" if wrong else "", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
