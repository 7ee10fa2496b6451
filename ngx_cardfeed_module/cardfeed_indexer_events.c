/* indexer_events: what changed, collected into batches. */

#include "cardfeed_indexer_private.h"

#include <errno.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define INDEXER_NEVER 9000000000 /* in the year 2255 */


void
cardfeed_indexer_forget_events(cardfeed_indexer_t *ix)
{
    cardfeed_indexer_paths_free(&ix->files);
    cardfeed_indexer_paths_free(&ix->dirs);
    cardfeed_indexer_hashes_free(&ix->touched);
    cardfeed_indexer_hashes_free(&ix->begun);
    ix->first_event = 0;
}


static int
indexer_event_file(cardfeed_indexer_t *ix, cardfeed_event_t event,
    cardfeed_str_t path)
{
    uint64_t hash = cardfeed_text_hash(path);

    switch (event) {
    case CARDFEED_EVENT_LATER:
        cardfeed_indexer_hold(ix, path);
        return CARDFEED_OK;
    case CARDFEED_EVENT_BEGUN:
        return cardfeed_indexer_hashes_add(&ix->begun, hash);
    case CARDFEED_EVENT_TOUCHED:
        if (!cardfeed_indexer_paths_has(&ix->files, path)
            && cardfeed_indexer_hashes_add(&ix->touched, hash)
                   == CARDFEED_NOMEM)
        {
            return CARDFEED_NOMEM;
        }
        break;
    default:
        cardfeed_indexer_hashes_drop(&ix->touched, hash);
        cardfeed_indexer_hashes_drop(&ix->begun, hash);
    }

    return cardfeed_indexer_paths_add(&ix->files, path);
}


static void
indexer_event(void *data, cardfeed_event_t event, cardfeed_str_t path)
{
    int rc = CARDFEED_OK;
    int64_t now;
    cardfeed_indexer_t *ix = data;

    switch (event) {
    case CARDFEED_EVENT_FILE:
    case CARDFEED_EVENT_TOUCHED:
    case CARDFEED_EVENT_LATER:
    case CARDFEED_EVENT_BEGUN:
        rc = indexer_event_file(ix, event, path);
        break;
    case CARDFEED_EVENT_GONE:
        /* Their closes will be told by other names, if at all. */
        cardfeed_indexer_hashes_free(&ix->begun);
        /* fall through */
    case CARDFEED_EVENT_TREE:
        if (path.len > 0) {
            rc = cardfeed_indexer_paths_add(&ix->dirs, path);
        } else {
            ix->scan = true;
        }
        break;
    case CARDFEED_EVENT_OVERFLOW:
        ix->scan = true;
        ix->announce = true;
        cardfeed_indexer_report(ix, CARDFEED_REPORT_NOTICE,
            ": events were lost; looking at everything");
        break;
    case CARDFEED_EVENT_ROOT:
        ix->reopen = true;
        break;
    }

    if (rc == CARDFEED_NOMEM
        || ix->files.count + ix->dirs.count > CARDFEED_INDEXER_PENDING)
    {
        cardfeed_indexer_forget_events(ix);
        ix->scan = true;
        return;
    }

    if (event == CARDFEED_EVENT_LATER || event == CARDFEED_EVENT_BEGUN) {
        return; /* nothing to look at yet */
    }
    now = cardfeed_indexer_ms();
    if (ix->first_event == 0) {
        ix->first_event = now;
        if (now - ix->last_event > CARDFEED_INDEXER_BATCH_MS) {
            ix->streak = 0;
        }
    }
    ix->last_event = now;
}


int
cardfeed_indexer_events(cardfeed_indexer_t *ix)
{
    int rc;
    cardfeed_error_t err = {.code = CARDFEED_OK};

    if (ix->watch == NULL || cardfeed_watch_fd(ix->watch) < 0) {
        return CARDFEED_OK;
    }
    rc = cardfeed_watch_events(ix->watch, indexer_event, ix, &err);
    if (rc != CARDFEED_OK) {
        ix->reopen = true;
        cardfeed_indexer_trouble(ix, "watch", rc, &err);
    }

    return rc;
}


void
cardfeed_indexer_mounts(cardfeed_indexer_t *ix)
{
    cardfeed_watch_mounts(ix->watch, indexer_event, ix);
}


int64_t
cardfeed_indexer_batch_at(const cardfeed_indexer_t *ix)
{
    int64_t quiet, limit;

    if (ix->first_event == 0) {
        return 0;
    }
    if (ix->files.count + ix->dirs.count >= CARDFEED_INDEXER_BATCH_FILES) {
        return ix->first_event;
    }
    quiet = ix->last_event
            + ((int64_t) CARDFEED_INDEXER_QUIET_MS << ix->streak);
    limit = ix->first_event + CARDFEED_INDEXER_BATCH_MS;

    return quiet < limit ? quiet : limit;
}


/* A file that somebody is about to write: what was there is served until it
 * is closed, and what is there is not read. */
