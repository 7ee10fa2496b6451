"""Hugo as a peer: it builds the same feeds of the same cards.

That is RSS of all cards and of each topic, the newest 50 with title, excerpt,
link, date and topics, and no page of a card.  Texts are taken from the front
matter, so that Hugo need not render any Markdown.
"""

import glob
import os
import re
import subprocess
import time
import xml.etree.ElementTree as ElementTree

from nginx import Failure

BUILDS = 3
ENTRIES = 50

CONFIG = """\
baseURL = "https://feeds.example.org/"
title = "Feeds"
contentDir = "{dir}/content"
disableKinds = ["section", "taxonomy", "sitemap", "robotsTXT", "404"]
ignoreErrors = ["error-disable-taxonomy"]
[taxonomies]
topic = "topics"
[outputs]
home = ["RSS"]
term = ["RSS"]
[frontmatter]
date = ["publishedDateTime"]
[[cascade]]
[cascade._build]
render = "never"
[cascade._target]
kind = "page"
"""
TEMPLATE = """\
{{- printf `<?xml version="1.0" encoding="utf-8"?>` | safeHTML }}
<rss version="2.0">
<channel>
<title>{{ .Title }}</title>
<link>{{ .Permalink }}</link>
<description>{{ .Title }}</description>
{{- $pages := .Pages }}
{{- if .IsHome }}{{ $pages = .Site.RegularPages }}{{ end }}
{{- range first ENTRIES $pages.ByDate.Reverse }}
<item>
<title>{{ .Title }}</title>
<link>{{ .Params.weburl }}</link>
<guid isPermaLink="false">{{ .File.UniqueID }}</guid>
<pubDate>{{ .Date.Format "Mon, 02 Jan 2006 15:04:05 -0700" }}</pubDate>
<description>{{ .Params.excerpt }}</description>
{{- range .Params.topics }}
<category>{{ . }}</category>
{{- end }}
</item>
{{- end }}
</channel>
</rss>
""".replace("ENTRIES", str(ENTRIES))


def titles(text):
    return [title.text for title
            in ElementTree.fromstring(text).iterfind("channel/item/title")]


def check(place, server, site):
    """That nothing is built that the module does not serve, or otherwise."""
    names = glob.glob(site + "/public/topics/*/index.xml")
    if len(names) != place.about["topics"]["all"]:
        raise Failure(f"hugo makes feeds of {len(names)} topics")
    pairs = [("all", site + "/public/index.xml")] + [
        (os.path.basename(os.path.dirname(name)), name)
        for name in sorted(names)[::max(len(names) // 20, 1)]]
    with server(place) as nginx:
        nginx.scanned()
        for topic, name in pairs:
            with open(name, encoding="utf-8") as file:
                theirs = titles(file.read())
            ours = titles(nginx.get(
                f"/feeds/{topic}.rss?limit={ENTRIES}").body)
            if theirs != ours or not ours:
                raise Failure(f"hugo's feed of {topic} is another one")
    return len(names) + 1


def build(site):
    began = time.monotonic()
    run = subprocess.run(
        ["hugo", "--quiet", "--source", site, "--config",
         site + "/hugo.toml", "--destination", site + "/public"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if run.returncode:
        raise Failure("hugo: " + run.stdout[-500:])
    return time.monotonic() - began


def measure(place, server):
    """Seconds of builds after a change each; a first one does not count."""
    site = os.path.join(place.directory, "hugo")
    os.makedirs(site + "/layouts/_default")
    with open(site + "/hugo.toml", "w") as file:
        file.write(CONFIG.format(dir=place.directory))
    with open(site + "/layouts/_default/rss.xml", "w") as file:
        file.write(TEMPLATE)
    path = place.path(place.count)
    with open(path, encoding="utf-8") as file:
        text = file.read()

    build(site)
    took = []
    for number in range(BUILDS):
        title = f"Changed {number}"
        with open(path, "w", encoding="utf-8") as file:
            file.write(re.sub('title: ".*?"', f'title: "{title}"', text, 1))
        took.append(build(site))
        with open(site + "/public/index.xml", encoding="utf-8") as file:
            if titles(file.read())[0] != title:
                raise Failure("hugo does not see a change")
    return {"seconds": took, "feeds": check(place, server, site)}
