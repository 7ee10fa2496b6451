/*
 * watch_links: links and what they lead to.  A link to a file of the tree is
 * that file under another name, but what happens to the file, or to anything
 * on the way to it, is no event of the link.
 */

#include "cardfeed_watch_private.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINKS_DEPTH 8 /* links to links */

/* Kept under its own path, and under every prefix of its target's. */
struct cardfeed_watch_link_s {
    size_t len;
    size_t target_len;
    char path[]; /* and, behind its NUL, the target, with one of its own */
};

struct cardfeed_watch_link_key_s {
    cardfeed_watch_link_key_t *next;
    cardfeed_watch_link_t *link;
    size_t prefix; /* of the target's bytes; 0: the link's own path */
};


static const char *
link_target(const cardfeed_watch_link_t *link)
{
    return link->path + link->len + 1;
}


static cardfeed_str_t
link_key(const cardfeed_watch_link_key_t *key)
{
    cardfeed_str_t text = {.data = key->link->path, .len = key->link->len};

    if (key->prefix > 0) {
        text.data = link_target(key->link);
        text.len = key->prefix;
    }

    return text;
}


static cardfeed_watch_link_key_t **
links_bucket(const cardfeed_watch_links_t *links, cardfeed_str_t text)
{
    return &links->buckets[cardfeed_text_hash(text) & (links->size - 1)];
}


static int
links_grow(cardfeed_watch_links_t *links)
{
    size_t i;
    cardfeed_watch_link_key_t *key, **bucket;
    cardfeed_watch_links_t bigger = {
        .size = links->size ? links->size * 2 : 64,
        .count = links->count,
    };

    bigger.buckets = calloc(bigger.size, sizeof(*bigger.buckets));
    if (bigger.buckets == NULL) {
        return CARDFEED_NOMEM;
    }
    for (i = 0; i < links->size; i++) {
        while ((key = links->buckets[i]) != NULL) {
            links->buckets[i] = key->next;
            bucket = links_bucket(&bigger, link_key(key));
            key->next = *bucket;
            *bucket = key;
        }
    }
    free(links->buckets);
    *links = bigger;

    return CARDFEED_OK;
}


static int
links_add(cardfeed_watch_links_t *links, cardfeed_watch_link_t *link,
    size_t prefix)
{
    cardfeed_watch_link_key_t *key, **bucket;

    if (links->count >= links->size && links_grow(links) != CARDFEED_OK) {
        return CARDFEED_NOMEM;
    }
    key = malloc(sizeof(*key));
    if (key == NULL) {
        return CARDFEED_NOMEM;
    }
    key->link = link;
    key->prefix = prefix;
    bucket = links_bucket(links, link_key(key));
    key->next = *bucket;
    *bucket = key;
    links->count++;

    return CARDFEED_OK;
}


static void
links_cut(cardfeed_watch_links_t *links, const cardfeed_watch_link_t *link,
    size_t prefix)
{
    cardfeed_watch_link_key_t *key, **at;
    cardfeed_str_t text = {.data = link->path, .len = link->len};

    if (links->size == 0) {
        return;
    }
    if (prefix > 0) {
        text.data = link_target(link);
        text.len = prefix;
    }
    for (at = links_bucket(links, text); (key = *at) != NULL; at = &key->next)
    {
        if (key->link == link && key->prefix == prefix) {
            *at = key->next;
            free(key);
            links->count--;
            return;
        }
    }
}


/* The next prefix that ends before a slash, or at the end; 0: no more. */
static size_t
link_prefix(const cardfeed_watch_link_t *link, size_t from)
{
    const char *slash, *target = link_target(link);

    if (from >= link->target_len) {
        return 0;
    }
    slash = strchr(target + from + 1, '/');

    return slash != NULL ? (size_t) (slash - target) : link->target_len;
}


static cardfeed_watch_link_t *
links_find(const cardfeed_watch_links_t *links, cardfeed_str_t path)
{
    cardfeed_watch_link_key_t *key = NULL;

    if (links->size > 0) {
        key = *links_bucket(links, path);
    }
    while (key != NULL
           && (key->prefix > 0 || !cardfeed_str_eq(link_key(key), path)))
    {
        key = key->next;
    }

    return key != NULL ? key->link : NULL;
}


