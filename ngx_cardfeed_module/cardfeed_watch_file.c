/* watch_file: what stands at a path beneath the root, and reading it. */

#include "cardfeed_watch_private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define WATCH_RACY_NS INT64_C(2000000000)
#define WATCH_NS INT64_C(1000000000)

static const struct {
    mode_t type;
    const char *reason;
} watch_types[] = {
    {S_IFIFO, "not a regular file but a FIFO"},
    {S_IFSOCK, "not a regular file but a socket"},
    {S_IFCHR, "not a regular file but a character device"},
    {S_IFBLK, "not a regular file but a block device"},
    {0, "not a regular file"},
};


static int
watch_openat2(int root, const char *path, int flags, bool links)
{
    struct open_how how = {
        .flags = (uint64_t) (unsigned) flags,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS
            | (links ? 0u : RESOLVE_NO_SYMLINKS),
    };
    long fd;
    int tries = 0;

    /* EAGAIN: a rename somewhere raced with the look for "..". */
    do {
        fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
    } while (fd < 0 && (errno == EAGAIN || errno == EINTR) && ++tries < 100);

    return (int) fd;
}


bool
cardfeed_watch_has_openat2(int root)
{
    int fd = watch_openat2(root, ".", O_PATH | O_CLOEXEC, false);

    if (fd < 0) {
        return false;
    }
    close(fd);

    return true;
}


/* Component by component: no link can lead anywhere. */
static int
watch_open_steps(int root, const char *path, int flags)
{
    int fd, up = root, err;
    size_t len;
    char name[NAME_MAX + 1];

    for (;;) {
        len = strcspn(path, "/");
        if (len > NAME_MAX || len == 0) {
            fd = -1;
            errno = len == 0 ? ENOENT : ENAMETOOLONG;
            break;
        }
        memcpy(name, path, len);
        name[len] = '\0';
        if (strcmp(name, "..") == 0) {
            fd = -1;
            errno = EXDEV;
            break;
        }
        path += len;
        if (*path == '\0') {
            fd = openat(up, name, flags | O_NOFOLLOW);
            break;
        }
        path++;
        fd = openat(up, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0) {
            break;
        }
        if (up != root) {
            close(up);
        }
        up = fd;
    }

    if (up != root) {
        err = errno;
        close(up);
        errno = err;
    }

    return fd;
}


static bool
watch_fd_inside(int root, int fd)
{
    char proc[40], top[PATH_MAX], real[PATH_MAX];
    ssize_t n, m;

    snprintf(proc, sizeof(proc), "/proc/self/fd/%d", root);
    n = readlink(proc, top, sizeof(top));
    snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
    m = readlink(proc, real, sizeof(real));
    if (n <= 0 || m <= 0 || (size_t) n >= sizeof(top)
        || (size_t) m >= sizeof(real))
    {
        return false;
    }
    if (n == 1) {
        return true; /* the root is "/" */
    }

    return m > n && memcmp(top, real, (size_t) n) == 0 && real[n] == '/';
}


int
cardfeed_watch_open_at(const cardfeed_watch_t *watch, const char *path,
    int flags, bool links)
{
    int fd;

    /* openat2() takes no flag that would mean nothing. */
    flags |= O_CLOEXEC | ((flags & O_PATH) ? 0 : O_NOCTTY);

    if (watch->openat2) {
        return watch_openat2(watch->root, path, flags, links);
    }
    if (!links) {
        return watch_open_steps(watch->root, path, flags);
    }

    fd = openat(watch->root, path, flags);
    if (fd >= 0 && !watch_fd_inside(watch->root, fd)) {
        close(fd);
        errno = EXDEV;
        fd = -1;
    }

    return fd;
}


static int64_t
watch_ns(const struct timespec *ts)
{
    return (int64_t) ts->tv_sec * WATCH_NS + ts->tv_nsec;
}


static bool
watch_close_to(int64_t now, int64_t then)
{
    return then > now - WATCH_RACY_NS && then < now + WATCH_RACY_NS;
}


