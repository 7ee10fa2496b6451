/* test_select_algebra: what selections mean, and where they end. */

#include "select_fixture.h"


static void
test_any_unknown_topic_is_no_selection(void **state)
{
    static const spec_t cards[] = {
        {.n = 1, .published = 1, .topic = "a"},
        {.n = 2, .published = 2, .topic = "b"},
        {.n = 3, .published = 3, .topic = "draft", .hidden = true},
    };
    static const char *bad[] = {"never", "!never", "a+never", "a,never",
        "a+!never", "a,!draft", "all,never", "never+!all", "never+!never",
        "a,never+!never", "draft+a", "all+never"};
    static const char *empty[] = {"!all", "a+!a", "a+b", "a+!all",
        "a+!a,b+!b"};

    size_t i;
    fixture_t *f = *state;
    cardfeed_selection_t all;

    build(f, cards, 3);

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(run(f, bad[i], 5, NOW), CARDFEED_NOTFOUND);
        assert_int_equal(f->got.ncards, 0);
    }

    assert_int_equal(run(f, "all", 5, NOW), CARDFEED_OK);
    all = f->got;

    for (i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
        assert_int_equal(run(f, empty[i], 5, NOW), CARDFEED_OK);
        assert_int_equal(f->got.ncards, 0);
        assert_false(f->got.more);
        assert_true(f->got.updated == 2);
        assert_true(f->got.change == all.change);
    }
}


static void
test_unknown_names(void **state)
{
    static const spec_t cards[] = {
        {.n = 1, .published = 1, .type = "video"},
        {.n = 2, .published = 2},
    };
    static const struct {
        const char *args;
        size_t n;
    } cases[] = {
        {"type=video", 1}, {"type=never", 0}, {"type=!never", 2},
        {"type=!video", 1}, {"type=video,never", 1},
        {"type=!video,!never", 1}, {"type=VIDEO", 1}, {"category=video", 0},
        {"category=!video", 2}, {"type=video,!video", 0},
        {"type=video&type=", 2}, {"min_quality=0", 2}, {"min_quality=1", 0},
        {"since=1970-01-01T00:00:02Z", 1}, {"since=1970-01-02", 0},
        {"type=never&since=1970-01-01", 0},
    };

    size_t i;
    fixture_t *f = *state;

    build(f, cards, 2);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cardfeed_query_init(&f->query, &f->arena);
        assert_int_equal(cardfeed_query_args(&f->query,
                             cardfeed_str_of(cases[i].args), 500, NULL),
            CARDFEED_OK);
        assert_int_equal(run(f, "all", 5, NOW), CARDFEED_OK);
        if (f->got.ncards != cases[i].n) {
            fail_msg("%s: %zu", cases[i].args, f->got.ncards);
        }
        assert_false(f->got.more);
    }
}


static void
test_when_it_changed(void **state)
{
    static const spec_t cards[] = {
        {.n = 1, .published = 1, .topic = "a"},
        {.n = 2, .published = 2, .topic = "b"},
        {.n = 3, .published = 3, .topic = "c"},
    };

    size_t i;
    uint64_t a, b, c, all;
    cardfeed_txn_t *txn;
    cardfeed_error_t err;
    cardfeed_store_t *store;
    fixture_t *f = *state;

    /* one commit each */

    build(f, NULL, 0);
    cardfeed_read_end(f->read);

    assert_int_equal(cardfeed_index_adopt(f->index, &store, &err),
        CARDFEED_OK);

    for (i = 0; i < 3; i++) {
        assert_int_equal(cardfeed_txn_begin(store, NOW + (int64_t) i, &txn,
                             &err),
            CARDFEED_OK);
        put(txn, &cards[i]);
        assert_int_equal(cardfeed_txn_commit(txn, &err), CARDFEED_OK);
    }

    cardfeed_store_release(store);
    assert_int_equal(cardfeed_read_begin(
                         cardfeed_index_current(f->index, &err), &f->read,
                         &err),
        CARDFEED_OK);

#define change_of(sel)                                                       \
    (assert_int_equal(run(f, (sel), 5, NOW), CARDFEED_OK), f->got.change)

    a = change_of("a");
    b = change_of("b");
    c = change_of("c");
    all = change_of("all");
    assert_true(a < b && b < c);

    assert_true(change_of("a,b") == b);
    assert_true(change_of("b,a") == b);
    assert_true(change_of("b+!a") == b);
    assert_true(change_of("a+!c") == c);
    assert_true(change_of("!a") == all);
    assert_true(change_of("a,!b") == all);
    assert_true(f->got.topic.id == CARDFEED_SELECT_MANY);

    assert_int_equal(cardfeed_query_args(&f->query,
                         CARDFEED_STR("since=1970-01-01"), 500, NULL),
        CARDFEED_OK);
    assert_true(change_of("a,b") == b);
}


static void
assert_words(fixture_t *f, const char *selection, const char *words)
{
    cardfeed_buf_t out;

    cardfeed_buf_init(&out, 1000);
    assert_int_equal(run(f, selection, 5, NOW), CARDFEED_OK);
    assert_int_equal(cardfeed_select_words(&f->query, &f->got, &out),
        CARDFEED_OK);
    if (!cardfeed_str_eq(cardfeed_buf_view(&out), cardfeed_str_of(words))) {
        fail_msg("\"%.*s\"", (int) out.len, out.data);
    }
    cardfeed_buf_free(&out);
}


