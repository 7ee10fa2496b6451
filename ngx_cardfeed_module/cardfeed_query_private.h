/*
 * query, inside: what its files share.
 */

#ifndef CARDFEED_QUERY_PRIVATE_H
#define CARDFEED_QUERY_PRIVATE_H

#include <cardfeed/query.h>

/* 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z */
#define CARDFEED_QUERY_FIRST INT64_C(-62135596800)
#define CARDFEED_QUERY_LAST INT64_C(253402300799)

/* The names of filters, in the order they are printed. */
extern const cardfeed_str_t cardfeed_query_filters[CARDFEED_FILTERS];
extern const cardfeed_str_t cardfeed_query_leasts[CARDFEED_LEASTS];
#define CARDFEED_QUERY_SINCE CARDFEED_STR("since")

/* Sorts by name, a positive term before its negative; drops duplicates. */
size_t cardfeed_query_sort(cardfeed_term_t *terms, size_t n);

/* Moves the positive ones of sorted terms to the front. */
void cardfeed_query_positive_first(cardfeed_term_t *terms, size_t n);

/* Into the arena; false: out of memory. */
bool cardfeed_query_keep(cardfeed_arena_t *arena, cardfeed_terms_t *out,
    const cardfeed_term_t *terms, size_t n);

/* The value of a filter, decoded.  CARDFEED_INVALID sets err. */
int cardfeed_query_list(cardfeed_query_t *query, int which,
    cardfeed_str_t value, cardfeed_error_t *err);
int cardfeed_query_least(cardfeed_query_t *query, int which,
    cardfeed_str_t value, cardfeed_error_t *err);
int cardfeed_query_since(cardfeed_query_t *query, cardfeed_str_t value,
    cardfeed_error_t *err);

#endif /* CARDFEED_QUERY_PRIVATE_H */
