/* select: the neighbours of a document in the chain of archives. */

#include "cardfeed_select_private.h"

typedef struct {
    cardfeed_read_t *read;
    const cardfeed_query_t *query;
    const cardfeed_topic_t *topics;
    cardfeed_arena_t *arena;
    uint32_t limit; /* cards of a document */
    int64_t rows;   /* left to be read */
} archive_t;


/* Opens a merge of the query's cards from before that place on. */
static int
archive_open(archive_t *a, cardfeed_merge_t *merge, cardfeed_query_t *query,
    int64_t since, const cardfeed_position_t *before)
{
    *query = *a->query;
    query->month = 0;
    query->has_before = before != NULL;

    if (before != NULL) {
        query->before = *before;
    }

    if (query->since == CARDFEED_NO_TIME || query->since < since) {
        query->since = since;
    }

    return cardfeed_merge_open(merge, a->read, query, a->topics, a->rows,
        a->arena);
}


static void
archive_close(archive_t *a, cardfeed_merge_t *merge)
{
    cardfeed_merge_close(merge);
    a->rows = merge->budget;
}


/* The month of the newest card before the query's; where rows end first, the
 * one they came to. */
static int
archive_prev(archive_t *a, cardfeed_archives_t *out)
{
    int rc;
    cardfeed_merge_t merge;
    cardfeed_query_t query;
    cardfeed_position_t start;

    start = cardfeed_query_month_top(a->query->month - 1);

    rc = archive_open(a, &merge, &query, CARDFEED_NO_TIME, &start);

    if (rc == CARDFEED_OK) {
        rc = cardfeed_merge_match(&merge);
    }

    if (rc == CARDFEED_OK || rc == CARDFEED_BUSY) {
        out->has_prev = true;
        out->prev.month = cardfeed_date_month(merge.last.published);
    }

    archive_close(a, &merge);

    return rc == CARDFEED_NOTFOUND || rc == CARDFEED_BUSY ? CARDFEED_OK : rc;
}


/*
 * The last document of a month that begins before the place end (NULL: the
 * month's end).  CARDFEED_NOTFOUND: there is no card before it.
 */
static int
archive_last(archive_t *a, uint32_t month, const cardfeed_position_t *end,
    cardfeed_page_t *page)
{
    int rc;
    uint32_t n;
    cardfeed_merge_t merge;
    cardfeed_query_t query;
    cardfeed_position_t top, start;

    top = cardfeed_query_month_top(month);
    n = 0;

    *page = (cardfeed_page_t){.month = month};

    rc = archive_open(a, &merge, &query, cardfeed_date_month_start(month),
        &top);

    while (rc == CARDFEED_OK) {
        rc = cardfeed_merge_match(&merge);

        if (rc != CARDFEED_OK
            || (end != NULL && cardfeed_position_is_newer(*end, merge.last)))
        {
            break;
        }

        /* one more document, now that it has a card */

        if (n != 0 && n % a->limit == 0) {
            page->has_before = true;
            page->before = start;
        }

        n++;
        start = merge.last;

        rc = cardfeed_merge_pass(&merge);
    }

    archive_close(a, &merge);

    if (rc == CARDFEED_OK || rc == CARDFEED_NOTFOUND) {
        return n != 0 ? CARDFEED_OK : CARDFEED_NOTFOUND;
    }

    return rc;
}


/* The first month after the query's that has a card: from the newest one
 * back, a jump a month. */
static int
archive_next_month(archive_t *a, uint32_t *month)
{
    int rc;
    bool found;
    cardfeed_merge_t merge;
    cardfeed_query_t query;

    found = false;

    rc = archive_open(a, &merge, &query,
        cardfeed_date_month_start(a->query->month + 1), NULL);

    while (rc == CARDFEED_OK) {
        rc = cardfeed_merge_match(&merge);

        if (rc == CARDFEED_OK) {
            found = true;
            *month = cardfeed_date_month(merge.last.published);
            rc = cardfeed_merge_jump(&merge,
                cardfeed_query_month_top(*month - 1));
        }
    }

    archive_close(a, &merge);

    return rc == CARDFEED_NOTFOUND && found ? CARDFEED_OK : rc;
}


/* Newer cards of the same month, else those of the next one. */
static int
archive_next(archive_t *a, cardfeed_archives_t *out)
{
    int rc;
    uint32_t month;

    rc = CARDFEED_NOTFOUND;

    if (a->query->has_before) {
        rc = archive_last(a, a->query->month, &a->query->before, &out->next);
    }

    if (rc == CARDFEED_NOTFOUND) {
        rc = archive_next_month(a, &month);

        if (rc == CARDFEED_OK) {
            rc = archive_last(a, month, NULL, &out->next);
        }
    }

    out->has_next = rc == CARDFEED_OK;

    return rc == CARDFEED_NOTFOUND || rc == CARDFEED_BUSY ? CARDFEED_OK : rc;
}


int
cardfeed_select_archives(cardfeed_read_t *read, const cardfeed_query_t *query,
    const cardfeed_selection_t *selection, uint32_t limit,
    cardfeed_arena_t *arena, cardfeed_archives_t *out, cardfeed_error_t *err)
{
    int rc;
    archive_t a;

    *out = (cardfeed_archives_t){.has_prev = false};

    if (query->month == 0) {

        /* the month of the last card, all of it: there may be others */

        out->has_prev = selection->more && !query->has_before;
        out->prev.month = cardfeed_date_month(selection->next.published);

        return CARDFEED_OK;
    }

    a = (archive_t){
        .read = read,
        .query = query,
        .topics = selection->topics,
        .arena = arena,
        .limit = limit,
        .rows = selection->left,
    };

    rc = CARDFEED_OK;

    if (selection->more) {
        out->has_prev = true;
        out->prev = (cardfeed_page_t){
            .month = query->month,
            .has_before = true,
            .before = selection->next,
        };

    } else {
        rc = archive_prev(&a, out);
    }

    if (rc == CARDFEED_OK) {
        rc = archive_next(&a, out);
    }

    return cardfeed_select_result(rc, err);
}
