/* test_select_archive: both chains of documents against a plain model. */

#include "archive_fixture.h"


/* --- without changes ----------------------------------------------------- */

/* Down from the first page, then up again; every card on both ways. */
static void
walk(fixture_t *f, document_t *d)
{
    int i, steps;
    cardfeed_page_t page;
    int down[CARDS] = {0}, up[CARDS] = {0};

    get(f, d, &first_page, NOW);
    check(f, d);

    for (i = 0; i < CARDS; i++) {
        down[i] = d->present[i];
    }

    for (steps = 0; d->links.has_prev; steps++) {
        assert_true(steps < STEPS);
        page = d->links.prev;
        assert_goes_on(d, &page, false);
        get(f, d, &page, NOW);
        check(f, d);
        assert_true(f->got.ncards != 0);

        for (i = 0; i < CARDS; i++) {
            down[i] += d->present[i];
        }
    }

    for (i = 0; i < CARDS; i++) {
        if (model_has(d, &specs[i]) && down[i] == 0) {
            fail_at(d, "not seen on the way down", &specs[i]);
        }
    }

    if (steps == 0) {
        return;
    }

    for (steps = 0; ; steps++) {
        assert_true(steps < STEPS);

        for (i = 0; i < CARDS; i++) {
            up[i] += d->present[i];
        }

        if (!d->links.has_next) {
            break;
        }

        page = d->links.next;
        assert_goes_on(d, &page, true);
        get(f, d, &page, NOW);
        check(f, d);
    }

    for (i = 0; i < CARDS; i++) {
        if (model_has(d, &specs[i]) && up[i] != 1) {
            fail_at(d, "not exactly once on the way up", &specs[i]);
        }
    }
}


static void
test_both_ways(void **state)
{
    int i, round;
    document_t d;
    fixture_t *f = *state;

    for (round = 0; round < 3; round++) {
        srand((unsigned) round);
        random_cards();
        begin(f);

        for (i = 0; i < 60; i++) {
            random_document(&d);
            walk(f, &d);
        }
    }
}


/* Months nobody linked to, and places no document begins at. */
static void
test_any_document(void **state)
{
    int i;
    document_t d;
    const spec_t *s;
    cardfeed_page_t page;
    fixture_t *f = *state;

    srand(7);
    random_cards();
    begin(f);

    for (i = 0; i < 1500; i++) {
        random_document(&d);
        s = &specs[choose(CARDS)];

        page = (cardfeed_page_t){
            .month = cardfeed_date_month(s->published),
        };
        if (choose(3) == 0) {
            page.month += (uint32_t) choose(4);
        }
        if (choose(2)) {
            page.has_before = true;
            page.before = position(s);
            page.before.id ^= (uint64_t) choose(2);
        }

        get(f, &d, &page, NOW);
        d.page = cardfeed_query_page(&f->query);
        check(f, &d);
    }
}


/* Upward from any document nothing is left out between it and the next. */
static void
test_up_from_any_place(void **state)
{
    int i, j, steps;
    document_t d;
    cardfeed_page_t page;
    fixture_t *f = *state;
    bool seen[CARDS];
    cardfeed_position_t from;

    srand(8);
    random_cards();
    begin(f);

    for (i = 0; i < 400; i++) {
        random_document(&d);
        from = position(&specs[choose(CARDS)]);
        from.id += (uint64_t) choose(2);

        page = (cardfeed_page_t){
            .month = cardfeed_date_month(from.published),
            .has_before = true,
            .before = from,
        };
        get(f, &d, &page, NOW);
        memset(seen, 0, sizeof(seen));

        for (steps = 0; d.links.has_next; steps++) {
            assert_true(steps < STEPS);
            page = d.links.next;
            assert_goes_on(&d, &page, true);
            get(f, &d, &page, NOW);
            check(f, &d);

            for (j = 0; j < CARDS; j++) {
                seen[j] |= d.present[j];
            }
        }

        for (j = 0; j < CARDS; j++) {
            if (model_has(&d, &specs[j]) && !seen[j]
                && !is_newer(from, position(&specs[j])))
            {
                fail_at(&d, "not seen on the way up", &specs[j]);
            }
        }
    }
}


/* --- while cards come and go --------------------------------------------- */

static cardfeed_store_t *store;