static void
links_remove(cardfeed_watch_links_t *links, cardfeed_watch_link_t *link)
{
    size_t prefix = 0;

    do {
        links_cut(links, link, prefix);
        prefix = link_prefix(link, prefix);
    } while (prefix > 0);
    free(link);
}


void
cardfeed_watch_links_drop(cardfeed_watch_t *watch, cardfeed_str_t path)
{
    cardfeed_watch_link_t *link = links_find(&watch->links, path);

    if (link != NULL) {
        links_remove(&watch->links, link);
    }
}


/* The text of a link at path, as a path from the root: "." and ".." are
 * resolved by name.  0: it leads out, or to the root itself. */
static size_t
link_resolve(const char *path, const char *text, char out[2 * PATH_MAX])
{
    size_t n, len = 0;
    const char *slash = strrchr(path, '/');

    if (slash != NULL) {
        len = (size_t) (slash - path);
        memcpy(out, path, len);
    }
    if (*text == '/') {
        return 0;
    }

    for (; *text != '\0'; text += n + strspn(text + n, "/")) {
        n = strcspn(text, "/");
        if (n == 1 && text[0] == '.') {
            continue;
        }
        if (n == 2 && text[0] == '.' && text[1] == '.') {
            if (len == 0) {
                return 0;
            }
            while (len > 0 && out[--len] != '/') {
                /* void */
            }
            continue;
        }
        if (len > 0) {
            out[len++] = '/';
        }
        memcpy(out + len, text, n);
        len += n;
    }

    return len;
}


void
cardfeed_watch_links_note(cardfeed_watch_t *watch, const char *path)
{
    ssize_t n;
    size_t len, prefix = 0;
    char text[PATH_MAX], target[2 * PATH_MAX];
    cardfeed_str_t name = cardfeed_str_of(path);
    cardfeed_watch_link_t *link = links_find(&watch->links, name);

    n = readlinkat(watch->root, path, text, sizeof(text) - 1);
    if (n < 0 || watch->inotify < 0) {
        return;
    }
    text[n] = '\0';
    len = link_resolve(path, text, target);

    if (link != NULL && link->target_len == len
        && memcmp(link_target(link), target, len) == 0)
    {
        return;
    }
    if (link != NULL) {
        links_remove(&watch->links, link);
    }
    if (len == 0) {
        return;
    }

    /* Without memory its target's changes are not its own, that is all. */
    link = calloc(1, sizeof(*link) + name.len + len + 2);
    if (link == NULL) {
        return;
    }
    link->len = name.len;
    link->target_len = len;
    memcpy(link->path, path, name.len);
    memcpy(link->path + name.len + 1, target, len);
    do {
        if (links_add(&watch->links, link, prefix) != CARDFEED_OK) {
            links_remove(&watch->links, link);
            return;
        }
        prefix = link_prefix(link, prefix);
    } while (prefix > 0);
}


static void
links_tell(const cardfeed_watch_links_t *links, cardfeed_event_t event,
    cardfeed_str_t path, unsigned depth, cardfeed_event_fn fn, void *data)
{
    cardfeed_str_t link;
    const cardfeed_watch_link_key_t *key;

    for (key = *links_bucket(links, path); key != NULL; key = key->next) {
        if (key->prefix > 0 && cardfeed_str_eq(link_key(key), path)) {
            link.data = key->link->path;
            link.len = key->link->len;
            fn(data, event, link);
            if (depth < LINKS_DEPTH) {
                links_tell(links, event, link, depth + 1, fn, data);
            }
        }
    }
}


void
cardfeed_watch_links_tell(const cardfeed_watch_t *watch,
    cardfeed_event_t event, cardfeed_str_t path, cardfeed_event_fn fn,
    void *data)
{
    if (watch->links.count > 0) {
        links_tell(&watch->links, event, path, 1, fn, data);
    }
}


void
cardfeed_watch_links_free(cardfeed_watch_t *watch)
{
    size_t i;
    cardfeed_watch_link_key_t *key;
    cardfeed_watch_links_t *links = &watch->links;

    for (i = 0; i < links->size; i++) {
        while ((key = links->buckets[i]) != NULL) {
            links->buckets[i] = key->next;
            if (key->prefix == 0) {
                free(key->link); /* which has one such key */
            }
            free(key);
        }
    }
    free(links->buckets);
    memset(links, 0, sizeof(*links));
}
