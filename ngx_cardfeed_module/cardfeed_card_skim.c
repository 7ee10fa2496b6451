/*
 * card_skim: leaves long values that no feed needs out of what libyaml reads.
 *
 * Looked for at the start of a line, NAME being [A-Za-z_][A-Za-z0-9_-]*:
 *
 *   NAME: STRING      a key that is not used; all between the quotes goes
 *   NAME:             `related`, or a key that is not used, with a BLOCK that
 *     - ENTRY         is a list; what goes is its items behind the first one,
 *                     of `related` behind as many with a URL as are used
 *
 *   STRING  "..." or '...' on one line; of escapes \" \\ \n \r \t \uXXXX, ''
 *   SCALAR  STRING, [], {} or a plain scalar: it begins with a letter, digit,
 *           '/', '_' or non-ASCII, has no ": ", no " #", and neither ':' nor a
 *           blank at its end
 *   ENTRY   NAME: SCALAR, or NAME: with a BLOCK or nothing below it
 *   BLOCK   lines of SPACES ENTRY in one column, or of SPACES - SCALAR or
 *           SPACES - ENTRY, the ENTRY being the first of a mapping in its own
 *           column; further in than the key, but a list may be in the key's
 *           column; blank lines may be anywhere
 *
 * Lines end in LF or CRLF.  Characters are what libyaml's reader accepts and
 * no tab, no line break of YAML (NEL, LS, PS) and no BOM.  The line behind a
 * BLOCK begins with a letter or '_', or the front matter ends.
 *
 * There is no anchor, alias, tag, directive, document marker, comment,
 * explicit key or scalar of several lines in it, a NAME is shorter than
 * libyaml's limit of a simple key (1024), and it nests at most NEST deep.
 */

#include "cardfeed_card_private.h"

#include <string.h>

#define NAME_MAX_LEN 128
#define NEST 8
/* Less is not worth a cut. */
#define WORTH 16

typedef struct {
    size_t column;
    bool list;
} level_t;

/* A front matter ends in LF, so that there is one to be found from every
 * place before end. */
typedef struct {
    const char *at;
    const char *end;
    level_t open[NEST]; /* the first is the front matter's own mapping */
    size_t depth;
    bool pending; /* the last line is a key that may have a BLOCK below */
    bool related; /* the BLOCK is that of `related` */
    bool counts;  /* its item: one of those to be kept */
} skim_t;


static bool
letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}


static bool
digit(char c)
{
    return c >= '0' && c <= '9';
}


/* The length of a line's end, or 0. */
static size_t
line_end(const skim_t *s)
{
    if (*s->at == '\n') {
        return 1;
    }

    return *s->at == '\r' && s->at[1] == '\n' ? 2 : 0;
}


static const char *
next_line(const char *at, const char *end)
{
    return (const char *) memchr(at, '\n', (size_t) (end - at)) + 1;
}


/* The length of a character beyond ASCII, 0 for those that mean something to
 * libyaml or that its reader refuses. */
static size_t
wide(const char *at)
{
    const unsigned char *u = (const unsigned char *) at;

    if (u[0] < 0xe0) {
        /* U+0080 to U+009F: controls, and NEL. */
        return u[0] == 0xc2 && u[1] < 0xa0 ? 0 : 2;
    }

    if (u[0] >= 0xf0) {
        return 4;
    }

    /* LS and PS; the BOM, U+FFFE and U+FFFF. */
    if ((u[0] == 0xe2 && u[1] == 0x80 && (u[2] | 1) == 0xa9)
        || (u[0] == 0xef
            && ((u[1] == 0xbb && u[2] == 0xbf)
                || (u[1] == 0xbf && u[2] >= 0xbe))))
    {
        return 0;
    }

    return 3;
}


/*
 * Past all bytes from 0x20 to 0x7E that are neither the quote nor '\\', eight
 * at a time: the high bit of each byte of `stop` tells those that are not (and
 * perhaps of bytes behind the first of them).
 */
static const char *
text_run(const char *at, const char *end, char quote)
{
    const uint64_t ones = UINT64_MAX / 255, high = ones << 7;

    uint64_t w, q, b, d, stop;

    while (end - at >= 8) {
        memcpy(&w, at, 8);
        q = w ^ ones * (unsigned char) quote;
        b = w ^ ones * '\\';
        d = w ^ ones * 0x7f;
        stop = (w | (w - ones * 0x20) | (q - ones) | (b - ones) | (d - ones))
            & high;

        if (stop != 0) {
            break;
        }

        at += 8;
    }

    while (*at >= 0x20 && *at < 0x7f && *at != quote && *at != '\\') {
        at++;
    }

    return at;
}


/* The length of an escape in double quotes, or 0. */
static size_t
escape(const char *at)
{
    size_t i;
    char c;

    switch (at[1]) {
    case '"':
    case '\\':
    case 'n':
    case 'r':
    case 't':
        return 2;

    case 'u':
        break;

    default:
        return 0;
    }

    for (i = 2; i < 6; i++) {
        c = at[i];

        if (!digit(c) && !(c >= 'a' && c <= 'f') && !(c >= 'A' && c <= 'F')) {
            return 0;
        }
    }

    /* Half a surrogate pair is an error. */
    return (at[2] == 'd' || at[2] == 'D') && at[3] >= '8' ? 0 : 6;
}


