#!/usr/bin/python3
"""cards: what the feeds of a directory of cards have to say, as JSON.

    cards.py DIRECTORY SITE

Written from docs/cards.md alone, so that it makes other mistakes than the
module does.  For every topic (and "all") it prints the spelling and the cards
that are in its feed now, newest first; of cards of the same time the docs
promise no order that a script could know.
"""

import datetime
import fnmatch
import html
import json
import os
import re
import sys
import unicodedata
import urllib.parse

import yaml

INCLUDE = ("*.md", "*.markdown", "*.html")
EXCLUDE = (".*", "_drafts", "_site", "_layouts", "_includes", "node_modules",
           "archetypes", "_index.*")
TITLE = ("title", "name")
EXCERPT = ("excerpt", "description", "summary")
PUBLISHED = ("publisheddatetime", "publishdate", "date", "published")
UPDATED = ("updateddatetime", "lastmod", "last_modified_at", "updated")
LINK = ("weburl", "originalurl", "website", "external_url", "url",
        "permalink", "slug")
HIDDEN = {"published": False, "draft": True, "deleted": True,
          "removed": True, "feed": False}
FLAGS = {"true": True, "false": False}

UTC = datetime.timezone.utc
DATE = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[Tt ]+(\d\d?):(\d\d)(?::(\d\d)(?:\.\d+)?)?"
    r"\s*(Z|z|[+-]\d\d:?\d\d)?)?$")
FILE_DATE = re.compile(r"(\d{4}-\d\d-\d\d)-")
REFERENCE = re.compile(r"&(#[0-9]+|#[xX][0-9a-fA-F]+|[0-9a-zA-Z]+);")
SPACE = re.compile(r"\s+")  # of any script; also what &nbsp; is


class Rejected(Exception):
    """The card is in no feed, and the log says why."""


# --- files -------------------------------------------------------------------


def any_match(name, patterns):
    """Whether one of the wildcards matches."""
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def files(root):
    """The relative path of every file that may be a card."""
    for directory, below, names in os.walk(root):
        below[:] = [name for name in below if not any_match(name, EXCLUDE)]
        for name in names:
            if any_match(name, INCLUDE) and not any_match(name, EXCLUDE):
                full = os.path.join(directory, name)
                yield os.path.relpath(full, root).replace(os.sep, "/")


def split(text):
    """Front matter and body, or None for a file that is no card."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    if lines[0].rstrip() != "---":
        return None
    for number, line in enumerate(lines[1:], 1):
        if line.rstrip() in ("---", "..."):
            return "\n".join(lines[1:number]), "\n".join(lines[number + 1:])
    return None


def front_matter(text):
    """The mapping, its keys in lower case; a last duplicate wins."""
    # BaseLoader: a date, a number or a flag is the text it was written as.
    try:
        matter = yaml.load(text, yaml.BaseLoader)
    except yaml.YAMLError as error:
        raise Rejected(str(error)) from error
    if not isinstance(matter, dict):
        return {}
    return {key.lower(): value for key, value in matter.items()
            if isinstance(key, str)}


# --- values ------------------------------------------------------------------


def decode(text):
    """Entities that end in ";" decoded once, white space collapsed."""
    text = REFERENCE.sub(lambda found: html.unescape(found.group()), text)
    return SPACE.sub(" ", text).strip()


def first_text(matter, keys):
    """The first of the keys that says something."""
    for key in keys:
        value = matter.get(key)
        if isinstance(value, str) and value.strip():
            return value.strip()
    return None


def when(text):
    """A date in seconds, or Rejected."""
    found = DATE.match(text.strip())
    if not found:
        raise Rejected("no date: " + text)
    year, month, day, hour, minute, second, zone = found.groups()
    try:
        stamp = datetime.datetime(
            int(year), int(month), int(day), int(hour or 0),
            int(minute or 0), int(second or 0), tzinfo=UTC)
    except ValueError as error:
        raise Rejected(str(error)) from error
    if zone and zone not in "Zz":
        digits = zone[1:].replace(":", "")
        ahead = datetime.timedelta(hours=int(digits[:2]),
                                   minutes=int(digits[2:]))
        stamp += ahead if zone[0] == "-" else -ahead
    return int(stamp.timestamp())


def first_date(matter, keys):
    """The date of the first key that has one; a flag is none."""
    for key in keys:
        text = first_text(matter, (key,))
        if text and not (key == "published" and text.lower() in FLAGS):
            return when(text)
    return None


def rfc3339(seconds):
    """Seconds as feeds write them."""
    return datetime.datetime.fromtimestamp(seconds, UTC).strftime(
        "%Y-%m-%dT%H:%M:%SZ")


# --- links -------------------------------------------------------------------


def stem(path):
    """A path without its file's extension."""
    return os.path.splitext(path)[0]


def escape(url):
    """Only characters that are legal in a URL."""
    return urllib.parse.quote(url, safe="%:/?#[]@!$&'()*+,;=~")


def absolute(url, site):
    """The URL below the site, or None if it is not one of the web."""
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):", url)
    if scheme and scheme.group(1).lower() not in ("http", "https"):
        return None
    if not scheme:
        url = url if url.startswith("//") else site + url.lstrip("/")
        url = urllib.parse.urljoin(site, url)
    return escape(url)


def link_of(matter, path, site):
    """Where the article is."""
    place = stem(path)
    if place.split("/")[-1] == "index":
        place = place[:-len("index")].rstrip("/")
    for key in LINK:
        text = first_text(matter, (key,))
        if not text:
            continue
        if key == "slug":
            place = "/".join(place.split("/")[:-1] + [text])
            break
        if key == "permalink" and (":" in text and "://" not in text
                                   or "/" not in text):
            continue
        url = absolute(text, site)
        if url:
            return url
    return absolute("/" + place + "/" if place else "/", site)


