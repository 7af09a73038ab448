"""What the pages of Sunset say, by language. Adding a language is adding an entry; every entry has every text.

A site's language is looked up as it is, then by its primary subtag (`en` for `en-GB`, RFC 4647 section 3.4), and is
English where neither is there.
"""
# ruff: noqa: RUF001 - an apostrophe is written as the language writes it

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Subject(StrEnum):
    """What a page tells its reader."""

    GONE = "gone"
    NOT_FOUND = "not-found"
    BAD_GATEWAY = "bad-gateway"
    GATEWAY_TIMEOUT = "gateway-timeout"
    MISDIRECTED = "misdirected"


@dataclass(frozen=True, slots=True)
class Texts:
    """One language. `pages` holds title and sentence of each page; `home` leads to the link of the new home."""

    language: str
    pages: Mapping[Subject, tuple[str, str]]
    home: str


def texts_for(language: str) -> Texts:
    """The texts for a language tag, in the language itself or, failing that, in English."""
    tag = language.lower()
    return _BY_LANGUAGE.get(tag) or _BY_LANGUAGE.get(tag.partition("-")[0]) or ENGLISH


def is_right_to_left(language: str) -> bool:
    """Whether the language is written from right to left."""
    return language.lower().partition("-")[0] in {"ar", "fa", "he", "ur"}


ENGLISH = Texts(
    "en",
    {
        Subject.GONE: ("This page is gone", "What was at this address has been retired for good."),
        Subject.NOT_FOUND: ("Page not found", "There is nothing at this address."),
        Subject.BAD_GATEWAY: (
            "This page cannot be reached just now",
            "The server behind it does not answer as it should. Please try again in a little while.",
        ),
        Subject.GATEWAY_TIMEOUT: (
            "This page is taking too long",
            "The server behind it did not answer in time. Please try again in a little while.",
        ),
        Subject.MISDIRECTED: ("Not served here", "The site that you asked for is not served by this server."),
    },
    "The new home of this site:",
)

_OTHERS = (
    Texts(
        "de",
        {
            Subject.GONE: ("Diese Seite gibt es nicht mehr", "Was hier stand, wurde endgültig eingestellt."),
            Subject.NOT_FOUND: ("Seite nicht gefunden", "Unter dieser Adresse gibt es nichts."),
            Subject.BAD_GATEWAY: (
                "Diese Seite ist gerade nicht erreichbar",
                "Der Server dahinter antwortet nicht, wie er sollte. Bitte versuchen Sie es in Kürze noch einmal.",
            ),
            Subject.GATEWAY_TIMEOUT: (
                "Diese Seite braucht zu lange",
                "Der Server dahinter hat nicht rechtzeitig geantwortet. Bitte versuchen Sie es in Kürze noch einmal.",
            ),
            Subject.MISDIRECTED: ("Hier nicht zu finden", "Die gewünschte Website liegt nicht auf diesem Server."),
        },
        "Das neue Zuhause dieser Website:",
    ),
    Texts(
        "es",
        {
            Subject.GONE: (
                "Esta página ya no existe",
                "Lo que había en esta dirección se ha retirado definitivamente.",
            ),
            Subject.NOT_FOUND: ("Página no encontrada", "No hay nada en esta dirección."),
            Subject.BAD_GATEWAY: (
                "Ahora mismo no se puede acceder a esta página",
                "El servidor que la aloja no responde como debería. Vuelva a intentarlo dentro de un momento.",
            ),
            Subject.GATEWAY_TIMEOUT: (
                "Esta página está tardando demasiado",
                "El servidor que la aloja no ha respondido a tiempo. Vuelva a intentarlo dentro de un momento.",
            ),
            Subject.MISDIRECTED: ("No está aquí", "El sitio solicitado no se encuentra en este servidor."),
        },
        "La nueva dirección de este sitio:",
    ),
    Texts(
        "fr",
        {
            Subject.GONE: (
                "Cette page n’existe plus",
                "Ce qui se trouvait à cette adresse a été retiré définitivement.",
            ),
            Subject.NOT_FOUND: ("Page introuvable", "Il n’y a rien à cette adresse."),
            Subject.BAD_GATEWAY: (
                "Cette page est momentanément inaccessible",
                "Le serveur qui l’héberge ne répond pas comme il le devrait. Veuillez réessayer dans un instant.",
            ),
            Subject.GATEWAY_TIMEOUT: (
                "Cette page met trop de temps à répondre",
                "Le serveur qui l’héberge n’a pas répondu à temps. Veuillez réessayer dans un instant.",
            ),
            Subject.MISDIRECTED: ("Ce n’est pas ici", "Le site demandé ne se trouve pas sur ce serveur."),
        },
        "La nouvelle adresse de ce site :",
    ),
    Texts(
        "id",
        {
            Subject.GONE: ("Halaman ini sudah tidak ada", "Isi alamat ini telah dihentikan untuk seterusnya."),
            Subject.NOT_FOUND: ("Halaman tidak ditemukan", "Tidak ada apa pun di alamat ini."),
            Subject.BAD_GATEWAY: (
                "Halaman ini sedang tidak dapat dijangkau",
                "Server di baliknya tidak menjawab sebagaimana mestinya. Silakan coba lagi sebentar lagi.",
            ),
            Subject.GATEWAY_TIMEOUT: (
                "Halaman ini terlalu lama dimuat",
                "Server di baliknya tidak menjawab tepat waktu. Silakan coba lagi sebentar lagi.",
            ),
            Subject.MISDIRECTED: ("Tidak ada di sini", "Situs yang Anda minta tidak berada di server ini."),
        },
        "Alamat baru situs ini:",
    ),
)

_BY_LANGUAGE = {texts.language: texts for texts in (ENGLISH, *_OTHERS)}

LANGUAGES = tuple(_BY_LANGUAGE)
"""The languages that there are texts in."""
