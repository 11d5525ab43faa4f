import dataclasses
import html
import re
from html.parser import HTMLParser
from pathlib import PurePosixPath

import jinja2
import pytest

from options_pricing.reporting.context import build_context
from options_pricing.reporting.inputs import read_inputs
from options_pricing.reporting.render import (
    html_literal,
    inline_svg,
    markdown_literal,
    render_html,
    render_markdown,
    write_report,
)

NASTY = (
    "<script>alert(1)</script> {{7*7}} {% x %} | `code` *b* _i_ [l](http://a.b) & ![i](j) # $m$ ~s~ \\ \u202e <!-- -->"
)
VOID = {"meta", "link", "br", "wbr", "img", "use", "path", "hr"}


class Page(HTMLParser):
    """Tags that are open, all tags with attributes, and the text outside style."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.text = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text.append(data)


@pytest.fixture(scope="module")
def page(context):
    return render_html(context)


@pytest.fixture(scope="module")
def markdown(context):
    return render_markdown(context, PurePosixPath("figures"))


@pytest.fixture(scope="module")
def commonmark():
    """An independent reader of GitHub's Markdown."""
    return pytest.importorskip("markdown_it").MarkdownIt("gfm-like", {"linkify": False})


def test_the_page_is_balanced_has_no_script_and_loads_nothing(page):
    parsed = Page(page)
    assert parsed.open == []
    names = {tag for tag, _ in parsed.tags}
    assert not names & {"script", "img", "iframe", "object", "embed", "form"}
    for _, attributes in parsed.tags:
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "href", "xlink:href", "action", "data"):
            assert attributes.get(name, "#").startswith(("#", "data:,"))
    assert "http://" not in page and "https://" not in page and "@import" not in page
    assert not re.search(r"url\((?!#)", page)


def test_the_charts_inside_have_ids_of_their_own_and_all_references_meet(page):
    parsed = Page(page)
    ids = [attributes["id"] for _, attributes in parsed.tags if "id" in attributes]
    assert len(ids) == len(set(ids)) > 100
    referred = re.findall(r'href="#([^"]+)"', page) + re.findall(r"url\(#([^)]+)\)", page)
    assert referred and set(referred) <= set(ids)
    assert sum(tag == "svg" for tag, _ in parsed.tags) == 8


def test_the_charts_take_their_colours_from_the_page(page):
    assert "var(--ink)" in page
    body = page[page.index("</style>\n</head>") :]
    assert "#1b2733" not in body and "#ffffff" not in body


def test_simulated_stands_before_everything_else(page, markdown):
    assert "".join(Page(page).text[:60]).split("SIMULATED: every quote")[0].count("Friday") == 0
    assert page.index('<div class="alarm"') < page.index("<h1>")
    assert markdown.splitlines()[:2] == [
        "> [!CAUTION]",
        "> **SIMULATED: every quote in this report comes from a simulated market, none from an exchange.**",
    ]


ORDER = [
    "SIMULATED",
    "Option pricing report",
    "The answer",
    "How good is the boosted surface?",
    "All models, side by side",
    "What stands behind these figures",
    "R² by day",
    "Error by delta and maturity",
    "Smiles of 2026-11-20",
    "Data quality",
    "Release",
    "What this report cannot say",
    "Provenance",
]


@pytest.mark.parametrize("form", ["html", "markdown"])
def test_the_order_of_the_sections(page, markdown, form):
    text = page[page.index("<body>") :] if form == "html" else markdown
    places = [text.index(heading) for heading in ORDER]
    assert places == sorted(places)


@pytest.mark.parametrize("form", ["html", "markdown"])
def test_every_number_of_the_metrics_and_every_fingerprint_stands_in_it(page, markdown, inputs, form):
    text = html.unescape(page) if form == "html" else markdown
    for file in inputs.files:
        assert file.sha256 in text
    for day in inputs.meta:
        assert day.sha256 in text
    for number in (
        "0.470",
        "0.376 to 0.508",
        "0.637",
        "63.0",
        "22.1 %",
        "0.9993",
        "0.9989",
        "1,272",
        "94.3 %",
        "−41.2",
    ):
        assert number in text
    assert "not live until a person promotes it" in text


