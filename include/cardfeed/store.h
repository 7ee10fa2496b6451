/*
 * store: cards, topics and their order in LMDB; one writer, many readers.
 *
 * On disk, below the directory of one collection (mode 0700, PATH/NAME):
 *   control          4 KiB, allocated and mapped by every process: magic,
 *                    format, the number of the published generation, times
 *                    of unclean deaths.  Fields are C11 atomics.
 *   indexer.lock     flock(2): who holds it is the indexer
 *   discarded, wanted   made and removed at once: words for the indexer, who
 *                    watches the directory
 *   FORMAT-SUM-N/    a generation: record format, checksum of the parameters
 *                    that shape records, number.  data.mdb, lock.mdb,
 *                    lease.PID (flocked by each process that has it open),
 *                    unsynced (boot id; there while commits may not be on
 *                    the disk).
 * A generation's files are never unlinked, truncated or reused while a lease
 * is locked.  A new one is built beside the published one, then published.
 * Only a generation whose format is this build's is ever opened.
 *
 * Ownership: a cardfeed_index_t belongs to the process that opened it, after
 *   fork.  Stores are counted references; views (strings, records, rows)
 *   that come out of a transaction are borrowed and gone when it ends.
 * Threads: the functions under "event loop" from one thread, those under
 *   "indexer" from one other; the index is what both share, and the event
 *   loop never waits in it.
 * Limits: relative paths of any length up to PATH_MAX (keys over 480 bytes
 *   are cut and hashed, the whole path is kept in the value); slugs up to
 *   CARDFEED_SLUG_MAX.
 * Errors: CARDFEED_FULL (map or disk), CARDFEED_CORRUPT (distrust: the
 *   caller builds a new generation), CARDFEED_NOTFOUND, CARDFEED_BUSY,
 *   CARDFEED_ERROR with LMDB's or the system's words.
 * Source of the format: DESIGN.md, "The index"; lmdb.h.
 */

#ifndef CARDFEED_STORE_H
#define CARDFEED_STORE_H

#include <cardfeed/card.h>
#include <cardfeed/collection.h>
#include <cardfeed/record.h>

#include <stdatomic.h>

/* Part of a generation's name: raise it with every change of a table. */
#define CARDFEED_STORE_FORMAT 2

typedef struct cardfeed_index_s cardfeed_index_t;
typedef struct cardfeed_store_s cardfeed_store_t;
typedef struct cardfeed_txn_s cardfeed_txn_t;

/* --- a process's view of a collection's index ---------------------------- */

/*
 * path: the directory of the index (created, mode 0700, when absent and its
 * parent is there).  writer: this process may become the indexer and opens
 * generations read-write; everyone else opens them read-only.  c is kept.
 */
int cardfeed_index_open(cardfeed_index_t **out, const char *path,
    const cardfeed_collection_t *c, bool writer, cardfeed_error_t *err);

/* A clean end: leases go.  The indexer thread must have been joined. */
void cardfeed_index_close(cardfeed_index_t *index);

/* --- event loop ---------------------------------------------------------- */

/*
 * The store of the published generation, or NULL: none yet (first scan), or
 * it cannot be opened (err, when given, says why; code CARDFEED_NOTFOUND for
 * none yet).  Costs one atomic load while nothing changed.  The pointer is
 * borrowed until the next call.
 */
cardfeed_store_t *cardfeed_index_current(cardfeed_index_t *index,
    cardfeed_error_t *err);

/* Whether the published generation still has due times at or before now that
 * the indexer has not worked off; also true while none is published. */
bool cardfeed_index_overdue(cardfeed_index_t *index, int64_t now);

/* The number of the generation a store is of: the same number, the same
 * generation, for as long as the index directory is there. */
uint64_t cardfeed_store_generation(const cardfeed_store_t *store);

/* The last commit's transaction id, without a read; two nanoseconds. */
uint64_t cardfeed_store_txnid(const cardfeed_store_t *store);

typedef struct cardfeed_read_s cardfeed_read_t;

/* One read transaction at a time per store; a few nanoseconds. */
int cardfeed_read_begin(cardfeed_store_t *store, cardfeed_read_t **out,
    cardfeed_error_t *err);
void cardfeed_read_end(cardfeed_read_t *read);

/* Grows with every commit of this generation. */
uint64_t cardfeed_read_txnid(cardfeed_read_t *read);

typedef struct {
    uint32_t id;         /* 0: all */
    uint32_t count;      /* visible cards */
    uint64_t change;     /* grows with every change of the topic's feed */
    int64_t changed_at;  /* max(now, previous + 1) at every change */
    cardfeed_str_t slug; /* "all" for topic 0 */
    cardfeed_str_t name; /* the most used spelling; "All" for topic 0 */
} cardfeed_topic_t;

/* CARDFEED_NOTFOUND: no published card has ever named it.  "all" is topic 0
 * and always there. */
