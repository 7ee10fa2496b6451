/* test_text_plain: strings, UTF-8, plain text, escapes, messages, URNs. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <cardfeed/text.h>

/* A string that may hold NUL. */
#define BYTES(literal) CARDFEED_STR(literal)


static void
assert_str(cardfeed_str_t got, cardfeed_str_t want, cardfeed_str_t input)
{
    if (!cardfeed_str_eq(got, want)) {
        fail_msg("\"%.*s\" gave \"%.*s\", not \"%.*s\"", (int) input.len,
            input.data, (int) got.len, got.data, (int) want.len, want.data);
    }
}


static void
test_simple_strings(void **state)
{
    cardfeed_str_t null;

    (void) state;

    null = (cardfeed_str_t){.data = NULL, .len = 0};

    assert_true(cardfeed_str_eq(null, CARDFEED_NO_STR));
    assert_true(cardfeed_str_eq(BYTES("a\0b"), BYTES("a\0b")));
    assert_false(cardfeed_str_eq(BYTES("a\0b"), BYTES("a\0c")));
    assert_false(cardfeed_str_eq(BYTES("a"), BYTES("ab")));

    assert_true(cardfeed_str_caseeq(BYTES("pubLIshed@Z"),
        BYTES("PUBLISHED@z")));
    assert_false(cardfeed_str_caseeq(BYTES("@["), BYTES("`{")));
    assert_false(cardfeed_str_caseeq(BYTES("\xc3\xa4"), BYTES("\xc3\x84")));

    assert_int_equal(cardfeed_str_cmp(null, CARDFEED_NO_STR), 0);
    assert_true(cardfeed_str_cmp(BYTES("a"), BYTES("ab")) < 0);
    assert_true(cardfeed_str_cmp(BYTES("ab"), BYTES("a")) > 0);
    assert_true(cardfeed_str_cmp(BYTES("\xc3"), BYTES("z")) > 0);
    assert_int_equal(cardfeed_str_cmp(BYTES("xy"), BYTES("xy")), 0);

    assert_true(cardfeed_str_eq(cardfeed_str_trim(BYTES(" \t\r\n a b\v\f ")),
        BYTES("a b")));
    assert_int_equal(cardfeed_str_trim(BYTES(" \n ")).len, 0);
    assert_int_equal(cardfeed_str_trim(null).len, 0);

    assert_int_equal(cardfeed_str_of(NULL).len, 0);
    assert_non_null(cardfeed_str_of(NULL).data);
    assert_true(cardfeed_str_eq(cardfeed_str_of("abc"), BYTES("abc")));
}


static void
test_utf8_check(void **state)
{
    static const struct {
        cardfeed_str_t s;
        size_t at;
    } cases[] = {
        {{"", 0}, 0},
        {{"plain", 5}, 5},
        {{"a\0b", 3}, 3},
        {{"\xc3\xa9t\xc3\xa9", 5}, 5},
        {{"\xf0\x9f\x98\x80", 4}, 4},
        {{"\xf4\x8f\xbf\xbf", 4}, 4},
        {{"\xef\xbf\xbf", 3}, 3},
        {{"longer than eight \xc3", 19}, 18},
        {{"longer than eight\x80 and more", 27}, 17},
        {{"a\xc0\x80", 3}, 1},
        {{"a\xc1\xbf", 3}, 1},
        {{"\xe0\x9f\xbf", 3}, 0},
        {{"\xed\xa0\x80", 3}, 0},
        {{"\xed\x9f\xbf", 3}, 3},
        {{"\xf0\x8f\xbf\xbf", 4}, 0},
        {{"\xf4\x90\x80\x80", 4}, 0},
        {{"\xf5\x80\x80\x80", 4}, 0},
        {{"\xff", 1}, 0},
        {{"xx\xe2\x82", 4}, 2},
        {{"xx\xe2\x82x", 5}, 2},
        {{"xx\xf0\x9f\x98", 5}, 2},
        {{"\xbf", 1}, 0},
    };
    size_t i;

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (cardfeed_utf8_check(cases[i].s) != cases[i].at) {
            fail_msg("case %zu: %zu", i, cardfeed_utf8_check(cases[i].s));
        }
    }
}


