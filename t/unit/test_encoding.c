/* test_encoding: Accept-Encoding, its grammar and what follows from it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <cardfeed/encoding.h>

#define LINES 3
#define GARBAGE 8192

typedef struct {
    const char *lines[LINES]; /* NULL at the end */
    const char *order;        /* "br gzip -": identity is "-" */
} example_t;


static void
accept_lines(cardfeed_accept_t *accept, const char *const *lines)
{
    char *copy;
    size_t i, len;

    cardfeed_accept_init(accept);

    for (i = 0; i < LINES && lines[i] != NULL; i++) {
        /* Of the exact size, so that a byte too far is noticed. */
        len = strlen(lines[i]);
        copy = malloc(len + !len);
        assert_non_null(copy);
        memcpy(copy, lines[i], len);

        cardfeed_accept_header(accept,
            (cardfeed_str_t){.data = copy, .len = len});
        free(copy);
    }
}


static void
print_order(const cardfeed_accept_t *accept, cardfeed_buf_t *out)
{
    const char *name;
    cardfeed_encoding_t order[CARDFEED_ENCODINGS];
    size_t i, n;

    n = cardfeed_accept_order(accept, order);
    assert_in_range(n, 1, CARDFEED_ENCODINGS);

    for (i = 0; i < n; i++) {
        name = cardfeed_encoding_names[order[i]];
        cardfeed_buf_cstr(out, i ? " " : "");
        cardfeed_buf_cstr(out, *name ? name : "-");
    }

    assert_int_equal(cardfeed_buf_char(out, '\0'), CARDFEED_OK);
}


static void
check(const example_t *examples, size_t n)
{
    size_t i;
    cardfeed_accept_t accept;
    cardfeed_buf_t out;

    cardfeed_buf_init(&out, 100);

    for (i = 0; i < n; i++) {
        accept_lines(&accept, examples[i].lines);
        cardfeed_buf_reset(&out);
        print_order(&accept, &out);

        if (strcmp(out.data, examples[i].order) != 0) {
            fail_msg("\"%s\": %s, not %s",
                examples[i].lines[0] ? examples[i].lines[0] : "",
                out.data, examples[i].order);
        }
    }

    cardfeed_buf_free(&out);
}

#define CHECK(examples)                                                      \
    check((examples), sizeof(examples) / sizeof((examples)[0]))


static void
test_names(void **state)
{
    (void) state;

    assert_string_equal(
        cardfeed_encoding_names[CARDFEED_ENCODING_IDENTITY], "");
    assert_string_equal(cardfeed_encoding_names[CARDFEED_ENCODING_GZIP],
        "gzip");
    assert_string_equal(cardfeed_encoding_names[CARDFEED_ENCODING_BR], "br");
}


static void
test_preference(void **state)
{
    static const example_t examples[] = {
        {{NULL}, "-"},
        {{""}, "-"},
        {{"gzip"}, "gzip -"},
        {{"br"}, "br -"},
        {{"identity"}, "-"},
        {{"gzip, deflate"}, "gzip -"},
        {{"gzip, deflate, br"}, "br gzip -"},
        {{"gzip, deflate, br, zstd"}, "br gzip -"},
        {{"br;q=1.0, gzip;q=0.8, *;q=0.1"}, "br gzip -"},
        {{"gzip;q=1.0, br;q=0.5"}, "gzip br -"},
        {{"br;q=0.001, gzip;q=0.002"}, "gzip br -"},
        {{"gzip;q=0.5"}, "gzip -"},
        {{"gzip;q=0.001"}, "gzip -"},
        {{"gzip, identity"}, "gzip -"},
        {{"gzip;q=0.5, identity"}, "- gzip"},
        {{"gzip;q=0.5, identity;q=0.7, br"}, "br - gzip"},
        {{"identity;q=0.5, gzip;q=0.2, br;q=0.1"}, "- gzip br"},
        {{"deflate, zstd, compress"}, "-"},
    };

    (void) state;

    CHECK(examples);
}


static void
test_refusal(void **state)
{
    static const example_t examples[] = {
        {{"br;q=0"}, "-"},
        {{"gzip, br;q=0"}, "gzip -"},
        {{"gzip;q=0.000, br"}, "br -"},
        {{"gzip, identity;q=0"}, "gzip"},
        {{"br, gzip;q=0.5, identity;q=0"}, "br gzip"},
        {{"gzip, *;q=0"}, "gzip"},
        {{"identity, *;q=0"}, "-"},
        {{"br, identity;q=0.1, *;q=0"}, "br -"},
        {{"*;q=0"}, "-"},
        {{"identity;q=0"}, "-"},
        {{"gzip;q=0, br;q=0, identity;q=0"}, "-"},
        {{"identity;q=0, *;q=0"}, "-"},
    };

    (void) state;

    CHECK(examples);
}