void
cardfeed_watch_sign(cardfeed_watch_file_t *out, const struct stat *st)
{
    int64_t now;
    struct timespec ts;
    cardfeed_signature_t *s = &out->signature;

    s->mtime_ns = watch_ns(&st->st_mtim);
    s->ctime_ns = watch_ns(&st->st_ctim);
    s->size = (uint64_t) st->st_size;
    s->inode = (uint64_t) st->st_ino;

    clock_gettime(CLOCK_REALTIME, &ts);
    now = watch_ns(&ts);
    out->racy = watch_close_to(now, s->mtime_ns)
                || watch_close_to(now, s->ctime_ns);
    out->transient = false;
    out->code = CARDFEED_OK;
    out->err.code = CARDFEED_OK;
    out->err.line = 0;
    out->err.message[0] = '\0';
}


static void
watch_refuse(cardfeed_watch_file_t *out, const char *reason)
{
    out->code = cardfeed_error_set(&out->err, CARDFEED_INVALID, 0, "%s",
        reason);
}


bool
cardfeed_watch_transient(int err)
{
    return err == EMFILE || err == ENFILE || err == ENOMEM || err == EAGAIN
           || err == EINTR || err == ESTALE;
}


void
cardfeed_watch_refuse_errno(cardfeed_watch_file_t *out, int err)
{
    if (cardfeed_watch_transient(err)) {
        /* Not for the file's sake: no signature will match this one. */
        memset(&out->signature, 0, sizeof(out->signature));
        out->racy = true;
        out->transient = true;
    }
    out->code = cardfeed_error_set(&out->err, CARDFEED_INVALID, 0,
        "cannot be read: %s", strerror(err));
}


/* Something that is neither a directory nor a link. */
void
cardfeed_watch_judge_type(const cardfeed_watch_t *watch, const struct stat *st,
    cardfeed_watch_file_t *out)
{
    size_t i;

    cardfeed_watch_sign(out, st);

    if (!S_ISREG(st->st_mode)) {
        for (i = 0; watch_types[i].type != 0
                    && watch_types[i].type != (st->st_mode & S_IFMT); i++)
        {
            /* void */
        }
        watch_refuse(out, watch_types[i].reason);
        return;
    }

    if ((uint64_t) st->st_size > watch->c->max_card) {
        out->code = cardfeed_error_set(&out->err, CARDFEED_INVALID, 0,
            "%llu bytes are more than max_card=%zu",
            (unsigned long long) st->st_size, watch->c->max_card);
    }
}


static void
watch_judge_broken_link(cardfeed_watch_file_t *out, int err)
{
    switch (err) {
    case EXDEV:
        watch_refuse(out, "symbolic link leaves the collection");
        break;
    case ENOENT:
    case ENOTDIR:
        watch_refuse(out, "symbolic link leads nowhere");
        break;
    case ELOOP:
        watch_refuse(out, "symbolic link leads in a circle");
        break;
    default:
        cardfeed_watch_refuse_errno(out, err);
        break;
    }
}


/* A link, which may stand where a card or a directory was expected. */
static int
watch_judge_link(const cardfeed_watch_t *watch, const char *path, bool named,
    cardfeed_watch_file_t *out, int *fd)
{
    int err;
    bool directory;
    struct stat st;

    *fd = cardfeed_watch_open_at(watch, path, O_PATH, true);
    err = errno;

    if (*fd < 0) {
        /* Outside may be a directory, too: ask without opening it. */
        directory = fstatat(watch->root, path, &st, 0) == 0
                    && S_ISDIR(st.st_mode);
    } else if (fstat(*fd, &st) != 0) {
        cardfeed_watch_refuse_errno(out, errno);
        return CARDFEED_OK;
    } else {
        directory = S_ISDIR(st.st_mode);
    }

    if (directory) {
        watch_refuse(out, "symbolic links to directories are not followed");
        return CARDFEED_OK;
    }
    if (!named) {
        return CARDFEED_NOTFOUND;
    }
    if (*fd < 0) {
        watch_judge_broken_link(out, err);
    } else {
        cardfeed_watch_judge_type(watch, &st, out);
    }

    return CARDFEED_OK;
}


