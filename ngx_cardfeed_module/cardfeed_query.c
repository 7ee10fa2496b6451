/* query: the text of a path → one canonical selection of topics. */

#include "cardfeed_query_private.h"

#include <stdlib.h>
#include <string.h>

#define ALL CARDFEED_STR("all")

#define QUERY_NAMED (CARDFEED_QUERY_ALTERNATIVES * CARDFEED_QUERY_TERMS)

typedef struct {
    cardfeed_term_t terms[CARDFEED_QUERY_TERMS];
    size_t n;
} query_and_t;

/* A selection on its way to its canonical form. */
typedef struct {
    query_and_t any[CARDFEED_QUERY_ALTERNATIVES];
    size_t n;
    cardfeed_str_t named[QUERY_NAMED]; /* all but "all" */
    size_t nnamed;
} query_or_t;

static const cardfeed_terms_t query_all = {.terms = NULL, .nterms = 0};


static int
query_compare(const void *a, const void *b)
{
    int rc;
    const cardfeed_term_t *x = a, *y = b;

    rc = cardfeed_str_cmp(x->name, y->name);

    return rc ? rc : x->negative - y->negative;
}


size_t
cardfeed_query_sort(cardfeed_term_t *terms, size_t n)
{
    size_t i, kept;

    qsort(terms, n, sizeof(*terms), query_compare);

    for (i = 0, kept = 0; i < n; i++) {
        if (kept == 0 || query_compare(&terms[kept - 1], &terms[i]) != 0) {
            terms[kept++] = terms[i];
        }
    }

    return kept;
}


void
cardfeed_query_positive_first(cardfeed_term_t *terms, size_t n)
{
    size_t i, positive, negative;
    cardfeed_term_t others[CARDFEED_QUERY_TERMS] = {0};

    for (i = 0, positive = 0, negative = 0; i < n; i++) {
        if (terms[i].negative) {
            others[negative++] = terms[i];
        } else {
            terms[positive++] = terms[i];
        }
    }

    for (i = 0; i < negative; i++) {
        terms[positive + i] = others[i];
    }
}


bool
cardfeed_query_keep(cardfeed_arena_t *arena, cardfeed_terms_t *out,
    const cardfeed_term_t *terms, size_t n)
{
    cardfeed_term_t *copy;

    *out = (cardfeed_terms_t){.terms = NULL, .nterms = 0};

    if (n == 0) {
        return true;
    }

    copy = cardfeed_arena_alloc(arena, n * sizeof(*copy));
    if (copy == NULL) {
        return false;
    }

    memcpy(copy, terms, n * sizeof(*copy));
    out->terms = copy;
    out->nterms = n;

    return true;
}