static void
change(fixture_t *f, unsigned n, bool there)
{
    char path[32];
    cardfeed_txn_t *txn;
    cardfeed_error_t err;

    cardfeed_read_end(f->read);
    f->read = NULL;

    assert_int_equal(cardfeed_txn_begin(store, NOW, &txn, &err),
        CARDFEED_OK);

    if (there) {
        put(txn, &specs[n]);
    } else {
        snprintf(path, sizeof(path), "%u.md", n);
        assert_int_equal(cardfeed_txn_remove(txn, cardfeed_str_of(path)),
            CARDFEED_OK);
    }

    assert_int_equal(cardfeed_txn_commit(txn, &err), CARDFEED_OK);
    alive[n] = there;

    assert_int_equal(cardfeed_read_begin(
                         cardfeed_index_current(f->index, &err), &f->read,
                         &err),
        CARDFEED_OK);
}


/*
 * A few of the first half of the cards come or go; the rest always stays.
 * Upward, none comes into the very document that is asked for next, since
 * its last cards would fall out of it.
 */
static void
disturb(fixture_t *f, const cardfeed_page_t *next)
{
    int i;
    unsigned n;

    for (i = choose(4); i > 0; i--) {
        n = (unsigned) choose(CARDS / 2);

        if (!alive[n] && next != NULL
            && cardfeed_date_month(specs[n].published) == next->month
            && (!next->has_before
                || is_newer(next->before, position(&specs[n]))))
        {
            continue;
        }

        change(f, n, !alive[n]);
    }
}


typedef enum {
    WAY_DOWN,
    WAY_UP,
    WAY_PAGES
} way_t;


static void
walk_disturbed(fixture_t *f, document_t *d, way_t way)
{
    size_t i;
    int steps;
    cardfeed_page_t page;
    bool seen[CARDS] = {false};

    page = first_page;

    if (way == WAY_UP) {

        /* the month of the last card of all */

        page.month = cardfeed_date_month(sorted[CARDS - 1]->published);
        get(f, d, &page, NOW);

        while (d->links.has_prev) {
            page = d->links.prev;
            get(f, d, &page, NOW);
        }
    }

    for (steps = 0; ; steps++) {
        assert_true(steps < STEPS);
        get(f, d, &page, NOW);
        check(f, d);

        for (i = 0; i < f->got.ncards; i++) {
            seen[card_at(f->got.cards[i].id)->n] = true;
        }

        if (way == WAY_PAGES) {
            if (!f->got.more) {
                break;
            }
            page = (cardfeed_page_t){.has_before = true,
                .before = f->got.next};

        } else if (way == WAY_UP) {
            if (!d->links.has_next) {
                break;
            }
            page = d->links.next;
            assert_goes_on(d, &page, true);

        } else {
            if (!d->links.has_prev) {
                break;
            }
            page = d->links.prev;
            assert_goes_on(d, &page, false);
        }

        disturb(f, way == WAY_UP ? &page : NULL);
    }

    for (i = CARDS / 2; i < CARDS; i++) {
        if (model_has(d, &specs[i]) && !seen[i]) {
            fail_at(d, way == WAY_PAGES ? "not seen, page by page"
                    : way == WAY_UP ? "not seen on the way up"
                                    : "not seen on the way down",
                &specs[i]);
        }
    }
}


static void
test_while_cards_come_and_go(void **state)
{
    int i;
    document_t d;
    fixture_t *f = *state;
    cardfeed_error_t err;

    srand(9);
    random_cards();
    begin(f);
    assert_int_equal(cardfeed_index_adopt(f->index, &store, &err),
        CARDFEED_OK);

    for (i = 0; i < 120; i++) {
        random_document(&d);
        walk_disturbed(f, &d, (way_t) (i % 3));
    }

    cardfeed_store_release(store);
}


/* --- single cases -------------------------------------------------------- */

#define MONTH(year, month) ((year) * 12 + (month) - 1)


