"""What the banner says besides the site's own message, by language. Every entry has every text.

A site's language is looked up by its primary subtag (RFC 4647 section 3.4), and is English where that is not there.
"""
# ruff: noqa: RUF001 - an apostrophe is written as the language writes it

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class BannerTexts:
    """One language. `closes` has a `{}` for the time left; the address of the new page stands behind `moves`."""

    language: str
    direction: str
    region: str
    closes: str
    more: str
    moves: str
    hide: str


def banner_texts_for(language: str) -> BannerTexts:
    """The texts in the language itself or, failing that, in English."""
    return _BY_LANGUAGE.get(language.lower().partition("-")[0], _ENGLISH)


_ENGLISH: Final = BannerTexts(
    "en",
    "ltr",
    region="Notice about this site",
    closes="Closes {}",
    more="What changes",
    moves="This page moves to",
    hide="Hide this notice",
)

_BY_LANGUAGE: Final = {
    texts.language: texts
    for texts in (
        _ENGLISH,
        BannerTexts(
            "ar",
            "rtl",
            region="إشعار بخصوص هذا الموقع",
            closes="يُغلق {}",
            more="ما الذي سيتغيّر",
            moves="ستنتقل هذه الصفحة إلى",
            hide="إخفاء هذا الإشعار",
        ),
        BannerTexts(
            "de",
            "ltr",
            region="Hinweis zu dieser Website",
            closes="Schließt {}",
            more="Was sich ändert",
            moves="Diese Seite zieht um nach",
            hide="Hinweis ausblenden",
        ),
        BannerTexts(
            "es",
            "ltr",
            region="Aviso sobre este sitio",
            closes="Cierra {}",
            more="Qué cambia",
            moves="Esta página se trasladará a",
            hide="Ocultar este aviso",
        ),
        BannerTexts(
            "fr",
            "ltr",
            region="Avis concernant ce site",
            closes="Ferme {}",
            more="Ce qui change",
            moves="Cette page sera transférée vers",
            hide="Masquer cet avis",
        ),
        BannerTexts(
            "he",
            "rtl",
            region="הודעה על האתר הזה",
            closes="נסגר {}",
            more="מה משתנה",
            moves="הדף הזה יעבור אל",
            hide="הסתרת ההודעה",
        ),
        BannerTexts(
            "id",
            "ltr",
            region="Pemberitahuan tentang situs ini",
            closes="Ditutup {}",
            more="Apa yang berubah",
            moves="Halaman ini pindah ke",
            hide="Sembunyikan",
        ),
        BannerTexts(
            "it",
            "ltr",
            region="Avviso su questo sito",
            closes="Chiude {}",
            more="Che cosa cambia",
            moves="Questa pagina si trasferirà su",
            hide="Nascondi questo avviso",
        ),
        BannerTexts(
            "ja",
            "ltr",
            region="このサイトに関するお知らせ",
            closes="閉鎖：{}",
            more="変更点",
            moves="このページの移転先：",
            hide="このお知らせを隠す",
        ),
        BannerTexts(
            "nl",
            "ltr",
            region="Mededeling over deze site",
            closes="Sluit {}",
            more="Wat er verandert",
            moves="Deze pagina verhuist naar",
            hide="Deze melding verbergen",
        ),
        BannerTexts(
            "pl",
            "ltr",
            region="Informacja o tej witrynie",
            closes="Zamknięcie {}",
            more="Co się zmieni",
            moves="Ta strona zostanie przeniesiona na adres",
            hide="Ukryj tę informację",
        ),
        BannerTexts(
            "pt",
            "ltr",
            region="Aviso sobre este site",
            closes="Fecha {}",
            more="O que muda",
            moves="Esta página será transferida para",
            hide="Ocultar este aviso",
        ),
        BannerTexts(
            "ru",
            "ltr",
            region="Уведомление об этом сайте",
            closes="Закрытие {}",
            more="Что изменится",
            moves="Эта страница переедет на",
            hide="Скрыть это уведомление",
        ),
        BannerTexts(
            "tr",
            "ltr",
            region="Bu siteyle ilgili duyuru",
            closes="Kapanış: {}",
            more="Neler değişiyor",
            moves="Bu sayfanın yeni adresi:",
            hide="Bu duyuruyu gizle",
        ),
    )
}

LANGUAGES: Final = tuple(_BY_LANGUAGE)
"""The languages that there are texts in."""
