"""The old shop's HTML: one frame, a page for each thing there is to see. Pure: a region in, text out.

Everything comes from rule files, so everything is escaped. No page loads anything: style and pictures stand in it.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from proxy.demo.phrases import Phrases, phrases_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from proxy.demo.shop import Product, Region, Shop

FEATURED: Final = 6

STYLE: Final = """
:root { --ink: #17181c; --soft: #6b6e76; --line: #e7e7ea; --paper: #fff; --wash: #f5f5f7; --accent: #ffd400 }
* { box-sizing: border-box }
body { margin: 0; font: 16px/1.55 system-ui, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; color: var(--ink);
  background: var(--paper) }
a { color: inherit }
.bar, main, footer > div { max-width: 68rem; margin: 0 auto; padding: 0 1.5rem }
header { border-bottom: 1px solid var(--line) }
.bar { display: flex; align-items: center; gap: 1.75rem; height: 4rem }
.bar a { text-decoration: none; font-size: .95rem }
.bar .brand { font-weight: 800; font-size: 1.35rem; letter-spacing: .06em; background: var(--accent);
  padding: .1rem .6rem }
.bar .region { color: var(--soft) }
.bar nav { margin-left: auto; display: flex; gap: 1.5rem }
.hero { background: linear-gradient(120deg, #17181c, #3a3c46); color: #fff; border-radius: 1.25rem; margin: 2rem 0;
  padding: 3.5rem 3rem }
.hero h1 { font-size: clamp(1.9rem, 4.5vw, 3.1rem); line-height: 1.1; margin: 0 0 1rem; max-width: 18ch }
.hero p { color: #c9cad1; margin: 0 0 2rem }
.button, button { display: inline-block; font: inherit; font-weight: 600; color: var(--ink); background: var(--accent);
  border: 0; border-radius: 999px; padding: .65rem 1.6rem; text-decoration: none; cursor: pointer }
button.plain { background: var(--wash) }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: 1.25rem; padding: 0;
  list-style: none }
.card { background: var(--wash); border-radius: 1rem; height: 100%; padding: 1.5rem; display: block;
  text-align: center; text-decoration: none }
.card svg { height: 9rem }
.card strong { display: block; margin-top: .75rem }
.card span { color: var(--soft) }
.two { display: grid; grid-template-columns: minmax(14rem, 2fr) 3fr; gap: 3rem; align-items: center; margin: 3rem 0 }
.two .art { background: var(--wash); border-radius: 1.25rem; text-align: center; padding: 2.5rem }
.two .art svg { height: 18rem; max-width: 100% }
.soft { color: var(--soft) }
.price { font-size: 1.6rem; font-weight: 700 }
table { border-collapse: collapse; width: 100% }
td { border-bottom: 1px solid var(--line); padding: .75rem 0 }
td + td { text-align: right }
details { border-bottom: 1px solid var(--line); padding: 1rem 0 }
summary { font-weight: 600; cursor: pointer }
footer { background: var(--wash); margin-top: 4rem; padding: 2rem 0; color: var(--soft); font-size: .9rem }
footer ul { display: flex; flex-wrap: wrap; gap: .4rem 1.25rem; list-style: none; margin: .25rem 0 1.25rem; padding: 0 }
@media (max-width: 40rem) { .two { grid-template-columns: 1fr } .hero { padding: 2.25rem 1.5rem }
  .bar { flex-wrap: wrap; height: auto; gap: .5rem 1rem; padding-block: .75rem }
  .bar nav { margin: 0; flex: 0 0 100% } }
"""


def _frame(shop: Shop, region: Region, title: str, body: str, homes: Mapping[str, str]) -> str:
    """A whole page. `homes` leads from the name of another region to its address."""
    say = phrases_for(region.site.language)
    others = _links((address, name) for name, address in homes.items())
    pages = _links((path, shop.words(path.rpartition("/")[2])) for path in region.pages)
    more = f"{escape(say.more)}{pages}" if region.pages else ""
    return f"""<!doctype html>
<html lang="{escape(region.site.language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)} | {escape(shop.brand)} {escape(region.title)}</title>
<link rel="icon" href="data:,">
<style>{STYLE}</style>
</head>
<body>
<header><div class="bar">
<a class="brand" href="{escape(region.home)}">{escape(shop.brand)}</a><span class="region">{escape(region.title)}</span>
<nav><a href="{escape(region.path)}/products">{escape(say.products)}</a>
<a href="{escape(region.path)}/support">{escape(say.support)}</a>
<a href="{escape(region.cart)}">{escape(say.cart)}</a></nav>
</div></header>
<main>
{body}
</main>
<footer><div>{more}{escape(say.regions)}{others}</div></footer>
</body>
</html>
"""


class Pages:
    """The pages of one region, for a visitor who may go on to the regions in `homes` (name to address)."""

    def __init__(self, shop: Shop, region: Region, homes: Mapping[str, str]) -> None:
        self.shop = shop
        self.region = region
        self.homes = homes
        self.say: Phrases = phrases_for(region.site.language)

    def home(self) -> str:
        """The first page of the region."""
        say, region = self.say, self.region
        body = f"""<section class="hero"><h1>{escape(say.slogan)}</h1><p>{escape(say.lead)}</p>
<a class="button" href="{escape(region.path)}/products">{escape(say.all_products)}</a></section>
{self._cards(region.products[:FEATURED])}"""
        return self._page(region.title, body)

    def products(self) -> str:
        """Everything on sale."""
        return self._page(self.say.products, f"<h1>{escape(self.say.products)}</h1>{self._cards(self.region.products)}")

    def product(self, product: Product) -> str:
        """One product, with the form that puts it into the cart."""
        say = self.say
        specs = f'<p><a href="{escape(product.path)}/specs">{escape(say.specs)}</a></p>'
        body = f"""<div class="two"><div class="art">{_picture(product)}</div><div>
<p class="soft">{escape(self.shop.words(product.category) if product.category else say.products)}</p>
<h1>{escape(product.name)}</h1><p>{escape(say.about)}</p><p class="price">{escape(say.price(product.price))}</p>
<form method="post" action="{escape(self.region.cart)}/add">
<input type="hidden" name="item" value="{escape(product.slug)}"><button>{escape(say.add)}</button>
<span class="soft">&nbsp; {escape(say.in_stock)}</span></form>{specs}</div></div>"""
        return self._page(product.name, body)

    def specs(self, product: Product) -> str:
        """What a product is made of: plausible, and made up."""
        say, seed = self.say, product.seed
        rows = (
            (say.display, f"{6 + seed % 9 / 10:.1f}″ AMOLED, {(60, 90, 120)[seed % 3]} Hz"),
            (say.battery, f"{4500 + seed % 12 * 100} mAh, {(33, 67, 90)[seed // 3 % 3]} W"),
            (say.memory, f"{(6, 8, 12)[seed // 9 % 3]} GB + {(128, 256, 512)[seed // 27 % 3]} GB"),
            (say.warranty, say.warranty_text),
        )
        body = f"<h1>{escape(product.name)}: {escape(say.specs)}</h1>{_rows(rows)}"
        back = f'<p><a href="{escape(product.path)}">{escape(product.name)}</a></p>'
        return self._page(f"{product.name}, {say.specs}", body + back)

    def cart(self, items: list[Product]) -> str:
        """What the visitor wants to buy."""
        say, cart = self.say, escape(self.region.cart)
        if not items:
            return self._page(say.cart, f"<h1>{escape(say.cart)}</h1><p>{escape(say.cart_empty)}</p>")
        rows = [(item.name, say.price(item.price)) for item in items]
        rows.append((say.cart_total, say.price(sum(item.price for item in items))))
        body = f"""<h1>{escape(say.cart)}</h1>{_rows(rows)}
<p><a class="button" href="{cart}/checkout">{escape(say.checkout)}</a></p>
<form method="post" action="{cart}/empty"><button class="plain">{escape(say.remove)}</button></form>"""
        return self._page(say.cart, body)

    def checkout(self) -> str:
        """Where a shop would ask for money."""
        return self._page(self.say.checkout, self._text(self.say.checkout, self.say.checkout_text))

    def support(self) -> str:
        """Questions and answers."""
        entries = "".join(
            f"<details><summary>{escape(question)}</summary><p>{escape(answer)}</p></details>"
            for question, answer in self.say.questions
        )
        body = f"<h1>{escape(self.say.support)}</h1><p>{escape(self.say.support_lead)}</p>{entries}"
        return self._page(self.say.support, body)

    def article(self, path: str) -> str:
        """A page that only its rule knows."""
        title = self.shop.words(path.rstrip("/").rpartition("/")[2].partition(".")[0])
        return self._page(title, self._text(title, self.say.article) + self._cards(self.region.products[:3]))

    def regions(self, addresses: Mapping[str, str]) -> str:
        """The page at the root of a host with several regions."""
        cards = "".join(
            f'<li><a class="card" href="{escape(address)}"><strong>{escape(name)}</strong></a></li>'
            for name, address in addresses.items()
        )
        return self._page(self.say.choose, f'<h1>{escape(self.say.choose)}</h1><ul class="grid">{cards}</ul>')

    def not_found(self) -> str:
        """The old shop's own 404."""
        body = self._text(self.say.not_found, self.say.not_found_text)
        link = f'<p><a class="button" href="{escape(self.region.home)}">{escape(self.say.back)}</a></p>'
        return self._page(self.say.not_found, body + link)

    def _page(self, title: str, body: str) -> str:
        return _frame(self.shop, self.region, title, body, self.homes)

    def _text(self, title: str, text: str) -> str:
        return f"<h1>{escape(title)}</h1><p>{escape(text)}</p>"

    def _cards(self, products: Iterable[Product]) -> str:
        cards = "".join(
            f'<li><a class="card" href="{escape(product.path)}">{_picture(product)}'
            f"<strong>{escape(product.name)}</strong><span>{escape(self.say.price(product.price))}</span></a></li>"
            for product in products
        )
        return f'<ul class="grid">{cards}</ul>'


def _links(links: Iterable[tuple[str, str]]) -> str:
    items = "".join(f'<li><a href="{escape(address)}">{escape(name)}</a></li>' for address, name in links)
    return f"<ul>{items}</ul>"


def _rows(rows: Iterable[tuple[str, str]]) -> str:
    cells = "".join(f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in rows)
    return f"<table>{cells}</table>"


def _picture(product: Product) -> str:
    """A telephone, seen from behind, in the product's own colours."""
    hue = product.seed % 360
    name = f"g{product.seed}"
    return f"""<svg viewBox="0 0 100 180" role="img" aria-label="{escape(product.name)}"><defs>
<linearGradient id="{name}" x1="0" y1="0" x2="1" y2="1"><stop stop-color="hsl({hue} 65% 62%)"/>
<stop offset="1" stop-color="hsl({(hue + 50) % 360} 60% 38%)"/></linearGradient></defs>
<rect x="8" y="4" width="84" height="172" rx="14" fill="url(#{name})"/>
<rect x="16" y="12" width="68" height="40" rx="9" fill="#0004"/><circle cx="33" cy="32" r="12" fill="#0008"/>
<circle cx="33" cy="32" r="5" fill="#fff5"/><circle cx="60" cy="32" r="8" fill="#0008"/>
<circle cx="76" cy="32" r="3" fill="#fff9"/></svg>"""