int cardfeed_read_topic(cardfeed_read_t *read, cardfeed_str_t slug,
    cardfeed_topic_t *topic);

/* The same for its change number alone, without a cursor. */
int cardfeed_read_change(cardfeed_read_t *read, cardfeed_str_t slug,
    uint64_t *change);

/* Topics in slug order, from the first slug >= from (all excluded). */
int cardfeed_read_topics(cardfeed_read_t *read, cardfeed_str_t from,
    int (*fn)(void *data, const cardfeed_topic_t *topic), void *data);

/* A row of by_topic. Names are interned numbers, 0 where absent. */
typedef struct {
    int64_t published;
    uint64_t id;
    uint32_t type;
    uint32_t category;
    uint32_t provider;
    uint32_t author; /* the first one */
    int32_t quality;
    int32_t heat;
} cardfeed_row_t;

typedef struct cardfeed_cursor_s cardfeed_cursor_t;

/* Newest first; equal times by id, ascending.  Belongs to the read and must
 * be closed before it ends. */
int cardfeed_cursor_open(cardfeed_read_t *read, uint32_t topic,
    cardfeed_cursor_t **out);
void cardfeed_cursor_close(cardfeed_cursor_t *cursor);
/* Moves to the first row strictly older than (published, id) in that order.
 * CARDFEED_NOTFOUND at the end, CARDFEED_CORRUPT for a damaged row. */
int cardfeed_cursor_seek(cardfeed_cursor_t *cursor, int64_t published,
    uint64_t id, cardfeed_row_t *row);
/* Moves to the first row at (published, id) or older; the same otherwise. */
int cardfeed_cursor_reach(cardfeed_cursor_t *cursor, int64_t published,
    uint64_t id, cardfeed_row_t *row);
/* The first, then the next row. */
int cardfeed_cursor_next(cardfeed_cursor_t *cursor, cardfeed_row_t *row);

/* The card of a row: one that is not there is CARDFEED_CORRUPT, too. */
int cardfeed_read_card(cardfeed_read_t *read, uint64_t id,
    cardfeed_record_t *rec);

/* The number of a name (type, category, provider or author; compared without
 * regard to ASCII case), or CARDFEED_NOTFOUND. */
int cardfeed_read_name(cardfeed_read_t *read, cardfeed_str_t name,
    uint32_t *number);

/* The first scheduled time, or CARDFEED_NO_TIME. */
int64_t cardfeed_read_next_due(cardfeed_read_t *read);

typedef struct {
    uint64_t files;    /* paths known, of any kind */
    uint64_t cards;    /* good cards */
    uint64_t visible;  /* in feeds now: count of topic 0 */
    uint64_t hidden;   /* unpublished, drafts, … */
    uint64_t undated;
    uint64_t waiting;  /* dated in the future */
    uint64_t rejected; /* files whose present content is rejected */
    uint64_t notcards; /* no front matter */
    uint64_t topics;
} cardfeed_stats_t;

int cardfeed_read_stats(cardfeed_read_t *read, cardfeed_stats_t *stats);

/* --- indexer ------------------------------------------------------------- */

/* CARDFEED_OK: this process is the indexer until it resigns or dies;
 * CARDFEED_BUSY: another one is. */
int cardfeed_index_elect(cardfeed_index_t *index, cardfeed_error_t *err);
void cardfeed_index_resign(cardfeed_index_t *index);

/*
 * Opens the published generation for writing after a look at everything that
 * could be wrong with it (format, parameters, file size, unclean boot,
 * unclean deaths) and clears stale readers.  CARDFEED_NOTFOUND: there is
 * none; CARDFEED_CORRUPT: not to be trusted or of other parameters, err says
 * why.  The store is referenced for the caller.
 */
int cardfeed_index_adopt(cardfeed_index_t *index, cardfeed_store_t **out,
    cardfeed_error_t *err);

/* A new, empty generation beside the published one.  It takes over the
 * topics (without cards) of the published one if that can be read and was
 * made from the same directory, so that no feed turns into a 404. */
int cardfeed_index_create(cardfeed_index_t *index, cardfeed_store_t **out,
    cardfeed_error_t *err);

/* Makes the files of a generation that is not published yet, and of which this
 * is the only store, as small as they can be; without the space for that they
 * stay as they are.  *store is another one then; on an error it is NULL or as
 * it was.  No transaction may be open.  CARDFEED_BUSY: *cancel was set. */
int cardfeed_index_compact(cardfeed_index_t *index, cardfeed_store_t **store,
    const atomic_bool *cancel, cardfeed_error_t *err);

/* Synced, then published; the one before is removed once nobody has it. */
int cardfeed_index_publish(cardfeed_index_t *index, cardfeed_store_t *store,
    cardfeed_error_t *err);

/* Whether store is (still) the published generation and trusted; false tells
 * the indexer to start again with adopt or create. */
bool cardfeed_index_is_current(cardfeed_index_t *index,
    const cardfeed_store_t *store);

