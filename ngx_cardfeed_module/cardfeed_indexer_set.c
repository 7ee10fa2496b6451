/* indexer_set: sets of hashes and of paths. */

#include "cardfeed_indexer_private.h"

#include <stdlib.h>
#include <string.h>


static size_t
hashset_slot(const cardfeed_hashset_t *set, uint64_t hash)
{
    size_t i = (size_t) hash & (set->size - 1);

    while (set->slots[i] != 0 && set->slots[i] != hash) {
        i = (i + 1) & (set->size - 1);
    }

    return i;
}


static int
hashset_grow(cardfeed_hashset_t *set)
{
    size_t i;
    cardfeed_hashset_t bigger = {.size = set->size ? set->size * 2 : 64};

    bigger.slots = calloc(bigger.size, sizeof(*bigger.slots));
    if (bigger.slots == NULL) {
        return CARDFEED_NOMEM;
    }
    for (i = 0; i < set->size; i++) {
        if (set->slots[i] != 0) {
            bigger.slots[hashset_slot(&bigger, set->slots[i])]
                = set->slots[i];
        }
    }
    bigger.count = set->count;
    free(set->slots);
    *set = bigger;

    return CARDFEED_OK;
}


int
cardfeed_indexer_hashes_add(cardfeed_hashset_t *set, uint64_t hash)
{
    size_t i;

    hash += hash == 0;
    if (set->count * 2 >= set->size && hashset_grow(set) != CARDFEED_OK) {
        return CARDFEED_NOMEM;
    }
    i = hashset_slot(set, hash);
    if (set->slots[i] == hash) {
        return CARDFEED_BUSY;
    }
    set->slots[i] = hash;
    set->count++;

    return CARDFEED_OK;
}


bool
cardfeed_indexer_hashes_has(const cardfeed_hashset_t *set, uint64_t hash)
{
    hash += hash == 0;

    return set->size > 0 && set->slots[hashset_slot(set, hash)] == hash;
}


/* What stands behind it closes up, or the look for it would end too soon. */
void
cardfeed_indexer_hashes_drop(cardfeed_hashset_t *set, uint64_t hash)
{
    uint64_t moved;
    size_t i;

    hash += hash == 0;
    if (set->size == 0) {
        return;
    }
    i = hashset_slot(set, hash);
    if (set->slots[i] == 0) {
        return;
    }

    set->slots[i] = 0;
    set->count--;
    for (;;) {
        i = (i + 1) & (set->size - 1);
        moved = set->slots[i];
        if (moved == 0) {
            return;
        }
        set->slots[i] = 0;
        set->slots[hashset_slot(set, moved)] = moved;
    }
}


void
cardfeed_indexer_hashes_free(cardfeed_hashset_t *set)
{
    free(set->slots);
    memset(set, 0, sizeof(*set));
}


void
cardfeed_indexer_paths_init(cardfeed_pathset_t *set)
{
    memset(set, 0, sizeof(*set));
    cardfeed_arena_init(&set->arena, (size_t) 1 << 30);
}


int
cardfeed_indexer_paths_add(cardfeed_pathset_t *set, cardfeed_str_t path)
{
    int rc;
    size_t cap;
    cardfeed_str_t copy, *paths;

    /* Room first, so that a failure leaves the set as it was. */
    if (set->count == set->cap) {
        cap = set->cap ? set->cap * 2 : 64;
        paths = realloc(set->paths, cap * sizeof(*paths));
        if (paths == NULL) {
            return CARDFEED_NOMEM;
        }
        set->paths = paths;
        set->cap = cap;
    }

    rc = cardfeed_indexer_hashes_add(&set->hashes, cardfeed_text_hash(path));
    if (rc != CARDFEED_OK) {
        return rc;
    }
    copy = cardfeed_arena_dup(&set->arena, path);
    if (copy.data == NULL) {
        return CARDFEED_NOMEM;
    }
    set->paths[set->count++] = copy;

    return CARDFEED_OK;
}


bool
cardfeed_indexer_paths_has(const cardfeed_pathset_t *set, cardfeed_str_t path)
{
    return cardfeed_indexer_hashes_has(&set->hashes, cardfeed_text_hash(path));
}


void
cardfeed_indexer_paths_free(cardfeed_pathset_t *set)
{
    cardfeed_indexer_hashes_free(&set->hashes);
    cardfeed_arena_free(&set->arena);
    free(set->paths);
    cardfeed_indexer_paths_init(set);
}
