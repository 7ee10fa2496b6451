/*
 * store, inside: what its files share, and the formats on the disk.
 *
 * An env is one open LMDB environment of this process: at most one for each
 * generation, listed in the index under its lock.  References are taken
 * under the lock only and given back anywhere; an env without any is closed
 * by whoever holds the lock next, so that the event loop need not wait.
 */

#ifndef CARDFEED_STORE_PRIVATE_H
#define CARDFEED_STORE_PRIVATE_H

#include <cardfeed/store.h>
#include <cardfeed/text.h>

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <lmdb.h>

/* --- on the disk --------------------------------------------------------- */

/* The FORMAT of a generation's name. */
#define CARDFEED_STORE_NAME_FORMAT                                           \
    (CARDFEED_STORE_FORMAT * 1000U + CARDFEED_RECORD_VERSION)

/* Of data.mdb, while it is being made. */
#define CARDFEED_STORE_COPY "data.mdb.copy"

#define CARDFEED_STORE_CONTROL_SIZE 4096
#define CARDFEED_STORE_CONTROL_MAGIC UINT64_C(0x3174636466647263)
#define CARDFEED_STORE_SLOTS 8

/* Two unclean deaths within the first discard a generation; those within the
 * second of one another are one event, unless who died was born after the one
 * before was noticed. */
#define CARDFEED_STORE_DEATH_WINDOW_MS 60000
#define CARDFEED_STORE_DEATH_MERGE_MS 1000

typedef struct {
    _Atomic uint64_t magic;
    _Atomic uint64_t generation;    /* published; 0: none */
    _Atomic uint64_t last;          /* the highest number given out */
    _Atomic uint64_t distrusted;    /* a generation found damaged */
    _Atomic int64_t distrusted_ms;  /* CLOCK_REALTIME */
    _Atomic int64_t died_ms;        /* the last unclean death; 0: none */
    struct {
        _Atomic uint64_t number;
        _Atomic uint64_t format;
        _Atomic uint64_t checksum;
    } slot[CARDFEED_STORE_SLOTS];   /* by number, modulo */
} cardfeed_store_control_t;

static_assert(sizeof(cardfeed_store_control_t) == 240, "control: layout");
static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "control: shared atomics");

enum {
    CARDFEED_TABLE_META,
    CARDFEED_TABLE_CARDS,     /* id → card head, path, record */
    CARDFEED_TABLE_PATHS,     /* path key → path row, whole path if cut */
    CARDFEED_TABLE_TOPICS,    /* slug → topic row, name */
    CARDFEED_TABLE_SPELLINGS, /* topic, hash → spelling row, spelling */
    CARDFEED_TABLE_BY_TOPIC,  /* topic, newest first, id → index row */
    CARDFEED_TABLE_SCHEDULED, /* due time, id → nothing */
    CARDFEED_TABLE_REJECTED,  /* path key → reject row, reason */
    CARDFEED_TABLE_NAMES,     /* folded name → number */
    CARDFEED_TABLE_DUPES,     /* id, path key of a loser → path */
    CARDFEED_TABLE_RETRY,     /* path key → path */
    CARDFEED_TABLES
};

extern const char *const cardfeed_store_table_names[CARDFEED_TABLES];

/* Why a card is in feeds or not, at the time it was looked at last. */
typedef enum {
    CARDFEED_STATE_VISIBLE,
    CARDFEED_STATE_HIDDEN,
    CARDFEED_STATE_UNDATED,
    CARDFEED_STATE_WAITING,
    CARDFEED_STATE_EXPIRED,
    CARDFEED_STATE_OTHER,
    CARDFEED_STATES
} cardfeed_store_state_t;

typedef struct { /* meta, "about"; then the directory */
    uint64_t checksum;
    uint32_t format;
    uint32_t dir_len;
} cardfeed_store_about_t;

typedef struct { /* meta, "counters" */
    uint64_t change; /* the highest change number given */
    uint64_t states[CARDFEED_STATES];
    uint64_t notcards;
    uint32_t topics; /* the highest numbers given */
    uint32_t names;
    int64_t judged;  /* no card was placed for a time after this */
} cardfeed_store_counters_t;

