/* collection_params: the parameters that shape cards, from text. */

#include <cardfeed/collection.h>

#include <string.h>

#define MAX_CARD_LOW ((uint64_t) 1024)
#define MAX_CARD_HIGH ((uint64_t) 64 << 20)
#define SITE_MAX 4096

typedef int (*param_fn)(cardfeed_collection_t *c, cardfeed_arena_t *arena,
    cardfeed_str_t value);


/* The patterns of a list, behind those there are; none may be empty. */
static int
add_patterns(const char *const **patterns, const char *const *first,
    cardfeed_arena_t *arena, cardfeed_str_t list)
{
    const char **to;
    cardfeed_str_t rest, name;
    size_t i, n;
    bool more;

    for (n = 0; first != NULL && first[n] != NULL; n++) { /* void */ }

    for (i = 0; i < list.len; i++) {
        n += list.data[i] == ',';
    }

    to = cardfeed_arena_alloc(arena, (n + 2) * sizeof(*to));
    if (to == NULL) {
        return CARDFEED_NOMEM;
    }

    for (n = 0; first != NULL && first[n] != NULL; n++) {
        to[n] = first[n];
    }

    do {
        name = list;
        more = cardfeed_str_cut(&name, ',', &rest);
        if (name.len == 0) {
            return CARDFEED_INVALID;
        }

        to[n] = cardfeed_arena_dup(arena, name).data;
        if (to[n++] == NULL) {
            return CARDFEED_NOMEM;
        }

        list = rest;
    } while (more);

    *patterns = to;

    return CARDFEED_OK;
}


static int
set_include(cardfeed_collection_t *c, cardfeed_arena_t *arena,
    cardfeed_str_t value)
{
    return add_patterns(&c->include, NULL, arena, value);
}


/* In addition to what is excluded already. */
static int
set_exclude(cardfeed_collection_t *c, cardfeed_arena_t *arena,
    cardfeed_str_t value)
{
    return add_patterns(&c->exclude, c->exclude, arena, value);
}


/* Digits, and k or m behind them, as nginx has it. */
static int
set_max_card(cardfeed_collection_t *c, cardfeed_arena_t *arena,
    cardfeed_str_t value)
{
    uint64_t n, unit;
    size_t i;

    (void) arena;

    n = 0;
    unit = 1;

    if (value.len != 0) {
        switch (value.data[value.len - 1]) {
        case 'k':
        case 'K':
            unit = 1024;
            value.len--;
            break;
        case 'm':
        case 'M':
            unit = 1024 * 1024;
            value.len--;
            break;
        default:
            break;
        }
    }

    for (i = 0; i < value.len; i++) {
        if (value.data[i] < '0' || value.data[i] > '9') {
            return CARDFEED_INVALID;
        }

        n = n * 10 + (uint64_t) (value.data[i] - '0');

        if (n > MAX_CARD_HIGH) {
            return CARDFEED_INVALID;
        }
    }

    n *= unit;

    if (value.len == 0 || n < MAX_CARD_LOW || n > MAX_CARD_HIGH) {
        return CARDFEED_INVALID;
    }

    c->max_card = (size_t) n;

    return CARDFEED_OK;
}


static int
set_ids(cardfeed_collection_t *c, cardfeed_arena_t *arena,
    cardfeed_str_t value)
{
    (void) arena;

    if (cardfeed_str_eq(value, CARDFEED_STR("uuid"))) {
        c->ids = CARDFEED_IDS_UUID;

    } else if (cardfeed_str_eq(value, CARDFEED_STR("permalink"))) {
        c->ids = CARDFEED_IDS_PERMALINK;

    } else {
        return CARDFEED_INVALID;
    }

    return CARDFEED_OK;
}


static int
set_undated(cardfeed_collection_t *c, cardfeed_arena_t *arena,
    cardfeed_str_t value)
{
    (void) arena;

    if (cardfeed_str_eq(value, CARDFEED_STR("skip"))) {
        c->undated = CARDFEED_UNDATED_SKIP;

    } else if (cardfeed_str_eq(value, CARDFEED_STR("mtime"))) {
        c->undated = CARDFEED_UNDATED_MTIME;

    } else {
        return CARDFEED_INVALID;
    }

    return CARDFEED_OK;
}


static int
set_site(cardfeed_collection_t *c, cardfeed_arena_t *arena,
    cardfeed_str_t value)
{
    cardfeed_buf_t url;
    cardfeed_str_t site;
    int rc;

    cardfeed_buf_init(&url, SITE_MAX);
    rc = cardfeed_url_base(&url, value);

    if (rc == CARDFEED_OK) {
        site = cardfeed_arena_dup(arena, cardfeed_buf_view(&url));

        if (site.data != NULL) {
            c->site = site;

        } else {
            rc = CARDFEED_NOMEM;
        }
    }

    cardfeed_buf_free(&url);

    return rc;
}


static int
set_timezone(cardfeed_collection_t *c, cardfeed_arena_t *arena,
    cardfeed_str_t value)
{
    (void) arena;

    return cardfeed_date_zone(value, &c->timezone) == CARDFEED_OK
        ? CARDFEED_OK
        : CARDFEED_INVALID;
}


static const struct {
    const char *name;
    param_fn set;
    const char *allowed;
} params[] = {
    {"include", set_include, "a list of patterns such as *.md,*.html"},
    {"exclude", set_exclude, "a list of patterns such as README.md,archive"},
    {"max_card", set_max_card, "a size from 1k to 64m"},
    {"ids", set_ids, "uuid or permalink"},
    {"undated", set_undated, "skip or mtime"},
    {"site", set_site, "an absolute http or https URL"},
    {"timezone", set_timezone, "an offset such as +02:00, or Z"},
};


int
cardfeed_collection_set(cardfeed_collection_t *c, cardfeed_arena_t *arena,
    cardfeed_str_t param, const char **allowed)
{
    cardfeed_str_t value;
    size_t i;

    if (!cardfeed_str_cut(&param, '=', &value)) {
        return CARDFEED_NOTFOUND;
    }

    for (i = 0; i < sizeof(params) / sizeof(params[0]); i++) {
        if (cardfeed_str_eq(param, cardfeed_str_of(params[i].name))) {
            *allowed = params[i].allowed;
            return params[i].set(c, arena, value);
        }
    }

    return CARDFEED_NOTFOUND;
}
