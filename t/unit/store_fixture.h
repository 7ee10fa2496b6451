/* What the tests of the store share: a directory, a collection, cards. */

#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cardfeed_store_private.h"

#define NOW INT64_C(1700000000)

typedef struct {
    char dir[200];
    char path[220];
    cardfeed_collection_t c;
    cardfeed_index_t *index;
    cardfeed_store_t *store;
} fixture_t;

typedef struct {
    const char *identity; /* NULL: made of the path */
    const char *title;    /* NULL: the path */
    const char *topics;   /* names, separated by '|'; NULL: none */
    const char *type;
    const char *author;
    int64_t published;    /* 0: NOW - 1000 */
    int64_t expires;      /* 0: never */
    int32_t quality;
    bool hidden;
} spec_t;


static inline int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void) st;
    (void) flag;
    (void) ftw;

    return remove(path);
}


static inline void
remove_tree(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}


static inline void
fixture_init(fixture_t *f)
{
    const char *tmp = getenv("TMPDIR");

    memset(f, 0, sizeof(*f));
    snprintf(f->dir, sizeof(f->dir), "%.150s/cardfeed-store.XXXXXX",
        tmp != NULL ? tmp : "/tmp");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->path, sizeof(f->path), "%s/index", f->dir);

    cardfeed_text_init();
    cardfeed_collection_defaults(&f->c);
    f->c.name = CARDFEED_STR("test");
    f->c.dir = "/srv/site";
    f->c.map_size = (size_t) 256 << 20;
}


static inline void
fixture_open(fixture_t *f)
{
    cardfeed_error_t err = {0};

    if (cardfeed_index_open(&f->index, f->path, &f->c, true, &err) != 0) {
        fail_msg("%s", err.message);
    }
}


/* An index with one empty generation, published. */
static inline void
fixture_start(fixture_t *f)
{
    cardfeed_error_t err = {0};

    fixture_open(f);
    assert_int_equal(cardfeed_index_elect(f->index, &err), CARDFEED_OK);
    assert_int_equal(cardfeed_index_create(f->index, &f->store, &err),
        CARDFEED_OK);
    assert_int_equal(cardfeed_index_publish(f->index, f->store, &err),
        CARDFEED_OK);
}


static inline void
fixture_stop(fixture_t *f)
{
    cardfeed_store_release(f->store);
    f->store = NULL;
    cardfeed_index_close(f->index);
    f->index = NULL;
}


static inline void
fixture_done(fixture_t *f)
{
    fixture_stop(f);
    remove_tree(f->dir);
}


static inline int
setup_fixture(void **state)
{
    fixture_t *f = malloc(sizeof(*f));

    fixture_init(f);
    *state = f;

    return 0;
}


static inline int
setup_store(void **state)
{
    setup_fixture(state);
    fixture_start(*state);

    return 0;
}


static inline int
teardown(void **state)
{
    fixture_done(*state);
    free(*state);

    return 0;
}


