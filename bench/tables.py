"""Tables for docs/performance.md, of what was saved in build/bench/."""

import statistics

from places import percentile

BUSY = 0.9                      # of a worker that is the bottleneck

# (kind of hit, contender): at least so many times as good.
ASKED = {
    ("gzip", "control"): 0.95,
    ("identity", "control"): 0.95,
    ("304", "control"): 0.95,
    ("gzip", "nginx gzip on"): 8,
}
MISS_ASKED = 300                # µs of CPU, at most
KINDS = ("real", "small", "corpus", "plain")


def median(runs, what):
    return statistics.median(run[what] for run in runs)


def number(value):
    """Of three digits, where that is more than a whole number."""
    if value >= 1000:
        return f"{value:,.0f}"
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:.{digits}f}"


# --- responses --------------------------------------------------------------

def rate(runs):
    """With a mark where it was wrk that could not do more."""
    return f"{median(runs, 'rate'):.0f}" + (
        "\\*" if median(runs, "busy") < BUSY else "")


def ratios(row, other, what):
    """By round, how many times as good as the other cardfeed is."""
    pairs = [(mine[what], its[what])
             for mine, its in zip(row["cardfeed"], row["others"][other])]
    return [mine / its if what == "rate" else its / mine
            for mine, its in pairs]


