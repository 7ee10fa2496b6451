/* query: the text of a URL → one canonical selection. */

#include <cardfeed/query.h>

#include <inttypes.h>
#include <string.h>

#define QUERY_NAME_MAX 64 /* encoded; all known ones are shorter */
#define ALL CARDFEED_STR("all")

/* 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z */
#define TIME_FIRST INT64_C(-62135596800)
#define TIME_LAST INT64_C(253402300799)
#define TIME_DIGITS 12

#define ID_DIGITS 16

typedef struct {
    cardfeed_str_t name;
    int (*set)(cardfeed_query_t *query, cardfeed_str_t value,
        uint32_t max_limit, cardfeed_error_t *err);
} query_arg_t;

static int query_before(cardfeed_query_t *query, cardfeed_str_t value,
    uint32_t max_limit, cardfeed_error_t *err);
static int query_limit(cardfeed_query_t *query, cardfeed_str_t value,
    uint32_t max_limit, cardfeed_error_t *err);

/* In the order of the canonical form. */
static const query_arg_t query_args[] = {
    {CARDFEED_STR("before"), query_before},
    {CARDFEED_STR("limit"), query_limit},
};

#define QUERY_NARGS (sizeof(query_args) / sizeof(query_args[0]))


static bool
query_digit(char c)
{
    return c >= '0' && c <= '9';
}


/* Cuts s at the first c; what follows c, or nothing, is returned. */
static cardfeed_str_t
query_cut(cardfeed_str_t *s, char c)
{
    const char *p;
    cardfeed_str_t rest;

    p = s->len ? memchr(s->data, c, s->len) : NULL;
    if (p == NULL) {
        return CARDFEED_NO_STR;
    }

    rest.data = p + 1;
    rest.len = s->len - (size_t) (p + 1 - s->data);
    s->len = (size_t) (p - s->data);

    return rest;
}


void
cardfeed_query_init(cardfeed_query_t *query, cardfeed_arena_t *arena)
{
    *query = (cardfeed_query_t){.arena = arena, .topic = ALL};
}


int
cardfeed_query_split(cardfeed_str_t path, cardfeed_str_t *selection,
    cardfeed_str_t *format)
{
    const char *dot;

    if (path.len == 0 || memchr(path.data, '/', path.len) != NULL) {
        return CARDFEED_NOTFOUND;
    }

    dot = memrchr(path.data, '.', path.len);
    if (dot == NULL || dot == path.data || dot + 1 == path.data + path.len) {
        return CARDFEED_NOTFOUND;
    }

    selection->data = path.data;
    selection->len = (size_t) (dot - path.data);
    format->data = dot + 1;
    format->len = path.len - selection->len - 1;

    return CARDFEED_OK;
}


/* exact: name has to be the slug already. */
static int
query_set_topic(cardfeed_query_t *query, cardfeed_str_t name, bool exact)
{
    int rc;
    cardfeed_buf_t slug;
    cardfeed_str_t topic;

    if (name.len > CARDFEED_QUERY_MAX
        || cardfeed_utf8_check(name) != name.len)
    {
        return CARDFEED_NOTFOUND;
    }

    cardfeed_buf_init(&slug, CARDFEED_SLUG_MAX);

    rc = cardfeed_text_slug(&slug, name);
    if (rc != CARDFEED_OK) {
        goto done;
    }

    if (exact && !cardfeed_str_eq(cardfeed_buf_view(&slug), name)) {
        rc = CARDFEED_NOTFOUND;
        goto done;
    }

    topic = cardfeed_arena_dup(query->arena, cardfeed_buf_view(&slug));
    if (topic.data == NULL) {
        rc = CARDFEED_NOMEM;
        goto done;
    }

    query->topic = topic;

done:

    cardfeed_buf_free(&slug);

    return rc;
}


int
cardfeed_query_selection(cardfeed_query_t *query, cardfeed_str_t sel)
{
    if (cardfeed_str_eq(sel, ALL)) {
        query->topic = ALL;
        return CARDFEED_OK;
    }

    if (sel.len == 0 || sel.len > CARDFEED_SLUG_MAX) {
        return CARDFEED_NOTFOUND;
    }

    return query_set_topic(query, sel, true);
}


int
cardfeed_query_topic(cardfeed_query_t *query, cardfeed_str_t name)
{
    if (name.len == 0 || cardfeed_str_caseeq(name, ALL)) {
        query->topic = ALL;
        return CARDFEED_OK;
    }

    return query_set_topic(query, name, false);
}


static int
query_limit(cardfeed_query_t *query, cardfeed_str_t value,
    uint32_t max_limit, cardfeed_error_t *err)
{
    size_t i;
    uint64_t n;

    n = 0;

    for (i = 0; i < value.len && query_digit(value.data[i]); i++) {
        n = n * 10 + (uint64_t) (value.data[i] - '0');

        if (n > max_limit) {
            n = (uint64_t) max_limit + 1;
        }
    }

    if (i != value.len || n == 0) {
        return cardfeed_error_set(err, CARDFEED_INVALID, 0,
            "limit: only a number of 1 or more is allowed");
    }

    query->limit = n > max_limit ? max_limit : (uint32_t) n;

    return CARDFEED_OK;
}