int
cardfeed_watch_judge(const cardfeed_watch_t *watch, const char *path,
    const struct stat *st, cardfeed_watch_file_t *out, int *target)
{
    int rc, fd = -1;
    bool named;

    if (S_ISDIR(st->st_mode)) {
        return CARDFEED_NOTFOUND;
    }

    named = cardfeed_collection_matches(watch->c, path, false);
    if (S_ISLNK(st->st_mode)) {
        if (!named && !cardfeed_collection_matches(watch->c, path, true)) {
            return CARDFEED_NOTFOUND;
        }
        cardfeed_watch_sign(out, st);
        rc = watch_judge_link(watch, path, named, out, &fd);
    } else if (named) {
        cardfeed_watch_judge_type(watch, st, out);
        rc = CARDFEED_OK;
    } else {
        rc = CARDFEED_NOTFOUND;
    }

    if (target != NULL && rc == CARDFEED_OK && out->code == CARDFEED_OK) {
        *target = fd;
    } else if (fd >= 0) {
        close(fd);
    }

    return rc;
}


/* NUL-terminated; NULL for a path that no system call takes. */
static const char *
watch_cpath(char *buf, cardfeed_str_t path)
{
    if (path.len == 0 || path.len >= PATH_MAX
        || memchr(path.data, '\0', path.len) != NULL)
    {
        return NULL;
    }
    memcpy(buf, path.data, path.len);
    buf[path.len] = '\0';

    return buf;
}


static bool
watch_above_match(const cardfeed_watch_t *watch, char *path)
{
    bool match = true;
    char *slash;

    for (slash = strchr(path, '/'); slash != NULL && match;
         slash = strchr(slash + 1, '/'))
    {
        *slash = '\0';
        match = cardfeed_collection_matches(watch->c, path, true);
        *slash = '/';
    }

    return match;
}


bool
cardfeed_watch_named(const cardfeed_watch_t *watch, cardfeed_str_t name,
    char *path)
{
    return watch_cpath(path, name) != NULL && watch_above_match(watch, path)
           && cardfeed_collection_matches(watch->c, path, false);
}


int
cardfeed_watch_find(const cardfeed_watch_t *watch, cardfeed_str_t name,
    char *path, cardfeed_watch_file_t *out, int *target, bool *link)
{
    int fd, rc;
    struct stat st;

    memset(out, 0, sizeof(*out));
    *link = false;
    if (watch->root < 0 || watch_cpath(path, name) == NULL
        || !watch_above_match(watch, path))
    {
        return CARDFEED_NOTFOUND;
    }

    fd = cardfeed_watch_open_at(watch, path, O_PATH | O_NOFOLLOW, false);
    if (fd < 0) {
        if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP
            || errno == EXDEV || errno == ENAMETOOLONG
            || !cardfeed_collection_matches(watch->c, path, false))
        {
            return CARDFEED_NOTFOUND;
        }
        /* A directory above is closed: its opening may be behind already. */
        cardfeed_watch_refuse_errno(out, errno);
        out->racy = true;
        return CARDFEED_OK;
    }

    if (fstat(fd, &st) != 0) {
        cardfeed_watch_refuse_errno(out, errno);
        close(fd);
        return CARDFEED_OK;
    }

    *link = S_ISLNK(st.st_mode);
    rc = cardfeed_watch_judge(watch, path, &st, out, target);
    if (target != NULL && rc == CARDFEED_OK && out->code == CARDFEED_OK
        && !*link)
    {
        *target = fd;
        fd = -1;
    }
    if (fd >= 0) {
        close(fd);
    }

    return rc;
}


int
cardfeed_watch_stat(cardfeed_watch_t *watch, cardfeed_str_t path,
    cardfeed_watch_file_t *out)
{
    int rc;
    bool link;
    char buf[PATH_MAX];

    rc = cardfeed_watch_find(watch, path, buf, out, NULL, &link);
    if (rc != CARDFEED_OK || !link) {
        cardfeed_watch_links_drop(watch, path);
    } else if (cardfeed_collection_matches(watch->c, buf, false)) {
        cardfeed_watch_links_note(watch, buf);
    } else {
        watch->link_to_dir = true;
    }

    return rc;
}
