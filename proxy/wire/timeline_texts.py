"""What the timeline says besides the site's own texts, by language. Every entry has every text.

A language is looked up by its primary subtag (RFC 4647 section 3.4), and is English where that is not there.
"""
# ruff: noqa: RUF001 - an apostrophe is written as the language writes it

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from proxy.wire.language import primary_subtag


@dataclass(frozen=True, slots=True)
class TimelineTexts:
    """One language.

    `past`, `today` and `to_come` are states of a milestone. `closes` is what the cutover of a site means that moves
    nowhere, `moves` that of one that does. `will_be` and `is_now` have a `{page}` and an `{address}`.
    """

    language: str
    heading: str
    past: str
    today: str
    to_come: str
    announced: str
    closes: str
    moves: str
    ends: str
    will_be: str
    is_now: str
    languages: str


def timeline_texts_for(language: str) -> TimelineTexts:
    """The texts in the language itself or, failing that, in English."""
    return _BY_LANGUAGE.get(primary_subtag(language), _ENGLISH)


_ENGLISH: Final = TimelineTexts(
    "en",
    heading="What happens when",
    past="Past",
    today="Today",
    to_come="To come",
    announced="The move is announced.",
    closes="This site closes.",
    moves="This site closes. From then on, its addresses lead to the new site.",
    ends="The addresses of this site stop working.",
    will_be="The page you came from, {page}, will be at {address}.",
    is_now="The page you came from, {page}, is now at {address}.",
    languages="Languages",
)

