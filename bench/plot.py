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
        "Hugo’s rebuild": ("s3", [
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
                 ("s3", "Hugo builds its feeds again"),
                 ("aim", "asked of median and p99")])
    aims = {result["cards"]: (10, 50) if result["kind"] == "small"
            else (5, 25) for result in results}
    panel = Panel(picture, 70, 690, "milliseconds", [
        value for _, points in lines.values() for _, value in points]
        + [value for pair in aims.values() for value in pair], log=True)
    columns(panel, results)
    for count, pair in aims.items():
        for value in pair:
            panel.aim(count, value)
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
        for series, threads in (("s1", "1"), ("s2", "2")):
            took = median(result["scans"][threads], "seconds")
            lines[series].append((count, size / took))
        yaml = result["parse"]["yaml"]["mb_per_s"]
        lines["s3"].append((count, yaml))
        if result["kind"] == "real":
            aims.append((count, yaml * 3))
    panel = Panel(picture, 70, 395, "first scan, MB/s", [
        value for points in [*lines.values(), aims] for _, value in points])
    columns(panel, results)
    for count, value in aims:
        panel.aim(count, value)
    for series, points in lines.items():
        panel.series(points, series)


def reconcile_panel(picture, results):
    points = [(result["cards"], median(result["restarts"], "reconciled_s"))
              for result in results]
    answers = [(result["cards"], median(result["restarts"], "first_s"))
               for result in results]
    panel = Panel(picture, 475, 780, "restart with an index, s", [
        value for _, value in points + answers] + [5], log=True)
    columns(panel, results)
    panel.aim(points[-1][0], 5)
    panel.aim(points[-1][0], 0.2)
    panel.series(points, "s5")
    panel.series(answers, "s4")
    return points[-1], answers[-1]


def scan(results):
    """A first scan, and one of what is known already."""
    results = by_count(results, "parse", "scans", "restarts")
    if not results:
        return None
    picture = Picture("Scans by the number of cards", "", 410)
    picture.key([("s1", "one parser thread"), ("s2", "two"),
                 ("s3", "libyaml’s events alone, from memory"),
                 ("aim", "asked")])
    picture.key([("s4", "restart: first answer"),
                 ("s5", "restart: all cards reconciled")], 74)
    scan_panel(picture, results)
    last, answer = reconcile_panel(picture, results)
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
        groups = [(f"{result['cards']:,}", "cards", [
            ("s4", median(result["hits"]["after"], what)),
            ("s1", median(result["hits"]["during"], what))])
            for result in results]
        highest = [value * 1.04 for _, _, bars in groups for _, value in bars]
        panel = Panel(picture, left, right, title,
                      highest + ([] if what == "rate" else [5.2]))
        panel.groups(groups, lambda value, unit=unit, mark=mark:
                     number(value / unit) + mark)
        for place, (_, _, bars) in enumerate(groups):
            panel.across(bars[0][1] * 0.9 if what == "rate" else 5, place,
                         len(groups))
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
                 ("s2", "nginx: file, compressed before"),
                 ("s3", "nginx: gzip on")])
    highest = [median(runs, "rate") * 1.04 for row in rows
               for runs in [row["cardfeed"], *row["others"].values()]]
    for (kind, title), (left, right) in zip(wanted.items(),
                                            ((62, 440), (510, 796))):
        groups = []
        for row in rows:
            if row["request"] == kind:
                size, _, packed = row["size"].partition(" in ")
                groups.append((size, packed and f"{packed} KB sent", [
                    ("s1", median(row["cardfeed"], "rate")),
                    *((CONTENDERS[name], median(runs, "rate"))
                      for name, runs in row["others"].items())]))
        if groups:
            panel = Panel(picture, left, right, title, highest)
            panel.groups(groups, lambda value: f"{value / THOUSAND:.0f}k")
    return {"responses": picture}
