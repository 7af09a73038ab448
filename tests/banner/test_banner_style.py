"""The style of the banner: what can be told of it without a browser."""

import base64
import hashlib
import re

import pytest

from proxy.wire.banner_style import CLASS, DARK, LIGHT, STYLE_ELEMENT, STYLE_SOURCE, Palette

SHEET = STYLE_ELEMENT.removeprefix("<style>").removesuffix("</style>")
RULES = re.findall(r"([^{}]+){([^{}]*)}", re.sub(r"@media[^{]+{", "", SHEET))


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    channels = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_text_links_and_badge_have_the_contrast_that_reading_takes(palette: Palette) -> None:
    assert contrast(palette.ink, palette.paper) >= 7
    assert contrast(palette.link, palette.paper) >= 4.5
    assert contrast(palette.badge_ink, palette.badge) >= 4.5
    for colour in (palette.ink, palette.link, palette.badge, palette.badge_ink, palette.paper, palette.edge):
        assert colour in SHEET


def test_its_hash_is_that_of_the_elements_text() -> None:
    digest = base64.b64encode(hashlib.sha256(SHEET.encode()).digest()).decode()
    assert f"'sha256-{digest}'".encode() == STYLE_SOURCE


def test_it_is_the_same_text_in_html_and_in_xml() -> None:
    assert SHEET.isascii()
    assert not set(SHEET) & set("<&\n")


def test_every_rule_is_of_the_banner_alone_and_important() -> None:
    assert len(RULES) > 20
    for selectors, declarations in RULES:
        assert all(selector.startswith(f".{CLASS}.{CLASS}") for selector in selectors.split(",")), selectors
        assert all(one.endswith("!important") for one in declarations.split(";")), declarations


def test_it_loads_nothing_and_covers_nothing() -> None:
    assert not re.search(r"url\(|@import|@font-face|position:|z-index|fixed|sticky", SHEET)


def test_it_is_not_printed() -> None:
    assert SHEET.endswith(f"@media print{{.{CLASS}.{CLASS}{{display:none!important}}}}")


def test_the_focus_can_be_seen() -> None:
    assert re.search(r" a:focus{outline-style:solid!important;outline-width:2px!important}", SHEET)
