from __future__ import annotations

from html.parser import HTMLParser

from messaging import markup

ALLOWED: dict[str, set[str]] = {
    "p": {"class"},
    **{tag: set() for tag in ("em", "strong", "s", "del", "pre", "blockquote", "ul", "li", "br", "hr")},
    **{tag: set() for tag in ("h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td")},
    "a": {"href", "rel"},
    "code": {"class"},
    "span": {"class"},
    "ol": {"start"},
}
REL = "nofollow noopener noreferrer ugc"


class Reading(HTMLParser):
    """What a browser's parser finds in a message's HTML."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.open: list[str] = []
        self.links: list[str] = []
        self.forbidden: list[object] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in {"br", "hr"}:
            self.open.append(tag)
        if tag not in ALLOWED or {name for name, _ in attrs} - ALLOWED[tag]:
            self.forbidden.append((tag, attrs))
        if tag == "a":
            self.see_link(dict(attrs))

    def see_link(self, attributes: dict[str, str | None]) -> None:
        href = attributes.get("href")
        self.links += [href] if href else []  # without one it leads nowhere
        if href and not href.lower().startswith(("http://", "https://", "mailto:")):
            self.forbidden.append(href)
        if attributes.get("rel") != REL:
            self.forbidden.append(attributes)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.forbidden.append(f"/{tag}")

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.forbidden.append(data)

    def handle_decl(self, decl: str) -> None:
        self.forbidden.append(decl)

    def handle_pi(self, data: str) -> None:
        self.forbidden.append(data)

    def unknown_decl(self, data: str) -> None:
        self.forbidden.append(data)


def read(text: str) -> Reading:
    return Reading(markup.render(text))
