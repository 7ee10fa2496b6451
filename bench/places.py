"""Directories of cards whose scale is measured, and which ones.

A place is named KIND:COUNT, with the kinds of cards.py, or "corpus": real
cards, which lie beside the project or nowhere, and are copied for the run.
"""

import os
import random
import shutil
import statistics

import cards
import nginx as shared
from nginx import Failure

SMALL = 1_000_000               # from here on cards have 3 KB
DEFAULT = "1000 10000 plain corpus"
FULL = "1000 10000 100000 1000000 plain corpus"
PLAIN = 10_000
CORPUS = os.environ.get("CARDFEED_CORPUS") or os.path.join(
    shared.ROOT, "..", "shared", "corpus", "powerapps")
NAMES = (".md", ".markdown", ".html")
BYTES = {"real": 24_000, "small": 4096, "plain": 4096}  # on the disk, about


def percentile(values, share):
    values = sorted(values)
    return values[min(int(len(values) * share), len(values) - 1)]


def selected(words):
    """[(kind, count)] of what SCALE says; of the corpus the count is 0."""
    words = words.replace(",", " ").split()
    places = []
    for word in " ".join(words or [DEFAULT]).replace("full", FULL).split():
        kind, _, count = word.rpartition(":")
        if word == "corpus":
            places.append((word, 0))
        elif word == "plain":
            places.append((word, PLAIN))
        elif kind not in ("", *BYTES) or not count.isdigit() or not int(count):
            raise Failure(f'SCALE: what is "{word}"?')
        else:
            count = int(count)
            places.append((kind or ("real" if count < SMALL else "small"),
                           count))
    return list(dict.fromkeys(places))


class Place:
    """A directory of cards, and what is known of it."""

    def __init__(self, directory, kind, count):
        self.directory, self.kind, self.count = directory, kind, count
        self.content = os.path.join(directory, "content")
        self.index = os.path.join(directory, "index")
        self.port = shared.free_port()
        os.mkdir(self.content)
        self.about = {"kind": kind, "cards": count, **self.make()}
        # What the system still writes would be measured with the rest.
        os.sync()

    def make(self):
        """Makes cards; returns what there is to be said of them."""
        free = shutil.disk_usage(self.directory).free
        needed = self.count * (BYTES[self.kind] + 8192)
        if free < needed * 1.2:
            raise Failure(f"{self.count} cards need {needed >> 20} MB of "
                          f"disk, there are {free >> 20}")
        sizes, topics = cards.make_scaled(self.content, self.kind, self.count)
        return {**distribution(sizes), "topics": {
            "all": len(topics),
            "everywhere": sum(count == self.count
                              for count in topics.values()),
            "median": statistics.median(topics.values())}}

    def path(self, number):
        return cards.path_of(self.content, number, cards.scaled(
            self.kind, number, self.count)[1])

    def sample(self, most):
        """Paths of cards, evenly spread."""
        step = -(-self.count // most)
        return [self.path(number)
                for number in range(1, self.count + 1, step)]

    def another(self, number):
        """A card newer than all of them: its text, and where it may go."""
        kind = self.kind if self.kind in BYTES else "real"
        text, date = cards.scaled(kind, self.count + number, self.count,
                                  newer=number)
        return text, cards.path_of(self.content, self.count + number, date)


class Corpus(Place):
    """A copy; the count is that of files with front matter."""

    def __init__(self, directory, kind, _):
        self.paths = []
        super().__init__(directory, kind, 0)

    def make(self):
        sizes = []
        for folder, _, names in os.walk(CORPUS):
            target = os.path.join(self.content,
                                  os.path.relpath(folder, CORPUS))
            os.makedirs(target, exist_ok=True)
            for name in names:
                path = os.path.join(target, name)
                shutil.copyfile(os.path.join(folder, name), path)
                with open(path, "rb") as file:
                    if name.endswith(NAMES) and file.read(3) == b"---":
                        self.paths.append(path)
                        sizes.append(os.path.getsize(path))
        self.count = len(sizes)
        return {"cards": self.count, **distribution(sizes)}

    def sample(self, most):
        return random.Random(1).sample(self.paths, min(most, self.count))


def distribution(sizes):
    return {"bytes": sum(sizes), "mean": statistics.mean(sizes),
            "median": statistics.median(sizes), "p90": percentile(sizes, 0.9)}


def place(directory, kind, count):
    return (Corpus if kind == "corpus" else Place)(directory, kind, count)