static bool
indexer_unfinished(cardfeed_indexer_t *ix, cardfeed_str_t path, bool touched)
{
    cardfeed_path_t known;
    cardfeed_watch_file_t file;

    if (!cardfeed_watch_live(ix->watch)) {
        return false;
    }
    if (cardfeed_indexer_hashes_has(&ix->begun, cardfeed_text_hash(path))) {
        return true;
    }

    return touched
           && cardfeed_watch_stat(ix->watch, path, &file) == CARDFEED_OK
           && file.code == CARDFEED_OK
           && cardfeed_indexer_begin(ix) == CARDFEED_OK
           && cardfeed_txn_lookup(ix->txn, path, &known) == CARDFEED_OK
           && !known.rejected && known.signature.size != file.signature.size;
}


static int
indexer_batch_file(cardfeed_indexer_t *ix, cardfeed_str_t path, bool touched)
{
    if (cardfeed_indexer_stopping(ix)) {
        return CARDFEED_BUSY;
    }
    if (indexer_unfinished(ix, path, touched)) {
        return CARDFEED_OK;
    }

    return cardfeed_indexer_look(ix, path, false, NULL);
}


static int
indexer_batch_run(cardfeed_indexer_t *ix, const cardfeed_pathset_t *files,
    const cardfeed_hashset_t *touched, const cardfeed_pathset_t *dirs)
{
    size_t i;
    int rc = CARDFEED_OK;
    cardfeed_str_t path;

    for (i = 0; i < files->count && rc == CARDFEED_OK; i++) {
        path = files->paths[i];
        rc = indexer_batch_file(ix, path,
            cardfeed_indexer_hashes_has(touched, cardfeed_text_hash(path)));
    }
    for (i = 0; i < dirs->count && rc == CARDFEED_OK; i++) {
        rc = cardfeed_indexer_scan(ix, dirs->paths[i]);
    }
    if (rc == CARDFEED_OK) {
        rc = cardfeed_indexer_flush(ix);
    }

    return rc == CARDFEED_OK ? cardfeed_indexer_commit(ix) : rc;
}


int
cardfeed_indexer_batch(cardfeed_indexer_t *ix)
{
    int rc;
    unsigned inline_left = ix->inline_left;
    cardfeed_pathset_t files, dirs;
    cardfeed_hashset_t touched;

    /* A root that is torn down takes its files' events with it. */
    if (cardfeed_watch_replaced(ix->watch)) {
        ix->reopen = true;
        cardfeed_indexer_forget_events(ix);
        return CARDFEED_OK;
    }

    files = ix->files;
    dirs = ix->dirs;
    touched = ix->touched;
    cardfeed_indexer_paths_init(&ix->files);
    cardfeed_indexer_paths_init(&ix->dirs);
    memset(&ix->touched, 0, sizeof(ix->touched));
    ix->first_event = 0;

    /* Somebody at work on many pauses longer than between two events. */
    if (files.count + dirs.count <= 1) {
        ix->streak = 0;
    } else if (ix->streak < CARDFEED_INDEXER_STREAK) {
        ix->streak++;
    }

    ix->depth++;
    ix->inline_left = CARDFEED_INDEXER_INLINE;
    rc = indexer_batch_run(ix, &files, &touched, &dirs);
    ix->inline_left = inline_left;
    ix->depth--;
    if (ix->depth == 0) {
        cardfeed_indexer_pool_end(ix);
    }

    cardfeed_indexer_paths_free(&files);
    cardfeed_indexer_paths_free(&dirs);
    cardfeed_indexer_hashes_free(&touched);

    return rc;
}


int
cardfeed_indexer_service(cardfeed_indexer_t *ix)
{
    int rc;
    int64_t at;

    if (cardfeed_indexer_stopping(ix)) {
        return CARDFEED_BUSY;
    }
    if (ix->depth != 1 || ix->committing) {
        return CARDFEED_OK;
    }

    rc = cardfeed_indexer_events(ix);
    if (rc != CARDFEED_OK) {
        return CARDFEED_OK; /* the watch will be opened again */
    }
    at = cardfeed_indexer_batch_at(ix);
    if (at != 0 && at <= cardfeed_indexer_ms() && ix->published) {
        rc = cardfeed_indexer_batch(ix);
    }
    if (rc == CARDFEED_OK && ix->published && cardfeed_indexer_due_fired(ix))
    {
        rc = cardfeed_indexer_begin(ix);
        if (rc == CARDFEED_OK) {
            rc = cardfeed_indexer_commit(ix);
        }
    }

    return rc;
}


void
cardfeed_indexer_due_arm(cardfeed_indexer_t *ix, int64_t next)
{
    struct itimerspec spec;

    /* With nothing due it still tells when the clock is set. */
    memset(&spec, 0, sizeof(spec));
    spec.it_value.tv_sec = next == CARDFEED_NO_TIME ? INDEXER_NEVER
                           : next > 0               ? next
                                                    : 1;
    timerfd_settime(ix->due_fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET,
        &spec, NULL);
}


bool
cardfeed_indexer_due_fired(cardfeed_indexer_t *ix)
{
    uint64_t count;
    ssize_t n = read(ix->due_fd, &count, sizeof(count));

    return n == (ssize_t) sizeof(count) || (n < 0 && errno == ECANCELED);
}
