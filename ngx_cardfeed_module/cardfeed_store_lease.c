/*
 * store_lease: who has a generation open, who died with it open, and the
 * removal of generations nobody has.
 *
 * A lease gets its name only once it is locked, so that an unlocked one is
 * always a dead process's.  Whoever finds one locks it before unlinking it:
 * of several finders one counts the death.
 */

#include "cardfeed_store_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define LEASE "lease."
#define LEASE_NEW "lease-new."
#define LEASE_TRIES 100


static bool
has_prefix(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}


/* Locks somebody's lease: its descriptor, or -1 when its owner lives or it is
 * gone. */
static int
lock_left_over(int dir, const char *name)
{
    int fd;
    struct stat st;

    fd = openat(dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd == -1) {
        return -1;
    }

    if (flock(fd, LOCK_EX | LOCK_NB) == -1 || fstat(fd, &st) == -1
        || st.st_nlink == 0)
    {
        close(fd);
        return -1;
    }

    return fd;
}


static bool
same_boot(int fd, const char *boot)
{
    char text[64];
    ssize_t n;
    size_t len = strlen(boot);

    n = pread(fd, text, sizeof(text), 0);

    return n == (ssize_t) len && memcmp(text, boot, len) == 0;
}


unsigned
cardfeed_store_lease_scan(const cardfeed_store_lease_t *lease,
    const char *boot)
{
    int fd, copy;
    DIR *d;
    unsigned dead = 0;
    struct dirent *e;

    copy = openat(lease->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    d = (copy == -1) ? NULL : fdopendir(copy);
    if (d == NULL) {
        if (copy != -1) {
            close(copy);
        }
        return 0;
    }

    while ((e = readdir(d)) != NULL) {
        if (!has_prefix(e->d_name, LEASE)
            || strcmp(e->d_name, lease->name) == 0)
        {
            continue;
        }

        fd = lock_left_over(lease->dir, e->d_name);
        if (fd == -1) {
            continue;
        }

        if (unlinkat(lease->dir, e->d_name, 0) == 0
            && same_boot(fd, boot))
        {
            dead++;
        }
        close(fd);
    }

    closedir(d);

    return dead;
}


/* The first free name: a process of the same number in another PID name
 * space, or one that died, may have the plain one. */
static int
link_lease(cardfeed_store_lease_t *lease, const char *temp)
{
    unsigned i;

    for (i = 0; i < LEASE_TRIES; i++) {
        if (i == 0) {
            snprintf(lease->name, sizeof(lease->name), LEASE "%ld",
                (long) getpid());
        } else {
            snprintf(lease->name, sizeof(lease->name), LEASE "%ld.%u",
                (long) getpid(), i);
        }

        if (linkat(lease->dir, temp, lease->dir, lease->name, 0) == 0) {
            return 0;
        }
        if (errno != EEXIST) {
            break;
        }
    }

    return errno;
}


int
cardfeed_store_lease_take(cardfeed_store_lease_t *lease, const char *path,
    const char *boot, cardfeed_error_t *err)
{
    int rc = 0;
    char temp[64];
    uint64_t nonce;
    size_t len = strlen(boot);

    lease->fd = -1;
    lease->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lease->dir == -1) {
        if (errno == ENOENT) {
            return cardfeed_error_set(err, CARDFEED_CORRUPT, 0,
                "the index is gone: %s", path);
        }
        return cardfeed_store_error(err, errno, path);
    }

    if (getrandom(&nonce, sizeof(nonce), GRND_NONBLOCK) != sizeof(nonce)) {
        nonce = (uint64_t) cardfeed_store_clock_ms(CLOCK_MONOTONIC);
    }
    snprintf(temp, sizeof(temp), LEASE_NEW "%ld.%016" PRIx64,
        (long) getpid(), nonce);

    lease->fd = openat(lease->dir, temp,
        O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (lease->fd == -1) {
        rc = errno;
        goto failed;
    }

    if (flock(lease->fd, LOCK_EX | LOCK_NB) == -1) {
        rc = errno;
    } else if (pwrite(lease->fd, boot, len, 0) != (ssize_t) len) {
        rc = ENOSPC;
    } else {
        rc = link_lease(lease, temp);
    }
    unlinkat(lease->dir, temp, 0);

    if (rc == 0) {
        return CARDFEED_OK;
    }

    close(lease->fd);

failed:

    close(lease->dir);
    lease->fd = -1;
    lease->dir = -1;
    return cardfeed_store_error(err, rc, "lease");
}


void
cardfeed_store_lease_drop(cardfeed_store_lease_t *lease)
{
    if (lease->fd == -1) {
        return;
    }

    unlinkat(lease->dir, lease->name, 0);
    close(lease->fd);
    close(lease->dir);
    lease->fd = -1;
    lease->dir = -1;
}


static bool
is_ours(const char *name)
{
    return strcmp(name, "data.mdb") == 0 || strcmp(name, "lock.mdb") == 0
           || strcmp(name, "unsynced") == 0
           || strcmp(name, "unsynced.new") == 0 || has_prefix(name, LEASE)
           || has_prefix(name, LEASE_NEW);
}


/* Whether no lease is locked. */
static bool
abandoned(DIR *d)
{
    int fd;
    struct dirent *e;

    rewinddir(d);

    while ((e = readdir(d)) != NULL) {
        if (!has_prefix(e->d_name, LEASE)) {
            continue;
        }

        fd = openat(dirfd(d), e->d_name,
            O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (fd == -1) {
            if (errno == ENOENT) {
                continue;
            }
            return false;
        }
        if (flock(fd, LOCK_EX | LOCK_NB) == -1) {
            close(fd);
            return false;
        }
        close(fd);
    }

    return true;
}


void
cardfeed_store_lease_sweep(int index_dir, const char *name)
{
    int fd;
    DIR *d;
    struct dirent *e;

    fd = openat(index_dir, name,
        O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd == -1) {
        return;
    }

    d = fdopendir(fd);
    if (d == NULL) {
        close(fd);
        return;
    }

    if (abandoned(d)) {
        rewinddir(d);
        while ((e = readdir(d)) != NULL) {
            if (is_ours(e->d_name)) {
                unlinkat(fd, e->d_name, 0);
            }
        }
        unlinkat(index_dir, name, AT_REMOVEDIR);
    }

    closedir(d);
}
