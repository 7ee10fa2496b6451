/* test_card_skim: which values libyaml is spared, and that nothing else comes
 * of it. */

#include "card_fixture.h"
#include "card_same.h"

#define LONG "0123456789abcdefghijklmnopqrstuvwxyz"

static card_pair_t pair;
static cardfeed_buf_t text;


static int
skim_setup(void **state)
{
    card_setup(state);
    cardfeed_buf_init(&text, (size_t) 1 << 20);

    return card_pair_create(&pair, &collection) ? 0 : -1;
}


static int
skim_teardown(void **state)
{
    cardfeed_buf_free(&text);
    card_pair_destroy(&pair);

    return card_teardown(state);
}


/* How many values were left out; both paths must have the same outcome. */
static unsigned
cuts_of(cardfeed_str_t front)
{
    unsigned cuts;

    cardfeed_buf_reset(&text);
    cardfeed_buf_cstr(&text, "---\n");
    cardfeed_buf_str(&text, front);
    cardfeed_buf_cstr(&text, "\n---\n");

    if (!card_both_same(&pair, text.data, text.len, &cuts)) {
        fail_msg("differs: %.*s", (int) front.len, front.data);
    }

    return cuts;
}


/* Taken: the front matter is good and this many values were left out. */
static void
assert_taken(const char *front, unsigned n)
{
    if (cuts_of(cardfeed_str_of(front)) != n) {
        fail_msg("%u cuts: %s", pair.skimming->ncuts, front);
    }
}


/* Eight good items of `related`, one that this is the end of, and a key. */
static void
assert_list(const char *rest, unsigned n)
{
    cardfeed_buf_t front;
    unsigned i;

    cardfeed_buf_init(&front, 1 << 16);
    cardfeed_buf_cstr(&front, "related:\n");

    for (i = 0; i < 8; i++) {
        cardfeed_buf_printf(&front, "  - title: t%u\n    url: /%u\n", i, i);
    }

    cardfeed_buf_printf(&front, "  - title: \"" LONG "\"\n%sguid: g", rest);

    if (cuts_of(cardfeed_buf_view(&front)) != n) {
        fail_msg("%u cuts: %s", pair.skimming->ncuts, rest);
    }

    cardfeed_buf_free(&front);
}


static void
test_strings_taken(void **state)
{
    (void) state;

    assert_taken("secured: \"" LONG "\"", 1);
    assert_taken("SECURED:   '" LONG "'\ntitle: a", 1);
    assert_taken("a: '" LONG "''\\'\nb-1: \"" LONG "\"", 2);
    assert_taken("a: \"" LONG " \\\" \\\\ \\n\\r\\t \\u00e9\\uD7ff\"", 1);
    assert_taken("a: \"\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80\xc2\xa0" LONG "\"",
        1);
    assert_taken("\xc3\xa9: x\n\xf0\x9f\x98\x80: y\nsecured: \"" LONG "\"", 1);
    assert_taken("secured: \"" LONG "\"\r\ntitle: a\r\n", 1);

    /* The last of a name as well as the first. */
    assert_taken("secured: \"" LONG "\"\nSecured: \"" LONG "\"", 2);
}


static void
test_strings_not_taken(void **state)
{
    static const char *const fronts[] = {
        "secured: \"short\"",
        "secured: " LONG,
        "title: \"" LONG "\"",
        "TITLE: \"" LONG "\"\nimages: \"" LONG "\"\nrelated: \"" LONG "\"",
        " secured: \"" LONG "\"",
        "\"secured\": \"" LONG "\"",
        "secured : \"" LONG "\"",
        "secured: &a \"" LONG "\"",
        "secured: !!str \"" LONG "\"",
        "secured: \"" LONG "\" ",
        "secured: \"" LONG "\" # c",
        "secured: \"" LONG "\n  x\"",
        "secured: \"" LONG "\"\n  x",
        "secured: \"" LONG "\": x",
        "secured: \"" LONG "\\q\"",
        "secured: \"" LONG "\\ud800\"",
        "secured: \"" LONG "\\u00g0\"",
        "secured: \"" LONG "\\",
        "secured: \"" LONG "\\u12\"",
        "secured: \"" LONG,
        "secured: '" LONG "''",
        "secured: \"" LONG "\"\"" LONG "\"",
        "secured: \"" LONG "\" \"" LONG "\"",
        "secured: \"" LONG "\tx\"",
        "secured: \"" LONG "\rx\"",
        "secured: \"" LONG "\r\rx\"",
        "secured: \"" LONG "\x01\"",
        "secured: \"" LONG "\x7f\"",
        "secured: \"" LONG "\xc2\x80\"",
        "secured: \"" LONG "\xc2\x85\"",
        "secured: \"" LONG "\xe2\x80\xa8\"",
        "secured: \"" LONG "\xe2\x80\xa9\"",
        "secured: \"" LONG "\xef\xbb\xbf\"",
        "secured: \"" LONG "\xef\xbf\xbf\"",
    };

    size_t i;

    (void) state;

    for (i = 0; i < sizeof(fronts) / sizeof(fronts[0]); i++) {
        assert_taken(fronts[i], 0);
    }
}


