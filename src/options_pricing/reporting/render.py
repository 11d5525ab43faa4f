"""The report as Markdown and as one self-contained HTML page; text from data is literal in both."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path, PurePath
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import jinja2
from markupsafe import Markup, escape

from options_pricing.reporting.charts import COLOURS
from options_pricing.reporting.pictures import Picture
from options_pricing.reporting.wording import check_words, typeset, visible
from options_pricing.run.files import whole_files, write_text

# An underscore inside a word is plain text; outside one it may emphasise.
MARKDOWN_SIGNS = re.compile(r"([\\`*{}\[\]#|~$@]|(?<![0-9A-Za-z])_|_(?![0-9A-Za-z]))")
# What opens a list, a rule or a heading's underline when it stands first.
MARKDOWN_OPENERS = re.compile(r"^(?=[-+=])|^(\d+)(?=[.)](?:\s|$))")
ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
SVG_PROLOGUE = re.compile(r"^.*?(?=<svg)", re.DOTALL)
SVG_ATTRIBUTES = re.compile(r'(<svg\b[^>]*?) (?:xmlns(?::xlink)?|width|height|version)="[^"]*"')
SVG_IDS = re.compile(r'(\bid="|href="#|url\(#)')


def markdown_literal(value: Any) -> Markup:
    """Text that Markdown (CommonMark, with GitHub's tables and links) shows as it stands, on one line."""
    if isinstance(value, Markup):
        return value
    text = MARKDOWN_SIGNS.sub(r"\\\1", visible(value).translate(ENTITIES))
    text = text.replace("://", ":&#47;/").replace("www.", "www&#46;")
    # Escaped in the lines above.
    return Markup(MARKDOWN_OPENERS.sub(r"\1\\", text))  # nosec B704


def html_literal(value: Any) -> Markup:
    """Text that HTML shows as it stands; every control character shows too."""
    return value if isinstance(value, Markup) else escape(visible(value))


def inline_svg(svg: str, name: str, title: str) -> Markup:
    """A chart as an element of the page: its size and colours from the page, its ids its own, a name for readers."""
    body = SVG_PROLOGUE.sub("", svg, count=1)
    while SVG_ATTRIBUTES.search(body):
        body = SVG_ATTRIBUTES.sub(r"\1", body)
    body = SVG_IDS.sub(rf"\g<1>{name}-", body)
    for colour, code in COLOURS.items():
        body = body.replace(code, f"var(--{colour})")
    # A chart that we have drawn ourselves.
    return Markup(body.replace("<svg", f'<svg role="img" aria-label="{escape(title)}"', 1))  # nosec B704


def _environment(*, html: bool) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("options_pricing.reporting"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=html_literal if html else markdown_literal,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals["inline_svg"] = inline_svg
    environment.filters |= {"check_words": check_words, "typeset": typeset}
    return environment


def render_html(context: dict[str, Any]) -> str:
    """The whole page: style and pictures inside, no script, nothing loaded from anywhere."""
    return _environment(html=True).get_template("stakeholder_report.html.j2").render(context)


def render_markdown(context: dict[str, Any], figures: PurePath) -> str:
    """The Markdown; `figures` is the folder of the pictures as seen from the Markdown's own folder."""
    files = {name: quote((figures / chart.file).as_posix()) for name, chart in context["charts"].items()}
    links = {name: Markup(file) for name, file in files.items()}  # nosec B704
    text = _environment(html=False).get_template("stakeholder_report.md.j2").render(context, links=links)
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE)).strip() + "\n"


def json_text(told: Any) -> str:
    """What goes with the report as JSON."""
    return json.dumps(told, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def write_report(
    context: dict[str, Any],
    *,
    markdown: Path,
    html: Path,
    figures: Path,
    trend: Path | None = None,
    beside: Mapping[Path, Any] = MappingProxyType({}),
) -> list[Path]:
    """Write the pictures, the Markdown that links to them, the HTML that holds them, the trend of the validation
    reports where that is asked for, and what else goes with it as JSON; each whole or not at all."""
    charts: list[Picture] = list(context["charts"].values())
    seen_from = PurePath(os.path.relpath(figures, markdown.parent))
    texts = {
        **{figures / chart.file: chart.wide for chart in charts},
        markdown: render_markdown(context, seen_from),
        html: render_html(context),
        **({trend: json.dumps(context["trend"], indent=1) + "\n"} if trend else {}),
        **{path: json_text(told) for path, told in beside.items()},
    }
    with whole_files(*texts) as temporaries:
        for temporary, text in zip(temporaries, texts.values(), strict=True):
            write_text(temporary, text)
    return list(texts)
