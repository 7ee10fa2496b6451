"""Measures what may grow with the number of cards.

Makes directories of cards, lets an nginx with one worker index them, and
watches it.  What was measured of a place is saved after each step, so that a
run that is stopped, or fails in one of them, leaves the rest.
"""

import glob
import json
import os
import random
import re
import shutil
import socket
import statistics
import subprocess
import time
import traceback

import hugo
import nginx as shared
import places
from cards import topics_in
from nginx import BUILD, ROOT, Failure, say, wait_for

PARSE = os.path.join(BUILD, "parse")
CHEAP = 10_000                  # up to here Hugo runs
SAMPLE = 20_000                 # cards parsed from memory, at most
PARSE_ROUNDS = 5
REPEATED = 3                    # first scans, of cards of real sizes
MOVES = 200
EVERYWHERE = 30                 # moves that are looked for in all their feeds
RESTARTS = 5
QUIET = 4                       # seconds: what comes after a change is over
SETTLING = 60                   # seconds, at most
IDLE = 10                       # seconds
ATTEMPTS = 5
SLICES = 10                     # of hits, of one second each
CONNECTIONS = 16
HOURS = 3600                    # for what must not take that long
FEED = "/feeds/all.rss?limit=20"
FRESH = "/feeds/all.atom?limit=3"

HTTP = """cardfeed_collection news "{dir}/content" threads={threads};
    {again}"""
AGAIN = """cardfeed_collection again "{dir}/content";"""
SERVER = """location /feeds/ { cardfeed news; }"""
NOTICE = (r'collection "{}" is (?:ready|reconciled): (\d+) cards in feeds, '
          r'(\d+) topics, .* (\d+) rejected, .*'
          r'parsed (\d+) of (\d+) files in ([\d.]+) s')


def waited(task):
    """Seconds that a thread was ready to run and another one ran."""
    with open(task + "/schedstat") as file:
        return int(file.read().split()[1]) / 1e9


class Server(shared.Nginx):
    """Entered as soon as it listens; the index may not be ready."""

    def __init__(self, place, threads=2, again=False):
        log = os.path.join(place.directory, "error.log")
        self.mark = os.path.getsize(log) if os.path.exists(log) else 0
        super().__init__(place.directory, place.port, http=HTTP.format(
            dir=place.directory, threads=threads,
            again=AGAIN.format(dir=place.directory) if again else ""),
            server=SERVER)

    def wait(self):
        wait_for(lambda: self.try_get("/pid"), "nginx listens", pause=0.001)

    def notice(self, name="news"):
        """That a scan is done: cards, topics, rejected, parsed, files, s."""
        with open(self.log, encoding="utf-8") as file:
            file.seek(self.mark)
            return re.search(NOTICE.format(name), file.read())

    def scanned(self, name="news", pause=0.01):
        """The same, once it is; the seconds are the indexer's own."""
        values = wait_for(lambda: self.notice(name), "the scan is done",
                          HOURS, pause).groups()
        return dict(zip(("cards", "topics", "rejected", "parsed", "files"),
                        map(int, values)), seconds=float(values[-1]))

    def since_start(self):
        return time.monotonic() - self.started

    def threads(self):
        return glob.glob(f"/proc/{self.worker}/task/*")

    def memory(self):
        """RssAnon, RssFile in MB."""
        with open(f"/proc/{self.worker}/status") as file:
            text = file.read()
        return {key: int(re.search(key + r":\s+(\d+)", text).group(1)) / 1024
                for key in ("RssAnon", "RssFile")}

    def loop_cpu(self):
        """Nanoseconds of the thread that answers."""
        with open(f"/proc/{self.worker}/task/{self.worker}/schedstat") as file:
            return int(file.read().split()[0])

    def waited(self):
        """Seconds that each of its threads waited for a core."""
        return {name: waited(name) for name in self.threads()}

    def switches(self):
        count = 0
        for name in self.threads():
            with open(name + "/status") as file:
                count += sum(map(int, re.findall(
                    r"voluntary_ctxt_switches:\s+(\d+)", file.read())))
        return count


# --- what is measured -------------------------------------------------------

def parse(place):
    """From memory: libyaml's events, the module's parser."""
    paths = "\n".join(place.sample(SAMPLE))
    results = {}
    for name, what, threads in (("yaml", "yaml", 1), ("one", "cards", 1),
                                ("two", "cards", 2)):
        output = subprocess.run([PARSE, what, str(threads), str(PARSE_ROUNDS)],
                                input=paths, stdout=subprocess.PIPE,
                                text=True, check=True).stdout
        runs = [json.loads(line) for line in output.splitlines()]
        if any(run["errors"] for run in runs):
            raise Failure("cards are rejected")
        results[name] = {
            "cpu_s_per_mb": statistics.median(
                run["cpu"] / run["bytes"] * 1e6 for run in runs),
            "mb_per_s": statistics.median(
                run["bytes"] / run["wall"] / 1e6 for run in runs),
            "cores": statistics.median(
                run["cpu"] / run["wall"] for run in runs)}
    return results