/* The record of a card; to be freed. */
static inline cardfeed_str_t
make_record(const char *path, const spec_t *spec)
{
    size_t n = 0, cap;
    char *copy, *save = NULL, *name;
    cardfeed_buf_t buf, slugs;
    cardfeed_card_t card;
    cardfeed_card_topic_t *topics;
    cardfeed_card_author_t author;
    char identity[5000];
    size_t start;

    memset(&card, 0, sizeof(card));
    snprintf(identity, sizeof(identity), "urn:test:%s",
        spec->identity != NULL ? spec->identity : path);

    for (n = 0; n < CARDFEED_FIELDS; n++) {
        card.field[n] = CARDFEED_NO_STR;
    }
    card.field[CARDFEED_FIELD_IDENTITY] = cardfeed_str_of(identity);
    card.field[CARDFEED_FIELD_TITLE] =
        cardfeed_str_of(spec->title != NULL ? spec->title : path);
    card.field[CARDFEED_FIELD_TYPE] = cardfeed_str_of(spec->type);
    card.id = cardfeed_text_hash(card.field[CARDFEED_FIELD_IDENTITY]);
    card.published = spec->published != 0 ? spec->published : NOW - 1000;
    card.updated = card.published;
    card.expires = spec->expires != 0 ? spec->expires : CARDFEED_NO_TIME;
    card.quality = spec->quality;
    card.hidden = spec->hidden;

    author = (cardfeed_card_author_t){.name = cardfeed_str_of(spec->author),
        .url = CARDFEED_NO_STR, .email = CARDFEED_NO_STR};
    card.authors = &author;
    card.nauthors = spec->author != NULL;

    copy = strdup(spec->topics != NULL ? spec->topics : "");
    cap = strlen(copy) + 1;
    topics = calloc(cap, sizeof(*topics));
    cardfeed_buf_init(&slugs, (size_t) 64 << 20);

    /* twice: the buffer may move while it grows */
    for (n = 0, name = strtok_r(copy, "|", &save); name != NULL;
         name = strtok_r(NULL, "|", &save))
    {
        start = slugs.len;
        assert_int_equal(cardfeed_text_slug(&slugs, cardfeed_str_of(name)),
            CARDFEED_OK);
        topics[n].name = cardfeed_str_of(name);
        topics[n++].slug.len = slugs.len - start;
    }
    for (card.ntopics = 0, start = 0; card.ntopics < n; card.ntopics++) {
        topics[card.ntopics].slug.data = slugs.data + start;
        start += topics[card.ntopics].slug.len;
    }
    card.topics = topics;

    cardfeed_buf_init(&buf, (size_t) 64 << 20);
    assert_int_equal(cardfeed_record_encode(&buf, &card), CARDFEED_OK);

    free(topics);
    free(copy);
    cardfeed_buf_free(&slugs);

    return cardfeed_buf_view(&buf);
}


static inline uint64_t
id_of(const char *identity)
{
    char text[5000];

    snprintf(text, sizeof(text), "urn:test:%s", identity);

    return cardfeed_text_hash(cardfeed_str_of(text));
}


static inline cardfeed_txn_t *
begin_at(fixture_t *f, int64_t now)
{
    cardfeed_txn_t *txn;
    cardfeed_error_t err = {0};

    if (cardfeed_txn_begin(f->store, now, &txn, &err) != CARDFEED_OK) {
        fail_msg("%s", err.message);
    }

    return txn;
}


static inline void
commit(cardfeed_txn_t *txn)
{
    cardfeed_error_t err = {0};

    if (cardfeed_txn_commit(txn, &err) != CARDFEED_OK) {
        fail_msg("%s", err.message);
    }
}


static inline cardfeed_signature_t
signature(int n)
{
    return (cardfeed_signature_t){.mtime_ns = n, .ctime_ns = n, .size = 1,
        .inode = 7};
}


static inline int
put_signed(cardfeed_txn_t *txn, const char *path, const spec_t *spec, int sig,
    bool *news, cardfeed_error_t *err)
{
    int rc;
    cardfeed_str_t record = make_record(path, spec);
    cardfeed_signature_t s = signature(sig);
    cardfeed_file_t file = {.kind = CARDFEED_FILE_CARD, .record = record,
        .identity_line = 3};

    rc = cardfeed_txn_put(txn, cardfeed_str_of(path), &s, false, &file, news,
        err);
    free((char *) (uintptr_t) record.data);

    return rc;
}


static inline int
put(cardfeed_txn_t *txn, const char *path, const spec_t *spec)
{
    return put_signed(txn, path, spec, 1, NULL, NULL);
}