typedef struct {
    int64_t due; /* its time in scheduled, or CARDFEED_NO_TIME */
    uint32_t state;
    uint32_t path_len;
    uint64_t check; /* of head and path; the record has its own */
} cardfeed_store_card_head_t;

enum {
    CARDFEED_PATH_RACY = 1,
    CARDFEED_PATH_REJECTED = 2,
    CARDFEED_PATH_CARD = 4,   /* id is a card of this path */
    CARDFEED_PATH_NOTCARD = 8,
    CARDFEED_PATH_LOSER = 16, /* rival is the identity it wants */
    CARDFEED_PATH_FLAGS = 31
};

typedef struct {
    int64_t mtime_ns;
    int64_t ctime_ns;
    uint64_t size;
    uint64_t inode;
    uint64_t id;
    uint64_t rival;
    uint32_t flags;
    uint32_t path_len; /* 0: the key is the path */
    uint64_t check;    /* of row and path */
} cardfeed_store_path_row_t;

typedef struct {
    uint64_t change;
    int64_t changed_at;
    uint32_t id;
    uint32_t count;
    uint32_t name_count; /* cards that spell it so */
    uint32_t name_len;
    uint64_t check;      /* of slug, row and name */
} cardfeed_store_topic_row_t;

typedef struct {
    uint32_t count;
    uint32_t len;
} cardfeed_store_spelling_row_t;

/* An index row is six numbers, each in as many bytes as it needs, seven bits
 * in each, the lowest first, the high bit set on all but the last: the names
 * type, category, provider and author, then quality and heat with the sign in
 * the lowest bit.  Four bytes behind them are a check of key and numbers. */
#define CARDFEED_STORE_ROW_NUMBERS 6
#define CARDFEED_STORE_ROW_CHECK 4
#define CARDFEED_STORE_ROW_MAX                                               \
    (CARDFEED_STORE_ROW_NUMBERS * 5 + CARDFEED_STORE_ROW_CHECK)

enum {
    CARDFEED_REJECT_REASON,  /* the text follows */
    CARDFEED_REJECT_TAKEN,   /* the identity is another path's */
    CARDFEED_REJECT_COLLIDES /* only its hash is */
};

typedef struct {
    uint64_t id; /* the identity it wants */
    uint32_t line;
    uint32_t kind;
} cardfeed_store_reject_row_t;

static_assert(sizeof(cardfeed_store_about_t) == 16, "about");
static_assert(sizeof(cardfeed_store_counters_t) == 80, "counters");
static_assert(sizeof(cardfeed_store_card_head_t) == 24, "card head");
static_assert(sizeof(cardfeed_store_path_row_t) == 64, "path row");
static_assert(sizeof(cardfeed_store_topic_row_t) == 40, "topic row");
static_assert(sizeof(cardfeed_store_spelling_row_t) == 8, "spelling row");
static_assert(sizeof(cardfeed_store_reject_row_t) == 16, "reject row");

#define CARDFEED_STORE_ORDER_KEY 20 /* topic, inverted time, id */
#define CARDFEED_STORE_DUE_KEY 16   /* time, id */
#define CARDFEED_STORE_KEY_MAX 480  /* raw; a longer text is cut and hashed */
#define CARDFEED_STORE_KEY_CUT 464
#define CARDFEED_STORE_KEY_SIZE 512

typedef struct {
    unsigned char data[CARDFEED_STORE_KEY_SIZE];
    size_t len;
} cardfeed_store_key_t;

/* --- in memory ----------------------------------------------------------- */

typedef struct cardfeed_store_env_s cardfeed_store_env_t;

typedef struct {
    int dir; /* the generation's directory */
    int fd;  /* flocked; -1: none */
    char name[64];
} cardfeed_store_lease_t;

struct cardfeed_store_env_s {
    cardfeed_index_t *index;
    cardfeed_store_env_t *next;
    uint64_t number;
    MDB_env *mdb;
    MDB_dbi dbi[CARDFEED_TABLES];
    atomic_int refs;
    atomic_bool resized; /* the map is smaller than the file */
    bool unsynced;       /* the mark is there; indexer thread only */
    cardfeed_store_lease_t lease;
    char *path;
};

