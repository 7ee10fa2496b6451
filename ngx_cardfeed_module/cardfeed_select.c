/* select: a selection → cards, newest first. */

#include "cardfeed_select_private.h"

typedef struct {
    cardfeed_merge_t merge;
    int64_t now;
    unsigned skipped;
} select_t;


/*
 * The card of a row.  CARDFEED_NOTFOUND: not for this feed; the indexer has
 * not worked off that it expired.
 */
static int
select_card(select_t *s, cardfeed_read_t *read, uint64_t id,
    cardfeed_record_t *card)
{
    int rc;

    rc = cardfeed_read_card(read, id, card);

    if (rc == CARDFEED_OK && card->expires != CARDFEED_NO_TIME
        && card->expires <= s->now)
    {
        rc = CARDFEED_NOTFOUND;
    }

    if (rc == CARDFEED_NOTFOUND) {
        s->skipped++;
    }

    return rc;
}


/* A match: another card of the page, unless it is full.  CARDFEED_BUSY: it
 * is. */
static int
select_take(select_t *s, uint32_t limit, cardfeed_selection_t *out)
{
    int rc;

    if (out->ncards == limit || s->skipped == CARDFEED_SELECT_SKIP) {
        out->more = true;
        return CARDFEED_BUSY;
    }

    rc = select_card(s, s->merge.read, s->merge.last.id,
        &out->cards[out->ncards]);

    if (rc == CARDFEED_OK) {
        out->ncards++;

    } else if (rc != CARDFEED_NOTFOUND) {
        return rc;
    }

    /* A page of skipped rows only still has to lead on. */

    if (rc == CARDFEED_OK || out->ncards == 0) {
        out->next = s->merge.last;
    }

    return cardfeed_merge_pass(&s->merge);
}


static int
select_collect(select_t *s, uint32_t limit, cardfeed_selection_t *out)
{
    int rc;

    do {
        rc = cardfeed_merge_match(&s->merge);

        if (rc == CARDFEED_NOTFOUND) {
            return CARDFEED_OK;
        }

        if (rc == CARDFEED_BUSY) {
            out->more = true;
            out->bounded = true;
            out->next = s->merge.last;
            return CARDFEED_OK;
        }

        if (rc == CARDFEED_OK) {
            rc = select_take(s, limit, out);
        }

    } while (rc == CARDFEED_OK);

    return rc == CARDFEED_BUSY ? CARDFEED_OK : rc;
}


static void
select_changed(cardfeed_selection_t *out, const cardfeed_topic_t *topic)
{
    if (topic->change > out->change) {
        out->change = topic->change;
    }

    if (topic->changed_at > out->changed_at) {
        out->changed_at = topic->changed_at;
    }
}


/* The newest card of all lends its time to a selection without any. */
static int
select_empty(select_t *s, cardfeed_read_t *read, const cardfeed_topic_t *all,
    cardfeed_selection_t *out)
{
    int rc;
    cardfeed_row_t row;
    cardfeed_cursor_t *cursor;
    cardfeed_record_t card;

    out->on_all = true;
    select_changed(out, all);

    s->skipped = 0;

    rc = cardfeed_cursor_open(read, all->id, &cursor);
    if (rc != CARDFEED_OK) {
        return rc;
    }

    while (rc == CARDFEED_OK && s->skipped < CARDFEED_SELECT_SKIP) {

        rc = cardfeed_cursor_next(cursor, &row);
        if (rc != CARDFEED_OK) {
            break;
        }

        rc = select_card(s, read, row.id, &card);
        if (rc == CARDFEED_OK) {
            out->updated = card.updated;
            break;
        }

        if (rc == CARDFEED_NOTFOUND) {
            rc = CARDFEED_OK;
        }
    }

    cardfeed_cursor_close(cursor);

    return rc == CARDFEED_NOTFOUND ? CARDFEED_OK : rc;
}


static int
select_run(select_t *s, cardfeed_read_t *read, const cardfeed_query_t *query,
    const cardfeed_topic_t *all, uint32_t limit, cardfeed_arena_t *arena,
    cardfeed_selection_t *out)
{
    int rc;
    size_t i;
    cardfeed_query_t window;

    window = cardfeed_query_window(query);

    rc = cardfeed_merge_open(&s->merge, read, &window, out->topics,
        CARDFEED_SELECT_ROWS, arena);

    if (rc == CARDFEED_OK) {
        rc = select_collect(s, limit, out);
    }

    cardfeed_merge_close(&s->merge);

    out->left = s->merge.budget;

    for (i = 0; i < out->ncards; i++) {
        if (out->cards[i].updated > out->updated) {
            out->updated = out->cards[i].updated;
        }
    }

    if (rc == CARDFEED_OK && out->ncards == 0) {
        rc = select_empty(s, read, all, out);
    }

    return rc;
}