static inline int
put_kind(cardfeed_txn_t *txn, const char *path, cardfeed_file_kind_t kind,
    unsigned line, const char *reason, int sig, bool *news)
{
    cardfeed_signature_t s = signature(sig);
    cardfeed_file_t file = {.kind = kind, .line = line,
        .reason = cardfeed_str_of(reason)};

    return cardfeed_txn_put(txn, cardfeed_str_of(path), &s, false, &file,
        news, NULL);
}


static inline cardfeed_read_t *
begin_read(cardfeed_store_t *store)
{
    cardfeed_read_t *read;
    cardfeed_error_t err = {0};

    if (cardfeed_read_begin(store, &read, &err) != CARDFEED_OK) {
        fail_msg("%s", err.message);
    }

    return read;
}


/* A topic as it is now; its strings only inside a read, so not kept. */
typedef struct {
    int rc;
    uint32_t id;
    uint32_t count;
    uint64_t change;
    int64_t changed_at;
    char name[300];
} topic_t;

static inline topic_t
topic_now(cardfeed_store_t *store, const char *slug)
{
    topic_t out = {0};
    cardfeed_topic_t t;
    cardfeed_read_t *read = begin_read(store);

    out.rc = cardfeed_read_topic(read, cardfeed_str_of(slug), &t);
    if (out.rc == CARDFEED_OK) {
        out.id = t.id;
        out.count = t.count;
        out.change = t.change;
        out.changed_at = t.changed_at;
        snprintf(out.name, sizeof(out.name), "%.*s", (int) t.name.len,
            t.name.data);
    }
    cardfeed_read_end(read);

    return out;
}


/* Titles of a topic's cards in order, each followed by ';'. */
static inline char *
titles(cardfeed_store_t *store, const char *slug)
{
    size_t n = 0;
    uint32_t rows = 0;
    cardfeed_topic_t t;
    cardfeed_row_t row;
    cardfeed_cursor_t *cursor;
    cardfeed_record_t rec;
    cardfeed_str_t title;
    cardfeed_read_t *read = begin_read(store);
    char *out = calloc(1, (size_t) 1 << 20);

    if (cardfeed_read_topic(read, cardfeed_str_of(slug), &t) == CARDFEED_OK) {
        assert_int_equal(cardfeed_cursor_open(read, t.id, &cursor), 0);
        while (cardfeed_cursor_next(cursor, &row) == CARDFEED_OK) {
            assert_int_equal(cardfeed_read_card(read, row.id, &rec), 0);
            assert_int_equal(rec.published, row.published);
            title = cardfeed_record_field(&rec, CARDFEED_FIELD_TITLE);
            n += (size_t) snprintf(out + n, ((size_t) 1 << 20) - n, "%.*s;",
                (int) title.len, title.data);
            rows++;
        }
        cardfeed_cursor_close(cursor);
        assert_int_equal(rows, t.count);
    }
    cardfeed_read_end(read);

    return out;
}


static inline void
assert_titles(cardfeed_store_t *store, const char *slug, const char *want)
{
    char *got = titles(store, slug);

    assert_string_equal(got, want);
    free(got);
}


static inline cardfeed_stats_t
stats_now(cardfeed_store_t *store)
{
    cardfeed_stats_t stats = {0};
    cardfeed_read_t *read = begin_read(store);

    assert_int_equal(cardfeed_read_stats(read, &stats), CARDFEED_OK);
    cardfeed_read_end(read);

    return stats;
}


/* What an indexer does with the paths in the queue: put what is there. */
typedef int (*reparse_fn)(void *data, cardfeed_txn_t *txn, const char *path);

static inline int
drain(cardfeed_txn_t *txn, reparse_fn fn, void *data)
{
    int n = 0;
    char path[5000];
    cardfeed_str_t next;

    while (cardfeed_txn_retry(txn, &next) == CARDFEED_OK) {
        snprintf(path, sizeof(path), "%.*s", (int) next.len, next.data);
        fn(data, txn, path);
        assert_true(++n < 10000);
    }

    return n;
}

#endif /* STORE_FIXTURE_H */
