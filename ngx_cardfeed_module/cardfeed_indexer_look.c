/* indexer_look: one path, whether it is to be parsed, and by whom. */

#include "cardfeed_indexer_private.h"

#define INDEXER_WAIT_MS 5 /* for the pool */
#define INDEXER_HELP_US 300 /* each time that it was in vain */
#define INDEXER_LATE 20 /* times in a row until large files count, too */


/* The job is done with before its result is used, for that may end the
 * transaction, and have the same path parsed again; not by this job. */
static int
indexer_use(cardfeed_indexer_t *ix, cardfeed_job_t *job)
{
    cardfeed_indexer_pool_done(ix->pool, job);

    return cardfeed_indexer_apply(ix, job);
}


/* Idle priority may mean never on a busy machine: some of what waits for the
 * pool is done here, but so little that requests do not feel it. */
static int
indexer_help(cardfeed_indexer_t *ix)
{
    int rc = CARDFEED_OK;
    uint64_t size;
    int64_t until = cardfeed_indexer_us() + INDEXER_HELP_US;
    cardfeed_job_t *job;

    size = ix->late < INDEXER_LATE ? CARDFEED_INDEXER_SMALL : UINT64_MAX;

    while (rc == CARDFEED_OK && cardfeed_indexer_us() < until) {
        job = cardfeed_indexer_pool_steal(ix->pool, size);
        if (job == NULL) {
            break;
        }
        cardfeed_indexer_job_run(job, ix->watch, ix->parser, &ix->data);
        rc = indexer_use(ix, job);
    }

    return rc;
}


/* A result of the pool, if there is one within ms. */
static int
indexer_take(cardfeed_indexer_t *ix, int ms)
{
    int rc;
    bool late;
    cardfeed_job_t *job;

    job = cardfeed_indexer_pool_take(ix->pool, ms, &late);

    ix->late = late ? ix->late + 1 : 0;

    if (job != NULL) {
        rc = indexer_use(ix, job);
    } else {
        rc = cardfeed_indexer_commit_when_full(ix);
    }
    if (rc == CARDFEED_OK && late) {
        rc = indexer_help(ix);
    }
    if (rc == CARDFEED_OK && (job == NULL || late)) {
        rc = cardfeed_indexer_service(ix);
    }
    if (rc == CARDFEED_OK && cardfeed_indexer_stopping(ix)) {
        rc = CARDFEED_BUSY;
    }

    return rc;
}


int
cardfeed_indexer_flush(cardfeed_indexer_t *ix)
{
    int rc = CARDFEED_OK;

    while (rc == CARDFEED_OK && ix->pool != NULL
           && cardfeed_indexer_pool_active(ix->pool) > 0)
    {
        rc = indexer_take(ix, INDEXER_WAIT_MS);
    }

    return rc;
}


void
cardfeed_indexer_pool_end(cardfeed_indexer_t *ix)
{
    cardfeed_indexer_pool_close(ix->pool);
    ix->pool = NULL;
}


static int
indexer_parse_here(cardfeed_indexer_t *ix, cardfeed_str_t path)
{
    if (cardfeed_indexer_job_set(&ix->job, path) != CARDFEED_OK) {
        return cardfeed_indexer_no_memory(ix);
    }
    ix->job.again = false;
    cardfeed_indexer_job_run(&ix->job, ix->watch, ix->parser, &ix->data);

    return cardfeed_indexer_apply(ix, &ix->job);
}


/* Whether the pool has the path: what comes of it counts for nothing then. */
static bool
indexer_outdate(cardfeed_indexer_t *ix, cardfeed_str_t path)
{
    cardfeed_job_t *job;

    job = ix->pool != NULL ? cardfeed_indexer_pool_find(ix->pool, path) : NULL;
    if (job != NULL) {
        job->again = true;
    }

    return job != NULL;
}


