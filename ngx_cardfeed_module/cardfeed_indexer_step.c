/* indexer_step: what is to be done now, and when there will be more. */

#include "cardfeed_indexer_private.h"

#define STEP_DEAF_MS 5000
#define STEP_SYNC_AGAIN_MS 60000


static bool
step_present(const cardfeed_indexer_t *ix)
{
    return ix->watch != NULL && cardfeed_watch_present(ix->watch);
}


static void
step_tell_degraded(cardfeed_indexer_t *ix)
{
    const char *why = cardfeed_watch_degraded(ix->watch);

    if (*why == '\0') {
        ix->degraded = false;
    } else if (!ix->degraded) {
        ix->degraded = true;
        cardfeed_indexer_report(ix, CARDFEED_REPORT_WARN,
            ": %s; looking every %u ms", why, ix->c->poll_ms);
    }
}


static int
step_watch(cardfeed_indexer_t *ix)
{
    int rc;
    cardfeed_error_t err = {.code = CARDFEED_OK};

    if (ix->reopen) {
        /* What was remembered is of another tree. */
        ix->reopen = false;
        ix->scan = true;
        ix->announce = true;
        cardfeed_watch_close(ix->watch);
        ix->watch = NULL;
        ix->poll_at = 0;
        cardfeed_indexer_forget_events(ix);
        cardfeed_indexer_racy_free(ix);
    }
    if (ix->watch != NULL) {
        return CARDFEED_OK;
    }

    rc = cardfeed_watch_open(&ix->watch, ix->c, &err);
    if (rc != CARDFEED_OK) {
        return cardfeed_indexer_trouble(ix, "watch", rc, &err);
    }
    cardfeed_watch_cancel(ix->watch, &ix->stopping);
    step_tell_degraded(ix);

    ix->poll_at = 0;
    if (!step_present(ix)) {
        if (!ix->waiting) {
            cardfeed_indexer_report(ix, CARDFEED_REPORT_WARN,
                ": %s; waiting for it", err.message);
        }
        if (!cardfeed_watch_live(ix->watch)) {
            ix->poll_at = cardfeed_indexer_ms() + (int64_t) ix->c->poll_ms;
        }
    }
    ix->waiting = !step_present(ix);

    return CARDFEED_OK;
}


/* The published index; its overdue cards show at once. */
static int
step_adopt(cardfeed_indexer_t *ix)
{
    int rc;
    cardfeed_error_t err = {.code = CARDFEED_OK};

    rc = cardfeed_index_adopt(ix->index, &ix->store, &err);
    if (rc == CARDFEED_NOTFOUND || rc == CARDFEED_CORRUPT) {
        ix->store = NULL;
        ix->rebuild = true;
        if (rc == CARDFEED_CORRUPT) {
            cardfeed_indexer_report(ix, CARDFEED_REPORT_WARN,
                ": the index is built anew: %s", err.message);
        }
        return CARDFEED_OK;
    }
    if (rc != CARDFEED_OK) {
        ix->store = NULL;
        return cardfeed_indexer_trouble(ix, "index", rc, &err);
    }

    ix->published = true;
    ix->fresh = false;
    ix->scan = true;
    ix->announce = true;
    rc = cardfeed_indexer_begin(ix);
    if (rc == CARDFEED_OK) {
        rc = cardfeed_indexer_commit(ix);
    }
    cardfeed_index_sweep(ix->index);

    /* What the one before has left unsynced; and a second sweep, when the
     * processes before this one have ended. */
    ix->sync_at = cardfeed_indexer_ms() + CARDFEED_INDEXER_SYNC_MS;

    return rc;
}


static int
step_store(cardfeed_indexer_t *ix)
{
    int rc = CARDFEED_OK;
    cardfeed_error_t err = {.code = CARDFEED_OK};

    if (ix->store != NULL && ix->rebuild) {
        cardfeed_store_release(ix->store);
        ix->store = NULL;
        ix->sync_at = 0;
        ix->unsynced_at = 0;
        cardfeed_index_sweep(ix->index);
    }
    if (ix->store == NULL && !ix->rebuild) {
        rc = step_adopt(ix);
    }
    if (rc != CARDFEED_OK || ix->store != NULL || !step_present(ix)) {
        return rc;
    }

    rc = cardfeed_index_create(ix->index, &ix->store, &err);
    if (rc != CARDFEED_OK) {
        ix->store = NULL;
        return cardfeed_indexer_trouble(ix, "index", rc, &err);
    }
    ix->rebuild = false;
    ix->published = false;
    ix->fresh = true;
    ix->scan = true;
    ix->announce = true;

    return CARDFEED_OK;
}


static bool
step_is_due(int64_t at)
{
    return at != 0 && at <= cardfeed_indexer_ms();
}


