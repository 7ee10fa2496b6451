/* select: a selection → cards, newest first. */

#include <cardfeed/select.h>

typedef struct {
    cardfeed_read_t *read;
    cardfeed_cursor_t *cursor;
    int64_t now;
    unsigned skipped;
} select_t;


/*
 * The card of a row.  CARDFEED_NOTFOUND: not for this feed; the indexer has
 * not worked off that it expired, or it went.
 */
static int
select_card(select_t *s, const cardfeed_row_t *row, cardfeed_record_t *card)
{
    int rc;

    rc = cardfeed_read_card(s->read, row->id, card);

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


static int
select_first(select_t *s, const cardfeed_query_t *query, cardfeed_row_t *row)
{
    if (query->has_before) {
        return cardfeed_cursor_seek(s->cursor, query->before.published,
            query->before.id, row);
    }

    return cardfeed_cursor_next(s->cursor, row);
}


static int
select_collect(select_t *s, const cardfeed_query_t *query, uint32_t limit,
    cardfeed_selection_t *out)
{
    int rc;
    cardfeed_row_t row;

    for (rc = select_first(s, query, &row); rc == CARDFEED_OK;
         rc = cardfeed_cursor_next(s->cursor, &row))
    {
        if (out->ncards == limit || s->skipped == CARDFEED_SELECT_SKIP) {
            out->more = true;
            return CARDFEED_OK;
        }

        rc = select_card(s, &row, &out->cards[out->ncards]);

        if (rc == CARDFEED_OK) {
            out->ncards++;

        } else if (rc != CARDFEED_NOTFOUND) {
            return rc;
        }

        /* A page of skipped rows only still has to lead on. */

        if (rc == CARDFEED_OK || out->ncards == 0) {
            out->next.published = row.published;
            out->next.id = row.id;
        }
    }

    return rc == CARDFEED_NOTFOUND ? CARDFEED_OK : rc;
}


/* The newest card of all lends its time to a selection without any. */
static int
select_empty(select_t *s, cardfeed_selection_t *out)
{
    int rc;
    cardfeed_row_t row;
    cardfeed_topic_t all;
    cardfeed_record_t card;

    rc = cardfeed_read_topic(s->read, CARDFEED_STR("all"), &all);
    if (rc != CARDFEED_OK) {
        return rc;
    }

    if (all.change > out->change) {
        out->change = all.change;
    }

    if (all.changed_at > out->changed_at) {
        out->changed_at = all.changed_at;
    }

    s->skipped = 0;

    rc = cardfeed_cursor_open(s->read, all.id, &s->cursor);

    while (rc == CARDFEED_OK && s->skipped < CARDFEED_SELECT_SKIP) {

        rc = cardfeed_cursor_next(s->cursor, &row);
        if (rc != CARDFEED_OK) {
            break;
        }

        rc = select_card(s, &row, &card);
        if (rc == CARDFEED_OK) {
            out->updated = card.updated;
            break;
        }

        if (rc == CARDFEED_NOTFOUND) {
            rc = CARDFEED_OK;
        }
    }

    return rc == CARDFEED_NOTFOUND ? CARDFEED_OK : rc;
}


static int
select_run(select_t *s, const cardfeed_query_t *query, uint32_t limit,
    cardfeed_selection_t *out)
{
    int rc;
    size_t i;

    rc = cardfeed_cursor_open(s->read, out->topic.id, &s->cursor);
    if (rc != CARDFEED_OK) {
        return rc;
    }

    rc = select_collect(s, query, limit, out);
    if (rc != CARDFEED_OK) {
        return rc;
    }

    cardfeed_cursor_close(s->cursor);
    s->cursor = NULL;

    for (i = 0; i < out->ncards; i++) {
        if (out->cards[i].updated > out->updated) {
            out->updated = out->cards[i].updated;
        }
    }

    return out->ncards ? CARDFEED_OK : select_empty(s, out);
}


int
cardfeed_select(cardfeed_read_t *read, const cardfeed_query_t *query,
    uint32_t limit, int64_t now, cardfeed_arena_t *arena,
    cardfeed_selection_t *out, cardfeed_error_t *err)
{
    int rc;
    select_t s;

    s = (select_t){.read = read, .now = now};

    *out = (cardfeed_selection_t){
        .updated = CARDFEED_NO_TIME,
        .next_due = CARDFEED_NO_TIME,
    };

    rc = cardfeed_read_topic(read, query->topic, &out->topic);
    if (rc == CARDFEED_NOTFOUND) {
        return cardfeed_error_set(err, rc, 0, "no such topic");
    }

    if (rc != CARDFEED_OK) {
        goto failed;
    }

    out->cards = cardfeed_arena_alloc(arena, limit * sizeof(*out->cards));
    if (out->cards == NULL) {
        rc = CARDFEED_NOMEM;
        goto failed;
    }

    out->change = out->topic.change;
    out->changed_at = out->topic.changed_at;
    out->next_due = cardfeed_read_next_due(read);

    rc = select_run(&s, query, limit, out);

    if (s.cursor != NULL) {
        cardfeed_cursor_close(s.cursor);
    }

    if (rc == CARDFEED_OK) {
        return CARDFEED_OK;
    }

failed:

    if (rc == CARDFEED_NOMEM) {
        return cardfeed_error_set(err, rc, 0, "select: out of memory");
    }

    return cardfeed_error_set(err, rc, 0,
        rc == CARDFEED_CORRUPT ? "select: the index is damaged"
                               : "select: the index cannot be read");
}