def scan(place, threads):
    """A first one; the index stays."""
    shutil.rmtree(place.index, ignore_errors=True)
    with Server(place, threads) as nginx:
        result = nginx.scanned(pause=0.02)
        result["cpu_s"] = nginx.cpu() / 1e9
        result.update(nginx.memory())
    if result["rejected"] or result["cards"] != place.count \
            and place.kind != "corpus":
        raise Failure(f"{result['cards']} cards are in feeds, "
                      f"{result['rejected']} rejected")
    result["index"] = index(place)
    return result


def index(place):
    """Bytes of the file, on the disk, and of pages in use; by table."""
    [path] = glob.glob(place.index + "/news/**/data.mdb", recursive=True)
    text = subprocess.run(["mdb_stat", "-efa", os.path.dirname(path)],
                          stdout=subprocess.PIPE, text=True, check=True).stdout

    def figure(name, text=text):
        return int(re.search(name + r": (\d+)", text).group(1))

    page = figure("Page size")
    tables = dict(re.findall(r"^Status of (.+)\n((?:  .*\n)+)", text, re.M))
    status = os.stat(path)
    return {"file": status.st_size, "disk": status.st_blocks * 512,
            "used": page * (figure("Number of pages used")
                            - figure("Free pages")),
            "tables": {name: page * sum(
                figure(kind + " pages", pages)
                for kind in ("Branch", "Leaf", "Overflow"))
                for name, pages in tables.items()
                if name not in ("Main DB", "Freelist")}}


def scans(place):
    results = {"1": [], "2": []}
    for _ in range(1 if place.kind == "small" else REPEATED):
        for threads, runs in results.items():
            runs.append(scan(place, int(threads)))
    return results


