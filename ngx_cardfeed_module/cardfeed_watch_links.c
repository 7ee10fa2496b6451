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

#define LINKS_DEPTH 8  /* links to links */
#define LINKS_NAMES 32 /* on the way to a target; those above count not */
#define LINKS_BYTES ((size_t) 32 << 20) /* of all; others are not followed */

/* Under a prefix of the target's path, or under the link's own. */
struct cardfeed_watch_link_key_s {
    cardfeed_watch_link_key_t *next;
    cardfeed_watch_link_key_t **at; /* what points here */
    cardfeed_watch_link_t *link;
    uint64_t hash;
    size_t prefix; /* of the target's bytes; 0: the link's own path */
};

struct cardfeed_watch_link_s {
    size_t size; /* of it all */
    size_t len;
    size_t target_len;
    const char *path;   /* both behind the keys */
    const char *target;
    size_t nkeys;
    cardfeed_watch_link_key_t keys[];
};


static cardfeed_str_t
link_key(const cardfeed_watch_link_key_t *key)
{
    const cardfeed_watch_link_t *link = key->link;

    if (key->prefix > 0) {
        return (cardfeed_str_t){.data = link->target, .len = key->prefix};
    }

    return (cardfeed_str_t){.data = link->path, .len = link->len};
}


static void
links_put(cardfeed_watch_links_t *links, cardfeed_watch_link_key_t *key)
{
    cardfeed_watch_link_key_t **at;

    at = &links->buckets[key->hash & (links->size - 1)];
    key->next = *at;
    key->at = at;
    if (key->next != NULL) {
        key->next->at = &key->next;
    }
    *at = key;
}


/* Room for some keys more. */
static bool
links_grow(cardfeed_watch_links_t *links, size_t more)
{
    size_t i;
    cardfeed_watch_link_key_t *key, *next;
    cardfeed_watch_links_t bigger = *links;

    while (bigger.size < links->count + more) {
        bigger.size = bigger.size > 0 ? bigger.size * 2 : 64;
    }
    if (bigger.size == links->size) {
        return true;
    }

    bigger.buckets = calloc(bigger.size, sizeof(*bigger.buckets));
    if (bigger.buckets == NULL) {
        return false;
    }
    for (i = 0; i < links->size; i++) {
        for (key = links->buckets[i]; key != NULL; key = next) {
            next = key->next;
            links_put(&bigger, key);
        }
    }
    free(links->buckets);
    *links = bigger;

    return true;
}


static cardfeed_watch_link_t *
links_find(const cardfeed_watch_links_t *links, cardfeed_str_t path)
{
    uint64_t hash = cardfeed_text_hash(path);
    cardfeed_watch_link_key_t *key = NULL;

    if (links->size > 0) {
        key = links->buckets[hash & (links->size - 1)];
    }
    while (key != NULL
           && (key->prefix > 0 || key->hash != hash
               || !cardfeed_str_eq(link_key(key), path)))
    {
        key = key->next;
    }

    return key != NULL ? key->link : NULL;
}


static void
links_remove(cardfeed_watch_links_t *links, cardfeed_watch_link_t *link)
{
    size_t i;
    cardfeed_watch_link_key_t *key;

    for (i = 0; i < link->nkeys; i++) {
        key = &link->keys[i];
        *key->at = key->next;
        if (key->next != NULL) {
            key->next->at = key->at;
        }
    }
    links->count -= link->nkeys;
    links->bytes -= link->size;
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


/* Without memory its target's changes are not its own, that is all. */
static cardfeed_watch_link_t *
link_new(cardfeed_str_t path, const char *target, size_t len)
{
    char *text;
    size_t i, size, names = 1;
    cardfeed_watch_link_t *link;

    for (i = 0; i < len; i++) {
        names += target[i] == '/';
    }
    if (names > LINKS_NAMES) {
        names = LINKS_NAMES;
    }

    size = sizeof(*link) + (names + 1) * sizeof(link->keys[0]) + path.len
        + len;
    link = calloc(1, size);
    if (link == NULL) {
        return NULL;
    }
    link->size = size;
    text = (char *) &link->keys[names + 1];
    memcpy(text, path.data, path.len);
    memcpy(text + path.len, target, len);
    link->path = text;
    link->len = path.len;
    link->target = text + path.len;
    link->target_len = len;

    /* Its own, then from the target up. */
    link->nkeys = names + 1;
    for (i = 1; i < link->nkeys; i++) {
        link->keys[i].prefix = len;
        do {
            len--;
        } while (len > 0 && target[len] != '/');
    }
    for (i = 0; i < link->nkeys; i++) {
        link->keys[i].link = link;
        link->keys[i].hash = cardfeed_text_hash(link_key(&link->keys[i]));
    }

    return link;
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
    size_t i, len;
    char text[PATH_MAX], target[2 * PATH_MAX];
    cardfeed_str_t name = cardfeed_str_of(path);
    cardfeed_watch_links_t *links = &watch->links;
    cardfeed_watch_link_t *link = links_find(links, name);

    n = readlinkat(watch->root, path, text, sizeof(text) - 1);
    if (n < 0 || watch->inotify < 0) {
        return;
    }
    text[n] = '\0';
    len = link_resolve(path, text, target);

    if (link != NULL && link->target_len == len
        && memcmp(link->target, target, len) == 0)
    {
        return;
    }
    if (link != NULL) {
        links_remove(links, link);
    }
    if (len == 0 || links->bytes >= LINKS_BYTES) {
        return;
    }

    link = link_new(name, target, len);
    if (link == NULL || !links_grow(links, link->nkeys)) {
        free(link);
        return;
    }
    for (i = 0; i < link->nkeys; i++) {
        links_put(links, &link->keys[i]);
    }
    links->count += link->nkeys;
    links->bytes += link->size;
}


static void
links_tell(const cardfeed_watch_links_t *links, cardfeed_event_t event,
    cardfeed_str_t path, unsigned depth, cardfeed_event_fn fn, void *data)
{
    cardfeed_str_t link;
    uint64_t hash = cardfeed_text_hash(path);
    const cardfeed_watch_link_key_t *key;

    key = links->buckets[hash & (links->size - 1)];
    for ( ; key != NULL; key = key->next) {
        if (key->prefix > 0 && key->hash == hash
            && cardfeed_str_eq(link_key(key), path))
        {
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
    cardfeed_watch_links_t *links = &watch->links;
    cardfeed_watch_link_key_t *key, *next, *own = NULL;

    /* Each link once, by its own path, when all chains have been walked. */
    for (i = 0; i < links->size; i++) {
        for (key = links->buckets[i]; key != NULL; key = next) {
            next = key->next;
            if (key->prefix == 0) {
                key->next = own;
                own = key;
            }
        }
    }
    while (own != NULL) {
        key = own;
        own = key->next;
        free(key->link);
    }
    free(links->buckets);
    memset(links, 0, sizeof(*links));
}
