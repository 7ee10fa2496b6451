/*
 * store_index: the generations of a collection: which one is published,
 * who may write it, and whether it is to be trusted.
 */

#include "cardfeed_store_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define RETRY_MS 100
#define LOOKS 200 /* at a lock that is held for moments */
#define LOOKS_SHORT 5 /* at a file that is being made longer */


int
cardfeed_index_open(cardfeed_index_t **out, const char *path,
    const cardfeed_collection_t *c, bool writer, cardfeed_error_t *err)
{
    int rc;
    cardfeed_index_t *index;

    index = calloc(1, sizeof(*index));
    if (index == NULL) {
        return cardfeed_store_error(err, ENOMEM, "index");
    }

    index->c = c;
    index->checksum = cardfeed_collection_checksum(c);
    index->writer = writer;
    index->dir = -1;
    index->notify = -1;
    index->election = -1;
    pthread_mutex_init(&index->lock, NULL);
    cardfeed_store_boot_id(index->boot, sizeof(index->boot));

    index->path = strdup(path);
    if (index->path == NULL) {
        rc = cardfeed_store_error(err, ENOMEM, "index");
        goto failed;
    }

    if (mkdir(path, 0700) == -1 && errno != EEXIST) {
        rc = cardfeed_store_error(err, errno, path);
        goto failed;
    }

    index->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (index->dir == -1) {
        rc = cardfeed_store_error(err, errno, path);
        goto failed;
    }

    rc = cardfeed_store_control_open(index, err);
    if (rc != CARDFEED_OK) {
        goto failed;
    }

    if (writer) {
        index->notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        if (index->notify != -1
            && inotify_add_watch(index->notify, path, IN_CREATE) == -1)
        {
            close(index->notify);
            index->notify = -1;
        }
    }

    *out = index;
    return CARDFEED_OK;

failed:

    cardfeed_index_close(index);
    return rc;
}


void
cardfeed_index_close(cardfeed_index_t *index)
{
    if (index == NULL) {
        return;
    }

    cardfeed_store_drop(index->current, true);
    cardfeed_store_env_close_all(index);
    cardfeed_index_resign(index);

    if (index->notify != -1) {
        close(index->notify);
    }
    cardfeed_store_control_close(index);
    if (index->dir != -1) {
        close(index->dir);
    }

    pthread_mutex_destroy(&index->lock);
    free(index->path);
    free(index);
}


/* The store of a generation other than the current one. */
static int
open_current(cardfeed_index_t *index, uint64_t number, cardfeed_error_t *err)
{
    int rc;
    cardfeed_store_t *store;
    cardfeed_store_env_t *env;

    rc = cardfeed_store_env_get(index, number, CARDFEED_STORE_NOWAIT, &env,
        err);
    if (rc != CARDFEED_OK) {
        if (rc == CARDFEED_CORRUPT) {
            cardfeed_store_distrust(index, number, true);
        }
        return rc;
    }

    store = cardfeed_store_create(env);
    if (store == NULL) {
        cardfeed_store_env_put(env, false);
        return cardfeed_store_error(err, ENOMEM, "index");
    }

    cardfeed_store_drop(index->current, false);
    index->current = store;

    return CARDFEED_OK;
}


/* While a newer generation cannot be opened, the one before goes on. */
static cardfeed_store_t *
change_over(cardfeed_index_t *index, uint64_t number, cardfeed_error_t *err)
{
    int i, rc;
    int64_t now;

    if (index->current != NULL && index->current->read.active) {
        return index->current;
    }

    if (number == 0
        || (index->current != NULL && index->current->env->number == number))
    {
        /* discarded, or its map has become too small and must be made anew */
        cardfeed_store_drop(index->current, false);
        index->current = NULL;
    }

    if (number == 0) {
        cardfeed_error_set(err, CARDFEED_NOTFOUND, 0,
            "the first scan is not done");
        return NULL;
    }

    now = cardfeed_store_clock_ms(CLOCK_MONOTONIC);
    if (index->failed == number && now - index->failed_ms < RETRY_MS) {
        if (err != NULL) {
            *err = index->failure;
        }
        return index->current;
    }

    rc = open_current(index, number, &index->failure);

    /* The indexer of this process opens or closes something this moment: with
     * nothing else to serve it is worth a few looks. */
    for (i = 0; rc == CARDFEED_BUSY && index->current == NULL
                && i < (index->short_ms == 0 ? LOOKS : LOOKS_SHORT);
         i++)
    {
        sched_yield();
        rc = open_current(index, number, &index->failure);
    }

    index->failed = number;
    if (rc == CARDFEED_OK || (rc == CARDFEED_BUSY && index->short_ms == 0)) {
        index->failed = 0;
    }
    index->failed_ms = now;

    if (rc != CARDFEED_OK && err != NULL) {
        *err = index->failure;
    }

    return index->current;
}


cardfeed_store_t *
cardfeed_index_current(cardfeed_index_t *index, cardfeed_error_t *err)
{
    uint64_t number;
    cardfeed_store_t *store = index->current;

    number = atomic_load_explicit(&index->control->generation,
        memory_order_acquire);

    if (store != NULL && store->env->number == number
        && !atomic_load_explicit(&store->env->resized, memory_order_relaxed))
    {
        return store;
    }

    return change_over(index, number, err);
}


bool
cardfeed_index_overdue(cardfeed_index_t *index, int64_t now)
{
    int64_t due;
    bool active;
    cardfeed_read_t *read;
    cardfeed_store_t *store;

    store = cardfeed_index_current(index, NULL);
    if (store == NULL) {
        return true;
    }

    active = store->read.active;
    read = &store->read;
    if (!active && cardfeed_read_begin(store, &read, NULL) != CARDFEED_OK) {
        return false;
    }

    due = cardfeed_read_next_due(read);

    if (!active) {
        cardfeed_read_end(read);
    }

    return due != CARDFEED_NO_TIME && due <= now;
}


/* A lock file that was unlinked excludes nobody. */
static bool
still_there(cardfeed_index_t *index, int fd)
{
    struct stat a, b;

    return fstat(fd, &a) == 0
           && fstatat(index->dir, "indexer.lock", &b, AT_SYMLINK_NOFOLLOW)
                  == 0
           && a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}


int
cardfeed_index_elect(cardfeed_index_t *index, cardfeed_error_t *err)
{
    int fd, rc;

    if (index->election != -1) {
        return CARDFEED_OK;
    }

    fd = openat(index->dir, "indexer.lock",
        O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd == -1) {
        return cardfeed_store_error(err, errno, "indexer.lock");
    }

    if (flock(fd, LOCK_EX | LOCK_NB) == -1) {
        rc = errno;
        close(fd);
        return cardfeed_store_error(err, rc, "indexer.lock");
    }

    if (!still_there(index, fd)) {
        close(fd);
        return cardfeed_error_set(err, CARDFEED_BUSY, 0,
            "indexer.lock was replaced meanwhile");
    }

    index->election = fd;
    return CARDFEED_OK;
}


void
cardfeed_index_resign(cardfeed_index_t *index)
{
    if (index->election != -1) {
        flock(index->election, LOCK_UN);
        close(index->election);
        index->election = -1;
    }
}


bool
cardfeed_index_is_current(cardfeed_index_t *index,
    const cardfeed_store_t *store)
{
    uint64_t number = store->env->number;

    return atomic_load(&index->control->generation) == number
           && atomic_load(&index->control->distrusted) != number;
}


int
cardfeed_index_notify_fd(const cardfeed_index_t *index)
{
    return index->notify;
}
