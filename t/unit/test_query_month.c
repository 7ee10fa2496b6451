/* test_query_month: archives and the catalogue's pages, as arguments. */

#include "query_fixture.h"

#define MARCH 1709251200 /* 2024-03-01T00:00:00Z */
#define APRIL 1711929600

#define MONTH_OF_MARCH (2024 * 12 + 2)


/* What a query for these arguments calls the page it asks for. */
static const char *
page_of(fixture_t *f, const char *text)
{
    cardfeed_page_t page;

    cardfeed_query_init(&f->query, &f->arena);
    assert_int_equal(args(f, text), CARDFEED_OK);
    page = cardfeed_query_page(&f->query);

    cardfeed_buf_reset(&f->out);
    assert_int_equal(cardfeed_query_print_args(&f->query, 50, &page,
                         &f->out),
        CARDFEED_OK);
    assert_int_equal(cardfeed_buf_char(&f->out, '\0'), CARDFEED_OK);

    return f->out.data;
}


static void
test_month(void **state)
{
    static const struct {
        const char *args;
        uint32_t month;
    } good[] = {
        {"month=2024-03", MONTH_OF_MARCH},
        {"month=0001-01", 12},
        {"month=9999-12", 9999 * 12 + 11},
        {"month=%32024%2D03", MONTH_OF_MARCH},
        {"m%6Fnth=2024-03", MONTH_OF_MARCH},
        {"month=1999-12&month=2024-03", MONTH_OF_MARCH},
        {"x=1&month=2024-03&y", MONTH_OF_MARCH},
        {"", 0},
        {"month", 0},
        {"month=", 0},
        {"month=2024-03&month=", 0},
        {"month=&month=2024-03", MONTH_OF_MARCH},
        {"Month=2024-13&months=x", 0},
    };

    size_t i;
    fixture_t *f = *state;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        cardfeed_query_init(&f->query, &f->arena);
        assert_int_equal(f->query.month, 0);
        assert_int_equal(args(f, good[i].args), CARDFEED_OK);

        if (f->query.month != good[i].month) {
            fail_msg("%s: %u", good[i].args, f->query.month);
        }
    }
}


static void
test_malformed_months(void **state)
{
    static char longer[CARDFEED_QUERY_MAX + 64] = "month=2024-03";
    static const char *bad[] = {"month=2024-00", "month=2024-13",
        "month=24-01", "month=2024-1", "month=0000-01", "month=2024",
        "month=2024-", "month=-", "month=2024-03-01", "month=202403",
        "month=2024-o3", "month=2024-%203", "month=+2024-03",
        "month=2024-03+", "month=2024-03%00", "month=%002024-03",
        "month=%", "month=2024-0%", "month=2024-0%ff", "month==2024-03",
        "month=2024-03;", "month=now", "month=20240-3", "month=10000-01",
        "month=-024-01", "month=%D9%A2%D9%A0%D9%A2%D9%A4-01",
        "month=2024-%EF%BC%90%EF%BC%91", "month=2024%E2%80%9001",
        "month=2024-13&month=2024-03", "month=2024-03&month=2024-13",
        longer};

    size_t i;
    fixture_t *f = *state;
    cardfeed_error_t err;

    memset(longer + strlen(longer), '1', sizeof(longer) - strlen(longer) - 1);

    assert_int_equal(args(f, "month=2001-02&limit=7"), CARDFEED_OK);

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        memset(&err, 0, sizeof(err));

        if (cardfeed_query_args(&f->query, cardfeed_str_of(bad[i]),
                MAX_LIMIT, &err)
            != CARDFEED_INVALID)
        {
            fail_msg("%.40s was taken", bad[i]);
        }

        assert_int_equal(err.code, CARDFEED_INVALID);
        assert_non_null(strstr(err.message, "month"));
        assert_int_equal(f->query.month, 2001 * 12 + 1);
        assert_int_equal(f->query.limit, 7);
    }
}


