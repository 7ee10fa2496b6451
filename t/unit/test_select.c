/* test_select: a selection → cards of a real index, newest first. */

#include "select_fixture.h"


static void
test_newest_first(void **state)
{
    static const spec_t specs[] = {
        {.n = 1, .published = 1000, .topic = "a"},
        {.n = 2, .published = 3000, .topic = "b"},
        {.n = 3, .published = 2000, .updated = 9000, .topic = "a"},
        {.n = 4, .published = -5, .topic = "b"},
    };

    fixture_t *f = *state;

    build(f, specs, 4);

    assert_int_equal(run(f, "all", 50, NOW), CARDFEED_OK);
    assert_selected(f, 2, 3, 1, 4);
    assert_false(f->got.more);
    assert_true(f->got.updated == 9000);
    assert_int_equal(f->got.topic.id, 0);
    assert_int_equal(f->got.topic.count, 4);

    assert_int_equal(run(f, "a", 50, NOW), CARDFEED_OK);
    assert_selected(f, 3, 1);
    assert_true(f->got.updated == 9000);
    assert_true(f->got.changed_at == f->got.topic.changed_at);
    assert_true(f->got.changed_at >= NOW);

    assert_int_equal(run(f, "b", 50, NOW), CARDFEED_OK);
    assert_selected(f, 2, 4);
    assert_true(f->got.updated == 3000);
    assert_true(f->got.next_due == CARDFEED_NO_TIME);
}


static void
test_pages_meet_every_card_once(void **state)
{
    enum { CARDS = 40 };

    unsigned i, seen[CARDS] = {0}, pages;
    size_t k;
    uint32_t limit;
    char text[32];
    spec_t specs[CARDS] = {{0}};
    fixture_t *f = *state;
    int64_t last;
    uint64_t last_id;

    /* Several of a time, across the pages' ends. */
    for (i = 0; i < CARDS; i++) {
        specs[i] = (spec_t){.n = i, .published = 100 + i / 7, .topic = "t"};
    }

    build(f, specs, CARDS);

    for (limit = 1; limit <= CARDS; limit += 3) {
        memset(seen, 0, sizeof(seen));
        f->query.has_before = false;
        last = INT64_MAX;
        last_id = 0;
        pages = 0;

        do {
            assert_int_equal(run(f, "t", limit, NOW), CARDFEED_OK);
            assert_true(f->got.ncards > 0 && f->got.ncards <= limit);

            for (k = 0; k < f->got.ncards; k++) {
                assert_true(f->got.cards[k].published < last
                    || (f->got.cards[k].published == last
                        && f->got.cards[k].id > last_id));
                last = f->got.cards[k].published;
                last_id = f->got.cards[k].id;

                for (i = 0; i < CARDS; i++) {
                    seen[i] += f->got.cards[k].id
                        == identity(text, sizeof(text), i);
                }
            }

            f->query.has_before = true;
            f->query.before = f->got.next;
            pages++;
        } while (f->got.more);

        assert_int_equal(pages, (CARDS + limit - 1) / limit);

        for (i = 0; i < CARDS; i++) {
            assert_int_equal(seen[i], 1);
        }
    }
}


static void
test_more_tells_whether_there_is_more(void **state)
{
    static const spec_t specs[] = {
        {.n = 1, .published = 1}, {.n = 2, .published = 2},
        {.n = 3, .published = 3},
    };

    fixture_t *f = *state;

    build(f, specs, 3);

    assert_int_equal(run(f, "all", 2, NOW), CARDFEED_OK);
    assert_selected(f, 3, 2);
    assert_true(f->got.more);
    assert_true(f->got.next.published == 2);
    assert_true(f->got.next.id == f->got.cards[1].id);

    assert_int_equal(run(f, "all", 3, NOW), CARDFEED_OK);
    assert_selected(f, 3, 2, 1);
    assert_false(f->got.more);
}


static void
test_a_cursor_needs_no_card_at_its_place(void **state)
{
    static const spec_t specs[] = {
        {.n = 1, .published = 10}, {.n = 2, .published = 20},
    };

    fixture_t *f = *state;

    build(f, specs, 2);
    f->query.has_before = true;

    f->query.before = (cardfeed_position_t){15, 12345};
    assert_int_equal(run(f, "all", 5, NOW), CARDFEED_OK);
    assert_selected(f, 1);

    f->query.before = (cardfeed_position_t){INT64_C(253402300799), 0};
    assert_int_equal(run(f, "all", 5, NOW), CARDFEED_OK);
    assert_selected(f, 2, 1);

    f->query.before = (cardfeed_position_t){10, UINT64_MAX};
    assert_int_equal(run(f, "all", 5, NOW), CARDFEED_OK);
    assert_int_equal(f->got.ncards, 0);
    assert_false(f->got.more);
}