class Connection:
    """One that is kept, and asks without much ado."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 30)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def get(self, path):
        """The body; None where the status is not 200."""
        self.socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        data = b""
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self.receive()
        length = int(re.search(rb"(?i)content-length: (\d+)", data).group(1))
        while len(data) < end + 4 + length:
            data += self.receive()
        return data[end + 4:] if data.startswith(b"HTTP/1.1 200 ") else None

    def receive(self):
        data = self.socket.recv(65536)
        if not data:
            raise Failure("nginx closes a connection")
        return data


class Moves:
    """Cards beside the content, to be moved into it, newer than all there."""

    def __init__(self, place):
        self.rng = random.Random(1)
        self.prepared = os.path.join(place.directory, "prepared")
        os.mkdir(self.prepared)
        self.moves = [self.prepare(place, number)
                      for number in range(1, MOVES + EVERYWHERE + 1)]
        time.sleep(1)

    def prepare(self, place, number):
        """Source, target, title, slugs of topics."""
        text, target = place.another(number)
        title = f"Moved {number} of {MOVES + EVERYWHERE}"
        source = os.path.join(self.prepared, f"{number}.md")
        with open(source, "w", encoding="utf-8") as file:
            file.write(re.sub('title: ".*?"', f'title: "{title}"', text, 1))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        return source, target, title.encode(), [
            topic.lower().replace(" ", "-") for topic in topics_in(text)]

    def wait(self):
        time.sleep(self.rng.uniform(0.005, 0.05))

    def undo(self):
        for _, target, _, _ in self.moves:
            os.unlink(target)
        shutil.rmtree(self.prepared)


def until_shown(connection, path, title, began):
    while title not in (connection.get(path) or b""):
        if time.monotonic() - began > 30:
            raise Failure(f"{path} does not show {title.decode()}")


def first_shown(nginx, moves):
    """Milliseconds from a rename to the first response that shows the card.

    And without the longest wait of one of the threads for a core: what others
    do on the machine takes at least that of it.
    """
    def waits():
        return {**nginx.waited(), "": waited("/proc/self")}

    took, alone = [], []
    with Connection(nginx.port) as connection:
        connection.get(FRESH)
        for source, target, title, _ in moves.moves[:MOVES]:
            moves.wait()
            before, began = waits(), time.monotonic()
            os.rename(source, target)
            until_shown(connection, FRESH, title, began)
            ms = (time.monotonic() - began) * 1e3
            took.append(round(ms, 3))
            longest = max(value - before.get(name, value)
                          for name, value in waits().items())
            alone.append(round(max(ms - longest * 1e3, 0), 3))
    return {"ms": took, "alone_ms": alone}


def everywhere_shown(nginx, moves):
    """Milliseconds until all feeds of the card have been seen to show it."""
    took = []
    with Connection(nginx.port) as connection:
        for source, target, title, slugs in moves.moves[MOVES:]:
            moves.wait()
            began = time.monotonic()
            os.rename(source, target)
            for slug in ["all", *slugs]:
                until_shown(connection, f"/feeds/{slug}.rss", title, began)
            took.append(round((time.monotonic() - began) * 1e3, 3))
        moves.undo()
        wait_for(lambda: b"Moved" not in connection.get(FRESH),
                 "cards are gone")
    return took


def fresh(place):
    with Server(place) as nginx:
        nginx.scanned()
        moves = Moves(place)
        result = first_shown(nginx, moves)
        result["everywhere_ms"] = everywhere_shown(nginx, moves)
    return result


def settle(nginx):
    """Waits until it has been quiet for a while; not for ever."""
    count, since = nginx.switches(), time.monotonic()
    end = since + SETTLING
    while time.monotonic() < min(since + QUIET, end):
        time.sleep(0.1)
        if nginx.switches() != count:
            count, since = nginx.switches(), time.monotonic()


def idle(place):
    """Wake-ups and CPU of all threads while nothing happens.

    Of a card younger than two seconds the signature is looked at again 2.1 s
    after it was taken; a second after a change the index is synced.  What
    others do in a directory above the content is no rest, and taken again.
    """
    def above(path=place.content):
        while path != (path := os.path.dirname(path)):
            yield os.stat(path).st_mtime_ns

    with Server(place) as nginx:
        nginx.scanned()
        for attempt in range(ATTEMPTS):
            settle(nginx)
            before = list(above())
            switches, cpu = nginx.switches(), nginx.cpu()
            time.sleep(IDLE)
            result = {"seconds": IDLE, "attempt": attempt + 1,
                      "switches": nginx.switches() - switches,
                      "cpu_ms": (nginx.cpu() - cpu) / 1e6}
            if before == list(above()):
                return result
        raise Failure("others work in a directory above the cards")


def restarts(place):
    """With the index; what is in memory of the last one too."""
    runs = []

    def answers():
        try:
            with Connection(place.port) as connection:
                return connection.get(FEED)
        except OSError:
            return None

    for _ in range(REPEATED if place.kind == "small" else RESTARTS):
        nginx = Server(place)
        try:
            wait_for(answers, "an answer", pause=0.0005)
            run = {"first_s": nginx.since_start()}
            run["reconciling_s"] = nginx.scanned(pause=0.002)["seconds"]
            run["reconciled_s"] = nginx.since_start()
            nginx.worker = int(nginx.get("/pid").body)
            run.update(nginx.memory())
            runs.append(run)
        finally:
            nginx.__exit__()
    return runs


def hits(nginx):
    """A second of them."""
    cpu = nginx.loop_cpu()
    output = shared.interrupted(
        ["wrk", "-t1", f"-c{CONNECTIONS}", "-d60s",
         "-s", os.path.join(ROOT, "bench", "wrk.lua"),
         "-H", "Accept-Encoding: gzip",
         f"http://127.0.0.1:{nginx.port}{FEED}"], 1)
    if output is None:
        return hits(nginx)
    run = json.loads(output.splitlines()[-1])
    if run["errors"]:
        raise Failure(output)
    return {"rate": run["requests"] / run["us"] * 1e6,
            "p99_ms": run["p99_us"] / 1e3,
            "cpu_us": (nginx.loop_cpu() - cpu) / 1e3 / run["requests"]}


def hits_beside_scan(place):
    """And when it is done; None where it is before a slice is full."""
    shutil.rmtree(os.path.join(place.index, "again"), ignore_errors=True)
    during, after = [], []
    with Server(place, again=True) as nginx:
        wait_for(lambda: nginx.get(FEED).status == 200, "an answer")
        while len(during) < SLICES:
            run = hits(nginx)
            if nginx.notice("again"):
                break
            during.append(run)
        took = nginx.scanned("again")["seconds"]
        for _ in during:
            after.append(hits(nginx))
    return {"during": during, "after": after, "scan_s": took} \
        if during else None


def rebuilds(place):
    return hugo.measure(place, Server)


# --- all of it --------------------------------------------------------------

def steps(place):
    """Names in the results, and what is measured for them."""
    if place.kind == "plain":
        return {"scans": lambda place: {"2": [scan(place, 2)]}}
    wanted = {"parse": parse, "scans": scans, "restarts": restarts,
              "idle": idle, "fresh": fresh}
    if place.kind == "real":
        wanted["hits"] = hits_beside_scan
        if place.count <= CHEAP:
            wanted["hugo"] = rebuilds
    return wanted


def measure(place, about):
    """Saves it; returns what failed."""
    result = {**place.about, **about, "failed": {}}
    for name, what in steps(place).items():
        say(name)
        try:
            result[name] = what(place)
        except Exception as failure:    # the rest of an hour goes on
            traceback.print_exc()
            shared.show_log(place.directory)
            result["failed"][name] = str(failure) or repr(failure)
        shared.save(f"scale/{place.kind}-{place.about['cards']}", result)
    return result["failed"]


def run(words, parent, done):
    """done() is called when a place was measured; returns if all went well."""
    about = shared.conditions()
    good = True
    for kind, count in places.selected(words):
        if kind == "corpus" and not os.path.isdir(places.CORPUS):
            say("no corpus here")
            continue
        say(f"{kind}, {count:,} cards" if count else kind)
        with shared.workplace(parent) as directory:
            try:
                place = places.place(directory, kind, count)
                good = not measure(place, about) and good
                shared.check_log(os.path.join(directory, "error.log"))
            except (Failure, OSError) as failure:
                say(f"{kind}, {count:,} cards: {failure}")
                good = False
        done()
    return good
