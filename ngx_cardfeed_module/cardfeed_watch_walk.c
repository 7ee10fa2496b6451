/* watch_walk: every file below a directory, each directory watched first. */

#include "cardfeed_watch_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct watch_todo_s watch_todo_t;

struct watch_todo_s {
    watch_todo_t *next;
    size_t len;
    char path[];
};

typedef struct {
    cardfeed_watch_t *watch;
    cardfeed_walk_fn fn;
    void *data;
    watch_todo_t *todo;  /* directories still to be read */
    cardfeed_buf_t path; /* of the entry at hand, NUL-terminated */
    int stopped;         /* what fn returned */
    int error;           /* errno of a failure that may pass */
} watch_walk_t;


static int
watch_walk_push(watch_walk_t *walk, cardfeed_str_t path)
{
    watch_todo_t *todo = malloc(sizeof(*todo) + path.len + 1);

    if (todo == NULL) {
        return CARDFEED_NOMEM;
    }
    memcpy(todo->path, path.data, path.len);
    todo->path[path.len] = '\0';
    todo->len = path.len;
    todo->next = walk->todo;
    walk->todo = todo;

    return CARDFEED_OK;
}


static void
watch_walk_tell(watch_walk_t *walk, cardfeed_str_t path,
    const cardfeed_watch_file_t *file)
{
    walk->stopped = walk->fn(walk->data, path, file);
}


/* A directory that cannot be read, or not to its end. */
static void
watch_walk_unreadable(watch_walk_t *walk, const watch_todo_t *dir, int error)
{
    struct stat st;
    cardfeed_watch_file_t file = {.code = CARDFEED_INVALID};
    cardfeed_str_t path = {.data = dir->path, .len = dir->len};

    cardfeed_watch_blind(walk->watch, path);
    if (fstatat(walk->watch->root, dir->len > 0 ? dir->path : ".", &st,
            AT_SYMLINK_NOFOLLOW)
        == 0)
    {
        cardfeed_watch_sign(&file, &st);
        /* Not its content is known by this signature. */
        file.racy = false;
    }
    file.code = cardfeed_error_set(&file.err, CARDFEED_INVALID, 0,
        "directory cannot be read: %s", strerror(error));
    watch_walk_tell(walk, path, &file);
}


static int
watch_walk_file(watch_walk_t *walk, int fd, const char *name,
    cardfeed_str_t path)
{
    int error;
    bool link;
    struct stat st;
    cardfeed_watch_t *watch = walk->watch;
    cardfeed_watch_file_t file = {.code = CARDFEED_OK};

    if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        error = errno;
        if (error != ENOENT
            && cardfeed_collection_matches(watch->c, path.data, false))
        {
            file.code = cardfeed_error_set(&file.err, CARDFEED_INVALID, 0,
                "cannot be looked at: %s", strerror(error));
            file.racy = true;
            file.transient = cardfeed_watch_transient(error);
            watch_walk_tell(walk, path, &file);
        }
        return CARDFEED_OK; /* or gone again */
    }
    if (S_ISDIR(st.st_mode)) {
        return cardfeed_collection_matches(watch->c, path.data, true)
                   ? watch_walk_push(walk, path)
                   : CARDFEED_OK;
    }
    if (cardfeed_watch_judge(watch, path.data, &st, &file, NULL)
        != CARDFEED_OK)
    {
        return CARDFEED_OK;
    }

    link = S_ISLNK(st.st_mode);
    if (link && !cardfeed_collection_matches(watch->c, path.data, false)) {
        watch->link_to_dir = true;
    } else if (link) {
        cardfeed_watch_links_note(watch, path.data);
    }
    if (path.len >= PATH_MAX) {
        file.code = cardfeed_error_set(&file.err, CARDFEED_INVALID, 0,
            "path is longer than %d bytes", PATH_MAX - 1);
    }
    watch_walk_tell(walk, path, &file);

    return CARDFEED_OK;
}


static int
watch_walk_entry(watch_walk_t *walk, const watch_todo_t *dir, int fd,
    const struct dirent *entry)
{
    bool matches;
    cardfeed_str_t path;
    const char *name = entry->d_name;

    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        return CARDFEED_OK;
    }

    cardfeed_buf_reset(&walk->path);
    if (dir->len > 0) {
        cardfeed_buf_append(&walk->path, dir->path, dir->len);
        cardfeed_buf_char(&walk->path, '/');
    }
    cardfeed_buf_append(&walk->path, name, strlen(name) + 1);
    if (walk->path.failed != CARDFEED_OK) {
        return walk->path.failed;
    }
    path = cardfeed_buf_view(&walk->path);
    path.len--;

    /* Most entries need no stat to be told apart. */
    if (entry->d_type == DT_DIR || entry->d_type == DT_REG) {
        matches = cardfeed_collection_matches(walk->watch->c, path.data,
            entry->d_type == DT_DIR);
        if (!matches) {
            return CARDFEED_OK;
        }
        if (entry->d_type == DT_DIR) {
            return watch_walk_push(walk, path);
        }
    }

    return watch_walk_file(walk, fd, name, path);
}


