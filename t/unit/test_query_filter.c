/* test_query_filter: filters have one canonical form. */

#include "query_fixture.h"


static void
test_canonical_filters(void **state)
{
    static const struct {
        const char *args, *canonical;
    } cases[] = {
        {"", ""},
        {"type=video", "?type=video"},
        {"type=Video", "?type=video"},
        {"type=b,a,b,A", "?type=a,b"},
        {"type=b%2Ca", "?type=a,b"},
        {"type=!b,!a", "?type=!a,!b"},
        {"type=%21a", "?type=!a"},
        {"type=%12!a", "?type=!a"},
        {"type=%C2%A0!%E2%80%A8a", "?type=!a"},
        {"type=%12!!a,b", "?type=b"},
        {"type=!a,b", "?type=b"},
        {"type=a,b,!b", "?type=a"},
        {"type=b,!b,a,!a", "?type=a,!a"},
        {"type=a,!a", "?type=a,!a"},
        {"type=a,!a,!b", "?type=a,!a"},
        {"type=!!a", "?type=!%21a"},
        {"type=+a+,+!+b++c", "?type=a"},
        {"category=!+b++c", "?category=!b%20c"},
        {"type=", ""},
        {"type", ""},
        {"type=a&type=b", "?type=b"},
        {"type=a&type=", ""},
        {"provider=Microsoft+Learn", "?provider=microsoft%20learn"},
        {"provider=a%2Bb", "?provider=a%2Bb"},
        {"provider=%26%3D%23%3F%25", "?provider=%26%3D%23%3F%25"},
        {"author=J\xc3\xb6RG", "?author=j%C3%B6rg"},
        {"author=x&category=y&provider=z&type=t",
            "?type=t&category=y&provider=z&author=x"},
        {"min_quality=50", "?min_quality=50"},
        {"min_quality=050", "?min_quality=50"},
        {"min_quality=0", "?min_quality=0"},
        {"min_quality=-0", "?min_quality=0"},
        {"min_heat=-7", "?min_heat=-7"},
        {"min_heat=99999999999999999999", "?min_heat=2147483647"},
        {"min_heat=-99999999999999999999", "?min_heat=-2147483647"},
        {"min_heat=5&min_heat=", ""},
        {"since=2020-07-14", "?since=2020-07-14"},
        {"since=2020-07-14T00:00:00Z", "?since=2020-07-14"},
        {"since=2020-07-14T19:45:00.123z", "?since=2020-07-14T19:45:00Z"},
        {"since=2020-07-14T21:45:00%2B02:00", "?since=2020-07-14T19:45:00Z"},
        {"since=2020-07-14T17:45:00-02:00", "?since=2020-07-14T19:45:00Z"},
        {"since=2020-07-14%2019:45:00Z", "?since=2020-07-14T19:45:00Z"},
        {"since=1969-12-31", "?since=1969-12-31"},
        {"since=0001-01-01T00:00:00%2B14:00", "?since=0001-01-01"},
        {"since=2020-01-01&since=", ""},
        {"since=2020-01-01&limit=7&min_heat=1&min_quality=2&author=a",
            "?limit=7&author=a&min_quality=2&min_heat=1&since=2020-01-01"},
    };

    size_t i;
    fixture_t *f = *state;
    char text[256];

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cardfeed_query_init(&f->query, &f->arena);
        if (args(f, cases[i].args) != CARDFEED_OK) {
            fail_msg("%s", cases[i].args);
        }
        assert_str(shown_args(f), cases[i].canonical);
        assert_int_equal(cardfeed_query_is_filtered(&f->query),
            cases[i].canonical[0] != '\0');

        if (cases[i].canonical[0] == '\0') {
            continue;
        }

        snprintf(text, sizeof(text), "%s", cases[i].canonical + 1);
        cardfeed_query_init(&f->query, &f->arena);
        assert_int_equal(args(f, text), CARDFEED_OK);
        assert_str(shown_args(f), cases[i].canonical);
    }
}


static void
test_malformed_filters(void **state)
{
    static const char *bad[] = {"type=,", "type=a,", "type=,a", "type=a,,b",
        "type=!", "type=a,!", "type=!,a", "type=+", "type=%20", "type=a,+",
        "type=%", "type=%f", "type=%00", "type=a%00b", "type=%ff",
        "type=%ed%a0%80", "type=%c0%af", "category=,,", "provider=!!,!",
        "author=,", "type=%e2%80%a8", "type=1,2,3,4,5,6,7,8,9,0,a,b,c,d,e,f,g",
        "min_quality=x", "min_quality=-", "min_quality=--1", "min_quality=1e9",
        "min_quality=NaN", "min_quality=+5", "min_quality=%2B5",
        "min_quality=1.5", "min_quality=5+", "min_quality=0x10",
        "min_heat=%", "min_heat=1,2", "min_heat=inf", "since=x",
        "since=yesterday", "since=2020", "since=2020-01", "since=2020-1-1",
        "since=2020-13-01", "since=2020-02-30", "since=2021-02-29",
        "since=0000-01-01", "since=10000-01-01", "since=20200101",
        "since=2020-01-01T00:00:00", "since=2020-01-01T00:00Z",
        "since=2020-01-01T25:00:00Z", "since=2020-01-01T00:61:00Z",
        "since=2020-01-01T00:00:00+02:00", "since=2020-01-01T00:00:00-2:00",
        "since=2020-01-01T00:00:00-02", "since=2020-01-01T00:00:00UTC",
        "since=2020-01-01T00:00:00-99:00", "since=2020-01-01Z",
        "since=+2020-01-01", "since=2020-01-01+", "since=-2020-01-01",
        "since=2020-01-01x", "since=2020-01-01T00:00:00ZZ",
        "since=2020-01-01T00:00:00.5", "since=1577836800", "since=%00"};

    size_t i;
    fixture_t *f = *state;
    cardfeed_error_t err;
    char name[32];

    assert_int_equal(args(f, "type=a&min_heat=3&since=2020-01-01"),
        CARDFEED_OK);

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        memset(&err, 0, sizeof(err));
        if (cardfeed_query_args(&f->query, cardfeed_str_of(bad[i]), MAX_LIMIT,
                &err)
            != CARDFEED_INVALID)
        {
            fail_msg("%s", bad[i]);
        }

        snprintf(name, sizeof(name), "%.*s", (int) strcspn(bad[i], "="),
            bad[i]);
        assert_int_equal(err.code, CARDFEED_INVALID);
        assert_non_null(strstr(err.message, name));
        assert_str(shown_args(f), "?type=a&min_heat=3&since=2020-01-01");
    }
}


