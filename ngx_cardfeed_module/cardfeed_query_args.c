/* query: arguments → limits, places and filters. */

#include "cardfeed_query_private.h"

#include <string.h>

#define QUERY_NAME_MAX 64 /* encoded; all known ones are shorter */

#define TIME_DIGITS 12
#define ID_DIGITS 16

typedef struct {
    cardfeed_str_t name;
    int (*set)(cardfeed_query_t *query, int which, cardfeed_str_t value,
        uint32_t max_limit, cardfeed_error_t *err);
    int which; /* of those that share a function */
} query_arg_t;

static int query_before(cardfeed_query_t *query, int which,
    cardfeed_str_t value, uint32_t max_limit, cardfeed_error_t *err);
static int query_from(cardfeed_query_t *query, int which,
    cardfeed_str_t value, uint32_t max_limit, cardfeed_error_t *err);
static int query_limit(cardfeed_query_t *query, int which,
    cardfeed_str_t value, uint32_t max_limit, cardfeed_error_t *err);
static int query_month(cardfeed_query_t *query, int which,
    cardfeed_str_t value, uint32_t max_limit, cardfeed_error_t *err);
static int query_filter(cardfeed_query_t *query, int which,
    cardfeed_str_t value, uint32_t max_limit, cardfeed_error_t *err);
static int query_least(cardfeed_query_t *query, int which,
    cardfeed_str_t value, uint32_t max_limit, cardfeed_error_t *err);
static int query_since(cardfeed_query_t *query, int which,
    cardfeed_str_t value, uint32_t max_limit, cardfeed_error_t *err);

static const query_arg_t query_args[] = {
    {CARDFEED_STR("before"), query_before, 0},
    {CARDFEED_STR("from"), query_from, 0},
    {CARDFEED_STR("limit"), query_limit, 0},
    {CARDFEED_STR("month"), query_month, 0},
    {CARDFEED_STR("type"), query_filter, CARDFEED_FILTER_TYPE},
    {CARDFEED_STR("category"), query_filter, CARDFEED_FILTER_CATEGORY},
    {CARDFEED_STR("provider"), query_filter, CARDFEED_FILTER_PROVIDER},
    {CARDFEED_STR("author"), query_filter, CARDFEED_FILTER_AUTHOR},
    {CARDFEED_STR("min_quality"), query_least, CARDFEED_LEAST_QUALITY},
    {CARDFEED_STR("min_heat"), query_least, CARDFEED_LEAST_HEAT},
    {CARDFEED_STR("since"), query_since, 0},
};

#define QUERY_NARGS (sizeof(query_args) / sizeof(query_args[0]))


static bool
query_digit(char c)
{
    return c >= '0' && c <= '9';
}


static int
query_limit(cardfeed_query_t *query, int which, cardfeed_str_t value,
    uint32_t max_limit, cardfeed_error_t *err)
{
    size_t i;
    uint64_t n;

    (void) which;

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

    return *time >= CARDFEED_QUERY_FIRST && *time <= CARDFEED_QUERY_LAST;
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
        digit = memchr(digits, s.data[i], sizeof(digits) - 1);
        if (digit == NULL) {
            return false;
        }

        *id = *id << 4 | (uint64_t) (digit - digits);
    }

    return true;
}


static int
query_before(cardfeed_query_t *query, int which, cardfeed_str_t value,
    uint32_t max_limit, cardfeed_error_t *err)
{
    cardfeed_str_t id;
    cardfeed_position_t before;

    (void) which;
    (void) max_limit;

    cardfeed_str_cut(&value, '.', &id);

    if (!query_time(value, &before.published) || !query_id(id, &before.id)) {
        return cardfeed_error_set(err, CARDFEED_INVALID, 0,
            "before: only a cursor TIME.ID of a feed's own links is allowed");
    }

    query->before = before;
    query->has_before = true;

    return CARDFEED_OK;
}


