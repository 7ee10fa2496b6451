/* watch_load: reading a file beneath the root. */

#include "cardfeed_watch_private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WATCH_READ_TRIES 4
#define WATCH_READ_MORE 16384


/* Reads to the end, or a byte more than max; size: what is expected. */
static int
watch_read(int fd, size_t size, size_t max, cardfeed_buf_t *data)
{
    char *to;
    ssize_t n;

    cardfeed_buf_reset(data);

    /* With room for one more, that the end is found with the last of it. */
    for (size++; data->len <= max; size = WATCH_READ_MORE) {
        to = cardfeed_buf_room(data, size);
        if (to == NULL) {
            return ENOMEM;
        }
        n = pread(fd, to, size, (off_t) data->len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return errno;
        }
        data->len += (size_t) n;
        if ((size_t) n < size) {
            return 0;
        }
    }

    return 0;
}


static void
watch_load_fd(const cardfeed_watch_t *watch, int fd, cardfeed_buf_t *data,
    cardfeed_watch_file_t *out)
{
    int err, tries;
    bool same = false;
    struct stat st;
    cardfeed_signature_t before;

    for (tries = 0; tries < WATCH_READ_TRIES && !same; tries++) {
        if (fstat(fd, &st) != 0) {
            cardfeed_watch_refuse_errno(out, errno);
            return;
        }
        cardfeed_watch_judge_type(watch, &st, out);
        if (out->code != CARDFEED_OK) {
            return;
        }
        before = out->signature;

        err = watch_read(fd, (size_t) st.st_size, watch->c->max_card, data);
        if (err != 0) {
            cardfeed_watch_refuse_errno(out, err);
            return;
        }
        if (fstat(fd, &st) != 0) {
            cardfeed_watch_refuse_errno(out, errno);
            return;
        }
        cardfeed_watch_judge_type(watch, &st, out);
        same = memcmp(&before, &out->signature, sizeof(before)) == 0
               && data->len == out->signature.size;
    }

    if (!same) {
        /* Somebody keeps writing: their close will be heard of; polling
         * looks at a racy signature again. */
        out->signature = before;
        out->racy = true;
        if (data->len > watch->c->max_card) {
            out->code = cardfeed_error_set(&out->err, CARDFEED_INVALID, 0,
                "grows while it is read");
        }
    }
}


/* Opens for reading exactly what was found to be a regular file. */
static int
watch_reopen(const cardfeed_watch_t *watch, const char *path, int found)
{
    int fd;
    char proc[40];

    snprintf(proc, sizeof(proc), "/proc/self/fd/%d", found);
    fd = open(proc, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        /* No /proc here. */
        fd = cardfeed_watch_open_at(watch, path, O_RDONLY | O_NONBLOCK,
            true);
    }

    return fd;
}


/* A regular file that stands there itself: -1 for all else, without a word.
 * What has become a FIFO or a device since it was looked at is let go again
 * before anything is read. */
static int
watch_open_plain(const cardfeed_watch_t *watch, cardfeed_str_t path)
{
    int fd;
    char buf[PATH_MAX];
    struct stat st;

    if (watch->root < 0 || !cardfeed_watch_named(watch, path, buf)) {
        return -1;
    }

    fd = cardfeed_watch_open_at(watch, buf,
        O_RDONLY | O_NONBLOCK | O_NOFOLLOW, false);
    if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
        close(fd);
        return -1;
    }

    return fd;
}


int
cardfeed_watch_load(const cardfeed_watch_t *watch, cardfeed_str_t path,
    cardfeed_buf_t *data, cardfeed_watch_file_t *out)
{
    int fd, rc, found = -1;
    bool link;
    char buf[PATH_MAX];

    cardfeed_buf_reset(data);

    fd = watch_open_plain(watch, path);
    if (fd < 0) {
        rc = cardfeed_watch_find(watch, path, buf, out, &found, &link);
        if (rc != CARDFEED_OK || out->code != CARDFEED_OK) {
            return rc != CARDFEED_OK ? rc : out->code;
        }
        fd = watch_reopen(watch, buf, found);
    } else {
        memset(out, 0, sizeof(*out));
    }

    if (fd < 0 && errno == ENOENT) {
        rc = CARDFEED_NOTFOUND;
    } else if (fd < 0) {
        cardfeed_watch_refuse_errno(out, errno);
        rc = out->code;
    } else {
        watch_load_fd(watch, fd, data, out);
        rc = out->code;
        close(fd);
    }
    if (found >= 0) {
        close(found);
    }

    return rc;
}


static bool
watch_has(const cardfeed_watch_t *watch, cardfeed_str_t stem, const char *ext)
{
    size_t len = strlen(ext);
    char buf[PATH_MAX];
    struct stat st;

    if (stem.len + len >= sizeof(buf)) {
        return false;
    }
    memcpy(buf, stem.data, stem.len);
    memcpy(buf + stem.len, ext, len + 1);

    return cardfeed_collection_matches(watch->c, buf, false)
           && fstatat(watch->root, buf, &st, AT_SYMLINK_NOFOLLOW) == 0
           && !S_ISDIR(st.st_mode);
}


bool
cardfeed_watch_outranked(const cardfeed_watch_t *watch, cardfeed_str_t path)
{
    size_t i;
    cardfeed_str_t ext, stem = path;
    static const char *const better[] = {".md", ".markdown"};

    while (stem.len > 0 && stem.data[stem.len - 1] != '.'
           && stem.data[stem.len - 1] != '/')
    {
        stem.len--;
    }
    if (watch->root < 0 || stem.len == 0
        || stem.data[stem.len - 1] == '/')
    {
        return false;
    }
    stem.len--;
    ext.data = stem.data + stem.len;
    ext.len = path.len - stem.len;

    for (i = 0; i < sizeof(better) / sizeof(better[0]); i++) {
        if (cardfeed_str_eq(ext, cardfeed_str_of(better[i]))) {
            return false;
        }
        if (watch_has(watch, stem, better[i])) {
            return true;
        }
    }

    return false;
}
