/* indexer: what its own files share.  Everything but the pool's threads runs
 * in the indexer thread; functions return CARDFEED_OK, CARDFEED_BUSY when the
 * indexer was asked to stop, or what the store said (reported by then). */

#ifndef CARDFEED_INDEXER_PRIVATE_H
#define CARDFEED_INDEXER_PRIVATE_H

#include <cardfeed/indexer.h>
#include <cardfeed/watch.h>

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#define CARDFEED_INDEXER_BATCH_FILES 2000
#define CARDFEED_INDEXER_BATCH_WRITES 32768 /* 128 MB, at the worst */
#define CARDFEED_INDEXER_BATCH_MS 200
#define CARDFEED_INDEXER_QUIET_MS 2   /* doubled with every batch of */
#define CARDFEED_INDEXER_STREAK 4     /* many in a row, so many times */
#define CARDFEED_INDEXER_INLINE 32   /* files parsed without the pool */
#define CARDFEED_INDEXER_SMALL ((uint64_t) 256 << 10) /* and of what size */
#define CARDFEED_INDEXER_JOBS 256    /* files in the pool at a time */
#define CARDFEED_INDEXER_PENDING 65536
#define CARDFEED_INDEXER_SYNC_MS 1000   /* without a commit, */
#define CARDFEED_INDEXER_SYNC_MAX 5000  /* or after the first at the latest */

/* --- sets ---------------------------------------------------------------- */

typedef struct {
    uint64_t *slots; /* 0: free */
    size_t size;
    size_t count;
} cardfeed_hashset_t;

/* OK when added, BUSY when it was there, NOMEM. */
int cardfeed_indexer_hashes_add(cardfeed_hashset_t *set, uint64_t hash);
bool cardfeed_indexer_hashes_has(const cardfeed_hashset_t *set, uint64_t hash);
void cardfeed_indexer_hashes_drop(cardfeed_hashset_t *set, uint64_t hash);
void cardfeed_indexer_hashes_free(cardfeed_hashset_t *set); /* now empty */

typedef struct {
    cardfeed_hashset_t hashes;
    cardfeed_arena_t arena;
    cardfeed_str_t *paths; /* in the order they were added */
    size_t count;
    size_t cap;
} cardfeed_pathset_t;

void cardfeed_indexer_paths_init(cardfeed_pathset_t *set);
int cardfeed_indexer_paths_add(cardfeed_pathset_t *set, cardfeed_str_t path);
bool cardfeed_indexer_paths_has(const cardfeed_pathset_t *set,
    cardfeed_str_t path);
void cardfeed_indexer_paths_free(cardfeed_pathset_t *set); /* now empty */

/* --- jobs: one file, parsed ---------------------------------------------- */

typedef struct cardfeed_job_s cardfeed_job_t;

struct cardfeed_job_s {
    cardfeed_job_t *next;
    bool active; /* in the pool; indexer thread only */
    bool again;  /* changed meanwhile: the result counts for nothing */
    cardfeed_buf_t path;
    uint64_t hash;
    uint64_t size; /* of the file, as far as is known */

    bool gone; /* the results, from here */
    bool parsed;
    bool racy;
    cardfeed_signature_t signature;
    cardfeed_file_kind_t kind;
    cardfeed_buf_t record;
    unsigned identity_line;
    cardfeed_error_t err; /* of a rejected file */
};

void cardfeed_indexer_job_init(cardfeed_job_t *job);
void cardfeed_indexer_job_free(cardfeed_job_t *job);
int cardfeed_indexer_job_set(cardfeed_job_t *job, cardfeed_str_t path);
void cardfeed_indexer_job_run(cardfeed_job_t *job,
    const cardfeed_watch_t *watch, cardfeed_parser_t *parser,
    cardfeed_buf_t *data);

/* --- pool ---------------------------------------------------------------- */

typedef struct cardfeed_pool_s cardfeed_pool_t;

int cardfeed_indexer_pool_open(cardfeed_pool_t **out,
    const cardfeed_collection_t *c, const cardfeed_watch_t *watch);
/* Drops what waits.  A thread that is busy for longer than the bound is left
 * to end, and to free the pool, by itself. */
void cardfeed_indexer_pool_close(cardfeed_pool_t *pool);
/* An idle job, or NULL while all are active. */
cardfeed_job_t *cardfeed_indexer_pool_idle(cardfeed_pool_t *pool);
cardfeed_job_t *cardfeed_indexer_pool_find(cardfeed_pool_t *pool,
    cardfeed_str_t path);
void cardfeed_indexer_pool_submit(cardfeed_pool_t *pool, cardfeed_job_t *job);
size_t cardfeed_indexer_pool_active(const cardfeed_pool_t *pool);
/* The next result, waiting for at most ms; NULL for none.  *late: that long
 * was waited, and what came is not worth it. */