/* A few small files are parsed at once, others by the pool. */
static int
indexer_submit(cardfeed_indexer_t *ix, cardfeed_str_t path, uint64_t size)
{
    int rc;
    cardfeed_job_t *job;

    if (indexer_outdate(ix, path)) {
        return CARDFEED_OK;
    }

    if (ix->committing
        || (ix->inline_left > 0 && size <= CARDFEED_INDEXER_SMALL))
    {
        ix->inline_left -= ix->inline_left > 0;
        return indexer_parse_here(ix, path);
    }
    if (ix->pool == NULL
        && cardfeed_indexer_pool_open(&ix->pool, ix->c, ix->watch)
               != CARDFEED_OK)
    {
        return indexer_parse_here(ix, path); /* slower, but it goes on */
    }

    /* Results while there are any, so that they do not pile up. */
    do {
        job = cardfeed_indexer_pool_idle(ix->pool);
        rc = indexer_take(ix, job == NULL ? INDEXER_WAIT_MS : 0);
        job = cardfeed_indexer_pool_idle(ix->pool);
    } while (rc == CARDFEED_OK && job == NULL);
    if (rc != CARDFEED_OK) {
        return rc;
    }
    if (indexer_outdate(ix, path)) {
        return CARDFEED_OK; /* an event was quicker */
    }

    if (cardfeed_indexer_job_set(job, path) != CARDFEED_OK) {
        return cardfeed_indexer_no_memory(ix);
    }
    job->size = size;
    cardfeed_indexer_pool_submit(ix->pool, job);

    return CARDFEED_OK;
}


/* Nothing to read there, and the walk or a stat said why. */
static int
indexer_refused(cardfeed_indexer_t *ix, cardfeed_str_t path,
    const cardfeed_watch_file_t *file)
{
    cardfeed_job_t *job = &ix->job;

    if (cardfeed_indexer_job_set(job, path) != CARDFEED_OK) {
        return cardfeed_indexer_no_memory(ix);
    }
    job->again = false;
    job->gone = false;
    job->parsed = false;
    job->racy = file->racy;
    job->signature = file->signature;
    job->kind = CARDFEED_FILE_REJECTED;
    job->identity_line = 0;
    job->err = file->err;

    return cardfeed_indexer_apply(ix, job);
}


static bool
indexer_same(const cardfeed_signature_t *a, const cardfeed_signature_t *b)
{
    return a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns
           && a->size == b->size && a->inode == b->inode;
}


/* A walk met a card that may just be being rewritten in place: it is young,
 * the same file still, and either empty or, without events, no close will
 * tell when it is complete. */
static bool
indexer_rewritten(const cardfeed_indexer_t *ix, const cardfeed_path_t *known,
    const cardfeed_watch_file_t *file)
{
    return file->racy && !known->rejected && known->signature.size > 0
           && known->signature.inode == file->signature.inode
           && known->signature.mtime_ns != file->signature.mtime_ns
           && (file->signature.size == 0
               || !cardfeed_watch_live(ix->watch));
}


int
cardfeed_indexer_look(cardfeed_indexer_t *ix, cardfeed_str_t path,
    bool forced, const cardfeed_watch_file_t *file)
{
    int rc;
    bool same, walked = file != NULL;
    cardfeed_path_t known;
    cardfeed_watch_file_t here;

    if (ix->watch == NULL || !cardfeed_watch_present(ix->watch)) {
        /* Nothing can be said of it now. */
        rc = cardfeed_indexer_begin(ix);
        return rc == CARDFEED_OK ? cardfeed_indexer_leave(ix, path) : rc;
    }
    if (file == NULL) {
        rc = cardfeed_watch_stat(ix->watch, path, &here);
        if (rc != CARDFEED_OK) {
            indexer_outdate(ix, path);
            return cardfeed_indexer_gone(ix, path);
        }
        file = &here;
    }

    rc = cardfeed_indexer_begin(ix);
    if (rc != CARDFEED_OK) {
        return rc;
    }
    rc = cardfeed_txn_lookup(ix->txn, path, &known);
    if (rc != CARDFEED_OK && rc != CARDFEED_NOTFOUND) {
        return cardfeed_indexer_fail_plain(ix, rc, "a lookup");
    }
    same = rc == CARDFEED_OK
           && indexer_same(&known.signature, &file->signature);

    if (file->code != CARDFEED_OK) {
        indexer_outdate(ix, path);
        if (!same || !known.rejected) {
            return indexer_refused(ix, path, file);
        }
        if (file->transient && !walked) {
            cardfeed_indexer_racy_add(ix, path);
        }
        return CARDFEED_OK;
    }
    if (same && !known.racy && !forced) {
        return CARDFEED_OK;
    }
    if (walked && rc == CARDFEED_OK && ix->published
        && indexer_rewritten(ix, &known, file))
    {
        cardfeed_indexer_hold(ix, path);
        return CARDFEED_OK;
    }

    return indexer_submit(ix, path, file->signature.size);
}
