/* A real directory tree below a temporary directory, for watch and indexer. */

#ifndef CARDFEED_TREE_FIXTURE_H
#define CARDFEED_TREE_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <cardfeed/collection.h>
#include <cardfeed/text.h>

typedef struct {
    char top[256];  /* the temporary directory */
    char dir[300];  /* the collection's, below it */
    cardfeed_collection_t c;
} tree_t;

static inline int
tree_unlink(const char *path, const struct stat *st, int type,
    struct FTW *ftw)
{
    (void) st;
    (void) ftw;

    return type == FTW_DP ? rmdir(path) : unlink(path);
}

static inline int
tree_unlock(const char *path, const struct stat *st, int type,
    struct FTW *ftw)
{
    (void) ftw;
    if (S_ISDIR(st->st_mode)) {
        chmod(path, 0700);
    }

    return type == FTW_NS ? 0 : 0;
}

static inline void
tree_remove(const char *path)
{
    nftw(path, tree_unlock, 32, FTW_PHYS);
    nftw(path, tree_unlink, 32, FTW_PHYS | FTW_DEPTH);
}

static inline void
tree_init(tree_t *tree)
{
    const char *tmp = getenv("TMPDIR");

    snprintf(tree->top, sizeof(tree->top), "%s/cardfeed-XXXXXX",
        tmp != NULL && *tmp != '\0' ? tmp : "/tmp");
    assert_non_null(mkdtemp(tree->top));
    snprintf(tree->dir, sizeof(tree->dir), "%s/site", tree->top);
    assert_int_equal(mkdir(tree->dir, 0755), 0);

    cardfeed_text_init();
    memset(&tree->c, 0, sizeof(tree->c));
    cardfeed_collection_defaults(&tree->c);
    tree->c.name = CARDFEED_STR("news");
    tree->c.dir = tree->dir;
}

static inline void
tree_done(tree_t *tree)
{
    tree_remove(tree->top);
}

/* A path in the collection; one of a few static buffers. */
static inline const char *
tree_path(const tree_t *tree, const char *name)
{
    static char buf[4][PATH_MAX];
    static unsigned next;

    next = (next + 1) % 4;
    snprintf(buf[next], sizeof(buf[next]), "%s%s%s", tree->dir,
        *name ? "/" : "", name);

    return buf[next];
}

static inline void
tree_write_path(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    size_t len = strlen(text);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), (ssize_t) len);
    close(fd);
}

static inline void
tree_write(const tree_t *tree, const char *name, const char *text)
{
    tree_write_path(tree_path(tree, name), text);
}

static inline void
tree_mkdir(const tree_t *tree, const char *name)
{
    assert_int_equal(mkdir(tree_path(tree, name), 0755), 0);
}

static inline void
tree_rename(const tree_t *tree, const char *from, const char *to)
{
    assert_int_equal(rename(tree_path(tree, from), tree_path(tree, to)), 0);
}

static inline int64_t
tree_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* A pause between two looks at a condition. */
static inline void
tree_nap(void)
{
    struct timespec ts = {.tv_nsec = 1000000};

    nanosleep(&ts, NULL);
}

#endif /* CARDFEED_TREE_FIXTURE_H */