static void
test_long_filters(void **state)
{
    static char text[8192];

    size_t i, len;
    fixture_t *f = *state;

    /* the longest values there are, each byte of them three when printed */
    for (i = 0; i < CARDFEED_FILTERS; i++) {
        static const char *const filter[] = {"type", "category", "provider",
            "author"};

        len = (size_t) sprintf(text, "%s=!", filter[i]);
        memset(text + len, '|', CARDFEED_QUERY_MAX - 1);
        text[len + CARDFEED_QUERY_MAX - 1] = '\0';
        assert_int_equal(args(f, text), CARDFEED_OK);

        text[len + CARDFEED_QUERY_MAX - 1] = '|';
        text[len + CARDFEED_QUERY_MAX] = '\0';
        assert_int_equal(args(f, text), CARDFEED_INVALID);
    }

    memset(text, 'a', CARDFEED_QUERY_MAX);
    for (i = 199; i < CARDFEED_QUERY_MAX; i += 200) {
        text[i] = ',';
    }
    text[CARDFEED_QUERY_MAX] = '\0';
    assert_int_equal(selection(f, text), CARDFEED_OK);
    assert_int_equal(args(f, "min_heat=-2147483647&min_quality=-2147483647"
                             "&limit=499&since=2020-07-14T19:45:00Z"),
        CARDFEED_OK);
    cardfeed_buf_reset(&f->out);
    assert_int_equal(cardfeed_query_print(&f->query, &f->out), CARDFEED_OK);
    assert_true(f->out.len > 24000);
    assert_true(shown_args(f).len > 24000);
}


static void
test_the_identity_of_a_feed(void **state)
{
    static const struct {
        const char *selection, *args, *printed;
    } cases[] = {
        {"all", "", "all"},
        {"all", "limit=7&before=1.0000000000000001", "all"},
        {"canvas-apps", "limit=3", "canvas-apps"},
        {"\xd1\x8f", "", "\xd1\x8f"},
        {"b+a", "", "a+b"},
        {"b,a", "type=B,a&limit=9", "a,b?type=a,b"},
        {"all", "since=2020-01-01&type=!x", "all?type=!x&since=2020-01-01"},
        {"a+!a", "min_heat=1", "!all?min_heat=1"},
    };

    size_t i;
    fixture_t *f = *state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cardfeed_query_init(&f->query, &f->arena);
        assert_int_equal(selection(f, cases[i].selection), CARDFEED_OK);
        assert_int_equal(args(f, cases[i].args), CARDFEED_OK);
        cardfeed_buf_reset(&f->out);
        assert_int_equal(cardfeed_query_print(&f->query, &f->out),
            CARDFEED_OK);
        assert_str(cardfeed_buf_view(&f->out), cases[i].printed);
    }
}


static void
test_memory_that_runs_out(void **state)
{
    size_t max;
    int rc, done;
    fixture_t *f = *state;
    cardfeed_arena_t small;

    for (max = 0, done = 0; done < 2; max += 8) {
        cardfeed_arena_init(&small, max);
        cardfeed_query_init(&f->query, &small);

        rc = selection(f, "b+a,!c,d+!d,all+e");
        assert_true(rc == CARDFEED_OK || rc == CARDFEED_NOMEM);
        assert_str(shown(f), rc == CARDFEED_OK ? "a+b,e,!c" : "all");
        done = rc == CARDFEED_OK;

        rc = args(f, "type=video,b,!c&since=2020-01-01");
        assert_true(rc == CARDFEED_OK || rc == CARDFEED_NOMEM);
        assert_str(shown_args(f),
            rc == CARDFEED_OK ? "?type=b,video&since=2020-01-01" : "");
        done += rc == CARDFEED_OK;

        cardfeed_arena_free(&small);
        assert_true(max < 65536);
    }
}


int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

    const struct CMUnitTest tests[] = {
        TEST(test_canonical_filters),
        TEST(test_malformed_filters),
        TEST(test_long_filters),
        TEST(test_the_identity_of_a_feed),
        TEST(test_memory_that_runs_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