void
cardfeed_query_init(cardfeed_query_t *query, cardfeed_arena_t *arena)
{
    *query = (cardfeed_query_t){.arena = arena, .alternatives = &query_all,
        .nalternatives = 1, .since = CARDFEED_NO_TIME};
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


/* name's slug in buf. */
static int
query_slug(cardfeed_buf_t *buf, cardfeed_str_t name)
{
    if (name.len == 0 || name.len > CARDFEED_QUERY_MAX
        || cardfeed_utf8_check(name) != name.len)
    {
        return CARDFEED_NOTFOUND;
    }

    cardfeed_buf_reset(buf);

    return cardfeed_text_slug(buf, name);
}


/* One alternative as it is written; "all" may be a term. */
static int
query_parse_and(query_and_t *and, cardfeed_str_t text, cardfeed_buf_t *buf)
{
    int rc;
    bool more;
    cardfeed_str_t rest;
    cardfeed_term_t *term;

    and->n = 0;

    do {
        more = cardfeed_str_cut(&text, '+', &rest);

        if (and->n == CARDFEED_QUERY_TERMS) {
            return CARDFEED_NOTFOUND;
        }

        term = &and->terms[and->n++];
        term->negative = text.len && text.data[0] == '!';
        term->name.data = text.data + term->negative;
        term->name.len = text.len - term->negative;

        if (!cardfeed_str_eq(term->name, ALL)) {
            rc = query_slug(buf, term->name);
            if (rc != CARDFEED_OK) {
                return rc;
            }

            if (!cardfeed_str_eq(cardfeed_buf_view(buf), term->name)) {
                return CARDFEED_NOTFOUND;
            }
        }

        text = rest;

    } while (more);

    return CARDFEED_OK;
}


/* What is left of an alternative; false: nothing can be in it. */
static bool
query_simplify(query_and_t *and)
{
    size_t i, kept;

    and->n = cardfeed_query_sort(and->terms, and->n);

    for (i = 0, kept = 0; i < and->n; i++) {
        if (cardfeed_str_eq(and->terms[i].name, ALL)) {
            if (and->terms[i].negative) {
                return false;
            }
            continue;
        }

        if (kept && cardfeed_str_eq(and->terms[kept - 1].name,
                and->terms[i].name))
        {
            return false;
        }

        and->terms[kept++] = and->terms[i];
    }

    and->n = kept;
    cardfeed_query_positive_first(and->terms, kept);

    return true;
}


static int
query_compare_and(const void *a, const void *b)
{
    size_t i;
    int rc;
    const query_and_t *x = a, *y = b;

    for (i = 0; i < x->n && i < y->n; i++) {
        rc = x->terms[i].negative - y->terms[i].negative;
        if (rc == 0) {
            rc = cardfeed_str_cmp(x->terms[i].name, y->terms[i].name);
        }
        if (rc != 0) {
            return rc;
        }
    }

    return (x->n > y->n) - (x->n < y->n);
}


static int
query_parse_or(query_or_t *or, cardfeed_str_t text, cardfeed_buf_t *buf)
{
    int rc;
    bool more;
    size_t i, read;
    query_and_t *and;
    cardfeed_str_t rest;

    or->n = 0;
    or->nnamed = 0;
    read = 0;

    do {
        more = cardfeed_str_cut(&text, ',', &rest);

        if (read++ == CARDFEED_QUERY_ALTERNATIVES) {
            return CARDFEED_NOTFOUND;
        }

        and = &or->any[or->n];

        rc = query_parse_and(and, text, buf);
        if (rc != CARDFEED_OK) {
            return rc;
        }

        for (i = 0; i < and->n; i++) {
            if (!cardfeed_str_eq(and->terms[i].name, ALL)) {
                or->named[or->nnamed++] = and->terms[i].name;
            }
        }

        or->n += query_simplify(and);
        text = rest;

    } while (more);

    return CARDFEED_OK;
}


/* Alternatives sorted, each once; "all" leaves no other. */
static void
query_simplify_or(query_or_t *or)
{
    size_t i, kept;

    qsort(or->any, or->n, sizeof(or->any[0]), query_compare_and);

    if (or->n && or->any[0].n == 0) {
        or->n = 1;
        return;
    }

    for (i = 0, kept = 0; i < or->n; i++) {
        if (kept == 0
            || query_compare_and(&or->any[kept - 1], &or->any[i]) != 0)
        {
            or->any[kept++] = or->any[i];
        }
    }

    or->n = kept;
}


static int
query_compare_str(const void *a, const void *b)
{
    return cardfeed_str_cmp(*(const cardfeed_str_t *) a,
        *(const cardfeed_str_t *) b);
}


/* Leaves in named, sorted, what no alternative names any more. */
static void
query_dropped(query_or_t *or)
{
    size_t i, j, used, kept;
    cardfeed_str_t left[QUERY_NAMED] = {0};
    const cardfeed_str_t *name;

    for (i = 0, used = 0; i < or->n; i++) {
        for (j = 0; j < or->any[i].n; j++) {
            left[used++] = or->any[i].terms[j].name;
        }
    }

    qsort(left, used, sizeof(left[0]), query_compare_str);
    qsort(or->named, or->nnamed, sizeof(or->named[0]), query_compare_str);

    for (i = 0, kept = 0; i < or->nnamed; i++) {
        name = &or->named[i];

        if ((kept == 0 || !cardfeed_str_eq(or->named[kept - 1], *name))
            && (used == 0
                || bsearch(name, left, used, sizeof(left[0]),
                    query_compare_str) == NULL))
        {
            or->named[kept++] = *name;
        }
    }

    or->nnamed = kept;
}


/* The names are in the arena already. */
static int
query_store(cardfeed_query_t *query, const query_or_t *or)
{
    size_t i;
    cardfeed_str_t *dropped = NULL;
    cardfeed_terms_t *alternatives;

    alternatives = cardfeed_arena_alloc(query->arena,
        (or->n + 1) * sizeof(*alternatives));
    if (alternatives == NULL) {
        return CARDFEED_NOMEM;
    }

    for (i = 0; i < or->n; i++) {
        if (!cardfeed_query_keep(query->arena, &alternatives[i],
                or->any[i].terms, or->any[i].n))
        {
            return CARDFEED_NOMEM;
        }
    }

    if (or->nnamed) {
        dropped = cardfeed_arena_alloc(query->arena,
            or->nnamed * sizeof(*dropped));
        if (dropped == NULL) {
            return CARDFEED_NOMEM;
        }
        memcpy(dropped, or->named, or->nnamed * sizeof(*dropped));
    }

    query->alternatives = alternatives;
    query->nalternatives = or->n;
    query->dropped = dropped;
    query->ndropped = or->nnamed;

    return CARDFEED_OK;
}


static void
query_set_all(cardfeed_query_t *query)
{
    query->alternatives = &query_all;
    query->nalternatives = 1;
    query->dropped = NULL;
    query->ndropped = 0;
}


int
cardfeed_query_selection(cardfeed_query_t *query, cardfeed_str_t sel)
{
    int rc;
    query_or_t or;
    cardfeed_buf_t slug;

    if (cardfeed_str_eq(sel, ALL)) {
        query_set_all(query);
        return CARDFEED_OK;
    }

    if (sel.len == 0 || sel.len > CARDFEED_QUERY_MAX) {
        return CARDFEED_NOTFOUND;
    }

    cardfeed_buf_init(&slug, CARDFEED_SLUG_MAX);

    sel = cardfeed_arena_dup(query->arena, sel);
    rc = sel.data == NULL ? CARDFEED_NOMEM : query_parse_or(&or, sel, &slug);

    cardfeed_buf_free(&slug);

    if (rc != CARDFEED_OK) {
        return rc;
    }

    query_simplify_or(&or);
    query_dropped(&or);

    return query_store(query, &or);
}


int
cardfeed_query_topic(cardfeed_query_t *query, cardfeed_str_t name)
{
    int rc;
    query_or_t or;
    cardfeed_buf_t slug;

    if (name.len == 0 || cardfeed_str_caseeq(name, ALL)) {
        query_set_all(query);
        return CARDFEED_OK;
    }

    cardfeed_buf_init(&slug, CARDFEED_SLUG_MAX);

    rc = query_slug(&slug, name);

    if (rc == CARDFEED_OK) {
        name = cardfeed_arena_dup(query->arena, cardfeed_buf_view(&slug));
        rc = name.data == NULL ? CARDFEED_NOMEM : CARDFEED_OK;
    }

    cardfeed_buf_free(&slug);

    if (rc != CARDFEED_OK) {
        return rc;
    }

    or.n = 1;
    or.nnamed = 0;
    or.any[0].n = 1;
    or.any[0].terms[0] = (cardfeed_term_t){.name = name};

    return query_store(query, &or);
}


bool
cardfeed_query_is_all(const cardfeed_query_t *query)
{
    return query->nalternatives == 1 && query->alternatives[0].nterms == 0;
}


cardfeed_str_t
cardfeed_query_single(const cardfeed_query_t *query)
{
    const cardfeed_terms_t *only = query->alternatives;

    if (query->nalternatives != 1 || only->nterms != 1
        || only->terms[0].negative)
    {
        return CARDFEED_NO_STR;
    }

    return only->terms[0].name;
}