def test_the_markdown_links_to_the_pictures_relatively(context, markdown):
    assert re.findall(r"!\[.*?\]\((.*?)\)", markdown) == [
        "figures/r2_by_day.svg",
        "figures/error_by_bucket.svg",
        "figures/smiles.svg",
        "figures/validation_waterfall.svg",
    ]
    spaced = render_markdown(context, PurePosixPath("../my figures"))
    assert "(../my%20figures/smiles.svg)" in spaced


def test_the_markdowns_tables_are_whole(markdown, commonmark):
    rows = [line for line in markdown.splitlines() if line.startswith("|")]
    rendered = commonmark.render(markdown)
    assert rendered.count("<tr>") == len(rows) - sum(set(row) <= set("|-: ") for row in rows)
    assert "|" not in re.sub(r"<[^>]+>", "", rendered)


def nasty(made, text):
    """The context of a report whose every text from data is `text`."""
    made.change(made.card, limits=[text], hyperparameters={text: text}, versions={text: text})
    made.change(made.status, release_id=text, checks=[{"name": text, "passed": False, "detail": text}])
    inputs = read_inputs(made.files)
    inputs.features["underlying"] = text
    rules = tuple(
        rule.model_copy(update={"id": text, "title": text, "message": text}) for rule in inputs.validation[-1].rules
    )
    steps = tuple(step.model_copy(update={"id": text, "title": text}) for step in inputs.validation[-1].waterfall)
    last = inputs.validation[-1].model_copy(update={"rules": rules, "waterfall": steps, "null_rates": {text: 0.5}})
    meta = [day.model_copy(update={"underlyings": (text,), "source": text, "captured_at": text}) for day in inputs.meta]
    protocols = {
        name: protocol.model_copy(update={"by_underlying": {text: {"boosted": {}}, "b": {}}})
        for name, protocol in inputs.metrics.protocols.items()
    }
    metrics = inputs.metrics.model_copy(update={"protocols": protocols})
    changed = dataclasses.replace(inputs, validation=[*inputs.validation[:-1], last], meta=meta, metrics=metrics)
    return build_context(changed, date="20261120", title=text, smiles=1)


def test_text_from_data_is_literal_in_the_page(made):
    page = render_html(nasty(made, NASTY))
    parsed = Page(page)
    assert not {tag for tag, _ in parsed.tags} & {"script", "a", "img"}
    shown = "".join(parsed.text)
    assert shown.count(NASTY.replace("\u202e", "\\u202e")) >= 12


def test_text_from_data_is_literal_in_the_markdown(made, commonmark):
    markdown = render_markdown(nasty(made, NASTY), PurePosixPath("figures"))
    assert "{{" not in markdown and "<script" not in markdown
    rendered = commonmark.render(markdown)
    parsed = Page(rendered)
    names = [tag for tag, _ in parsed.tags]
    assert not set(names) & {"script", "a", "code", "s", "em"}
    assert names.count("img") == 4
    assert "".join(parsed.text).count(NASTY.replace("\u202e", "\\u202e")) >= 12


@pytest.mark.parametrize(
    "text",
    ["- item", "+ item", "1. item", "12) item", "# head", "===", "---", "> quote", "    code", "a | b", "x\n\ny"],
)
def test_nothing_opens_a_block(commonmark, text):
    rendered = commonmark.render(markdown_literal(text))
    assert re.fullmatch(r"<p>(.*)</p>\n", rendered)
    assert html.unescape(rendered[3:-5]) == " ".join(text.split())


