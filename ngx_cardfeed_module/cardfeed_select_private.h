/*
 * select, inside: ordered rows of several topics, merged.
 *
 * Every alternative is a branch, every term of it a source, a cursor over
 * its topic.  A branch stands on the row of its leading source, the rarest
 * positive one (or all), which is a candidate until the others have been
 * asked.  The branch on the newest candidate is always the one that goes on:
 * what is newer than that has been decided for all of them.
 */

#ifndef CARDFEED_SELECT_PRIVATE_H
#define CARDFEED_SELECT_PRIVATE_H

#include <cardfeed/select.h>

typedef struct {
    cardfeed_cursor_t *cursor;
    cardfeed_row_t row;
    uint32_t topic;
    uint32_t count; /* cards of the topic */
    uint32_t place; /* of its term in the alternative */
    bool started;
    bool ended;
} cardfeed_source_t;

typedef struct {
    cardfeed_source_t *sources; /* positive ones first, the rarest leads */
    size_t npositive;           /* 1 or more */
    size_t nsources;
    bool matched;               /* the candidate is in the selection */
} cardfeed_branch_t;

/* Numbers of names; any: one of them is asked for, else none may be. */
typedef struct {
    uint32_t number[CARDFEED_QUERY_TERMS];
    size_t n;
    bool any;
} cardfeed_select_names_t;

typedef struct {
    cardfeed_read_t *read;
    const cardfeed_query_t *query;
    cardfeed_select_names_t names[CARDFEED_FILTERS];
    bool filtered;
    bool nothing; /* no row can pass */
    cardfeed_branch_t branches[CARDFEED_QUERY_ALTERNATIVES];
    size_t nbranches;
    int64_t budget; /* rows left */
    bool looked;
    cardfeed_position_t last; /* the row that was looked at last */
} cardfeed_merge_t;

/* topics: one for each term of the query, in order.  rows: the budget.  The
 * cursors are open until cardfeed_merge_close(), to be called also after a
 * failure; the query is used until then. */
int cardfeed_merge_open(cardfeed_merge_t *merge, cardfeed_read_t *read,
    const cardfeed_query_t *query, const cardfeed_topic_t *topics,
    int64_t rows, cardfeed_arena_t *arena);
void cardfeed_merge_close(cardfeed_merge_t *merge);

/*
 * To the newest row of the selection, merge->last; it stays until it is
 * passed.  CARDFEED_NOTFOUND: there is none, or it is older than the query's
 * since.  CARDFEED_BUSY: rows are used up; last was looked at, no more.
 */
int cardfeed_merge_match(cardfeed_merge_t *merge);

/* Behind the row found last. */
int cardfeed_merge_pass(cardfeed_merge_t *merge);

/* To the rows older than that place. */
int cardfeed_merge_jump(cardfeed_merge_t *merge, cardfeed_position_t at);

/* Whether filters let the row pass. */
bool cardfeed_merge_admits(const cardfeed_merge_t *merge,
    const cardfeed_row_t *row);
int cardfeed_merge_filter(cardfeed_merge_t *merge);

/* What is told of a result of the store's. */
int cardfeed_select_result(int rc, cardfeed_error_t *err);

static inline bool
cardfeed_row_is_at(const cardfeed_row_t *row, cardfeed_position_t at)
{
    return row->published == at.published && row->id == at.id;
}

static inline bool
cardfeed_position_is_newer(cardfeed_position_t a, cardfeed_position_t than)
{
    return a.published != than.published ? a.published > than.published
                                         : a.id < than.id;
}

static inline bool
cardfeed_row_is_newer(const cardfeed_row_t *row, cardfeed_position_t at)
{
    return cardfeed_position_is_newer(
        (cardfeed_position_t){.published = row->published, .id = row->id},
        at);
}

static inline cardfeed_position_t
cardfeed_row_position(const cardfeed_row_t *row)
{
    return (cardfeed_position_t){.published = row->published, .id = row->id};
}

#endif /* CARDFEED_SELECT_PRIVATE_H */
