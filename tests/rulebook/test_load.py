"""Loading a folder: which files are read, and what the rulebook is called."""

import gc
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from proxy.core.rulebook import Rulebook
from proxy.errors import RulebookErrors
from proxy.rulebook.folder import Folder
from proxy.rulebook.load import load, load_proved
from proxy.rulebook.refusal import Refusal

SITE = "site: s\nhosts: [old.example]\nmoves_to: https://new.example\n"

Load = Callable[..., Rulebook]
Refused = Callable[..., list[str]]
Write = Callable[..., Path]

SHIPPED = Path(__file__).parent.parent.parent / "rules"


def test_the_shipped_rules_hold() -> None:
    loaded = load_proved(SHIPPED)
    assert loaded.rulebook.warnings == ()
    assert loaded.tests > 50
    assert loaded.examples > 20


def test_only_yaml_files_of_the_folder_itself_are_read(load_files: Load) -> None:
    rulebook = load_files(
        {
            "a.yaml": SITE,
            "b.yml": "site: b\nhosts: [b.example]\n",
            ".hidden.yaml": "[",
            "sub/c.yaml": "[",
            "notes.md": "[",
            "a.yaml.orig": "[",
        }
    )
    assert [site.name for site in rulebook.sites] == ["s", "b"]


def test_rulebook_yml_will_do(load_files: Load) -> None:
    files = {"rulebook.yaml": None, "rulebook.yml": "targets: [new.example]\n", "s.yml": SITE}
    assert load_files(files).targets == ("new.example",)


def test_a_place_is_named_as_the_folder_was_given(rule_folder: Write, tmp_path: Path) -> None:
    rule_folder({"s.yaml": SITE})
    assert str(load(Path("rules")).sites[0].place) == "rules/s.yaml:1:1"
    assert str(load(Path("./rules/")).sites[0].place) == "rules/s.yaml:1:1"
    assert load(tmp_path / "rules").sites[0].place.file == str(tmp_path / "rules" / "s.yaml")


def test_the_generation_is_the_name_of_the_contents(rule_folder: Write) -> None:
    files = {
        "s.yaml": SITE + "mappings: [m.csv]\nnotice: {message: a, page: p.md}\n",
        "m.csv": "old,new\n/a,/b\n",
        "p.md": "x",
    }
    first = load(rule_folder(files)).generation
    assert len(first) == 12
    assert load(rule_folder(files | {"ignored.txt": "y"})).generation == first
    seen = {first}
    for name in ("s.yaml", "m.csv", "p.md", "rulebook.yaml"):
        content = files.get(name, "targets: [new.example]\n") + ("/c,/d\n" if name == "m.csv" else "# more\n")
        seen.add(load(rule_folder(files | {name: content})).generation)
    assert len(seen) == 5
    assert load(rule_folder(files | {"rulebook.yaml": "targets: [new.example]\n"})).generation == first


def test_a_folder_may_be_made_of_links_within_itself(rule_folder: Write) -> None:
    folder = rule_folder(
        {
            "..2030/rulebook.yaml": "targets: [new.example]\n",
            "..2030/s.yaml": SITE + "mappings: [m.csv]\n",
            "..2030/m.csv": "old,new\n/a,/b\n",
            "..data": {"link": "..2030"},
            "rulebook.yaml": {"link": "..data/rulebook.yaml"},
            "s.yaml": {"link": "..data/s.yaml"},
            "m.csv": {"link": "..data/m.csv"},
        }
    )
    assert [row.old for row in load(folder).sites[0].mappings or ()] == [b"/a"]


def test_the_folder_itself_may_be_a_link(rule_folder: Write, tmp_path: Path) -> None:
    rule_folder({"s.yaml": SITE + "mappings: [m.csv]\n", "m.csv": "old,new\n/a,/b\n"})
    (tmp_path / "current").symlink_to("rules")
    mappings = load(Path("current")).sites[0].mappings
    assert mappings is not None
    assert mappings.files[0].name == "current/m.csv"


def test_a_file_is_no_folder(rule_folder: Write) -> None:
    rule_folder({"s.yaml": SITE})
    with pytest.raises(RulebookErrors, match=r"^rules/s\.yaml: folder-missing .* is a file"):
        load(Path("rules/s.yaml"))


def test_a_pipe_does_not_make_the_loader_wait(rule_folder: Write) -> None:
    folder = rule_folder({"s.yaml": SITE})
    os.mkfifo(folder / "t.yaml")
    with pytest.raises(RulebookErrors, match="file-unreadable"):
        load(folder)


@pytest.mark.parametrize("name", ["m.csv\0", "\udcff", "x" * 5000, "m.csv/x"])
def test_no_name_of_a_file_raises(rule_folder: Write, name: str) -> None:
    folder = rule_folder({"s.yaml": SITE, "m.csv": "old,new\n/a,/b\n"})
    with pytest.raises(Refusal, match=r"cannot be read|is not there"):
        Folder(folder).read_below(name, 1000)


def test_a_way_out_and_in_again_is_in(rule_folder: Write) -> None:
    folder = Folder(rule_folder({"s.yaml": SITE, "m.csv": "old,new\n/a,/b\n"}))
    assert folder.read_below("../rules/m.csv", 1000) == b"old,new\n/a,/b\n"


def test_a_file_with_a_byte_order_mark_and_windows_line_ends_is_read(load_files: Load) -> None:
    site = load_files({"s.yaml": ("\ufeff" + SITE).replace("\n", "\r\n").encode()}).sites[0]
    assert site.name == "s"


def test_a_site_without_redirects_needs_no_targets(load_files: Load) -> None:
    assert load_files({"rulebook.yaml": None, "s.yaml": "site: s\nhosts: [old.example]\n"}).targets == ()


def test_targets_may_be_wildcards_in_any_case(load_files: Load) -> None:
    rulebook = load_files({"rulebook.yaml": "targets: ['*.New.example', NEW.example]\n", "s.yaml": SITE})
    assert rulebook.targets == ("*.new.example", "new.example")


def test_warnings_do_not_keep_a_rulebook_from_being_used(load_files: Load) -> None:
    text = SITE + "rules:\n  - {regex: /%c3, gone: true}\n"
    assert [warning.code for warning in load_files(text).warnings] == ["regex-never-matches"]


def test_a_mistake_in_rulebook_yaml_is_not_repeated_by_every_site(refused: Refused) -> None:
    site = SITE + "origin: https://legacy.example\nschedule: {cutover: 2030-01-01}\n"
    assert refused({"rulebook.yaml": "targets: [new.example\n", "s.yaml": site}) == ["rulebook.yaml:2:1: yaml-syntax"]
    assert refused({"rulebook.yaml": "targets: [a b]\ndefaults: 3\n", "s.yaml": site}) == [
        "rulebook.yaml:1:11: bad-host",
        "rulebook.yaml:2:11: wrong-type",
    ]


def test_loading_leaves_the_collector_as_it_was(rule_folder: Write) -> None:
    folder = rule_folder({"s.yaml": SITE})
    assert gc.isenabled()
    load(folder)
    assert gc.isenabled()
    (folder / "s.yaml").write_text("[")
    with pytest.raises(RulebookErrors):
        load(folder)
    assert gc.isenabled()