_BY_LANGUAGE: Final = {
    texts.language: texts
    for texts in (
        _ENGLISH,
        TimelineTexts(
            "ar",
            heading="ماذا سيحدث ومتى",
            past="انقضى",
            today="اليوم",
            to_come="قادم",
            announced="الإعلان عن الانتقال.",
            closes="إغلاق هذا الموقع.",
            moves="إغلاق هذا الموقع. ومنذ ذلك الحين تقود عناوينه إلى الموقع الجديد.",
            ends="تتوقف عناوين هذا الموقع عن العمل.",
            will_be="الصفحة التي أتيت منها، {page}، ستصبح على العنوان {address}.",
            is_now="الصفحة التي أتيت منها، {page}، أصبحت الآن على العنوان {address}.",
            languages="اللغات",
        ),
        TimelineTexts(
            "de",
            heading="Was wann geschieht",
            past="Vorbei",
            today="Heute",
            to_come="Kommt noch",
            announced="Der Umzug wird angekündigt.",
            closes="Diese Website schließt.",
            moves="Diese Website schließt. Von da an führen ihre Adressen zur neuen Website.",
            ends="Die Adressen dieser Website funktionieren nicht mehr.",
            will_be="Die Seite, von der Sie kommen, {page}, wird unter {address} zu finden sein.",
            is_now="Die Seite, von der Sie kommen, {page}, ist jetzt unter {address} zu finden.",
            languages="Sprachen",
        ),
        TimelineTexts(
            "es",
            heading="Qué ocurre y cuándo",
            past="Pasado",
            today="Hoy",
            to_come="Próximamente",
            announced="Se anuncia el traslado.",
            closes="Este sitio cierra.",
            moves="Este sitio cierra. A partir de entonces, sus direcciones llevan al nuevo sitio.",
            ends="Las direcciones de este sitio dejan de funcionar.",
            will_be="La página de la que viene, {page}, estará en {address}.",
            is_now="La página de la que viene, {page}, está ahora en {address}.",
            languages="Idiomas",
        ),
        TimelineTexts(
            "fr",
            heading="Le calendrier",
            past="Passé",
            today="Aujourd’hui",
            to_come="À venir",
            announced="Le transfert est annoncé.",
            closes="Ce site ferme.",
            moves="Ce site ferme. Dès lors, ses adresses mènent au nouveau site.",
            ends="Les adresses de ce site cessent de fonctionner.",
            will_be="La page d’où vous venez, {page}, se trouvera à l’adresse {address}.",
            is_now="La page d’où vous venez, {page}, se trouve désormais à l’adresse {address}.",
            languages="Langues",
        ),
        TimelineTexts(
            "he",
            heading="מה קורה ומתי",
            past="עבר",
            today="היום",
            to_come="בקרוב",
            announced="ההודעה על המעבר.",
            closes="האתר הזה נסגר.",
            moves="האתר הזה נסגר. מאותו רגע הכתובות שלו מובילות לאתר החדש.",
            ends="הכתובות של האתר הזה מפסיקות לפעול.",
            will_be="הדף שממנו הגעת, {page}, יהיה בכתובת {address}.",
            is_now="הדף שממנו הגעת, {page}, נמצא עכשיו בכתובת {address}.",
            languages="שפות",
        ),
        TimelineTexts(
            "id",
            heading="Jadwal",
            past="Sudah lewat",
            today="Hari ini",
            to_come="Akan datang",
            announced="Kepindahan diumumkan.",
            closes="Situs ini ditutup.",
            moves="Situs ini ditutup. Sejak saat itu, alamat-alamatnya mengarah ke situs baru.",
            ends="Alamat-alamat situs ini tidak berfungsi lagi.",
            will_be="Halaman asal Anda, {page}, akan berada di {address}.",
            is_now="Halaman asal Anda, {page}, sekarang berada di {address}.",
            languages="Bahasa",
        ),
        TimelineTexts(
            "it",
            heading="Che cosa succede e quando",
            past="Passato",
            today="Oggi",
            to_come="In arrivo",
            announced="Viene annunciato il trasferimento.",
            closes="Questo sito chiude.",
            moves="Questo sito chiude. Da allora i suoi indirizzi portano al nuovo sito.",
            ends="Gli indirizzi di questo sito smettono di funzionare.",
            will_be="La pagina da cui proviene, {page}, si troverà su {address}.",
            is_now="La pagina da cui proviene, {page}, si trova ora su {address}.",
            languages="Lingue",
        ),
        TimelineTexts(
            "ja",
            heading="今後の予定",
            past="終了",
            today="今日",
            to_come="予定",
            announced="移転のお知らせ。",
            closes="このサイトは閉鎖されます。",
            moves="このサイトは閉鎖されます。以後、各アドレスから新しいサイトに移動します。",
            ends="このサイトのアドレスは使えなくなります。",
            will_be="ご覧になっていたページ {page} は {address} に移転します。",
            is_now="ご覧になっていたページ {page} は {address} に移転しました。",
            languages="言語",
        ),
        TimelineTexts(
            "nl",
            heading="Wat er wanneer gebeurt",
            past="Voorbij",
            today="Vandaag",
            to_come="Komt nog",
            announced="De verhuizing wordt aangekondigd.",
            closes="Deze site sluit.",
            moves="Deze site sluit. Vanaf dan leiden de adressen naar de nieuwe site.",
            ends="De adressen van deze site werken niet meer.",
            will_be="De pagina waar u vandaan komt, {page}, komt op {address} te staan.",
            is_now="De pagina waar u vandaan komt, {page}, staat nu op {address}.",
            languages="Talen",
        ),
        TimelineTexts(
            "pl",
            heading="Co i kiedy się wydarzy",
            past="Minęło",
            today="Dzisiaj",
            to_come="Wkrótce",
            announced="Ogłoszenie przenosin.",
            closes="Zamknięcie tej witryny.",
            moves="Zamknięcie tej witryny. Od tej chwili jej adresy prowadzą do nowej witryny.",
            ends="Adresy tej witryny przestają działać.",
            will_be="Poprzednia strona, {page}, będzie dostępna pod adresem {address}.",
            is_now="Poprzednia strona, {page}, jest teraz dostępna pod adresem {address}.",
            languages="Języki",
        ),
        TimelineTexts(
            "pt",
            heading="O que acontece e quando",
            past="Passado",
            today="Hoje",
            to_come="Em breve",
            announced="A mudança é anunciada.",
            closes="Este site fecha.",
            moves="Este site fecha. A partir de então, os seus endereços levam ao novo site.",
            ends="Os endereços deste site deixam de funcionar.",
            will_be="A página de onde veio, {page}, ficará em {address}.",
            is_now="A página de onde veio, {page}, está agora em {address}.",
            languages="Idiomas",
        ),
        TimelineTexts(
            "ru",
            heading="Что и когда произойдёт",
            past="Прошло",
            today="Сегодня",
            to_come="Предстоит",
            announced="Объявление о переезде.",
            closes="Сайт закрывается.",
            moves="Сайт закрывается. С этого момента его адреса ведут на новый сайт.",
            ends="Адреса этого сайта перестают работать.",
            will_be="Страница, с которой вы пришли, {page}, будет по адресу {address}.",
            is_now="Страница, с которой вы пришли, {page}, теперь по адресу {address}.",
            languages="Языки",
        ),
        TimelineTexts(
            "tr",
            heading="Ne zaman ne olacak",
            past="Geçti",
            today="Bugün",
            to_come="Yaklaşıyor",
            announced="Taşınma duyurulur.",
            closes="Bu site kapanır.",
            moves="Bu site kapanır. O andan itibaren adresleri yeni siteye yönlendirir.",
            ends="Bu sitenin adresleri artık çalışmaz.",
            will_be="Geldiğiniz sayfanın ({page}) adresi {address} olacak.",
            is_now="Geldiğiniz sayfanın ({page}) adresi artık {address}.",
            languages="Diller",
        ),
    )
}

LANGUAGES: Final = tuple(_BY_LANGUAGE)
"""The languages that there are texts in."""
