/*
 * store_losers: who has an identity that several files want.
 *
 * The rule that makes the outcome independent of the order of arrival: the
 * lowest path has the identity, every other one is a loser of it.  When an
 * identity comes free, its lowest loser is to be parsed again.
 */

#include "cardfeed_store_private.h"

#include <errno.h>
#include <string.h>


static void
loser_key(cardfeed_store_key_t *key, uint64_t id,
    const cardfeed_store_key_t *path)
{
    cardfeed_store_be64(key->data, id);
    memcpy(key->data + 8, path->data, path->len);
    key->len = path->len + 8;
}


int
cardfeed_store_queue(cardfeed_txn_t *txn, cardfeed_str_t path)
{
    cardfeed_store_key_t key;

    cardfeed_store_text_key(&key, path, false);

    return cardfeed_store_put(txn, CARDFEED_TABLE_RETRY,
        cardfeed_store_key_val(&key),
        cardfeed_store_val(path.data, path.len));
}


/* The loser at or after *key, if it is one of id; its path goes to txn->arena,
 * its key to *key. */
static int
next_loser(cardfeed_txn_t *txn, uint64_t id, cardfeed_store_key_t *key,
    MDB_cursor_op op, cardfeed_str_t *path)
{
    int rc;
    MDB_val k = cardfeed_store_key_val(key), value;
    MDB_cursor *cursor;

    rc = mdb_cursor_open(txn->mdb, txn->env->dbi[CARDFEED_TABLE_DUPES],
        &cursor);
    if (rc != 0) {
        return cardfeed_store_txn_fail(txn, rc, "dupes");
    }

    rc = mdb_cursor_get(cursor, &k, &value, MDB_SET_RANGE);
    if (rc == 0 && op == MDB_NEXT && k.mv_size == key->len
        && memcmp(k.mv_data, key->data, key->len) == 0)
    {
        rc = mdb_cursor_get(cursor, &k, &value, MDB_NEXT);
    }

    if (rc == 0 && (k.mv_size <= 8 || k.mv_size > sizeof(key->data))) {
        rc = MDB_CORRUPTED;
    }
    if (rc == 0 && cardfeed_store_get_be64(k.mv_data) != id) {
        rc = MDB_NOTFOUND;
    }
    if (rc == 0) {
        memcpy(key->data, k.mv_data, k.mv_size);
        key->len = k.mv_size;
        *path = cardfeed_arena_dup(&txn->arena,
            (cardfeed_str_t){.data = value.mv_data, .len = value.mv_size});
        rc = path->data == NULL ? ENOMEM : 0;
    }
    mdb_cursor_close(cursor);

    if (rc == MDB_NOTFOUND) {
        return CARDFEED_NOTFOUND;
    }

    return rc == 0 ? CARDFEED_OK : cardfeed_store_txn_fail(txn, rc, "dupes");
}


/* The path that has the identity, in txn->arena; empty: nobody has it. */
static int
find_holder(cardfeed_txn_t *txn, uint64_t id, cardfeed_str_t *holder)
{
    int rc;
    MDB_val value;
    unsigned char key[8];
    cardfeed_str_t path, bytes;
    cardfeed_store_card_head_t head;

    *holder = CARDFEED_NO_STR;
    cardfeed_store_be64(key, id);
    rc = cardfeed_store_get(txn, CARDFEED_TABLE_CARDS,
        cardfeed_store_val(key, sizeof(key)), &value);
    if (rc != CARDFEED_OK) {
        return rc == CARDFEED_NOTFOUND ? CARDFEED_OK : rc;
    }

    if (cardfeed_store_head_open(&head, &path, &bytes, &value) != CARDFEED_OK
        || path.len == 0)
    {
        return cardfeed_store_txn_corrupt(txn, "card");
    }

    /* what the map shows may go with the next write */
    *holder = cardfeed_arena_dup(&txn->arena, path);

    return holder->data != NULL ? CARDFEED_OK
                                : cardfeed_store_txn_fail(txn, ENOMEM, "path");
}


