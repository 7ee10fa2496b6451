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
    bool on_all;                /* an alternative is purely negative, or
                                   nothing was selected: then any card may
                                   change the document */
    int64_t changed_at;         /* maximum over the terms' topics, and all
                                   where that is so */
    uint64_t change;
    int64_t left;               /* rows of CARDFEED_SELECT_ROWS not read */
    int64_t updated;  /* newest updated of the cards; an empty selection:
                         of the newest of all; NO_TIME: no card at all */
    int64_t next_due; /* the collection's next scheduled time, or NO_TIME */
} cardfeed_selection_t;

#define CARDFEED_SELECT_MANY UINT32_MAX

int cardfeed_select(cardfeed_read_t *read, const cardfeed_query_t *query,
    uint32_t limit, int64_t now, cardfeed_arena_t *arena,
    cardfeed_selection_t *out, cardfeed_error_t *err);

/* The highest change number of topics, by their slugs.  CARDFEED_NOTFOUND:
 * one of them is not there (any more). */
int cardfeed_select_change(cardfeed_read_t *read, const cardfeed_str_t *slugs,
    size_t nslugs, uint64_t *change);

/*
 * The documents before and behind one in the chain of archives (RFC 5005,
 * section 4), each of at most limit cards.  Who follows prev from the first
 * page meets every card at least once, whatever is added or removed meanwhile;
 * who follows next does as long as nothing is put in behind his back.
 * Documents are looked for within what the selection left of its rows; there
 * is no next where that did not suffice, while prev then names the month it
 * came to.
 */
typedef struct {
    bool has_prev;
    bool has_next;
    cardfeed_page_t prev; /* older cards */
    cardfeed_page_t next; /* newer ones */
} cardfeed_archives_t;

/* selection is what cardfeed_select() made of query, in the same read. */
int cardfeed_select_archives(cardfeed_read_t *read,
    const cardfeed_query_t *query, const cardfeed_selection_t *selection,
    uint32_t limit, cardfeed_arena_t *arena, cardfeed_archives_t *out,
    cardfeed_error_t *err);

/*
 * Topics with cards, in slug order, from the first slug >= from: at most
 * limit, looked for in at most CARDFEED_SELECT_TOPICS rows.  more: there may
 * be others, from the slug next on.
 */
#define CARDFEED_SELECT_TOPICS 20000 /* about 2 ms */
typedef struct {
    const cardfeed_topic_t *topics;
    size_t ntopics;
    cardfeed_topic_t all;
    cardfeed_str_t next;
    bool more;
} cardfeed_topics_t;

int cardfeed_select_topics(cardfeed_read_t *read, cardfeed_str_t from,
    uint32_t limit, cardfeed_arena_t *arena, cardfeed_topics_t *out,
    cardfeed_error_t *err);

/*
 * The selection in words, with the topics' names: "A and B", "A or not B".
 * selection is what cardfeed_select() made of query, in the same read.  At
 * most about CARDFEED_SELECT_WORDS bytes and one name; "…" at the end then.
 */
#define CARDFEED_SELECT_WORDS 240
int cardfeed_select_words(const cardfeed_query_t *query,
    const cardfeed_selection_t *selection, cardfeed_buf_t *out);

#endif /* CARDFEED_SELECT_H */