def ratio(values):
    """Median, and the quartiles around it."""
    digits = 1 if statistics.median(values) >= 10 else 2
    if len(values) == 1:
        return f"{values[0]:.{digits}f}"
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{middle:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


def verdict(row, other):
    """Against what is asked, by requests a second and by CPU."""
    kind = row["request"]
    if kind == "miss":
        met = [median(row["cardfeed"], "cpu_us") <= MISS_ASKED]
        text = f"at most {MISS_ASKED} µs"
    elif (kind, other) in ASKED:
        asked = ASKED[kind, other]
        met = [statistics.median(ratios(row, other, what)) >= asked
               for what in ("rate", "cpu_us")]
        text = f"{asked}"
    else:
        return ""
    if len(set(met)) == 1:
        return f"{text}: {'yes' if met[0] else '**no**'}"
    return f"{text}: {'by req/s' if met[0] else 'by CPU'} only"


def responses(about):
    lines = [
        f"{about['date']}, commit {about['commit']}, {about['cpus']} × "
        f"{about['processor']}; rounds: {about['rounds']} of "
        f"{about['seconds']:g} s, {about['connections']} connections, "
        f"{about['cards']:,} cards.", "",
        "| request | against | req/s | CPU µs | p99 ms | its req/s "
        "| its CPU µs | × req/s | × CPU | asked |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|---|",
    ]
    for row in about["rows"]:
        name = f"{row['request']} {row['size']}"
        if row["note"]:
            lines.append(f"| {name} | {row['note']} |" + " |" * 8)
            continue
        mine = row["cardfeed"]
        for other, its in row["others"].items():
            lines.append("| " + " | ".join((
                name, other,
                rate(mine), f"{median(mine, 'cpu_us'):.1f}",
                f"{median(mine, 'p99_ms'):.2f}",
                rate(its), f"{median(its, 'cpu_us'):.1f}",
                ratio(ratios(row, other, "rate")),
                ratio(ratios(row, other, "cpu_us")),
                verdict(row, other))) + " |")
    return "\n".join(lines) + "\n"


# --- scale ------------------------------------------------------------------

class Table:
    """A column for each place, and what is asked beside."""

    def __init__(self, title):
        self.title = title
        self.names, self.asked, self.columns = [], {}, []

    def column(self, heading):
        self.columns.append((heading, {}))

    def add(self, name, text, asked="", met=None):
        """met: None where nothing is asked of this one."""
        if name not in self.asked:
            self.names.append(name)
            self.asked[name] = ""
        self.asked[name] = self.asked[name] or asked
        self.columns[-1][1][name] = text + (
            "" if met is None else ": yes" if met else ": **no**")

    def least(self, name, value, bound=None, asked=None, applies=True):
        self.add(name, number(value),
                 asked or (f"at least {bound}" if bound else ""),
                 value >= bound if bound and applies else None)

    def most(self, name, value, bound=None, asked=None, applies=True):
        self.add(name, number(value),
                 asked or (f"at most {bound}" if bound else ""),
                 value <= bound if bound and applies else None)

    def text(self):
        columns = [column for column in self.columns if column[1]]
        if not columns:
            return ""
        asked = any(self.asked.values())
        lines = [f"### {self.title}\n",
                 "| | " + ("asked | " if asked else "")
                 + " | ".join(heading for heading, _ in columns) + " |",
                 "|---|" + ("---|" if asked else "") + "--:|" * len(columns)]
        for name in self.names:
            cells = [cells.get(name, "–") for _, cells in columns]
            lines.append(f"| {name} | " + (
                f"{self.asked[name]} | " if asked else "")
                + " | ".join(cells) + " |")
        return "\n".join(lines) + "\n"


def heading(result):
    return {"real": "{:,}", "small": "{:,} of 3 KB", "plain": "{:,} plain",
            "corpus": "{:,} of a site"}[result["kind"]].format(result["cards"])


def ordered(results):
    return sorted(results, key=lambda result: (KINDS.index(result["kind"]),
                                               result["cards"]))


def card_rows(table, result):
    table.most("KB: median", result["median"] / 1000)
    table.most("KB: mean", result["mean"] / 1000)
    table.most("KB: 90th percentile", result["p90"] / 1000)
    table.most("MB together", result["bytes"] / 1e6)
    topics = result.get("topics")
    if topics:
        table.add("topics", f"{topics['all']:,}")
        table.add("of them on all cards", f"{topics['everywhere']}")
        table.add("cards of the median topic", f"{topics['median']:,.0f}")
    table.add("measured", result["date"])
    table.add("commit", result["commit"])


def scan_rows(table, result):
    cards, size = result["cards"], result["bytes"] / 1e6
    yaml = result.get("parse", {}).get("yaml")
    if yaml:
        table.least("libyaml's events alone, MB/s of CPU",
                    1 / yaml["cpu_s_per_mb"])
    for threads, runs in result.get("scans", {}).items():
        if result["kind"] == "plain":
            continue
        took, cpu = median(runs, "seconds"), median(runs, "cpu_s")
        name = f"threads={threads}: "
        table.least(name + "s", took)
        table.least(name + "cards/s", cards / took)
        table.least(name + "MB/s", size / took)
        table.least(name + "cores it got", cpu / took)
        if threads == "1" and yaml:
            asked = "at least 3, of real sizes"
            real = result["kind"] == "real"
            table.least(name + "× libyaml, time",
                        size / yaml["mb_per_s"] / took, 3, asked, real)
            table.least(name + "× libyaml, CPU",
                        yaml["cpu_s_per_mb"] * size / cpu, 3, asked, real)


def parse_rows(table, result):
    if "parse" not in result:
        return
    yaml, one, two = (result["parse"][name] for name in ("yaml", "one", "two"))
    table.least("one thread: MB/s", one["mb_per_s"])
    table.least("one thread: × libyaml, CPU",
                yaml["cpu_s_per_mb"] / one["cpu_s_per_mb"])
    table.least("two threads: × one, time", two["mb_per_s"] / one["mb_per_s"],
                1.8)
    table.least("two threads: × one, CPU",
                2 * one["cpu_s_per_mb"] / two["cpu_s_per_mb"])
    table.least("two threads: cores they got", two["cores"])


def change_rows(table, result):
    if "fresh" not in result:
        return
    small = result["kind"] == "small"
    fresh = result["fresh"]
    table.most("first response that shows it, ms: median",
               statistics.median(fresh["ms"]), 10 if small else 5,
               "at most 5, of a million 10")
    table.most("ms: p99", percentile(fresh["ms"], 0.99), 50 if small else 25,
               "at most 25, of a million 50")
    table.most("without the longest wait for a core, ms: median",
               statistics.median(fresh["alone_ms"]))
    table.most("without it, ms: p99", percentile(fresh["alone_ms"], 0.99))
    everywhere = statistics.median(fresh["everywhere_ms"])
    table.most("all its feeds were asked and show it, ms: median", everywhere)
    if "hugo" in result:
        build = statistics.median(result["hugo"]["seconds"])
        table.add("Hugo: feeds", f"{result['hugo']['feeds']:,}")
        table.least("Hugo: their rebuild, s", build)
        table.least("Hugo's rebuild ÷ all its feeds",
                    build / everywhere * 1e3, 300, "at least 300, of 10,000",
                    result["cards"] == 10_000)


def restart_rows(table, result):
    runs = result.get("restarts")
    if not runs:
        return
    table.most("first answer, ms", median(runs, "first_s") * 1e3, 200)
    table.most("all cards reconciled, s", median(runs, "reconciled_s"), 5)


def hit_rows(table, result):
    both = result.get("hits")
    if not both:
        return
    during, after = both["during"], both["after"]
    table.most("p99, ms", median(during, "p99_ms"), 5)
    table.most("the same when idle", median(after, "p99_ms"))
    table.most("req/s", median(during, "rate"))
    table.most("the same when idle: req/s", median(after, "rate"))
    table.least("× idle, req/s", median(during, "rate")
                / median(after, "rate"), 0.9)
    table.least("× idle, CPU", median(after, "cpu_us")
                / median(during, "cpu_us"))
    table.most("the scan beside them, s", both["scan_s"])
    table.add("slices of a second", str(len(during)))


def index_rows(table, result):
    runs = [run for runs in result.get("scans", {}).values() for run in runs
            if "index" in run]
    if not runs:
        return
    index, count = runs[-1]["index"], result["cards"] * 1024
    plain = result["kind"] == "plain"
    table.most("the file", index["file"] / count, 1.5 if plain else 3,
               "at most 1.5 plain, 3 with large records",
               result["kind"] in ("plain", "real"))
    table.most("pages on the disk", index["disk"] / count)
    table.most("pages in use", index["used"] / count)
    for name, size in index["tables"].items():
        if size / index["used"] >= 0.01:
            table.most(f"of them `{name}`", size / count)


def rest_rows(table, result):
    if "restarts" in result and "scans" in result:
        last = result["scans"]["2"][-1]
        table.most("MB after the first scan: own", last["RssAnon"])
        table.most("MB after the first scan: of files", last["RssFile"])
        runs = result["restarts"]
        table.most("MB after a restart: own", median(runs, "RssAnon"))
        table.most("MB after a restart: of files", median(runs, "RssFile"))
    idle = result.get("idle")
    if idle:
        table.add("idle: wake-ups", f"{idle['switches']} in "
                  f"{idle['seconds']} s", "none", not idle["switches"])
        table.add("idle: CPU ms", f"{idle['cpu_ms']:.1f}", "none",
                  not idle["cpu_ms"])


TABLES = {
    "cards": ("The cards", card_rows),
    "scan": ("A first scan", scan_rows),
    "parse": ("Parsing alone, from memory", parse_rows),
    "change": ("A changed card", change_rows),
    "restart": ("A restart with an index", restart_rows),
    "hits": ("Hits while all cards are being scanned", hit_rows),
    "index": ("The index after a first scan, KB a card", index_rows),
    "rest": ("Memory and rest", rest_rows),
}


def scale(results, picture):
    """picture(name of a table) is what is to be seen below its heading."""
    results = ordered(results)
    machines = dict.fromkeys(f"{result['cpus']} × {result['processor']}"
                             for result in results)
    failed = [f"{heading(result)}, {name}: {why}." for result in results
              for name, why in result["failed"].items()]
    parts = [", ".join(machines) + ".\n", *(
        f"Failed: {line}\n" for line in failed)]
    for name, (title, rows) in TABLES.items():
        table = Table(title)
        for result in results:
            table.column(heading(result))
            rows(table, result)
        text = table.text()
        if text:
            head, _, body = text.partition("\n\n")
            parts.append("\n\n".join(filter(None, (
                head, picture(name), body))))
    return "\n".join(parts)
