/*
 * select: a selection → cards, newest first.
 *
 * Ownership: the array lies in the caller's arena, the records it views in
 *   the read transaction: render before it ends.
 * Threads: that of the read transaction.
 * Limits: reads at most limit + 1 rows and limit cards, and those hidden
 *   ones the indexer has not worked off yet (expired since its last commit),
 *   at most CARDFEED_SELECT_SKIP of them.
 * Errors: CARDFEED_NOTFOUND: a topic no published card has ever named.
 */

#ifndef CARDFEED_SELECT_H
#define CARDFEED_SELECT_H

#include <cardfeed/query.h>
#include <cardfeed/record.h>
#include <cardfeed/store.h>

#define CARDFEED_SELECT_SKIP 1000

typedef struct {
    cardfeed_topic_t topic;
    cardfeed_record_t *cards;
    size_t ncards;
    bool more;                  /* older cards exist */
    cardfeed_position_t next;   /* the last card taken, when more */
    int64_t changed_at;         /* maximum over the topics involved */
    uint64_t change;
    int64_t updated;  /* newest updated of the cards; an empty selection:
                         of the newest of all; NO_TIME: no card at all */
    int64_t next_due; /* the collection's next scheduled time, or NO_TIME */
} cardfeed_selection_t;

int cardfeed_select(cardfeed_read_t *read, const cardfeed_query_t *query,
    uint32_t limit, int64_t now, cardfeed_arena_t *arena,
    cardfeed_selection_t *out, cardfeed_error_t *err);

#endif /* CARDFEED_SELECT_H */