/* From an opening quote past the closing one. */
static bool
string(skim_t *s)
{
    const char quote = *s->at;

    const char *at;
    size_t n;

    at = s->at + 1;

    for ( ;; ) {
        at = text_run(at, s->end, quote);

        if (*at == quote) {
            if (quote == '"' || at[1] != quote) {
                s->at = at + 1;
                return true;
            }

            n = 2;

        } else if (*at == '\\') {
            n = quote == '"' ? escape(at) : 1;

        } else {
            n = (unsigned char) *at >= 0x80 ? wide(at) : 0;
        }

        if (n == 0) {
            return false;
        }

        at += n;
    }
}


static bool
plain(skim_t *s)
{
    unsigned char c;
    size_t n;
    char last;

    last = ' ';

    if (!letter(*s->at) && !digit(*s->at) && *s->at != '/'
        && (unsigned char) *s->at < 0x80)
    {
        return false;
    }

    while (line_end(s) == 0) {
        c = (unsigned char) *s->at;
        n = c >= 0x80 ? wide(s->at) : c >= 0x20 && c != 0x7f;

        if (n == 0 || (c == '#' && last == ' ')
            || (c == ' ' && last == ':'))
        {
            return false;
        }

        last = *s->at;
        s->at += n;
    }

    return last != ' ' && last != ':';
}


/* A SCALAR up to the end of its line. */
static bool
scalar(skim_t *s)
{
    size_t n;
    bool ok;

    switch (*s->at) {
    case '"':
    case '\'':
        ok = string(s);
        break;

    case '[':
    case '{':
        ok = s->at[1] == (*s->at == '[' ? ']' : '}');
        s->at += ok ? 2 : 0;
        break;

    default:
        ok = plain(s);
    }

    n = line_end(s);
    s->at += n;

    return ok && n != 0;
}


static size_t
spaces(skim_t *s)
{
    const char *from = s->at;

    while (*s->at == ' ') {
        s->at++;
    }

    return (size_t) (s->at - from);
}


/* The length of a NAME with the ':' of a key behind it, or 0. */
static size_t
key_length(const skim_t *s)
{
    const char *at = s->at;

    if (!letter(*at)) {
        return 0;
    }

    while (letter(*at) || digit(*at) || *at == '-') {
        at++;
    }

    if (*at != ':' || at - s->at > NAME_MAX_LEN) {
        return 0;
    }

    return at[1] == ' ' || at[1] == '\n' || (at[1] == '\r' && at[2] == '\n')
        ? (size_t) (at - s->at)
        : 0;
}


/* An ENTRY up to the end of its line. */
static bool
entry(skim_t *s)
{
    cardfeed_str_t name;
    size_t n;

    n = key_length(s);
    if (n == 0) {
        return false;
    }

    name = (cardfeed_str_t){.data = s->at, .len = n};
    s->at += n + 1;
    n = line_end(s);
    s->pending = n != 0;
    s->at += n;

    if (s->pending) {
        return true;
    }

    /* Of the item itself, and not of something in it. */
    if (s->related && s->depth == 3 && !s->counts) {
        s->counts = cardfeed_card_find(
            cardfeed_card_related_keys + CARDFEED_RELATED_WEB_URL,
            CARDFEED_RELATED_KEYS - CARDFEED_RELATED_WEB_URL, name)
            != NULL;
    }

    spaces(s);

    return scalar(s);
}


static bool
open_level(skim_t *s, size_t column, bool list)
{
    if (s->depth == NEST) {
        return false;
    }

    s->open[s->depth].column = column;
    s->open[s->depth].list = list;
    s->depth++;
    s->pending = false;

    return true;
}


/* Whether an item or entry may stand in this column; opens and closes the
 * levels that this means. */
static bool
place(skim_t *s, size_t column, bool list)
{
    level_t *top;

    while (s->open[s->depth - 1].column > column) {
        s->depth--;
        s->pending = false;
    }

    top = &s->open[s->depth - 1];

    if (s->pending
        && (column > top->column || (list && column == top->column)))
    {
        return open_level(s, column, list);
    }

    s->pending = false;

    /* Behind a list in its key's own column. */
    if (top->list && !list && s->depth > 1) {
        s->depth--;
        top--;
    }

    return top->column == column && top->list == list;
}


static bool
item(skim_t *s, size_t column)
{
    size_t n;

    s->at++;
    n = spaces(s);

    if (n == 0) {
        return false;
    }

    if (key_length(s) == 0) {
        return scalar(s);
    }

    return open_level(s, column + 1 + n, false) && entry(s);
}


/*
 * The BLOCK below a key whose line has just been read.  *rest is set to the
 * list's items behind those to be kept; it ends at s->at.
 */
