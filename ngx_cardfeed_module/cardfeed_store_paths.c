/*
 * store_paths: the paths that are known, and what is known of each.
 */

#include "cardfeed_store_private.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>


MDB_val
cardfeed_store_key_val(const cardfeed_store_key_t *key)
{
    return cardfeed_store_val(key->data, key->len);
}


static uint64_t
row_check(const cardfeed_store_path_row_t *row, cardfeed_str_t path)
{
    return cardfeed_store_check(row,
        offsetof(cardfeed_store_path_row_t, check), path, CARDFEED_NO_STR);
}


/* Takes a row of paths apart; the path is in the key unless that was cut. */
int
cardfeed_store_path_open(cardfeed_store_path_row_t *row, cardfeed_str_t *path,
    const MDB_val *key, const MDB_val *value)
{
    cardfeed_str_t rest;

    if (!cardfeed_store_fixed(row, sizeof(*row), value, &rest)
        || row->path_len != rest.len || row->flags > CARDFEED_PATH_FLAGS
        || (rest.len == 0 && key->mv_size > CARDFEED_STORE_KEY_MAX))
    {
        return CARDFEED_CORRUPT;
    }

    *path = rest;
    if (rest.len == 0) {
        path->data = key->mv_data;
        path->len = key->mv_size;
    }

    return row->check == row_check(row, *path) ? CARDFEED_OK
                                               : CARDFEED_CORRUPT;
}


int
cardfeed_store_entry_get(cardfeed_txn_t *txn, cardfeed_store_entry_t *entry,
    cardfeed_str_t path)
{
    int rc;
    MDB_val key, value;
    cardfeed_str_t whole;

    memset(entry, 0, sizeof(*entry));
    entry->path = path;

    if (path.len == 0 || path.len >= PATH_MAX
        || memchr(path.data, '\0', path.len) != NULL)
    {
        return txn->failed.code != CARDFEED_OK ? txn->failed.code
                                               : CARDFEED_INVALID;
    }

    cardfeed_store_text_key(&entry->key, path, false);
    key = cardfeed_store_key_val(&entry->key);

    rc = cardfeed_store_get(txn, CARDFEED_TABLE_PATHS, key, &value);
    if (rc != CARDFEED_OK) {
        return rc;
    }

    if (cardfeed_store_path_open(&entry->row, &whole, &key, &value)
        != CARDFEED_OK)
    {
        return cardfeed_store_txn_corrupt(txn, "path");
    }

    if (!cardfeed_str_eq(whole, path)) {
        return CARDFEED_INVALID;
    }

    entry->known = true;
    entry->stored = entry->row;

    return CARDFEED_OK;
}


int
cardfeed_store_entry_put(cardfeed_txn_t *txn, cardfeed_store_entry_t *entry)
{
    bool cut = entry->path.len > CARDFEED_STORE_KEY_MAX;

    entry->row.path_len = cut ? (uint32_t) entry->path.len : 0;

    if (entry->known
        && memcmp(&entry->row, &entry->stored, sizeof(entry->row)) == 0)
    {
        return CARDFEED_OK;
    }

    entry->row.check = row_check(&entry->row, entry->path);
    cardfeed_buf_reset(&txn->scratch);
    cardfeed_buf_append(&txn->scratch, &entry->row, sizeof(entry->row));
    if (cut) {
        cardfeed_buf_str(&txn->scratch, entry->path);
    }
    if (txn->scratch.failed != CARDFEED_OK) {
        return cardfeed_store_txn_fail(txn, ENOMEM, "path");
    }

    return cardfeed_store_put(txn, CARDFEED_TABLE_PATHS,
        cardfeed_store_key_val(&entry->key),
        cardfeed_store_val(txn->scratch.data, txn->scratch.len));
}


void
cardfeed_store_entry_sign(cardfeed_store_entry_t *entry,
    const cardfeed_signature_t *signature, bool racy)
{
    entry->row.mtime_ns = signature->mtime_ns;
    entry->row.ctime_ns = signature->ctime_ns;
    entry->row.size = signature->size;
    entry->row.inode = signature->inode;
    entry->row.flags &= ~(uint32_t) CARDFEED_PATH_RACY;
    if (racy) {
        entry->row.flags |= CARDFEED_PATH_RACY;
    }
}