struct cardfeed_index_s {
    const cardfeed_collection_t *c;
    uint64_t checksum;
    bool writer;
    char *path;
    char boot[64];
    int dir;
    int notify;
    cardfeed_store_control_t *control;

    pthread_mutex_t lock; /* envs */
    cardfeed_store_env_t *envs;

    /* event loop */
    cardfeed_store_t *current;
    uint64_t failed; /* the generation that could not be opened */
    int64_t failed_ms;
    int64_t short_ms; /* since when the file is; 0: it is not */
    cardfeed_error_t failure;

    /* indexer */
    int election;
};

struct cardfeed_read_s {
    cardfeed_store_t *store;
    MDB_txn *mdb;
    bool active;
};

struct cardfeed_store_s {
    cardfeed_index_t *index;
    cardfeed_store_env_t *env;
    struct cardfeed_read_s read;
    bool writing;
};

typedef struct cardfeed_store_topics_s cardfeed_store_topics_t;

struct cardfeed_txn_s {
    cardfeed_store_t *store;
    cardfeed_store_env_t *env;
    MDB_txn *mdb;
    int64_t now;
    bool dirty;
    size_t writes; /* rows put and deleted */
    bool bumped; /* counters.change is this transaction's */
    cardfeed_error_t failed; /* code CARDFEED_OK while all is well */
    cardfeed_store_counters_t counters;
    cardfeed_buf_t card;    /* a copy of a card's value */
    cardfeed_buf_t scratch; /* a value being put together */
    cardfeed_arena_t arena; /* strings that live as long as this */
    cardfeed_store_topics_t *topics;
};

/* A card as stored; path and record are borrowed from txn->card. */
typedef struct {
    uint64_t id;
    cardfeed_store_card_head_t head;
    cardfeed_str_t path;
    cardfeed_str_t bytes;
    cardfeed_record_t record;
} cardfeed_store_card_t;

/* --- cardfeed_store_format.c --------------------------------------------- */

/* An errno or LMDB code → one of ours, with "what: words" in err. */
int cardfeed_store_error(cardfeed_error_t *err, int rc, const char *what);
int64_t cardfeed_store_clock_ms(clockid_t clock);

void cardfeed_store_be32(unsigned char *out, uint32_t v);
void cardfeed_store_be64(unsigned char *out, uint64_t v);
uint32_t cardfeed_store_get_be32(const unsigned char *p);
uint64_t cardfeed_store_get_be64(const unsigned char *p);
/* A text as a key: raw, or cut and hashed; fold: ASCII lower case. */
void cardfeed_store_text_key(cardfeed_store_key_t *key, cardfeed_str_t s,
    bool fold);
void cardfeed_store_order_key(unsigned char *key, uint32_t topic,
    int64_t published, uint64_t id);
int64_t cardfeed_store_order_time(const unsigned char *key);
/* Takes type to heat of the row; the length. */
size_t cardfeed_store_row_pack(unsigned char out[CARDFEED_STORE_ROW_MAX],
    const unsigned char *key, const cardfeed_row_t *row);
/* Sets type to heat of the row; false: damage. */
bool cardfeed_store_row_open(cardfeed_row_t *row, const unsigned char *key,
    const MDB_val *value);
void cardfeed_store_due_key(unsigned char *key, int64_t due, uint64_t id);
int64_t cardfeed_store_due_of(const unsigned char *key);
MDB_val cardfeed_store_val(const void *data, size_t size);
/* The fixed part of a value and what follows it; false: it is too short. */
bool cardfeed_store_fixed(void *out, size_t size, const MDB_val *value,
    cardfeed_str_t *rest);
/* Of the fixed part of a value, up to its check, and of what belongs to it. */
uint64_t cardfeed_store_check(const void *fixed, size_t size,
    cardfeed_str_t a, cardfeed_str_t b);
/* CARDFEED_CORRUPT; the record that follows is not looked at. */
int cardfeed_store_head_open(cardfeed_store_card_head_t *head,
    cardfeed_str_t *path, cardfeed_str_t *bytes, const MDB_val *value);
void cardfeed_store_head_seal(cardfeed_store_card_head_t *head,
    cardfeed_str_t path);