static int
step_timers(cardfeed_indexer_t *ix)
{
    int rc = CARDFEED_OK;
    cardfeed_error_t err = {.code = CARDFEED_OK};

    if (ix->store != NULL && cardfeed_indexer_due_fired(ix)) {
        rc = cardfeed_indexer_begin(ix);
        if (rc == CARDFEED_OK) {
            rc = cardfeed_indexer_commit(ix);
        }
    }

    if (rc == CARDFEED_OK && ix->store != NULL && step_is_due(ix->sync_at))
    {
        ix->sync_at = 0;
        ix->unsynced_at = 0;
        rc = cardfeed_store_sync(ix->store, &err);
        if (rc == CARDFEED_OK) {
            cardfeed_index_sweep(ix->index);
        } else {
            /* Changes are not kept waiting for that. */
            cardfeed_indexer_report(ix, CARDFEED_REPORT_ERROR,
                ": index: %s; trying again", err.message);
            ix->sync_at = cardfeed_indexer_ms() + STEP_SYNC_AGAIN_MS;
            rc = CARDFEED_OK;
        }
    }

    if (rc == CARDFEED_OK && ix->watch != NULL && step_is_due(ix->poll_at))
    {
        if (step_present(ix)) {
            ix->poll_at = 0; /* until the walk is done */
            ix->scan = true;
        } else {
            ix->poll_at = cardfeed_indexer_ms() + (int64_t) ix->c->poll_ms;
            ix->reopen = cardfeed_watch_replaced(ix->watch);
        }
    }

    return rc;
}


/* A walk of a polled tree that failed pauses no less than one that did not. */
static bool
step_may_walk(const cardfeed_indexer_t *ix)
{
    return ix->scan
           && (cardfeed_watch_live(ix->watch) || ix->poll_at == 0
               || step_is_due(ix->poll_at));
}


bool
cardfeed_indexer_trusted(const cardfeed_indexer_t *ix)
{
    return !ix->published || ix->store == NULL
           || cardfeed_index_is_current(ix->index, ix->store);
}


int
cardfeed_indexer_distrusted(cardfeed_indexer_t *ix)
{
    if (ix->txn != NULL) {
        cardfeed_txn_abort(ix->txn);
        ix->txn = NULL;
    }
    cardfeed_indexer_paths_free(&ix->again);
    cardfeed_indexer_hashes_free(&ix->retried);
    ix->replayed = 0;
    cardfeed_indexer_report_conflicts(ix, false);
    cardfeed_indexer_report(ix, CARDFEED_REPORT_WARN,
        ": the index is no longer trusted");
    cardfeed_store_release(ix->store);
    ix->store = NULL;
    ix->published = false;
    ix->sync_at = 0;
    ix->unsynced_at = 0;
    ix->poll_at = 0;
    ix->scan = true;

    return CARDFEED_CORRUPT;
}


int
cardfeed_indexer_step(cardfeed_indexer_t *ix)
{
    int rc, timers;

    if (!cardfeed_indexer_trusted(ix)) {
        cardfeed_indexer_distrusted(ix);
    }
    rc = step_watch(ix);
    if (rc == CARDFEED_OK) {
        rc = step_store(ix);
    }

    /* What is due does not wait for the watch. */
    timers = step_timers(ix);
    if (rc == CARDFEED_OK) {
        rc = timers;
    }
    if (rc != CARDFEED_OK || ix->store == NULL || !step_present(ix)) {
        return rc;
    }

    if (step_may_walk(ix)) {
        rc = cardfeed_indexer_scan_all(ix);
        if (ix->store == NULL || ix->rebuild) {
            ix->poll_at = 0; /* another index needs its own */
        }
    } else if (step_is_due(cardfeed_indexer_batch_at(ix))) {
        rc = cardfeed_indexer_batch(ix);
    }
    if (rc == CARDFEED_OK && step_is_due(cardfeed_indexer_racy_at(ix))
        && !ix->reopen && !cardfeed_watch_replaced(ix->watch))
    {
        rc = cardfeed_indexer_racy_check(ix);
    }

    /* Where events ended in one of them: from here on by walks. */
    step_tell_degraded(ix);
    ix->scan |= !cardfeed_watch_live(ix->watch) && ix->poll_at == 0
        && ix->c->watch != CARDFEED_WATCH_OFF;

    return rc;
}


static void
step_sooner(int64_t *first, int64_t at)
{
    if (at != 0 && (*first == 0 || at < *first)) {
        *first = at;
    }
}


/* Milliseconds until there is something to do; -1: until something comes. */
int
cardfeed_indexer_timeout(const cardfeed_indexer_t *ix)
{
    int64_t first = 0, now;

    if (ix->retry_at != 0) {
        first = ix->retry_at;
    } else if (ix->reopen || (step_present(ix) && step_may_walk(ix))) {
        return 0;
    } else {
        step_sooner(&first, ix->poll_at);
        if (ix->store != NULL) {
            step_sooner(&first, ix->sync_at);
        }
        if (step_present(ix) && ix->store != NULL) {
            step_sooner(&first, cardfeed_indexer_batch_at(ix));
            step_sooner(&first, cardfeed_indexer_racy_at(ix));
        }
    }
    now = cardfeed_indexer_ms();
    if (cardfeed_index_notify_fd(ix->index) < 0) {
        /* A word of another process about the index is not heard of. */
        step_sooner(&first, now + STEP_DEAF_MS);
    }
    if (first == 0) {
        return -1;
    }

    return first <= now ? 0 : (int) (first - now);
}
