/* watch: the root, its way there, and inotify. */

#include "cardfeed_watch_private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/inotify.h>

#define WATCH_DIR_MASK                                                       \
    (IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE    \
     | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR                \
     | IN_EXCL_UNLINK)
#define WATCH_ABOVE_MASK                                                     \
    (IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_ONLYDIR        \
     | IN_MASK_ADD)


void
cardfeed_watch_degrade(cardfeed_watch_t *watch, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(watch->degraded, sizeof(watch->degraded), fmt, args);
    va_end(args);

    if (watch->inotify >= 0) {
        close(watch->inotify);
        watch->inotify = -1;
    }
    if (watch->map.root != NULL) {
        cardfeed_watch_map_cut(&watch->map, watch->map.root, NULL, NULL);
    }
    cardfeed_watch_links_free(watch);
}


static void
watch_inotify_open(cardfeed_watch_t *watch)
{
    watch->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (watch->inotify >= 0) {
        return;
    }
    if (errno == EMFILE) {
        cardfeed_watch_degrade(watch, "inotify instance limit reached "
                                      "(fs.inotify.max_user_instances), "
                                      "or that of open files");
    } else {
        cardfeed_watch_degrade(watch, "inotify is not available: %s",
            strerror(errno));
    }
}


static void
watch_rm(void *data, int wd)
{
    const cardfeed_watch_t *watch = data;

    if (wd >= 0 && watch->inotify >= 0) {
        inotify_rm_watch(watch->inotify, wd);
    }
}


static void
watch_cut(cardfeed_watch_t *watch, cardfeed_watch_dir_t *dir)
{
    cardfeed_watch_map_cut(&watch->map, dir, watch_rm, watch);
}


/* The descriptor of a watched inode stays the same wherever it is found, so
 * an earlier place of it, with what was below, is forgotten. */
static int
watch_place(cardfeed_watch_t *watch, int wd, cardfeed_str_t path)
{
    cardfeed_str_t name = path, up = path;
    cardfeed_watch_dir_t *dir, *parent = NULL;

    while (up.len > 0 && up.data[up.len - 1] != '/') {
        up.len--;
    }
    name.data += up.len;
    name.len -= up.len;
    up.len -= up.len > 0;

    dir = cardfeed_watch_map_wd(&watch->map, wd);
    if (dir != NULL) {
        if (dir == cardfeed_watch_map_path(&watch->map, path)) {
            return CARDFEED_OK;
        }
        while (dir->child != NULL) {
            watch_cut(watch, dir->child);
        }
        cardfeed_watch_map_cut(&watch->map, dir, NULL, NULL);
    }

    dir = cardfeed_watch_map_path(&watch->map, path);
    if (dir != NULL) {
        watch_cut(watch, dir);
    }

    if (path.len > 0) {
        parent = cardfeed_watch_map_path(&watch->map, up);
        if (parent == NULL) {
            /* It went while it was read; there will be an event. */
            watch_rm(watch, wd);
            return CARDFEED_OK;
        }
    }

    return cardfeed_watch_map_add(&watch->map, parent, name, wd);
}


void
cardfeed_watch_blind(cardfeed_watch_t *watch, cardfeed_str_t path)
{
    cardfeed_watch_dir_t *dir;

    dir = watch->map.root != NULL
        ? cardfeed_watch_map_path(&watch->map, path) : NULL;
    if (dir != NULL) {
        dir->blind = true;
    }
}


