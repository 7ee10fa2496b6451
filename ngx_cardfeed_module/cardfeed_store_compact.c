/*
 * store_compact: a new generation's tables written out in order.
 *
 * Cards come in the order of files, so that pages of every table are split
 * again and again and stay half empty; and LMDB never changes a page that the
 * last two transactions may be read from, so that a first scan leaves up to
 * two thirds of the file free.  A copy, row by row in the order of keys, has
 * neither; it takes the place of the file while nobody else has that open.
 */

#include "cardfeed_store_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LEAST 64                      /* pages that are worth it */
#define BATCH_BYTES ((size_t) 8 << 20) /* of rows in one transaction */
#define BATCH_ROWS 1024               /* between two looks at cancel */

typedef struct {
    cardfeed_store_env_t *from;
    const atomic_bool *cancel;
    MDB_txn *read;
    MDB_env *mdb; /* of the copy, from here */
    MDB_txn *txn;
    MDB_cursor *end; /* of a table; ends with its transaction */
    MDB_dbi dbi[CARDFEED_TABLES];
    size_t bytes;
    bool damaged; /* not the copy: what is copied */
} compact_t;


static int
copy_begin(compact_t *c)
{
    c->bytes = 0;

    return mdb_txn_begin(c->mdb, NULL, 0, &c->txn);
}


static int
copy_commit(compact_t *c)
{
    MDB_txn *txn = c->txn;

    c->txn = NULL;

    return mdb_txn_commit(txn);
}


static int
copy_rows(compact_t *c, int table, MDB_cursor *cursor)
{
    int rc;
    unsigned rows = 0;
    MDB_val key, value;

    rc = mdb_cursor_open(c->txn, c->dbi[table], &c->end);
    if (rc != 0) {
        return rc;
    }

    while ((rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
        rc = mdb_cursor_put(c->end, &key, &value, MDB_APPEND);
        c->bytes += key.mv_size + value.mv_size;

        if (rc == 0 && c->bytes >= BATCH_BYTES) {
            rc = copy_commit(c);
            if (rc == 0) {
                rc = copy_begin(c);
            }
            if (rc == 0) {
                rc = mdb_cursor_open(c->txn, c->dbi[table], &c->end);
            }
        }
        if (rc == 0 && ++rows % BATCH_ROWS == 0 && atomic_load(c->cancel)) {
            rc = ECANCELED;
        }
        if (rc != 0) {
            return rc;
        }
    }

    c->damaged = rc != MDB_NOTFOUND;

    return rc == MDB_NOTFOUND ? 0 : rc;
}


static int
copy_tables(compact_t *c)
{
    int i, rc;
    MDB_cursor *cursor;

    rc = mdb_txn_begin(c->from->mdb, NULL, MDB_RDONLY, &c->read);
    if (rc == 0) {
        rc = copy_begin(c);
    }

    for (i = 0; rc == 0 && i < CARDFEED_TABLES; i++) {
        rc = mdb_dbi_open(c->txn, cardfeed_store_table_names[i], MDB_CREATE,
            &c->dbi[i]);
    }

    for (i = 0; rc == 0 && i < CARDFEED_TABLES; i++) {
        rc = mdb_cursor_open(c->read, c->from->dbi[i], &cursor);
        if (rc == 0) {
            rc = copy_rows(c, i, cursor);
            mdb_cursor_close(cursor);
        }
    }

    return rc == 0 ? copy_commit(c) : rc;
}


static int
copy_env(compact_t *c, const char *path)
{
    int rc;
    MDB_envinfo info;

    rc = mdb_env_info(c->from->mdb, &info);
    if (rc == 0) {
        rc = mdb_env_create(&c->mdb);
    }
    if (rc != 0) {
        return rc;
    }

    mdb_env_set_maxdbs(c->mdb, CARDFEED_TABLES);
    mdb_env_set_mapsize(c->mdb, info.me_mapsize);
    rc = mdb_env_open(c->mdb, path,
        MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOSYNC | MDB_NORDAHEAD, 0600);
    if (rc == 0) {
        rc = copy_tables(c);
    }

    if (c->txn != NULL) {
        mdb_txn_abort(c->txn);
    }
    if (c->read != NULL) {
        mdb_txn_abort(c->read);
    }
    mdb_env_close(c->mdb);

    return rc;
}


static int
copy_in_place(cardfeed_store_env_t *env, const atomic_bool *cancel,
    bool *damaged)
{
    int rc;
    char *path;
    compact_t c = {.from = env, .cancel = cancel};

    if (asprintf(&path, "%s/" CARDFEED_STORE_COPY, env->path) == -1) {
        return ENOMEM;
    }

    (void) unlinkat(env->lease.dir, CARDFEED_STORE_COPY, 0);
    rc = copy_env(&c, path);
    *damaged = c.damaged;
    free(path);

    if (rc == 0
        && renameat(env->lease.dir, CARDFEED_STORE_COPY, env->lease.dir,
                    "data.mdb") == -1)
    {
        rc = errno;
    }
    if (rc != 0) {
        (void) unlinkat(env->lease.dir, CARDFEED_STORE_COPY, 0);
    }

    return rc;
}


int
cardfeed_index_compact(cardfeed_index_t *index, cardfeed_store_t **store,
    const atomic_bool *cancel, cardfeed_error_t *err)
{
    int rc;
    bool damaged = false;
    uint64_t number;
    MDB_envinfo info;
    cardfeed_store_env_t *env = (*store)->env;

    rc = mdb_env_info(env->mdb, &info);
    if (rc != 0) {
        return cardfeed_store_error(err, rc, "data.mdb");
    }
    if (info.me_last_pgno < LEAST || atomic_load(&env->refs) != 1
        || atomic_load(&index->control->generation) == env->number)
    {
        return CARDFEED_OK;
    }

    rc = copy_in_place(env, cancel, &damaged);
    if (rc == ECANCELED) {
        return cardfeed_error_set(err, CARDFEED_BUSY, 0, "cancelled");
    }
    if (damaged) {
        return cardfeed_store_error(err, MDB_CORRUPTED, "data.mdb");
    }
    if (rc != 0) {
        return CARDFEED_OK; /* it is larger than need be, that is all */
    }

    number = env->number;
    cardfeed_store_release(*store);
    *store = NULL;

    rc = cardfeed_store_env_get(index, number, CARDFEED_STORE_CREATE, &env,
        err);
    if (rc != CARDFEED_OK) {
        return rc;
    }

    *store = cardfeed_store_create(env);
    if (*store == NULL) {
        cardfeed_store_env_put(env, true);
        return cardfeed_store_error(err, ENOMEM, "index");
    }

    return CARDFEED_OK;
}
