/*
 * store_generation: what the indexer does with generations: adopt, create,
 * publish, sweep.
 */

#include "cardfeed_store_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>


static int
need_election(cardfeed_index_t *index, cardfeed_error_t *err)
{
    if (index->election == -1 || !index->writer) {
        return cardfeed_error_set(err, CARDFEED_ERROR, 0,
            "this process is not the indexer");
    }

    return CARDFEED_OK;
}


/* What the generation says of itself. */
static int
check_about(cardfeed_index_t *index, cardfeed_store_env_t *env, bool same_sum,
    cardfeed_error_t *err)
{
    int rc;
    MDB_txn *txn;
    MDB_val key, value;
    cardfeed_str_t dir;
    cardfeed_store_about_t about;

    rc = mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn);
    if (rc != 0) {
        if (rc == MDB_MAP_RESIZED) {
            atomic_store(&env->resized, true);
        }
        return cardfeed_store_error(err, rc, "index");
    }

    key = cardfeed_store_val("about", 5);
    rc = mdb_get(txn, env->dbi[CARDFEED_TABLE_META], &key, &value);

    if (rc == 0
        && (!cardfeed_store_fixed(&about, sizeof(about), &value, &dir)
            || about.dir_len != dir.len))
    {
        rc = MDB_CORRUPTED;
    }

    if (rc == 0 && about.format == CARDFEED_STORE_NAME_FORMAT
        && (about.checksum == index->checksum || !same_sum)
        && cardfeed_str_eq(dir, cardfeed_str_of(index->c->dir)))
    {
        rc = CARDFEED_OK;
    } else if (rc == 0) {
        rc = cardfeed_error_set(err, CARDFEED_CORRUPT, 0,
            "the index was made with other parameters");
    } else {
        cardfeed_store_error(err, rc, "index");
        rc = CARDFEED_CORRUPT;
    }

    mdb_txn_abort(txn);
    return rc;
}


/* There are few of them, and every feed begins with one. */
static int
check_topics(cardfeed_store_env_t *env, cardfeed_error_t *err)
{
    int rc;
    MDB_txn *txn;
    MDB_val key, value;
    MDB_cursor *cursor;
    cardfeed_str_t name, slug;
    cardfeed_store_topic_row_t row;
    bool all = false;

    rc = mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn);
    if (rc != 0) {
        return cardfeed_store_error(err, rc, "index");
    }

    rc = mdb_cursor_open(txn, env->dbi[CARDFEED_TABLE_TOPICS], &cursor);
    if (rc == 0) {
        while ((rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
            slug.data = key.mv_data;
            slug.len = key.mv_size;
            all |= cardfeed_str_eq(slug, CARDFEED_STR("all"));
            if (cardfeed_store_topic_open(&row, &name, slug, &value)
                != CARDFEED_OK)
            {
                rc = MDB_CORRUPTED;
                break;
            }
        }
        mdb_cursor_close(cursor);
    }
    mdb_txn_abort(txn);

    if (rc == MDB_NOTFOUND && all) {
        return CARDFEED_OK;
    }

    return cardfeed_error_set(err, CARDFEED_CORRUPT, 0,
        "the list of topics is damaged");
}


static int
adopt_env(cardfeed_index_t *index, cardfeed_store_env_t *env,
    cardfeed_error_t *err)
{
    int dead, rc;

    /* The event loop may have opened it before: look again. */
    rc = cardfeed_store_env_check_size(env, err);
    if (rc == CARDFEED_OK) {
        rc = cardfeed_store_mark_check(env, err);
        env->unsynced = (rc == CARDFEED_OK);
    }
    if (rc == CARDFEED_OK || rc == CARDFEED_NOTFOUND) {
        rc = check_about(index, env, true, err);
    }
    if (rc == CARDFEED_OK) {
        rc = check_topics(env, err);
    }
    if (rc != CARDFEED_OK) {
        return rc;
    }

    rc = mdb_reader_check(env->mdb, &dead);

    return rc == 0 ? CARDFEED_OK
                   : cardfeed_store_error(err, rc, "reader table");
}


static int
wrap(cardfeed_store_env_t *env, cardfeed_store_t **out, cardfeed_error_t *err)
{
    *out = cardfeed_store_create(env);
    if (*out != NULL) {
        return CARDFEED_OK;
    }

    cardfeed_store_env_put(env, true);
    return cardfeed_store_error(err, ENOMEM, "index");
}


#define NUMBER_MAX (UINT64_MAX / 2) /* no index gets this far */


