#!/usr/bin/env python3
"""Makes a directory of cards, the same ones for the same count and seed.

usage: cards.py DIR COUNT [SEED | real | small | plain]

Cards are dated from 2024-12-31 backwards, one every few hours, and lie in
DIR/YEAR/MONTH/.  Every card has the topic Engineering, most have one of a few
common ones, and each has some of a long tail of topics.

Those for measuring scale are spread over 20 years, whatever their number.
They are made like the cards of curated sites: with a provider, often with an
image or an embedded video, and with a "secured" of 390 to 560 characters of
base64 on one line.  Three topics are on every card.

  real   sizes as found on such sites: the median is 2.6 KB, but the mean
         19 KB and the 90th percentile 99 KB, for one card in six has some 200
         entries of "related", each with all that shows it
  small  about 3 KB each
  plain  an excerpt of 300 bytes and three topics, one of them on every card;
         nothing else that is of varying size, and no body
"""

import base64
import collections
import datetime
import functools
import os
import random
import re
import sys

NEWEST = datetime.datetime(2024, 12, 31, 18, tzinfo=datetime.timezone.utc)

ADJECTIVES = """slow quiet careful small broken stable portable careless
shared hidden local remote honest partial patient recent robust simple strict
sudden useful visible boring concurrent cheap durable elegant final gradual
idle lazy minimal nightly ordinary plain rare""".split()
NOUNS = """index query server release cache parser editor network schema queue
compiler table kernel packet socket branch commit backup deadline review
pipeline container library module pattern thread signal buffer ledger budget
meeting dashboard printer keyboard migration outage checklist protocol
garden archive letter workshop harbour bridge lighthouse map""".split()
VERBS = """measures replaces explains repairs forgets survives outlives limits
describes loads follows rebuilds compares counts keeps merges moves finds
protects removes renames repeats restores schedules serves splits traces
watches""".split()
ENDS = """at night, under load, without a plan, in production, by hand,
on old hardware, behind a proxy, in ten minutes, for the third time, for once,
with two people, across three time zones, before lunch, after the summer,
on a small budget, in plain text""".replace("\n", " ").split(", ")
COMMON = ["Databases", "Operations", "Web", "Testing", "Writing", "Security"]
PEOPLE = ["Ada Brandt", "Bo Okafor", "Chi Nguyễn", "Dana Ruiz", "Eli Roth",
          "Fay Åberg", "Gus Marino", "Hana Sato"]
EVERYWHERE = ["Engineering", "Software", "Open source"]
SPAN = 20 * 365 * 86400         # seconds, of the cards for measuring scale
LARGE = 0.167                   # of the real ones
TYPES = ["article"] * 6 + ["video", "course", "webinar"]


def clause(rng):
    words = ["the", rng.choice(ADJECTIVES), rng.choice(NOUNS),
             rng.choice(VERBS), "every", rng.choice(ADJECTIVES),
             rng.choice(NOUNS)]
    if rng.random() < 0.5:
        words.append(rng.choice(ENDS))
    return " ".join(words)


def sentence(rng):
    text = clause(rng)
    if rng.random() < 0.4:
        text += rng.choice([", and ", ", but ", "; "]) + clause(rng)
    return text[0].upper() + text[1:] + "."