void
cardfeed_watch_add_dir(cardfeed_watch_t *watch, int fd, cardfeed_str_t path)
{
    int wd;
    char name[40], full[2 * PATH_MAX + 2];

    if (watch->inotify >= 0) {
        cardfeed_watch_check_mount(watch, fd);
    }
    if (watch->inotify < 0) {
        return;
    }

    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    wd = inotify_add_watch(watch->inotify, name, WATCH_DIR_MASK);
    if (wd < 0 && errno == ENOENT
        && strlen(watch->c->dir) + path.len + 2 < sizeof(full))
    {
        /* No /proc here. */
        snprintf(full, sizeof(full), "%s/%.*s", watch->c->dir,
            (int) path.len, path.data);
        wd = inotify_add_watch(watch->inotify, full,
            WATCH_DIR_MASK | (path.len > 0 ? IN_DONT_FOLLOW : 0));
        if (wd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
            return; /* gone; there will be an event */
        }
    }

    if (wd >= 0) {
        if (watch_place(watch, wd, path) != CARDFEED_OK) {
            cardfeed_watch_degrade(watch, "out of memory for watches");
        } else if (faccessat(fd, ".", R_OK | X_OK, AT_EACCESS) != 0) {
            /* Listed, but not entered. */
            cardfeed_watch_blind(watch, path);
        }
    } else if (errno == ENOSPC) {
        cardfeed_watch_degrade(watch, "inotify watch limit reached "
                                      "(fs.inotify.max_user_watches)");
    } else {
        cardfeed_watch_degrade(watch, "inotify cannot watch: %s",
            strerror(errno));
    }
}


