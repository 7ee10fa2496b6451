/*
 * select: a selection → cards, newest first.
 *
 * Ownership: the array lies in the caller's arena, the records it views in
 *   the read transaction: render before it ends.
 * Threads: that of the read transaction.
 * Limits: reads at most about CARDFEED_SELECT_ROWS rows of the index,
 *   whatever the selection, and limit cards, and those hidden ones the
 *   indexer has not worked off yet (expired since its last commit), at most
 *   CARDFEED_SELECT_SKIP of them.  A selection that meets a limit returns
 *   what it has, and where to go on from.
 * Errors: CARDFEED_NOTFOUND: a topic no published card has ever named, in
 *   any term, also one that does not matter ("all,a").
 */

#ifndef CARDFEED_SELECT_H
#define CARDFEED_SELECT_H

#include <cardfeed/query.h>
#include <cardfeed/record.h>
#include <cardfeed/store.h>

#define CARDFEED_SELECT_SKIP 1000

/* About 2 ms.  A jump to a position counts as CARDFEED_SELECT_JUMP rows. */
#define CARDFEED_SELECT_ROWS 64000
#define CARDFEED_SELECT_JUMP 8

typedef struct {
    cardfeed_topic_t topic;         /* of "all" and of a single topic; else
                                       its id is CARDFEED_SELECT_MANY */
    const cardfeed_topic_t *topics; /* of all terms of the query, in order */
    size_t ntopics;
    cardfeed_record_t *cards;
    size_t ncards;
    bool more;                  /* older cards exist, or may when bounded */
    bool bounded;               /* CARDFEED_SELECT_ROWS were read */
    cardfeed_position_t next;   /* when more: the last card taken, or the
                                   last row looked at when bounded */
    int64_t changed_at;         /* maximum over the terms' topics, and all
                                   where an alternative is purely negative */
    uint64_t change;
    int64_t updated;  /* newest updated of the cards; an empty selection:
                         of the newest of all; NO_TIME: no card at all */
    int64_t next_due; /* the collection's next scheduled time, or NO_TIME */
} cardfeed_selection_t;

#define CARDFEED_SELECT_MANY UINT32_MAX

int cardfeed_select(cardfeed_read_t *read, const cardfeed_query_t *query,
    uint32_t limit, int64_t now, cardfeed_arena_t *arena,
    cardfeed_selection_t *out, cardfeed_error_t *err);

/*
 * The selection in words, with the topics' names: "A and B", "A or not B".
 * selection is what cardfeed_select() made of query, in the same read.  At
 * most about CARDFEED_SELECT_WORDS bytes and one name; "…" at the end then.
 */
#define CARDFEED_SELECT_WORDS 240
int cardfeed_select_words(const cardfeed_query_t *query,
    const cardfeed_selection_t *selection, cardfeed_buf_t *out);

#endif /* CARDFEED_SELECT_H */
