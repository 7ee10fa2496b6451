#!/usr/bin/python3
"""feedcheck: what feedparser makes of feed files, as JSON on stdout."""

import json
import sys

import feedparser

CONTENT_TYPES = (
    (b"<rss", "application/rss+xml; charset=utf-8"),
    (b"<feed", "application/atom+xml; charset=utf-8"),
)


def read(path):
    with open(path, "rb") as source:
        data = source.read()
    kinds = [kind for tag, kind in CONTENT_TYPES if tag in data[:2000]]
    headers = {"content-type": kinds[0]} if kinds else {}
    # Sanitizing and resolving would hide what the feed really says.
    feed = feedparser.parse(
        data,
        response_headers=headers,
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    entries = []
    for entry in feed.entries:
        entries.append(
            {
                "id": entry.get("id"),
                "title": entry.get("title"),
                "link": entry.get("link"),
                "summary": entry.get("summary"),
                "published": list(entry.get("published_parsed") or []),
                "updated": list(entry.get("updated_parsed") or []),
                "tags": [tag.get("label") or tag.get("term")
                         for tag in entry.get("tags", [])],
                "authors": [author.get("name")
                            for author in entry.get("authors", [])],
                "enclosures": [dict(e) for e in entry.get("enclosures", [])],
            }
        )
    return {
        "bozo": int(bool(feed.bozo)),
        "why": str(feed.get("bozo_exception", "")),
        "version": feed.version,
        "encoding": feed.get("encoding"),
        "feed": {
            "title": feed.feed.get("title"),
            "link": feed.feed.get("link"),
            "id": feed.feed.get("id"),
            "links": [[link.get("rel"), link.get("href")]
                      for link in feed.feed.get("links", [])],
        },
        "entries": entries,
    }


if __name__ == "__main__":
    json.dump({path: read(path) for path in sys.argv[1:]}, sys.stdout)
