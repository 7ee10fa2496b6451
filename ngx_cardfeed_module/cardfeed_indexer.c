/* indexer: the thread, its election, and what it does when. */

#include "cardfeed_indexer_private.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define INDEXER_BACKOFF_MIN 100
#define INDEXER_BACKOFF_MAX 10000
#define INDEXER_REOPEN_MS 100
#define INDEXER_DEAF_MS 5000
#define INDEXER_SYNC_AGAIN_MS 60000
#define INDEXER_SWEEP_MS 1000

enum { POLL_STOP, POLL_WATCH, POLL_MOUNTS, POLL_DUE, POLL_NOTIFY, POLL_FDS };


int64_t
cardfeed_indexer_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}


int64_t
cardfeed_indexer_ms(void)
{
    return cardfeed_indexer_us() / 1000;
}


int64_t
cardfeed_indexer_time(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);

    return (int64_t) ts.tv_sec;
}


static bool
indexer_present(const cardfeed_indexer_t *ix)
{
    return ix->watch != NULL && cardfeed_watch_present(ix->watch);
}


static void
indexer_tell_degraded(cardfeed_indexer_t *ix)
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
indexer_step_watch(cardfeed_indexer_t *ix)
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
    indexer_tell_degraded(ix);

    ix->poll_at = 0;
    if (!indexer_present(ix)) {
        if (!ix->waiting) {
            cardfeed_indexer_report(ix, CARDFEED_REPORT_WARN,
                ": %s; waiting for it", err.message);
        }
        if (!cardfeed_watch_live(ix->watch)) {
            ix->poll_at = cardfeed_indexer_ms() + (int64_t) ix->c->poll_ms;
        }
    }
    ix->waiting = !indexer_present(ix);

    return CARDFEED_OK;
}


/* The published index; its overdue cards show at once. */
static int
indexer_adopt(cardfeed_indexer_t *ix)
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
    ix->sync_at = cardfeed_indexer_ms() + CARDFEED_INDEXER_SYNC_MS;
    rc = cardfeed_indexer_begin(ix);
    if (rc == CARDFEED_OK) {
        rc = cardfeed_indexer_commit(ix);
    }
    cardfeed_index_sweep(ix->index);

    /* and once more when the processes before this one have ended */
    ix->sync_at = cardfeed_indexer_ms() + INDEXER_SWEEP_MS;

    return rc;
}