static void
test_any(void **state)
{
    static const example_t examples[] = {
        {{"*"}, "br gzip -"},
        {{"*;q=0.001"}, "br gzip -"},
        {{"*, br;q=0"}, "gzip -"},
        {{"gzip, *;q=0.5"}, "gzip br -"},
        {{"gzip;q=0.2, *;q=0.5"}, "br gzip -"},
        {{"*;q=0.5, identity"}, "- br gzip"},
        {{"*, identity;q=0"}, "br gzip"},
    };

    (void) state;

    CHECK(examples);
}


static void
test_lists(void **state)
{
    static const example_t examples[] = {
        {{","}, "-"},
        {{" , ,\t, "}, "-"},
        {{",gzip"}, "gzip -"},
        {{"gzip,"}, "gzip -"},
        {{", ,gzip ,, br,,"}, "br gzip -"},
        {{"gzip,br"}, "br gzip -"},
        {{"\t gzip\t,\t br \t"}, "br gzip -"},
        {{"gzip;q=0.1,br;q=0.2"}, "br gzip -"},
        {{"gzip ; q=0.1 , br\t;\tq=0.2"}, "br gzip -"},
        {{"GZIP, Br"}, "br gzip -"},
        {{"gZiP;Q=0.2, BR;Q=0.1, Identity;q=0"}, "gzip br"},
        {{"x-gzip"}, "gzip -"},
        {{"X-GZip;q=0.5, br;q=0.4"}, "gzip br -"},
        {{"gzip br"}, "-"},
        {{"gzip\v"}, "-"},
        {{"\rgzip"}, "-"},
        {{"gzip2, gzi, x-br, brr, b, **, x-gzip-"}, "-"},
        {{"\"gzip\""}, "-"},
        {{";gzip"}, "-"},
    };

    (void) state;

    CHECK(examples);
}


static void
test_weights(void **state)
{
    static const char *const good[] = {
        "q=1", "q=1.", "q=1.0", "q=1.00", "q=1.000", "q=0.", "q=0.5",
        "q=0.05", "q=0.005", "q=0.999", "Q=0.123", " q=0.1", "\t q=0.1\t ",
    };
    static const int want[] = {
        1000, 1000, 1000, 1000, 1000, 0, 500, 50, 5, 999, 123, 100, 100,
    };
    static const char *const bad[] = {
        "", " ", "q", "q=", "q= ", "=", "=1", "q=.5", "q=2", "q=01", "q=1.1",
        "q=1.001", "q=0.1234", "q=0.0000", "q=1.0000", "q=00", "q=10",
        "q=-1", "q=+1", "q=-0", "q=1e0", "q=0x1", "q=0.5.", "q=0..", "q=0.a",
        "q=0. 5", "q = 1", "q= 1", "q =1", "qq=1", "w=1", "q:1",
        "q=1;", "q=1;q=1", "q=0.5;x=1", "x=1;q=1", "q=\"1\"", "1", ";q=1",
        "q=0./", "q=0.:", "\x11=1",
    };

    cardfeed_accept_t accept;
    char line[64];
    const char *lines[] = {line, NULL};
    size_t i;

    (void) state;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        snprintf(line, sizeof(line), "br;%s", good[i]);
        accept_lines(&accept, lines);
        assert_int_equal(accept.weight[CARDFEED_ENCODING_BR], want[i]);
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(line, sizeof(line), "br;%s, gzip;q=0.5", bad[i]);
        accept_lines(&accept, lines);

        if (accept.weight[CARDFEED_ENCODING_BR] != -1) {
            fail_msg("%s: %d", line, accept.weight[CARDFEED_ENCODING_BR]);
        }

        assert_int_equal(accept.weight[CARDFEED_ENCODING_GZIP], 500);
        assert_int_equal(accept.any, -1);
    }
}


static void
test_the_lowest_of_repeated_ones(void **state)
{
    static const example_t examples[] = {
        {{"gzip;q=0, gzip"}, "-"},
        {{"gzip, gzip;q=0"}, "-"},
        {{"gzip, x-gzip;q=0"}, "-"},
        {{"gzip;q=0.3, br;q=0.2, gzip;q=0.1"}, "br gzip -"},
        {{"*;q=0, *"}, "-"},
        {{"gzip, identity;q=0, identity"}, "gzip"},
        {{"gzip;q=0.5, gzip;q=nonsense"}, "gzip -"},
    };

    (void) state;

    CHECK(examples);
}


