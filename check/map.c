/* map: open addressing, at most half full. */

#include "check.h"

#include <stdlib.h>

#define MAP_FIRST 1024


static size_t
slot_of(const check_map_t *map, uint64_t key)
{
    size_t slot;

    slot = (size_t) key & map->mask;

    while (map->values[slot] != 0 && map->keys[slot] != key) {
        slot = (slot + 1) & map->mask;
    }

    return slot;
}


static bool
grow(check_map_t *map)
{
    uint64_t *keys;
    size_t *values;
    check_map_t old;
    size_t size, i, slot;

    size = map->values != NULL ? (map->mask + 1) * 2 : MAP_FIRST;
    keys = calloc(size, sizeof(*keys));
    values = calloc(size, sizeof(*values));

    if (keys == NULL || values == NULL) {
        free(keys);
        free(values);
        return false;
    }

    old = *map;
    map->keys = keys;
    map->values = values;
    map->mask = size - 1;

    for (i = 0; old.values != NULL && i <= old.mask; i++) {
        if (old.values[i] != 0) {
            slot = slot_of(map, old.keys[i]);
            keys[slot] = old.keys[i];
            values[slot] = old.values[i];
        }
    }

    check_map_free(&old);

    return true;
}


int
check_map_take(check_map_t *map, uint64_t key, size_t *value, bool *is_new)
{
    size_t slot;

    if ((map->values == NULL || map->n > map->mask / 2) && !grow(map)) {
        return CARDFEED_NOMEM;
    }

    slot = slot_of(map, key);
    *is_new = map->values[slot] == 0;

    if (*is_new) {
        map->keys[slot] = key;
        map->values[slot] = *value + 1;
        map->n++;
    }

    *value = map->values[slot] - 1;

    return CARDFEED_OK;
}


void
check_map_free(check_map_t *map)
{
    free(map->keys);
    free(map->values);
    *map = (check_map_t){.n = 0};
}
