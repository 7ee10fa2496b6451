/* query: the values of filters, each in one form. */

#include "cardfeed_query_private.h"

#include <string.h>

#define DATE_LEN 10    /* 2020-07-14 */
#define SECONDS_LEN 19 /* 2020-07-14T19:45:00 */

const cardfeed_str_t cardfeed_query_filters[CARDFEED_FILTERS] = {
    [CARDFEED_FILTER_TYPE] = CARDFEED_STR("type"),
    [CARDFEED_FILTER_CATEGORY] = CARDFEED_STR("category"),
    [CARDFEED_FILTER_PROVIDER] = CARDFEED_STR("provider"),
    [CARDFEED_FILTER_AUTHOR] = CARDFEED_STR("author"),
};

const cardfeed_str_t cardfeed_query_leasts[CARDFEED_LEASTS] = {
    [CARDFEED_LEAST_QUALITY] = CARDFEED_STR("min_quality"),
    [CARDFEED_LEAST_HEAT] = CARDFEED_STR("min_heat"),
};


/* A name as cards' names are kept, in lower case, in the arena; "!" counts
 * once all that names cannot hold is out of its way. */
static int
query_name(cardfeed_arena_t *arena, cardfeed_str_t text,
    cardfeed_term_t *term)
{
    int rc;
    size_t i;
    cardfeed_buf_t buf;

    cardfeed_buf_init(&buf, 3 * CARDFEED_QUERY_MAX);

    rc = cardfeed_text_plain(&buf, text, 0);

    for (i = 0; i < buf.len; i++) {
        if (buf.data[i] >= 'A' && buf.data[i] <= 'Z') {
            buf.data[i] = (char) (buf.data[i] - 'A' + 'a');
        }
    }

    if (rc == CARDFEED_OK) {
        text = cardfeed_buf_view(&buf);
        term->negative = text.len > 0 && text.data[0] == '!';
        text.data += term->negative;
        text.len -= term->negative;

        term->name = cardfeed_arena_dup(arena, cardfeed_str_trim(text));
        rc = term->name.data == NULL ? CARDFEED_NOMEM : CARDFEED_OK;
    }

    cardfeed_buf_free(&buf);

    return rc;
}


/*
 * "x,y,!z" is "x,y"; "x,y,!y" is "x"; "x,!x" lets nothing pass and stays.
 * What is left is positive or negative, or that.
 */
static size_t
query_simplify(cardfeed_term_t *terms, size_t n)
{
    size_t i, kept;
    bool positive;
    cardfeed_term_t none[2];

    n = cardfeed_query_sort(terms, n);
    positive = false;

    for (i = 0, kept = 0; i < n; i++) {
        if (terms[i].negative) {
            continue;
        }

        if (i + 1 < n && cardfeed_str_eq(terms[i].name, terms[i + 1].name)) {
            if (!positive) {
                none[0] = terms[i];
                none[1] = terms[i + 1];
            }
            positive = true;
            i++;
            continue;
        }

        positive = true;
        terms[kept++] = terms[i];
    }

    if (!positive) {
        return n;
    }

    if (kept == 0) {
        memcpy(terms, none, sizeof(none));
        kept = 2;
    }

    return kept;
}


int
cardfeed_query_list(cardfeed_query_t *query, int which, cardfeed_str_t value,
    cardfeed_error_t *err)
{
    int rc;
    bool more;
    size_t n;
    cardfeed_str_t rest;
    cardfeed_term_t terms[CARDFEED_QUERY_TERMS];

    n = 0;

    for (more = value.len != 0; more; value = rest) {
        more = cardfeed_str_cut(&value, ',', &rest);

        if (n == CARDFEED_QUERY_TERMS) {
            return cardfeed_error_set(err, CARDFEED_INVALID, 0,
                "%s: more than %d names", cardfeed_query_filters[which].data,
                CARDFEED_QUERY_TERMS);
        }

        rc = query_name(query->arena, value, &terms[n]);
        if (rc != CARDFEED_OK) {
            return cardfeed_error_set(err, rc, 0, "out of memory");
        }

        if (terms[n++].name.len == 0) {
            return cardfeed_error_set(err, CARDFEED_INVALID, 0,
                "%s: a name is missing", cardfeed_query_filters[which].data);
        }
    }

    n = query_simplify(terms, n);

    if (!cardfeed_query_keep(query->arena, &query->filters[which], terms, n)) {
        return cardfeed_error_set(err, CARDFEED_NOMEM, 0, "out of memory");
    }

    return CARDFEED_OK;
}


