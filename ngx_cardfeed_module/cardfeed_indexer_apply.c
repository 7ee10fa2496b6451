/* indexer_apply: files to transactions. */

#include "cardfeed_indexer_private.h"

#include <string.h>

#define INDEXER_DUE_MAX 1000
#define INDEXER_LAST_MS 50 /* what a stop leaves for retries */


int
cardfeed_indexer_fail(cardfeed_indexer_t *ix, int code,
    const cardfeed_error_t *err)
{
    if (ix->txn != NULL) {
        cardfeed_txn_abort(ix->txn);
        ix->txn = NULL;
    }
    ix->txn_files = 0;
    cardfeed_indexer_paths_free(&ix->again);
    cardfeed_indexer_hashes_free(&ix->retried);
    cardfeed_indexer_report_conflicts(ix, false);

    /* Nothing was lost that a walk would not find. */
    ix->scan = true;
    if (code == CARDFEED_CORRUPT) {
        ix->rebuild = true;
    }

    return cardfeed_indexer_trouble(ix, "index", code, err);
}


static int
indexer_no_memory(cardfeed_indexer_t *ix)
{
    cardfeed_error_t err;

    cardfeed_error_set(&err, CARDFEED_NOMEM, 0, "out of memory");

    return cardfeed_indexer_fail(ix, CARDFEED_NOMEM, &err);
}


/* The store's functions without a message of their own. */
static int
indexer_fail_plain(cardfeed_indexer_t *ix, int code, const char *what)
{
    cardfeed_error_t err;

    cardfeed_error_set(&err, code, 0, "%s failed%s", what,
        code == CARDFEED_CORRUPT  ? ": the index is damaged"
            : code == CARDFEED_FULL ? ": no space"
                                    : "");

    return cardfeed_indexer_fail(ix, code, &err);
}


int
cardfeed_indexer_begin(cardfeed_indexer_t *ix)
{
    int rc;
    cardfeed_error_t err = {.code = CARDFEED_OK};

    if (ix->txn != NULL) {
        return CARDFEED_OK;
    }
    rc = cardfeed_txn_begin(ix->store, cardfeed_indexer_time(), &ix->txn,
        &err);
    if (rc != CARDFEED_OK) {
        ix->txn = NULL;
        return cardfeed_indexer_fail(ix, rc, &err);
    }
    ix->txn_since = cardfeed_indexer_ms();
    ix->txn_files = 0;

    return CARDFEED_OK;
}


/* Has the next start look at a path whatever its signature says. */
static int
indexer_leave(cardfeed_indexer_t *ix, cardfeed_str_t path)
{
    int rc;
    cardfeed_path_t known;

    rc = cardfeed_txn_lookup(ix->txn, path, &known);
    if (rc == CARDFEED_OK) {
        rc = cardfeed_txn_touch(ix->txn, path, &known.signature, true);
    }

    return rc == CARDFEED_OK || rc == CARDFEED_NOTFOUND
               ? CARDFEED_OK
               : indexer_fail_plain(ix, rc, "a change of a signature");
}


static int
indexer_retry_one(cardfeed_indexer_t *ix, cardfeed_str_t path)
{
    int rc;

    /* Once in a transaction, so that two paths cannot play ball. */
    rc = cardfeed_indexer_hashes_add(&ix->retried, cardfeed_text_hash(path));
    if (rc == CARDFEED_BUSY) {
        return CARDFEED_OK;
    }
    if (rc != CARDFEED_OK) {
        return indexer_no_memory(ix);
    }
    if (cardfeed_indexer_stopping(ix)
        && cardfeed_indexer_ms() - ix->txn_since
               > CARDFEED_INDEXER_BATCH_MS + INDEXER_LAST_MS)
    {
        return indexer_leave(ix, path);
    }

    return cardfeed_indexer_look(ix, path, true, NULL);
}