def tail_topic(rng, topics):
    """Of the long tail: the n-th is about 1/n as frequent as the first."""
    n = int(topics ** rng.random())
    return "{} {}".format(ADJECTIVES[n % len(ADJECTIVES)],
                          NOUNS[n // len(ADJECTIVES) % len(NOUNS)]).title()


def topics_of(rng, tail, everywhere):
    topics = list(everywhere)
    if rng.random() < 0.8:
        topics.append(rng.choice(COMMON))
    topics += [tail_topic(rng, tail) for _ in range(rng.randint(1, 3))]
    return list(dict.fromkeys(topics))


def capital(text):
    return text[0].upper() + text[1:]


def front(rng, number, date, topics, excerpt=None):
    """What every card has."""
    title = clause(rng)
    return [
        f'title: "{capital(title)}"',
        'excerpt: "{}"'.format(excerpt or " ".join(
            sentence(rng) for _ in range(rng.randint(2, 4)))),
        f"publishedDateTime: {date:%Y-%m-%dT%H:%M:%SZ}",
        f'webUrl: "https://example.org/{date:%Y/%m}/'
        + "-".join(title.split()[1:5]) + f'-{number}"',
        f"type: {rng.choice(TYPES)}",
        f"quality: {rng.randint(20, 99)}",
        f"heat: {rng.randint(0, 99)}",
        f"author: {rng.choice(PEOPLE)}",
        "topics: [" + ", ".join(topics) + "]",
    ]


def image(number):
    return ["images:",
            f'  - url: "https://example.org/images/{number}.png"',
            "    width: 1200", "    height: 800"]


def body(rng):
    lines = [""]
    for _ in range(rng.randint(1, 4)):
        lines += [" ".join(sentence(rng) for _ in range(rng.randint(2, 6))),
                  ""]
    return lines


def card(rng, number, date, tail):
    topics = topics_of(rng, tail, EVERYWHERE[:1])
    lines = ["---", *front(rng, number, date, topics)]
    if rng.random() < 0.3:
        lines += image(number)
    return "\n".join([*lines, "---", *body(rng)])


# --- for measuring scale ----------------------------------------------------

def provider(rng):
    name = rng.choice(NOUNS)
    return ["provider:", f"  name: The {capital(name)}",
            f"  domain: {name}.example.org"]


def video(rng):
    return [f"length: PT{rng.randint(1, 59)}M{rng.randint(1, 59)}S",
            'featuredContent: "<iframe width=\\"800\\" height=\\"500\\" '
            'frameborder=\\"0\\" src=\\"https://video.example.org/embed/'
            f'{rng.randrange(10**9)}\\" allow=\\"autoplay; encrypted-media; '
            'picture-in-picture\\" allowfullscreen></iframe>"']


@functools.cache
def supplies():
    """Entries of "related", and base64 to cut from."""
    rng = random.Random(1)
    related = []
    for number in range(4000):
        lines = front(rng, number, NEWEST - datetime.timedelta(
            seconds=rng.randrange(SPAN)), ["Software"])[:5]
        lines += provider(rng) + image(number)
        related.append("  - " + "\n    ".join(lines))
    return related, base64.b64encode(rng.randbytes(96 * 1024)).decode()


def secured(rng, blob):
    length = rng.randint(360, 530)
    first = rng.randrange(len(blob) - length - 40)
    return (f'secured: "{blob[first:first + length]};'
            f'{blob[first + length:first + length + 22]}=="')


def wanted(rng, kind):
    """Bytes of a card, about."""
    if kind == "small":
        return 3000
    if rng.random() < LARGE:
        return rng.randint(87_000, 117_000)
    return rng.randint(1750, 3150)


def plain(rng, number, date, tail):
    topics = [EVERYWHERE[0], rng.choice(COMMON), tail_topic(rng, tail)]
    text = " ".join(sentence(rng) for _ in range(10))
    return "\n".join(["---", *front(rng, number, date, topics, text[:300]),
                      "---", ""])


def curated(rng, kind, number, date, tail):
    related, blob = supplies()
    size = wanted(rng, kind)
    lines = ["---", *front(rng, number, date,
                           topics_of(rng, tail, EVERYWHERE)),
             *provider(rng)]
    if rng.random() < 0.6:
        lines += image(number)
    if rng.random() < 0.25:
        lines += video(rng)
    end = [secured(rng, blob), "---", *(body(rng) if rng.random() < 0.5
                                        else [""])]
    more = size - sum(len(line) + 1 for line in lines + end)
    first = rng.randrange(len(related) - 400)
    entries = []
    # Half of one too many is as far away as half of one too few.
    while more > len(related[first]) / 2:
        entries.append(related[first])
        more -= len(related[first]) + 1
        first += 1
    if entries:
        lines += ["related:", *entries]
    return "\n".join([*lines, *end])


def scaled(kind, number, count, newer=0):
    """The text and date of a card; newer: seconds after all the others."""
    rng = random.Random(number)
    step = SPAN / count
    date = NEWEST + datetime.timedelta(seconds=newer or -int(
        (count - number + rng.random()) * step))
    if kind == "plain":
        return plain(rng, number, date, tail_of(count)), date
    return curated(rng, kind, number, date, tail_of(count)), date


def topics_in(text):
    return re.search(r"^topics: \[(.*)\]$", text, re.M).group(1).split(", ")


def path_of(directory, number, date):
    folder = os.path.join(directory, f"{date:%Y}", f"{date:%m}")
    return os.path.join(folder, f"card-{number:07}.md")


def make_scaled(directory, kind, count):
    """Returns the bytes of each, and how many cards each topic has."""
    made = set()
    sizes = []
    topics = collections.Counter()
    for number in range(1, count + 1):
        text, date = scaled(kind, number, count)
        path = path_of(directory, number, date)
        folder = os.path.dirname(path)
        if folder not in made:
            os.makedirs(folder, exist_ok=True)
            made.add(folder)
        with open(path, "wb") as file:
            sizes.append(file.write(text.encode()))
        topics.update(topics_in(text))
    return sizes, topics


def tail_of(count):
    return min(max(count // 10, 2), len(ADJECTIVES) * len(NOUNS))


def make(directory, count, seed=1):
    rng = random.Random(seed)
    tail = tail_of(count)
    date = NEWEST
    for number in range(count, 0, -1):
        path = path_of(directory, number, date)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(card(rng, number, date, tail))
        date -= datetime.timedelta(seconds=rng.randint(60, 12 * 3600))


if __name__ == "__main__":
    if not 3 <= len(sys.argv) <= 4:
        sys.exit(__doc__)
    directory, count, how = (sys.argv + ["1"])[1:4]
    if how in ("real", "small", "plain"):
        make_scaled(directory, how, int(count))
    else:
        make(directory, int(count), int(how))