/*
 * The lowest loser gets another chance if nobody has the identity, or a path
 * above it, which came while the one asked before had not answered.  Cut keys
 * sort before raw ones with the same beginning and not by the rest of their
 * path: then all of that beginning do.
 */
int
cardfeed_store_settle(cardfeed_txn_t *txn, uint64_t id)
{
    int rc;
    cardfeed_str_t holder, path = CARDFEED_NO_STR;
    cardfeed_store_key_t key, first;
    size_t beginning = 8 + CARDFEED_STORE_KEY_CUT;
    MDB_cursor_op op = MDB_SET_RANGE;

    rc = find_holder(txn, id, &holder);
    if (rc != CARDFEED_OK) {
        return rc;
    }

    cardfeed_store_be64(key.data, id);
    key.len = 8;

    while ((rc = next_loser(txn, id, &key, op, &path)) == CARDFEED_OK) {
        if (op == MDB_SET_RANGE) {
            first = key;
            op = MDB_NEXT;
        } else if (key.len < beginning
                   || memcmp(key.data, first.data, beginning) != 0)
        {
            break;
        }

        if (holder.len == 0 || cardfeed_str_cmp(path, holder) < 0) {
            rc = cardfeed_store_queue(txn, path);
            if (rc != CARDFEED_OK) {
                return rc;
            }
        }
        if (first.len <= 8 + CARDFEED_STORE_KEY_MAX) {
            break;
        }
    }

    return rc == CARDFEED_NOTFOUND ? CARDFEED_OK : rc;
}


int
cardfeed_store_lose(cardfeed_txn_t *txn, cardfeed_store_entry_t *entry,
    uint64_t id)
{
    cardfeed_store_key_t key;

    entry->row.flags |= CARDFEED_PATH_LOSER;
    entry->row.rival = id;
    loser_key(&key, id, &entry->key);

    return cardfeed_store_put(txn, CARDFEED_TABLE_DUPES,
        cardfeed_store_key_val(&key),
        cardfeed_store_val(entry->path.data, entry->path.len));
}


int
cardfeed_store_lose_no_more(cardfeed_txn_t *txn, cardfeed_store_entry_t *entry)
{
    int rc;
    uint64_t id = entry->row.rival;
    cardfeed_store_key_t key;

    if (!(entry->row.flags & CARDFEED_PATH_LOSER)) {
        return CARDFEED_OK;
    }

    entry->row.flags &= ~(uint32_t) CARDFEED_PATH_LOSER;
    entry->row.rival = 0;
    loser_key(&key, id, &entry->key);

    rc = cardfeed_store_del(txn, CARDFEED_TABLE_DUPES,
        cardfeed_store_key_val(&key));
    if (rc == CARDFEED_NOTFOUND) {
        rc = cardfeed_store_txn_corrupt(txn, "dupes");
    }

    return rc == CARDFEED_OK ? cardfeed_store_settle(txn, id) : rc;
}


/* The next path to be parsed again leaves the queue. */
int
cardfeed_txn_retry(cardfeed_txn_t *txn, cardfeed_str_t *path)
{
    int rc;
    MDB_val key, value;
    MDB_cursor *cursor;

    if (txn->failed.code != CARDFEED_OK) {
        return txn->failed.code;
    }

    rc = mdb_cursor_open(txn->mdb, txn->env->dbi[CARDFEED_TABLE_RETRY],
        &cursor);
    if (rc == 0) {
        rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
        if (rc == MDB_NOTFOUND) {
            mdb_cursor_close(cursor);
            return CARDFEED_NOTFOUND;
        }
        if (rc == 0) {
            *path = cardfeed_arena_dup(&txn->arena,
                (cardfeed_str_t){.data = value.mv_data,
                    .len = value.mv_size});
            txn->dirty = true;
            rc = path->data == NULL ? ENOMEM : mdb_cursor_del(cursor, 0);
        }
        mdb_cursor_close(cursor);
    }

    return rc == 0 ? CARDFEED_OK : cardfeed_store_txn_fail(txn, rc, "retry");
}
