/*
 * query: URL text → one canonical selection.
 *
 * Ownership: strings live in the arena the query was initialised with.
 * Threads: one per query.
 * Limits: a selection of more than CARDFEED_QUERY_MAX bytes does not exist
 *   (CARDFEED_NOTFOUND); an argument's value of more than that is malformed.
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

/* A place in the order "newest first, equal times by id". */
typedef struct {
    int64_t published;
    uint64_t id;
} cardfeed_position_t;

typedef struct {
    cardfeed_arena_t *arena;
    cardfeed_str_t topic; /* slug; "all" */
    uint32_t limit;       /* entries asked for; 0: the default */
    bool has_before;
    cardfeed_position_t before;
} cardfeed_query_t;

void cardfeed_query_init(cardfeed_query_t *query, cardfeed_arena_t *arena);

/* "canvas-apps.atom" → "canvas-apps" and "atom", both pieces of path; NOTFOUND
 * without a format or with a slash in it.  path is percent-decoded. */
int cardfeed_query_split(cardfeed_str_t path, cardfeed_str_t *selection,
    cardfeed_str_t *format);

/* SEL, percent-decoded: "all" or a topic's slug, exactly as slugs are. */
int cardfeed_query_selection(cardfeed_query_t *query, cardfeed_str_t sel);

/* One topic by its name or slug; "all" (any case) and "" are all. */
int cardfeed_query_topic(cardfeed_query_t *query, cardfeed_str_t name);

/* "limit=10&before=…", still percent-encoded; may be called again, a later
 * value wins.  limit over max_limit becomes max_limit. */
int cardfeed_query_args(cardfeed_query_t *query, cardfeed_str_t args,
    uint32_t max_limit, cardfeed_error_t *err);

/* Whether an argument of this (still encoded) name means anything here. */
bool cardfeed_query_knows(cardfeed_str_t name);

/* The canonical selection: what a feed's id is made of ("canvas-apps"). */
int cardfeed_query_print(const cardfeed_query_t *query, cardfeed_buf_t *out);

/* The canonical arguments with a "?" in front, nothing when all are default;
 * before: NULL for the first page. */
int cardfeed_query_print_args(const cardfeed_query_t *query,
    uint32_t default_limit, const cardfeed_position_t *before,
    cardfeed_buf_t *out);

#endif /* CARDFEED_QUERY_H */
