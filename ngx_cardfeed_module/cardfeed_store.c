/*
 * store: one LMDB environment a generation, opened once in a process and
 * shared by its event loop and its indexer.
 */

#include "cardfeed_store_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOCK_SIZE 65536 /* lock.mdb: room for a thousand readers */
#define SHORT_MS 1000 /* a writer has made it as long by then */
#define MAP_LEAST ((size_t) 64 << 20)

const char *const cardfeed_store_table_names[CARDFEED_TABLES] = {
    [CARDFEED_TABLE_META] = "meta",
    [CARDFEED_TABLE_CARDS] = "cards",
    [CARDFEED_TABLE_PATHS] = "paths",
    [CARDFEED_TABLE_TOPICS] = "topics",
    [CARDFEED_TABLE_SPELLINGS] = "spellings",
    [CARDFEED_TABLE_BY_TOPIC] = "by_topic",
    [CARDFEED_TABLE_SCHEDULED] = "scheduled",
    [CARDFEED_TABLE_REJECTED] = "rejected",
    [CARDFEED_TABLE_NAMES] = "names",
    [CARDFEED_TABLE_DUPES] = "dupes",
    [CARDFEED_TABLE_RETRY] = "retry",
};


/* A process with a small address space gets by with a smaller map.  A reader
 * takes the writer's size, which the file holds. */
static int
open_mdb(cardfeed_store_env_t *env)
{
    int rc;
    bool writer = env->index->writer;
    size_t size = writer ? env->index->c->map_size : 0;
    unsigned flags = MDB_NOTLS | MDB_NORDAHEAD;

    flags |= writer ? MDB_NOSYNC : MDB_RDONLY;

    for ( ;; ) {
        rc = mdb_env_create(&env->mdb);
        if (rc != 0) {
            return rc;
        }

        mdb_env_set_maxdbs(env->mdb, CARDFEED_TABLES);
        if (size != 0) {
            mdb_env_set_mapsize(env->mdb, size);
        }

        rc = mdb_env_open(env->mdb, env->path, flags, 0600);
        if (rc == 0) {
            return 0;
        }

        mdb_env_close(env->mdb);
        env->mdb = NULL;

        if (size == 0) {
            size = env->index->c->map_size;
        } else {
            size /= 2;
        }
        if ((rc != ENOMEM && rc != EINVAL && rc != EOVERFLOW)
            || size < MAP_LEAST)
        {
            return rc;
        }
    }
}


/* Whether a map of the least size would hold all of data.mdb: what LMDB would
 * map beyond that is what a damaged page says. */
static bool
is_small(const cardfeed_store_env_t *env)
{
    struct stat st;

    return fstatat(env->lease.dir, "data.mdb", &st, AT_SYMLINK_NOFOLLOW) == 0
           && st.st_size <= (off_t) MAP_LEAST;
}


/* A full disk must not be met inside the mapped lock file. */
static int
allocate_lock(cardfeed_store_env_t *env)
{
    int fd, rc = 0;
    struct stat st;

    fd = openat(env->lease.dir, "lock.mdb",
        O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd == -1) {
        return errno;
    }

    if (fstat(fd, &st) == -1) {
        rc = errno;
    } else if (st.st_size < LOCK_SIZE || st.st_blocks < LOCK_SIZE / 512) {
        rc = posix_fallocate(fd, 0, LOCK_SIZE);
    }
    close(fd);

    return rc;
}


/* The handles outlive the transaction they were opened in. */
static int
open_tables(cardfeed_store_env_t *env, bool create)
{
    int rc;
    size_t i;
    MDB_txn *txn;

    rc = mdb_txn_begin(env->mdb, NULL, create ? 0 : MDB_RDONLY, &txn);
    if (rc != 0) {
        return rc;
    }

    for (i = 0; i < CARDFEED_TABLES; i++) {
        rc = mdb_dbi_open(txn, cardfeed_store_table_names[i],
            create ? MDB_CREATE : 0, &env->dbi[i]);
        if (rc != 0) {
            mdb_txn_abort(txn);
            return rc == MDB_NOTFOUND ? MDB_CORRUPTED : rc;
        }
    }

    return mdb_txn_commit(txn);
}


int
cardfeed_store_env_check_size(cardfeed_store_env_t *env,
    cardfeed_error_t *err)
{
    int fd, rc;
    MDB_envinfo info;
    MDB_stat stat;
    struct stat st;
    uint64_t need;

    rc = mdb_env_get_fd(env->mdb, &fd);
    if (rc != 0 || (rc = mdb_env_info(env->mdb, &info)) != 0
        || (rc = mdb_env_stat(env->mdb, &stat)) != 0)
    {
        return cardfeed_store_error(err, rc, "data.mdb");
    }
    if (fstat(fd, &st) == -1) {
        return cardfeed_store_error(err, errno, "data.mdb");
    }

    if (__builtin_mul_overflow((uint64_t) info.me_last_pgno + 1,
                               stat.ms_psize, &need)
        || (uint64_t) st.st_size < need)
    {
        return cardfeed_error_set(err, CARDFEED_CORRUPT, 0,
            "the index lacks pages at its end");
    }

    return CARDFEED_OK;
}