static void
test_utf8_check_knows_every_character(void **state)
{
    char bytes[4];
    uint32_t cp;
    size_t len;
    bool good;

    (void) state;

    for (cp = 0; cp < 0x200000; cp++) {
        len = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
        good = cp <= 0x10ffff && !(cp >= 0xd800 && cp <= 0xdfff);

        if (len == 1) {
            bytes[0] = (char) cp;

        } else {
            bytes[0] = (char) (0xf00 >> len | cp >> 6 * (len - 1));
            bytes[1] = (char) (0x80 | (cp >> 6 * (len - 2) & 0x3f));
            bytes[2] = (char) (0x80 | (len > 2
                ? cp >> 6 * (len - 3) & 0x3f : 0));
            bytes[3] = (char) (0x80 | (cp & 0x3f));
        }

        if ((cardfeed_utf8_check((cardfeed_str_t){bytes, len}) == len)
            != good)
        {
            fail_msg("U+%04X", (unsigned) cp);
        }
    }
}


static void
plain(cardfeed_str_t input, unsigned flags, cardfeed_str_t want)
{
    cardfeed_buf_t out;

    cardfeed_buf_init(&out, 4096);
    assert_int_equal(cardfeed_text_plain(&out, input, flags), CARDFEED_OK);
    assert_str(cardfeed_buf_view(&out), want, input);
    assert_int_equal(cardfeed_utf8_check(cardfeed_buf_view(&out)), out.len);
    cardfeed_buf_free(&out);
}


static void
test_plain_without_entities(void **state)
{
    (void) state;

    plain(BYTES(""), 0, BYTES(""));
    plain((cardfeed_str_t){.data = NULL, .len = 0}, 0, BYTES(""));
    plain(BYTES(" \r\n\t"), 0, BYTES(""));
    plain(BYTES("  one \t\r\n two\v\fthree  "), 0, BYTES("one two three"));
    plain(BYTES("AT&amp;T &#8217;"), 0, BYTES("AT&amp;T &#8217;"));
    plain(BYTES("a\0b\x01\x1b[0m\x7f"), 0, BYTES("ab[0m"));
    plain(BYTES("a\xc2\x80\xc2\x9f" "b\xc2\x85" "c"), 0, BYTES("ab c"));
    plain(BYTES("\xc2\xa0x\xc2\xa0\xe2\x80\xa8\xe2\x80\xa9y\xe3\x80\x80"), 0,
        BYTES("x y"));
    plain(BYTES("a\xef\xbf\xbe" "b\xef\xb7\x90" "c\xf0\x9f\xbf\xbf" "d"), 0,
        BYTES("abcd"));
    plain(BYTES("\xf0\x9f\x98\x80 \xe4\xb8\xad\xe6\x96\x87"), 0,
        BYTES("\xf0\x9f\x98\x80 \xe4\xb8\xad\xe6\x96\x87"));
}


static void
test_plain_replaces_malformed_bytes(void **state)
{
#define R "\xef\xbf\xbd"
    (void) state;

    plain(BYTES("a\xff" "b"), 0, BYTES("a" R "b"));
    plain(BYTES("\xc3"), 0, BYTES(R));
    plain(BYTES("\xe2\x82"), 0, BYTES(R));
    plain(BYTES("\xe2\x82 x"), 0, BYTES(R " x"));
    plain(BYTES("\xed\xa0\x80"), 0, BYTES(R R R));
    plain(BYTES("\xc0\xaf"), 0, BYTES(R R));
    plain(BYTES("\xf0\x9f\x98" "a"), 0, BYTES(R "a"));
#undef R
}


static void
test_plain_decodes_entities_once(void **state)
{
    static const struct {
        const char *input;
        const char *want;
    } cases[] = {
        {"AT&amp;T", "AT&T"},
        {"&amp;quot;", "&quot;"},
        {"&amp;amp;lt;", "&amp;lt;"},
        {"&lt;b&gt;&quot;&apos;", "<b>\"'"},
        {"It&#8217;s &#x2019;&#X2019;", "It\xe2\x80\x99s "
                                        "\xe2\x80\x99\xe2\x80\x99"},
        {"&eacute;&Eacute;&euro;&hellip;", "\xc3\xa9\xc3\x89\xe2\x82\xac"
                                           "\xe2\x80\xa6"},
        {"&#128512;", "\xf0\x9f\x98\x80"},
        {"&nbsp;a&nbsp;&nbsp; b&#32;&#10;", "a b"},
        {"&#146;&#x80;&#159;", "\xe2\x80\x99\xe2\x82\xac\xc5\xb8"},
        {"a&#129;b&#133;", "ab\xe2\x80\xa6"},
        {"a&#0;b&#1;c&#x1f;d&#127;e", "abcde"},
        {"a&#xD800;b&#xDFFF;c&#xFFFE;d&#xFDD0;e", "abcde"},
        {"a&#x110000;b&#99999999999999999999;c&#xFFFFFFFFFFFFFFFFF1;d",
         "abcd"},
        {"&#00000000000000000000065;", "A"},
        {"AT&T & Co &", "AT&T & Co &"},
        {"&amp &lt &copy", "&amp &lt &copy"},
        {"&bogus; &AMP; &;", "&bogus; &AMP; &;"},
        {"&#; &#x; &#xg; &#12a; &# &#x", "&#; &#x; &#xg; &#12a; &# &#x"},
        {"&amp;&amp;", "&&"},
        {"&&amp;", "&&"},
        {"&am&lt;", "&am<"},
        {"&#3&lt;", "&#3<"},
        {"?a=1&copy=2&lang=en", "?a=1&copy=2&lang=en"},
        {"&thisnameislongerthananynamethatthereis;",
         "&thisnameislongerthananynamethatthereis;"},
    };
    size_t i;

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        plain(cardfeed_str_of(cases[i].input), CARDFEED_PLAIN_ENTITIES,
            cardfeed_str_of(cases[i].want));
    }

    plain(BYTES("&am\0p;"), CARDFEED_PLAIN_ENTITIES, BYTES("&amp;"));
    plain((cardfeed_str_t){.data = "&amp;", .len = 4},
        CARDFEED_PLAIN_ENTITIES, BYTES("&amp"));
    plain((cardfeed_str_t){.data = "&#65;", .len = 4},
        CARDFEED_PLAIN_ENTITIES, BYTES("&#65"));
}


