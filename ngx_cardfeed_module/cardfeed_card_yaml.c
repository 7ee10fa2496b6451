/* card_yaml: libyaml's events as a walk: lines, depth, anchors, `secured`,
 * directives. */

#include "cardfeed_card_private.h"

#include <stdlib.h>
#include <string.h>

/* What is known of an open collection. */
#define LEVEL_MAP 1
#define LEVEL_VALUE 2   /* of a mapping: a value comes next */
#define LEVEL_SECURED 4 /* and it is that of `secured` */


size_t
cardfeed_card_offset(const cardfeed_parser_t *p, size_t mark)
{
    size_t i;

    for (i = 0; i < p->front.len; i++) {
        if (((unsigned char) p->front.data[i] & 0xc0) != 0x80
            && mark-- == 0)
        {
            break;
        }
    }

    return i;
}


unsigned
cardfeed_card_line_at(const cardfeed_parser_t *p, size_t offset)
{
    unsigned line;
    size_t i;

    /* The opening fence is a line of the file. */
    line = 2;

    for (i = 0; i < offset && i < p->front.len; i++) {
        line += p->front.data[i] == '\n';
    }

    for (i = 0; i < p->ncuts && p->cuts[i].offset <= offset; i++) {
        line += p->cuts[i].lines;
    }

    return line;
}


unsigned
cardfeed_card_line(const cardfeed_parser_t *p, size_t mark)
{
    return cardfeed_card_line_at(p, cardfeed_card_offset(p, mark));
}


static int
refuse(cardfeed_parser_t *p, const char *why)
{
    return cardfeed_error_set(p->err, CARDFEED_INVALID,
        cardfeed_card_line(p, p->event.start_mark.index), "%s", why);
}


static int
yaml_failed(cardfeed_parser_t *p)
{
    const yaml_parser_t *y = &p->yaml;
    unsigned line;

    if (y->error == YAML_MEMORY_ERROR) {
        return CARDFEED_NOMEM;
    }

    line = y->error == YAML_READER_ERROR
        ? cardfeed_card_line_at(p, y->problem_offset)
        : cardfeed_card_line(p, y->problem_mark.index);

    return cardfeed_error_set(p->err, CARDFEED_INVALID, line, "%s%s%s",
        y->context != NULL ? y->context : "",
        y->context != NULL ? ", " : "",
        y->problem != NULL ? y->problem : "invalid YAML");
}


/* A node begins: is it what `secured` holds? */
static bool
node_begins(cardfeed_parser_t *p)
{
    unsigned char *level;
    bool secured;

    level = &p->level[p->depth];
    secured = false;

    if (*level & LEVEL_MAP) {
        secured = (*level & LEVEL_SECURED) != 0;

        if (!(*level & LEVEL_VALUE) && p->node == CARDFEED_NODE_TEXT
            && p->text.len == 7
            && cardfeed_str_caseeq(p->text, CARDFEED_STR("secured")))
        {
            *level |= LEVEL_SECURED;

        } else {
            *level &= (unsigned char) ~LEVEL_SECURED;
        }

        *level ^= LEVEL_VALUE;
    }

    return secured || p->shade != 0;
}


static int
raw_append(cardfeed_parser_t *p, cardfeed_str_t s, cardfeed_card_ref_t *ref)
{
    ref->off = p->raw.len;
    ref->len = s.len;

    return cardfeed_buf_str(&p->raw, s);
}


static cardfeed_card_anchor_t *
find_anchor(cardfeed_parser_t *p, cardfeed_str_t name)
{
    size_t i;

    for (i = 0; i < p->nanchors; i++) {
        if (cardfeed_str_eq(cardfeed_card_at(p, p->anchors[i].name), name)) {
            return &p->anchors[i];
        }
    }

    return NULL;
}


static int
keep_anchor(cardfeed_parser_t *p, const yaml_char_t *anchor, bool secured)
{
    cardfeed_card_anchor_t *a;
    cardfeed_str_t name;
    int rc;

    if (anchor == NULL) {
        return CARDFEED_OK;
    }

    name = cardfeed_str_of((const char *) anchor);

    /* The last anchor of a name is the one meant. */
    a = find_anchor(p, name);

    if (a == NULL) {
        if (p->nanchors == CARDFEED_CARD_ANCHORS) {
            p->anchors_lost = true;
            return CARDFEED_OK;
        }

        a = &p->anchors[p->nanchors];

        rc = raw_append(p, name, &a->name);
        if (rc != CARDFEED_OK) {
            return rc;
        }

        p->nanchors++;
    }

    if (secured) {
        a->kind = CARDFEED_ANCHOR_SECURED;
        return CARDFEED_OK;
    }

    if (p->node != CARDFEED_NODE_TEXT) {
        a->kind = CARDFEED_ANCHOR_NESTED;
        return CARDFEED_OK;
    }

    if (p->text.len > CARDFEED_CARD_ANCHOR_MAX) {
        a->kind = CARDFEED_ANCHOR_LONG;
        return CARDFEED_OK;
    }

    a->kind = CARDFEED_ANCHOR_TEXT;
    a->plain = p->plain;

    return raw_append(p, p->text, &a->value);
}