static int
check_size(cardfeed_store_env_t *env, unsigned flags, cardfeed_error_t *err)
{
    int rc;
    int64_t now = cardfeed_store_clock_ms(CLOCK_MONOTONIC);
    cardfeed_index_t *index = env->index;

    rc = cardfeed_store_env_check_size(env, err);

    if (!(flags & CARDFEED_STORE_NOWAIT)) {
        return rc;
    }

    /* Between a commit and the moment its writer has made the file as long
     * as its last page says, it may be short without being damaged. */
    if (rc == CARDFEED_CORRUPT && (index->short_ms == 0
                                   || now - index->short_ms < SHORT_MS))
    {
        index->short_ms = index->short_ms == 0 ? now : index->short_ms;
        return cardfeed_error_set(err, CARDFEED_BUSY, 0,
            "the index is being written");
    }

    index->short_ms = 0;
    return rc;
}


static int
check_deaths(cardfeed_store_env_t *env, cardfeed_error_t *err)
{
    cardfeed_index_t *index = env->index;

    int64_t born;

    if (cardfeed_store_lease_scan(&env->lease, index->boot, &born) != 0
        && cardfeed_store_death(index, env->number,
                                cardfeed_store_clock_ms(CLOCK_REALTIME),
                                born))
    {
        return cardfeed_error_set(err, CARDFEED_CORRUPT, 0,
            "processes that had the index open died twice in a minute");
    }

    /* should this one die now, it will not have been with those */
    cardfeed_store_lease_born(&env->lease);

    return CARDFEED_OK;
}


/* Once the lease is there: is this still what is published, and sound? */
static int
check_published(cardfeed_store_env_t *env, cardfeed_error_t *err)
{
    int rc;

    if (atomic_load(&env->index->control->generation) != env->number) {
        return cardfeed_error_set(err, CARDFEED_BUSY, 0,
            "the index was replaced meanwhile");
    }

    rc = check_deaths(env, err);
    if (rc != CARDFEED_OK) {
        return rc;
    }

    rc = cardfeed_store_mark_check(env, err);
    env->unsynced = (rc == CARDFEED_OK);

    return rc == CARDFEED_NOTFOUND ? CARDFEED_OK : rc;
}


static void
env_close(cardfeed_store_env_t *env)
{
    if (env->mdb != NULL) {
        mdb_env_close(env->mdb);
    }
    cardfeed_store_lease_drop(&env->lease);
    free(env->path);
    free(env);
}


static int
env_open(cardfeed_store_env_t *env, unsigned flags, cardfeed_error_t *err)
{
    int fd, rc;
    bool create = flags & CARDFEED_STORE_CREATE;

    rc = cardfeed_store_lease_take(&env->lease, env->path, env->index->boot,
        err);
    if (rc != CARDFEED_OK) {
        return rc;
    }

    if (!create) {
        rc = check_published(env, err);
        if (rc != CARDFEED_OK) {
            return rc;
        }
    }

    rc = allocate_lock(env);
    if (rc != 0) {
        return cardfeed_store_error(err, rc, "lock.mdb");
    }

    rc = open_mdb(env);
    if (rc == ENOENT || (rc == ENOMEM && !create && is_small(env))) {
        rc = MDB_INVALID;
    }
    if (rc != 0) {
        return cardfeed_store_error(err, rc, "data.mdb");
    }

    if (mdb_env_get_fd(env->mdb, &fd) == 0) {
        (void) fcntl(fd, F_SETFD, FD_CLOEXEC);
    }

    if (!create) {
        rc = check_size(env, flags, err);
        if (rc != CARDFEED_OK) {
            return rc;
        }
    }

    rc = open_tables(env, create);

    return rc == 0 ? CARDFEED_OK : cardfeed_store_error(err, rc, "data.mdb");
}