static void
test_empty_months(void **state)
{
    static const spec_t cards[] = {
        {.n = 1, .published = 1577836800, .mask = 1}, /* 2020-01-01 */
        {.n = 2, .published = 1593561599, .mask = 3}, /* 2020-06-30 23:59:59 */
        {.n = 3, .published = 1598918400, .mask = 1}, /* 2020-09-01 */
    };
    static const struct {
        const char *selection, *args;
        uint32_t month, prev, next;
    } cases[] = {
        {"all", "", MONTH(2020, 3), MONTH(2020, 1), MONTH(2020, 6)},
        {"all", "", MONTH(2020, 6), MONTH(2020, 1), MONTH(2020, 9)},
        {"all", "", MONTH(2020, 7), MONTH(2020, 6), MONTH(2020, 9)},
        {"all", "", MONTH(2020, 10), MONTH(2020, 9), 0},
        {"all", "", MONTH(9999, 12), MONTH(2020, 9), 0},
        {"all", "", MONTH(2019, 12), 0, MONTH(2020, 1)},
        {"all", "", MONTH(1, 1), 0, MONTH(2020, 1)},
        {"t1", "", MONTH(2020, 1), 0, MONTH(2020, 6)},
        {"t1", "", MONTH(2020, 9), MONTH(2020, 6), 0},
        {"t0+!t1", "", MONTH(2020, 6), MONTH(2020, 1), MONTH(2020, 9)},
        {"!all", "", MONTH(2020, 6), 0, 0},
        {"all", "type=never", MONTH(2020, 6), 0, 0},
        {"all", "since=2020-07-01", MONTH(2020, 6), 0, MONTH(2020, 9)},
        {"all", "since=2020-07-01", MONTH(2020, 9), 0, 0},
        {"all", "since=2020-06-30", MONTH(2020, 7), MONTH(2020, 6),
            MONTH(2020, 9)},
    };

    size_t i;
    document_t d;
    fixture_t *f = *state;
    cardfeed_page_t page;

    build(f, cards, 3);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        d = (document_t){.selection = cases[i].selection,
            .args = cases[i].args, .limit = 5};
        page = (cardfeed_page_t){.month = cases[i].month};
        get(f, &d, &page, NOW);

        if (d.links.has_prev != (cases[i].prev != 0)
            || d.links.has_next != (cases[i].next != 0)
            || (d.links.has_prev && d.links.prev.month != cases[i].prev)
            || (d.links.has_next && d.links.next.month != cases[i].next))
        {
            fail_msg("case %zu: %u, %u", i, d.links.prev.month,
                d.links.next.month);
        }

        assert_false(d.links.prev.has_before);
        assert_false(d.links.next.has_before);
    }
}


/* Cards that have expired lead to empty documents at the worst. */
static void
test_expired_cards(void **state)
{
    int i, steps;
    unsigned n;
    document_t d;
    fixture_t *f = *state;
    cardfeed_page_t page;
    bool down[CARDS], up[CARDS];
    size_t j;

    srand(11);
    random_cards();

    for (n = 0; n < CARDS; n++) {
        if (choose(2)) {
            specs[n].expires = NOW + 1;
            alive[n] = false;
        }
    }
    begin(f);

    for (i = 0; i < 60; i++) {
        random_document(&d);
        memset(down, 0, sizeof(down));
        memset(up, 0, sizeof(up));
        page = first_page;

        for (steps = 0; ; steps++) {
            assert_true(steps < STEPS);
            get(f, &d, &page, NOW + 1);
            for (j = 0; j < f->got.ncards; j++) {
                down[card_at(f->got.cards[j].id)->n] = true;
            }
            if (!d.links.has_prev) {
                break;
            }
            page = d.links.prev;
            assert_goes_on(&d, &page, false);
        }

        for (; d.page.month != 0; steps++) {
            assert_true(steps < STEPS);
            get(f, &d, &page, NOW + 1);
            for (j = 0; j < f->got.ncards; j++) {
                up[card_at(f->got.cards[j].id)->n] = true;
            }
            if (!d.links.has_next) {
                break;
            }
            page = d.links.next;
            assert_goes_on(&d, &page, true);
        }

        for (n = 0; n < CARDS; n++) {
            if (down[n] != model_has(&d, &specs[n])
                || (d.page.month != 0 && up[n] != down[n]))
            {
                fail_at(&d, "expired or not", &specs[n]);
            }
        }
    }
}


int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

    const struct CMUnitTest tests[] = {
        TEST(test_both_ways),
        TEST(test_any_document),
        TEST(test_up_from_any_place),
        TEST(test_while_cards_come_and_go),
        TEST(test_empty_months),
        TEST(test_expired_cards),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
