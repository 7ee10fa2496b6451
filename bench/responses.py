"""Measures responses against a control module and against nginx's own.

All contenders are served by one worker of one nginx, and take turns within
each round; what counts is the median over the rounds of a ratio within one.
"""

import gzip
import json
import os
import re
import statistics
import sys
import time

import nginx as shared
from cards import NEWEST, make as make_cards
from nginx import BUILD, ROOT, Failure, wait_for

CONTROL = os.path.join(BUILD, "ngx_http_cardfeed_control_module.so")
ROUNDS = int(os.environ.get("BENCH_ROUNDS") or 7)
SECONDS = float(os.environ.get("BENCH_SECONDS") or 1)
SLICES = 4                      # of a measurement; others take turns between

CARDS = 10000
SIZES = (20, 50, 150)           # KB of a feed, as near as "limit" comes
CONNECTIONS = 16
PREFIX = "/feeds/"
FEED = PREFIX + "all.rss?limit={}"
PAGE = PREFIX + "all.rss?before="
PAGE_ENTRIES = 50
PAGES = (int(NEWEST.timestamp()), 2000 * 86400)     # there are older cards

KINDS = {
    "gzip": ("control", "nginx gzip on", "nginx gzip_static"),
    "identity": ("control", "nginx static"),
    "304": ("control", "nginx static"),
}
# The control's are as long as cardfeed's, so that nginx has as much to parse.
URLS = {
    "control": "/control/{name}/{rest}",
    "nginx gzip on": "/gzip/{name}.rss",
    "nginx gzip_static": "/gzip_static/{name}.rss",
    "nginx static": "/static/{name}.rss",
}


# --- nginx ------------------------------------------------------------------

HTTP = """sendfile on;
    tcp_nopush on;
    open_file_cache max=100 inactive=1h;
    open_file_cache_valid 1h;
    types {{
        application/rss+xml rss;
    }}
    cardfeed_collection news "{dir}/content";"""
SERVER = """location = /status {{ stub_status; }}

        location /feeds/ {{ cardfeed news; }}
        {probe}
        {controls}

        location /static/ {{ alias "{dir}/static/"; }}
        location /gzip_static/ {{ alias "{dir}/static/"; gzip_static on; }}
        location /gzip/ {{
            alias "{dir}/static/";
            gzip on;
            gzip_types application/rss+xml;
        }}"""
PROBE = """location /probe/ {
            cardfeed news;
            add_header X-Status $cardfeed_cache_status;
        }"""


class Nginx(shared.Nginx):
    """With contenders; controls are paths of locations and their files."""

    def __init__(self, directory, port, controls):
        self.asked = 0
        with open(shared.MODULE, "rb") as file:
            self.has_cache = b"cardfeed_cache_status" in file.read()
        super().__init__(
            directory, port, f'load_module "{CONTROL}";',
            HTTP.format(dir=directory),
            SERVER.format(
                dir=directory, probe=PROBE if self.has_cache else "",
                controls="\n        ".join(
                    f"location {path} {{ cardfeed_control "
                    + " ".join(f'"{name}"' for name in files) + "; }"
                    for path, files in controls.items())))

    def requests(self):
        """Handled so far, ours here left out; waits until none is left."""
        def quiet():
            self.asked += 1
            text = self.get("/status").body.decode()
            numbers = [int(n) for n in re.findall(r"\d+", text)]
            return numbers[0] == 1 and numbers[3] - self.asked
        return wait_for(quiet, "the worker is idle")


# --- what is measured -------------------------------------------------------

class Target:
    """A URL and request headers, with what was measured of it by round."""

    def __init__(self, name, path, headers=(), arguments=lambda: ()):
        self.name, self.path, self.headers = name, path, dict(headers)
        self.arguments = arguments
        self.slices, self.runs = [], []

    def get(self, nginx):
        return nginx.get(self.path, self.headers)

    def measure(self, nginx):
        """For a slice of a round; finish() makes a run of the slices."""
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", "-d60s",
                   "-s", os.path.join(ROOT, "bench", "wrk.lua")]
        for header in self.headers.items():
            command += ["-H", "{}: {}".format(*header)]
        command += [f"http://127.0.0.1:{nginx.port}{self.path}", "--",
                    *map(str, self.arguments())]

        count, cpu = nginx.requests(), nginx.cpu()
        output = shared.interrupted(command, SECONDS / SLICES)
        count, cpu = nginx.requests() - count, nginx.cpu() - cpu

        if output is None:
            return self.measure(nginx)
        run = json.loads(output.splitlines()[-1])
        if run["errors"] or not count:
            raise Failure(f"{self.name}, {self.path}:\n{output}")
        self.slices.append((run["requests"], run["us"], count, cpu / 1e3,
                            run["p99_us"]))

    def finish(self):
        requests, wall, count, cpu, _ = map(sum, zip(*self.slices))
        p99 = statistics.median(piece[4] for piece in self.slices)
        self.slices = []
        self.runs.append({
            "rate": requests / wall * 1e6,
            "cpu_us": cpu / count,
            "p99_ms": p99 / 1e3,
            "busy": cpu / wall,
        })


class Row:
    """One kind of request: cardfeed, and its contenders."""

    def __init__(self, kind, size, cardfeed, others, note=""):
        self.kind, self.size, self.note = kind, size, note
        self.cardfeed, self.others = cardfeed, others

    def measure(self, nginx):
        """Slices of all in turn, there and back."""
        targets = [self.cardfeed, *self.others]
        for number in range(SLICES):
            for target in targets[::-1 if number % 2 else 1]:
                target.measure(nginx)
        for target in targets:
            target.finish()