cardfeed_job_t *cardfeed_indexer_pool_take(cardfeed_pool_t *pool, int ms,
    bool *late);
/* A job nobody has begun, of a file of at most size; NULL for none. */
cardfeed_job_t *cardfeed_indexer_pool_steal(cardfeed_pool_t *pool,
    uint64_t size);
/* The result has been used. */
void cardfeed_indexer_pool_done(cardfeed_pool_t *pool, cardfeed_job_t *job);

/* --- the indexer --------------------------------------------------------- */

typedef struct {
    char *path;
    size_t len;
    int64_t at;
    bool held; /* not to be read before nobody writes it */
} cardfeed_racy_t;

/* A file whose identity another one has: told at the commit, if that is not
 * settled by then. */
typedef struct cardfeed_conflict_s cardfeed_conflict_t;

struct cardfeed_conflict_s {
    cardfeed_conflict_t *next;
    cardfeed_error_t err;
    size_t len;
    char path[];
};

struct cardfeed_indexer_s {
    const cardfeed_collection_t *c;
    cardfeed_index_t *index;
    int report_fd;
    unsigned long dropped; /* reports nobody took */
    int64_t deaf_until;    /* who reads them is not waited for again */
    pthread_t thread;
    int stop_fd;
    int due_fd;
    atomic_bool stopping;
    pid_t parent; /* without which it is an orphan; 0: never */
    bool yield;   /* an orphan that another process would follow */

    cardfeed_store_t *store;
    cardfeed_watch_t *watch;
    cardfeed_parser_t *parser;
    cardfeed_pool_t *pool; /* NULL: not needed just now */
    cardfeed_buf_t data;
    cardfeed_job_t job; /* parsed in this thread */

    bool published; /* the store is; else it is a first scan's */
    bool fresh;     /* it was made anew, and that it is ready is not told */
    bool rebuild;   /* what is published is not to be adopted */
    bool reopen;    /* the watch has to be opened again */
    bool scan;      /* everything is to be walked */
    bool announce;  /* and its end to be told */
    bool waiting;   /* it was told that the directory is absent */
    bool degraded;  /* it was told that there is no inotify */

    cardfeed_txn_t *txn;
    size_t txn_files;
    int64_t txn_since;
    bool committing;
    cardfeed_pathset_t again;   /* to be parsed before the commit */
    cardfeed_hashset_t retried; /* has been, in this transaction */
    unsigned replayed;          /* times one of them was again */
    cardfeed_conflict_t *conflicts; /* newest first */

    unsigned depth;       /* 1: in a scan or batch; 2: in one within */
    unsigned late;        /* times in a row that the pool got nowhere */
    unsigned inline_left; /* files to be parsed here before the pool */
    unsigned streak;      /* batches of more than one event, in a row */
    uint64_t walked;
    uint64_t parsed;
    int64_t progress_at;

    cardfeed_pathset_t files; /* that events named */
    cardfeed_pathset_t dirs;
    cardfeed_hashset_t touched; /* of files: those with other attributes */
    cardfeed_hashset_t begun;   /* being written: not to be read now */
    cardfeed_hashset_t held;    /* those of them without a close to come */
    int64_t first_event; /* 0: none wait */
    int64_t last_event;

    cardfeed_racy_t *racy; /* a ring, oldest first */
    size_t racy_head;
    size_t racy_count;

    int64_t sync_at; /* monotonic milliseconds; 0: not set */
    int64_t unsynced_at; /* the first commit since; 0: none */
    int64_t poll_at;
    int64_t retry_at;
    unsigned backoff;
    unsigned full; /* times in a row there was no space */
    char trouble[sizeof(((cardfeed_error_t *) 0)->message)];
};

int64_t cardfeed_indexer_ms(void);   /* monotonic */
int64_t cardfeed_indexer_us(void);
int64_t cardfeed_indexer_time(void); /* seconds since 1970 */

static inline bool
cardfeed_indexer_stopping(const cardfeed_indexer_t *ix)
{
    return atomic_load_explicit(&ix->stopping, memory_order_relaxed);
}

/* step */
/* All that is due; the index and the watch are opened where they are not. */
int cardfeed_indexer_step(cardfeed_indexer_t *ix);
/* Milliseconds until the next; 0: now; -1: until something comes. */
int cardfeed_indexer_timeout(const cardfeed_indexer_t *ix);
/* Whether what is published is this thread's index, and sound. */
bool cardfeed_indexer_trusted(const cardfeed_indexer_t *ix);
/* It is not: the next step adopts or builds another one. */
int cardfeed_indexer_distrusted(cardfeed_indexer_t *ix);

