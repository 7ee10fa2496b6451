/* indexer_racy: signatures taken too soon after a change are checked again
 * once no later change can look the same. */

#include "cardfeed_indexer_private.h"

#include <stdlib.h>
#include <string.h>

#define RACY_MAX 65536
#define RACY_MS 2100


static bool
racy_push(cardfeed_indexer_t *ix, cardfeed_str_t path, bool held)
{
    char *copy;
    cardfeed_racy_t *racy;

    /* One that is not remembered is parsed at the next start. */
    if (ix->racy_count == RACY_MAX) {
        return false;
    }
    if (ix->racy == NULL) {
        ix->racy = calloc(RACY_MAX, sizeof(*ix->racy));
        if (ix->racy == NULL) {
            return false;
        }
    }
    copy = malloc(path.len + 1);
    if (copy == NULL) {
        return false;
    }
    memcpy(copy, path.data, path.len);
    racy = &ix->racy[(ix->racy_head + ix->racy_count) % RACY_MAX];
    racy->path = copy;
    racy->len = path.len;
    racy->at = cardfeed_indexer_ms() + RACY_MS;
    racy->held = held;
    ix->racy_count++;

    return true;
}


void
cardfeed_indexer_racy_add(cardfeed_indexer_t *ix, cardfeed_str_t path)
{
    racy_push(ix, path, false);
}


void
cardfeed_indexer_hold(cardfeed_indexer_t *ix, cardfeed_str_t path)
{
    uint64_t hash = cardfeed_text_hash(path);

    /* Without memory its close or the next walk has to do. */
    if (cardfeed_indexer_hashes_add(&ix->begun, hash) != CARDFEED_NOMEM
        && cardfeed_indexer_hashes_add(&ix->held, hash) == CARDFEED_OK
        && !racy_push(ix, path, true))
    {
        cardfeed_indexer_hashes_drop(&ix->held, hash);
    }
}


int64_t
cardfeed_indexer_racy_at(const cardfeed_indexer_t *ix)
{
    return ix->racy_count > 0 ? ix->racy[ix->racy_head].at : 0;
}


static void
racy_pop(cardfeed_indexer_t *ix)
{
    free(ix->racy[ix->racy_head].path);
    ix->racy_head = (ix->racy_head + 1) % RACY_MAX;
    if (--ix->racy_count == 0) {
        free(ix->racy);
        ix->racy = NULL;
        ix->racy_head = 0;
    }
}


static int
racy_check(cardfeed_indexer_t *ix, cardfeed_str_t path, bool held)
{
    int rc;
    bool there;
    cardfeed_path_t known;
    cardfeed_watch_file_t file;
    cardfeed_error_t err;

    rc = cardfeed_indexer_begin(ix);
    if (rc != CARDFEED_OK) {
        return rc;
    }
    rc = cardfeed_txn_lookup(ix->txn, path, &known);
    if (rc == CARDFEED_OK && !known.racy && !held) {
        return CARDFEED_OK;
    }
    there = cardfeed_watch_stat(ix->watch, path, &file) == CARDFEED_OK;
    if (there && file.racy && held) {
        /* It is being written still. */
        cardfeed_indexer_hold(ix, path);
        return CARDFEED_OK;
    }

    if (rc == CARDFEED_OK && cardfeed_watch_live(ix->watch) && !held) {
        /* A change would have been an event, or there will be one as soon as
         * it is closed. */
        if (!there
            || memcmp(&file.signature, &known.signature,
                   sizeof(file.signature))
                   != 0)
        {
            return CARDFEED_OK;
        }
        rc = cardfeed_txn_touch(ix->txn, path, &file.signature, false);
        if (rc == CARDFEED_OK) {
            ix->txn_files++;
            return cardfeed_indexer_commit_when_full(ix);
        }
    }
    if (rc != CARDFEED_OK && rc != CARDFEED_NOTFOUND) {
        cardfeed_error_set(&err, rc, 0, "the list of files is damaged");
        return cardfeed_indexer_fail(ix, rc, &err);
    }

    if (held) {
        cardfeed_indexer_hashes_drop(&ix->begun, cardfeed_text_hash(path));
    }

    return cardfeed_indexer_look(ix, path, false, NULL);
}


/* The first of the ring.  While a file is begun only the entry made for that
 * counts; when it is no more, that one is like any other. */
static int
racy_next(cardfeed_indexer_t *ix)
{
    int rc;
    bool begun;
    uint64_t hash;
    const cardfeed_racy_t *racy = &ix->racy[ix->racy_head];
    cardfeed_str_t path = {.data = racy->path, .len = racy->len};

    hash = cardfeed_text_hash(path);
    begun = cardfeed_indexer_hashes_has(&ix->begun, hash);
    if (racy->held) {
        cardfeed_indexer_hashes_drop(&ix->held, hash);
    }
    rc = racy->held || !begun ? racy_check(ix, path, begun) : CARDFEED_OK;

    return rc == CARDFEED_OK ? cardfeed_indexer_service(ix) : rc;
}


int
cardfeed_indexer_racy_check(cardfeed_indexer_t *ix)
{
    int rc = CARDFEED_OK;
    int64_t now = cardfeed_indexer_ms();

    ix->depth = 1;
    ix->inline_left = CARDFEED_INDEXER_INLINE;

    while (rc == CARDFEED_OK && ix->racy_count > 0
           && ix->racy[ix->racy_head].at <= now)
    {
        rc = racy_next(ix);
        racy_pop(ix);
    }
    if (rc == CARDFEED_OK) {
        rc = cardfeed_indexer_flush(ix);
    }
    if (rc == CARDFEED_OK) {
        rc = cardfeed_indexer_commit(ix);
    }

    ix->depth = 0;
    cardfeed_indexer_pool_end(ix);

    return rc;
}


void
cardfeed_indexer_racy_free(cardfeed_indexer_t *ix)
{
    while (ix->racy_count > 0) {
        racy_pop(ix);
    }
    cardfeed_indexer_hashes_free(&ix->held);
}