static int
scalar(cardfeed_parser_t *p)
{
    const yaml_char_t *tag = p->event.data.scalar.tag;

    p->node = CARDFEED_NODE_TEXT;
    p->text.data = (const char *) p->event.data.scalar.value;
    p->text.len = p->event.data.scalar.length;
    p->plain = p->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE
        && (tag == NULL || strcmp((const char *) tag, YAML_NULL_TAG) == 0);
    p->aliased = false;

    return keep_anchor(p, p->event.data.scalar.anchor, node_begins(p));
}


static int
alias(cardfeed_parser_t *p)
{
    static const char *const refusals[] = {
        [CARDFEED_ANCHOR_NESTED]
        = "an alias of a list or mapping is not expanded",
        [CARDFEED_ANCHOR_SECURED] = "an alias of secured is not expanded",
        [CARDFEED_ANCHOR_LONG] = "an alias of a long text is not expanded",
    };

    cardfeed_card_anchor_t *a;

    a = find_anchor(p,
        cardfeed_str_of((const char *) p->event.data.alias.anchor));

    if (a == NULL) {
        return refuse(p, p->anchors_lost ? "an alias after too many anchors"
                                         : "an alias without its anchor");
    }

    if (a->kind != CARDFEED_ANCHOR_TEXT) {
        return refuse(p, refusals[a->kind]);
    }

    /* Bounds the work that a short file of aliases could ask for. */
    p->expanded += a->value.len + 16;

    if (p->expanded > CARDFEED_CARD_ALIASES) {
        return refuse(p, "the aliases stand for too much");
    }

    p->node = CARDFEED_NODE_TEXT;
    p->ref = a->value;
    p->text = cardfeed_card_at(p, a->value);
    p->plain = a->plain;
    p->aliased = true;

    if (node_begins(p)) {
        a->kind = CARDFEED_ANCHOR_SECURED;
    }

    return CARDFEED_OK;
}


static int
enter(cardfeed_parser_t *p, cardfeed_card_node_t node,
    const yaml_char_t *anchor)
{
    bool secured;

    p->node = node;
    secured = node_begins(p);

    if (p->depth == CARDFEED_CARD_DEPTH) {
        return refuse(p, "nested too deep");
    }

    p->depth++;
    p->level[p->depth] = node == CARDFEED_NODE_MAP ? LEVEL_MAP : 0;

    if (secured && p->shade == 0) {
        p->shade = p->depth;
    }

    return keep_anchor(p, anchor, secured);
}


int
cardfeed_card_next(cardfeed_parser_t *p)
{
    yaml_event_delete(&p->event);

    if (!yaml_parser_parse(&p->yaml, &p->event)) {
        return yaml_failed(p);
    }

    switch (p->event.type) {
    case YAML_SCALAR_EVENT:
        return scalar(p);

    case YAML_ALIAS_EVENT:
        return alias(p);

    case YAML_SEQUENCE_START_EVENT:
        return enter(p, CARDFEED_NODE_LIST,
            p->event.data.sequence_start.anchor);

    case YAML_MAPPING_START_EVENT:
        return enter(p, CARDFEED_NODE_MAP,
            p->event.data.mapping_start.anchor);

    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        p->node = CARDFEED_NODE_END;

        if (p->shade == p->depth) {
            p->shade = 0;
        }

        p->depth--;
        return CARDFEED_OK;

    default:
        p->node = CARDFEED_NODE_OTHER;
        return CARDFEED_OK;
    }
}


int
cardfeed_card_skip(cardfeed_parser_t *p)
{
    unsigned outside;
    int rc;

    if (p->node != CARDFEED_NODE_LIST && p->node != CARDFEED_NODE_MAP) {
        return CARDFEED_OK;
    }

    outside = p->depth - 1;

    do {
        rc = cardfeed_card_next(p);
    } while (rc == CARDFEED_OK && p->depth > outside);

    return rc;
}


static bool
is_null(const cardfeed_parser_t *p)
{
    cardfeed_str_t s = p->text;

    return p->plain
        && (s.len == 0 || (s.len == 1 && s.data[0] == '~')
            || (s.len == 4
                && cardfeed_str_caseeq(s, CARDFEED_STR("null"))));
}


int
cardfeed_card_save(cardfeed_parser_t *p, cardfeed_card_value_t *value)
{
    value->mark = p->event.start_mark.index;
    value->kind = CARDFEED_VALUE_NONE;

    if (is_null(p)) {
        return CARDFEED_OK;
    }

    value->kind = CARDFEED_VALUE_TEXT;

    if (p->aliased) {
        value->ref = p->ref;
        return CARDFEED_OK;
    }

    return raw_append(p, p->text, &value->ref);
}