static bool
block(skim_t *s, const char **rest, unsigned *lines)
{
    const char *line;
    size_t keep, blank, column;
    bool list;

    keep = s->related ? CARDFEED_CARD_RELATED : 1;
    s->counts = false;

    s->open[0] = (level_t){.column = 0, .list = false};
    s->depth = 1;
    s->pending = true;
    *rest = NULL;

    while (s->at != s->end && !letter(*s->at)) {
        line = s->at;
        *lines += *rest != NULL;

        blank = line_end(s);
        if (blank != 0) {
            s->at += blank;
            continue;
        }

        column = spaces(s);
        list = *s->at == '-';

        if (!place(s, column, list)) {
            return false;
        }

        /* An item of the outermost list. */
        if (list && s->depth == 2 && *rest == NULL) {
            keep -= s->counts;
            s->counts = !s->related;

            if (keep == 0) {
                *rest = line;
                *lines = 1;
            }
        }

        if (!(list ? item(s, column) : entry(s))) {
            return false;
        }
    }

    return *rest != NULL;
}


/* A key at the start of a line: its value as a cut.  Moves on to the start
 * of another line. */
static bool
value(skim_t *s, cardfeed_card_cut_t *cut)
{
    const cardfeed_card_key_t *known;
    const char *next;
    cardfeed_str_t name;
    size_t n;
    bool ok;

    name = (cardfeed_str_t){.data = s->at, .len = key_length(s)};
    known = cardfeed_card_find(cardfeed_card_keys, CARDFEED_KEYS, name);
    next = next_line(s->at, s->end);

    cut->lines = 0;
    cut->key = name.data;
    cut->key_len = name.len;
    cut->related = known == &cardfeed_card_keys[CARDFEED_KEY_RELATED];

    if (name.len == 0 || (known != NULL && !cut->related)) {
        s->at = next;
        return false;
    }

    s->at += name.len + 1;
    n = line_end(s);

    if (n != 0) {
        s->at += n;
        s->related = cut->related;
        ok = block(s, &cut->from, &cut->lines);
        cut->to = s->at;

    } else {
        spaces(s);
        cut->from = s->at + 1;
        ok = !cut->related && (*s->at == '"' || *s->at == '\'')
            && scalar(s);
        cut->to = next - 2 - (next[-2] == '\r');
    }

    if (!ok) {
        s->at = next;
        return false;
    }

    return cut->to - cut->from >= WORTH;
}


/* Of UTF-8. */
static size_t
characters(const char *at, const char *end)
{
    size_t n;

    for (n = 0; at != end; at++) {
        n += ((unsigned char) *at & 0xc0) != 0x80;
    }

    return n;
}


static void
find_cuts(cardfeed_parser_t *p)
{
    skim_t s;

    s.at = p->front.data;
    s.end = s.at + p->front.len;

    while (s.at != s.end && p->ncuts < CARDFEED_CARD_CUTS) {
        if (!letter(*s.at)) {
            s.at = next_line(s.at, s.end);

        } else if (value(&s, &p->cuts[p->ncuts])) {
            p->ncuts++;
        }
    }
}


bool
cardfeed_card_skim(cardfeed_parser_t *p)
{
    cardfeed_card_cut_t *cut;
    const char *at;
    size_t i, mark;

    p->ncuts = 0;
    find_cuts(p);

    if (p->ncuts == 0) {
        return false;
    }

    cardfeed_buf_reset(&p->skimmed);
    at = p->front.data;
    mark = 0;

    for (i = 0; i < p->ncuts; i++) {
        cut = &p->cuts[i];
        cut->mark = mark + characters(at, cut->key);
        mark = cut->mark + characters(cut->key, cut->from);
        cardfeed_buf_append(&p->skimmed, at, (size_t) (cut->from - at));
        cut->offset = p->skimmed.len;
        at = cut->to;
    }

    cardfeed_buf_append(&p->skimmed, at,
        (size_t) (p->front.data + p->front.len - at));

    if (p->skimmed.failed != CARDFEED_OK) {
        p->ncuts = 0;
        return false;
    }

    p->whole = p->front;
    p->front = cardfeed_buf_view(&p->skimmed);

    return true;
}


void
cardfeed_card_unskim(cardfeed_parser_t *p)
{
    p->front = p->whole;
    p->ncuts = 0;
}


const cardfeed_card_cut_t *
cardfeed_card_cut(const cardfeed_parser_t *p)
{
    const cardfeed_card_cut_t *cut = &p->cuts[p->met];

    return p->met < p->ncuts && p->depth == 1 && p->block
            && p->event.type == YAML_SCALAR_EVENT
            && p->event.start_mark.index == cut->mark
            && p->text.len == cut->key_len
        ? cut
        : NULL;
}


void
cardfeed_card_cut_met(cardfeed_parser_t *p, const cardfeed_card_cut_t *cut)
{
    if (!cut->related || p->nrelated == CARDFEED_CARD_RELATED) {
        p->met++;
    }
}