@pytest.mark.parametrize("text", ["model_train", "0.47", "2026-11-20", "data/raw/a_b.csv", "22.1 %", "−0.2"])
def test_plain_text_stays_plain(text):
    assert markdown_literal(text) == text
    assert html_literal(text) == text


def test_a_template_that_asks_for_what_is_not_there_fails(context):
    with pytest.raises(jinja2.UndefinedError):
        render_html({key: value for key, value in context.items() if key != "limits"})
    with pytest.raises(jinja2.UndefinedError):
        render_markdown({key: value for key, value in context.items() if key != "limits"}, PurePosixPath("f"))


def test_a_chart_becomes_an_element_with_a_name():
    opening = '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="9pt" viewBox="0 0 9 9">'
    svg = f'{opening}<g id="a"/><use href="#a"/></svg>'
    assert inline_svg(svg, "p", 'a "b"') == (
        '<svg role="img" aria-label="a &#34;b&#34;" viewBox="0 0 9 9"><g id="p-a"/><use href="#p-a"/></svg>'
    )


def test_a_rules_words_are_in_the_reports_spelling(inputs):
    last = inputs.validation[-1]
    rules = [last.rules[0].model_copy(update={"message": "40 of 734 are under 50% usable"}), *last.rules[1:]]
    days = [*inputs.validation[:-1], last.model_copy(update={"rules": tuple(rules)})]
    context = build_context(dataclasses.replace(inputs, validation=days), date="20261120", title="T", smiles=1)
    for text in (render_html(context), render_markdown(context, PurePosixPath("figures"))):
        assert "under 50 % usable" in text


def test_a_live_release_is_not_called_staged(inputs):
    live = dataclasses.replace(inputs, status=inputs.status.model_copy(update={"live": True}))
    page = render_html(build_context(live, date="20261120", title="T", smiles=1))
    assert "is live: 2 of 2" in page
    assert "not live until" not in page


def test_notices_stand_in_red_at_the_top(inputs):
    old = dataclasses.replace(inputs, card=inputs.card.model_copy(update={"as_of": "20261119"}))
    context = build_context(old, date="20261120", title="T", smiles=1)
    said = "The model is 1 trading day old: it is of 2026-11-19, this report of 2026-11-20."
    page = render_html(context)
    assert page.index('<div class="alarm" role="alert">') < page.index(said) < page.index("<h1>")
    markdown = render_markdown(context, PurePosixPath("figures"))
    assert markdown.index("[!CAUTION]") < markdown.index(said) < markdown.index("# T")


def test_everything_is_written(context, tmp_path):
    written = write_report(
        context, markdown=tmp_path / "a/r.md", html=tmp_path / "b/r.html", figures=tmp_path / "c/figures"
    )
    assert all(path.stat().st_size > 0 for path in written)
    assert "(../c/figures/smiles.svg)" in (tmp_path / "a/r.md").read_text()
    assert {path.name for path in (tmp_path / "c/figures").iterdir()} == {
        "r2_by_day.svg",
        "error_by_bucket.svg",
        "smiles.svg",
        "validation_waterfall.svg",
    }
    assert not list(tmp_path.rglob(".*.tmp"))


def test_a_figure_that_is_null_is_a_dash_with_its_reason(inputs):
    protocols = dict(inputs.metrics.protocols)
    models = protocols["next_day"].models | {"boosted": {}}
    protocols["next_day"] = protocols["next_day"].model_copy(update={"models": models})
    odd = dataclasses.replace(inputs, metrics=inputs.metrics.model_copy(update={"protocols": protocols}))
    context = build_context(odd, date="20261120", title="T", smiles=1)
    page, markdown = render_html(context), render_markdown(context, PurePosixPath("figures"))
    assert page.count('<div class="value">—</div>\n<div class="range">could not be computed</div>') == 6
    assert markdown.count("| **—** | could not be computed |") == 6
    assert not re.search(r"\bnan\b", "".join(Page(page).text), re.IGNORECASE)