static void
test_one_text_for_a_page(void **state)
{
    static const struct {
        const char *args, *page;
    } cases[] = {
        {"", ""},
        {"month=", ""},
        {"month=2024-03", "?month=2024-03"},
        {"month=0099-12", "?month=0099-12"},
        {"limit=50&month=2024-03&x=y", "?month=2024-03"},
        {"since=2024-03-05&type=a&limit=7&month=2024-03",
            "?month=2024-03&limit=7&type=a&since=2024-03-05"},

        /* within the month, at its first second, and before it */
        {"before=1709251201.0000000000000001&month=2024-03&limit=9",
            "?month=2024-03&before=1709251201.0000000000000001&limit=9"},
        {"month=2024-03&before=1709251200.0000000000000000",
            "?month=2024-03&before=1709251200.0000000000000000"},
        {"month=2024-03&before=5.0000000000000001",
            "?month=2024-03&before=5.0000000000000001"},
        {"month=2024-03&before=1711929599.ffffffffffffffff",
            "?month=2024-03&before=1711929599.ffffffffffffffff"},

        /* a place before all of it says nothing */
        {"month=2024-03&before=1711929600.0000000000000000",
            "?month=2024-03"},
        {"before=1711929600.ffffffffffffffff&month=2024-03",
            "?month=2024-03"},
        {"before=253402300799.0000000000000001&month=2024-03",
            "?month=2024-03"},
        {"before=253402300799.0000000000000001&month=9999-12",
            "?month=9999-12&before=253402300799.0000000000000001"},

        /* the month that counts is the last one */
        {"month=2024-03&before=1711929601.0000000000000001&month=2024-04",
            "?month=2024-04&before=1711929601.0000000000000001"},
        {"month=2024-03&before=1711929601.0000000000000001&month=",
            "?before=1711929601.0000000000000001"},
    };

    size_t i;
    fixture_t *f = *state;
    char text[128];

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        snprintf(text, sizeof(text), "%s", page_of(f, cases[i].args));
        assert_string_equal(text, cases[i].page);

        /* and it means itself */
        assert_string_equal(page_of(f, *text ? text + 1 : text), text);
    }
}


/* A feed's own name knows no pages. */
static void
test_months_are_no_selection(void **state)
{
    fixture_t *f = *state;

    assert_int_equal(args(f, "month=2024-03&from=x&type=a&limit=3&"
                             "before=1709251201.0000000000000001"),
        CARDFEED_OK);
    assert_true(cardfeed_query_is_filtered(&f->query));
    cardfeed_buf_reset(&f->out);
    assert_int_equal(cardfeed_query_print(&f->query, &f->out), CARDFEED_OK);
    assert_str(cardfeed_buf_view(&f->out), "all?type=a");
    assert_str(shown_args(f), "?limit=3&type=a");

    cardfeed_query_init(&f->query, &f->arena);
    assert_int_equal(args(f, "month=2024-03&from=x"), CARDFEED_OK);
    assert_false(cardfeed_query_is_filtered(&f->query));
    assert_str(shown_args(f), "");
}


static void
test_other_pages_of_a_query(void **state)
{
    static const struct {
        cardfeed_page_t page;
        const char *text;
    } cases[] = {
        {{.month = 0}, "?limit=3&type=a"},
        {{.month = MONTH_OF_MARCH}, "?month=2024-03&limit=3&type=a"},
        {{.month = MONTH_OF_MARCH, .has_before = true,
             .before = {.published = -1, .id = 255}},
            "?month=2024-03&before=-1.00000000000000ff&limit=3&type=a"},
        {{.has_before = true, .before = {.published = 0, .id = 0}},
            "?before=0.0000000000000000&limit=3&type=a"},
    };

    size_t i;
    fixture_t *f = *state;

    assert_int_equal(args(f, "limit=3&type=a&month=1999-01&"
                             "before=1.0000000000000001"),
        CARDFEED_OK);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cardfeed_buf_reset(&f->out);
        assert_int_equal(cardfeed_query_print_args(&f->query, 50,
                             &cases[i].page, &f->out),
            CARDFEED_OK);
        assert_str(cardfeed_buf_view(&f->out), cases[i].text);
    }
}


static void
test_month_top(void **state)
{
    cardfeed_position_t top;

    (void) state;

    top = cardfeed_query_month_top(MONTH_OF_MARCH);
    assert_true(top.published == APRIL);
    assert_true(top.id == UINT64_MAX);

    top = cardfeed_query_month_top(MONTH_OF_MARCH - 1);
    assert_true(top.published == MARCH);
    assert_true(top.id == UINT64_MAX);

    top = cardfeed_query_month_top(9999 * 12 + 11);
    assert_true(top.published == INT64_C(253402300800));

    top = cardfeed_query_month_top(11);
    assert_true(top.published == INT64_C(-62135596800));
}