# --- bodies ------------------------------------------------------------------


def plain(markdown):
    """A line of Markdown as text."""
    markdown = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", markdown)
    markdown = re.sub(r"(\*\*|__|`)(.+?)\1", r"\2", markdown)
    markdown = re.sub(r"(?<!\w)([*_])(.+?)\1(?!\w)", r"\2", markdown)
    return decode(re.sub(r"<[^>]*>", "", markdown))


def first_heading(body):
    """The text of the body's first heading, or None."""
    found = re.search(r"^ {0,3}#{1,6}[ \t]+(.+?)[ \t]*#*[ \t]*$", body, re.M) \
        or re.search(r"<h[1-6][^>]*>(.*?)</h[1-6]>", body, re.S | re.I)
    return plain(found.group(1)) if found else None


def first_paragraph(body):
    """The text of the body's first paragraph, or None."""
    found = re.search(r"<p[^>]*>(.*?)</p>", body, re.S | re.I)
    if found:
        return plain(found.group(1))
    for block in re.split(r"\n[ \t]*\n", body):
        block = "\n".join(line for line in block.strip("\n").split("\n")
                          if not re.match(r" {0,3}#{1,6}[ \t]", line))
        if block.strip() and not re.match(
                r" {4}|\t| {0,3}([-*+>|<]|\d+[.)]|```|~~~)(?!\*)", block):
            return plain(block)
    return None


def words(path):
    """A file's name in words."""
    name = FILE_DATE.sub("", stem(path).split("/")[-1], count=1)
    text = re.sub(r"[-_]+", " ", name).strip()
    return text[:1].upper() + text[1:]


# --- topics ------------------------------------------------------------------


def names(value):
    """A list of texts; a text is a list of one."""
    listed = value if isinstance(value, list) else [value]
    return [decode(name) for name in listed
            if isinstance(name, str) and name.strip()]


def slug(name):
    """A topic as URLs have it."""
    text = name.removeprefix("#")
    if text.startswith("."):
        text = "dot" + text[1:]
    text = text.replace("#", "sharp").replace("+", "plus")
    text = unicodedata.normalize("NFKC",
                                 unicodedata.normalize("NFKC", text).casefold())
    text = "".join(c if unicodedata.category(c)[0] in "LMN" else "-"
                   for c in text)
    text = re.sub("-+", "-", text).strip("-")
    return "topic-all" if text == "all" else text


def topics_of(matter):
    """Slug to spelling, each slug once."""
    if "topics" in matter:
        listed = names(matter["topics"])
    else:
        listed = names(matter.get("tags")) + names(matter.get("categories"))
    found = {}
    for name in listed:
        found.setdefault(slug(name), name)
    return found


# --- cards -------------------------------------------------------------------


def hidden(matter):
    """Whether the card itself says that it is in no feed."""
    for key, value in HIDDEN.items():
        text = first_text(matter, (key,))
        if text and FLAGS.get(text.lower()) is value:
            return True
    return False


def read(root, path, site, now):
    """A card that is in feeds now, or None."""
    with open(os.path.join(root, path), encoding="utf-8", newline="") as file:
        parts = split(file.read())
    if parts is None:
        return None
    matter, body = front_matter(parts[0]), parts[1]
    if hidden(matter):
        return None

    published = first_date(matter, PUBLISHED)
    in_name = FILE_DATE.match(path.split("/")[-1])
    if published is None and in_name:
        published = when(in_name.group(1))
    updated = first_date(matter, UPDATED)
    expires = first_date(matter, ("expirydate",))
    if published is None or published > now:
        return None
    if expires is not None and expires <= now:
        return None

    title = first_text(matter, TITLE)
    excerpt = first_text(matter, EXCERPT)
    return {
        "identity": first_text(matter, ("id", "guid")) or "path " + path,
        "title": decode(title) if title
        else first_heading(body) or words(path),
        "excerpt": decode(excerpt) if excerpt
        else first_paragraph(body) or "",
        "link": link_of(matter, path, site),
        "published": rfc3339(published),
        "updated": rfc3339(published if updated is None else updated),
        "topics": topics_of(matter),
    }


def cards(root, site):
    """All that are in feeds; of two with one identity the lower path's."""
    now = int(datetime.datetime.now(UTC).timestamp())
    found = {}
    for path in sorted(files(root), key=str.encode):
        try:
            card = read(root, path, site, now)
        except (Rejected, UnicodeDecodeError):
            continue
        if card:
            found.setdefault(card["identity"], card)
    return list(found.values())


def feeds(found):
    """What each feed has."""
    found = sorted(found, key=lambda card: card["published"], reverse=True)
    by_slug = {"all": (None, {}, found)}
    for card in found:
        for key, name in card["topics"].items():
            _, spelled, here = by_slug.setdefault(key, (key, {}, []))
            spelled[name] = spelled.get(name, 0) + 1
            here.append(card)
    kept = ("title", "link", "published", "updated", "excerpt")
    return {
        key: {
            "name": min(spelled, key=lambda name: (-spelled[name],
                                                   name.encode()),
                        default=None),
            "entries": [{field: card[field] for field in kept}
                        for card in here],
        }
        for key, (_, spelled, here) in by_slug.items()
    }


if __name__ == "__main__":
    json.dump(feeds(cards(sys.argv[1], sys.argv[2])), sys.stdout)
