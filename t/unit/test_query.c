/* test_query: URL text → one canonical selection. */

#include "query_fixture.h"


static int
topic(fixture_t *f, const char *text)
{
    return cardfeed_query_topic(&f->query, cardfeed_str_of(text));
}


/* The canonical selection of the query. */
static void
test_a_new_query_is_all_newest_first(void **state)
{
    fixture_t *f = *state;

    assert_str(shown(f), "all");
    assert_int_equal(f->query.limit, 0);
    assert_false(f->query.has_before);
}


static void
test_split(void **state)
{
    static const struct {
        const char *path, *selection, *format;
    } good[] = {
        {"canvas-apps.atom", "canvas-apps", "atom"},
        {"all.rss", "all", "rss"},
        {"a.b.json", "a.b", "json"},
        {"a b.x", "a b", "x"},
    };
    static const char *bad[] = {"", ".", "all", "all.", ".atom", "a/b.atom",
        "/all.atom", "all.atom/", "all.at/om", "..", "a.b/"};

    size_t i;
    cardfeed_str_t sel, format;

    (void) state;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(cardfeed_query_split(cardfeed_str_of(good[i].path),
                             &sel, &format),
            CARDFEED_OK);
        assert_str(sel, good[i].selection);
        assert_str(format, good[i].format);
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(cardfeed_query_split(cardfeed_str_of(bad[i]), &sel,
                             &format),
            CARDFEED_NOTFOUND);
    }
}


static void
test_selection_is_exactly_a_slug(void **state)
{
    static const char *good[] = {"all", "canvas-apps", "csharp", "topic-all",
        "\xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82", "2020"};
    static const char *bad[] = {"", "All", "ALL", "Canvas-Apps",
        "canvas apps", "canvas--apps", "-canvas", "canvas-", "c#", "a++b",
        "a,,b", "!!a", "!", "+", ",", "a+", "+a", "a,", ",a", "a+!", ".net", "a/b", "..", "\xff\xfe", "a\xc3",
        "\xed\xa0\x80", " canvas", "canvas\n"};

    size_t i;
    fixture_t *f = *state;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(selection(f, good[i]), CARDFEED_OK);
        assert_str(shown(f), good[i]);
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(selection(f, bad[i]), CARDFEED_NOTFOUND);
        assert_str(shown(f), good[5]);
    }
}


static void
test_selection_with_nul_or_too_long(void **state)
{
    static char text[CARDFEED_QUERY_MAX + 2];

    fixture_t *f = *state;

    assert_int_equal(cardfeed_query_selection(&f->query,
                         CARDFEED_STR("all\0x")),
        CARDFEED_NOTFOUND);

    memset(text, 'a', sizeof(text));

    assert_int_equal(cardfeed_query_selection(&f->query,
                         (cardfeed_str_t){text, CARDFEED_SLUG_MAX}),
        CARDFEED_OK);
    assert_int_equal(cardfeed_query_selection(&f->query,
                         (cardfeed_str_t){text, CARDFEED_SLUG_MAX + 1}),
        CARDFEED_NOTFOUND);
    assert_int_equal(cardfeed_query_selection(&f->query,
                         (cardfeed_str_t){text, sizeof(text)}),
        CARDFEED_NOTFOUND);
    assert_int_equal(cardfeed_query_topic(&f->query,
                         (cardfeed_str_t){text, sizeof(text)}),
        CARDFEED_NOTFOUND);
}


static void
test_topic_by_name_or_slug(void **state)
{
    static const struct {
        const char *name, *slug;
    } cases[] = {
        {"", "all"},
        {"all", "all"},
        {"ALL", "all"},
        {"aLL", "all"},
        {"Canvas Apps", "canvas-apps"},
        {"canvas-apps", "canvas-apps"},
        {"C#", "csharp"},
        {"C++", "cplusplus"},
        {".NET", "dotnet"},
        {"topic-all", "topic-all"},
        {"a/b", "a-b"},
    };

    size_t i;
    fixture_t *f = *state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(topic(f, "else"), CARDFEED_OK);
        assert_int_equal(topic(f, cases[i].name), CARDFEED_OK);
        assert_str(shown(f), cases[i].slug);
    }

    assert_int_equal(topic(f, "caf\xc3"), CARDFEED_NOTFOUND);
    assert_str(shown(f), "a-b");
}