static void
test_window(void **state)
{
    static const struct {
        const char *args;
        int64_t since;
        bool has_before;
        int64_t published;
        uint64_t id;
    } cases[] = {
        {"", CARDFEED_NO_TIME, false, 0, 0},
        {"since=2024-03-02", MARCH + 86400, false, 0, 0},
        {"before=7.0000000000000001", CARDFEED_NO_TIME, true, 7, 1},
        {"month=2024-03", MARCH, true, APRIL, UINT64_MAX},
        {"month=2024-03&before=1709251201.0000000000000001", MARCH, true,
            MARCH + 1, 1},
        {"month=2024-03&before=7.0000000000000001", MARCH, true, 7, 1},
        {"month=2024-03&before=1711929600.0000000000000001", MARCH, true,
            APRIL, UINT64_MAX},

        /* the later one of both */
        {"month=2024-03&since=2024-02-29", MARCH, true, APRIL, UINT64_MAX},
        {"month=2024-03&since=2024-03-01", MARCH, true, APRIL, UINT64_MAX},
        {"month=2024-03&since=2024-03-02", MARCH + 86400, true, APRIL,
            UINT64_MAX},
        {"month=2024-03&since=2024-04-01", APRIL, true, APRIL, UINT64_MAX},
        {"month=0001-01", INT64_C(-62135596800), true,
            INT64_C(-62132918400), UINT64_MAX},
    };

    size_t i;
    fixture_t *f = *state;
    cardfeed_query_t window;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cardfeed_query_init(&f->query, &f->arena);
        assert_int_equal(selection(f, "a,!b"), CARDFEED_OK);
        assert_int_equal(args(f, cases[i].args), CARDFEED_OK);
        assert_int_equal(args(f, "type=x&limit=4"), CARDFEED_OK);

        window = cardfeed_query_window(&f->query);

        if (window.month != 0 || window.since != cases[i].since
            || window.has_before != cases[i].has_before)
        {
            fail_msg("%s: another window", cases[i].args);
        }

        if (window.has_before) {
            assert_true(window.before.published == cases[i].published);
            assert_true(window.before.id == cases[i].id);
        }

        /* all else is the same */
        assert_ptr_equal(window.alternatives, f->query.alternatives);
        assert_int_equal(window.nalternatives, 2);
        assert_int_equal(window.limit, 4);
        assert_int_equal(window.filters[CARDFEED_FILTER_TYPE].nterms, 1);
    }
}


static void
test_from(void **state)
{
    static const struct {
        const char *args, *from;
    } good[] = {
        {"", ""},
        {"from", ""},
        {"from=", ""},
        {"from=abc", "abc"},
        {"from=abc&from=", ""},
        {"from=abc&from=x-y", "x-y"},
        {"fr%6Fm=a%2Cb+c", "a,b c"},
        {"from=%D0%BF%D1%80", "\xd0\xbf\xd1\x80"},
        {"from=All", "All"},
    };
    static const char *bad[] = {"from=%", "from=%zz", "from=%00",
        "from=%ff", "from=a%c3"};

    char text[CARDFEED_SLUG_MAX + 16];

    size_t i;
    fixture_t *f = *state;
    cardfeed_error_t err;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        cardfeed_query_init(&f->query, &f->arena);
        assert_int_equal(f->query.from.len, 0);
        assert_int_equal(args(f, good[i].args), CARDFEED_OK);
        assert_str(f->query.from, good[i].from);
        assert_str(shown(f), "all");
        assert_str(shown_args(f), "");
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(args(f, bad[i]), CARDFEED_INVALID);
        assert_str(f->query.from, "All");
    }

    /* as long as a slug, and a byte longer */

    memset(text, 'a', sizeof(text));
    memcpy(text, "from=", 5);
    text[5 + CARDFEED_SLUG_MAX] = '\0';
    assert_int_equal(args(f, text), CARDFEED_OK);
    assert_str(f->query.from, text + 5);

    text[5 + CARDFEED_SLUG_MAX] = 'a';
    text[5 + CARDFEED_SLUG_MAX + 1] = '\0';
    memset(&err, 0, sizeof(err));
    assert_int_equal(cardfeed_query_args(&f->query, cardfeed_str_of(text),
                         MAX_LIMIT, &err),
        CARDFEED_INVALID);
    assert_non_null(strstr(err.message, "from"));
    assert_int_equal(f->query.from.len, CARDFEED_SLUG_MAX);
}


static void
test_known_names(void **state)
{
    (void) state;

    assert_true(cardfeed_query_knows(CARDFEED_STR("month")));
    assert_true(cardfeed_query_knows(CARDFEED_STR("from")));
    assert_false(cardfeed_query_knows(CARDFEED_STR("months")));
    assert_false(cardfeed_query_knows(CARDFEED_STR("From")));
}


int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

    const struct CMUnitTest tests[] = {
        TEST(test_month),
        TEST(test_malformed_months),
        TEST(test_one_text_for_a_page),
        TEST(test_months_are_no_selection),
        TEST(test_other_pages_of_a_query),
        TEST(test_month_top),
        TEST(test_window),
        TEST(test_from),
        TEST(test_known_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