/* Bounds checked; CARDFEED_CORRUPT. */
int cardfeed_store_card_open(cardfeed_store_card_t *card, uint64_t id,
    const MDB_val *value);
int cardfeed_store_topic_open(cardfeed_store_topic_row_t *row,
    cardfeed_str_t *name, cardfeed_str_t slug, const MDB_val *value);
void cardfeed_store_topic_seal(cardfeed_store_topic_row_t *row,
    cardfeed_str_t name, cardfeed_str_t slug);

/* --- cardfeed_store.c ---------------------------------------------------- */

enum { CARDFEED_STORE_CREATE = 1, CARDFEED_STORE_NOWAIT = 2 };
int cardfeed_store_env_get(cardfeed_index_t *index, uint64_t number,
    unsigned flags, cardfeed_store_env_t **out, cardfeed_error_t *err);
void cardfeed_store_env_put(cardfeed_store_env_t *env, bool wait);
void cardfeed_store_env_close_all(cardfeed_index_t *index);
/* Whether data.mdb holds every page the index knows of. */
int cardfeed_store_env_check_size(cardfeed_store_env_t *env,
    cardfeed_error_t *err);

cardfeed_store_t *cardfeed_store_create(cardfeed_store_env_t *env);
void cardfeed_store_drop(cardfeed_store_t *store, bool wait);

/* --- cardfeed_store_control.c: control, names, marks --------------------- */

int cardfeed_store_control_open(cardfeed_index_t *index,
    cardfeed_error_t *err);
void cardfeed_store_control_close(cardfeed_index_t *index);
/* The format and checksum the published generation was named with;
 * CARDFEED_NOTFOUND when it is no longer published. */
int cardfeed_store_control_slot(cardfeed_index_t *index, uint64_t number,
    uint64_t *format, uint64_t *checksum);
void cardfeed_store_control_publish(cardfeed_index_t *index,
    uint64_t number);
/* Tells the indexer, wherever it is, that the published generation is damaged;
 * a word about any other one is none.  gently: at most once a minute, as what
 * looks like damage may be something else. */
void cardfeed_store_distrust(cardfeed_index_t *index, uint64_t number,
    bool gently);
/* An unclean death in a generation; true: it was one too many, and the
 * generation is published no more. */
bool cardfeed_store_death(cardfeed_index_t *index, uint64_t number,
    int64_t now_ms, int64_t born_ms);

#define CARDFEED_STORE_NAME_SIZE 64
void cardfeed_store_name(char *out, uint64_t format, uint64_t checksum,
    uint64_t number);
bool cardfeed_store_name_parse(const char *name, uint64_t *number);

void cardfeed_store_boot_id(char *out, size_t size);
int cardfeed_store_mark_set(cardfeed_store_env_t *env,
    cardfeed_error_t *err);
int cardfeed_store_mark_clear(cardfeed_store_env_t *env,
    cardfeed_error_t *err);
/* CARDFEED_NOTFOUND: no mark; CARDFEED_OK: of this boot; CARDFEED_CORRUPT. */
int cardfeed_store_mark_check(const cardfeed_store_env_t *env,
    cardfeed_error_t *err);

/* --- cardfeed_store_lease.c ---------------------------------------------- */

int cardfeed_store_lease_take(cardfeed_store_lease_t *lease,
    const char *path, const char *boot, cardfeed_error_t *err);
void cardfeed_store_lease_drop(cardfeed_store_lease_t *lease);
/* Clears what dead processes left behind; the number of those that died
 * without a word since the machine was started. */
unsigned cardfeed_store_lease_scan(const cardfeed_store_lease_t *lease,
    const char *boot, int64_t *born_ms);
/* From now on: CLOCK_REALTIME, the last of which a scan gives. */
void cardfeed_store_lease_born(const cardfeed_store_lease_t *lease);
/* Removes the generation unless somebody has it open. */
void cardfeed_store_lease_sweep(int index_dir, const char *name);

/* --- cardfeed_store_txn.c ------------------------------------------------ */

/* The first contents of a new generation; before: whose topics to take over,
 * or NULL. */
int cardfeed_store_initialise(cardfeed_store_env_t *env,
    cardfeed_store_env_t *before, cardfeed_error_t *err);
