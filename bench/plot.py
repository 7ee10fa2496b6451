"""Plots for docs/performance.md, of what was saved in build/bench/."""

import statistics

from places import percentile
from svg import Panel, Picture
from tables import median, number

THOUSAND = 1000


def label(result):
    return "of 3 KB" if result["kind"] == "small" else ""


def by_count(results, *names):
    """Generated cards of growing number, of which that was measured."""
    return sorted((result for result in results
                   if result["kind"] in ("real", "small")
                   and all(result.get(name) for name in names)),
                  key=lambda result: result["cards"])


def columns(panel, results):
    panel.counts([result["cards"] for result in results],
                 [label(result) for result in results])


# --- scale ------------------------------------------------------------------

def fresh_points(results):
    """{name: (series, [(count, ms)])}, from above to below."""
    return {
        "Hugo": ("s3", [
            (result["cards"],
             statistics.median(result["hugo"]["seconds"]) * 1e3)
            for result in results if "hugo" in result]),
        "p99": ("s2", [(result["cards"],
                        percentile(result["fresh"]["ms"], 0.99))
                       for result in results]),
        "median": ("s1", [(result["cards"],
                           statistics.median(result["fresh"]["ms"]))
                          for result in results]),
    }


def change(results):
    """From a change to a response that shows it."""
    results = by_count(results, "fresh")
    if not results:
        return None
    lines = fresh_points(results)
    ends = ", ".join(f"{name} {number(points[-1][1])} ms at "
                     f"{points[-1][0]:,} cards"
                     for name, (_, points) in lines.items() if points)
    picture = Picture(
        "From a changed card to a feed that shows it",
        f"Milliseconds by the number of cards, both logarithmic: {ends}.", 400)
    picture.key([("s1", "cardfeed, median of 200"), ("s2", "cardfeed, p99"),
                 ("s3", "Hugo builds all feeds again"),
                 ("aim", "asked")])
    aims = {result["cards"]: (10, 50) if result["kind"] == "small"
            else (5, 25) for result in results}
    panel = Panel(picture, 70, 690, "milliseconds", [
        value for _, points in lines.values() for _, value in points]
        + [value for pair in aims.values() for value in pair], log=True)
    columns(panel, results)
    for count, pair in aims.items():
        for value, series in zip(pair, ("s1", "s2")):
            panel.aim(count, value, series)
    for name, (series, points) in lines.items():
        if points:
            panel.series(points, series)
            x, y = points[-1]
            text = f"{name}: {number(y / 1e3)} s" if y >= 1e3 \
                else f"{name}: {number(y)} ms"
            if series == "s3" and x != results[-1]["cards"]:
                picture.text(panel.x(x) + 10, panel.y(y) + 4, text, series)
            else:
                panel.name((x, y), text, series)
    return picture


def scan_panel(picture, results):
    lines = {"s1": [], "s2": [], "s3": []}
    aims = []
    for result in results:
        count, size = result["cards"], result["bytes"] / 1e6
        yaml = result["parse"]["yaml"]["mb_per_s"]
        lines["s3"].append((count, yaml))
        for series, threads in (("s1", "1"), ("s2", "2")):
            took = median(result["scans"][threads], "seconds")
            lines[series].append((count, size / took))
        if result["kind"] == "real":
            aims.append((count, yaml * 3))
    panel = Panel(
        picture, 70, 395, "a first scan, MB/s",
        [value for points in [*lines.values(), aims] for _, value in points],
        key=[("s1", "1 thread"), ("s2", "2 threads"), ("s3", "libyaml alone"),
             ("aim", "asked of 1")])
    columns(panel, results)
    for count, value in aims:
        panel.aim(count, value, "s1")
    for series, points in lines.items():
        # Small cards are another matter, and not joined.
        panel.series(points[:len(aims)], series)
        panel.series(points[len(aims):], series)


def restart_panel(picture, results):
    """Returns the last points."""
    lines = [(series, asked, [(result["cards"],
                               median(result["restarts"], what))
                              for result in results])
             for series, asked, what in (("s5", 5, "reconciled_s"),
                                         ("s6", 0.2, "first_s"))]
    panel = Panel(
        picture, 475, 780, "a restart with an index, s",
        [value for _, asked, points in lines
         for value in [asked, *(value for _, value in points)]], True,
        [("s5", "all reconciled"), ("s6", "first answer"), ("aim", "asked")])
    columns(panel, results)
    for series, asked, points in lines:
        panel.aim(points[-1][0], asked, series)
        panel.series(points, series)
    return [points[-1] for _, _, points in lines]