/* What looks like a key in a place where it is none. */
static void
test_guess_fails(void **state)
{
    static const char *const fronts[] = {
        "x: \"\nsecured: \"" LONG "\"",
        "title: '\nsecured: '" LONG "'\n'",
        "title: \"\nsecured: '" LONG "'\n\"",
        "x: [\nsecured: \"" LONG "\"\n]",
        "{\nsecured: \"" LONG "\"\n}",
        "{x: y,\nsecured: \"" LONG "\"\n}",
        "--- |\nsecured: \"" LONG "\"",
        "a\nsecured: \"" LONG "\"",
        "&a\nsecured: \"" LONG "\"",
        "!!map\nsecured: \"" LONG "\"",
        "x: &a\nsecured: \"" LONG "\"\ntitle: *a",
        "\xef\xbb\xbfx: y\nsecured: \"" LONG "\"",
        "- a\nsecured: \"" LONG "\"",
        "x: *a\nsecured: \"" LONG "\"",
        "secured: \"" LONG "\"\n\n\ndate: x",
        "secured: \"" LONG "\"\n\n\nx: @",
        "a: b\n--- #\nsecured: \"" LONG "\"",
        "secured: \"" LONG "\"\n... #\n%YAML 1.1\n--- #\na: b",
        "secured: \"" LONG "\"\n... #\n",
        "? a\nsecured: \"" LONG "\"",
        "?\nsecured: \"" LONG "\"",
        "? secured\n: \"" LONG "\"",
    };

    size_t i;

    (void) state;

    for (i = 0; i < sizeof(fronts) / sizeof(fronts[0]); i++) {
        cuts_of(cardfeed_str_of(fronts[i]));
    }

    /* One that does not hold undoes all others. */
    assert_taken("secured: \"" LONG "\"\ntitle: \"\na: '" LONG "'\n\"", 0);
}


static void
test_lists_taken(void **state)
{
    (void) state;

    assert_list("", 1);
    assert_list("\n    url: /a\n\n\n", 1);
    assert_list("    url: http://a.b:80/c#d?e=f\n    date: 2020-01-01\n", 1);
    assert_list("    a: [x, y\n", 0);
    assert_list("    a: []\n    b: {}\n    c: '" LONG "'\n", 1);
    assert_list("    none:\n    n: 1\n  - plain text\n  - \"x\"\n  - a:\n", 1);
    assert_list("    provider:\n      name: x\n      y:\n        z: 1\n", 1);
    assert_list("    tags:\n    - x\n    - y\n    b: c\n", 1);
    assert_list("    images:\n      -   url: x\n          w: 1\n      - y\n",
        1);
    assert_list("    t:\n    - u:\n      - v\n      w: x\n    y: z\n", 1);
    assert_list("    a: \xc3\xa9t\xc3\xa9 \xe2\x80\x93 b\n", 1);

    /* What has no URL is not counted, whatever its other keys. */
    assert_taken("related:\n- url: /a\n- x: /b\n- URL: /c\n- title: d\n"
                 "- weburl: /d\n  url: /d\n- a\n- originalUrl: /e\n"
                 "- url: /f\n- url: /0123456789abcdef\n",
        1);
    assert_int_equal(pair.skimming->card.nrelated, 5);

    assert_taken("other:\n- a\n- 0123456789abcdefg\n- b\ntitle: c", 1);
    assert_taken("other:\n  - a: b\n  - a: 0123456789abcdefg\n", 1);
    assert_taken("other:\r\n  - a: b\r\n  - a: 0123456789abcdefg\r\n", 1);
}