static int
indexer_step_store(cardfeed_indexer_t *ix)
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
        rc = indexer_adopt(ix);
    }
    if (rc != CARDFEED_OK || ix->store != NULL || !indexer_present(ix)) {
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
indexer_is_due(int64_t at)
{
    return at != 0 && at <= cardfeed_indexer_ms();
}


static int
indexer_step_timers(cardfeed_indexer_t *ix)
{
    int rc = CARDFEED_OK;
    cardfeed_error_t err = {.code = CARDFEED_OK};

    if (ix->store != NULL && cardfeed_indexer_due_fired(ix)) {
        rc = cardfeed_indexer_begin(ix);
        if (rc == CARDFEED_OK) {
            rc = cardfeed_indexer_commit(ix);
        }
    }

    if (rc == CARDFEED_OK && ix->store != NULL && indexer_is_due(ix->sync_at))
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
            ix->sync_at = cardfeed_indexer_ms() + INDEXER_SYNC_AGAIN_MS;
            rc = CARDFEED_OK;
        }
    }

    if (rc == CARDFEED_OK && ix->watch != NULL && indexer_is_due(ix->poll_at))
    {
        if (indexer_present(ix)) {
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
indexer_may_walk(const cardfeed_indexer_t *ix)
{
    return ix->scan
           && (cardfeed_watch_live(ix->watch) || ix->poll_at == 0
               || indexer_is_due(ix->poll_at));
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


static int
indexer_step(cardfeed_indexer_t *ix)
{
    int rc, timers;

    if (!cardfeed_indexer_trusted(ix)) {
        cardfeed_indexer_distrusted(ix);
    }
    rc = indexer_step_watch(ix);
    if (rc == CARDFEED_OK) {
        rc = indexer_step_store(ix);
    }

    /* What is due does not wait for the watch. */
    timers = indexer_step_timers(ix);
    if (rc == CARDFEED_OK) {
        rc = timers;
    }
    if (rc != CARDFEED_OK || ix->store == NULL || !indexer_present(ix)) {
        return rc;
    }

    if (indexer_may_walk(ix)) {
        rc = cardfeed_indexer_scan_all(ix);
        if (ix->store == NULL || ix->rebuild) {
            ix->poll_at = 0; /* another index needs its own */
        }
    } else if (indexer_is_due(cardfeed_indexer_batch_at(ix))) {
        rc = cardfeed_indexer_batch(ix);
    }
    if (rc == CARDFEED_OK && indexer_is_due(cardfeed_indexer_racy_at(ix))
        && !ix->reopen && !cardfeed_watch_replaced(ix->watch))
    {
        rc = cardfeed_indexer_racy_check(ix);
    }

    /* Where events ended in one of them: from here on by walks. */
    indexer_tell_degraded(ix);
    ix->scan |= !cardfeed_watch_live(ix->watch) && ix->poll_at == 0
        && ix->c->watch != CARDFEED_WATCH_OFF;

    return rc;
}


static void
indexer_outcome(cardfeed_indexer_t *ix, int rc)
{
    if (rc == CARDFEED_OK) {
        ix->backoff = 0;
        ix->full = 0;
        ix->retry_at = 0;
        ix->trouble[0] = '\0';
        return;
    }

    ix->backoff = ix->backoff ? ix->backoff * 2 : INDEXER_BACKOFF_MIN;
    if (ix->backoff > INDEXER_BACKOFF_MAX) {
        ix->backoff = INDEXER_BACKOFF_MAX;
    }
    ix->retry_at = cardfeed_indexer_ms() + (int64_t) ix->backoff;
}


static void
indexer_sooner(int64_t *first, int64_t at)
{
    if (at != 0 && (*first == 0 || at < *first)) {
        *first = at;
    }
}


/* Milliseconds until there is something to do; -1: until something comes. */
static int
indexer_timeout(const cardfeed_indexer_t *ix)
{
    int64_t first = 0, now;

    if (ix->retry_at != 0) {
        first = ix->retry_at;
    } else if (ix->reopen || (indexer_present(ix) && indexer_may_walk(ix))) {
        return 0;
    } else {
        indexer_sooner(&first, ix->poll_at);
        if (ix->store != NULL) {
            indexer_sooner(&first, ix->sync_at);
        }
        if (indexer_present(ix) && ix->store != NULL) {
            indexer_sooner(&first, cardfeed_indexer_batch_at(ix));
            indexer_sooner(&first, cardfeed_indexer_racy_at(ix));
        }
    }
    now = cardfeed_indexer_ms();
    if (cardfeed_index_notify_fd(ix->index) < 0) {
        /* A word of another process about the index is not heard of. */
        indexer_sooner(&first, now + INDEXER_DEAF_MS);
    }
    if (first == 0) {
        return -1;
    }

    return first <= now ? 0 : (int) (first - now);
}


/* What another process would have said is for an orphan only; what it thinks
 * of the index every step asks. */
static void
indexer_notified(cardfeed_indexer_t *ix)
{
    ix->yield |= cardfeed_index_heard(ix->index)
        && cardfeed_indexer_orphaned(ix);
    if (!cardfeed_indexer_trusted(ix)) {
        ix->retry_at = 0;
    }
}


static void
indexer_wait(cardfeed_indexer_t *ix)
{
    int n;
    struct pollfd fds[POLL_FDS] = {
        [POLL_STOP] = {.fd = ix->stop_fd, .events = POLLIN},
        [POLL_WATCH] = {.fd = -1, .events = POLLIN},
        [POLL_MOUNTS] = {.fd = -1, .events = POLLPRI},
        [POLL_DUE] = {.fd = -1, .events = POLLIN},
        [POLL_NOTIFY] = {.fd = -1, .events = POLLIN},
    };

    /* While it waits to try again, only other processes may wake it. */
    if (ix->retry_at == 0) {
        if (ix->watch != NULL) {
            fds[POLL_WATCH].fd = cardfeed_watch_fd(ix->watch);
            fds[POLL_MOUNTS].fd = cardfeed_watch_mounts_fd(ix->watch);
        }
        fds[POLL_DUE].fd = ix->store != NULL ? ix->due_fd : -1;
    }
    fds[POLL_NOTIFY].fd = cardfeed_index_notify_fd(ix->index);

    n = poll(fds, POLL_FDS, indexer_timeout(ix));
    if (n <= 0) {
        return;
    }
    if (fds[POLL_WATCH].revents != 0) {
        cardfeed_indexer_events(ix);
    }
    if (fds[POLL_MOUNTS].revents != 0) {
        cardfeed_indexer_mounts(ix);
    }
    if (fds[POLL_NOTIFY].revents != 0) {
        indexer_notified(ix);
    }
}


static void
indexer_serve(cardfeed_indexer_t *ix)
{
    int rc;
    int64_t reopened = 0;

    while (!cardfeed_indexer_stopping(ix) && !ix->yield) {
        if (ix->retry_at == 0 || indexer_is_due(ix->retry_at)) {
            if (ix->reopen) {
                reopened = cardfeed_indexer_ms();
            }
            rc = indexer_step(ix);
            if (cardfeed_indexer_stopping(ix)) {
                break;
            }
            indexer_outcome(ix, rc);
            if (rc == CARDFEED_OK && ix->reopen && reopened != 0
                && cardfeed_indexer_ms() - reopened < INDEXER_REOPEN_MS)
            {
                /* A root that keeps changing is not to be raced with. */
                ix->retry_at = reopened + INDEXER_REOPEN_MS;
            }
        }
        indexer_wait(ix);
    }
}


/* So that the next one, which may be this one again, finds all at once. */
static void
indexer_leave(cardfeed_indexer_t *ix)
{
    cardfeed_indexer_commit(ix);
    if (ix->store != NULL && ix->published && !ix->scan) {
        /* The machine may be about to stop as well; but what a walk that was
         * broken off has written may be much. */
        cardfeed_store_sync(ix->store, NULL);
    }
    cardfeed_store_release(ix->store);
    ix->store = NULL;
    /* Before the next one watches the same: the limit may be for one. */
    cardfeed_watch_close(ix->watch);
    ix->watch = NULL;
    cardfeed_index_resign(ix->index);
    cardfeed_indexer_pool_end(ix);

    cardfeed_indexer_forget_events(ix);
    cardfeed_indexer_racy_free(ix);
    ix->published = ix->rebuild = ix->reopen = false;
    ix->waiting = ix->degraded = false;
    ix->sync_at = ix->unsynced_at = ix->retry_at = 0;
    ix->backoff = ix->full = 0;
}


static void *
indexer_thread(void *data)
{
    cardfeed_indexer_t *ix = data;

    while (cardfeed_indexer_elected(ix)) {
        cardfeed_indexer_report(ix, CARDFEED_REPORT_NOTICE,
            ": this process indexes (pid %ld)", (long) getpid());

        indexer_serve(ix);
        indexer_leave(ix);
    }

    return NULL;
}


static void
indexer_free(cardfeed_indexer_t *ix)
{
    if (ix == NULL) {
        return;
    }
    if (ix->stop_fd >= 0) {
        close(ix->stop_fd);
    }
    if (ix->due_fd >= 0) {
        close(ix->due_fd);
    }
    cardfeed_watch_close(ix->watch);
    cardfeed_parser_destroy(ix->parser);
    cardfeed_indexer_forget_events(ix);
    cardfeed_indexer_racy_free(ix);
    cardfeed_indexer_paths_free(&ix->again);
    cardfeed_indexer_hashes_free(&ix->retried);
    cardfeed_buf_free(&ix->data);
    cardfeed_indexer_job_free(&ix->job);
    free(ix);
}


static int
indexer_spawn(cardfeed_indexer_t *ix)
{
    int rc;
    char name[16];
    sigset_t all, before;

    /* A signal is for the thread that owns the process. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&ix->thread, NULL, indexer_thread, ix);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc == 0) {
        snprintf(name, sizeof(name), "cardfeed:%.*s",
            (int) (sizeof(name) - sizeof("cardfeed:")), ix->c->name.data);
        pthread_setname_np(ix->thread, name);
    }

    return rc;
}


int
cardfeed_indexer_start(cardfeed_indexer_t **out,
    const cardfeed_collection_t *c, cardfeed_index_t *index, int report_fd,
    pid_t parent, cardfeed_error_t *err)
{
    int rc;
    cardfeed_indexer_t *ix = calloc(1, sizeof(*ix));

    *out = NULL;
    if (ix == NULL) {
        return cardfeed_error_set(err, CARDFEED_NOMEM, 0, "out of memory");
    }

    ix->c = c;
    ix->index = index;
    ix->report_fd = report_fd;
    ix->parent = parent;
    atomic_init(&ix->stopping, false);
    cardfeed_indexer_paths_init(&ix->files);
    cardfeed_indexer_paths_init(&ix->dirs);
    cardfeed_indexer_paths_init(&ix->again);
    cardfeed_buf_init(&ix->data, c->max_card + 65536);
    cardfeed_indexer_job_init(&ix->job);
    ix->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    ix->due_fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    ix->parser = cardfeed_parser_create(c);
    if (ix->stop_fd < 0 || ix->due_fd < 0 || ix->parser == NULL) {
        rc = cardfeed_error_set(err, CARDFEED_ERROR, 0, "indexer: %s",
            strerror(errno));
        goto cleanup;
    }

    rc = indexer_spawn(ix);
    if (rc != 0) {
        rc = cardfeed_error_set(err, CARDFEED_ERROR, 0,
            "indexer: no thread: %s", strerror(rc));
        goto cleanup;
    }
    *out = ix;
    ix = NULL;

cleanup:

    indexer_free(ix);

    return rc;
}


void
cardfeed_indexer_signal(cardfeed_indexer_t *ix)
{
    ssize_t n;
    uint64_t one = 1;

    atomic_store(&ix->stopping, true);
    n = write(ix->stop_fd, &one, sizeof(one));
    (void) n; /* full: it is readable as it is */
}


void
cardfeed_indexer_stop(cardfeed_indexer_t *ix)
{
    if (ix == NULL) {
        return;
    }
    cardfeed_indexer_signal(ix);
    pthread_join(ix->thread, NULL);
    indexer_free(ix);
}