static int
watch_walk_read(watch_walk_t *walk, const watch_todo_t *dir, DIR *stream)
{
    int rc = CARDFEED_OK;
    struct dirent *entry;

    while (rc == CARDFEED_OK && walk->stopped == 0) {
        if (cardfeed_watch_cancelled(walk->watch)) {
            return CARDFEED_BUSY;
        }
        errno = 0;
        entry = readdir(stream);
        if (entry == NULL) {
            if (errno != 0 && errno != ENOENT) {
                watch_walk_unreadable(walk, dir, errno);
            }
            break;
        }
        rc = watch_walk_entry(walk, dir, dirfd(stream), entry);
    }

    return rc;
}


static int
watch_walk_failed(watch_walk_t *walk, const watch_todo_t *dir, int error)
{
    if (error == ENOENT || error == ENOTDIR || error == ELOOP
        || error == EXDEV)
    {
        return CARDFEED_NOTFOUND;
    }
    if (cardfeed_watch_transient(error)) {
        walk->error = error;
        return CARDFEED_ERROR;
    }
    watch_walk_unreadable(walk, dir, error);

    return CARDFEED_OK;
}


/* CARDFEED_NOTFOUND: it is no longer there, or no directory. */
static int
watch_walk_dir(watch_walk_t *walk, const watch_todo_t *dir)
{
    int fd, rc;
    DIR *stream;
    cardfeed_watch_t *watch = walk->watch;
    cardfeed_str_t path = {.data = dir->path, .len = dir->len};

    if (dir->len == 0) {
        fd = openat(watch->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    } else {
        fd = cardfeed_watch_open_at(watch, dir->path,
            O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK, false);
    }
    if (fd < 0) {
        return watch_walk_failed(walk, dir, errno);
    }

    cardfeed_watch_add_dir(watch, fd, path);

    stream = fdopendir(fd);
    if (stream == NULL) {
        rc = watch_walk_failed(walk, dir, errno);
        close(fd);
        return rc;
    }

    rc = watch_walk_read(walk, dir, stream);
    closedir(stream);

    return rc;
}


int
cardfeed_watch_walk(cardfeed_watch_t *watch, cardfeed_str_t dir,
    cardfeed_walk_fn fn, void *data, cardfeed_error_t *err)
{
    int rc;
    bool first = true;
    watch_todo_t *todo;
    watch_walk_t walk = {.watch = watch, .fn = fn, .data = data};

    if (watch->root < 0
        || (dir.len == 0 && cardfeed_watch_replaced(watch)))
    {
        return cardfeed_error_set(err, CARDFEED_NOTFOUND, 0,
            "\"%s\" is not there", watch->c->dir);
    }

    cardfeed_buf_init(&walk.path, 2 * PATH_MAX);
    rc = watch_walk_push(&walk, dir);

    while (rc == CARDFEED_OK && walk.stopped == 0 && walk.todo != NULL) {
        todo = walk.todo;
        walk.todo = todo->next;
        rc = watch_walk_dir(&walk, todo);
        free(todo);
        if (rc == CARDFEED_NOTFOUND && !first) {
            rc = CARDFEED_OK; /* its going is an event of its own */
        }
        first = false;
    }

    while (walk.todo != NULL) {
        todo = walk.todo;
        walk.todo = todo->next;
        free(todo);
    }
    cardfeed_buf_free(&walk.path);

    if (walk.stopped != 0) {
        return walk.stopped;
    }
    switch (rc) {
    case CARDFEED_OK:
        return rc;
    case CARDFEED_NOTFOUND:
        return cardfeed_error_set(err, rc, 0, "the directory is gone");
    case CARDFEED_ERROR:
        return cardfeed_error_set(err, rc, 0, "directories cannot be read: "
                                              "%s", strerror(walk.error));
    case CARDFEED_BUSY:
        return cardfeed_error_set(err, rc, 0, "the walk was cancelled");
    default:
        return cardfeed_error_set(err, rc, 0, "out of memory");
    }
}