static void
test_lines_are_one_list(void **state)
{
    static const example_t examples[] = {
        {{"gzip", "br"}, "br gzip -"},
        {{"gzip", "", "br;q=0.5"}, "gzip br -"},
        {{"br;q=0", "gzip", "br"}, "gzip -"},
        {{"gzip", "br", "br;q=0"}, "gzip -"},
        {{"gzip", "*;q=0"}, "gzip"},
        /* What a line leaves open does not go on in the next. */
        {{"gzip;", "q=0.5"}, "-"},
        {{"gz", "ip"}, "-"},
    };

    (void) state;

    CHECK(examples);
}


static void
test_no_bytes(void **state)
{
    cardfeed_accept_t accept;
    size_t i;

    (void) state;

    cardfeed_accept_init(&accept);
    cardfeed_accept_header(&accept,
        (cardfeed_str_t){.data = NULL, .len = 0});

    for (i = 0; i < CARDFEED_ENCODINGS; i++) {
        assert_int_equal(accept.weight[i], -1);
    }

    assert_int_equal(accept.any, -1);
}


static void
assert_sound(const cardfeed_accept_t *accept)
{
    cardfeed_encoding_t order[CARDFEED_ENCODINGS];
    unsigned seen;
    size_t i, n;

    assert_in_range(accept->any + 1, 0, 1001);

    for (i = 0; i < CARDFEED_ENCODINGS; i++) {
        assert_in_range(accept->weight[i] + 1, 0, 1001);
    }

    n = cardfeed_accept_order(accept, order);
    assert_in_range(n, 1, CARDFEED_ENCODINGS);

    for (i = 0, seen = 0; i < n; i++) {
        assert_in_range(order[i], 0, CARDFEED_ENCODINGS - 1);
        assert_false(seen & 1U << order[i]);
        seen |= 1U << order[i];
    }
}


/* Of pieces of the grammar, and sometimes of any bytes. */
static size_t
make_garbage(char *to, size_t size)
{
    static const char *const pieces[] = {
        "gzip", "br", "x-gzip", "identity", "*", "deflate", ",", ",", ";",
        ";q=", "q=0.5", "0.12", "1.0", "=", " ", "\t", ".", "0", "1", "9",
    };
    const char *piece;
    size_t len, n;

    for (len = 0; len < size; len += n) {
        if (rand() % 8 == 0) {
            to[len] = (char) rand();
            n = 1;
            continue;
        }

        piece = pieces[(size_t) rand() % (sizeof(pieces) / sizeof(*pieces))];
        n = strlen(piece) < size - len ? strlen(piece) : size - len;
        memcpy(to + len, piece, n);
    }

    return len;
}


static void
test_garbage(void **state)
{
    cardfeed_accept_t accept;
    cardfeed_str_t line;
    char *bytes;
    int round;

    (void) state;

    srand(1);

    for (round = 0; round < 20000; round++) {
        line.len = (size_t) rand() % (round % 1000 ? 40 : GARBAGE);
        bytes = malloc(line.len + !line.len);
        assert_non_null(bytes);
        line.data = bytes;
        line.len = make_garbage(bytes, line.len);

        cardfeed_accept_init(&accept);
        cardfeed_accept_header(&accept, line);
        assert_sound(&accept);
        cardfeed_accept_header(&accept, line);
        assert_sound(&accept);

        free(bytes);
    }
}


static void
test_long_garbage(void **state)
{
    static const char fill[] = {',', ';', ' ', 'q', '=', '0', '*', '\0'};

    cardfeed_accept_t accept;
    char line[GARBAGE + 4];
    size_t i;

    (void) state;

    for (i = 0; i < sizeof(fill); i++) {
        memset(line, fill[i], GARBAGE);
        memcpy(line + GARBAGE, ",br ", 4);

        cardfeed_accept_init(&accept);
        cardfeed_accept_header(&accept,
            (cardfeed_str_t){.data = line, .len = sizeof(line)});
        assert_int_equal(accept.weight[CARDFEED_ENCODING_BR], 1000);
        assert_int_equal(accept.weight[CARDFEED_ENCODING_GZIP], -1);
        assert_int_equal(accept.any, -1);
        assert_sound(&accept);
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_preference),
        cmocka_unit_test(test_refusal),
        cmocka_unit_test(test_any),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_the_lowest_of_repeated_ones),
        cmocka_unit_test(test_lines_are_one_list),
        cmocka_unit_test(test_no_bytes),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_long_garbage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
