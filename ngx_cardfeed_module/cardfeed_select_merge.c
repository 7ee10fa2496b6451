/* select: cursors over topics, merged in order. */

#include "cardfeed_select_private.h"

#include <stdlib.h>
#include <string.h>

/* Rows to try before a jump, which costs as much as several. */
#define SELECT_STEPS 2

#define SELECT_ALL 0 /* the topic of all cards */


static int
source_result(cardfeed_source_t *source, int rc)
{
    source->started = true;
    source->ended = rc != CARDFEED_OK;

    return rc == CARDFEED_NOTFOUND ? CARDFEED_OK : rc;
}


static int
source_next(cardfeed_merge_t *merge, cardfeed_source_t *source)
{
    merge->budget--;

    return source_result(source,
        cardfeed_cursor_next(source->cursor, &source->row));
}


/* To the first row at that position or older. */
static int
source_reach(cardfeed_merge_t *merge, cardfeed_source_t *source,
    cardfeed_position_t at)
{
    int i, rc;

    for (i = 0; source->started; i++) {
        if (source->ended || !cardfeed_row_is_newer(&source->row, at)) {
            return CARDFEED_OK;
        }

        if (i == SELECT_STEPS) {
            break;
        }

        rc = source_next(merge, source);
        if (rc != CARDFEED_OK) {
            return rc;
        }
    }

    merge->budget -= CARDFEED_SELECT_JUMP;

    return source_result(source,
        cardfeed_cursor_reach(source->cursor, at.published, at.id,
            &source->row));
}


static int
source_start(cardfeed_merge_t *merge, cardfeed_source_t *source)
{
    const cardfeed_position_t *before = &merge->query->before;

    if (!merge->query->has_before) {
        return source_next(merge, source);
    }

    merge->budget -= CARDFEED_SELECT_JUMP;

    return source_result(source,
        cardfeed_cursor_seek(source->cursor, before->published, before->id,
            &source->row));
}


static int
compare_sources(const void *a, const void *b)
{
    const cardfeed_source_t *x = a, *y = b;

    if (x->count != y->count) {
        return x->count < y->count ? -1 : 1;
    }

    /* not by topics' numbers, which differ from machine to machine */

    return (x->place > y->place) - (x->place < y->place);
}


static int
branch_open(cardfeed_merge_t *merge, cardfeed_branch_t *branch,
    const cardfeed_terms_t *terms, const cardfeed_topic_t *topics,
    cardfeed_arena_t *arena)
{
    int rc;
    size_t i;
    cardfeed_source_t *source;

    source = cardfeed_arena_alloc(arena,
        (terms->nterms + 1) * sizeof(*source));
    if (source == NULL) {
        return CARDFEED_NOMEM;
    }

    branch->sources = source;

    if (terms->nterms == 0 || terms->terms[0].negative) {
        *source++ = (cardfeed_source_t){.topic = SELECT_ALL};
        branch->npositive = 1;
    }

    for (i = 0; i < terms->nterms; i++) {
        *source++ = (cardfeed_source_t){
            .topic = topics[i].id,
            .count = topics[i].count,
            .place = (uint32_t) i,
        };
        branch->npositive += !terms->terms[i].negative;
    }

    branch->nsources = (size_t) (source - branch->sources);

    qsort(branch->sources, branch->npositive, sizeof(*source),
        compare_sources);

    for (i = 0; i < branch->nsources; i++) {
        source = &branch->sources[i];

        rc = cardfeed_cursor_open(merge->read, source->topic,
            &source->cursor);
        if (rc != CARDFEED_OK) {
            return rc;
        }
    }

    return source_start(merge, branch->sources);
}


int
cardfeed_merge_open(cardfeed_merge_t *merge, cardfeed_read_t *read,
    const cardfeed_query_t *query, const cardfeed_topic_t *topics,
    int64_t rows, cardfeed_arena_t *arena)
{
    int rc;
    size_t i;
    const cardfeed_terms_t *terms;

    *merge = (cardfeed_merge_t){
        .read = read,
        .query = query,
        .budget = rows,
    };

    rc = cardfeed_merge_filter(merge);

    for (i = 0; i < query->nalternatives && !merge->nothing; i++) {
        if (rc != CARDFEED_OK) {
            return rc;
        }

        terms = &query->alternatives[i];
        rc = branch_open(merge, &merge->branches[merge->nbranches++], terms,
            topics, arena);
        topics += terms->nterms;
    }

    return rc;
}