/* Whatever the maximum, either all is appended or nothing. */
static void
test_plain_and_escape_append_all_or_nothing(void **state)
{
    cardfeed_str_t input;
    cardfeed_buf_t out;
    size_t max;
    int rc;

    (void) state;

    input = BYTES(" ab &lt; \xff \x01 c\xc3\xa9 ");

    for (max = 0; max < 60; max++) {
        cardfeed_buf_init(&out, max);

        if (cardfeed_buf_cstr(&out, "><") == CARDFEED_OK) {
            rc = cardfeed_text_plain(&out, input, CARDFEED_PLAIN_ENTITIES);
            assert_int_equal(rc, max < 14 ? CARDFEED_NOMEM : CARDFEED_OK);
            assert_int_equal(out.failed, rc);
            assert_int_equal(out.len, rc == CARDFEED_OK ? 14 : 2);
        }

        cardfeed_buf_free(&out);
        cardfeed_buf_init(&out, max);

        rc = cardfeed_text_escape(&out, input);
        assert_int_equal(rc, max < 23 ? CARDFEED_NOMEM : CARDFEED_OK);
        assert_int_equal(out.failed, rc);
        assert_int_equal(out.len, rc == CARDFEED_OK ? 23 : 0);
        cardfeed_buf_free(&out);
    }
}


static void
test_plain_appends_without_a_space_of_its_own(void **state)
{
    cardfeed_buf_t out;

    (void) state;

    cardfeed_buf_init(&out, 100);
    assert_int_equal(cardfeed_buf_cstr(&out, "x"), CARDFEED_OK);
    assert_int_equal(cardfeed_text_plain(&out, BYTES("  y  "), 0),
        CARDFEED_OK);
    assert_str(cardfeed_buf_view(&out), BYTES("xy"), BYTES("y"));
    cardfeed_buf_free(&out);
}


static void
test_cut(void **state)
{
    cardfeed_str_t s;
    size_t max, len;

    (void) state;

    s = BYTES("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z");

    for (max = 0; max < s.len + 2; max++) {
        len = cardfeed_text_cut(s, max).len;
        assert_true(len <= max);
        assert_true(len + 4 > max || len == s.len);
        assert_int_equal(cardfeed_utf8_check((cardfeed_str_t){s.data, len}),
            len);
    }

    assert_int_equal(cardfeed_text_cut(s, 2).len, 1);
    assert_int_equal(cardfeed_text_cut(s, 3).len, 3);
    assert_int_equal(cardfeed_text_cut(s, 9).len, 6);
    assert_int_equal(cardfeed_text_cut(s, 10).len, 10);
    assert_int_equal(cardfeed_text_cut(BYTES("\x80\x80\x80\x80\x80\x80\x80"),
        5).len, 5);
    assert_int_equal(cardfeed_text_cut(BYTES("\x80\x80\x80"), 1).len, 1);
    assert_int_equal(cardfeed_text_cut(CARDFEED_NO_STR, 0).len, 0);
}


static void
test_escape(void **state)
{
    cardfeed_buf_t out;
    cardfeed_str_t input;

    (void) state;

    input = BYTES("a\0b\n\x7f\\ \xc3\xa9 \xc2\x9b" "1m \xff\xe2\x82");
    cardfeed_buf_init(&out, 200);
    assert_int_equal(cardfeed_text_escape(&out, input), CARDFEED_OK);
    assert_str(cardfeed_buf_view(&out), BYTES("a\\x00b\\x0a\\x7f\\x5c "
        "\xc3\xa9 \\xc2\\x9b" "1m \\xff\\xe2\\x82"), input);
    cardfeed_buf_free(&out);
}


