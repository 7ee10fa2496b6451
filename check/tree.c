/* tree: every file of the collection, by its path. */

#include "check.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    check_tree_t *tree;
    check_progress_t *progress;
    cardfeed_error_t *err;
} tree_walk_t;


static int
by_path(const void *a, const void *b)
{
    const check_file_t *x = a, *y = b;

    return cardfeed_str_cmp(x->path, y->path);
}


static int
tree_full(tree_walk_t *walk)
{
    return cardfeed_error_set(walk->err, CARDFEED_NOMEM, 0, "out of memory");
}


static int
tree_file(void *data, cardfeed_str_t path, const cardfeed_watch_file_t *file)
{
    tree_walk_t *walk = data;
    check_tree_t *tree = walk->tree;
    check_file_t *to;
    size_t cap;

    if (path.len == 0) {
        *walk->err = file->err;
        return CARDFEED_ERROR;
    }

    if (tree->n == tree->cap) {
        cap = tree->cap != 0 ? tree->cap * 2 : 1024;
        to = realloc(tree->files, cap * sizeof(*to));
        if (to == NULL) {
            return tree_full(walk);
        }

        tree->files = to;
        tree->cap = cap;
    }

    to = &tree->files[tree->n];
    to->path = cardfeed_arena_dup(&tree->arena, path);
    to->refused = NULL;

    if (file->code != CARDFEED_OK) {
        to->refused = cardfeed_arena_dup(&tree->arena,
            cardfeed_str_of(file->err.message)).data;
    }

    if (tree->arena.failed != CARDFEED_OK) {
        return tree_full(walk);
    }

    tree->n++;
    check_progress_tell(walk->progress, tree->n, 0);

    return CARDFEED_OK;
}


int
check_tree_read(check_tree_t *tree, cardfeed_watch_t *watch,
    check_progress_t *progress, cardfeed_error_t *err)
{
    tree_walk_t walk = {.tree = tree, .progress = progress, .err = err};
    int rc;

    cardfeed_arena_init(&tree->arena, SIZE_MAX);

    rc = cardfeed_watch_walk(watch, CARDFEED_NO_STR, tree_file, &walk, err);

    if (rc == CARDFEED_OK && tree->n != 0) {
        qsort(tree->files, tree->n, sizeof(*tree->files), by_path);
    }

    return rc;
}


void
check_tree_free(check_tree_t *tree)
{
    cardfeed_arena_free(&tree->arena);
    free(tree->files);
}
