#!/usr/bin/env python3
"""Makes a directory of cards, the same ones for the same count and seed.

usage: cards.py DIR COUNT [SEED]

Cards are dated from 2024-12-31 backwards, one every few hours, and lie in
DIR/YEAR/MONTH/.  Every card has the topic Engineering, most have one of a few
common ones, and each has some of a long tail of topics.
"""

import datetime
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


def card(rng, number, date, tail):
    topics = ["Engineering"]
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
    lines += ["---", ""]
    for _ in range(rng.randint(1, 4)):
        lines += [" ".join(sentence(rng) for _ in range(rng.randint(2, 6))),
                  ""]
    return "\n".join(lines)


def make(directory, count, seed=1):
    rng = random.Random(seed)
    tail = min(max(count // 10, 2), len(ADJECTIVES) * len(NOUNS))
    date = NEWEST
    for number in range(count, 0, -1):
        folder = os.path.join(directory, f"{date:%Y}", f"{date:%m}")
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, f"card-{number:07}.md")
        with open(path, "w", encoding="utf-8") as file:
            file.write(card(rng, number, date, tail))
        date -= datetime.timedelta(seconds=rng.randint(60, 12 * 3600))


if __name__ == "__main__":
    if not 3 <= len(sys.argv) <= 4:
        sys.exit(__doc__)
    make(sys.argv[1], int(sys.argv[2]), int((sys.argv + ["1"])[3]))
