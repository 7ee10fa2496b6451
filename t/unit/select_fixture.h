/* What tests of select share: an index of cards, and what was selected. */

#ifndef SELECT_FIXTURE_H
#define SELECT_FIXTURE_H

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <cardfeed/select.h>

#define NOW INT64_C(1600000000)

typedef struct {
    char dir[256];
    cardfeed_collection_t collection;
    cardfeed_index_t *index;
    cardfeed_read_t *read;
    cardfeed_arena_t arena;
    cardfeed_query_t query;
    cardfeed_selection_t got;
} fixture_t;

typedef struct {
    unsigned n; /* names the path and the identity */
    int64_t published;
    int64_t updated;
    int64_t expires;
    const char *topic; /* NULL: none */
    unsigned mask;     /* more of them: t0, t1, … */
    const char *type;
    const char *category;
    const char *provider;
    const char *author;
    int32_t quality;
    int32_t heat;
    bool hidden;
} spec_t;

#define MASK_TOPICS 8

static fixture_t fixture; /* of the one test that runs */


static inline int
unlink_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void) st;
    (void) flag;
    (void) ftw;

    return remove(path);
}


static inline int
setup(void **state)
{
    const char *tmp = getenv("TMPDIR");
    fixture_t *f = &fixture;
    char path[sizeof(f->dir) + 8];
    cardfeed_error_t err;

    cardfeed_text_init();
    *f = (fixture_t){0};

    snprintf(f->dir, sizeof(f->dir), "%s/cardfeed-select-XXXXXX",
        tmp != NULL ? tmp : "/tmp");
    assert_non_null(mkdtemp(f->dir));
    assert_true(snprintf(path, sizeof(path), "%s/index", f->dir)
        < (int) sizeof(path));

    cardfeed_collection_defaults(&f->collection);
    f->collection.name = CARDFEED_STR("test");
    f->collection.dir = f->dir;
    f->collection.map_size = 64 << 20;

    assert_int_equal(cardfeed_index_open(&f->index, path, &f->collection,
                         true, &err),
        CARDFEED_OK);
    assert_int_equal(cardfeed_index_elect(f->index, &err), CARDFEED_OK);

    cardfeed_arena_init(&f->arena, 64 << 20);
    cardfeed_query_init(&f->query, &f->arena);
    *state = f;

    return 0;
}


static inline int
teardown(void **state)
{
    fixture_t *f = *state;

    if (f->read != NULL) {
        cardfeed_read_end(f->read);
    }

    cardfeed_index_resign(f->index);
    cardfeed_index_close(f->index);
    cardfeed_arena_free(&f->arena);

    return nftw(f->dir, unlink_one, 16, FTW_DEPTH | FTW_PHYS);
}


static inline uint64_t
identity(char *text, size_t size, unsigned n)
{
    snprintf(text, size, "urn:x:%u", n);

    return cardfeed_text_hash(cardfeed_str_of(text));
}


static inline void
fill(cardfeed_card_t *card, const spec_t *spec, const char *id)
{
    size_t i;

    *card = (cardfeed_card_t){
        .id = cardfeed_text_hash(cardfeed_str_of(id)),
        .published = spec->published,
        .updated = spec->updated ? spec->updated : spec->published,
        .expires = spec->expires ? spec->expires : CARDFEED_NO_TIME,
        .quality = spec->quality,
        .heat = spec->heat,
        .hidden = spec->hidden,
    };

    for (i = 0; i < CARDFEED_FIELDS; i++) {
        card->field[i] = CARDFEED_NO_STR;
    }

    card->field[CARDFEED_FIELD_IDENTITY] = cardfeed_str_of(id);
    card->field[CARDFEED_FIELD_TITLE] = cardfeed_str_of(id);
    card->field[CARDFEED_FIELD_TYPE] = cardfeed_str_of(spec->type);
    card->field[CARDFEED_FIELD_CATEGORY] = cardfeed_str_of(spec->category);
    card->field[CARDFEED_FIELD_PROVIDER] = cardfeed_str_of(spec->provider);
}