static void
test_error_messages(void **state)
{
    cardfeed_error_t err;
    char text[1001];
    size_t i, len;

    (void) state;

    assert_int_equal(cardfeed_error_set(NULL, CARDFEED_FULL, 1, "x"),
        CARDFEED_FULL);

    assert_int_equal(cardfeed_error_set(&err, CARDFEED_INVALID, 7,
        "bad %s \"%.*s\"", "date", 3, "a\nb"), CARDFEED_INVALID);
    assert_int_equal(err.code, CARDFEED_INVALID);
    assert_int_equal(err.line, 7);
    assert_string_equal(err.message, "bad date \"a\\x0ab\"");

    (void) cardfeed_error_set(&err, -1, 0, "%s",
        "\x1b[1m\x7f \\ \xc3\xa9 \xff \xc2\x9b");
    assert_int_equal(err.line, 0);
    assert_string_equal(err.message,
        "\\x1b[1m\\x7f \\ \xc3\xa9 \\xff \\xc2\\x9b");

    (void) cardfeed_error_set(&err, -1, 0, "%s", "");
    assert_string_equal(err.message, "");

    /* The cut never splits a character nor an escape, wherever it falls. */
    for (i = 0; i < 8; i++) {
        memset(text, 'x', sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        memcpy(text + sizeof(err.message) - 1 - i, "\xf0\x9f\x98\x80", 4);
        (void) cardfeed_error_set(&err, -1, 0, "%s", text);
        len = strlen(err.message);
        assert_int_equal(len, sizeof(err.message) - 1 - (i < 4 ? i : 0));
        assert_int_equal(cardfeed_utf8_check(
            (cardfeed_str_t){err.message, len}), len);

        memcpy(text + sizeof(err.message) - 1 - i, "\x01xxx", 4);
        (void) cardfeed_error_set(&err, -1, 0, "%s", text);
        assert_int_equal(strlen(err.message),
            sizeof(err.message) - 1 - (i < 4 ? i : 0));
    }
}


static void
test_hash_never_changes(void **state)
{
    (void) state;

    assert_true(cardfeed_text_hash(CARDFEED_NO_STR)
        == UINT64_C(0x2d06800538d394c2));
    assert_true(cardfeed_text_hash((cardfeed_str_t){.data = NULL, .len = 0})
        == UINT64_C(0x2d06800538d394c2));
    assert_true(cardfeed_text_hash(BYTES("a"))
        == UINT64_C(0xe6c632b61e964e1f));
    assert_true(cardfeed_text_hash(BYTES("a"))
        != cardfeed_text_hash(BYTES("a\0")));
}


/* Readers have these: a change here delivers every card again. */
static void
test_urns_never_change(void **state)
{
    char urn[CARDFEED_URN_LEN + 1];

    (void) state;

    assert_int_equal(cardfeed_text_urn(urn, BYTES("news"), '/',
        BYTES("2020/hello")), CARDFEED_OK);
    assert_string_equal(urn, "urn:uuid:871c235f-cb53-537d-9120-339008e4f82c");
    assert_int_equal(cardfeed_text_urn(urn, BYTES("news"), '?',
        BYTES("all")), CARDFEED_OK);
    assert_string_equal(urn, "urn:uuid:630cefb9-e591-516f-8b5b-1b241087a43c");
    assert_int_equal(cardfeed_text_urn(urn, BYTES("news"), '#',
        CARDFEED_NO_STR), CARDFEED_OK);
    assert_string_equal(urn, "urn:uuid:9592aea1-07fc-5242-b7f5-0c7b9a03e387");
    assert_int_equal(strlen(urn), CARDFEED_URN_LEN);
}


static int
init(void **state)
{
    (void) state;

    cardfeed_text_init();
    cardfeed_text_init();

    return 0;
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_simple_strings),
        cmocka_unit_test(test_utf8_check),
        cmocka_unit_test(test_utf8_check_knows_every_character),
        cmocka_unit_test(test_plain_without_entities),
        cmocka_unit_test(test_plain_replaces_malformed_bytes),
        cmocka_unit_test(test_plain_decodes_entities_once),
        cmocka_unit_test(test_plain_and_escape_append_all_or_nothing),
        cmocka_unit_test(test_plain_appends_without_a_space_of_its_own),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_escape),
        cmocka_unit_test(test_error_messages),
        cmocka_unit_test(test_hash_never_changes),
        cmocka_unit_test(test_urns_never_change),
    };

    return cmocka_run_group_tests(tests, init, NULL);
}