static int
watch_root_fd(const cardfeed_watch_t *watch)
{
    const char *dir = watch->c->dir;

    return open(*dir != '\0' ? dir : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}


static int
watch_root_stat(const cardfeed_watch_t *watch, struct stat *st)
{
    const char *dir = watch->c->dir;

    return stat(*dir != '\0' ? dir : "/", st);
}


static int
watch_root_open(cardfeed_watch_t *watch, unsigned long *type,
    cardfeed_error_t *err)
{
    size_t before = 0, after = 0;
    struct stat st;

    /* Above first; and, with the attributes that may make it readable, again
     * as long as more of the way turns up, so that what appears meanwhile is
     * seen or heard of. */
    cardfeed_watch_way(watch, WATCH_ABOVE_MASK, type);
    watch->root = watch_root_fd(watch);
    while (watch->root < 0 && (after == 0 || after > before)) {
        before = after;
        after = cardfeed_watch_way(watch, WATCH_ABOVE_MASK | IN_ATTRIB, type);
        watch->root = watch_root_fd(watch);
        if (after == 0) {
            break;
        }
    }

    if (watch->root < 0) {
        if (cardfeed_watch_transient(errno)) {
            return cardfeed_error_set(err, CARDFEED_ERROR, 0, "\"%s\": %s",
                watch->c->dir, strerror(errno));
        }
        if (errno == ENOENT) {
            cardfeed_error_set(err, CARDFEED_NOTFOUND, 0,
                "\"%s\" does not exist", watch->c->dir);
        } else {
            cardfeed_error_set(err, CARDFEED_NOTFOUND, 0,
                "\"%s\" cannot be opened: %s", watch->c->dir,
                strerror(errno));
        }
        return CARDFEED_OK;
    }

    if (fstat(watch->root, &st) != 0) {
        return cardfeed_error_set(err, CARDFEED_ERROR, 0, "\"%s\": %s",
            watch->c->dir, strerror(errno));
    }
    watch->dev = st.st_dev;
    watch->ino = st.st_ino;
    watch->openat2 = cardfeed_watch_has_openat2(watch->root);

    return CARDFEED_OK;
}


/* Absent, and nothing above it could be watched: events would never come. */
static void
watch_check_blind(cardfeed_watch_t *watch)
{
    size_t i;

    if (watch->root >= 0 || watch->inotify < 0) {
        return;
    }
    for (i = watch->nabove; i > 0; i--) {
        if (watch->above[i - 1].wd >= 0) {
            return;
        }
    }
    cardfeed_watch_degrade(watch, "no directory above can be watched");
}


int
cardfeed_watch_open(cardfeed_watch_t **out, const cardfeed_collection_t *c,
    cardfeed_error_t *err)
{
    int rc;
    unsigned long type = 0;
    cardfeed_watch_t *watch = calloc(1, sizeof(*watch));

    *out = NULL;
    if (watch == NULL) {
        return cardfeed_error_set(err, CARDFEED_NOMEM, 0, "out of memory");
    }

    watch->c = c;
    watch->root = -1;
    watch->inotify = -1;
    watch->mounts = -1;
    cardfeed_buf_init(&watch->path, 2 * PATH_MAX);

    if (c->watch == CARDFEED_WATCH_AUTO
        || c->watch == CARDFEED_WATCH_INOTIFY)
    {
        watch_inotify_open(watch);
        cardfeed_watch_mounts_open(watch);
    }

    rc = watch_root_open(watch, &type, err);
    if (rc != CARDFEED_OK) {
        goto cleanup;
    }
    watch_check_blind(watch);
    if (watch->root < 0) {
        cardfeed_watch_check_remote(watch, type);
    } else {
        cardfeed_watch_mounts_note(watch);
        cardfeed_watch_add_dir(watch, watch->root, CARDFEED_NO_STR);
    }

    *out = watch;
    watch = NULL;

cleanup:

    cardfeed_watch_close(watch);

    return rc;
}


void
cardfeed_watch_close(cardfeed_watch_t *watch)
{
    if (watch == NULL) {
        return;
    }

    /* Closing the descriptor drops all its watches at once. */
    if (watch->inotify >= 0) {
        close(watch->inotify);
    }
    if (watch->root >= 0) {
        close(watch->root);
    }
    if (watch->mounts >= 0) {
        close(watch->mounts);
    }
    if (watch->map.root != NULL) {
        cardfeed_watch_map_cut(&watch->map, watch->map.root, NULL, NULL);
    }
    cardfeed_watch_links_free(watch);
    cardfeed_buf_free(&watch->path);
    cardfeed_watch_way_free(watch);
    free(watch);
}


int
cardfeed_watch_share(cardfeed_watch_t **out, const cardfeed_watch_t *watch,
    const cardfeed_collection_t *c)
{
    cardfeed_watch_t *share = calloc(1, sizeof(*share));

    *out = NULL;
    if (share == NULL) {
        return CARDFEED_NOMEM;
    }

    share->c = c;
    share->inotify = -1;
    share->mounts = -1;
    share->openat2 = watch->openat2;
    share->dev = watch->dev;
    share->ino = watch->ino;
    share->root = fcntl(watch->root, F_DUPFD_CLOEXEC, 0);
    if (share->root < 0) {
        free(share);
        return CARDFEED_ERROR;
    }
    cardfeed_buf_init(&share->path, 2 * PATH_MAX);
    *out = share;

    return CARDFEED_OK;
}


void
cardfeed_watch_cancel(cardfeed_watch_t *watch, const atomic_bool *flag)
{
    watch->cancel = flag;
}


bool
cardfeed_watch_cancelled(const cardfeed_watch_t *watch)
{
    return watch->cancel != NULL
           && atomic_load_explicit(watch->cancel, memory_order_relaxed);
}


bool
cardfeed_watch_present(const cardfeed_watch_t *watch)
{
    return watch->root >= 0;
}


bool
cardfeed_watch_live(const cardfeed_watch_t *watch)
{
    return watch->inotify >= 0;
}


const char *
cardfeed_watch_degraded(const cardfeed_watch_t *watch)
{
    return watch->degraded;
}


int
cardfeed_watch_fd(const cardfeed_watch_t *watch)
{
    return watch->inotify;
}


bool
cardfeed_watch_replaced(const cardfeed_watch_t *watch)
{
    int fd;
    struct stat st;

    if (watch->root < 0) {
        fd = watch_root_fd(watch);
        if (fd >= 0) {
            close(fd);
        }
        return fd >= 0;
    }

    return watch_root_stat(watch, &st) != 0 || st.st_dev != watch->dev
           || st.st_ino != watch->ino;
}


void
cardfeed_watch_refresh(cardfeed_watch_t *watch)
{
    uint32_t mask;
    unsigned long type;
    size_t before, after = 0;

    /* what may make an absent root readable counts as well */
    mask = watch->root < 0 ? WATCH_ABOVE_MASK | IN_ATTRIB : WATCH_ABOVE_MASK;

    do {
        before = after;
        after = cardfeed_watch_way(watch, mask, &type);
    } while (after > before);
}
