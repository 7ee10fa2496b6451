"""Pictures in SVG: panels with axes, lines, bars and a key.

A picture brings its background and the colours for light and dark pages, for
in an <img> it sees nothing of the page.  Text is text, in the reader's font.
"""

import math
from xml.sax.saxutils import escape

WIDTH = 820
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, Arial, sans-serif"
# Of light and dark pages; series keep their colour in all pictures.
COLOURS = {
    "page": ("#ffffff", "#0d1117"),
    "ink": ("#1f2328", "#e6edf3"),
    "dim": ("#59636e", "#9ba4ae"),
    "grid": ("#e1e5ea", "#262c34"),
    "s1": ("#0a66c2", "#58a6ff"),
    "s2": ("#b35900", "#f0a04b"),
    "s3": ("#6e7781", "#8b949e"),
    "s4": ("#b8bfc7", "#4d5661"),
    "s5": ("#1a7f5a", "#4cc38a"),
    "s6": ("#7a4fc9", "#b392f0"),
}


def style():
    def rules(shade):
        lines = [f"    .{name} {{ fill: {pair[shade]}; }}"
                 for name, pair in COLOURS.items()]
        lines += [f"    .{name}l {{ stroke: {pair[shade]}; }}"
                  for name, pair in COLOURS.items()]
        return "\n".join(lines)

    return (f"  <style>\n    text {{ font: 12px {FONT}; }}\n"
            "    .head { font-size: 15px; font-weight: 600; }\n"
            "    .sub { font-size: 13px; font-weight: 600; }\n"
            "    .line { fill: none; stroke-width: 2.5; "
            "stroke-linejoin: round; }\n"
            "    .hair { fill: none; stroke-width: 1; }\n"
            "    .value { font-size: 11px; paint-order: stroke; "
            "stroke-width: 3px; stroke-linejoin: round; }\n"
            "    .aim { fill: none; stroke-width: 2; "
            "stroke-dasharray: 5 4; }\n"
            f"{rules(0)}\n"
            "    @media (prefers-color-scheme: dark) {\n"
            f"{rules(1)}\n    }}\n  </style>")


def short(value):
    """As at an axis."""
    if value >= 1_000_000:
        return f"{value / 1e6:g}M"
    if value >= 1000:
        return f"{value / 1e3:g}k"
    return f"{value:g}"


def width(text):
    """About, in pixels, of a usual font."""
    return sum(3.9 if letter in "ijltf.,:;|'()1 " else
               10 if letter in "mwMW" else 7.3 for letter in text)


