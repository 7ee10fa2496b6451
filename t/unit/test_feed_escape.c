/* test_feed_escape: any bytes → character data. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cardfeed_feed_private.h"

#define PLACES 20


static const char *
itself(unsigned char c)
{
    static char self[2];

    self[0] = c < 0x20 ? '\0' : (char) c;

    return self;
}


static const char *
expected_in_json(unsigned char c)
{
    switch (c) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\t':
        return "\\t";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    }

    return itself(c);
}


/* What an ASCII character has to become. */
static const char *
expected(unsigned char c, cardfeed_feed_place_t place)
{
    bool attribute = place == CARDFEED_FEED_ATTRIBUTE;
    bool html = place == CARDFEED_FEED_HTML;

    if (place == CARDFEED_FEED_STRING) {
        return expected_in_json(c);
    }

    switch (c) {
    case '&':
        return html ? "&amp;amp;" : "&amp;";
    case '<':
        return html ? "&amp;lt;" : "&lt;";
    case '>':
        return html ? "&amp;gt;" : "&gt;";
    case '"':
        return attribute ? "&quot;" : "\"";
    case '\r':
        return "&#13;";
    case '\t':
        return attribute ? "&#9;" : "\t";
    case '\n':
        return attribute ? "&#10;" : "\n";
    }

    return itself(c);
}


static void
check(cardfeed_buf_t *out, const char *text, size_t len,
    cardfeed_feed_place_t place, const char *want)
{
    cardfeed_buf_reset(out);
    cardfeed_feed_escape(out, (cardfeed_str_t){text, len}, place);

    assert_int_equal(out->failed, CARDFEED_OK);
    assert_int_equal(out->len, strlen(want));
    assert_memory_equal(out->data, want, out->len);
}


/* The fast path looks at eight bytes at once: each character, everywhere. */
static void
test_every_ascii_character_at_every_place(void **state)
{
    unsigned c;
    int place;
    size_t at, n;
    char text[PLACES], want[PLACES + 16];
    cardfeed_buf_t out;

    (void) state;

    cardfeed_buf_init(&out, 1024);

    for (place = CARDFEED_FEED_TEXT; place <= CARDFEED_FEED_STRING;
         place++)
    {
        for (c = 0; c < 0x80; c++) {
            for (at = 0; at < PLACES; at++) {
                memset(text, 'a', PLACES);
                text[at] = (char) c;

                memset(want, 'a', PLACES);
                strcpy(want + at, expected((unsigned char) c,
                    (cardfeed_feed_place_t) place));
                n = strlen(want);
                memset(want + n, 'a', PLACES - 1 - at);
                want[n + PLACES - 1 - at] = '\0';

                check(&out, text, PLACES, (cardfeed_feed_place_t) place,
                    want);
            }
        }
    }

    cardfeed_buf_free(&out);
}


static void
test_malformed_bytes_at_every_place(void **state)
{
    static const struct {
        const char *bytes, *want;
    } cases[] = {
        {"\xff", "\xef\xbf\xbd"},
        {"\x80", "\xef\xbf\xbd"},
        {"\xc3", "\xef\xbf\xbd"},
        {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xef\xbf", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xef\xbf\xbe", ""},
        {"\xef\xbf\xbf", ""},
        {"\xef\xbf\xbd", "\xef\xbf\xbd"},
        {"\xed\xbf\xbf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
        {"\xc3\xa9\xff\xc3\xa9", "\xc3\xa9\xef\xbf\xbd\xc3\xa9"},
        {"\xff&\xff", "\xef\xbf\xbd&amp;\xef\xbf\xbd"},
    };

    size_t i, at, len;
    char text[64], want[128];
    cardfeed_buf_t out;

    (void) state;

    cardfeed_buf_init(&out, 1024);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (at = 0; at < PLACES; at++) {
            len = strlen(cases[i].bytes);

            memset(text, 'a', sizeof(text));
            memcpy(text + at, cases[i].bytes, len);

            memset(want, 'a', sizeof(want));
            strcpy(want + at, cases[i].want);
            check(&out, text, at + len, CARDFEED_FEED_TEXT, want);

            strcat(want, "aaaaaaaaaa");
            check(&out, text, at + len + 10, CARDFEED_FEED_TEXT, want);
        }
    }

    cardfeed_buf_free(&out);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_ascii_character_at_every_place),
        cmocka_unit_test(test_malformed_bytes_at_every_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