static void
test_limit(void **state)
{
    static const struct {
        const char *args;
        unsigned limit;
    } good[] = {
        {"limit=1", 1},
        {"limit=10", 10},
        {"limit=010", 10},
        {"limit=500", 500},
        {"limit=501", MAX_LIMIT},
        {"limit=4294967296", MAX_LIMIT},
        {"limit=18446744073709551617", MAX_LIMIT},
        {"limit=99999999999999999999999999999999999999999999", MAX_LIMIT},
        {"limit=5&limit=7", 7},
        {"l%69mit=%31%32", 12},
        {"&&limit=3&", 3},
        {"x=1&limit=9&y", 9},
    };
    static const char *bad[] = {"limit=0", "limit=000", "limit=", "limit",
        "limit=-1", "limit=+5", "limit=%2B5", "limit=1e9", "limit=NaN",
        "limit=5 ", "limit=%205", "limit=5%00", "limit=0x10", "limit=1.0",
        "limit=%", "limit=%4", "limit=%zz", "limit=%ff", "limit==5",
        "limit=5;", "limit=x&limit=5", "limit=5&limit="};

    size_t i;
    fixture_t *f = *state;
    cardfeed_error_t err;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(args(f, good[i].args), CARDFEED_OK);
        assert_int_equal(f->query.limit, good[i].limit);
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        memset(&err, 0, sizeof(err));
        assert_int_equal(cardfeed_query_args(&f->query,
                             cardfeed_str_of(bad[i]), MAX_LIMIT, &err),
            CARDFEED_INVALID);
        assert_int_equal(err.code, CARDFEED_INVALID);
        assert_non_null(strstr(err.message, "limit"));
        assert_int_equal(f->query.limit, 9);
    }
}


static void
test_before(void **state)
{
    static const struct {
        const char *args;
        int64_t published;
        uint64_t id;
    } good[] = {
        {"before=1594755900.00000000000000ff", 1594755900, 0xff},
        {"before=0.0000000000000000", 0, 0},
        {"before=-1.ffffffffffffffff", -1, UINT64_MAX},
        {"before=-62135596800.0123456789abcdef", INT64_C(-62135596800),
            UINT64_C(0x0123456789abcdef)},
        {"before=253402300799.fedcba9876543210", INT64_C(253402300799),
            UINT64_C(0xfedcba9876543210)},
        {"before=1%2e00000000000000ff", 1, 0xff},
        {"before=1.0000000000000001&before=2.0000000000000002", 2, 2},
    };
    static const char *bad[] = {"before", "before=", "before=.", "before=1",
        "before=1.", "before=.0000000000000001", "before=1.000000000000001",
        "before=1.00000000000000001", "before=1.000000000000000G",
        "before=1.000000000000000A", "before=+1.0000000000000001",
        "before=-.0000000000000001", "before=-0.0000000000000001",
        "before=01.0000000000000001", "before=1 .0000000000000001",
        "before=1.0000000000000001.", "before=1.0000000000000001x",
        "before=253402300800.0000000000000001",
        "before=-62135596801.0000000000000001",
        "before=9223372036854775808.0000000000000001",
        "before=99999999999999999999999999.0000000000000001",
        "before=1.0000000000000001%00", "before=%1.0000000000000001",
        "before=1.0x00000000000001", "before=1e3.0000000000000001"};

    size_t i;
    fixture_t *f = *state;
    cardfeed_error_t err;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(args(f, good[i].args), CARDFEED_OK);
        assert_true(f->query.has_before);
        assert_true(f->query.before.published == good[i].published);
        assert_true(f->query.before.id == good[i].id);
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        memset(&err, 0, sizeof(err));
        assert_int_equal(cardfeed_query_args(&f->query,
                             cardfeed_str_of(bad[i]), MAX_LIMIT, &err),
            CARDFEED_INVALID);
        assert_non_null(strstr(err.message, "before"));
        assert_true(f->query.before.id == 2);
    }
}


static void
test_unknown_arguments_are_ignored(void **state)
{
    static const char *cases[] = {"", "&", "=", "=&=", "utm_source=x", "%",
        "%zz=%zz&a=%", "Limit=0", "limits=0", "limi=0", "%00=1", "%ff=%ff",
        "limit%00=0", "limit%20=0", "+limit=0", "a=b=c=%&&&&"};

    size_t i;
    fixture_t *f = *state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(args(f, cases[i]), CARDFEED_OK);
        assert_int_equal(f->query.limit, 0);
        assert_false(f->query.has_before);
    }
}


static void
test_a_failure_changes_nothing(void **state)
{
    fixture_t *f = *state;

    assert_int_equal(args(f, "limit=5"), CARDFEED_OK);
    assert_int_equal(args(f, "limit=6&before=1.0000000000000001&limit=x"),
        CARDFEED_INVALID);
    assert_int_equal(f->query.limit, 5);
    assert_false(f->query.has_before);
}


static void
test_long_arguments(void **state)
{
    static char text[CARDFEED_QUERY_MAX + 7];

    fixture_t *f = *state;
    cardfeed_str_t s = {.data = text, .len = CARDFEED_QUERY_MAX};

    memset(text, '9', sizeof(text));
    memcpy(text, "limit=", 6);

    assert_int_equal(cardfeed_query_args(&f->query, s, MAX_LIMIT, NULL),
        CARDFEED_OK);
    assert_int_equal(f->query.limit, MAX_LIMIT);

    s.len = sizeof(text);
    assert_int_equal(cardfeed_query_args(&f->query, s, MAX_LIMIT, NULL),
        CARDFEED_INVALID);

    /* Nobody asks how long an unknown one is, or its name. */
    memcpy(text, "trace=", 6);
    assert_int_equal(cardfeed_query_args(&f->query, s, MAX_LIMIT, NULL),
        CARDFEED_OK);
    memset(text, 'a', sizeof(text));
    assert_int_equal(cardfeed_query_args(&f->query, s, MAX_LIMIT, NULL),
        CARDFEED_OK);
}