/* Of the generations that are there; 0: none. */
static uint64_t
highest_number(cardfeed_index_t *index)
{
    int fd;
    DIR *d;
    uint64_t number, last = 0;
    struct dirent *e;

    fd = openat(index->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    d = (fd == -1) ? NULL : fdopendir(fd);
    if (d == NULL) {
        if (fd != -1) {
            close(fd);
        }
    } else {
        while ((e = readdir(d)) != NULL) {
            if (cardfeed_store_name_parse(e->d_name, &number)
                && number > last && number < NUMBER_MAX)
            {
                last = number;
            }
        }
        closedir(d);
    }

    return last;
}


int
cardfeed_index_adopt(cardfeed_index_t *index, cardfeed_store_t **out,
    cardfeed_error_t *err)
{
    int rc;
    uint64_t number, format, checksum;
    cardfeed_store_env_t *env;

    rc = need_election(index, err);
    if (rc != CARDFEED_OK) {
        return rc;
    }

    number = atomic_load(&index->control->generation);
    if (number == 0 && atomic_load(&index->control->distrusted) != 0) {
        return cardfeed_error_set(err, CARDFEED_CORRUPT, 0,
            atomic_load(&index->control->died_ms) == 0
                ? "workers that used it died twice within a minute"
                : "it was found damaged, and a worker that used it died");
    }
    if (number == 0 && atomic_load(&index->control->last) == 0
        && highest_number(index) != 0)
    {
        return cardfeed_error_set(err, CARDFEED_CORRUPT, 0,
            "the control file was lost");
    }
    if (number == 0) {
        return cardfeed_error_set(err, CARDFEED_NOTFOUND, 0,
            "there is no index");
    }

    rc = cardfeed_store_control_slot(index, number, &format, &checksum);
    if (rc != CARDFEED_OK) {
        return cardfeed_error_set(err, CARDFEED_CORRUPT, 0,
            "the control file names no index");
    }
    if (format != CARDFEED_STORE_NAME_FORMAT || checksum != index->checksum) {
        return cardfeed_error_set(err, CARDFEED_CORRUPT, 0,
            "the index was made %s", format != CARDFEED_STORE_NAME_FORMAT
            ? "by another version" : "with other parameters");
    }

    rc = cardfeed_store_env_get(index, number, 0, &env, err);
    if (rc != CARDFEED_OK) {
        return rc;
    }

    /* Who found damage could not always say which. */
    rc = adopt_env(index, env, err);
    if (rc == CARDFEED_OK
        && atomic_load(&index->control->distrusted) == number)
    {
        rc = cardfeed_error_set(err, CARDFEED_CORRUPT, 0,
            "the index was found damaged");
    }
    if (rc != CARDFEED_OK) {
        cardfeed_store_env_put(env, true);
        return rc;
    }

    return wrap(env, out, err);
}


/* No number is given twice: a process may have an old one open. */
static uint64_t
next_number(cardfeed_index_t *index)
{
    uint64_t last, highest = highest_number(index);

    last = atomic_load(&index->control->last);
    if (last >= NUMBER_MAX || last < highest) {
        last = highest;
    }

    atomic_store(&index->control->last, last + 1);

    return last + 1;
}


/* The published generation, where its topics can be had. */
static cardfeed_store_env_t *
predecessor(cardfeed_index_t *index)
{
    uint64_t number;
    cardfeed_store_env_t *env;

    number = atomic_load(&index->control->generation);
    if (number == 0
        || cardfeed_store_env_get(index, number, 0, &env, NULL)
               != CARDFEED_OK)
    {
        return NULL;
    }

    if (cardfeed_store_env_check_size(env, NULL) != CARDFEED_OK
        || check_about(index, env, false, NULL) != CARDFEED_OK)
    {
        cardfeed_store_env_put(env, true);
        return NULL;
    }

    return env;
}


int
cardfeed_index_create(cardfeed_index_t *index, cardfeed_store_t **out,
    cardfeed_error_t *err)
{
    int rc;
    char name[CARDFEED_STORE_NAME_SIZE];
    uint64_t number;
    cardfeed_store_env_t *env, *before;

    rc = need_election(index, err);
    if (rc != CARDFEED_OK) {
        return rc;
    }

    number = next_number(index);
    cardfeed_store_name(name, CARDFEED_STORE_NAME_FORMAT, index->checksum,
        number);

    if (mkdirat(index->dir, name, 0700) == -1) {
        return cardfeed_store_error(err, errno, name);
    }

    rc = cardfeed_store_env_get(index, number, CARDFEED_STORE_CREATE, &env,
        err);
    if (rc == CARDFEED_OK) {
        before = predecessor(index);
        rc = cardfeed_store_initialise(env, before, err);
        if (before != NULL) {
            cardfeed_store_env_put(before, true);
        }
        if (rc != CARDFEED_OK) {
            cardfeed_store_env_put(env, true);
        }
    }

    if (rc != CARDFEED_OK) {
        cardfeed_store_lease_sweep(index->dir, name);
        return rc;
    }

    return wrap(env, out, err);
}


int
cardfeed_index_publish(cardfeed_index_t *index, cardfeed_store_t *store,
    cardfeed_error_t *err)
{
    int rc;

    rc = need_election(index, err);
    if (rc != CARDFEED_OK) {
        return rc;
    }

    store->env->unsynced = true; /* whatever is there now must be synced */
    rc = cardfeed_store_sync(store, err);
    if (rc != CARDFEED_OK) {
        return rc;
    }

    rc = cardfeed_store_env_check_size(store->env, err);
    if (rc != CARDFEED_OK) {
        return rc;
    }

    if (fsync(store->env->lease.dir) == -1 || fsync(index->dir) == -1) {
        return cardfeed_store_error(err, errno, "sync");
    }

    cardfeed_store_control_publish(index, store->env->number);
    return CARDFEED_OK;
}


void
cardfeed_index_sweep(cardfeed_index_t *index)
{
    int fd;
    DIR *d;
    uint64_t number;
    struct dirent *e;

    if (need_election(index, NULL) != CARDFEED_OK) {
        return;
    }

    fd = openat(index->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    d = (fd == -1) ? NULL : fdopendir(fd);
    if (d == NULL) {
        if (fd != -1) {
            close(fd);
        }
        return;
    }

    while ((e = readdir(d)) != NULL) {
        if (cardfeed_store_name_parse(e->d_name, &number)
            && atomic_load(&index->control->generation) != number)
        {
            cardfeed_store_lease_sweep(index->dir, e->d_name);
        }
    }

    closedir(d);
}