/* What has to be parsed again before this transaction may be seen. */
static int
indexer_retries(cardfeed_indexer_t *ix)
{
    int rc = CARDFEED_OK;
    size_t i = 0;
    cardfeed_str_t path;

    while (rc == CARDFEED_OK) {
        if (i < ix->again.count) {
            rc = indexer_retry_one(ix, ix->again.paths[i++]);
            continue;
        }
        rc = cardfeed_txn_retry(ix->txn, &path);
        if (rc == CARDFEED_OK) {
            rc = indexer_retry_one(ix, path);
        } else if (rc != CARDFEED_NOTFOUND) {
            rc = indexer_fail_plain(ix, rc, "a look for retries");
        }
    }

    return rc == CARDFEED_NOTFOUND ? CARDFEED_OK : rc;
}


int
cardfeed_indexer_commit(cardfeed_indexer_t *ix)
{
    int rc;
    bool dirty;
    int64_t next = CARDFEED_NO_TIME;
    cardfeed_error_t err = {.code = CARDFEED_OK};

    if (ix->txn == NULL) {
        return CARDFEED_OK;
    }

    ix->committing = true;
    rc = indexer_retries(ix);
    ix->committing = false;
    if (rc != CARDFEED_OK) {
        return rc;
    }

    rc = cardfeed_txn_due(ix->txn, cardfeed_indexer_time(), INDEXER_DUE_MAX,
        &next);
    if (rc != CARDFEED_OK) {
        return indexer_fail_plain(ix, rc, "work on due cards");
    }

    cardfeed_indexer_report_conflicts(ix, true);
    dirty = cardfeed_txn_dirty(ix->txn);
    rc = cardfeed_txn_commit(ix->txn, &err);
    ix->txn = NULL;
    if (rc != CARDFEED_OK) {
        return cardfeed_indexer_fail(ix, rc, &err);
    }

    ix->txn_files = 0;
    cardfeed_indexer_paths_free(&ix->again);
    cardfeed_indexer_hashes_free(&ix->retried);
    cardfeed_indexer_due_arm(ix, next);
    if (dirty) {
        ix->sync_at = cardfeed_indexer_ms() + 1000;
    }

    return CARDFEED_OK;
}


int
cardfeed_indexer_commit_when_full(cardfeed_indexer_t *ix)
{
    if (ix->txn == NULL || ix->committing
        || (ix->txn_files < CARDFEED_INDEXER_BATCH_FILES
            && cardfeed_indexer_ms() - ix->txn_since
                   < CARDFEED_INDEXER_BATCH_MS))
    {
        return CARDFEED_OK;
    }

    return cardfeed_indexer_commit(ix);
}


/* 0: .md, 1: .markdown, 2: any other; *stem: all before the dot. */
static int
indexer_rank(cardfeed_str_t path, cardfeed_str_t *stem)
{
    cardfeed_str_t ext;

    *stem = path;
    while (stem->len > 0 && stem->data[stem->len - 1] != '.'
           && stem->data[stem->len - 1] != '/')
    {
        stem->len--;
    }
    if (stem->len == 0 || stem->data[stem->len - 1] == '/') {
        return 2;
    }
    ext.data = path.data + stem->len;
    ext.len = path.len - stem->len;
    stem->len--;

    if (cardfeed_str_eq(ext, CARDFEED_STR("md"))) {
        return 0;
    }

    return cardfeed_str_eq(ext, CARDFEED_STR("markdown")) ? 1 : 2;
}


/* A file came or went: those it outranks change their derived identity. */
static int
indexer_siblings(cardfeed_indexer_t *ix, cardfeed_str_t path)
{
    int rc = CARDFEED_OK, rank;
    const char *const *include, *dot;
    cardfeed_buf_t buf;
    cardfeed_str_t stem, sibling, other;
    cardfeed_path_t known;

    rank = indexer_rank(path, &stem);
    if (rank == 2) {
        return CARDFEED_OK;
    }

    cardfeed_buf_init(&buf, path.len + 256);
    for (include = ix->c->include; *include != NULL && rc == CARDFEED_OK;
         include++)
    {
        dot = strrchr(*include, '.');
        if (dot == NULL || strpbrk(dot, "*?[\\/") != NULL) {
            continue;
        }
        cardfeed_buf_reset(&buf);
        cardfeed_buf_str(&buf, stem);
        cardfeed_buf_cstr(&buf, dot);
        sibling = cardfeed_buf_view(&buf);
        if (buf.failed != CARDFEED_OK || indexer_rank(sibling, &other) <= rank)
        {
            continue;
        }
        rc = cardfeed_txn_lookup(ix->txn, sibling, &known);
        if (rc == CARDFEED_OK
            && cardfeed_indexer_paths_add(&ix->again, sibling)
                   == CARDFEED_NOMEM)
        {
            rc = CARDFEED_NOMEM;
        } else if (rc == CARDFEED_NOTFOUND) {
            rc = CARDFEED_OK;
        }
    }
    cardfeed_buf_free(&buf);

    return rc == CARDFEED_OK ? rc
                             : indexer_fail_plain(ix, rc, "a lookup");
}