static void
test_lists_not_taken(void **state)
{
    static const char *const rests[] = {
        "   url: /a\n",
        "     url: /a\n",
        "\turl: /a\n",
        "    url: /a \n",
        "    url: a: b\n",
        "    url: a:\n",
        "    url: a #b\n",
        "    url: &a b\n",
        "    url: *a\n",
        "    url: !b c\n",
        "    url: |\n      a\n",
        "    url: >-\n      a\n",
        "    url: a\n      b\n",
        "    url: \"a\n      b\"\n",
        "    url: [a, b]\n",
        "    url: []x\n",
        "    url: @a\n",
        "    url: %a\n",
        "    url: - a\n",
        "    url: \"a\" b\n",
        "    url: a\xc2\x85\n",
        "    url: a:\xe2\x80\xa8""b\n",
        "    \"url\": a\n",
        "    ? a\n",
        "    <<: a\n",
        "    url:a\n",
        "    url\n",
        "    - a\n",
        "  # c\n",
        "# c\n",
        "... #\n",
        "--- #\n",
        "%a\n",
        "\"a\": b\n",
        "- a\n",
        "  - - a\n",
        "  -\n",
        "  - \n",
        "  -\ta\n",
        "  -a\n",
        "    a:\n   b: c\n",
        "    a:\n  b: c\n",
        "    a:\n      - b\n     - c\n",
        "    a:\n      - b\n      c: d\n",
        "    a:\n      b\n",
        "    a: b\n      c: d\n",
        "    a: b\n    - c\n",
        "   \n",
        "    a:\n     b:\n      c:\n       d:\n        e:\n         f:\n"
        "          g: h\n",
    };

    size_t i;

    (void) state;

    for (i = 0; i < sizeof(rests) / sizeof(rests[0]); i++) {
        assert_list(rests[i], 0);
    }

    /* Too few have a URL, or one of any use. */
    assert_taken("related:\n- url: /a\n- url: /b\n- url: /c\n- url: /d\n"
                 "- x: {}\n- x: {}\n- y:\n    url: /e\n  url:\n"
                 "- url: /0123456789abcdef\n",
        0);
    assert_taken("related:\n- url: /a\n- url: /b\n- url: /c\n- url: /d\n"
                 "- url: \"\"\n- url: /e\n- url: /0123456789abcdef\n",
        0);
    assert_taken("other:\n  a: b\n  c: " LONG "\n", 0);
    assert_taken("other:\n" LONG ": b\n", 0);
    /* What has no URL is not counted, whatever its other keys. */
    assert_taken("related:\n- url: /a\n- x: /b\n- URL: /c\n- title: d\n"
                 "- weburl: /d\n  url: /d\n- a\n- originalUrl: /e\n"
                 "- url: /f\n- url: /0123456789abcdef\n",
        1);
    assert_int_equal(pair.skimming->card.nrelated, 5);

    assert_taken("other:\n- a\n- 01234567890\n#\nb: c", 0);
}


/* The last duplicate counts, whichever were shortened. */
static void
test_duplicates(void **state)
{
    cardfeed_buf_t front;
    unsigned i, j;

    (void) state;

    cardfeed_buf_init(&front, 1 << 16);

    for (j = 0; j < 2; j++) {
        cardfeed_buf_cstr(&front, j == 0 ? "related:\n" : "Related:\n");

        for (i = 0; i < 12; i++) {
            cardfeed_buf_printf(&front, "- url: /%u\n  title: %u\n", i,
                i + j);
        }
    }

    assert_int_equal(cuts_of(cardfeed_buf_view(&front)), 2);
    cardfeed_buf_cstr(&front, "RELATED: a\n");
    assert_int_equal(cuts_of(cardfeed_buf_view(&front)), 2);
    cardfeed_buf_cstr(&front, "related:\n- url: /x\n  title: x\n");
    assert_int_equal(cuts_of(cardfeed_buf_view(&front)), 2);
    assert_int_equal(pair.skimming->card.nrelated, 1);
    cardfeed_buf_free(&front);
}


/* Lines behind what was left out: of an error that only the finish knows, of
 * libyaml's, and of the identity. */