static void
show(cardfeed_path_t *out, const cardfeed_store_path_row_t *row)
{
    out->signature.mtime_ns = row->mtime_ns;
    out->signature.ctime_ns = row->ctime_ns;
    out->signature.size = row->size;
    out->signature.inode = row->inode;
    out->racy = row->flags & CARDFEED_PATH_RACY;
    out->rejected = row->flags & CARDFEED_PATH_REJECTED;
    out->has_card = row->flags & CARDFEED_PATH_CARD;
}


/* A path that cannot be kept is not known. */
static int
known(cardfeed_txn_t *txn, cardfeed_store_entry_t *entry, cardfeed_str_t path)
{
    int rc = cardfeed_store_entry_get(txn, entry, path);

    return rc == CARDFEED_INVALID ? CARDFEED_NOTFOUND : rc;
}


int
cardfeed_txn_lookup(cardfeed_txn_t *txn, cardfeed_str_t path,
    cardfeed_path_t *out)
{
    int rc;
    cardfeed_store_entry_t entry;

    rc = known(txn, &entry, path);
    if (rc == CARDFEED_OK) {
        show(out, &entry.row);
    }

    return rc;
}


int
cardfeed_txn_touch(cardfeed_txn_t *txn, cardfeed_str_t path,
    const cardfeed_signature_t *signature, bool racy)
{
    int rc;
    cardfeed_store_entry_t entry;

    rc = known(txn, &entry, path);
    if (rc == CARDFEED_OK) {
        cardfeed_store_entry_sign(&entry, signature, racy);
        rc = cardfeed_store_entry_put(txn, &entry);
    }

    return rc;
}


static bool
starts_with(const void *data, size_t len, cardfeed_str_t prefix)
{
    return len >= prefix.len
           && (prefix.len == 0 || memcmp(data, prefix.data, prefix.len) == 0);
}


/* prefix: "dir/" or nothing.  As cut keys hold only the beginning of a path,
 * a long prefix is looked for by its beginning. */
static int
walk(cardfeed_txn_t *txn, MDB_cursor *cursor, cardfeed_str_t prefix,
    int (*fn)(void *data, cardfeed_str_t path, const cardfeed_path_t *p),
    void *data)
{
    int rc;
    MDB_val key, value;
    cardfeed_str_t path, begin = prefix;
    cardfeed_path_t shown;
    cardfeed_store_path_row_t row;

    if (begin.len > CARDFEED_STORE_KEY_CUT) {
        begin.len = CARDFEED_STORE_KEY_CUT;
    }

    key = cardfeed_store_val(begin.data, begin.len);
    rc = mdb_cursor_get(cursor, &key, &value,
        begin.len == 0 ? MDB_FIRST : MDB_SET_RANGE);

    while (rc == 0 && starts_with(key.mv_data, key.mv_size, begin)) {
        if (cardfeed_store_path_open(&row, &path, &key, &value)
            != CARDFEED_OK)
        {
            return cardfeed_store_txn_corrupt(txn, "path");
        }

        if (starts_with(path.data, path.len, prefix)) {
            show(&shown, &row);
            rc = fn(data, path, &shown);
            if (rc != 0) {
                return rc;
            }
        }

        rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }

    return rc == 0 || rc == MDB_NOTFOUND
               ? CARDFEED_OK
               : cardfeed_store_txn_fail(txn, rc, "paths");
}


int
cardfeed_txn_paths(cardfeed_txn_t *txn, cardfeed_str_t dir,
    int (*fn)(void *data, cardfeed_str_t path, const cardfeed_path_t *p),
    void *data)
{
    int rc;
    char prefix[PATH_MAX];
    MDB_cursor *cursor;

    if (txn->failed.code != CARDFEED_OK) {
        return txn->failed.code;
    }
    if (dir.len >= sizeof(prefix)) {
        return CARDFEED_OK;
    }

    if (dir.len != 0) {
        memcpy(prefix, dir.data, dir.len);
        prefix[dir.len++] = '/';
    }

    rc = mdb_cursor_open(txn->mdb, txn->env->dbi[CARDFEED_TABLE_PATHS],
        &cursor);
    if (rc != 0) {
        return cardfeed_store_txn_fail(txn, rc, "paths");
    }

    rc = walk(txn, cursor,
        (cardfeed_str_t){.data = prefix, .len = dir.len}, fn, data);
    mdb_cursor_close(cursor);

    return rc;
}
