/* indexer_apply: files to transactions. */

#include "cardfeed_indexer_private.h"

#include <string.h>

#define INDEXER_DUE_MAX 1000
#define INDEXER_FULL_TRIES 3
#define INDEXER_REPLAYS 1000 /* second retries in one transaction */
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
    ix->replayed = 0;
    cardfeed_indexer_report_conflicts(ix, false);

    /* Nothing was lost that a walk would not find. */
    ix->scan = true;
    if (code == CARDFEED_CORRUPT
        || (code == CARDFEED_FULL && ++ix->full > INDEXER_FULL_TRIES))
    {
        /* A full one may lack the room even for removals. */
        ix->rebuild = true;
        ix->full = 0;
    }

    return cardfeed_indexer_trouble(ix, "index", code, err);
}


int
cardfeed_indexer_no_memory(cardfeed_indexer_t *ix)
{
    cardfeed_error_t err;

    cardfeed_error_set(&err, CARDFEED_NOMEM, 0, "out of memory");

    return cardfeed_indexer_fail(ix, CARDFEED_NOMEM, &err);
}


int
cardfeed_indexer_fail_plain(cardfeed_indexer_t *ix, int code, const char *what)
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


int
cardfeed_indexer_leave(cardfeed_indexer_t *ix, cardfeed_str_t path)
{
    int rc;
    cardfeed_path_t known;

    rc = cardfeed_txn_lookup(ix->txn, path, &known);
    if (rc == CARDFEED_OK) {
        rc = cardfeed_txn_touch(ix->txn, path, &known.signature, true);
    }

    return rc == CARDFEED_OK || rc == CARDFEED_NOTFOUND
               ? CARDFEED_OK
               : cardfeed_indexer_fail_plain(ix, rc, "a new signature");
}


static int
indexer_retry_one(cardfeed_indexer_t *ix, cardfeed_str_t path)
{
    int rc;

    /* An identity may come free more than once in a transaction; but no two
     * paths can play ball for ever. */
    rc = cardfeed_indexer_hashes_add(&ix->retried, cardfeed_text_hash(path));
    if (rc == CARDFEED_BUSY) {
        if (ix->replayed == INDEXER_REPLAYS) {
            return cardfeed_indexer_leave(ix, path);
        }
        ix->replayed++;
        rc = CARDFEED_OK;
    }
    if (rc != CARDFEED_OK) {
        return cardfeed_indexer_no_memory(ix);
    }
    if (cardfeed_indexer_stopping(ix)
        && cardfeed_indexer_ms() - ix->txn_since
               > CARDFEED_INDEXER_BATCH_MS + INDEXER_LAST_MS)
    {
        return cardfeed_indexer_leave(ix, path);
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
            rc = cardfeed_indexer_fail_plain(ix, rc, "a look for retries");
        }
    }

    return rc == CARDFEED_NOTFOUND ? CARDFEED_OK : rc;
}


/* When it is quiet; but also where it never is. */
static void
indexer_sync_later(cardfeed_indexer_t *ix)
{
    int64_t now = cardfeed_indexer_ms();

    if (ix->unsynced_at == 0) {
        ix->unsynced_at = now;
    }
    ix->sync_at = now + CARDFEED_INDEXER_SYNC_MS;
    if (ix->sync_at > ix->unsynced_at + CARDFEED_INDEXER_SYNC_MAX) {
        ix->sync_at = ix->unsynced_at + CARDFEED_INDEXER_SYNC_MAX;
    }
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
        return cardfeed_indexer_fail_plain(ix, rc, "work on due cards");
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
    ix->replayed = 0;
    cardfeed_indexer_due_arm(ix, next);
    if (dirty) {
        indexer_sync_later(ix);
    }

    return CARDFEED_OK;
}


int
cardfeed_indexer_commit_when_full(cardfeed_indexer_t *ix)
{
    if (ix->txn == NULL || ix->committing
        || (ix->txn_files < CARDFEED_INDEXER_BATCH_FILES
            && cardfeed_txn_writes(ix->txn) < CARDFEED_INDEXER_BATCH_WRITES
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
                             : cardfeed_indexer_fail_plain(ix, rc, "a lookup");
}


int
cardfeed_indexer_gone(cardfeed_indexer_t *ix, cardfeed_str_t path)
{
    int rc = cardfeed_indexer_begin(ix);

    if (rc != CARDFEED_OK) {
        return rc;
    }
    if (ix->reopen || cardfeed_watch_replaced(ix->watch)) {
        /* With its root: then nothing is known of the file itself. */
        ix->reopen = true;
        return cardfeed_indexer_leave(ix, path);
    }
    rc = cardfeed_txn_remove(ix->txn, path);
    if (rc == CARDFEED_NOTFOUND) {
        return CARDFEED_OK;
    }
    if (rc != CARDFEED_OK) {
        return cardfeed_indexer_fail_plain(ix, rc, "a removal");
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
            return cardfeed_indexer_fail_plain(ix, rc, "a change");
        }
        return cardfeed_indexer_fail(ix, rc, &err);
    }

    if (news && job->kind == CARDFEED_FILE_REJECTED) {
        cardfeed_indexer_report_file(ix, path, &err);
    } else if (news && rc == CARDFEED_INVALID
               && cardfeed_indexer_conflict(ix, path, &err) != CARDFEED_OK)
    {
        return cardfeed_indexer_no_memory(ix);
    }
    ix->txn_files++;

    return is_new ? indexer_siblings(ix, path) : CARDFEED_OK;
}


int
cardfeed_indexer_apply(cardfeed_indexer_t *ix, cardfeed_job_t *job)
{
    int rc;
    cardfeed_str_t path = cardfeed_buf_view(&job->path);

    rc = cardfeed_indexer_begin(ix);
    if (rc != CARDFEED_OK) {
        return rc;
    }

    if (job->again) {
        return cardfeed_indexer_paths_add(&ix->again, path) == CARDFEED_NOMEM
                   ? cardfeed_indexer_no_memory(ix)
                   : CARDFEED_OK;
    }
    if (job->gone) {
        return cardfeed_indexer_gone(ix, path);
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
