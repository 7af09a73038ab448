"""Which of a site's languages a visitor gets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.wire.language import accepted, lookup, own_name

SITE = ("en", "fr", "id", "pt-BR")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("fr", "fr"),
        ("FR", "fr"),
        ("fr-CA", "fr"),
        ("fr-Latn-CA", "fr"),
        ("pt-BR", "pt-BR"),
        ("pt-br-x-a", "pt-BR"),
        ("pt", "pt-BR"),
        ("pt-PT", "pt-BR"),
        ("de", None),
        ("f", None),
        ("fra", None),
        ("", None),
        ("*", None),
        ("-", None),
    ],
)
def test_the_longest_part_of_a_tag_that_is_there_is_taken(wanted: str, found: str | None) -> None:
    assert lookup(wanted, SITE) == found


def test_the_language_itself_goes_before_a_variety_of_it() -> None:
    assert lookup("en-US", ["en-GB", "en"]) == "en"
    assert lookup("en", ["en-GB", "en-US"]) == "en-GB"


@pytest.mark.parametrize(
    ("field", "given"),
    [
        (b"fr", "fr"),
        (b"de, fr", "fr"),
        (b"fr;q=0.5, id", "id"),
        (b"fr ; q = 0.5 ,\tid;Q=0.8", "id"),
        (b"fr;q=0.5, id;q=0.5", "fr"),
        (b"de-CH, de;q=0.9, en;q=0.8, fr;q=0.7", "en"),
        (b"fr-CA,en;q=0.9", "fr"),
        (b"pt;q=0.3, de", "pt-BR"),
        # no wish that can be met
        (b"", "en"),
        (b"de", "en"),
        (b"*", "en"),
        (b"de, *;q=0.1, fr;q=0.05", "en"),
        # what is refused
        (b"en;q=0", "fr"),
        (b"en;q=0, *", "fr"),
        (b"fr;q=0.000, id;q=0.001", "id"),
        (b"pt;q=0, pt-BR", "pt-BR"),
        (b"pt-PT, pt-BR;q=0, id;q=0.1", "id"),
        # what cannot be read
        (b"id;q=2, fr;q=0.1", "fr"),
        (b"id;q=0.1234, fr;q=0.1", "fr"),
        (b"i d, \xff\xfe, ;q=1, , fr_CA, fr;q=0.1", "fr"),
        (b"fr;level=1, id", "id"),
    ],
)
def test_the_browser_says_what_its_reader_prefers(field: bytes, given: str) -> None:
    assert accepted(field, SITE) == given


def test_a_reader_who_refuses_them_all_leaves_the_choice() -> None:
    assert accepted(b"en;q=0", ["en-GB"]) is None


@given(st.binary(max_size=60) | st.text("enfr-,;=q.01* ", max_size=60).map(str.encode))
def test_no_field_raises(field: bytes) -> None:
    assert accepted(field, SITE) in {*SITE, None}


@pytest.mark.parametrize(
    ("language", "whole", "name"),
    [
        ("fr", False, "Français"),
        ("id", False, "Indonesia"),
        ("en-GB", False, "English"),
        ("en-GB", True, "English (United Kingdom)"),
        ("ar", False, "العربية"),
        ("fr-x-mine", False, "Français"),
        ("tlh", False, "tlh"),
    ],
)
def test_a_language_is_named_as_its_readers_call_it(language: str, whole: bool, name: str) -> None:
    assert own_name(language, whole=whole) == name
