/*
 * collection: what the operator said about one collection; the parameters of
 * cardfeed_collection, without a line of nginx.
 *
 * Ownership: the caller's; everything it points to must outlive its users
 *   (an indexer keeps a pointer until it has been stopped).  Never changed
 *   once an indexer runs.
 * Threads: read-only, any.
 */

#ifndef CARDFEED_COLLECTION_H
#define CARDFEED_COLLECTION_H

#include <cardfeed/text.h>

typedef enum {
    CARDFEED_WATCH_AUTO, /* inotify, polling where that cannot see changes */
    CARDFEED_WATCH_INOTIFY,
    CARDFEED_WATCH_POLL,
    CARDFEED_WATCH_OFF /* reconciled at start only */
} cardfeed_watch_mode_t;

typedef enum { CARDFEED_IDS_UUID, CARDFEED_IDS_PERMALINK } cardfeed_ids_t;

typedef enum { CARDFEED_UNDATED_SKIP, CARDFEED_UNDATED_MTIME }
    cardfeed_undated_t;

typedef struct {
    cardfeed_str_t name;  /* [A-Za-z0-9_-]{1,64} */
    const char *dir;      /* absolute, NUL-terminated, no trailing slash */
    const char *const *include; /* fnmatch patterns, NULL at the end */
    const char *const *exclude; /* with the defaults, NULL at the end */
    cardfeed_watch_mode_t watch;
    unsigned poll_ms;     /* pause between two polls */
    unsigned threads;     /* parser threads, 1 to 64 */
    size_t max_card;      /* bytes a file may have */
    size_t map_size;      /* bytes of address space for the index */
    cardfeed_ids_t ids;
    cardfeed_undated_t undated;
    cardfeed_str_t site;  /* absolute http(s) URL or empty */
    int timezone;         /* seconds east of UTC */
} cardfeed_collection_t;

/* The defaults of DESIGN.md for everything but name and dir. */
void cardfeed_collection_defaults(cardfeed_collection_t *c);

/*
 * One of the parameters that shape cards, with its value: "site=https://…",
 * and include=, exclude=, max_card=, ids=, undated=, timezone=.  What c points
 * to from then on lies in the arena.  CARDFEED_NOTFOUND: it is none of these;
 * CARDFEED_INVALID: *allowed says what is; CARDFEED_NOMEM.
 */
int cardfeed_collection_set(cardfeed_collection_t *c, cardfeed_arena_t *arena,
    cardfeed_str_t param, const char **allowed);

extern const char *const cardfeed_default_include[]; /* NULL at the end */
extern const char *const cardfeed_default_exclude[];

/*
 * Whether a file (or, with directory, whether to descend) belongs to the
 * collection.  path is relative, without "./", any bytes, NUL-terminated.  A
 * pattern without a slash is matched against the last component, one with a
 * slash against the whole path (FNM_PATHNAME).  The components above the last
 * are taken as already matched.
 */
bool cardfeed_collection_matches(const cardfeed_collection_t *c,
    const char *path, bool directory);

/* As above, and every directory above it is one to descend into as well. */
bool cardfeed_collection_holds(const cardfeed_collection_t *c,
    const char *path);

/* A hash of everything that shapes the records of an index: name, dir,
 * include, exclude, max_card, ids, undated, site, timezone. */
uint64_t cardfeed_collection_checksum(const cardfeed_collection_t *c);

#endif /* CARDFEED_COLLECTION_H */