static int
indexer_gone(cardfeed_indexer_t *ix, cardfeed_str_t path)
{
    int rc = cardfeed_indexer_begin(ix);

    if (rc != CARDFEED_OK) {
        return rc;
    }
    if (ix->reopen || cardfeed_watch_replaced(ix->watch)) {
        /* With its root: then nothing is known of the file itself. */
        ix->reopen = true;
        return indexer_leave(ix, path);
    }
    rc = cardfeed_txn_remove(ix->txn, path);
    if (rc == CARDFEED_NOTFOUND) {
        return CARDFEED_OK;
    }
    if (rc != CARDFEED_OK) {
        return indexer_fail_plain(ix, rc, "a removal");
    }
    ix->txn_files++;
    rc = indexer_siblings(ix, path);

    return rc == CARDFEED_OK ? cardfeed_indexer_commit_when_full(ix) : rc;
}


static int
indexer_put(cardfeed_indexer_t *ix, cardfeed_job_t *job)
{
    int rc;
    bool is_new, news = false;
    cardfeed_path_t known;
    cardfeed_error_t err = {.code = CARDFEED_OK};
    cardfeed_str_t path = cardfeed_buf_view(&job->path);
    cardfeed_file_t file = {
        .kind = job->kind,
        .identity_line = job->identity_line,
    };

    if (job->kind == CARDFEED_FILE_CARD) {
        file.record = cardfeed_buf_view(&job->record);
    } else if (job->kind == CARDFEED_FILE_REJECTED) {
        file.line = job->err.line;
        file.reason = cardfeed_str_of(job->err.message);
        err = job->err;
    }

    rc = cardfeed_txn_lookup(ix->txn, path, &known);
    is_new = rc == CARDFEED_NOTFOUND;
    if (rc == CARDFEED_OK || is_new) {
        rc = cardfeed_txn_put(ix->txn, path, &job->signature, job->racy,
            &file, &news, &err);
    }
    if (rc != CARDFEED_OK && rc != CARDFEED_INVALID) {
        if (err.message[0] == '\0') {
            return indexer_fail_plain(ix, rc, "a change");
        }
        return cardfeed_indexer_fail(ix, rc, &err);
    }

    if (news && job->kind == CARDFEED_FILE_REJECTED) {
        cardfeed_indexer_report_file(ix, path, &err);
    } else if (news && rc == CARDFEED_INVALID
               && cardfeed_indexer_conflict(ix, path, &err) != CARDFEED_OK)
    {
        return indexer_no_memory(ix);
    }
    ix->txn_files++;

    return is_new ? indexer_siblings(ix, path) : CARDFEED_OK;
}


/* A job's results into the transaction. */
static int
indexer_apply(cardfeed_indexer_t *ix, cardfeed_job_t *job)
{
    int rc;
    cardfeed_str_t path = cardfeed_buf_view(&job->path);

    rc = cardfeed_indexer_begin(ix);
    if (rc != CARDFEED_OK) {
        return rc;
    }

    if (job->again) {
        return cardfeed_indexer_paths_add(&ix->again, path) == CARDFEED_NOMEM
                   ? indexer_no_memory(ix)
                   : CARDFEED_OK;
    }
    if (job->gone) {
        return indexer_gone(ix, path);
    }

    rc = indexer_put(ix, job);
    if (rc != CARDFEED_OK) {
        return rc;
    }
    ix->parsed += job->parsed;
    if (job->racy) {
        cardfeed_indexer_racy_add(ix, path);
    }

    return cardfeed_indexer_commit_when_full(ix);
}