/* Remembers the first failure; everything after it fails the same way. */
int cardfeed_store_txn_fail(cardfeed_txn_t *txn, int rc, const char *what);
int cardfeed_store_txn_corrupt(cardfeed_txn_t *txn, const char *what);
/* CARDFEED_OK, CARDFEED_NOTFOUND (get and del), or a failure. */
int cardfeed_store_get(cardfeed_txn_t *txn, int table, MDB_val key,
    MDB_val *value);
int cardfeed_store_put(cardfeed_txn_t *txn, int table, MDB_val key,
    MDB_val value);
int cardfeed_store_del(cardfeed_txn_t *txn, int table, MDB_val key);
uint64_t cardfeed_store_entries(cardfeed_txn_t *txn, int table);

/* --- cardfeed_store_cards.c ---------------------------------------------- */

/* Reads a card into txn->card. */
int cardfeed_store_card_load(cardfeed_txn_t *txn, uint64_t id,
    cardfeed_store_card_t *card);
/* Out of its topics, its schedule and the counters; the card itself stays. */
int cardfeed_store_card_detach(cardfeed_txn_t *txn,
    const cardfeed_store_card_t *card);
int cardfeed_store_card_delete(cardfeed_txn_t *txn, uint64_t id);
/* Stores a card and puts it where it belongs now. */
int cardfeed_store_card_attach(cardfeed_txn_t *txn, cardfeed_str_t path,
    cardfeed_str_t bytes, const cardfeed_record_t *rec);

/* --- cardfeed_store_paths.c ---------------------------------------------- */

/* A path under work: row changes, stored is what it was. */
typedef struct {
    cardfeed_str_t path;
    cardfeed_store_key_t key;
    bool known;
    cardfeed_store_path_row_t row;
    cardfeed_store_path_row_t stored;
} cardfeed_store_entry_t;

MDB_val cardfeed_store_key_val(const cardfeed_store_key_t *key);
int cardfeed_store_path_open(cardfeed_store_path_row_t *row,
    cardfeed_str_t *path, const MDB_val *key, const MDB_val *value);
/* CARDFEED_NOTFOUND: entry is ready to be put.  CARDFEED_INVALID: a path that
 * cannot be kept; nothing has failed. */
int cardfeed_store_entry_get(cardfeed_txn_t *txn,
    cardfeed_store_entry_t *entry, cardfeed_str_t path);
int cardfeed_store_entry_put(cardfeed_txn_t *txn,
    cardfeed_store_entry_t *entry);
void cardfeed_store_entry_sign(cardfeed_store_entry_t *entry,
    const cardfeed_signature_t *signature, bool racy);

/* --- cardfeed_store_losers.c --------------------------------------------- */

/* The path becomes a loser of an identity, or no longer is one. */
int cardfeed_store_lose(cardfeed_txn_t *txn, cardfeed_store_entry_t *entry,
    uint64_t id);
int cardfeed_store_lose_no_more(cardfeed_txn_t *txn,
    cardfeed_store_entry_t *entry);
/* If nobody has the identity, or a path above its lowest loser, that one gets
 * another chance. */
int cardfeed_store_settle(cardfeed_txn_t *txn, uint64_t id);
/* The path is to be parsed again. */
int cardfeed_store_queue(cardfeed_txn_t *txn, cardfeed_str_t path);

/* --- cardfeed_store_topics.c --------------------------------------------- */

cardfeed_store_topics_t *cardfeed_store_topics_create(void);
void cardfeed_store_topics_destroy(cardfeed_store_topics_t *topics);
/* One card more (+1) or less (-1) in a topic; name: how the card spells it.
 * Gives the topic's number. */
int cardfeed_store_topics_count(cardfeed_txn_t *txn, cardfeed_str_t slug,
    cardfeed_str_t name, int delta, uint32_t *id);
/* Between two cards: writes what was gathered if it has become much. */
int cardfeed_store_topics_relieve(cardfeed_txn_t *txn);
int cardfeed_store_topics_flush(cardfeed_txn_t *txn);
/* Topics that are not written yet. */
uint64_t cardfeed_store_topics_pending(const cardfeed_txn_t *txn);

#endif /* CARDFEED_STORE_PRIVATE_H */
