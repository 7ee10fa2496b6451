/* indexer_scan: a walk, and what it did not find. */

#include "cardfeed_indexer_private.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define SCAN_SERVICE 64     /* files between two looks at events */
#define SCAN_DROP 65536     /* paths collected at a time */
#define SCAN_PROGRESS 5000
#define SCAN_PAUSE 10       /* times what a poll took, at the least */
#define SCAN_NICE 10        /* of a first scan */
#define SCAN_IN_VAIN 1      /* the root is another one by now */

typedef struct {
    cardfeed_indexer_t *ix;
    cardfeed_hashset_t seen;
    cardfeed_pathset_t refused; /* a directory among them hides its content */
    cardfeed_pathset_t missing;
    unsigned since;
} indexer_scan_t;


static int
scan_pause(indexer_scan_t *scan)
{
    int64_t now;
    cardfeed_indexer_t *ix = scan->ix;

    if (++scan->since < SCAN_SERVICE) {
        return CARDFEED_OK;
    }
    scan->since = 0;

    if (!cardfeed_indexer_trusted(ix)) {
        return cardfeed_indexer_distrusted(ix);
    }

    now = cardfeed_indexer_ms();
    if (ix->announce && now >= ix->progress_at) {
        ix->progress_at = now + SCAN_PROGRESS;
        cardfeed_indexer_report_progress(ix);
    }

    return cardfeed_indexer_service(ix);
}


static int
scan_file(void *data, cardfeed_str_t path, const cardfeed_watch_file_t *file)
{
    int rc;
    uint64_t hash = cardfeed_text_hash(path);
    indexer_scan_t *scan = data;
    cardfeed_indexer_t *ix = scan->ix;

    if (cardfeed_indexer_stopping(ix)) {
        return CARDFEED_BUSY;
    }
    if (ix->reopen) {
        return SCAN_IN_VAIN;
    }
    ix->walked++;

    if (cardfeed_indexer_hashes_add(&scan->seen, hash) == CARDFEED_NOMEM
        || (file->code != CARDFEED_OK
            && cardfeed_indexer_paths_add(&scan->refused, path)
                   == CARDFEED_NOMEM))
    {
        return cardfeed_indexer_no_memory(scan->ix);
    }

    if (path.len == 0) {
        /* The root itself: nothing is known of anything. */
        return cardfeed_indexer_trouble(ix, ix->c->dir, CARDFEED_OK,
            &file->err);
    }

    if (path.len >= PATH_MAX) {
        /* The index has no place to remember that this was told. */
        if (ix->announce) {
            cardfeed_indexer_report_file(ix, path, &file->err);
        }
        return scan_pause(scan);
    }
    if (cardfeed_indexer_hashes_has(&ix->begun, hash)) {
        cardfeed_indexer_hold(ix, path);
        return scan_pause(scan);
    }

    rc = cardfeed_indexer_look(ix, path, false, file);

    return rc == CARDFEED_OK ? scan_pause(scan) : rc;
}


static bool
scan_hidden(const indexer_scan_t *scan, cardfeed_str_t path)
{
    if (scan->refused.count == 0) {
        return false;
    }
    for (;;) {
        while (path.len > 0 && path.data[path.len - 1] != '/') {
            path.len--;
        }
        path.len -= path.len > 0;
        if (cardfeed_indexer_paths_has(&scan->refused, path)) {
            return true;
        }
        if (path.len == 0) {
            return false;
        }
    }
}


static int
scan_collect(void *data, cardfeed_str_t path, const cardfeed_path_t *known)
{
    indexer_scan_t *scan = data;

    (void) known;

    if (cardfeed_indexer_hashes_has(&scan->seen, cardfeed_text_hash(path))
        || scan_hidden(scan, path))
    {
        return 0;
    }
    if (cardfeed_indexer_paths_add(&scan->missing, path) == CARDFEED_NOMEM) {
        return CARDFEED_NOMEM;
    }

    return scan->missing.count >= SCAN_DROP ? CARDFEED_BUSY : 0;
}


/* What the index knows below dir and the walk did not meet is looked at: it
 * may have come behind the walk's back. */
