#!/usr/bin/env python3
"""Makes a directory of cards, the same ones for the same count and seed.

usage: cards.py DIR COUNT [SEED | real | small]

Cards are dated from 2024-12-31 backwards, one every few hours, and lie in
DIR/YEAR/MONTH/.  Every card has the topic Engineering, most have one of a few
common ones, and each has some of a long tail of topics.

Those for measuring scale are spread over 20 years, whatever their number, and
three topics are on every card:

  real   sizes as found on curated sites: the median is 2.6 KB, but the mean
         19 KB and the 90th percentile 99 KB, for one card in six has a long
         list of related ones and a large "secured"
  small  about 3 KB each
"""

import base64
import datetime
import functools
import os
import random
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
LARGE = 0.17                    # of the real ones
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


def card(rng, number, date, tail, everywhere=EVERYWHERE[:1], more=()):
    """more: lines at the end of the front matter."""
    topics = list(everywhere)
    if rng.random() < 0.8:
        topics.append(rng.choice(COMMON))
    topics += [tail_topic(rng, tail) for _ in range(rng.randint(1, 3))]

    title = clause(rng)
    lines = [
        "---",
        f'title: "{title[0].upper() + title[1:]}"',
        'excerpt: "{}"'.format(" ".join(
            sentence(rng) for _ in range(rng.randint(2, 4)))),
        f"publishedDateTime: {date:%Y-%m-%dT%H:%M:%SZ}",
        f'webUrl: "https://example.org/{date:%Y/%m}/'
        + "-".join(title.split()[1:5]) + f'-{number}"',
        f"type: {rng.choice(TYPES)}",
        f"quality: {rng.randint(20, 99)}",
        f"heat: {rng.randint(0, 99)}",
        f"author: {rng.choice(PEOPLE)}",
        "topics: [" + ", ".join(dict.fromkeys(topics)) + "]",
    ]
    if rng.random() < 0.3:
        lines += ["images:",
                  f'  - url: "https://example.org/images/{number}.png"',
                  "    width: 1200", "    height: 800"]
    lines += [*more, "---", ""]
    for _ in range(rng.randint(1, 4)):
        lines += [" ".join(sentence(rng) for _ in range(rng.randint(2, 6))),
                  ""]
    return "\n".join(lines)


@functools.cache
def supplies():
    """Of what is in large cards: related ones, and 256 KB of base64."""
    rng = random.Random(1)
    related = []
    for number in range(4000):
        title = clause(rng)
        related.append(
            f'  - title: "{title[0].upper() + title[1:]}"\n    webUrl: '
            f'"https://example.org/{"-".join(title.split()[1:5])}-{number}"')
    return related, base64.b64encode(rng.randbytes(192 * 1024)).decode()


def scaled(kind, number, count, newer=0):
    """The text and date of a card; newer: seconds after all the others."""
    related, blob = supplies()
    rng = random.Random(number)
    step = SPAN / count
    date = NEWEST + datetime.timedelta(seconds=newer or -int(
        (count - number + rng.random()) * step))
    more = []
    wanted = 3000
    if kind == "real":
        wanted = rng.randint(1900, 3200)
        if rng.random() < LARGE:
            wanted = rng.randint(86_000, 117_000)
            length = wanted * rng.uniform(0.3, 0.7)
            first = rng.randrange(len(related) - 1000)
            more.append("related:")
            while length > 0:
                more.append(related[first])
                length -= len(related[first]) + 1
                first += 1
    text = card(rng, number, date, tail_of(count), EVERYWHERE, more)
    # What is missing; a card is never without.
    length = max(wanted - len(text) - 12, 64)
    first = rng.randrange(len(blob) - length)
    fence = text.index("\n---\n", 4)
    return (f'{text[:fence]}\nsecured: "{blob[first:first + length]}"'
            f'{text[fence:]}'), date


def path_of(directory, number, date):
    folder = os.path.join(directory, f"{date:%Y}", f"{date:%m}")
    return os.path.join(folder, f"card-{number:07}.md")


def make_scaled(directory, kind, count):
    """Returns their bytes."""
    made = set()
    size = 0
    for number in range(1, count + 1):
        text, date = scaled(kind, number, count)
        path = path_of(directory, number, date)
        folder = os.path.dirname(path)
        if folder not in made:
            os.makedirs(folder, exist_ok=True)
            made.add(folder)
        with open(path, "wb") as file:
            size += file.write(text.encode())
    return size


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
    if how in ("real", "small"):
        make_scaled(directory, how, int(count))
    else:
        make(directory, int(count), int(how))
