/*
 * store_control: the control file every process maps, names of generations,
 * and the mark of what is not on the disk yet.
 */

#include "cardfeed_store_private.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONTROL "control"
#define DISCARDED "discarded"
#define UNSYNCED "unsynced"
#define UNSYNCED_NEW UNSYNCED ".new"
#define WANTED "wanted"


/* Under the lock, once more: another process may have been faster.  The file
 * never shrinks below what others have mapped, and stays the same inode. */
static int
prepare(int fd, cardfeed_store_control_t **out)
{
    int rc;
    struct stat st;
    cardfeed_store_control_t *control;

    rc = posix_fallocate(fd, 0, CARDFEED_STORE_CONTROL_SIZE);
    if (rc != 0) {
        return rc;
    }

    if (fstat(fd, &st) == -1) {
        return errno;
    }
    if (st.st_size > CARDFEED_STORE_CONTROL_SIZE
        && ftruncate(fd, CARDFEED_STORE_CONTROL_SIZE) == -1)
    {
        return errno;
    }

    control = mmap(NULL, CARDFEED_STORE_CONTROL_SIZE, PROT_READ | PROT_WRITE,
        MAP_SHARED, fd, 0);
    if (control == MAP_FAILED) {
        return errno;
    }

    if (st.st_size != CARDFEED_STORE_CONTROL_SIZE
        || atomic_load(&control->magic) != CARDFEED_STORE_CONTROL_MAGIC)
    {
        atomic_store(&control->magic, 0);
        memset(control, 0, sizeof(*control));
        atomic_store(&control->magic, CARDFEED_STORE_CONTROL_MAGIC);
    }

    *out = control;
    return 0;
}


int
cardfeed_store_control_open(cardfeed_index_t *index, cardfeed_error_t *err)
{
    int fd, rc;

    fd = openat(index->dir, CONTROL,
        O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd == -1) {
        return cardfeed_store_error(err, errno, CONTROL);
    }

    do {
        rc = flock(fd, LOCK_EX) == -1 ? errno : 0;
    } while (rc == EINTR);

    if (rc == 0) {
        rc = prepare(fd, &index->control);
        /* the mapping keeps the open file, and with it the lock, alive */
        flock(fd, LOCK_UN);
    }
    close(fd);

    return rc == 0 ? CARDFEED_OK : cardfeed_store_error(err, rc, CONTROL);
}


void
cardfeed_store_control_close(cardfeed_index_t *index)
{
    if (index->control != NULL) {
        munmap(index->control, CARDFEED_STORE_CONTROL_SIZE);
        index->control = NULL;
    }
}


int
cardfeed_store_control_slot(cardfeed_index_t *index, uint64_t number,
    uint64_t *format, uint64_t *checksum)
{
    cardfeed_store_control_t *control = index->control;
    size_t i = (size_t) (number % CARDFEED_STORE_SLOTS);

    *format = atomic_load(&control->slot[i].format);
    *checksum = atomic_load(&control->slot[i].checksum);

    if (number == 0 || atomic_load(&control->slot[i].number) != number
        || atomic_load(&control->generation) != number)
    {
        return CARDFEED_NOTFOUND;
    }

    return CARDFEED_OK;
}


void
cardfeed_store_control_publish(cardfeed_index_t *index, uint64_t number)
{
    cardfeed_store_control_t *control = index->control;
    size_t i = (size_t) (number % CARDFEED_STORE_SLOTS);

    atomic_store(&control->slot[i].number, 0);
    atomic_store(&control->slot[i].format, CARDFEED_STORE_NAME_FORMAT);
    atomic_store(&control->slot[i].checksum, index->checksum);
    atomic_store(&control->slot[i].number, number);
    atomic_store(&control->died_ms, 0);
    atomic_store(&control->generation, number);

    msync(control, CARDFEED_STORE_CONTROL_SIZE, MS_SYNC);
}


/* The indexer watches the directory for new names. */
static void
wake_indexer(cardfeed_index_t *index, const char *name)
{
    int fd;

    unlinkat(index->dir, name, 0); /* a left-over would not be new */
    fd = openat(index->dir, name,
        O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd != -1) {
        close(fd);
        unlinkat(index->dir, name, 0);
    }
}


void
cardfeed_index_ask(cardfeed_index_t *index)
{
    wake_indexer(index, WANTED);
}


bool
cardfeed_index_heard(cardfeed_index_t *index)
{
    bool asked = false;
    ssize_t n, at;
    _Alignas(struct inotify_event) char buf[4096];
    const struct inotify_event *event;

    while (index->notify != -1
           && (n = read(index->notify, buf, sizeof(buf))) > 0)
    {
        for (at = 0; at < n; at += (ssize_t) sizeof(*event) + event->len) {
            event = (const void *) (buf + at);
            asked |= event->len != 0 && strcmp(event->name, WANTED) == 0;
        }
    }

    return asked;
}