/* A descriptor that becomes readable (inotify) when another process of this
 * index distrusts the published generation, or would be the indexer; call
 * _heard, then cardfeed_index_is_current().  -1 where there is none. */
int cardfeed_index_notify_fd(const cardfeed_index_t *index);

/* Tells the indexer that this process would be it. */
void cardfeed_index_ask(cardfeed_index_t *index);
/* Reads the descriptor empty; whether another process has asked. */
bool cardfeed_index_heard(cardfeed_index_t *index);

/* Removes generations nobody has open and that are not published. */
void cardfeed_index_sweep(cardfeed_index_t *index);

void cardfeed_store_release(cardfeed_store_t *store); /* NULL is fine */

/* Forces commits to the disk; cheap when there is nothing to do. */
int cardfeed_store_sync(cardfeed_store_t *store, cardfeed_error_t *err);

/* One write transaction at a time. now: the time visibility is judged by. */
int cardfeed_txn_begin(cardfeed_store_t *store, int64_t now,
    cardfeed_txn_t **out, cardfeed_error_t *err);
/* Both end and free it, whatever they return.  A commit without changes
 * writes nothing.  After the first commit since a sync the "unsynced" mark
 * is made (after, so that readers do not wait for the disk). */
int cardfeed_txn_commit(cardfeed_txn_t *txn, cardfeed_error_t *err);
void cardfeed_txn_abort(cardfeed_txn_t *txn);
/* Whether anything was changed since begin. */
bool cardfeed_txn_dirty(const cardfeed_txn_t *txn);
/* Rows of all tables put and deleted since begin: each may hold a page of
 * memory until the commit. */
size_t cardfeed_txn_writes(const cardfeed_txn_t *txn);

typedef struct {
    int64_t mtime_ns;
    int64_t ctime_ns;
    uint64_t size;
    uint64_t inode;
} cardfeed_signature_t;

typedef struct {
    cardfeed_signature_t signature;
    bool racy; /* taken less than two seconds after the file's last change */
    bool rejected;
    bool has_card;
} cardfeed_path_t;

int cardfeed_txn_lookup(cardfeed_txn_t *txn, cardfeed_str_t path,
    cardfeed_path_t *out);

/* What a file holds now. */
typedef enum {
    CARDFEED_FILE_CARD,    /* record */
    CARDFEED_FILE_NOTCARD, /* no front matter: a card it was is gone */
    CARDFEED_FILE_REJECTED /* line, reason; a card it was stays */
} cardfeed_file_kind_t;

typedef struct {
    cardfeed_file_kind_t kind;
    cardfeed_str_t record;  /* cardfeed_record_encode(), a whole one */
    unsigned identity_line; /* line to name when the identity is taken */
    unsigned line;
    cardfeed_str_t reason;
} cardfeed_file_t;

/*
 * Brings the index to what the file holds.  A record with the bytes that are
 * there already changes the signature only: no topic counts as changed.
 * Two files with one identity: the bytewise lowest path wins; the other is
 * rejected.  CARDFEED_INVALID, with err, says that this very path was
 * rejected for that reason (the put has been done).  A path that loses its
 * identity, or could win one that came free, turns up in
 * cardfeed_txn_retry().  A rejection with the line and reason that is stored
 * already, and the same signature, is no news: *news tells (may be NULL).
 */
int cardfeed_txn_put(cardfeed_txn_t *txn, cardfeed_str_t path,
    const cardfeed_signature_t *signature, bool racy,
    const cardfeed_file_t *file, bool *news, cardfeed_error_t *err);

/* Replaces the signature of a known path; NOTFOUND. */
int cardfeed_txn_touch(cardfeed_txn_t *txn, cardfeed_str_t path,
    const cardfeed_signature_t *signature, bool racy);

/* The file is gone: its card, its rejection, its path.  NOTFOUND. */
int cardfeed_txn_remove(cardfeed_txn_t *txn, cardfeed_str_t path);

/* All paths below "dir/" (not dir itself; empty: everything), in key order;
 * fn may not write.  A nonzero return of fn stops and is returned. */
int cardfeed_txn_paths(cardfeed_txn_t *txn, cardfeed_str_t dir,
    int (*fn)(void *data, cardfeed_str_t path, const cardfeed_path_t *p),
    void *data);

/* Next path to be parsed again whatever its signature says, because an
 * identity changed hands; NOTFOUND when there is none.  The string lives
 * until the transaction ends.  May name a path that is gone. */
int cardfeed_txn_retry(cardfeed_txn_t *txn, cardfeed_str_t *path);

/* Works off scheduled times at or before now, at most max cards;
 * *next: the first time left, CARDFEED_NO_TIME for none (it may be due still
 * when max was reached). */
int cardfeed_txn_due(cardfeed_txn_t *txn, int64_t now, size_t max,
    int64_t *next);

int cardfeed_txn_stats(cardfeed_txn_t *txn, cardfeed_stats_t *stats);

#endif /* CARDFEED_STORE_H */