def scan(results):
    """A first scan, and one of what is known already."""
    results = by_count(results, "parse", "scans", "restarts")
    if not results:
        return None
    picture = Picture("Scans by the number of cards", "", 410)
    scan_panel(picture, results)
    last, answer = restart_panel(picture, results)
    result = results[-1]
    rates = [number(result["bytes"] / 1e6 / median(result["scans"][name],
                                                   "seconds"))
             for name in ("1", "2")]
    picture.description = (
        f"At {result['cards']:,} cards a first scan does {rates[0]} MB/s with "
        f"one parser thread and {rates[1]} with two, libyaml alone "
        f"{number(result['parse']['yaml']['mb_per_s'])}; a restart answers "
        f"after {number(answer[1])} s and has compared all files after "
        f"{number(last[1])} s.")
    return picture


def hits(results):
    """Beside a scan and without one."""
    results = by_count(results, "hits")
    if not results:
        return None
    picture = Picture("Hits while all cards are being scanned", "; ".join(
        f"{result['cards']:,} cards: " + ", ".join(
            f"{number(median(result['hits'][name], 'rate'))} req/s and p99 "
            f"{number(median(result['hits'][name], 'p99_ms'))} ms {when}"
            for name, when in (("during", "beside the scan"),
                               ("after", "when idle")))
        for result in results) + ".")
    picture.key([("s4", "idle"), ("s1", "beside a scan"), ("aim", "asked")])
    panels = (("requests a second", "rate", 70, 395, THOUSAND, "k"),
              ("p99, ms", "p99_ms", 475, 780, 1, ""))
    for title, what, left, right, unit, mark in panels:
        groups = []
        for result in results:
            idle, beside = (median(result["hits"][name], what)
                            for name in ("after", "during"))
            groups.append((f"{result['cards']:,}", "cards",
                           [("s4", idle), ("s1", beside)],
                           idle * 0.9 if what == "rate" else 5))
        panel = Panel(picture, left, right, title, [
            value * 1.04 for _, _, bars, aim in groups
            for value in [aim, *(value for _, value in bars)]])
        panel.groups(groups, lambda value, unit=unit, mark=mark:
                     number(value / unit) + mark)
    return picture


def of_scale(results):
    """{name: picture} of those that there is something for."""
    pictures = {"change": change(results), "scan": scan(results),
                "hits": hits(results)}
    return {name: picture for name, picture in pictures.items() if picture}


# --- responses --------------------------------------------------------------

CONTENDERS = {"control": "s4", "nginx gzip_static": "s2",
              "nginx static": "s2", "nginx gzip on": "s3"}


def of_responses(about):
    wanted = {"gzip": "with gzip", "identity": "as it is"}
    rows = [row for row in about["rows"]
            if row["request"] in wanted and not row["note"]]
    picture = Picture(
        "Hits, requests a second of one worker", "; ".join(
            f"{row['request']}, {row['size']}: " + ", ".join(
                f"{name} {number(median(runs, 'rate'))}"
                for name, runs in [("cardfeed", row["cardfeed"]),
                                   *row["others"].items()])
            for row in rows) + ".", 380)
    picture.key([("s1", "cardfeed"), ("s4", "the same from constant memory"),
                 ("s2", "nginx: a file (gzip_static)"),
                 ("s3", "nginx: gzip on")])
    highest = [median(runs, "rate") * 1.04 for row in rows
               for runs in [row["cardfeed"], *row["others"].values()]]
    for (kind, title), (left, right) in zip(wanted.items(),
                                            ((62, 440), (510, 796))):
        groups = []
        for row in rows:
            if row["request"] == kind:
                size, _, packed = row["size"].partition(" in ")
                others = {CONTENDERS[name]: median(runs, "rate")
                          for name, runs in row["others"].items()}
                groups.append((size, packed and f"{packed} KB sent", [
                    ("s1", median(row["cardfeed"], "rate")),
                    *((series, others[series])
                      for series in ("s4", "s2", "s3")
                      if series in others)], None))
        if groups:
            panel = Panel(picture, left, right, title, highest)
            panel.groups(groups, lambda value: f"{value / THOUSAND:.0f}k")
    return {"responses": picture}