/* NULL: *rc and err say why. */
static cardfeed_store_env_t *
env_new(cardfeed_index_t *index, uint64_t number, unsigned flags, int *rc,
    cardfeed_error_t *err)
{
    char name[CARDFEED_STORE_NAME_SIZE];
    uint64_t format = CARDFEED_STORE_NAME_FORMAT;
    uint64_t checksum = index->checksum;
    cardfeed_store_env_t *env;

    if (!(flags & CARDFEED_STORE_CREATE)) {
        if (cardfeed_store_control_slot(index, number, &format, &checksum)
            != CARDFEED_OK)
        {
            *rc = cardfeed_error_set(err, CARDFEED_BUSY, 0,
                "the index was replaced meanwhile");
            return NULL;
        }
        if (format != CARDFEED_STORE_NAME_FORMAT) {
            *rc = cardfeed_error_set(err, CARDFEED_ERROR, 0,
                "the index was made by another version");
            return NULL;
        }
    }

    env = calloc(1, sizeof(*env));
    if (env == NULL) {
        *rc = cardfeed_store_error(err, ENOMEM, "index");
        return NULL;
    }

    env->index = index;
    env->number = number;
    env->lease.fd = -1;
    cardfeed_store_name(name, format, checksum, number);

    if (asprintf(&env->path, "%s/%s", index->path, name) == -1) {
        env->path = NULL;
        *rc = cardfeed_store_error(err, ENOMEM, "index");
    } else {
        *rc = env_open(env, flags, err);
    }

    if (*rc != CARDFEED_OK) {
        env_close(env);
        return NULL;
    }

    return env;
}


/* With the lock held. */
static void
reap(cardfeed_index_t *index)
{
    cardfeed_store_env_t *env, **prev;

    for (prev = &index->envs; (env = *prev) != NULL; ) {
        if (atomic_load(&env->refs) == 0) {
            *prev = env->next;
            env_close(env);
        } else {
            prev = &env->next;
        }
    }
}


int
cardfeed_store_env_get(cardfeed_index_t *index, uint64_t number,
    unsigned flags, cardfeed_store_env_t **out, cardfeed_error_t *err)
{
    int rc = CARDFEED_OK;
    cardfeed_store_env_t *env;

    if (!(flags & CARDFEED_STORE_NOWAIT)) {
        pthread_mutex_lock(&index->lock);
    } else if (pthread_mutex_trylock(&index->lock) != 0) {
        return cardfeed_error_set(err, CARDFEED_BUSY, 0,
            "the index is being opened");
    }

    reap(index);

    for (env = index->envs; env != NULL; env = env->next) {
        if (env->number == number) {
            break;
        }
    }

    if (env == NULL) {
        env = env_new(index, number, flags, &rc, err);
        if (env != NULL) {
            env->next = index->envs;
            index->envs = env;
        }
    }

    if (env != NULL) {
        atomic_fetch_add(&env->refs, 1);
        *out = env;
    }

    pthread_mutex_unlock(&index->lock);
    return rc;
}


void
cardfeed_store_env_put(cardfeed_store_env_t *env, bool wait)
{
    cardfeed_index_t *index = env->index;

    if (atomic_fetch_sub(&env->refs, 1) != 1) {
        return;
    }

    if (wait) {
        pthread_mutex_lock(&index->lock);
    } else if (pthread_mutex_trylock(&index->lock) != 0) {
        return;
    }

    reap(index);
    pthread_mutex_unlock(&index->lock);
}


void
cardfeed_store_env_close_all(cardfeed_index_t *index)
{
    cardfeed_store_env_t *env;

    while ((env = index->envs) != NULL) {
        index->envs = env->next;
        env_close(env);
    }
}


cardfeed_store_t *
cardfeed_store_create(cardfeed_store_env_t *env)
{
    cardfeed_store_t *store;

    store = calloc(1, sizeof(*store));
    if (store != NULL) {
        store->index = env->index;
        store->env = env;
        store->read.store = store;
    }

    return store;
}


void
cardfeed_store_drop(cardfeed_store_t *store, bool wait)
{
    if (store == NULL) {
        return;
    }

    if (store->read.mdb != NULL) {
        mdb_txn_abort(store->read.mdb);
    }
    cardfeed_store_env_put(store->env, wait);
    free(store);
}


void
cardfeed_store_release(cardfeed_store_t *store)
{
    cardfeed_store_drop(store, true);
}


int
cardfeed_store_sync(cardfeed_store_t *store, cardfeed_error_t *err)
{
    int rc, code;
    cardfeed_store_env_t *env = store->env;

    if (!env->unsynced) {
        return CARDFEED_OK;
    }

    rc = mdb_env_sync(env->mdb, 1);
    if (rc != 0) {
        /* What failed once the kernel may call written the next time. */
        cardfeed_store_distrust(store->index, env->number, false);
        code = cardfeed_store_error(err, rc, "sync");
        if (code != CARDFEED_FULL) {
            code = cardfeed_error_set(err, CARDFEED_CORRUPT, 0, "sync: %s",
                mdb_strerror(rc));
        }
        return code;
    }

    return cardfeed_store_mark_clear(env, err);
}
