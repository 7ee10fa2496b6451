/* test_card_skim_same: front matter damaged in many ways, always the same
 * ones, and all real cards: with and without the skimming the outcome is the
 * same. */

#include "card_fixture.h"
#include "card_same.h"

#include <ftw.h>

#define ROOT "../shared/corpus/powerapps"
#define ROUNDS 100000
#define LONG "0123456789abcdefghijklmnopqrstuvwxyz"
#define MAX_FRONT 4096

/* What means something to YAML, to libyaml's reader, or to the skimming. */
static const char *const signs[] = {"\"", "'", "\\", ":", ": ", " #", "#", "-",
    "- ", "? ", "&a ", "*a", "!b ", "|", ">", "[", "]", "{", "}", ",", "%",
    "@", "`", "~", "\t", " ", "  ", "    ", "\n", "\n\n", "\r", "\r\n", "\n- ",
    "\n  - ", "\n    ", "\n...\n", "\n--- #\n", "\n#\n", "\xc2\x85",
    "\xe2\x80\xa8", "\xe2\x80\xa9", "\xef\xbb\xbf", "\xef\xbf\xbe", "\xc2\xa0",
    "\xc3\xa9", "\xf0\x9f\x98\x80", "\x01", "\x7f", "\xff", "\\u00e9",
    "\\ud800", "\\q", "\\\"", "''", "secured: \"" LONG "\"\n", "related:\n",
    "\nsecured: '" LONG "'\n", "\nx: |\n  y\n", "\ndate: x\n", "\nguid: a\n"};

static const char *const fronts[] = {
    "title: a\nsecured: \"" LONG "\"\nrelated:\n  - url: /a\n  - url: /b\n"
    "  - url: /c\n    title: c\n  - url: /d\n  - url: /e\n  - url: /f\n"
    "  - url: /g\n  - url: /h\n  - url: \"/i\"\n    title: 'i'\n"
    "  - url: /j\nguid: g\ndate: 2020-01-01\n",

    "related:\n- url: /a\n- url: /b\n- url: /c\n- url: /d\n- url: /e\n"
    "- url: /f\n- url: /g\n- url: /h\n- url: /i\n  tags:\n  - x\n  - y\n"
    "  of:\n    a: b\n    c:\nx:\n- a\n-  b: \"" LONG "\"\ntags: [a, b]\n",

    "x: &a \"\n  y\"\r\nb: \"\\u00e9\\n\xc3\xa9" LONG "\"\r\nc: 'it''s" LONG
    "'\r\ntitle: *a\r\ntags:\r\n  - b\r\nid: z\r\n",

    "x: \"\nsecured: '" LONG "'\ny\"\nz: [\nsecured: \"" LONG
    "\"\n]\nurl: /a\nSecured: \"" LONG "\"\n",
};

#define FRONTS (sizeof(fronts) / sizeof(fronts[0]))

static card_pair_t pair;
static uint64_t seed;
static unsigned cards, taken;


static size_t
below(size_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;

    return (size_t) (seed >> 11) % n;
}


/* The bytes from..to become these. */
static size_t
replace(char *text, size_t len, size_t from, size_t to, const char *with,
    size_t n)
{
    if (len - (to - from) + n > MAX_FRONT) {
        return len;
    }

    memmove(text + from + n, text + to, len - to);
    memcpy(text + from, with, n);

    return len - (to - from) + n;
}


static void
some_line(const char *text, size_t len, size_t *from, size_t *to)
{
    *from = below(len);

    while (*from > 0 && text[*from - 1] != '\n') {
        (*from)--;
    }

    *to = *from;

    while (*to < len && text[(*to)++] != '\n') { /* void */ }
}


static size_t
damage(char *text, size_t len)
{
    char line[MAX_FRONT];
    const char *sign;
    size_t from, to, n, at;

    at = below(len);

    switch (below(8)) {
    case 0:
        text[at] = (char) (unsigned char) below(256);
        return len;

    case 1:
        text[at] = (char) (text[at] ^ (1 << below(8)));
        return len;

    case 2:
        return replace(text, len, at, at + 1, "", 0);

    case 3:
        some_line(text, len, &from, &to);
        return replace(text, len, from, to, "", 0);

    case 4:
        some_line(text, len, &from, &to);
        n = to - from;
        memcpy(line, text + from, n);
        some_line(text, len, &from, &to);
        return replace(text, len, from, below(2) ? from : to, line, n);

    default:
        sign = signs[below(sizeof(signs) / sizeof(signs[0]))];
        n = strlen(sign);

        if (below(3) == 0) {
            some_line(text, len, &at, &to);
        }

        to = at + (below(2) && at + n <= len ? n : 0);
        return replace(text, len, at, to, sign, n);
    }
}


static void
test_damaged(void **state)
{
    char text[MAX_FRONT + 16];
    const char *front;
    unsigned i, cuts, good;
    size_t len, n;

    (void) state;

    seed = 88172645463325252;
    good = 0;

    for (i = 0; i < ROUNDS; i++) {
        front = fronts[i % FRONTS];
        len = strlen(front);
        memcpy(text, "---\n", 4);
        memcpy(text + 4, front, len);

        for (n = below(3) + (i >= FRONTS); n > 0 && len > 0; n--) {
            len = damage(text + 4, len);
        }

        memcpy(text + 4 + len, "\n---\n", 5);

        if (!card_both_same(&pair, text, len + 9, &cuts)) {
            fail_msg("round %u: %.*s", i, (int) len + 9, text);
        }

        good += cuts != 0;
    }

    /* It is no test of errors alone, nor of cards alone. */
    assert_in_range(good, ROUNDS / 4, ROUNDS * 3 / 4);
}


static int
visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    unsigned cuts;
    char *data;
    FILE *f;

    (void) ftw;

    if (type != FTW_F) {
        return 0;
    }

    data = malloc((size_t) st->st_size + 1);
    f = fopen(path, "rb");
    assert_non_null(data);
    assert_non_null(f);
    assert_int_equal(fread(data, 1, (size_t) st->st_size, f), st->st_size);
    fclose(f);

    if (!card_both_same(&pair, data, (size_t) st->st_size, &cuts)) {
        fail_msg("%s differs", path);
    }

    free(data);
    cards++;
    taken += cuts != 0;

    return 0;
}


static void
test_real(void **state)
{
    (void) state;

    if (nftw(ROOT, visit, 16, FTW_PHYS) == -1) {
        print_message("%s is not there: skipped\n", ROOT);
        skip();
    }

    print_message("%u of %u files had something to leave out\n", taken,
        cards);
    assert_true(taken > 1300);
}


static int
same_setup(void **state)
{
    card_setup(state);

    return card_pair_create(&pair, &collection) ? 0 : -1;
}


static int
same_teardown(void **state)
{
    card_pair_destroy(&pair);

    return card_teardown(state);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_damaged, same_setup,
            same_teardown),
        cmocka_unit_test_setup_teardown(test_real, same_setup,
            same_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
