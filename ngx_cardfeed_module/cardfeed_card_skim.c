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

#define NEST 8
/* Less is not worth a cut. */
#define WORTH 16

typedef struct {
    size_t column;
    bool list;
} level_t;

typedef struct {
    cardfeed_card_shape_t in;
    level_t open[NEST]; /* the first is the front matter's own mapping */
    size_t depth;
    bool pending; /* the last line is a key that may have a BLOCK below */
    bool related; /* the BLOCK is that of `related` */
    bool counts;  /* its item: one of those to be kept */
} skim_t;


/* An ENTRY up to the end of its line. */
static bool
entry(skim_t *s)
{
    cardfeed_str_t name;
    size_t n;

    n = cardfeed_card_shape_key(&s->in);
    if (n == 0) {
        return false;
    }

    name = (cardfeed_str_t){.data = s->in.at, .len = n};
    s->in.at += n + 1;
    n = cardfeed_card_shape_line_end(&s->in);
    s->pending = n != 0;
    s->in.at += n;

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

    cardfeed_card_shape_spaces(&s->in);

    return cardfeed_card_shape_scalar(&s->in);
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

    s->in.at++;
    n = cardfeed_card_shape_spaces(&s->in);

    if (n == 0) {
        return false;
    }

    if (cardfeed_card_shape_key(&s->in) == 0) {
        return cardfeed_card_shape_scalar(&s->in);
    }

    return open_level(s, column + 1 + n, false) && entry(s);
}


/*
 * The BLOCK below a key whose line has just been read.  *rest is set to the
 * list's items behind those to be kept; it ends at s->in.at.
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

    while (s->in.at != s->in.end && !cardfeed_card_shape_letter(*s->in.at)) {
        line = s->in.at;
        *lines += *rest != NULL;

        blank = cardfeed_card_shape_line_end(&s->in);
        if (blank != 0) {
            s->in.at += blank;
            continue;
        }

        column = cardfeed_card_shape_spaces(&s->in);
        list = *s->in.at == '-';

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

    name = (cardfeed_str_t){
        .data = s->in.at,
        .len = cardfeed_card_shape_key(&s->in),
    };
    known = cardfeed_card_find(cardfeed_card_keys, CARDFEED_KEYS, name);
    next = cardfeed_card_shape_next_line(s->in.at, s->in.end);

    cut->lines = 0;
    cut->key = name.data;
    cut->key_len = name.len;
    cut->related = known == &cardfeed_card_keys[CARDFEED_KEY_RELATED];

    if (name.len == 0 || (known != NULL && !cut->related)) {
        s->in.at = next;
        return false;
    }

    s->in.at += name.len + 1;
    n = cardfeed_card_shape_line_end(&s->in);

    if (n != 0) {
        s->in.at += n;
        s->related = cut->related;
        ok = block(s, &cut->from, &cut->lines);
        cut->to = s->in.at;

    } else {
        cardfeed_card_shape_spaces(&s->in);
        cut->from = s->in.at + 1;
        ok = !cut->related && (*s->in.at == '"' || *s->in.at == '\'')
            && cardfeed_card_shape_scalar(&s->in);
        cut->to = next - 2 - (next[-2] == '\r');
    }

    if (!ok) {
        s->in.at = next;
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

    s.in.at = p->front.data;
    s.in.end = s.in.at + p->front.len;

    while (s.in.at != s.in.end && p->ncuts < CARDFEED_CARD_CUTS) {
        if (!cardfeed_card_shape_letter(*s.in.at)) {
            s.in.at = cardfeed_card_shape_next_line(s.in.at, s.in.end);

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