static int
scan_drop(indexer_scan_t *scan, cardfeed_str_t dir)
{
    int rc;
    bool more;
    size_t i;
    cardfeed_error_t err;
    cardfeed_indexer_t *ix = scan->ix;

    do {
        cardfeed_indexer_paths_free(&scan->missing);
        rc = cardfeed_indexer_begin(ix);
        if (rc != CARDFEED_OK) {
            return rc;
        }
        rc = cardfeed_txn_paths(ix->txn, dir, scan_collect, scan);
        if (rc == CARDFEED_NOMEM) {
            return cardfeed_indexer_no_memory(scan->ix);
        }
        more = rc == CARDFEED_BUSY;
        if (rc != CARDFEED_OK && !more) {
            cardfeed_error_set(&err, rc, 0, "the list of files is damaged");
            return cardfeed_indexer_fail(ix, rc, &err);
        }

        rc = CARDFEED_OK;
        for (i = 0; i < scan->missing.count && rc == CARDFEED_OK
                    && !ix->reopen; i++)
        {
            cardfeed_str_t path = scan->missing.paths[i];

            if (cardfeed_indexer_hashes_add(&scan->seen,
                    cardfeed_text_hash(path))
                == CARDFEED_NOMEM)
            {
                return cardfeed_indexer_no_memory(scan->ix);
            }
            rc = cardfeed_indexer_stopping(ix)
                     ? CARDFEED_BUSY
                     : cardfeed_indexer_look(ix, path, false, NULL);
            if (rc == CARDFEED_OK) {
                rc = scan_pause(scan);
            }
        }
    } while (rc == CARDFEED_OK && more && !ix->reopen);

    return rc;
}


static int
scan_run(indexer_scan_t *scan, cardfeed_str_t dir)
{
    int rc;
    cardfeed_indexer_t *ix = scan->ix;
    cardfeed_error_t err = {.code = CARDFEED_OK};

    rc = cardfeed_watch_walk(ix->watch, dir, scan_file, scan, &err);
    ix->reopen |= rc == CARDFEED_NOTFOUND && dir.len == 0;
    if (err.code == CARDFEED_NOMEM || err.code == CARDFEED_ERROR) {
        return cardfeed_indexer_fail(ix, rc, &err);
    }
    if (rc == CARDFEED_OK || rc == CARDFEED_NOTFOUND || rc == SCAN_IN_VAIN) {
        rc = cardfeed_indexer_flush(ix);
    }
    if (rc != CARDFEED_OK) {
        return rc;
    }

    /* An absent root is no reason to forget what was in it. */
    ix->reopen |= cardfeed_watch_replaced(ix->watch);
    if (!ix->reopen) {
        rc = scan_drop(scan, dir);
    }
    if (rc == CARDFEED_OK && !ix->reopen && dir.len > 0
        && !cardfeed_indexer_hashes_has(&scan->seen, cardfeed_text_hash(dir)))
    {
        /* It was on record itself while it could not be read. */
        rc = cardfeed_indexer_look(ix, dir, false, NULL);
    }
    if (rc == CARDFEED_OK) {
        rc = cardfeed_indexer_flush(ix);
    }

    return rc == CARDFEED_OK ? cardfeed_indexer_commit(ix) : rc;
}


int
cardfeed_indexer_scan(cardfeed_indexer_t *ix, cardfeed_str_t dir)
{
    int rc;
    indexer_scan_t scan = {.ix = ix};

    cardfeed_indexer_paths_init(&scan.refused);
    cardfeed_indexer_paths_init(&scan.missing);
    rc = scan_run(&scan, dir);
    cardfeed_indexer_hashes_free(&scan.seen);
    cardfeed_indexer_paths_free(&scan.refused);
    cardfeed_indexer_paths_free(&scan.missing);

    return rc;
}


static int
scan_announce(cardfeed_indexer_t *ix, int64_t began)
{
    int rc;
    cardfeed_stats_t s;
    cardfeed_error_t err;
    int64_t ms = cardfeed_indexer_ms() - began;

    rc = cardfeed_indexer_begin(ix);
    if (rc != CARDFEED_OK) {
        return rc;
    }
    rc = cardfeed_txn_stats(ix->txn, &s);
    if (rc != CARDFEED_OK) {
        cardfeed_error_set(&err, rc, 0, "the counts are damaged");
        return cardfeed_indexer_fail(ix, rc, &err);
    }
    cardfeed_txn_abort(ix->txn);
    ix->txn = NULL;

    cardfeed_indexer_report(ix, CARDFEED_REPORT_NOTICE,
        " is %s: %llu cards in feeds, %llu topics, %llu undated, "
        "%llu waiting, %llu hidden, %llu rejected, "
        "%llu without front matter; parsed %llu of %llu files in %lld.%03d s",
        ix->fresh ? "ready" : "reconciled",
        (unsigned long long) s.visible, (unsigned long long) s.topics,
        (unsigned long long) s.undated, (unsigned long long) s.waiting,
        (unsigned long long) s.hidden, (unsigned long long) s.rejected,
        (unsigned long long) s.notcards, (unsigned long long) ix->parsed,
        (unsigned long long) ix->walked, (long long) (ms / 1000),
        (int) (ms % 1000));

    return CARDFEED_OK;
}