void
cardfeed_merge_close(cardfeed_merge_t *merge)
{
    size_t i, j;

    for (i = 0; i < merge->nbranches; i++) {
        for (j = 0; j < merge->branches[i].nsources; j++) {
            cardfeed_cursor_close(merge->branches[i].sources[j].cursor);
        }
    }

    merge->nbranches = 0;
}


/* The branch on the newest candidate, or NULL at the end. */
static cardfeed_branch_t *
merge_newest(cardfeed_merge_t *merge)
{
    size_t i;
    cardfeed_branch_t *branch, *newest;

    for (i = 0, newest = NULL; i < merge->nbranches; i++) {
        branch = &merge->branches[i];

        if (!branch->sources->ended
            && (newest == NULL
                || cardfeed_row_is_newer(&branch->sources->row,
                    cardfeed_row_position(&newest->sources->row))))
        {
            newest = branch;
        }
    }

    return newest;
}


/* Makes a match of a candidate, or goes on to the next one. */
static int
merge_step(cardfeed_merge_t *merge, cardfeed_branch_t *branch)
{
    int rc;
    size_t i;
    cardfeed_source_t *source, *leader;
    cardfeed_position_t at;

    leader = branch->sources;
    at = cardfeed_row_position(&leader->row);

    if (merge->filtered && !cardfeed_merge_admits(merge, &leader->row)) {
        return source_next(merge, leader);
    }

    for (i = 1; i < branch->nsources; i++) {
        source = &branch->sources[i];

        rc = source_reach(merge, source, at);
        if (rc != CARDFEED_OK) {
            return rc;
        }

        if (i >= branch->npositive) {
            if (!source->ended && cardfeed_row_is_at(&source->row, at)) {
                return source_next(merge, leader);
            }

        } else if (source->ended) {
            leader->ended = true;
            return CARDFEED_OK;

        } else if (!cardfeed_row_is_at(&source->row, at)) {
            return source_reach(merge, leader,
                cardfeed_row_position(&source->row));
        }
    }

    branch->matched = true;

    return CARDFEED_OK;
}


int
cardfeed_merge_match(cardfeed_merge_t *merge)
{
    int rc;
    cardfeed_row_t *row;
    cardfeed_branch_t *branch;

    do {
        branch = merge_newest(merge);
        if (branch == NULL) {
            return CARDFEED_NOTFOUND;
        }

        row = &branch->sources->row;

        if (merge->query->since != CARDFEED_NO_TIME
            && row->published < merge->query->since)
        {
            return CARDFEED_NOTFOUND;
        }

        /* last is decided for all branches once the newest is another */

        if (!merge->looked || !cardfeed_row_is_at(row, merge->last)) {
            if (merge->looked && merge->budget <= 0) {
                return CARDFEED_BUSY;
            }

            merge->looked = true;
            merge->last = cardfeed_row_position(row);
        }

        if (branch->matched) {
            return CARDFEED_OK;
        }

        rc = merge_step(merge, branch);

    } while (rc == CARDFEED_OK);

    return rc;
}


int
cardfeed_merge_pass(cardfeed_merge_t *merge)
{
    int rc;
    size_t i;
    cardfeed_branch_t *branch;

    for (i = 0; i < merge->nbranches; i++) {
        branch = &merge->branches[i];

        if (branch->sources->ended
            || !cardfeed_row_is_at(&branch->sources->row, merge->last))
        {
            continue;
        }

        branch->matched = false;

        rc = source_next(merge, branch->sources);
        if (rc != CARDFEED_OK) {
            return rc;
        }
    }

    return CARDFEED_OK;
}


int
cardfeed_merge_jump(cardfeed_merge_t *merge, cardfeed_position_t at)
{
    int rc;
    size_t i;
    cardfeed_source_t *leader;

    for (i = 0; i < merge->nbranches; i++) {
        leader = merge->branches[i].sources;

        if (leader->ended
            || (!cardfeed_row_is_newer(&leader->row, at)
                && !cardfeed_row_is_at(&leader->row, at)))
        {
            continue;
        }

        merge->branches[i].matched = false;
        merge->budget -= CARDFEED_SELECT_JUMP;

        rc = source_result(leader,
            cardfeed_cursor_seek(leader->cursor, at.published, at.id,
                &leader->row));
        if (rc != CARDFEED_OK) {
            return rc;
        }
    }

    return CARDFEED_OK;
}
