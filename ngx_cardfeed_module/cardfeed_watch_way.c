/*
 * watch_way: the way to the root: every directory that leads to it, through
 * symbolic links as well, so that whatever is switched on it is heard of.
 */

#include "cardfeed_watch_private.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <sys/inotify.h>

#define WAY_LINKS 40 /* as many as the kernel follows */

/* A way half gone. */
typedef struct {
    char at[PATH_MAX];   /* a directory, no link in it; "" is "/" */
    char left[PATH_MAX]; /* what is to be followed from there */
    unsigned links;
} way_t;


void
cardfeed_watch_way_free(cardfeed_watch_t *watch)
{
    size_t i;

    for (i = 0; i < watch->nabove; i++) {
        free(watch->above[i].name);
    }

    free(watch->above);
    watch->above = NULL;
    watch->nabove = 0;
}


/* Without memory a step is not watched, that is all: it is looked at again
 * with the next one that is. */
static void
way_remember(cardfeed_watch_t *watch, int wd, const char *name)
{
    char *copy;
    cardfeed_watch_above_t *above;

    above = realloc(watch->above, (watch->nabove + 1) * sizeof(*above));
    if (above == NULL) {
        return;
    }
    watch->above = above;

    copy = strdup(name);
    if (copy != NULL) {
        above[watch->nabove++] = (cardfeed_watch_above_t){
            .wd = wd,
            .name = copy,
        };
    }
}


/* Takes the next name off what is left; false: there is none. */
static bool
way_name(way_t *way, char name[NAME_MAX + 1])
{
    size_t n;
    char *p = way->left;

    p += strspn(p, "/");
    n = strcspn(p, "/");
    if (n == 0 || n > NAME_MAX) {
        return false;
    }

    memcpy(name, p, n);
    name[n] = '\0';
    memmove(way->left, p + n, strlen(p + n) + 1);

    return true;
}


static void
way_up(way_t *way)
{
    char *slash = strrchr(way->at, '/');

    if (slash != NULL) {
        *slash = '\0';
    }
}


/* One name further, and through it if it is a link. */
static bool
way_enter(way_t *way, const char *name)
{
    int n;
    ssize_t len;
    char path[PATH_MAX], target[PATH_MAX];

    n = snprintf(path, sizeof(path), "%s/%s", way->at, name);
    if (n < 0 || (size_t) n >= sizeof(path)) {
        return false;
    }

    len = readlink(path, target, sizeof(target) - 1);
    if (len < 0) {
        memcpy(way->at, path, (size_t) n + 1);
        return true;
    }
    target[len] = '\0';

    if (++way->links > WAY_LINKS
        || (size_t) len + 1 + strlen(way->left) >= sizeof(way->left))
    {
        return false;
    }

    memmove(way->left + len, way->left, strlen(way->left) + 1);
    memcpy(way->left, target, (size_t) len);
    if (target[0] == '/') {
        way->at[0] = '\0';
    }

    return true;
}


size_t
cardfeed_watch_way(cardfeed_watch_t *watch, uint32_t mask,
    unsigned long *type)
{
    int wd;
    size_t len, there = 0;
    way_t way = {.links = 0};
    struct statfs fs;
    const char *dir;
    char name[NAME_MAX + 1];

    cardfeed_watch_way_free(watch);

    len = strlen(watch->c->dir);
    if (len >= sizeof(way.left)) {
        return 0;
    }
    memcpy(way.left, watch->c->dir, len + 1);

    while (way_name(&way, name)) {
        if (strcmp(name, ".") == 0) {
            continue;
        }
        if (strcmp(name, "..") == 0) {
            way_up(&way);
            continue;
        }

        dir = way.at[0] != '\0' ? way.at : "/";
        wd = watch->inotify >= 0
            ? inotify_add_watch(watch->inotify, dir, mask) : -1;
        way_remember(watch, wd, name);

        if (statfs(dir, &fs) != 0) {
            break;
        }
        *type = (unsigned long) fs.f_type & 0xffffffff;
        there++;

        if (!way_enter(&way, name)) {
            break;
        }
    }

    return there;
}
