"""Follow the links inside a folder of HTML pages: each must lead to a file, and to a place in it if it names one.

    python3 tools/links.py docs
"""

import html.parser
import sys
import urllib.parse
from pathlib import Path


class Page(html.parser.HTMLParser):
    """The links of a page, and the places that links can lead to."""

    def __init__(self, path):
        super().__init__()
        self.links, self.places = [], {"", "top"}
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.places |= {attributes.get("id"), attributes.get("name")}
        self.links += [link for link in (attributes.get("href"), attributes.get("src")) if link]


def dead_links(folder):
    """Pairs of a page and a link of it that leads nowhere."""
    pages = {path.resolve(): Page(path) for path in sorted(Path(folder).rglob("*.html"))}
    for path, page in pages.items():
        for link in dict.fromkeys(page.links):
            parts = urllib.parse.urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / urllib.parse.unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            place = urllib.parse.unquote(parts.fragment)
            if not target.exists() or (target in pages and place not in pages[target].places):
                yield path.relative_to(Path(folder).resolve()), link


if __name__ == "__main__":
    found = list(dead_links(sys.argv[1]))
    for page, link in found:
        print(f"{page}: {link} leads nowhere")
    print(f"{len(found)} dead links")
    sys.exit(1 if found else 0)