static void
test_lines(void **state)
{
    static const char list[] = "---\nrelated:\n- url: /a\n- url: /b\n"
                               "- url: /c\n- url: /d\n- url: /e\n- url: /f\n"
                               "- url: /g\n- url: /h\n- url: /i\n\n- url: /j\n"
                               "- url: /k\nb: \"" LONG "\"\n";

    const cardfeed_card_t *card;
    char all[512];

    (void) state;

    snprintf(all, sizeof(all), "%s\nguid: g\n---\n", list);
    card = parse_file("a.md", all);
    assert_int_equal(parser->ncuts, 2);
    assert_int_equal(card->identity_line, 17);

    snprintf(all, sizeof(all), "%sdate: x\n---\n", list);
    assert_refused(all, 16, "is no date");
    assert_int_equal(parser->ncuts, 2);

    snprintf(all, sizeof(all), "---\ndate: x\n%s---\n", list + 4);
    assert_refused(all, 2, "is no date");

    snprintf(all, sizeof(all), "%s\nx: @\n---\n", list);
    assert_refused(all, 17, "cannot start any token");
    assert_int_equal(parser->ncuts, 0);
}


/* Nothing of a guess that failed halfway is left. */
static void
test_forgotten(void **state)
{
    /* An item that ends a text: the guess has no end of it. */
    static const char wrong[] = "x: \"\na:\n- b\n- 0123456789abcdefg\"\n";

    cardfeed_buf_t front;
    unsigned i;

    (void) state;

    cardfeed_buf_init(&front, 1 << 16);

    /* The root is one level, these are the other 99. */
    cardfeed_buf_cstr(&front, wrong);
    cardfeed_buf_cstr(&front, "y: ");

    for (i = 0; i < 99; i++) {
        cardfeed_buf_char(&front, '[');
    }

    for (i = 0; i < 99; i++) {
        cardfeed_buf_char(&front, ']');
    }

    cuts_of(cardfeed_buf_view(&front));
    assert_int_equal(pair.skimming->ncuts, 0);
    assert_int_equal(pair.skimming->depth, 0);

    /* Aliases for more than half of what all may stand for. */
    cardfeed_buf_reset(&front);
    cardfeed_buf_cstr(&front, "x: &a ");

    for (i = 0; i < 8000; i++) {
        cardfeed_buf_char(&front, 'a');
    }

    cardfeed_buf_cstr(&front, "\nauthors: [*a");

    for (i = 0; i < 20; i++) {
        cardfeed_buf_cstr(&front, ", *a");
    }

    cardfeed_buf_cstr(&front, "]\n");
    cardfeed_buf_cstr(&front, wrong);
    cuts_of(cardfeed_buf_view(&front));
    assert_int_equal(pair.skimming->ncuts, 0);
    assert_int_equal(pair.skimming->card.nauthors, 21);
    cardfeed_buf_free(&front);
}


static void
test_limits(void **state)
{
    cardfeed_buf_t front;
    unsigned i;

    (void) state;

    cardfeed_buf_init(&front, 1 << 16);

    for (i = 0; i < CARDFEED_CARD_CUTS + 3; i++) {
        cardfeed_buf_printf(&front, "a%u: \"" LONG "\"\n", i);
    }

    assert_int_equal(cuts_of(cardfeed_buf_view(&front)), CARDFEED_CARD_CUTS);

    /* Names up to 128 characters. */
    cardfeed_buf_reset(&front);

    for (i = 0; i < 128; i++) {
        cardfeed_buf_char(&front, 'k');
    }

    cardfeed_buf_cstr(&front, ": \"" LONG "\"\n");
    assert_int_equal(cuts_of(cardfeed_buf_view(&front)), 1);
    front.data[128] = 'k';
    front.data[129] = ':';
    front.data[130] = ' ';
    front.data[131] = '"';
    assert_int_equal(cuts_of(cardfeed_buf_view(&front)), 0);
    cardfeed_buf_free(&front);

    assert_taken("", 0);
    assert_taken("a", 0);
    assert_taken("a:", 0);
    assert_taken("a:\r", 0);
    assert_taken("related:", 0);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_strings_taken, skim_setup,
            skim_teardown),
        cmocka_unit_test_setup_teardown(test_strings_not_taken, skim_setup,
            skim_teardown),
        cmocka_unit_test_setup_teardown(test_guess_fails, skim_setup,
            skim_teardown),
        cmocka_unit_test_setup_teardown(test_lists_taken, skim_setup,
            skim_teardown),
        cmocka_unit_test_setup_teardown(test_lists_not_taken, skim_setup,
            skim_teardown),
        cmocka_unit_test_setup_teardown(test_duplicates, skim_setup,
            skim_teardown),
        cmocka_unit_test_setup_teardown(test_lines, skim_setup,
            skim_teardown),
        cmocka_unit_test_setup_teardown(test_forgotten, skim_setup,
            skim_teardown),
        cmocka_unit_test_setup_teardown(test_limits, skim_setup,
            skim_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
