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


static bool
racy_push_held(cardfeed_indexer_t *ix, cardfeed_str_t path, uint64_t hash)
{
    int rc = cardfeed_indexer_hashes_add(&ix->held, hash);

    if (rc == CARDFEED_OK && !racy_push(ix, path, true)) {
        cardfeed_indexer_hashes_drop(&ix->held, hash);
        return false;
    }

    return rc != CARDFEED_NOMEM;
}


void
cardfeed_indexer_hold(cardfeed_indexer_t *ix, cardfeed_str_t path)
{
    uint64_t hash = cardfeed_text_hash(path);

    if (cardfeed_indexer_hashes_add(&ix->begun, hash) == CARDFEED_NOMEM
        || !racy_push_held(ix, path, hash))
    {
        /* Without memory, or too many of them: a walk has to do. */
        cardfeed_indexer_hashes_drop(&ix->begun, hash);
        ix->scan = true;
    }
}


int64_t
cardfeed_indexer_racy_at(const cardfeed_indexer_t *ix)
{
    return ix->racy_count > 0 ? ix->racy[ix->racy_head].at : 0;
}


/* The path is the caller's to free. */
static cardfeed_racy_t
racy_pop(cardfeed_indexer_t *ix)
{
    cardfeed_racy_t racy = ix->racy[ix->racy_head];

    ix->racy_head = (ix->racy_head + 1) % RACY_MAX;
    if (--ix->racy_count == 0) {
        free(ix->racy);
        ix->racy = NULL;
        ix->racy_head = 0;
    }

    return racy;
}


/* Whether what is known of a file at rest can be left as it is: a change would
 * have been an event, or there will be one as soon as it is closed.  But what
 * could not be read may have become readable without one, and one that was
 * held may never have been read. */
static bool
racy_settled(cardfeed_indexer_t *ix, const cardfeed_racy_t *racy,
    const cardfeed_path_t *known, const cardfeed_watch_file_t *file)
{
    if (racy->held) {
        return false;
    }

    return !known->racy
           || (cardfeed_watch_live(ix->watch) && !known->rejected
               && (file == NULL
                   || memcmp(&file->signature, &known->signature,
                          sizeof(file->signature))
                          != 0));
}


/* The signature stands now: nothing has to be parsed for that. */
static bool
racy_unchanged(cardfeed_indexer_t *ix, const cardfeed_path_t *known,
    const cardfeed_watch_file_t *file)
{
    return file != NULL && known->racy && !known->rejected
           && cardfeed_watch_live(ix->watch)
           && memcmp(&file->signature, &known->signature,
                  sizeof(file->signature))
                  == 0;
}


/* It was held, its close has not come, and it is as young as it was. */
static bool
racy_unread(const cardfeed_racy_t *racy, const cardfeed_path_t *known,
    const cardfeed_watch_file_t *file)
{
    return racy->held && file != NULL && file->racy && !known->rejected
           && memcmp(&file->signature, &known->signature,
                  sizeof(file->signature))
                  != 0;
}


static int
racy_look(cardfeed_indexer_t *ix, const cardfeed_racy_t *racy, bool begun)
{
    int rc;
    cardfeed_path_t known;
    cardfeed_watch_file_t here, *file = NULL;
    cardfeed_str_t path = {.data = racy->path, .len = racy->len};

    rc = cardfeed_indexer_begin(ix);
    if (rc != CARDFEED_OK) {
        return rc;
    }
    rc = cardfeed_txn_lookup(ix->txn, path, &known);
    if (rc != CARDFEED_OK && rc != CARDFEED_NOTFOUND) {
        return cardfeed_indexer_fail_plain(ix, rc, "a lookup");
    }
    if (cardfeed_watch_stat(ix->watch, path, &here) == CARDFEED_OK) {
        file = &here;
    }

    if (begun && file != NULL && file->racy) {
        /* It is being written still. */
        cardfeed_indexer_hold(ix, path);
        return CARDFEED_OK;
    }
    cardfeed_indexer_hashes_drop(&ix->begun, cardfeed_text_hash(path));
    if (rc == CARDFEED_OK && racy_unread(racy, &known, file)
        && racy_push_held(ix, path, cardfeed_text_hash(path)))
    {
        return CARDFEED_OK;
    }

    if (rc == CARDFEED_OK && racy_unchanged(ix, &known, file)) {
        rc = cardfeed_txn_touch(ix->txn, path, &file->signature, false);
        if (rc != CARDFEED_OK) {
            return cardfeed_indexer_fail_plain(ix, rc, "a new signature");
        }
        ix->txn_files++;
        return cardfeed_indexer_commit_when_full(ix);
    }
    if (rc == CARDFEED_OK && racy_settled(ix, racy, &known, file)) {
        return CARDFEED_OK;
    }

    return cardfeed_indexer_look(ix, path, false, NULL);
}


/* The first of the ring.  While a file is begun only the entry made for that
 * counts. */
static int
racy_next(cardfeed_indexer_t *ix)
{
    int rc = CARDFEED_OK;
    bool begun;
    uint64_t hash;
    cardfeed_racy_t racy = racy_pop(ix);

    hash = cardfeed_text_hash(
        (cardfeed_str_t){.data = racy.path, .len = racy.len});
    begun = cardfeed_indexer_hashes_has(&ix->begun, hash);
    if (racy.held) {
        cardfeed_indexer_hashes_drop(&ix->held, hash);
    }
    if (racy.held || !begun) {
        rc = racy_look(ix, &racy, begun);
    }
    free(racy.path);

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
        free(racy_pop(ix).path);
    }
    cardfeed_indexer_hashes_free(&ix->held);
}