def limit_for(nginx, size):
    """The limit with which a feed comes nearest to a size in KB."""
    def distance(limit):
        body = nginx.get(FEED.format(limit)).body
        return abs(len(body) - size * 1024)

    low, high = 1, 500
    while low < high:
        middle = (low + high) // 2
        if distance(middle) < distance(middle + 1):
            high = middle
        else:
            low = middle + 1
    return low


def gzip_of(nginx, path):
    """The gzip response, or None; it may need a moment to be made."""
    for _ in range(20):
        response = nginx.get(path, {"Accept-Encoding": "gzip"})
        if response.encoding() == "gzip":
            return response
        time.sleep(0.02)
    return None


def capture(nginx, directory):
    """Feeds into files; returns names to paths, and the controls."""
    controls = {}
    feeds = {f"{size}": FEED.format(limit_for(nginx, size)) for size in SIZES}
    feeds["page"] = FEED.format(PAGE_ENTRIES)

    for name, path in feeds.items():
        base = os.path.join(directory, "static", name)
        identity, compressed = nginx.get(path), gzip_of(nginx, path)
        identity.save(base + ".identity")
        files = [base + ".identity"]
        if compressed:
            compressed.save(base + ".gzip")
            files.append(base + ".gzip")
        with open(base + ".rss", "wb") as file:
            file.write(identity.body)
        with open(base + ".rss.gz", "wb") as file:
            file.write(compressed.body if compressed
                       else gzip.compress(identity.body))
        controls[f"/control/{name}/"] = files
    return feeds, controls


def contender(name, feed, feeds, headers=()):
    rest = feeds[feed].removeprefix(PREFIX)
    return Target(name, URLS[name].format(name=feed, rest=rest), headers)


def hit_rows(nginx, feeds):
    """Rows whose contenders were seen to serve the same."""
    rows = []
    for kind, names in KINDS.items():
        for size in map(str, SIZES):
            headers = {} if kind == "identity" else {"Accept-Encoding": "gzip"}
            cardfeed = Target("cardfeed", feeds[size], headers)
            others = [contender(name, size, feeds, headers) for name in names]
            expected = nginx.get(feeds[size]).body
            for target in [cardfeed, *others]:
                response = target.get(nginx)
                if kind == "304":
                    target.headers["If-None-Match"] = response.header("ETag")
                elif response.text() != expected:
                    raise Failure(f"{target.path} serves other bytes")
            mine = cardfeed.get(nginx)
            note = ""
            if kind == "gzip" and mine.encoding() != "gzip":
                note = "missing: cardfeed does not compress"
            else:
                check(nginx, kind, mine, others)
            text = f"{size} KB"
            if kind == "gzip" and not note:
                text += f" in {len(mine.body) / 1024:.1f}"
            rows.append(Row(kind, text, cardfeed, others, note))
    return rows


def check(nginx, kind, mine, others):
    for target in others:
        response = target.get(nginx)
        if kind == "304" and response.status != 304:
            raise Failure(f"{target.path} does not answer 304")
        if kind == "gzip" and response.encoding() != "gzip":
            raise Failure(f"{target.path} does not compress")
        different = mine.differences(response)
        if target.name == "control" and different:
            raise Failure(f"{kind}: the control's {target.path} differs: "
                          + ", ".join(different))


def miss_row(nginx, feeds):
    def pages():
        pages.start += 1
        return (*PAGES, pages.start * 10**9)
    pages.start = 0

    for back in (0, PAGES[1]):
        page = nginx.get(f"{PAGE}{PAGES[0] - back}.{'0' * 16}")
        if page.body.count(b"<item>") != PAGE_ENTRIES:
            raise Failure(f"a page does not have {PAGE_ENTRIES} entries")
    control = contender("control", "page", feeds)
    size = len(control.get(nginx).body) / 1024
    return Row("miss", f"{PAGE_ENTRIES} entries, {size:.0f} KB",
               Target("cardfeed", PAGE, (), pages), [control])


def check_cache(nginx, feeds):
    """Hits are hits, and misses are misses."""
    if not nginx.has_cache:
        print("bench: a module without a cache: every hit is a miss")
        return

    def status(path):
        return nginx.get(path.replace(PREFIX, "/probe/")).header("X-Status")

    for path in feeds.values():
        first, second = status(path), status(path)
        if second != "HIT":
            raise Failure(f"{path} is {first}, then {second}")
    for number in range(3):
        page = status(f"{PAGE}{PAGES[0]}.{number:016x}")
        if page == "HIT":
            raise Failure("a page of the miss case is a HIT")


# --- all of it --------------------------------------------------------------

def save(rows):
    shared.save("responses", {
        **shared.conditions(), "rounds": ROUNDS, "seconds": SECONDS,
        "connections": CONNECTIONS, "cards": CARDS,
        "rows": [{
            "request": row.kind, "size": row.size, "note": row.note,
            "cardfeed": row.cardfeed.runs,
            "others": {other.name: other.runs for other in row.others},
        } for row in rows]})


def measure(directory):
    for name in ("static", "content"):
        os.mkdir(os.path.join(directory, name))
    make_cards(os.path.join(directory, "content"), CARDS)
    port = shared.free_port()

    with Nginx(directory, port, {}) as nginx:
        feeds, controls = capture(nginx, directory)

    with Nginx(directory, port, controls) as nginx:
        check_cache(nginx, feeds)
        rows = hit_rows(nginx, feeds) + [miss_row(nginx, feeds)]
        for number in range(ROUNDS):
            print(f"bench: round {number + 1} of {ROUNDS}", file=sys.stderr)
            for row in rows:
                if not row.note:
                    row.measure(nginx)

    shared.check_log(nginx.log)
    save(rows)


def run():
    with shared.workplace() as directory:
        measure(directory)
