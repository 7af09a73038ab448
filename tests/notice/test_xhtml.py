"""Pages that browsers read as XML, with the standard library's XML parser as the judge."""

import random

import pytest
from defusedxml import minidom

from proxy.wire.body import MAX_CONSTRUCT_BYTES
from proxy.wire.notice import Outcome
from tests.notice.judges import injected

XHTML = b"application/xhtml+xml"
NOTICE = b'<aside lang="en"><p>moves <a href="/x?a&amp;b">&#8212;</a></p></aside>'
ROOT = '<html xmlns="http://www.w3.org/1999/xhtml">'
END = "</body></html>"

INJECTED = [
    f"{ROOT}<body>§<p>x</p>{END}",
    f"{ROOT}<head><title>x</title></head><body>§{END}",
    f"{ROOT}<head/><body a='>'>§x{END}",
    f'{ROOT}<head><title/></head><body\n a = "x"\n >§x{END}',
    f'<?xml version="1.0" encoding="utf-8"?>\n{ROOT}<body>§x{END}',
    f"\ufeff{ROOT}<body>§x{END}",
    f'<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "a>b">\n{ROOT}<body>§x{END}',
    f"<!DOCTYPE html>{ROOT}<body>§x{END}",
    f"<!-- <body> -->{ROOT}<!-- - > --><body>§x{END}",
    f"<?pi <body> ? >?>{ROOT}<body>§x{END}",
    f"{ROOT}<head><script><![CDATA[ <body> ]] > ]]></script></head><body>§x{END}",
    f"{ROOT}<head><title>a &gt; <b/></title></head><body>§x{END}",
    f"{ROOT}<head><script>/* <body></body> */</script></head><body>§x{END}",
    f"{ROOT}<head><body>no</body></head><body>§x{END}",
    f"{ROOT}<head><svg xmlns='http://www.w3.org/2000/svg'><body/></svg></head><body>§x{END}",
    f"{ROOT} text <body>§x{END}",
    f'<html lang="en" xmlns="http://www.w3.org/1999/xhtml" xmlns:s="urn:x"><s:body/><body>§x{END}',
    f"{ROOT}<body xmlns='http://www.w3.org/1999/xhtml'>§x{END}",
    f"{ROOT}<title>é</title><body>§é{END}",
]

NOT_INJECTED = {
    Outcome.DOUBTFUL: [
        "",
        "text",
        "<html><body>x</body></html>",
        '<html xmlns="urn:x"><body>x</body></html>',
        '<h:html xmlns:h="http://www.w3.org/1999/xhtml"><h:body>x</h:body></h:html>',
        '<svg xmlns="http://www.w3.org/2000/svg"><body/></svg>',
        f"{ROOT}<body/></html>",
        f"{ROOT}<body xmlns='urn:x'>x{END}",
        f"{ROOT}<head></head></html>",
        f"{ROOT}<BODY>x</BODY></html>",
        f"{ROOT}<h:body xmlns:h='http://www.w3.org/1999/xhtml'>x</h:body></html>",
        f'<!DOCTYPE html [<!ENTITY a "<b>">]>{ROOT}<body>&a;{END}',
        f"{ROOT}<head a=b><body>x{END}",
        f"{ROOT}<head a><body>x{END}",
        f"{ROOT}<head a='<'/><body>x{END}",
        f"{ROOT}<!-- a -- b --><body>x{END}",
        f"{ROOT}<head",
        f"{ROOT}<!-- ",
        f"{ROOT}<![CDATA[ ",
        f"{ROOT}<!-- {'x' * MAX_CONSTRUCT_BYTES} --><body>x{END}",
    ],
    Outcome.AMP: [f'<html amp="" xmlns="http://www.w3.org/1999/xhtml"><body>x{END}'],
    Outcome.FRAMESET: [f"{ROOT}<head/><frameset><frame/></frameset></html>"],
}


def ways_to_cut(page: bytes) -> list[list[int]]:
    chance = random.Random(page)
    some = [sorted(chance.choices(range(len(page) + 1), k=3)) for _ in range(10)]
    if len(page) > 1000:
        return [list(range(1, len(page), 500)), *some]
    return [list(range(1, len(page))), *([cut] for cut in range(1, len(page))), *some]


@pytest.mark.parametrize("marked", INJECTED)
def test_the_notice_is_the_first_element_of_the_body(marked: str) -> None:
    page = marked.replace("§", "").encode()
    expected = marked.encode().replace("§".encode(), NOTICE)
    for cuts in ([], *ways_to_cut(page)):
        assert injected(page, *cuts, notice=NOTICE, content_type=XHTML) == (Outcome.INJECTED, expected)
    before, after = (minidom.parseString(text.decode()) for text in (page, expected))
    bodies = [body for body in after.getElementsByTagName("body") if body.parentNode is after.documentElement]
    (aside,) = after.getElementsByTagName("aside")
    assert aside.parentNode is bodies[0]
    assert aside is bodies[0].firstChild
    bodies[0].removeChild(aside).unlink()
    after.normalize()
    assert before.toxml() == after.toxml()


@pytest.mark.parametrize(
    ("outcome", "page"), [(outcome, page.encode()) for outcome, pages in NOT_INJECTED.items() for page in pages]
)
def test_anything_else_goes_through_as_it_is(outcome: Outcome, page: bytes) -> None:
    for cuts in ([], *ways_to_cut(page)):
        assert injected(page, *cuts, notice=NOTICE, content_type=XHTML) == (outcome, page)


@pytest.mark.parametrize(
    "notice", [b"<aside hidden>x</aside>", b"<aside>&nbsp;</aside>", b"<aside><p>x</aside>", b"<a/><b/>", b"x"]
)
def test_a_notice_that_is_no_xml_stays_out_of_xml(notice: bytes) -> None:
    page = f"{ROOT}<body>x{END}".encode()
    assert injected(page, notice=notice, content_type=XHTML) == (Outcome.DOUBTFUL, page)


def test_xhtml_that_is_sent_as_html_is_html() -> None:
    page = f'<?xml version="1.0"?>{ROOT}<head><title/></head><body>x{END}'.encode()
    outcome, out = injected(page, content_type=b"text/html; charset=utf-8")
    assert (outcome, out) == (Outcome.DOUBTFUL, page)  # to HTML, a title that is not closed takes in all