class Scale:
    """From values to points."""

    def __init__(self, low, high, start, end, log=False):
        self.log = log
        self.low, self.high = self.of(low), self.of(high)
        self.start, self.end = start, end

    def of(self, value):
        return math.log10(value) if self.log else value

    def __call__(self, value):
        share = (self.of(value) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


def steps(high):
    """A linear axis' values, from nothing to at least the highest one."""
    step = 10 ** math.floor(math.log10(high))
    step *= next(factor for factor in (0.2, 0.25, 0.5, 1, 2)
                 if high / (step * factor) <= 5)
    return [number * step for number in range(math.ceil(high / step) + 1)]


def decades(low, high):
    """A logarithmic axis' values, around both."""
    values = [factor * 10 ** power
              for power in range(math.floor(math.log10(low)) - 1,
                                 math.ceil(math.log10(high)) + 1)
              for factor in ((1, 2, 5) if high / low < 200 else (1,))]
    return [value for above, value, below in zip(
        values[1:] + [math.inf], values, [0] + values[:-1])
            if above > low and below < high]


class Picture:
    def __init__(self, title, description, height=360):
        self.title, self.description, self.height = title, description, height
        self.parts = []
        self.text(24, 30, title, "ink head")

    def add(self, text):
        self.parts.append("  " + text)

    def text(self, x, y, text, names="dim", anchor="start"):
        self.add(f'<text x="{x:.1f}" y="{y:.1f}" class="{names}"'
                 + (f' text-anchor="{anchor}"' if anchor != "start" else "")
                 + f">{escape(text)}</text>")

    def line(self, points, names):
        path = " L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        self.add(f'<path d="M{path}" class="{names}"/>')

    def dot(self, x, y, series):
        self.add(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" '
                 f'class="{series}"/>')

    def bar(self, x, y, width, height, series):
        self.add(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" '
                 f'height="{height:.1f}" rx="1.5" class="{series}"/>')

    def key(self, entries, y=54, x=24):
        """(series, name); the series "aim" is dashed."""
        for series, name in entries:
            if series == "aim":
                self.line([(x, y - 4), (x + 18, y - 4)], "aim inkl")
            else:
                self.bar(x, y - 9, 10, 10, series)
            x += 24 if series == "aim" else 16
            self.text(x, y, name)
            x += width(name) + 20

    def svg(self):
        size = f"{WIDTH} {self.height}"
        return "\n".join([
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" '
            f'width="{WIDTH}" height="{self.height}" role="img" '
            'aria-labelledby="title desc">',
            f'  <title id="title">{escape(self.title)}</title>',
            f'  <desc id="desc">{escape(self.description)}</desc>',
            style(),
            f'  <rect width="{WIDTH}" height="{self.height}" rx="6" '
            'class="page"/>',
            *self.parts, "</svg>", ""])


class Panel:
    """A part of a picture with axes of its own; y holds the values there."""

    def __init__(self, picture, left, right, title, values, log=False,
                 key=()):
        self.picture = picture
        self.left, self.right, self.named = left, right, 0
        self.top, self.bottom = 116 if key else 96, picture.height - 44
        start = 24 if left < 100 else left - 34
        picture.text(start, 64 if key else 82, title, "ink sub")
        picture.key(key, 88, start)
        self.values = decades(min(values), max(values)) if log \
            else steps(max(values))
        self.y = Scale(self.values[0], self.values[-1], self.bottom, self.top,
                       log)
        for value in self.values:
            y = self.y(value)
            picture.line([(left, y), (right, y)], "hair gridl")
            picture.text(left - 8, y + 4, short(value), "dim", "end")

    def below(self, x, text, second=""):
        self.picture.text(x, self.bottom + 18, text, "dim", "middle")
        if second:
            self.picture.text(x, self.bottom + 33, second, "dim", "middle")

    def counts(self, counts, labels):
        """A logarithmic x axis, marked where something was measured."""
        low, high = min(counts), max(counts)
        if low == high:
            low, high = low / 3, high * 3
        room = (high / low) ** 0.06
        self.x = Scale(low / room, high * room, self.left, self.right, True)
        for count, second in zip(counts, labels):
            self.below(self.x(count), f"{count:,}", second)

    def series(self, points, series):
        """points: (count, value)"""
        places = [(self.x(x), self.y(y)) for x, y in points]
        if len(places) > 1:
            self.picture.line(places, f"line {series}l")
        for x, y in places:
            self.picture.dot(x, y, series)

    def aim(self, count, value, series="ink", half=26):
        x, y = self.x(count), self.y(value)
        self.picture.line([(max(x - half, self.left), y),
                           (min(x + half, self.right), y)], f"aim {series}l")

    def name(self, point, text, series):
        """At the end of a line; called from above to below."""
        self.named = max(self.y(point[1]), self.named + 15)
        self.picture.text(self.right + 8, self.named + 4, text, series)

    def groups(self, groups, text=short):
        """Bars side by side: (label, second label, [(series, value)], aim)."""
        room = (self.right - self.left) / len(groups)
        for number, (label, second, bars, aim) in enumerate(groups):
            middle = self.left + room * (number + 0.5)
            width = min(room * 0.9 / len(bars), 44)
            self.below(middle, label, second)
            places = [(series, value, middle + width * (n - len(bars) / 2))
                      for n, (series, value) in enumerate(bars)]
            for series, value, x in places:
                y = self.y(value)
                self.picture.bar(x + 1, y, width - 2, self.bottom - y, series)
            if aim:
                self.picture.line([(middle - room * 0.45, self.y(aim)),
                                   (middle + room * 0.45, self.y(aim))],
                                  "aim inkl")
            for series, value, x in places:
                self.picture.text(x + width / 2, self.y(value) - 5,
                                  text(value), "dim pagel value", "middle")
