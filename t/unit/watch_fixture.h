/*
 * watch_fixture: a tree that is watched, and what is told of it.
 */

#ifndef WATCH_FIXTURE_H
#define WATCH_FIXTURE_H

#include "tree_fixture.h"

#include <sys/prctl.h>

#include <cardfeed/watch.h>

#include "cardfeed_watch_private.h"

/* Every event of one look, as "F path", "A path", "T path", "G path", "O" or "R", each
 * followed by a newline. */
static tree_t tree;
static cardfeed_watch_t *watch;
static cardfeed_buf_t seen;


static inline int
setup(void **state)
{
    (void) state;
    tree_init(&tree);
    tree.c.watch = CARDFEED_WATCH_INOTIFY;
    cardfeed_buf_init(&seen, 1 << 20);
    watch = NULL;

    return 0;
}


static inline int
teardown(void **state)
{
    (void) state;
    cardfeed_watch_close(watch);
    cardfeed_buf_free(&seen);
    tree_done(&tree);

    return 0;
}


static inline int
on_file(void *data, cardfeed_str_t path, const cardfeed_watch_file_t *file)
{
    (void) data;
    (void) path;
    (void) file;

    return 0;
}


static inline void
walk(const char *dir)
{
    cardfeed_error_t err;

    assert_int_equal(cardfeed_watch_walk(watch, cardfeed_str_of(dir), on_file,
                         NULL, &err),
        CARDFEED_OK);
}


static inline void
open_watch(void)
{
    cardfeed_error_t err = {.code = 0};

    cardfeed_watch_close(watch);
    assert_int_equal(cardfeed_watch_open(&watch, &tree.c, &err), CARDFEED_OK);
    if (cardfeed_watch_present(watch)) {
        walk("");
    }
}


static char later[PATH_MAX];


static inline void
on_event(void *data, cardfeed_event_t event, cardfeed_str_t path)
{
    static const char letters[] = {
        [CARDFEED_EVENT_FILE] = 'F',
        [CARDFEED_EVENT_TOUCHED] = 'A',
        [CARDFEED_EVENT_TREE] = 'T',
        [CARDFEED_EVENT_GONE] = 'G',
        [CARDFEED_EVENT_OVERFLOW] = 'O',
        [CARDFEED_EVENT_ROOT] = 'R',
    };

    (void) data;

    /* Of every new file. */
    if (event == CARDFEED_EVENT_BEGUN) {
        return;
    }
    /* Of one that has bytes already; test_linked_in_complete. */
    if (event == CARDFEED_EVENT_LATER) {
        snprintf(later, sizeof(later), "%.*s", (int) path.len, path.data);
        return;
    }

    cardfeed_buf_char(&seen, letters[event]);
    if (event < CARDFEED_EVENT_OVERFLOW) {
        cardfeed_buf_char(&seen, ' ');
        cardfeed_buf_str(&seen, path);
    }
    cardfeed_buf_char(&seen, '\n');
}


/* inotify queues an event before the change's system call returns. */
static inline const char *
events(void)
{
    cardfeed_error_t err;

    cardfeed_buf_reset(&seen);
    assert_int_equal(cardfeed_watch_events(watch, on_event, NULL, &err),
        CARDFEED_OK);
    cardfeed_buf_char(&seen, '\0');

    return seen.data;
}


static inline bool
told(const char *text, const char *line)
{
    char both[PATH_MAX];

    snprintf(both, sizeof(both), "%s\n", line);

    return strncmp(text, both, strlen(both)) == 0
           || (snprintf(both, sizeof(both), "\n%s\n", line) > 0
               && strstr(text, both) != NULL);
}

#endif /* WATCH_FIXTURE_H */