/* A result of the pool, if there is one within ms. */
static int
indexer_take(cardfeed_indexer_t *ix, int ms)
{
    int rc = CARDFEED_OK;
    cardfeed_job_t *job;

    job = cardfeed_indexer_pool_take(ix->pool, ix->starved ? 0 : ms);
    if (job != NULL) {
        ix->starved = false;
    } else if (ms > 0) {
        /* Idle priority may mean never on a busy machine. */
        job = cardfeed_indexer_pool_steal(ix->pool);
        ix->starved = job != NULL;
        if (job != NULL) {
            cardfeed_indexer_job_run(job, ix->watch, ix->parser, &ix->data);
        }
    }

    if (job != NULL) {
        rc = indexer_apply(ix, job);
        cardfeed_indexer_pool_done(ix->pool, job);
    } else {
        rc = cardfeed_indexer_commit_when_full(ix);
    }
    if (rc == CARDFEED_OK && (job == NULL || ix->starved)) {
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
        rc = indexer_take(ix, 5);
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
        return indexer_no_memory(ix);
    }
    ix->job.again = false;
    cardfeed_indexer_job_run(&ix->job, ix->watch, ix->parser, &ix->data);

    return indexer_apply(ix, &ix->job);
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
        rc = indexer_take(ix, job == NULL ? 5 : 0);
        job = cardfeed_indexer_pool_idle(ix->pool);
    } while (rc == CARDFEED_OK && job == NULL);
    if (rc != CARDFEED_OK) {
        return rc;
    }
    if (indexer_outdate(ix, path)) {
        return CARDFEED_OK; /* an event was quicker */
    }

    if (cardfeed_indexer_job_set(job, path) != CARDFEED_OK) {
        return indexer_no_memory(ix);
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
        return indexer_no_memory(ix);
    }
    job->again = false;
    job->gone = false;
    job->parsed = false;
    job->racy = file->racy;
    job->signature = file->signature;
    job->kind = CARDFEED_FILE_REJECTED;
    job->identity_line = 0;
    job->err = file->err;

    return indexer_apply(ix, job);
}


static bool
indexer_same(const cardfeed_signature_t *a, const cardfeed_signature_t *b)
{
    return a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns
           && a->size == b->size && a->inode == b->inode;
}


int
cardfeed_indexer_look(cardfeed_indexer_t *ix, cardfeed_str_t path,
    bool forced, const cardfeed_watch_file_t *file)
{
    int rc;
    bool same;
    cardfeed_path_t known;
    cardfeed_watch_file_t here;

    if (ix->watch == NULL || !cardfeed_watch_present(ix->watch)) {
        /* Nothing can be said of it now. */
        rc = cardfeed_indexer_begin(ix);
        return rc == CARDFEED_OK ? indexer_leave(ix, path) : rc;
    }
    if (file == NULL) {
        rc = cardfeed_watch_stat(ix->watch, path, &here);
        if (rc != CARDFEED_OK) {
            indexer_outdate(ix, path);
            return indexer_gone(ix, path);
        }
        file = &here;
    }

    rc = cardfeed_indexer_begin(ix);
    if (rc != CARDFEED_OK) {
        return rc;
    }
    rc = cardfeed_txn_lookup(ix->txn, path, &known);
    if (rc != CARDFEED_OK && rc != CARDFEED_NOTFOUND) {
        return indexer_fail_plain(ix, rc, "a lookup");
    }
    same = rc == CARDFEED_OK
           && indexer_same(&known.signature, &file->signature);

    if (file->code != CARDFEED_OK) {
        indexer_outdate(ix, path);
        return same && known.rejected ? CARDFEED_OK
                                      : indexer_refused(ix, path, file);
    }
    if (same && !known.racy && !forced) {
        return CARDFEED_OK;
    }

    return indexer_submit(ix, path, file->signature.size);
}