int
cardfeed_query_least(cardfeed_query_t *query, int which, cardfeed_str_t value,
    cardfeed_error_t *err)
{
    size_t i;
    int64_t n;
    bool minus;

    query->has_least[which] = value.len != 0;
    if (value.len == 0) {
        return CARDFEED_OK;
    }

    minus = value.data[0] == '-';
    n = 0;

    for (i = minus; i < value.len; i++) {
        if (value.data[i] < '0' || value.data[i] > '9') {
            break;
        }

        n = n * 10 + (value.data[i] - '0');

        if (n > INT32_MAX) {
            n = INT32_MAX;
        }
    }

    if (i != value.len || i == (size_t) minus) {
        return cardfeed_error_set(err, CARDFEED_INVALID, 0,
            "%s: only a whole number is allowed",
            cardfeed_query_leasts[which].data);
    }

    query->least[which] = (int32_t) (minus ? -n : n);

    return CARDFEED_OK;
}


/* s is YYYY-MM-DD, or that with a time of day and a zone as RFC 3339 wants
 * them; what the parts hold is asked elsewhere. */
static bool
query_is_rfc3339(cardfeed_str_t s)
{
    static const char date[] = "dddd-dd-ddTdd:dd:dd", zone[] = "zdd:dd";

    size_t i, left;
    const char *p, *pattern;

    if (s.len != DATE_LEN && s.len <= SECONDS_LEN) {
        return false;
    }

    left = s.len == DATE_LEN ? DATE_LEN : SECONDS_LEN;

    for (i = 0, p = s.data, pattern = date; i < left; i++, p++, pattern++) {
        if (*pattern == 'd' ? *p < '0' || *p > '9'
            : *pattern == 'T' ? *p != 'T' && *p != 't' && *p != ' '
                              : *p != *pattern)
        {
            return false;
        }
    }

    if (s.len == DATE_LEN) {
        return true;
    }

    if (*p == '.') {
        for (p++; p < s.data + s.len && *p >= '0' && *p <= '9'; p++) {
            /* void */
        }
    }

    left = (size_t) (s.data + s.len - p);

    if (left == 1) {
        return *p == 'Z' || *p == 'z';
    }

    if (left != sizeof(zone) - 1 || (*p != '+' && *p != '-')) {
        return false;
    }

    for (i = 1; i < left; i++) {
        if (zone[i] == 'd' ? p[i] < '0' || p[i] > '9' : p[i] != zone[i]) {
            return false;
        }
    }

    return true;
}


int
cardfeed_query_since(cardfeed_query_t *query, cardfeed_str_t value,
    cardfeed_error_t *err)
{
    int64_t since;

    if (value.len == 0) {
        query->since = CARDFEED_NO_TIME;
        return CARDFEED_OK;
    }

    if (!query_is_rfc3339(value)
        || cardfeed_date_parse(value, 0, &since) != CARDFEED_OK)
    {
        return cardfeed_error_set(err, CARDFEED_INVALID, 0,
            "since: only YYYY-MM-DD or an RFC 3339 time is allowed");
    }

    if (since < CARDFEED_QUERY_FIRST) {
        since = CARDFEED_QUERY_FIRST;
    } else if (since > CARDFEED_QUERY_LAST) {
        since = CARDFEED_QUERY_LAST;
    }

    query->since = since;

    return CARDFEED_OK;
}