const cardfeed_card_key_t *
cardfeed_card_find(const cardfeed_card_key_t *keys, size_t n,
    cardfeed_str_t name)
{
    size_t i;

    for (i = 0; i < n; i++) {
        if (keys[i].name.len == name.len
            && cardfeed_str_caseeq(keys[i].name, name))
        {
            return &keys[i];
        }
    }

    return NULL;
}


static int
read_value(cardfeed_parser_t *p, const cardfeed_card_key_t *key,
    cardfeed_card_value_t *value)
{
    if (p->node == CARDFEED_NODE_TEXT) {
        return cardfeed_card_save(p, value);
    }

    value->mark = p->event.start_mark.index;
    value->kind = CARDFEED_VALUE_NESTED;

    return key->collect != NULL ? key->collect(p, key->arg, value)
                                : cardfeed_card_skip(p);
}


int
cardfeed_card_map(cardfeed_parser_t *p, const cardfeed_card_key_t *keys,
    size_t n, cardfeed_card_value_t *values)
{
    const cardfeed_card_cut_t *cut;
    const cardfeed_card_key_t *key;
    int rc;

    memset(values, 0, n * sizeof(cardfeed_card_value_t));

    for ( ;; ) {
        rc = cardfeed_card_next(p);
        if (rc != CARDFEED_OK || p->node == CARDFEED_NODE_END) {
            return rc;
        }

        key = p->node == CARDFEED_NODE_TEXT
            ? cardfeed_card_find(keys, n, p->text)
            : NULL;
        cut = cardfeed_card_cut(p);

        rc = cardfeed_card_skip(p);
        if (rc == CARDFEED_OK) {
            rc = cardfeed_card_next(p);
        }

        if (rc == CARDFEED_OK) {
            rc = key != NULL ? read_value(p, key, &values[key - keys])
                             : cardfeed_card_skip(p);
        }

        if (rc != CARDFEED_OK) {
            return rc;
        }

        if (cut != NULL) {
            cardfeed_card_cut_met(p, cut);
        }
    }
}


static bool
starts_with(cardfeed_str_t s, size_t i, const char *three)
{
    return s.len - i >= 3 && memcmp(s.data + i, three, 3) == 0;
}


/* The length of what libyaml takes for a line break at offset i, or 0. */
static size_t
line_break(cardfeed_str_t s, size_t i)
{
    const char *at = s.data + i;

    if (*at == '\n' || *at == '\r') {
        return 1;
    }

    if (s.len - i >= 2 && memcmp(at, "\xc2\x85", 2) == 0) {
        return 2;
    }

    return starts_with(s, i, "\xe2\x80\xa8")
            || starts_with(s, i, "\xe2\x80\xa9")
        ? 3
        : 0;
}


/*
 * Directives have no use between fences, and the work libyaml has with them
 * grows with the square of their number.  They can stand only where a
 * document may begin: from offset i to the first line that is no directive,
 * blank, a comment or the end of a document.  start: i is a line's start.
 */
static int
refuse_directives(cardfeed_parser_t *p, size_t i, bool start)
{
    bool comment;
    size_t n;
    char c;

    comment = false;

    /* libyaml passes over a BOM here. */
    if (i == 0 && starts_with(p->front, 0, "\xef\xbb\xbf")) {
        i = 3;
    }

    for ( /* void */ ; i < p->front.len; i += n) {
        n = line_break(p->front, i);

        if (n != 0) {
            start = true;
            comment = false;
            continue;
        }

        n = start && starts_with(p->front, i, "...") ? 3 : 1;
        c = p->front.data[i];

        if (c == '%' && start) {
            return cardfeed_error_set(p->err, CARDFEED_INVALID,
                cardfeed_card_line_at(p, i), "a YAML directive");
        }

        if (c == '#') {
            comment = true;

        } else if (!comment && n == 1 && c != ' ' && c != '\t') {
            break;
        }

        start = false;
    }

    return CARDFEED_OK;
}


int
cardfeed_card_directives(cardfeed_parser_t *p)
{
    static const char ends[] = {'\n', '\r', '\x85', '\xa8', '\xa9'};

    const char *at, *end;

    if (p->event.type == YAML_NO_EVENT) {
        return refuse_directives(p, 0, true);
    }

    at = p->front.data;
    end = at + p->front.len;

    /* Nearly no file has a '%' that could be one: behind the last byte of a
     * line break, or of some other character. */
    while ((at = memchr(at, '%', (size_t) (end - at))) != NULL) {

        if (at != p->front.data
            && memchr(ends, at[-1], sizeof(ends)) != NULL)
        {
            return refuse_directives(p,
                cardfeed_card_offset(p, p->event.end_mark.index),
                p->event.end_mark.column == 0);
        }

        at++;
    }

    return CARDFEED_OK;
}
