/* test_select_topics: the topics there are, page by page. */

#include "select_fixture.h"

#define PER_CARD 5000

static char names[PER_CARD][16];
static cardfeed_card_topic_t topics[PER_CARD];


/* A card with so many topics, "s" and six digits: from, from + step, … */
static void
put_topics(cardfeed_txn_t *txn, unsigned n, unsigned from, unsigned count,
    unsigned step)
{
    unsigned i;
    char id[32], path[32];
    cardfeed_buf_t record;
    cardfeed_card_t card;
    cardfeed_signature_t signature = {.size = n};
    cardfeed_file_t file = {.kind = CARDFEED_FILE_CARD, .identity_line = 1};

    assert_true(count <= PER_CARD);
    identity(id, sizeof(id), n);
    fill(&card, &(spec_t){.n = n, .published = NOW - n}, id);

    for (i = 0; i < count; i++) {
        snprintf(names[i], sizeof(names[i]), "s%06u", from + i * step);
        topics[i] = (cardfeed_card_topic_t){
            .name = cardfeed_str_of(names[i]),
            .slug = cardfeed_str_of(names[i]),
        };
    }

    card.topics = topics;
    card.ntopics = count;

    cardfeed_buf_init(&record, 1 << 20);
    assert_int_equal(cardfeed_record_encode(&record, &card), CARDFEED_OK);

    file.record = cardfeed_buf_view(&record);
    snprintf(path, sizeof(path), "%u.md", n);
    assert_int_equal(cardfeed_txn_put(txn, cardfeed_str_of(path), &signature,
                         false, &file, NULL, NULL),
        CARDFEED_OK);
    cardfeed_buf_free(&record);
}


static cardfeed_txn_t *
begin(fixture_t *f, cardfeed_store_t **store)
{
    cardfeed_txn_t *txn;
    cardfeed_error_t err;

    if (f->read != NULL) {
        cardfeed_read_end(f->read);
        f->read = NULL;
    }

    assert_int_equal(cardfeed_index_adopt(f->index, store, &err),
        CARDFEED_OK);
    assert_int_equal(cardfeed_txn_begin(*store, NOW, &txn, &err),
        CARDFEED_OK);

    return txn;
}


static void
commit(fixture_t *f, cardfeed_store_t *store, cardfeed_txn_t *txn)
{
    cardfeed_error_t err;

    assert_int_equal(cardfeed_txn_commit(txn, &err), CARDFEED_OK);
    cardfeed_store_release(store);
    assert_int_equal(cardfeed_read_begin(
                         cardfeed_index_current(f->index, &err), &f->read,
                         &err),
        CARDFEED_OK);
}


static void
drop(cardfeed_txn_t *txn, unsigned n)
{
    char path[32];

    snprintf(path, sizeof(path), "%u.md", n);
    assert_int_equal(cardfeed_txn_remove(txn, cardfeed_str_of(path)),
        CARDFEED_OK);
}


static void
page(fixture_t *f, const char *from, uint32_t limit, cardfeed_topics_t *out)
{
    cardfeed_arena_reset(&f->arena);
    assert_int_equal(cardfeed_select_topics(f->read, cardfeed_str_of(from),
                         limit, &f->arena, out, NULL),
        CARDFEED_OK);
    assert_true(out->ntopics <= limit);
    assert_int_equal(out->all.id, 0);
    assert_true(cardfeed_str_eq(out->all.slug, CARDFEED_STR("all")));
}


/* All pages from a slug on; how many topics and pages. */
static size_t
follow(fixture_t *f, const char *from, uint32_t limit, size_t *pages)
{
    size_t i, n;
    cardfeed_topics_t out;
    const cardfeed_topic_t *topic;
    char start[32], last[32] = "";

    snprintf(start, sizeof(start), "%s", from);

    for (n = 0, *pages = 1; ; ++*pages) {
        assert_true(*pages < 1000);
        page(f, start, limit, &out);

        for (i = 0; i < out.ntopics; i++, n++) {
            topic = &out.topics[i];

            assert_true(topic->count > 0);
            assert_true(topic->slug.len < sizeof(last));
            assert_true(
                cardfeed_str_cmp(topic->slug, cardfeed_str_of(last)) > 0);
            assert_true(
                cardfeed_str_cmp(topic->slug, cardfeed_str_of(start)) >= 0);
            snprintf(last, sizeof(last), "%.*s", (int) topic->slug.len,
                topic->slug.data);
        }

        if (!out.more) {
            assert_int_equal(out.next.len, 0);
            return n;
        }

        assert_true(
            cardfeed_str_cmp(out.next, cardfeed_str_of(start)) > 0);
        assert_true(out.next.len < sizeof(start));
        snprintf(start, sizeof(start), "%.*s", (int) out.next.len,
            out.next.data);
    }
}


static void
test_nothing_there(void **state)
{
    fixture_t *f = *state;
    cardfeed_topics_t out;

    build(f, NULL, 0);
    page(f, "", 10, &out);
    assert_int_equal(out.ntopics, 0);
    assert_int_equal(out.all.count, 0);
    assert_false(out.more);
}


