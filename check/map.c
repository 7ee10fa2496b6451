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


static int
grow(check_map_t *map)
{
    check_map_t to;
    size_t size, i, slot;

    size = map->values != NULL ? (map->mask + 1) * 2 : MAP_FIRST;

    to.n = map->n;
    to.mask = size - 1;
    to.keys = calloc(size, sizeof(*to.keys));
    to.values = calloc(size, sizeof(*to.values));

    if (to.keys == NULL || to.values == NULL) {
        check_map_free(&to);
        return CARDFEED_NOMEM;
    }

    for (i = 0; map->values != NULL && i <= map->mask; i++) {
        if (map->values[i] != 0) {
            slot = slot_of(&to, map->keys[i]);
            to.keys[slot] = map->keys[i];
            to.values[slot] = map->values[i];
        }
    }

    check_map_free(map);
    *map = to;

    return CARDFEED_OK;
}


int
check_map_take(check_map_t *map, uint64_t key, size_t *value, bool *is_new)
{
    size_t slot;

    if ((map->values == NULL || map->n > map->mask / 2)
        && grow(map) != CARDFEED_OK)
    {
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