static int
query_from(cardfeed_query_t *query, int which, cardfeed_str_t value,
    uint32_t max_limit, cardfeed_error_t *err)
{
    (void) which;
    (void) max_limit;

    if (value.len > CARDFEED_SLUG_MAX) {
        return cardfeed_error_set(err, CARDFEED_INVALID, 0,
            "from: only a topic's slug is allowed");
    }

    query->from = cardfeed_arena_dup(query->arena, value);

    return query->from.data != NULL
        ? CARDFEED_OK
        : cardfeed_error_set(err, CARDFEED_NOMEM, 0, "out of memory");
}


static int
query_month(cardfeed_query_t *query, int which, cardfeed_str_t value,
    uint32_t max_limit, cardfeed_error_t *err)
{
    (void) which;
    (void) max_limit;

    query->month = 0;

    if (value.len != 0
        && cardfeed_date_month_parse(value, &query->month) != CARDFEED_OK)
    {
        return cardfeed_error_set(err, CARDFEED_INVALID, 0,
            "month: only YYYY-MM is allowed");
    }

    return CARDFEED_OK;
}


static int
query_filter(cardfeed_query_t *query, int which, cardfeed_str_t value,
    uint32_t max_limit, cardfeed_error_t *err)
{
    (void) max_limit;

    return cardfeed_query_list(query, which, value, err);
}


static int
query_least(cardfeed_query_t *query, int which, cardfeed_str_t value,
    uint32_t max_limit, cardfeed_error_t *err)
{
    (void) max_limit;

    return cardfeed_query_least(query, which, value, err);
}


static int
query_since(cardfeed_query_t *query, int which, cardfeed_str_t value,
    uint32_t max_limit, cardfeed_error_t *err)
{
    (void) which;
    (void) max_limit;

    return cardfeed_query_since(query, value, err);
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

    if (rc != CARDFEED_OK) {
        return cardfeed_error_set(err, rc, 0, "out of memory");
    }

    if (value.len > CARDFEED_QUERY_MAX) {
        return cardfeed_error_set(err, CARDFEED_INVALID, 0,
            "%s: longer than %d bytes", arg->name.data, CARDFEED_QUERY_MAX);
    }

    cardfeed_buf_reset(buf);

    rc = cardfeed_url_decode(buf, value, true);
    if (rc == CARDFEED_INVALID) {
        return cardfeed_error_set(err, rc, 0, "%s: broken percent-encoding",
            arg->name.data);
    }

    if (rc != CARDFEED_OK) {
        return cardfeed_error_set(err, rc, 0, "out of memory");
    }

    return arg->set(query, arg->which, cardfeed_buf_view(buf), max_limit,
        err);
}


cardfeed_page_t
cardfeed_query_page(const cardfeed_query_t *query)
{
    cardfeed_page_t page;

    page = (cardfeed_page_t){.month = query->month};

    if (query->has_before) {
        page.has_before = true;
        page.before = query->before;
    }

    return page;
}


cardfeed_position_t
cardfeed_query_month_top(uint32_t month)
{
    return (cardfeed_position_t){
        .published = cardfeed_date_month_start(month + 1),
        .id = UINT64_MAX,
    };
}


cardfeed_query_t
cardfeed_query_window(const cardfeed_query_t *query)
{
    int64_t start;
    cardfeed_query_t window;

    window = *query;

    if (query->month == 0) {
        return window;
    }

    window.month = 0;
    start = cardfeed_date_month_start(query->month);

    if (query->since == CARDFEED_NO_TIME || query->since < start) {
        window.since = start;
    }

    if (!query->has_before) {
        window.has_before = true;
        window.before = cardfeed_query_month_top(query->month);
    }

    return window;
}


/* A place before the whole month says nothing in it. */
static void
query_settle(cardfeed_query_t *query)
{
    if (query->month != 0 && query->has_before
        && query->before.published
            >= cardfeed_date_month_start(query->month + 1))
    {
        query->has_before = false;
    }
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
        cardfeed_str_cut(&name, '&', &rest);
        cardfeed_str_cut(&name, '=', &value);
        rc = query_set_arg(&changed, name, value, max_limit, &buf, err);
    }

    if (rc == CARDFEED_OK) {
        query_settle(&changed);
        *query = changed;
    }

    cardfeed_buf_free(&buf);

    return rc;
}