void
cardfeed_store_distrust(cardfeed_index_t *index, uint64_t number, bool gently)
{
    int64_t now, before;
    uint64_t known;
    cardfeed_store_control_t *control = index->control;

    known = atomic_load(&control->distrusted);
    if (known == number || atomic_load(&control->generation) != number) {
        return;
    }

    now = cardfeed_store_clock_ms(CLOCK_REALTIME);
    before = atomic_load(&control->distrusted_ms);

    if (gently && before <= now
        && now - before < CARDFEED_STORE_DEATH_WINDOW_MS)
    {
        return;
    }

    /* A late word never takes the place of one about a newer generation. */
    while (!atomic_compare_exchange_weak(&control->distrusted, &known,
                                         number))
    {
        if (known == number || atomic_load(&control->generation) != number) {
            return;
        }
    }

    atomic_store(&control->distrusted_ms, now);
    wake_indexer(index, DISCARDED);
}


bool
cardfeed_store_death(cardfeed_index_t *index, uint64_t number, int64_t now_ms,
    int64_t born_ms)
{
    int64_t before;
    cardfeed_store_control_t *control = index->control;
    bool damaged = atomic_load(&control->distrusted) == number;

    before = atomic_load(&control->died_ms);

    do {
        if (!damaged && before != 0 && before <= now_ms && born_ms < before
            && now_ms - before < CARDFEED_STORE_DEATH_MERGE_MS)
        {
            return false;
        }
    } while (!atomic_compare_exchange_weak(&control->died_ms, &before,
                                           now_ms));

    /* Where damage was found, the first one is no accident. */
    if (!damaged
        && (before == 0 || before > now_ms
            || now_ms - before > CARDFEED_STORE_DEATH_WINDOW_MS))
    {
        return false;
    }

    atomic_store(&control->died_ms, damaged ? now_ms : 0);
    atomic_store(&control->distrusted, number);
    atomic_compare_exchange_strong(&control->generation, &number, 0);
    wake_indexer(index, DISCARDED);

    return true;
}


void
cardfeed_store_name(char *out, uint64_t format, uint64_t checksum,
    uint64_t number)
{
    snprintf(out, CARDFEED_STORE_NAME_SIZE,
        "%" PRIu64 "-%016" PRIx64 "-%" PRIu64, format, checksum, number);
}


/* A name made by any build: exactly what cardfeed_store_name() prints. */
bool
cardfeed_store_name_parse(const char *name, uint64_t *number)
{
    char *end, again[CARDFEED_STORE_NAME_SIZE];
    uint64_t format, checksum;

    format = strtoull(name, &end, 10);
    if (*end != '-') {
        return false;
    }
    checksum = strtoull(end + 1, &end, 16);
    if (*end != '-') {
        return false;
    }
    *number = strtoull(end + 1, &end, 10);

    /* also tells what was cut, and signs and spaces */
    cardfeed_store_name(again, format, checksum, *number);

    return strcmp(name, again) == 0;
}


void
cardfeed_store_boot_id(char *out, size_t size)
{
    int fd;
    ssize_t n = 0;

    fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd != -1) {
        n = read(fd, out, size - 1);
        close(fd);
    }

    out[n > 0 ? n : 0] = '\0';
    out[strcspn(out, "\n")] = '\0';

    if (out[0] == '\0') {
        snprintf(out, size, "unknown");
    }
}


/* Whole from the first: another process may look, or this one be killed. */
int
cardfeed_store_mark_set(cardfeed_store_env_t *env, cardfeed_error_t *err)
{
    int dir = env->lease.dir, fd, rc = 0;
    const char *boot = env->index->boot;
    size_t len = strlen(boot);

    fd = openat(dir, UNSYNCED_NEW,
        O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd == -1) {
        return cardfeed_store_error(err, errno, UNSYNCED);
    }

    if (pwrite(fd, boot, len, 0) != (ssize_t) len) {
        rc = ENOSPC;
    } else if (fsync(fd) == -1
               || renameat(dir, UNSYNCED_NEW, dir, UNSYNCED) == -1
               || fsync(dir) == -1)
    {
        rc = errno;
    }
    close(fd);

    return rc == 0 ? CARDFEED_OK : cardfeed_store_error(err, rc, UNSYNCED);
}


int
cardfeed_store_mark_clear(cardfeed_store_env_t *env, cardfeed_error_t *err)
{
    if (unlinkat(env->lease.dir, UNSYNCED, 0) == -1 && errno != ENOENT) {
        return cardfeed_store_error(err, errno, UNSYNCED);
    }

    env->unsynced = false; /* so that the next commit makes one */
    if (fsync(env->lease.dir) == -1) {
        return cardfeed_store_error(err, errno, UNSYNCED);
    }

    return CARDFEED_OK;
}


int
cardfeed_store_mark_check(const cardfeed_store_env_t *env,
    cardfeed_error_t *err)
{
    int fd;
    char text[64];
    size_t len = strlen(env->index->boot);
    ssize_t n;

    fd = openat(env->lease.dir, UNSYNCED, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd == -1) {
        return errno == ENOENT ? CARDFEED_NOTFOUND
                               : cardfeed_store_error(err, errno, UNSYNCED);
    }

    n = read(fd, text, sizeof(text));
    close(fd);

    if (n == (ssize_t) len && memcmp(text, env->index->boot, len) == 0) {
        return CARDFEED_OK;
    }

    return cardfeed_error_set(err, CARDFEED_CORRUPT, 0,
        "the machine stopped before the index was on the disk");
}
