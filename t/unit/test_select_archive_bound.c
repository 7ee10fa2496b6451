/* test_select_archive_bound: chains over more rows than one read takes. */

#include "archive_fixture.h"

#define MANY (CARDFEED_SELECT_ROWS + 6000)


typedef struct {
    uint64_t id[16];
    size_t n;
} few_t;


static void
few_add(few_t *few, const cardfeed_selection_t *got)
{
    size_t i, j;

    for (i = 0; i < got->ncards; i++) {
        for (j = 0; j < few->n && few->id[j] != got->cards[i].id; j++) {
            /* void */
        }
        if (j == few->n) {
            assert_true(few->n < sizeof(few->id) / sizeof(few->id[0]));
            few->id[few->n++] = got->cards[i].id;
        }
    }
}


/* Down the archives: how many cards, in how many bounded documents; and from
 * the last one up again, as far as there are links. */
static size_t
follow(fixture_t *f, const char *selection, const char *args, int *bounded,
    size_t *up)
{
    int steps;
    document_t d;
    cardfeed_page_t page;
    few_t down = {.n = 0}, back = {.n = 0};

    d = (document_t){.selection = selection, .args = args, .limit = 50};
    page = first_page;
    *bounded = 0;

    for (steps = 0; ; steps++) {
        assert_true(steps < 1000);
        get(f, &d, &page, NOW);
        *bounded += f->got.bounded;
        few_add(&down, &f->got);

        if (!d.links.has_prev) {
            break;
        }
        page = d.links.prev;
        assert_goes_on(&d, &page, false);
    }

    for (; d.page.month != 0; steps++) {
        assert_true(steps < 2000);
        get(f, &d, &page, NOW);
        few_add(&back, &f->got);

        if (!d.links.has_next) {
            break;
        }
        page = d.links.next;
        assert_goes_on(&d, &page, true);
    }

    *up = back.n;

    return down.n;
}


static void
test_rows_are_bounded(void **state)
{
    int bounded;
    size_t up;
    unsigned i;
    fixture_t *f = *state;
    spec_t *cards = calloc(MANY, sizeof(*cards));

    assert_non_null(cards);

    /* two years and a half; of type rare in the first hours, in the middle,
     * and the last hours */

    for (i = 0; i < MANY; i++) {
        cards[i] = (spec_t){.n = i, .published = NOW - 1200 * (int64_t) i,
            .mask = 1U << (i % 2), .type = "common"};
        if (i == MANY - 2 || i == MANY - 3 || i == MANY / 2) {
            cards[i].type = "rare";
            cards[i].mask = 3;
        }
        if (i == 5) {
            cards[i].mask = 0xb;
        }
    }

    build(f, cards, MANY);
    free(cards);

    assert_int_equal(follow(f, "all", "type=rare", &bounded, &up), 3);
    assert_true(bounded > 0);

    /* too far from the last month to the newest one: no link, a dead end */
    assert_int_equal(up, 2);

    assert_int_equal(follow(f, "t0+t1", "", &bounded, &up), 4);
    assert_true(bounded > 0);
    assert_int_equal(follow(f, "t0+t1,t1+t0+!t3", "", &bounded, &up), 4);
    assert_true(bounded > 0);
    assert_int_equal(follow(f, "!t0+!t1", "", &bounded, &up), 0);
    assert_true(bounded > 0);
    assert_int_equal(follow(f, "t3", "", &bounded, &up), 1);
    assert_int_equal(bounded, 0);
    assert_int_equal(follow(f, "all", "type=never", &bounded, &up), 0);
    assert_int_equal(bounded, 0);
}


static void
test_rows_of_one_month_are_bounded(void **state)
{
    int bounded;
    size_t up;
    unsigned i;
    fixture_t *f = *state;
    spec_t *cards = calloc(MANY, sizeof(*cards));

    assert_non_null(cards);

    /* 2020-08, many of one time; one before that month, one after */

    for (i = 0; i < MANY; i++) {
        cards[i] = (spec_t){.n = i, .published = 1598918399 - i / 100,
            .type = "common", .mask = 1U << (i % 2)};
        if (i == 7 || i == MANY - 1 || i == MANY - 2) {
            cards[i].type = "rare";
        }
    }
    cards[MANY - 1].published = 1596239999;
    cards[7].published = 1598918400;

    build(f, cards, MANY);
    free(cards);

    assert_int_equal(follow(f, "all", "type=rare", &bounded, &up), 3);
    assert_true(bounded > 1);

    /* upward the rows do not suffice everywhere, but then nothing is said */
    assert_true(up >= 1 && up <= 3);

    assert_int_equal(follow(f, "t0+t1", "", &bounded, &up), 0);
    assert_true(bounded > 1);
}


int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

    const struct CMUnitTest tests[] = {
        TEST(test_rows_are_bounded),
        TEST(test_rows_of_one_month_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