/* The topics of all terms, and what they say about changes. */
static int
select_topics(cardfeed_read_t *read, const cardfeed_query_t *query,
    const cardfeed_topic_t *all, cardfeed_arena_t *arena,
    cardfeed_selection_t *out)
{
    int rc;
    size_t i, j, n;
    cardfeed_topic_t *topics, dropped;
    const cardfeed_terms_t *terms;

    for (i = 0, n = 0; i < query->nalternatives; i++) {
        n += query->alternatives[i].nterms;
    }

    topics = cardfeed_arena_alloc(arena, (n + 1) * sizeof(*topics));
    if (topics == NULL) {
        return CARDFEED_NOMEM;
    }

    out->topics = topics;

    for (i = 0; i < query->nalternatives; i++) {
        terms = &query->alternatives[i];

        if (terms->nterms == 0 || terms->terms[0].negative) {
            out->on_all = true;
            select_changed(out, all);
        }

        for (j = 0; j < terms->nterms; j++, topics++) {
            rc = cardfeed_read_topic(read, terms->terms[j].name, topics);
            if (rc != CARDFEED_OK) {
                return rc;
            }

            out->ntopics++;
            select_changed(out, topics);
        }
    }

    for (i = 0; i < query->ndropped; i++) {
        rc = cardfeed_read_topic(read, query->dropped[i], &dropped);
        if (rc != CARDFEED_OK) {
            return rc;
        }
    }

    if (cardfeed_query_is_all(query)) {
        out->topic = *all;

    } else if (cardfeed_query_single(query).len) {
        out->topic = out->topics[0];
    }

    return CARDFEED_OK;
}


int
cardfeed_select_result(int rc, cardfeed_error_t *err)
{
    if (rc == CARDFEED_OK) {
        return CARDFEED_OK;
    }

    if (rc == CARDFEED_NOMEM) {
        return cardfeed_error_set(err, rc, 0, "select: out of memory");
    }

    return cardfeed_error_set(err, rc, 0,
        rc == CARDFEED_CORRUPT ? "select: the index is damaged"
                               : "select: the index cannot be read");
}


int
cardfeed_select(cardfeed_read_t *read, const cardfeed_query_t *query,
    uint32_t limit, int64_t now, cardfeed_arena_t *arena,
    cardfeed_selection_t *out, cardfeed_error_t *err)
{
    int rc;
    select_t s;
    cardfeed_topic_t all;

    s.now = now;
    s.skipped = 0;

    *out = (cardfeed_selection_t){
        .topic = {.id = CARDFEED_SELECT_MANY, .slug = CARDFEED_NO_STR,
            .name = CARDFEED_NO_STR},
        .updated = CARDFEED_NO_TIME,
        .next_due = CARDFEED_NO_TIME,
    };

    rc = cardfeed_read_topic(read, CARDFEED_STR("all"), &all);

    if (rc == CARDFEED_OK) {
        rc = select_topics(read, query, &all, arena, out);
    }

    if (rc == CARDFEED_NOTFOUND) {
        return cardfeed_error_set(err, rc, 0, "no such topic");
    }

    if (rc == CARDFEED_OK) {
        out->next_due = cardfeed_read_next_due(read);
        out->cards = cardfeed_arena_alloc(arena,
            limit * sizeof(*out->cards));

        rc = out->cards == NULL
            ? CARDFEED_NOMEM
            : select_run(&s, read, query, &all, limit, arena, out);
    }

    return cardfeed_select_result(rc, err);
}


int
cardfeed_select_change(cardfeed_read_t *read, const cardfeed_str_t *slugs,
    size_t nslugs, uint64_t *change)
{
    int rc;
    size_t i;
    uint64_t one;

    *change = 0;

    for (i = 0; i < nslugs; i++) {
        rc = cardfeed_read_change(read, slugs[i], &one);
        if (rc != CARDFEED_OK) {
            return rc;
        }

        if (one > *change) {
            *change = one;
        }
    }

    return CARDFEED_OK;
}


int
cardfeed_select_words(const cardfeed_query_t *query,
    const cardfeed_selection_t *selection, cardfeed_buf_t *out)
{
    size_t i, j, start;
    const char *glue;
    const cardfeed_topic_t *topic;
    const cardfeed_terms_t *terms;

    if (selection->ntopics == 0) {
        return cardfeed_buf_cstr(out,
            query->nalternatives ? "All" : "Nothing");
    }

    start = out->len;
    topic = selection->topics;

    for (i = 0; i < query->nalternatives; i++) {
        terms = &query->alternatives[i];

        for (j = 0; j < terms->nterms; j++, topic++) {
            glue = j ? " and " : i ? " or " : "";

            if (out->len - start > CARDFEED_SELECT_WORDS) {
                cardfeed_buf_cstr(out, glue);
                return cardfeed_buf_cstr(out, "…");
            }

            cardfeed_buf_cstr(out, glue);
            cardfeed_buf_cstr(out, terms->terms[j].negative ? "not " : "");
            cardfeed_buf_str(out, topic->name);
        }
    }

    return out->failed;
}
