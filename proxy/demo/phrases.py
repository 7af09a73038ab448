"""What the old shop says around its products, in the languages it speaks; any other language is answered in English."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phrases:
    """The words of one language. `money` takes whole euros and is written with `rate` of the currency for one."""

    products: str
    support: str
    cart: str
    choose: str
    slogan: str
    lead: str
    all_products: str
    in_stock: str
    add: str
    cart_empty: str
    cart_total: str
    checkout: str
    checkout_text: str
    remove: str
    specs: str
    about: str
    display: str
    battery: str
    memory: str
    warranty: str
    warranty_text: str
    support_lead: str
    questions: tuple[tuple[str, str], ...]
    article: str
    more: str
    regions: str
    not_found: str
    not_found_text: str
    back: str
    money: str = "€{}"
    rate: int = 1

    def price(self, euros: int) -> str:
        """An amount as the language writes it."""
        return self.money.format(f"{euros * self.rate:,}".replace(",", "." if self.rate > 1 else ","))


ENGLISH = Phrases(
    products="Products",
    support="Support",
    cart="Cart",
    choose="Choose your region",
    slogan="Everything you need, nothing you don't",
    lead="Fast phones at a fair price, sent to your door within two days.",
    all_products="All products",
    in_stock="In stock, ships today",
    add="Add to cart",
    cart_empty="Your cart is empty.",
    cart_total="Total",
    checkout="Check out",
    checkout_text="This is where you would pay. Nothing is sold in a demo.",
    remove="Empty the cart",
    specs="Specifications",
    about="A bright display, a battery for the whole day, and a chip that keeps up with it.",
    display="Display",
    battery="Battery",
    memory="Memory",
    warranty="Warranty",
    warranty_text="24 months",
    support_lead="How can we help you?",
    questions=(
        ("Where is my order?", "We send you a tracking number as soon as it has left our warehouse."),
        ("How do I return something?", "Within 14 days, in its box, at no cost."),
        ("Is there a warranty?", "Yes: 24 months on every device, 6 months on accessories."),
    ),
    article="You are reading a page of the old site. It has its own address, and some visitor has it in a bookmark.",
    more="More",
    regions="Other regions",
    not_found="This page does not exist",
    not_found_text="Perhaps it never did: this is the old shop's own 404.",
    back="Back to the first page",
)

FRENCH = Phrases(
    products="Produits",
    support="Assistance",
    cart="Panier",
    choose="Choisissez votre région",
    slogan="Tout ce qu'il faut, rien de trop",
    lead="Des téléphones rapides à un prix juste, livrés chez vous en deux jours.",
    all_products="Tous les produits",
    in_stock="En stock, expédié aujourd'hui",
    add="Ajouter au panier",
    cart_empty="Votre panier est vide.",
    cart_total="Total",
    checkout="Commander",
    checkout_text="C'est ici que vous paieriez. Rien n'est vendu dans une démonstration.",
    remove="Vider le panier",
    specs="Caractéristiques",
    about="Un écran lumineux, une batterie pour toute la journée et une puce qui suit le rythme.",
    display="Écran",
    battery="Batterie",
    memory="Mémoire",
    warranty="Garantie",
    warranty_text="24 mois",
    support_lead="Comment pouvons-nous vous aider ?",
    questions=(
        ("Où est ma commande ?", "Vous recevez un numéro de suivi dès qu'elle a quitté notre entrepôt."),
        ("Comment renvoyer un article ?", "Sous 14 jours, dans sa boîte, sans frais."),
        ("Y a-t-il une garantie ?", "Oui : 24 mois sur chaque appareil, 6 mois sur les accessoires."),
    ),
    article="Vous lisez une page de l'ancien site. Elle a sa propre adresse, et quelqu'un l'a dans ses favoris.",
    more="Plus",
    regions="Autres régions",
    not_found="Cette page n'existe pas",
    not_found_text="Peut-être n'a-t-elle jamais existé : c'est la page 404 de l'ancienne boutique.",
    back="Retour à l'accueil",
    money="{} €",
)

INDONESIAN = Phrases(
    products="Produk",
    support="Bantuan",
    cart="Keranjang",
    choose="Pilih wilayah Anda",
    slogan="Semua yang Anda perlukan, tanpa yang berlebihan",
    lead="Ponsel cepat dengan harga wajar, sampai di rumah Anda dalam dua hari.",
    all_products="Semua produk",
    in_stock="Tersedia, dikirim hari ini",
    add="Masukkan ke keranjang",
    cart_empty="Keranjang Anda kosong.",
    cart_total="Jumlah",
    checkout="Bayar",
    checkout_text="Di sinilah Anda akan membayar. Tidak ada yang dijual dalam demo.",
    remove="Kosongkan keranjang",
    specs="Spesifikasi",
    about="Layar terang, baterai untuk sepanjang hari, dan cip yang mengimbanginya.",
    display="Layar",
    battery="Baterai",
    memory="Memori",
    warranty="Garansi",
    warranty_text="24 bulan",
    support_lead="Apa yang bisa kami bantu?",
    questions=(
        ("Di mana pesanan saya?", "Kami mengirim nomor resi begitu pesanan meninggalkan gudang kami."),
        ("Bagaimana cara mengembalikan barang?", "Dalam 14 hari, dengan kotaknya, tanpa biaya."),
        ("Apakah ada garansi?", "Ya: 24 bulan untuk setiap perangkat, 6 bulan untuk aksesori."),
    ),
    article="Anda membaca halaman situs lama. Halaman ini punya alamat sendiri, dan seseorang menandainya.",
    more="Lainnya",
    regions="Wilayah lain",
    not_found="Halaman ini tidak ada",
    not_found_text="Mungkin memang tidak pernah ada: ini halaman 404 milik toko lama.",
    back="Kembali ke halaman pertama",
    money="Rp {}",
    rate=17_000,
)

_BY_LANGUAGE = {"en": ENGLISH, "fr": FRENCH, "id": INDONESIAN}


def phrases_for(language: str) -> Phrases:
    """The words for a language tag such as `en-GB` (RFC 5646)."""
    return _BY_LANGUAGE.get(language.partition("-")[0].lower(), ENGLISH)
