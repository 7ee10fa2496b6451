/*
 * watch: a directory tree → its files, and then what changes in it.
 *
 * A walk yields every regular file of the collection (and every symbolic
 * link, special file or unreadable directory that stands where one was
 * expected, with a reason) and, with inotify, watches each directory before
 * reading it, so that nothing falls between.  Events name a path; what is
 * there now is for the caller to look at (cardfeed_watch_stat, _read).
 *
 * Ownership: paths handed to callbacks are borrowed for the call, relative
 *   to the collection's directory, any bytes.
 * Threads: one, but cardfeed_watch_load() may be called from any number of
 *   threads once the root is open (each with its own buffer).
 * Limits: nothing outside the directory is ever opened: openat2() with
 *   RESOLVE_BENEATH, or a checked fallback; symbolic links to files inside
 *   are followed, links to directories are not; FIFOs, devices and sockets
 *   are never read, and none is opened that was one when it was looked at;
 *   a file over max_card is not read.
 * Errors: messages with the system's words; CARDFEED_NOTFOUND where the
 *   directory or file does not exist.
 * Source: inotify(7), openat2(2), proc(5) for the list of mounts.
 */

#ifndef CARDFEED_WATCH_H
#define CARDFEED_WATCH_H

#include <cardfeed/collection.h>
#include <cardfeed/store.h>
#include <cardfeed/text.h>

#include <stdatomic.h>

typedef struct cardfeed_watch_s cardfeed_watch_t;

typedef enum {
    CARDFEED_EVENT_FILE,     /* look at this path again: it may be gone */
    CARDFEED_EVENT_LATER,    /* the same, when nobody writes it any more */
    CARDFEED_EVENT_BEGUN,    /* a file was made here, empty still: FILE comes
                                when it is closed */
    CARDFEED_EVENT_TOUCHED,  /* its attributes changed: look at it, unless it
                                is being written, for then FILE comes */
    CARDFEED_EVENT_TREE,     /* a directory came, moved or cannot be told:
                                walk it; "" is the root */
    CARDFEED_EVENT_GONE,     /* a directory went: nothing below it is left */
    CARDFEED_EVENT_OVERFLOW, /* events were lost: walk everything */
    CARDFEED_EVENT_ROOT      /* the root came, went or was replaced: close
                                and open again */
} cardfeed_event_t;

typedef void (*cardfeed_event_fn)(void *data, cardfeed_event_t event,
    cardfeed_str_t path);

/* Never fails for want of the directory: ask cardfeed_watch_present(). While
 * it is absent its nearest existing ancestor is watched, and err (code
 * CARDFEED_NOTFOUND) says why it is. */
int cardfeed_watch_open(cardfeed_watch_t **out,
    const cardfeed_collection_t *c, cardfeed_error_t *err);
void cardfeed_watch_close(cardfeed_watch_t *watch);

/* For other threads to load from: the root alone, with a descriptor of its
 * own; c (kept) must say what the collection of watch says. */
int cardfeed_watch_share(cardfeed_watch_t **out,
    const cardfeed_watch_t *watch, const cardfeed_collection_t *c);

/* From now on a walk ends with CARDFEED_BUSY as soon as *flag is true. */
void cardfeed_watch_cancel(cardfeed_watch_t *watch, const atomic_bool *flag);

bool cardfeed_watch_present(const cardfeed_watch_t *watch);
/* Whether the configured path leads elsewhere, or nowhere, by now, or back
 * to a directory that was absent: what CARDFEED_EVENT_ROOT tells, asked. */
bool cardfeed_watch_replaced(const cardfeed_watch_t *watch);
/* Whether changes come as events; false: the caller walks every poll_ms. */
bool cardfeed_watch_live(const cardfeed_watch_t *watch);
/* Why not, for the log; empty while live or as configured. */
const char *cardfeed_watch_degraded(const cardfeed_watch_t *watch);

/* For epoll; readable means cardfeed_watch_events() has something.  -1 while
 * there is nothing to wait for. */
int cardfeed_watch_fd(const cardfeed_watch_t *watch);
/* Everything there is to read, without blocking. */
int cardfeed_watch_events(cardfeed_watch_t *watch, cardfeed_event_fn fn,
    void *data, cardfeed_error_t *err);

/* For poll: POLLPRI when something was mounted or unmounted anywhere; then
 * cardfeed_watch_mounts() tells whether that was the root, or below it. */
int cardfeed_watch_mounts_fd(const cardfeed_watch_t *watch);
void cardfeed_watch_mounts(cardfeed_watch_t *watch, cardfeed_event_fn fn,
    void *data);

typedef struct {
    cardfeed_signature_t signature;
    bool racy;
    bool transient; /* not readable, but not for the file's sake */
    /* CARDFEED_OK, or CARDFEED_INVALID: no file to read, err says why (not
     * regular, leaves the collection, too large, permission). */
    int code;
    cardfeed_error_t err;
} cardfeed_watch_file_t;

/* Return nonzero to stop the walk. */
typedef int (*cardfeed_walk_fn)(void *data, cardfeed_str_t path,
    const cardfeed_watch_file_t *file);

/* dir: "" or a relative directory; iterative, any depth up to PATH_MAX.
 * A directory that cannot be read is reported through fn under its own path
 * (code CARDFEED_INVALID).  CARDFEED_NOTFOUND: dir is gone. */
int cardfeed_watch_walk(cardfeed_watch_t *watch, cardfeed_str_t dir,
    cardfeed_walk_fn fn, void *data, cardfeed_error_t *err);

/* What stands at a path now; CARDFEED_NOTFOUND when nothing does or it is not
 * of this collection (excluded, below an excluded directory), else OK with
 * out->code. */
int cardfeed_watch_stat(cardfeed_watch_t *watch, cardfeed_str_t path,
    cardfeed_watch_file_t *out);

/*
 * Opens, fstats and reads a whole file of at most max_card bytes; out->
 * signature is of what was read (taken before, compared after: a file that
 * changed meanwhile is read again, a few times).  Returns out->code, or
 * CARDFEED_NOTFOUND.  Any thread.
 */
int cardfeed_watch_load(const cardfeed_watch_t *watch, cardfeed_str_t path,
    cardfeed_buf_t *data, cardfeed_watch_file_t *out);

/* Whether a sibling with the same stem and a better extension exists: .md
 * before .markdown before any other. Any thread. */
bool cardfeed_watch_outranked(const cardfeed_watch_t *watch,
    cardfeed_str_t path);

#endif /* CARDFEED_WATCH_H */