static void
test_words(void **state)
{
    static const spec_t cards[] = {
        {.n = 1, .published = 1, .topic = "a", .mask = 0xff},
    };

    fixture_t *f = *state;

    build(f, cards, 1);

    assert_words(f, "all", "All");
    assert_words(f, "!all", "Nothing");
    assert_words(f, "a", "a");
    assert_words(f, "!a", "not a");
    assert_words(f, "t2+a", "a and t2");
    assert_words(f, "t2,a", "a or t2");
    assert_words(f, "t2+!a,t3,!t4", "t2 and not a or t3 or not t4");

    /* what is long ends with an ellipsis, after a whole name */
    assert_words(f,
        "t0+t1+t2+t3+t4+t5+t6+t7+!a,t0+t1+t2+t3+t4+t5+t6+a,"
        "t1+t2+t3+t4+t5+t6+t7,t2+t3+t4+t5+t6+t7,t3+t4+t5+t6+t7,t5+t7",
        "a and t0 and t1 and t2 and t3 and t4 and t5 and t6 or "
        "t0 and t1 and t2 and t3 and t4 and t5 and t6 and t7 and not a or "
        "t1 and t2 and t3 and t4 and t5 and t6 and t7 or "
        "t2 and t3 and t4 and t5 and t6 and t7 or "
        "t3 and t4 and t5 and t6 and t7 or t5 and \xe2\x80\xa6");
}


/* --- the bound ----------------------------------------------------------- */

#define MANY (CARDFEED_SELECT_ROWS + 2000)

/* Follows next; what is selected on all pages, and how many were bounded. */
static size_t
follow(fixture_t *f, const char *selection, const char *args, int *bounded)
{
    int pages;
    size_t n;

    cardfeed_query_init(&f->query, &f->arena);
    assert_int_equal(cardfeed_query_args(&f->query, cardfeed_str_of(args),
                         500, NULL),
        CARDFEED_OK);

    for (n = 0, pages = 0, *bounded = 0; pages < 100; pages++) {
        assert_int_equal(run(f, selection, 50, NOW), CARDFEED_OK);
        n += f->got.ncards;
        *bounded += f->got.bounded;

        if (!f->got.more) {
            assert_false(f->got.bounded);
            return n;
        }

        if (f->query.has_before) {
            assert_true(f->got.next.published < f->query.before.published);
        }
        f->query.has_before = true;
        f->query.before = f->got.next;
    }

    fail_msg("%s?%s does not end", selection, args);
    return 0;
}


static void
test_rows_are_bounded(void **state)
{
    unsigned i;
    int bounded;
    fixture_t *f = *state;
    spec_t *cards = calloc(MANY, sizeof(*cards));

    assert_non_null(cards);

    for (i = 0; i < MANY; i++) {
        cards[i] = (spec_t){.n = i, .published = 1000 + i,
            .mask = 1U << (i % 2), .type = i == 5 ? "rare" : "common"};
        if (i == 1) {
            cards[i].mask = 7;
        }
        if (i == MANY - 7) {
            cards[i].mask = 0xb;
        }
    }

    build(f, cards, MANY);
    free(cards);

    /* a rare one behind all the others */
    assert_int_equal(follow(f, "all", "type=rare", &bounded), 1);
    assert_int_equal(bounded, 1);

    /* the first page: nothing yet, and exactly so many rows */
    cardfeed_query_init(&f->query, &f->arena);
    assert_int_equal(cardfeed_query_args(&f->query,
                         CARDFEED_STR("type=rare"), 500, NULL),
        CARDFEED_OK);
    assert_int_equal(run(f, "all", 50, NOW), CARDFEED_OK);
    assert_int_equal(f->got.ncards, 0);
    assert_true(f->got.more && f->got.bounded);
    assert_true(f->got.next.published
        >= 1000 + MANY - CARDFEED_SELECT_ROWS - 1);
    assert_true(f->got.next.published
        <= 1000 + MANY - CARDFEED_SELECT_ROWS + 1);

    /* two topics that hardly meet, in several alternatives */
    assert_int_equal(follow(f, "t0+t1", "", &bounded), 2);
    assert_true(bounded > 0);
    assert_int_equal(follow(f, "t0+t1,t1+t0+t2,t2+!t3", "", &bounded), 2);
    assert_true(bounded > 0);
    assert_int_equal(follow(f, "!t0+!t1,t0+t1+!t2,t0+t1+!t3", "", &bounded),
        2);
    assert_true(bounded > 0);
    assert_int_equal(follow(f, "!t0+!t1", "", &bounded), 0);
    assert_true(bounded > 0);

    /* what there is comes at once, though there is not more */
    assert_int_equal(follow(f, "t2", "", &bounded), 1);
    assert_int_equal(bounded, 0);
    assert_int_equal(follow(f, "t0+t3", "", &bounded), 1);
    assert_int_equal(bounded, 0);
    assert_int_equal(follow(f, "all", "type=rare&since=2021-01-01",
                         &bounded),
        0);
    assert_int_equal(bounded, 0);
    assert_int_equal(follow(f, "all", "type=never", &bounded), 0);
    assert_int_equal(bounded, 0);
}


int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

    const struct CMUnitTest tests[] = {
        TEST(test_any_unknown_topic_is_no_selection),
        TEST(test_unknown_names),
        TEST(test_when_it_changed),
        TEST(test_words),
        TEST(test_rows_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