/* A first scan is published before it is told to be ready. */
static int
scan_finish(cardfeed_indexer_t *ix, int64_t began)
{
    int rc;
    bool first = !ix->published;
    cardfeed_error_t err = {.code = CARDFEED_OK};

    if (first) {
        rc = cardfeed_index_compact(ix->index, &ix->store, &ix->stopping,
            &err);
        if (rc == CARDFEED_OK) {
            rc = cardfeed_index_publish(ix->index, ix->store, &err);
            ix->published = rc == CARDFEED_OK;
        }
        if (rc == CARDFEED_BUSY && cardfeed_indexer_stopping(ix)) {
            return rc;
        }
        if (ix->store == NULL) {
            ix->sync_at = 0;
            ix->unsynced_at = 0;
        }
        if (rc != CARDFEED_OK) {
            return cardfeed_indexer_fail(ix, rc, &err);
        }
        cardfeed_index_sweep(ix->index);
    }
    if (ix->announce) {
        rc = scan_announce(ix, began);
        if (rc != CARDFEED_OK) {
            return rc;
        }
    }
    ix->announce = false;
    ix->fresh = false;

    return CARDFEED_OK;
}


/* A tree that takes long to look at is not looked at all the time. */
int64_t
cardfeed_indexer_pause(const cardfeed_collection_t *c, int64_t took)
{
    int64_t pause = (int64_t) c->poll_ms;

    return pause < took * SCAN_PAUSE ? took * SCAN_PAUSE : pause;
}


static int
scan_everything(cardfeed_indexer_t *ix)
{
    int rc;
    int64_t now, began = cardfeed_indexer_ms();

    ix->scan = false;
    ix->walked = 0;
    ix->parsed = 0;
    ix->inline_left = CARDFEED_INDEXER_INLINE;
    ix->progress_at = began + SCAN_PROGRESS;
    cardfeed_indexer_forget_events(ix);

    ix->depth = 1;
    rc = cardfeed_indexer_scan(ix, CARDFEED_NO_STR);
    ix->depth = 0;
    cardfeed_indexer_pool_end(ix);

    if (rc == CARDFEED_OK && !ix->reopen) {
        rc = scan_finish(ix, began);
    }
    ix->scan |= rc == CARDFEED_BUSY;

    ix->poll_at = 0;
    if (!cardfeed_watch_live(ix->watch) && ix->c->watch != CARDFEED_WATCH_OFF)
    {
        now = cardfeed_indexer_ms();
        ix->poll_at = now + cardfeed_indexer_pause(ix->c, now - began);
    }

    return rc;
}


typedef struct {
    cardfeed_indexer_t *ix;
    int rc;
} indexer_first_t;


static void *
scan_first_thread(void *data)
{
    int nice;
    id_t self = (id_t) gettid();
    indexer_first_t *first = data;
    cardfeed_indexer_t *ix = first->ix;

    errno = 0;
    nice = getpriority(PRIO_PROCESS, self);
    if (errno == 0) {
        setpriority(PRIO_PROCESS, self, nice + SCAN_NICE);
    }

    first->rc = scan_everything(ix);

    /* What is open is this thread's to end. */
    if (ix->txn != NULL) {
        cardfeed_indexer_commit(ix);
    }

    return NULL;
}


/*
 * A first scan goes on for long, and what it makes is not served before its
 * end: requests come first.  A thread cannot become nicer for a while only,
 * so it gets one of its own, and this one waits.
 */
int
cardfeed_indexer_scan_all(cardfeed_indexer_t *ix)
{
    pthread_t thread;
    indexer_first_t first = {.ix = ix};

    if (ix->txn != NULL) {
        first.rc = cardfeed_indexer_commit(ix);
        if (first.rc != CARDFEED_OK) {
            return first.rc;
        }
    }
    if (ix->published
        || pthread_create(&thread, NULL, scan_first_thread, &first) != 0)
    {
        return scan_everything(ix);
    }
    pthread_join(thread, NULL);

    return first.rc;
}