/* elect */
/* Waits to be the indexer; false: it was asked to stop. */
bool cardfeed_indexer_elected(cardfeed_indexer_t *ix);
/* Whether the process that started this one is gone. */
bool cardfeed_indexer_orphaned(const cardfeed_indexer_t *ix);

/* report */
void cardfeed_indexer_report(cardfeed_indexer_t *ix,
    cardfeed_report_level_t level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void cardfeed_indexer_report_progress(cardfeed_indexer_t *ix);
/* One warning: path, line where there is one, reason. */
void cardfeed_indexer_report_file(cardfeed_indexer_t *ix,
    cardfeed_str_t path, const cardfeed_error_t *err);
int cardfeed_indexer_conflict(cardfeed_indexer_t *ix, cardfeed_str_t path,
    const cardfeed_error_t *err);
/* Tells of those that are rejected still, where tell; forgets all. */
void cardfeed_indexer_report_conflicts(cardfeed_indexer_t *ix, bool tell);
/* Trouble, told once until something works again; returns code. */
int cardfeed_indexer_trouble(cardfeed_indexer_t *ix, const char *what,
    int code, const cardfeed_error_t *err);

/* apply: files to transactions */
int cardfeed_indexer_begin(cardfeed_indexer_t *ix);
int cardfeed_indexer_commit(cardfeed_indexer_t *ix);
int cardfeed_indexer_commit_when_full(cardfeed_indexer_t *ix);
/* Gives the transaction up: everything has to be walked again. */
int cardfeed_indexer_fail(cardfeed_indexer_t *ix, int code,
    const cardfeed_error_t *err);
int cardfeed_indexer_no_memory(cardfeed_indexer_t *ix);
/* For the store's functions without a message of their own. */
int cardfeed_indexer_fail_plain(cardfeed_indexer_t *ix, int code,
    const char *what);
/* Has the next start look at a path whatever its signature says. */
int cardfeed_indexer_leave(cardfeed_indexer_t *ix, cardfeed_str_t path);
/* The file is gone, or all of the root is. */
int cardfeed_indexer_gone(cardfeed_indexer_t *ix, cardfeed_str_t path);
/* A job's results into the transaction. */
int cardfeed_indexer_apply(cardfeed_indexer_t *ix, cardfeed_job_t *job);

/* look: paths to jobs */
/* Brings the index to what stands at path; file: what a walk found there, or
 * NULL. forced: whatever its signature says. */
int cardfeed_indexer_look(cardfeed_indexer_t *ix, cardfeed_str_t path,
    bool forced, const cardfeed_watch_file_t *file);
/* Waits for the pool to finish what it has. */
int cardfeed_indexer_flush(cardfeed_indexer_t *ix);
void cardfeed_indexer_pool_end(cardfeed_indexer_t *ix);

/* scan */
/* dir "": everything, with a message at the end when one is due. */
int cardfeed_indexer_scan(cardfeed_indexer_t *ix, cardfeed_str_t dir);
int cardfeed_indexer_scan_all(cardfeed_indexer_t *ix);
/* How long to wait after a poll that took so many milliseconds. */
int64_t cardfeed_indexer_pause(const cardfeed_collection_t *c, int64_t took);

/* events */
int cardfeed_indexer_events(cardfeed_indexer_t *ix);
/* Something was mounted or unmounted. */
void cardfeed_indexer_mounts(cardfeed_indexer_t *ix);
/* When the batch that is collected is to be worked off; 0: nothing waits. */
int64_t cardfeed_indexer_batch_at(const cardfeed_indexer_t *ix);
int cardfeed_indexer_batch(cardfeed_indexer_t *ix);
void cardfeed_indexer_forget_events(cardfeed_indexer_t *ix);
/* In a long scan: what cannot wait for its end. */
int cardfeed_indexer_service(cardfeed_indexer_t *ix);
/* Arms the timer for cards that become due or expire. */
void cardfeed_indexer_due_arm(cardfeed_indexer_t *ix, int64_t next);
/* Whether that timer has gone off, or the clock was set. */
bool cardfeed_indexer_due_fired(cardfeed_indexer_t *ix);

/* racy: signatures too young to be trusted */
void cardfeed_indexer_racy_add(cardfeed_indexer_t *ix, cardfeed_str_t path);
/* The file may be being written, and no close tell of its end: what was there
 * stays until it is quiet. */
void cardfeed_indexer_hold(cardfeed_indexer_t *ix, cardfeed_str_t path);
int64_t cardfeed_indexer_racy_at(const cardfeed_indexer_t *ix);
int cardfeed_indexer_racy_check(cardfeed_indexer_t *ix);
void cardfeed_indexer_racy_free(cardfeed_indexer_t *ix);

#endif /* CARDFEED_INDEXER_PRIVATE_H */