static void
test_knows(void **state)
{
    (void) state;

    assert_true(cardfeed_query_knows(CARDFEED_STR("limit")));
    assert_true(cardfeed_query_knows(CARDFEED_STR("bef%6Fre")));
    assert_false(cardfeed_query_knows(CARDFEED_STR("limi")));
    assert_false(cardfeed_query_knows(CARDFEED_STR("")));
    assert_false(cardfeed_query_knows(CARDFEED_STR("%zz")));
}


static void
test_print(void **state)
{
    fixture_t *f = *state;

    assert_int_equal(cardfeed_query_print(&f->query, &f->out), CARDFEED_OK);
    assert_str(cardfeed_buf_view(&f->out), "all");

    cardfeed_buf_reset(&f->out);
    assert_int_equal(topic(f, "Canvas Apps"), CARDFEED_OK);
    assert_int_equal(cardfeed_query_print(&f->query, &f->out), CARDFEED_OK);
    assert_str(cardfeed_buf_view(&f->out), "canvas-apps");
}


static void
print_args(fixture_t *f, const cardfeed_position_t *before)
{
    cardfeed_page_t page = {.has_before = before != NULL};

    if (before != NULL) {
        page.before = *before;
    }

    cardfeed_buf_reset(&f->out);
    assert_int_equal(cardfeed_query_print_args(&f->query, 50, &page,
                         &f->out),
        CARDFEED_OK);
}


static void
test_print_args(void **state)
{
    fixture_t *f = *state;
    cardfeed_position_t p = {.published = -5, .id = 0xab};

    print_args(f, NULL);
    assert_str(cardfeed_buf_view(&f->out), "");

    assert_int_equal(args(f, "limit=50"), CARDFEED_OK);
    print_args(f, NULL);
    assert_str(cardfeed_buf_view(&f->out), "");

    assert_int_equal(args(f, "limit=7"), CARDFEED_OK);
    print_args(f, NULL);
    assert_str(cardfeed_buf_view(&f->out), "?limit=7");

    print_args(f, &p);
    assert_str(cardfeed_buf_view(&f->out),
        "?before=-5.00000000000000ab&limit=7");

    assert_int_equal(args(f, "limit=50"), CARDFEED_OK);
    print_args(f, &p);
    assert_str(cardfeed_buf_view(&f->out), "?before=-5.00000000000000ab");
}


static void
test_what_is_printed_is_read_again(void **state)
{
    static const cardfeed_position_t places[] = {
        {INT64_C(-62135596800), 0},
        {INT64_C(253402300799), UINT64_MAX},
        {0, 1},
    };

    size_t i;
    fixture_t *f = *state;
    cardfeed_str_t text;

    for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        f->query.limit = 3;
        print_args(f, &places[i]);

        text = cardfeed_buf_view(&f->out);
        text.data++;
        text.len--;

        cardfeed_query_init(&f->query, &f->arena);
        assert_int_equal(cardfeed_query_args(&f->query, text, MAX_LIMIT,
                             NULL),
            CARDFEED_OK);
        assert_true(f->query.before.published == places[i].published);
        assert_true(f->query.before.id == places[i].id);
        assert_int_equal(f->query.limit, 3);
    }
}


static void
test_out_of_memory(void **state)
{
    fixture_t *f = *state;
    cardfeed_arena_t small;
    cardfeed_buf_t tiny;

    cardfeed_arena_init(&small, 4);
    f->query.arena = &small;
    assert_int_equal(selection(f, "canvas-apps"), CARDFEED_NOMEM);
    assert_str(shown(f), "all");
    cardfeed_arena_free(&small);

    cardfeed_buf_init(&tiny, 2);
    assert_int_equal(cardfeed_query_print(&f->query, &tiny), CARDFEED_NOMEM);
    cardfeed_buf_free(&tiny);
}


int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

    const struct CMUnitTest tests[] = {
        TEST(test_a_new_query_is_all_newest_first),
        TEST(test_split),
        TEST(test_selection_is_exactly_a_slug),
        TEST(test_selection_with_nul_or_too_long),
        TEST(test_topic_by_name_or_slug),
        TEST(test_limit),
        TEST(test_before),
        TEST(test_unknown_arguments_are_ignored),
        TEST(test_a_failure_changes_nothing),
        TEST(test_long_arguments),
        TEST(test_knows),
        TEST(test_print),
        TEST(test_print_args),
        TEST(test_what_is_printed_is_read_again),
        TEST(test_out_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
