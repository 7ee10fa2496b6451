/*
 * store_compact: a generation without the pages that its transactions left
 * free.
 *
 * LMDB never changes a page that the last two transactions may be read from,
 * so that what a first scan leaves behind is up to two thirds free pages; they
 * would be used one day, but would be on the disk until then.  A copy without
 * them takes the place of the file while nobody else has it open.
 */

#include "cardfeed_store_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WORTH 16 /* one page in as many */
#define FREE_DBI 0


/* Pages in all, and those free. */
static int
count_pages(cardfeed_store_env_t *env, uint64_t *all, uint64_t *unused)
{
    int rc;
    size_t n;
    MDB_val key, value;
    MDB_txn *txn;
    MDB_cursor *cursor;
    MDB_envinfo info;

    *unused = 0;

    rc = mdb_env_info(env->mdb, &info);
    if (rc == 0) {
        rc = mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn);
    }
    if (rc != 0) {
        return rc;
    }
    *all = info.me_last_pgno + 1;

    rc = mdb_cursor_open(txn, FREE_DBI, &cursor);
    if (rc == 0) {
        /* Each value is a list that begins with its length. */
        while ((rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0
               && value.mv_size >= sizeof(n))
        {
            memcpy(&n, value.mv_data, sizeof(n));
            *unused += n;
        }
        mdb_cursor_close(cursor);
    }
    mdb_txn_abort(txn);

    return rc == MDB_NOTFOUND ? 0 : rc == 0 ? MDB_CORRUPTED : rc;
}


static int
copy_pages(cardfeed_store_env_t *env)
{
    int fd, rc;

    (void) unlinkat(env->lease.dir, CARDFEED_STORE_COPY, 0);

    fd = openat(env->lease.dir, CARDFEED_STORE_COPY,
        O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd == -1) {
        return errno;
    }

    rc = mdb_env_copyfd2(env->mdb, fd, MDB_CP_COMPACT);
    if (close(fd) == -1 && rc == 0) {
        rc = errno;
    }
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
    cardfeed_error_t *err)
{
    int rc;
    uint64_t number, all, unused;
    cardfeed_store_env_t *env = (*store)->env;

    rc = count_pages(env, &all, &unused);
    if (rc != 0) {
        return cardfeed_store_error(err, rc, "data.mdb");
    }
    if (unused < all / WORTH || copy_pages(env) != 0) {
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
