/* card_yaml: libyaml's events as a walk: depth, anchors, `secured`. */

#include "cardfeed_card_private.h"

#include <stdlib.h>
#include <string.h>

/* What is known of an open collection. */
#define LEVEL_MAP 1
#define LEVEL_VALUE 2   /* of a mapping: a value comes next */
#define LEVEL_SECURED 4 /* and it is that of `secured` */


unsigned
cardfeed_card_line(const cardfeed_parser_t *p)
{
    /* libyaml counts from 0, and the opening fence is a line of the file. */
    return (unsigned) p->event.start_mark.line + 2;
}


static int
refuse(cardfeed_parser_t *p, const char *why)
{
    return cardfeed_error_set(p->err, CARDFEED_INVALID,
        cardfeed_card_line(p), "%s", why);
}


static int
yaml_failed(cardfeed_parser_t *p)
{
    const yaml_parser_t *y = &p->yaml;
    unsigned line;
    size_t i;

    if (y->error == YAML_MEMORY_ERROR) {
        return CARDFEED_NOMEM;
    }

    if (y->error == YAML_READER_ERROR) {
        line = 2;

        for (i = 0; i < y->problem_offset && i < p->front.len; i++) {
            line += p->front.data[i] == '\n';
        }

    } else {
        line = (unsigned) y->problem_mark.line + 2;
    }

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
    p->node = CARDFEED_NODE_TEXT;
    p->text.data = (const char *) p->event.data.scalar.value;
    p->text.len = p->event.data.scalar.length;
    p->plain = p->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
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

    const cardfeed_card_anchor_t *a;

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
    node_begins(p);

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
    value->line = cardfeed_card_line(p);
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


static const cardfeed_card_key_t *
find_key(const cardfeed_card_key_t *keys, size_t n, cardfeed_str_t name)
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

    value->line = cardfeed_card_line(p);
    value->kind = CARDFEED_VALUE_NESTED;

    return key->collect != NULL ? key->collect(p, key->arg, value)
                                : cardfeed_card_skip(p);
}


int
cardfeed_card_map(cardfeed_parser_t *p, const cardfeed_card_key_t *keys,
    size_t n, cardfeed_card_value_t *values)
{
    const cardfeed_card_key_t *key;
    int rc;

    memset(values, 0, n * sizeof(cardfeed_card_value_t));

    for ( ;; ) {
        rc = cardfeed_card_next(p);
        if (rc != CARDFEED_OK || p->node == CARDFEED_NODE_END) {
            return rc;
        }

        key = p->node == CARDFEED_NODE_TEXT ? find_key(keys, n, p->text)
                                            : NULL;

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
    }
}