static inline void
put(cardfeed_txn_t *txn, const spec_t *spec)
{
    unsigned i;
    char path[32], id[32];
    cardfeed_buf_t record;
    cardfeed_card_topic_t topics[MASK_TOPICS + 1];
    cardfeed_card_author_t author = {.name = cardfeed_str_of(spec->author),
        .url = CARDFEED_NO_STR, .email = CARDFEED_NO_STR};
    cardfeed_card_t card;
    cardfeed_file_t file = {.kind = CARDFEED_FILE_CARD,
        .identity_line = 1};
    cardfeed_signature_t signature = {.size = spec->n};

    static const char *const names[MASK_TOPICS] = {"t0", "t1", "t2", "t3",
        "t4", "t5", "t6", "t7"};

    identity(id, sizeof(id), spec->n);
    fill(&card, spec, id);

    card.authors = &author;
    card.nauthors = spec->author != NULL;
    card.topics = topics;

    if (spec->topic != NULL) {
        topics[card.ntopics].name = cardfeed_str_of(spec->topic);
        topics[card.ntopics].slug = cardfeed_str_of(spec->topic);
        card.ntopics++;
    }

    for (i = 0; i < MASK_TOPICS; i++) {
        if (spec->mask & (1U << i)) {
            topics[card.ntopics].name = cardfeed_str_of(names[i]);
            topics[card.ntopics].slug = cardfeed_str_of(names[i]);
            card.ntopics++;
        }
    }

    cardfeed_buf_init(&record, 1 << 16);
    assert_int_equal(cardfeed_record_encode(&record, &card), CARDFEED_OK);

    file.record = cardfeed_buf_view(&record);
    snprintf(path, sizeof(path), "%u.md", spec->n);
    assert_int_equal(cardfeed_txn_put(txn, cardfeed_str_of(path), &signature,
                         false, &file, NULL, NULL),
        CARDFEED_OK);
    cardfeed_buf_free(&record);
}


static inline void
build(fixture_t *f, const spec_t *specs, size_t n)
{
    size_t i;
    cardfeed_error_t err;
    cardfeed_store_t *store;
    cardfeed_txn_t *txn;

    assert_int_equal(cardfeed_index_create(f->index, &store, &err),
        CARDFEED_OK);
    assert_int_equal(cardfeed_txn_begin(store, NOW, &txn, &err),
        CARDFEED_OK);

    for (i = 0; i < n; i++) {
        put(txn, &specs[i]);
    }

    assert_int_equal(cardfeed_txn_commit(txn, &err), CARDFEED_OK);
    assert_int_equal(cardfeed_index_publish(f->index, store, &err),
        CARDFEED_OK);
    cardfeed_store_release(store);

    store = cardfeed_index_current(f->index, &err);
    assert_non_null(store);
    assert_int_equal(cardfeed_read_begin(store, &f->read, &err),
        CARDFEED_OK);
}


static inline int
run(fixture_t *f, const char *selection, uint32_t limit, int64_t now)
{
    assert_int_equal(cardfeed_query_selection(&f->query,
                         cardfeed_str_of(selection)),
        CARDFEED_OK);

    return cardfeed_select(f->read, &f->query, limit, now, &f->arena,
        &f->got, NULL);
}


/* The cards that were selected, as the numbers of their specs. */
static inline void
assert_cards(fixture_t *f, size_t n, const unsigned *numbers)
{
    size_t i;
    char text[32];

    assert_int_equal(f->got.ncards, n);

    for (i = 0; i < n; i++) {
        assert_true(
            f->got.cards[i].id == identity(text, sizeof(text), numbers[i]));
    }
}


#define assert_selected(f, ...)                                              \
    do {                                                                     \
        static const unsigned numbers_[] = {__VA_ARGS__};                    \
        assert_cards(f, sizeof(numbers_) / sizeof(numbers_[0]), numbers_);   \
    } while (0)

#endif /* SELECT_FIXTURE_H */
