/* watch_map: watch descriptors and the directories they stand for. */

#include "cardfeed_watch_private.h"

#include <stdlib.h>
#include <string.h>


static uint64_t
watch_map_hash(const cardfeed_watch_dir_t *parent, cardfeed_str_t name)
{
    uint64_t up = (uint64_t) (uintptr_t) parent;

    return cardfeed_text_hash(name) ^ (up * UINT64_C(0x9e3779b97f4a7c15));
}


static size_t
watch_map_slot(const cardfeed_watch_map_t *map, int wd)
{
    return (size_t) wd & (map->buckets - 1);
}


static void
watch_map_link(cardfeed_watch_map_t *map, cardfeed_watch_dir_t *dir)
{
    cardfeed_watch_dir_t **wd = &map->by_wd[watch_map_slot(map, dir->wd)];
    cardfeed_watch_dir_t **name
        = &map->by_name[dir->hash & (map->buckets - 1)];

    dir->next_wd = *wd;
    *wd = dir;
    dir->next_name = *name;
    *name = dir;
}


static void
watch_map_unlink(cardfeed_watch_map_t *map, cardfeed_watch_dir_t *dir)
{
    cardfeed_watch_dir_t **p;

    p = &map->by_wd[watch_map_slot(map, dir->wd)];
    while (*p != dir) {
        p = &(*p)->next_wd;
    }
    *p = dir->next_wd;

    p = &map->by_name[dir->hash & (map->buckets - 1)];
    while (*p != dir) {
        p = &(*p)->next_name;
    }
    *p = dir->next_name;
}


static int
watch_map_grow(cardfeed_watch_map_t *map)
{
    size_t i, old = map->buckets;
    size_t buckets = old ? old * 2 : 64;
    cardfeed_watch_dir_t *dir, *next, **chains = map->by_wd;
    cardfeed_watch_dir_t **by_wd = calloc(buckets, sizeof(*by_wd));
    cardfeed_watch_dir_t **by_name = calloc(buckets, sizeof(*by_name));

    if (by_wd == NULL || by_name == NULL) {
        free(by_wd);
        free(by_name);
        return CARDFEED_NOMEM;
    }

    free(map->by_name);
    map->by_wd = by_wd;
    map->by_name = by_name;
    map->buckets = buckets;

    for (i = 0; i < old; i++) {
        for (dir = chains[i]; dir != NULL; dir = next) {
            next = dir->next_wd;
            watch_map_link(map, dir);
        }
    }
    free(chains);

    return CARDFEED_OK;
}


cardfeed_watch_dir_t *
cardfeed_watch_map_wd(const cardfeed_watch_map_t *map, int wd)
{
    cardfeed_watch_dir_t *dir;

    if (map->buckets == 0) {
        return NULL;
    }

    dir = map->by_wd[watch_map_slot(map, wd)];
    while (dir != NULL && dir->wd != wd) {
        dir = dir->next_wd;
    }

    return dir;
}


cardfeed_watch_dir_t *
cardfeed_watch_map_child(const cardfeed_watch_map_t *map,
    const cardfeed_watch_dir_t *parent, cardfeed_str_t name)
{
    uint64_t hash = watch_map_hash(parent, name);
    cardfeed_watch_dir_t *dir;

    if (map->buckets == 0) {
        return NULL;
    }

    for (dir = map->by_name[hash & (map->buckets - 1)]; dir != NULL;
         dir = dir->next_name)
    {
        if (dir->parent == parent && dir->len == name.len
            && memcmp(dir->name, name.data, name.len) == 0)
        {
            break;
        }
    }

    return dir;
}


cardfeed_watch_dir_t *
cardfeed_watch_map_path(const cardfeed_watch_map_t *map, cardfeed_str_t path)
{
    const char *slash;
    cardfeed_str_t name;
    cardfeed_watch_dir_t *dir = map->root;

    while (dir != NULL && path.len > 0) {
        slash = memchr(path.data, '/', path.len);
        name = path;
        if (slash != NULL) {
            name.len = (size_t) (slash - path.data);
        }
        dir = cardfeed_watch_map_child(map, dir, name);
        path.data += name.len + (slash != NULL);
        path.len -= name.len + (slash != NULL);
    }

    return dir;
}


int
cardfeed_watch_map_add(cardfeed_watch_map_t *map,
    cardfeed_watch_dir_t *parent, cardfeed_str_t name, int wd)
{
    cardfeed_watch_dir_t *dir;

    if (map->count >= map->buckets && watch_map_grow(map) != CARDFEED_OK) {
        return CARDFEED_NOMEM;
    }

    dir = calloc(1, sizeof(*dir) + name.len + 1);
    if (dir == NULL) {
        return CARDFEED_NOMEM;
    }

    dir->wd = wd;
    dir->hash = watch_map_hash(parent, name);
    dir->len = name.len;
    memcpy(dir->name, name.data, name.len);
    dir->parent = parent;

    if (parent == NULL) {
        map->root = dir;
    } else {
        dir->next = parent->child;
        if (dir->next != NULL) {
            dir->next->prev = dir;
        }
        parent->child = dir;
    }

    watch_map_link(map, dir);
    map->count++;

    return CARDFEED_OK;
}


static void
watch_map_detach(cardfeed_watch_map_t *map, cardfeed_watch_dir_t *dir)
{
    if (dir->parent == NULL) {
        map->root = NULL;
        return;
    }

    if (dir->prev != NULL) {
        dir->prev->next = dir->next;
    } else {
        dir->parent->child = dir->next;
    }
    if (dir->next != NULL) {
        dir->next->prev = dir->prev;
    }
}


void
cardfeed_watch_map_cut(cardfeed_watch_map_t *map, cardfeed_watch_dir_t *dir,
    void (*fn)(void *data, int wd), void *data)
{
    bool last;
    cardfeed_watch_dir_t *leaf, *up;

    /* Leaves first, without recursion: a tree may be thousands deep. */
    leaf = dir;
    do {
        while (leaf->child != NULL) {
            leaf = leaf->child;
        }
        up = leaf->parent;
        last = leaf == dir;

        watch_map_detach(map, leaf);
        watch_map_unlink(map, leaf);
        map->count--;
        if (fn != NULL) {
            fn(data, leaf->wd);
        }
        free(leaf);
        leaf = up;
    } while (!last);

    if (map->count == 0) {
        free(map->by_wd);
        free(map->by_name);
        memset(map, 0, sizeof(*map));
    }
}


int
cardfeed_watch_map_name(cardfeed_buf_t *out, const cardfeed_watch_dir_t *dir)
{
    size_t len = 0, at;
    const cardfeed_watch_dir_t *d;

    for (d = dir; d->parent != NULL; d = d->parent) {
        len += d->len + 1;
    }
    if (len == 0) {
        return CARDFEED_OK;
    }

    /* Make room, then fill from the end. */
    at = out->len + len - 1;
    for (d = dir; d->parent != NULL; d = d->parent) {
        cardfeed_buf_append(out, d->name, d->len);
        if (d->parent->parent != NULL) {
            cardfeed_buf_char(out, '/');
        }
    }
    if (out->failed != CARDFEED_OK) {
        return out->failed;
    }
    for (d = dir; d->parent != NULL; d = d->parent) {
        at -= d->len;
        memcpy(out->data + at, d->name, d->len);
        if (d->parent->parent != NULL) {
            out->data[--at] = '/';
        }
    }

    return CARDFEED_OK;
}