static void
test_pages(void **state)
{
    static const spec_t cards[] = {
        {.n = 1, .published = 1, .mask = 0x07, .topic = "zz"},
        {.n = 2, .published = 2, .mask = 0x05},
        {.n = 3, .published = 3, .hidden = true, .topic = "hidden"},
        {.n = 4, .published = NOW + 1, .topic = "tomorrow"},
    };

    size_t pages;
    uint32_t limit;
    fixture_t *f = *state;
    cardfeed_topics_t out;

    build(f, cards, 4);

    page(f, "", 4, &out);
    assert_int_equal(out.ntopics, 4);
    assert_false(out.more);
    assert_int_equal(out.all.count, 2);
    assert_true(cardfeed_str_eq(out.topics[0].slug, CARDFEED_STR("t0")));
    assert_int_equal(out.topics[0].count, 2);
    assert_int_equal(out.topics[1].count, 1);
    assert_true(cardfeed_str_eq(out.topics[3].slug, CARDFEED_STR("zz")));

    page(f, "", 3, &out);
    assert_int_equal(out.ntopics, 3);
    assert_true(out.more);
    assert_true(cardfeed_str_eq(out.next, CARDFEED_STR("zz")));

    for (limit = 1; limit < 6; limit++) {
        assert_int_equal(follow(f, "", limit, &pages), 4);
        assert_int_equal(pages, (3 + limit) / limit);
    }

    assert_int_equal(follow(f, "t1", 1, &pages), 3);
    assert_int_equal(follow(f, "t11", 1, &pages), 2);
    assert_int_equal(follow(f, "all", 5, &pages), 4);
    assert_int_equal(follow(f, "zz", 5, &pages), 1);
    assert_int_equal(follow(f, "zzz", 5, &pages), 0);
    assert_int_equal(follow(f, "\xff", 5, &pages), 0);
}


/* Topics whose cards have left are looked at, not listed. */
static void
test_topics_without_cards(void **state)
{
    unsigned i;
    size_t pages;
    cardfeed_txn_t *txn;
    cardfeed_store_t *store;
    fixture_t *f = *state;
    cardfeed_topics_t out;

    build(f, NULL, 0);

    /* three at each end; between them those of nine cards, interleaved */

    txn = begin(f, &store);
    put_topics(txn, 1, 0, 3, 1);
    put_topics(txn, 2, 900000, 3, 1);
    for (i = 0; i < 9; i++) {
        put_topics(txn, 10 + i, 100000 + i, PER_CARD, 9);
    }
    commit(f, store, txn);

    assert_int_equal(follow(f, "", 5000, &pages), 9 * PER_CARD + 6);
    assert_int_equal(pages, 10);
    assert_int_equal(follow(f, "", CARDFEED_SELECT_TOPICS * 2, &pages),
        9 * PER_CARD + 6);
    assert_int_equal(pages, 3);

    txn = begin(f, &store);
    for (i = 0; i < 9; i++) {
        if (i % 3) {
            drop(txn, 10 + i);
        }
    }
    commit(f, store, txn);
    assert_int_equal(follow(f, "", 1000, &pages), 3 * PER_CARD + 6);

    txn = begin(f, &store);
    for (i = 0; i < 9; i += 3) {
        drop(txn, 10 + i);
    }
    commit(f, store, txn);

    /* so many without any that a page ends among them */

    page(f, "", 4, &out);
    assert_int_equal(out.ntopics, 3);
    assert_int_equal(out.all.count, 2);
    assert_true(out.more);
    assert_true(cardfeed_str_eq(out.next, CARDFEED_STR("s119997")));

    page(f, "s100000", 4, &out);
    assert_int_equal(out.ntopics, 0);
    assert_true(out.more);
    assert_true(cardfeed_str_eq(out.next, CARDFEED_STR("s120000")));

    assert_int_equal(follow(f, "", 4, &pages), 6);
    assert_int_equal(pages, 3);
    assert_int_equal(follow(f, "", 1, &pages), 6);
    assert_int_equal(follow(f, "s000001", 500, &pages), 5);
}


static void
test_change(void **state)
{
    static const spec_t cards[] = {
        {.n = 1, .published = 1, .topic = "a"},
        {.n = 2, .published = 2, .topic = "b"},
        {.n = 3, .published = 3, .topic = "draft", .hidden = true},
    };

    size_t i;
    uint64_t a, b, all, change;
    cardfeed_txn_t *txn;
    cardfeed_store_t *store;
    fixture_t *f = *state;

    const cardfeed_str_t both[] = {CARDFEED_STR("b"), CARDFEED_STR("a")};
    const cardfeed_str_t with_all[] = {CARDFEED_STR("a"),
        CARDFEED_STR("all")};
    const cardfeed_str_t with_draft[] = {CARDFEED_STR("a"),
        CARDFEED_STR("draft"), CARDFEED_STR("b")};
    const cardfeed_str_t never[] = {CARDFEED_STR("never")};

    build(f, NULL, 0);

    for (i = 0; i < 3; i++) {
        txn = begin(f, &store);
        put(txn, &cards[i]);
        commit(f, store, txn);
    }

#define change_of(slugs, n)                                                  \
    (assert_int_equal(cardfeed_select_change(f->read, (slugs), (n),          \
                          &change),                                          \
         CARDFEED_OK),                                                       \
        change)

    b = change_of(both, 1);
    a = change_of(both + 1, 1);
    all = change_of(with_all + 1, 1);
    assert_true(a != 0 && a < b && b <= all);

    assert_true(change_of(NULL, 0) == 0);
    assert_true(change_of(both, 2) == b);
    assert_true(change_of(with_all, 2) == all);
    assert_int_equal(cardfeed_select_change(f->read, never, 1, &change),
        CARDFEED_NOTFOUND);
    assert_int_equal(cardfeed_select_change(f->read, with_draft, 3, &change),
        CARDFEED_NOTFOUND);

    /* the last card goes: the topic stays, and has changed */

    txn = begin(f, &store);
    drop(txn, 1);
    commit(f, store, txn);
    assert_true(change_of(both + 1, 1) > b);
    assert_true(change_of(both, 1) == b);
    assert_true(change_of(both, 2) > b);
    assert_true(change_of(with_all + 1, 1) > all);
}


int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

    const struct CMUnitTest tests[] = {
        TEST(test_nothing_there),
        TEST(test_pages),
        TEST(test_topics_without_cards),
        TEST(test_change),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
