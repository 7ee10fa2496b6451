/* judge: one file, as the indexer and then readers would take it. */

#include "check.h"

#include <cardfeed/record.h>

#include <string.h>


static check_state_t
state_of(const cardfeed_card_t *card, int64_t now)
{
    if (cardfeed_card_visible(card, now)) {
        return CHECK_SHOWN;
    }

    if (card->hidden) {
        return CHECK_HIDDEN;
    }

    if (card->published == CARDFEED_NO_TIME) {
        return CHECK_UNDATED;
    }

    if (card->expires != CARDFEED_NO_TIME && card->expires <= now) {
        return CHECK_EXPIRED;
    }

    return CHECK_WAITING;
}


/* Whether it is a card; CARDFEED_INVALID: why says why not. */
static int
read_card(check_t *check, const check_file_t *file,
    const cardfeed_card_t **card, cardfeed_error_t *why)
{
    cardfeed_watch_file_t found;
    cardfeed_card_file_t parsed;
    int rc;

    if (file->refused != NULL) {
        cardfeed_error_set(why, CARDFEED_INVALID, 0, "%s", file->refused);
        return CARDFEED_INVALID;
    }

    rc = cardfeed_watch_load(check->watch, file->path, &check->data, &found);

    if (rc != CARDFEED_OK) {
        if (rc != CARDFEED_NOTFOUND) {
            *why = found.err;
        }

        return rc;
    }

    parsed = (cardfeed_card_file_t){
        .path = file->path,
        .data = cardfeed_buf_view(&check->data),
        .mtime = found.signature.mtime_ns / 1000000000,
        .keep_extension = cardfeed_watch_outranked(check->watch, file->path),
    };

    rc = cardfeed_card_parse(check->parser, &parsed, card, why);

    if (rc == CARDFEED_OK) {
        cardfeed_buf_reset(&check->record);

        if (cardfeed_record_encode(&check->record, *card) != CARDFEED_OK) {
            rc = cardfeed_error_set(why, CARDFEED_INVALID, 0,
                "takes too much memory");
        }
    }

    return rc == CARDFEED_OK || rc == CARDFEED_NOTCARD ? rc
                                                       : CARDFEED_INVALID;
}


static int
judge_link(check_t *check, size_t number, const cardfeed_card_t *card,
    check_problems_t *problems)
{
    cardfeed_card_origin_t origin;
    cardfeed_str_t path;
    size_t first;
    bool is_new;
    int rc;

    first = number;
    rc = check_map_take(&check->links,
        cardfeed_text_hash(card->field[CARDFEED_FIELD_LINK]), &first,
        &is_new);

    if (rc == CARDFEED_OK && !is_new) {
        cardfeed_card_origin(check->parser, &origin);
        path = check->tree.files[first].path;
        check_problems_warn(problems, origin.link,
            "has the link of \"%.*s\"", (int) path.len, path.data);
    }

    return rc;
}


static int
judge_card(check_t *check, size_t number, const cardfeed_card_t *card,
    check_problems_t *problems)
{
    check_state_t state;
    int rc;

    rc = CARDFEED_OK;
    state = state_of(card, check->now);
    check->counts.states[state]++;

    if (state == CHECK_SHOWN) {
        rc = check_topics_add(check->topics, card);

        if (rc == CARDFEED_OK) {
            rc = judge_link(check, number, card, problems);
        }
    }

    if (state != CHECK_HIDDEN && state != CHECK_UNDATED) {
        check_warn(check, card, problems);
    }

    return rc;
}


/* The first to come has the lowest path, and keeps its identity. */
static int
judge_identity(check_t *check, size_t number, const cardfeed_card_t *card,
    check_problems_t *problems, cardfeed_error_t *why)
{
    cardfeed_str_t path;
    size_t first;
    bool is_new;
    int rc;

    first = number;
    rc = check_map_take(&check->identities, card->id, &first, &is_new);

    if (rc != CARDFEED_OK) {
        return rc;
    }

    if (is_new) {
        return judge_card(check, number, card, problems);
    }

    path = check->tree.files[first].path;

    return cardfeed_error_set(why, CARDFEED_INVALID, card->identity_line,
        "has the identity of \"%.*s\"", (int) path.len, path.data);
}


int
check_judge(check_t *check, size_t number)
{
    const check_file_t *file = &check->tree.files[number];
    const cardfeed_card_t *card = NULL;
    check_problems_t problems;
    cardfeed_error_t why;
    int rc;

    memset(&why, 0, sizeof(why));
    problems.n = 0;

    rc = read_card(check, file, &card, &why);

    if (rc == CARDFEED_NOTFOUND) {
        return CARDFEED_OK; /* gone meanwhile */
    }

    if (rc == CARDFEED_OK) {
        rc = judge_identity(check, number, card, &problems, &why);
    }

    check->counts.files++;

    if (rc == CARDFEED_NOTCARD) {
        check->counts.notcards++;
        rc = CARDFEED_OK;

    } else if (rc == CARDFEED_INVALID) {
        check->counts.rejected++;
        check_problems_reject(&problems, &why);
        rc = CARDFEED_OK;

    } else {
        check->counts.warnings += problems.n;
    }

    if (problems.n != 0) {
        check_progress_clear(&check->progress);
        check_problems_print(&problems, check->options->dir, file->path);
    }

    return rc;
}
