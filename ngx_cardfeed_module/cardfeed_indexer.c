/* indexer: the thread, from its start to its end, and what wakes it. */

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

    n = poll(fds, POLL_FDS, cardfeed_indexer_timeout(ix));
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
        if (ix->retry_at == 0 || ix->retry_at <= cardfeed_indexer_ms()) {
            if (ix->reopen) {
                reopened = cardfeed_indexer_ms();
            }
            rc = cardfeed_indexer_step(ix);
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