/* Decimal seconds in their one spelling. */
static bool
query_time(cardfeed_str_t s, int64_t *time)
{
    bool minus;
    size_t i;
    int64_t n;

    minus = s.len && s.data[0] == '-';

    if (minus) {
        s.data++;
        s.len--;
    }

    if (s.len == 0 || s.len > TIME_DIGITS
        || (s.data[0] == '0' && (minus || s.len > 1)))
    {
        return false;
    }

    n = 0;

    for (i = 0; i < s.len; i++) {
        if (!query_digit(s.data[i])) {
            return false;
        }

        n = n * 10 + (s.data[i] - '0');
    }

    *time = minus ? -n : n;

    return *time >= TIME_FIRST && *time <= TIME_LAST;
}


static bool
query_id(cardfeed_str_t s, uint64_t *id)
{
    static const char digits[] = "0123456789abcdef";

    size_t i;
    const char *digit;

    if (s.len != ID_DIGITS) {
        return false;
    }

    *id = 0;

    for (i = 0; i < s.len; i++) {
        digit = memchr(digits, s.data[i], ID_DIGITS);
        if (digit == NULL) {
            return false;
        }

        *id = *id << 4 | (uint64_t) (digit - digits);
    }

    return true;
}


static int
query_before(cardfeed_query_t *query, cardfeed_str_t value,
    uint32_t max_limit, cardfeed_error_t *err)
{
    cardfeed_str_t id;
    cardfeed_position_t before;

    (void) max_limit;

    id = query_cut(&value, '.');

    if (!query_time(value, &before.published) || !query_id(id, &before.id)) {
        return cardfeed_error_set(err, CARDFEED_INVALID, 0,
            "before: only a cursor TIME.ID of a feed's own links is allowed");
    }

    query->before = before;
    query->has_before = true;

    return CARDFEED_OK;
}


/* CARDFEED_NOTFOUND: nothing known has that name. */
static int
query_find(cardfeed_str_t name, cardfeed_buf_t *buf, const query_arg_t **arg)
{
    int rc;
    size_t i;

    if (name.len > QUERY_NAME_MAX) {
        return CARDFEED_NOTFOUND;
    }

    cardfeed_buf_reset(buf);

    rc = cardfeed_url_decode(buf, name, true);
    if (rc != CARDFEED_OK) {
        return rc == CARDFEED_INVALID ? CARDFEED_NOTFOUND : rc;
    }

    for (i = 0; i < QUERY_NARGS; i++) {
        if (cardfeed_str_eq(cardfeed_buf_view(buf), query_args[i].name)) {
            *arg = &query_args[i];
            return CARDFEED_OK;
        }
    }

    return CARDFEED_NOTFOUND;
}


static int
query_set_arg(cardfeed_query_t *query, cardfeed_str_t name,
    cardfeed_str_t value, uint32_t max_limit, cardfeed_buf_t *buf,
    cardfeed_error_t *err)
{
    int rc;
    const query_arg_t *arg;

    rc = query_find(name, buf, &arg);
    if (rc == CARDFEED_NOTFOUND) {
        return CARDFEED_OK;
    }

    if (value.len > CARDFEED_QUERY_MAX) {
        return cardfeed_error_set(err, CARDFEED_INVALID, 0,
            "%s: longer than %d bytes", arg->name.data, CARDFEED_QUERY_MAX);
    }

    if (rc == CARDFEED_OK) {
        cardfeed_buf_reset(buf);

        rc = cardfeed_url_decode(buf, value, true);
        if (rc == CARDFEED_INVALID) {
            return cardfeed_error_set(err, rc, 0,
                "%s: broken percent-encoding", arg->name.data);
        }
    }

    if (rc != CARDFEED_OK) {
        return cardfeed_error_set(err, rc, 0, "out of memory");
    }

    return arg->set(query, cardfeed_buf_view(buf), max_limit, err);
}


bool
cardfeed_query_knows(cardfeed_str_t name)
{
    int rc;
    cardfeed_buf_t buf;
    const query_arg_t *arg;

    cardfeed_buf_init(&buf, CARDFEED_QUERY_MAX);
    rc = query_find(name, &buf, &arg);
    cardfeed_buf_free(&buf);

    return rc == CARDFEED_OK;
}


int
cardfeed_query_args(cardfeed_query_t *query, cardfeed_str_t args,
    uint32_t max_limit, cardfeed_error_t *err)
{
    int rc;
    cardfeed_buf_t buf;
    cardfeed_str_t name, value, rest;
    cardfeed_query_t changed;

    cardfeed_buf_init(&buf, CARDFEED_QUERY_MAX);

    rc = CARDFEED_OK;
    changed = *query;

    for (name = args; name.len && rc == CARDFEED_OK; name = rest) {
        rest = query_cut(&name, '&');
        value = query_cut(&name, '=');
        rc = query_set_arg(&changed, name, value, max_limit, &buf, err);
    }

    if (rc == CARDFEED_OK) {
        *query = changed;
    }

    cardfeed_buf_free(&buf);

    return rc;
}


int
cardfeed_query_print(const cardfeed_query_t *query, cardfeed_buf_t *out)
{
    return cardfeed_buf_str(out, query->topic);
}


int
cardfeed_query_print_args(const cardfeed_query_t *query,
    uint32_t default_limit, const cardfeed_position_t *before,
    cardfeed_buf_t *out)
{
    int rc;
    char mark;

    rc = CARDFEED_OK;
    mark = '?';

    if (before != NULL) {
        rc = cardfeed_buf_printf(out, "%cbefore=%" PRId64 ".%016" PRIx64,
            mark, before->published, before->id);
        mark = '&';
    }

    if (query->limit != 0 && query->limit != default_limit) {
        rc = cardfeed_buf_printf(out, "%climit=%" PRIu32, mark,
            query->limit);
    }

    return rc;
}