static void
test_no_such_topic(void **state)
{
    static const spec_t specs[] = {
        {.n = 1, .published = 1, .topic = "seen"},
        {.n = 2, .published = 2, .topic = "draft", .hidden = true},
        {.n = 3, .published = NOW + 100, .topic = "future"},
    };

    fixture_t *f = *state;
    cardfeed_error_t err = {0};

    build(f, specs, 3);

    assert_int_equal(run(f, "seen", 5, NOW), CARDFEED_OK);
    assert_true(f->got.next_due == NOW + 100);

    assert_int_equal(run(f, "draft", 5, NOW), CARDFEED_NOTFOUND);
    assert_int_equal(run(f, "future", 5, NOW), CARDFEED_NOTFOUND);

    assert_int_equal(cardfeed_query_selection(&f->query,
                         CARDFEED_STR("never")),
        CARDFEED_OK);
    assert_int_equal(cardfeed_select(f->read, &f->query, 5, NOW, &f->arena,
                         &f->got, &err),
        CARDFEED_NOTFOUND);
    assert_int_equal(err.code, CARDFEED_NOTFOUND);
    assert_int_equal(f->got.ncards, 0);
}


static void
test_an_expired_card_is_skipped_at_once(void **state)
{
    static const spec_t specs[] = {
        {.n = 1, .published = 1, .topic = "t"},
        {.n = 2, .published = 2, .expires = NOW + 10, .topic = "t"},
        {.n = 3, .published = 3, .topic = "t"},
        {.n = 4, .published = 4, .expires = NOW + 20, .topic = "t"},
    };

    fixture_t *f = *state;

    build(f, specs, 4);

    assert_int_equal(run(f, "t", 9, NOW + 9), CARDFEED_OK);
    assert_selected(f, 4, 3, 2, 1);
    assert_true(f->got.next_due == NOW + 10);

    assert_int_equal(run(f, "t", 9, NOW + 10), CARDFEED_OK);
    assert_selected(f, 4, 3, 1);

    assert_int_equal(run(f, "t", 2, NOW + 20), CARDFEED_OK);
    assert_selected(f, 3, 1);
    assert_false(f->got.more);
}


static void
test_an_empty_selection_takes_the_newest_of_all(void **state)
{
    static const spec_t specs[] = {
        {.n = 1, .published = 1, .expires = NOW + 1, .topic = "gone"},
        {.n = 2, .published = 20, .updated = 25, .topic = "t"},
        {.n = 3, .published = 30, .expires = NOW + 1, .topic = "t"},
    };

    fixture_t *f = *state;
    cardfeed_selection_t all;

    build(f, specs, 3);

    assert_int_equal(run(f, "all", 9, NOW + 1), CARDFEED_OK);
    all = f->got;

    assert_int_equal(run(f, "gone", 9, NOW + 1), CARDFEED_OK);
    assert_int_equal(f->got.ncards, 0);
    assert_false(f->got.more);
    assert_true(f->got.updated == 25);
    assert_true(f->got.change == all.change);
    assert_true(f->got.changed_at >= all.changed_at);
}


static void
test_an_empty_index(void **state)
{
    fixture_t *f = *state;

    build(f, NULL, 0);

    assert_int_equal(run(f, "all", 9, NOW), CARDFEED_OK);
    assert_int_equal(f->got.ncards, 0);
    assert_false(f->got.more);
    assert_true(f->got.updated == CARDFEED_NO_TIME);
    assert_true(f->got.next_due == CARDFEED_NO_TIME);
    assert_int_equal(f->got.topic.count, 0);
}


static void
test_many_expired_cards_are_not_all_read(void **state)
{
    enum { CARDS = CARDFEED_SELECT_SKIP + 3 };

    unsigned i;
    fixture_t *f = *state;
    spec_t *specs = calloc(CARDS, sizeof(*specs));

    assert_non_null(specs);

    for (i = 0; i < CARDS; i++) {
        specs[i] = (spec_t){.n = i, .published = 10 + i,
            .expires = i == 0 ? 0 : NOW + 1};
    }

    build(f, specs, CARDS);
    free(specs);

    assert_int_equal(run(f, "all", 9, NOW + 1), CARDFEED_OK);
    assert_int_equal(f->got.ncards, 0);
    assert_true(f->got.more);
    assert_true(f->got.next.published == CARDS + 9 - CARDFEED_SELECT_SKIP + 1);

    f->query.has_before = true;
    f->query.before = f->got.next;
    assert_int_equal(run(f, "all", 9, NOW + 1), CARDFEED_OK);
    assert_selected(f, 0);
    assert_false(f->got.more);
}


static void
test_out_of_memory(void **state)
{
    static const spec_t specs[] = {{.n = 1, .published = 1}};

    fixture_t *f = *state;
    cardfeed_arena_t small;
    cardfeed_error_t err = {0};

    build(f, specs, 1);

    cardfeed_arena_init(&small, sizeof(cardfeed_record_t));
    cardfeed_query_init(&f->query, &small);
    assert_int_equal(cardfeed_select(f->read, &f->query, 100, NOW, &small,
                         &f->got, &err),
        CARDFEED_NOMEM);
    assert_int_equal(err.code, CARDFEED_NOMEM);
    cardfeed_arena_free(&small);
}


int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

    const struct CMUnitTest tests[] = {
        TEST(test_newest_first),
        TEST(test_pages_meet_every_card_once),
        TEST(test_more_tells_whether_there_is_more),
        TEST(test_a_cursor_needs_no_card_at_its_place),
        TEST(test_no_such_topic),
        TEST(test_an_expired_card_is_skipped_at_once),
        TEST(test_an_empty_selection_takes_the_newest_of_all),
        TEST(test_an_empty_index),
        TEST(test_many_expired_cards_are_not_all_read),
        TEST(test_out_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
