/*
 * query: URL text → one canonical selection.
 *
 * Ownership: strings live in the arena the query was initialised with.
 * Threads: one per query.
 * Limits: a selection of more than CARDFEED_QUERY_MAX bytes, or of more than
 *   CARDFEED_QUERY_ALTERNATIVES alternatives of CARDFEED_QUERY_TERMS terms,
 *   does not exist (CARDFEED_NOTFOUND); an argument's value of more than
 *   CARDFEED_QUERY_MAX bytes, or a list of more than CARDFEED_QUERY_TERMS
 *   names, is malformed.
 * Errors: CARDFEED_NOTFOUND: no such selection (404); CARDFEED_INVALID: a
 *   known argument is malformed (400), err says which and what is allowed;
 *   unknown arguments are ignored.
 * Source of the format: DESIGN.md, "URLs".
 */

#ifndef CARDFEED_QUERY_H
#define CARDFEED_QUERY_H

#include <cardfeed/base.h>
#include <cardfeed/text.h>

#define CARDFEED_QUERY_MAX 2048
#define CARDFEED_QUERY_ALTERNATIVES 16
#define CARDFEED_QUERY_TERMS 16

/* Most that cardfeed_query_print() or _print_args() write. */
#define CARDFEED_QUERY_PRINT_MAX 32768

/* A place in the order "newest first, equal times by id". */
typedef struct {
    int64_t published;
    uint64_t id;
} cardfeed_position_t;

/* A topic's slug, or a name in a filter's list; negative: "!". */
typedef struct {
    cardfeed_str_t name;
    bool negative;
} cardfeed_term_t;

/* Positive terms first, each kind sorted bytewise, every name once. */
typedef struct {
    const cardfeed_term_t *terms;
    size_t nterms;
} cardfeed_terms_t;

/* Filters that are lists of names; compared in lower case (ASCII). */
enum {
    CARDFEED_FILTER_TYPE,
    CARDFEED_FILTER_CATEGORY,
    CARDFEED_FILTER_PROVIDER,
    CARDFEED_FILTER_AUTHOR, /* the first one of a card */
    CARDFEED_FILTERS
};

/* Filters that are least values. */
enum {
    CARDFEED_LEAST_QUALITY,
    CARDFEED_LEAST_HEAT,
    CARDFEED_LEASTS
};

typedef struct {
    cardfeed_arena_t *arena;

    /*
     * The selection in its one form: any of the alternatives, each of which
     * is all of its terms, sorted.  "all" is one alternative without terms;
     * no alternative at all is the empty selection, "!all".
     */
    const cardfeed_terms_t *alternatives;
    size_t nalternatives;

    /* Topics that were named and are not in that form any more ("a" of
     * "a+!a"): a selection exists only if they do.  Sorted. */
    const cardfeed_str_t *dropped;
    size_t ndropped;

    /* A list with a positive name asks for one of the positive names; what
     * is left of negative ones then is a contradiction ("x,!x"). */
    cardfeed_terms_t filters[CARDFEED_FILTERS];
    bool has_least[CARDFEED_LEASTS];
    int32_t least[CARDFEED_LEASTS];
    int64_t since;  /* published then or later; NO_TIME: whenever */

    uint32_t limit; /* entries asked for; 0: the default */
    uint32_t month; /* archive; 0: none */
    bool has_before;
    cardfeed_position_t before;

    cardfeed_str_t from; /* the catalogue's topics from this slug on; empty:
                            from the first.  Feeds do not know it. */
} cardfeed_query_t;

/* A document of a selection: the first page, an older one, an archive. */
typedef struct {
    uint32_t month; /* 0: no archive */
    bool has_before;
    cardfeed_position_t before;
} cardfeed_page_t;

void cardfeed_query_init(cardfeed_query_t *query, cardfeed_arena_t *arena);

/* "canvas-apps.atom" → "canvas-apps" and "atom", both pieces of path;
 * NOTFOUND without a format or with a slash in it.  path is
 * percent-decoded. */
int cardfeed_query_split(cardfeed_str_t path, cardfeed_str_t *selection,
    cardfeed_str_t *format);

/* SEL, percent-decoded: "a+b" both, "a,b" either, "!a" not, "+" binds tighter
 * than ","; "all" or topics' slugs, exactly as slugs are.  On failure the
 * query stays as it was. */
int cardfeed_query_selection(cardfeed_query_t *query, cardfeed_str_t sel);

/* One topic by its name or slug; "all" (any case) and "" are all. */
int cardfeed_query_topic(cardfeed_query_t *query, cardfeed_str_t name);

/* "limit=10&before=…", still percent-encoded, "+" is a space; may be called
 * again, a later value wins.  limit over max_limit becomes max_limit.  A
 * filter without a value is no filter.  A list's commas separate also when
 * they are percent-encoded. */
int cardfeed_query_args(cardfeed_query_t *query, cardfeed_str_t args,
    uint32_t max_limit, cardfeed_error_t *err);

/* Whether an argument of this (still encoded) name means anything here. */
bool cardfeed_query_knows(cardfeed_str_t name);

bool cardfeed_query_is_all(const cardfeed_query_t *query);

/* The only topic of the selection, or CARDFEED_NO_STR. */
cardfeed_str_t cardfeed_query_single(const cardfeed_query_t *query);

bool cardfeed_query_is_filtered(const cardfeed_query_t *query);

/* The canonical SEL ("all", "a+b,c+!d"), not percent-encoded. */
int cardfeed_query_print_selection(const cardfeed_query_t *query,
    cardfeed_buf_t *out);

/* The canonical selection and filters: what a feed's id is made of
 * ("canvas-apps", "a+b?type=video").  Filters are percent-encoded. */
int cardfeed_query_print(const cardfeed_query_t *query, cardfeed_buf_t *out);

/* The canonical arguments of one of the query's pages, filters last, with a
 * "?" in front, nothing when all are default; page: NULL for the first. */
int cardfeed_query_print_args(const cardfeed_query_t *query,
    uint32_t default_limit, const cardfeed_page_t *page,
    cardfeed_buf_t *out);

/* The page a query asks for. */
cardfeed_page_t cardfeed_query_page(const cardfeed_query_t *query);

/* The place before all cards of the month. */
cardfeed_position_t cardfeed_query_month_top(uint32_t month);

/* The same cards asked for without a month: before and since say it. */
cardfeed_query_t cardfeed_query_window(const cardfeed_query_t *query);

#endif /* CARDFEED_QUERY_H */
