/* test_card_yaml: hostile front matter: nesting, aliases, tabs, controls,
 * broken text, and what `secured` holds. */

#include "card_fixture.h"

#include <cardfeed/record.h>


typedef struct {
    char *data;
    size_t len;
} text_t;


/* "---\n" head, n times part, tail "\n---\n" */
static text_t
repeat(const char *head, const char *part, size_t n, const char *tail)
{
    text_t t;
    size_t i, len;
    char *at;

    len = strlen(part);
    t.data = malloc(strlen(head) + n * len + strlen(tail) + 16);
    assert_non_null(t.data);
    at = stpcpy(stpcpy(t.data, "---\n"), head);

    for (i = 0; i < n; i++) {
        memcpy(at, part, len);
        at += len;
    }

    at = stpcpy(stpcpy(at, tail), "\n---\n");
    t.len = (size_t) (at - t.data);

    return t;
}


static void
test_depth(void **state)
{
    const cardfeed_card_t *card;
    text_t t;
    char *nested;
    size_t i;

    (void) state;

    /* The root is one level: 99 lists below it are the most. */
    nested = calloc(1, 300);
    assert_non_null(nested);
    strcpy(nested, "x: ");
    memset(nested + 3, '[', 99);
    memset(nested + 102, ']', 99);
    parse_front("a.md", nested);

    memset(nested + 3, '[', 100);
    memset(nested + 103, ']', 100);
    t = repeat(nested, "", 0, "");
    assert_refused_bytes(t.data, t.len, 2, "deep");
    free(t.data);
    free(nested);

    /* Also where a key is used, and where nothing closes. */
    t = repeat("title: a\nprovider: ", "[", 1000000, "");
    assert_refused_bytes(t.data, t.len, 3, "deep");
    free(t.data);

    t = repeat("topics: ", "{a: ", 100000, "");
    assert_refused_bytes(t.data, t.len, 2, "deep");
    free(t.data);

    t = repeat("", "- ", 200, "a");
    assert_refused_bytes(t.data, t.len, 2, "no mapping");
    free(t.data);

    /* Depth goes down again. */
    t = repeat("", "x: [[[{a: {}}]]]\n", 1000, "title: b");
    assert_int_equal(parse_bytes("a.md", t.data, t.len, &card), CARDFEED_OK);
    assert_field(card, TITLE, "b");
    free(t.data);

    for (i = 0; i < 3; i++) {
        assert_field(parse_front("a.md", "title: c"), TITLE, "c");
    }
}


static void
test_aliases_of_scalars(void **state)
{
    const cardfeed_card_t *card;

    (void) state;

    card = parse_front("a.md", "x: &n Jane Doe\ntitle: *n\nauthor: *n\n"
                               "topics: [*n, other]\n*n : unused");
    assert_field(card, TITLE, "Jane Doe");
    assert_str(card->authors[0].name, "Jane Doe");
    assert_str(card->topics[0].slug, "jane-doe");

    /* From inside a skipped part, a used one, and a key. */
    assert_field(parse_front("a.md", "x: [{y: &z deep}]\ntitle: *z"), TITLE,
        "deep");
    assert_field(parse_front("a.md", "name: &z n\ntitle: *z"), TITLE, "n");
    assert_field(parse_front("a.md", "&k title: b\nx: *k\nname: *k"), TITLE,
        "b");
    assert_field(parse_front("a.md", "x: &k title\n*k : b"), TITLE, "b");

    /* The last anchor of a name counts, and a null stays a null. */
    assert_field(parse_front("a.md", "x: &a 1\ny: &a 2\ntitle: *a"), TITLE,
        "2");
    assert_field(parse_front("a.md", "x: &a ~\ntitle: *a\nname: n"), TITLE,
        "n");
    assert_field(parse_front("a.md", "x: &a \"~\"\ntitle: *a\nname: n"),
        TITLE, "~");
    assert_field(parse_front("a.md", "x: &a\ntitle: *a\nname: n"), TITLE,
        "n");
}


static void
test_aliases_refused(void **state)
{
    (void) state;

    assert_refused("---\nx: &a [1]\ntitle: *a\n---\n", 3,
        "an alias of a list or mapping");
    assert_refused("---\nx: &a {b: c}\ny: [[*a]]\n---\n", 3,
        "an alias of a list or mapping");
    assert_refused("---\ntopics: &a [b, *a]\n---\n", 2, "list or mapping");
    assert_refused("---\nx: &d {title: a}\n<<: *d\n---\n", 3,
        "list or mapping");
    assert_refused("---\n&a x: 1\n\ntitle: *b\n---\n", 4, "without its");
    assert_refused("---\nx: &a 1\nx: &a [2]\ntitle: *a\n---\n", 4,
        "list or mapping");
}


static void
test_alias_bombs(void **state)
{
    const cardfeed_card_t *card;
    text_t t;
    char anchors[2048], *big;
    size_t i, n;

    (void) state;

    assert_refused("---\na: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n---\n",
        3, "not expanded");

    /* Long texts are not kept, and short ones not without end. */
    big = malloc(8300);
    assert_non_null(big);
    strcpy(big, "x: &a ");
    memset(big + 6, 'y', 8193);
    strcpy(big + 6 + 8193, "\ntitle: *a");
    t = repeat(big, "", 0, "");
    assert_refused_bytes(t.data, t.len, 3, "long");
    free(t.data);

    strcpy(big + 6 + 8192, "\ntitle: *a");
    t = repeat(big, "", 0, "");
    assert_int_equal(parse_bytes("a.md", t.data, t.len, &card), CARDFEED_OK);
    free(t.data);

    strcpy(big + 6 + 8192, "\ntopics: [");
    t = repeat(big, "*a,", 100000, "]");
    assert_refused_bytes(t.data, t.len, 3, "stand for too much");
    free(t.data);
    free(big);

    t = repeat("x: &a y\ntopics: [", "*a,", 100000, "]");
    assert_refused_bytes(t.data, t.len, 3, "stand for too much");
    free(t.data);

    /* 64 anchors are kept; an alias of a later one is refused. */
    n = 0;

    for (i = 0; i < 65; i++) {
        n += (size_t) snprintf(anchors + n, sizeof(anchors) - n,
            "x: &a%zu v%zu\n", i, i);
    }

    t = repeat(anchors, "title: *a63", 1, "");
    assert_int_equal(parse_bytes("a.md", t.data, t.len, &card), CARDFEED_OK);
    assert_field(card, TITLE, "v63");
    free(t.data);

    t = repeat(anchors, "title: *a64", 1, "");
    assert_refused_bytes(t.data, t.len, 67, "too many anchors");
    free(t.data);
}


static void
assert_not_stored(const char *front, const char *secret)
{
    const cardfeed_card_t *card;
    cardfeed_buf_t record;

    card = parse_front("_news/a.md", front);
    cardfeed_buf_init(&record, 1 << 20);
    assert_int_equal(cardfeed_record_encode(&record, card), CARDFEED_OK);
    assert_null(memmem(record.data, record.len, secret, strlen(secret)));
    cardfeed_buf_free(&record);
}


static void
test_secured(void **state)
{
    (void) state;

    assert_not_stored("title: a\nsecured: \"c2VjcmV0;aXY=\"", "c2VjcmV0");
    assert_not_stored("SECURED: c2VjcmV0\nprovider: {secured: c2VjcmV0}\n"
                      "topics: [a, {secured: c2VjcmV0}]\n"
                      "images: [{secured: c2VjcmV0, url: /a.png}]\n"
                      "related: [{title: t, url: /b, secured: c2VjcmV0}]",
        "c2VjcmV0");
    assert_not_stored("secured: &s c2VjcmV0\ntitle: a", "c2VjcmV0");

    /* No alias carries it out. */
    assert_refused("---\nsecured: &s abc\ntitle: *s\n---\n", 3, "secured");
    assert_refused("---\nSecured: &s abc\ny: *s\n---\n", 3, "secured");
    assert_refused("---\nsecured: {a: [&s abc]}\ntitle: *s\n---\n", 3,
        "secured");
    assert_refused("---\nsecured: {&s abc: d}\ntitle: *s\n---\n", 3,
        "secured");
    assert_refused("---\nx: {secured: &s abc}\ntitle: *s\n---\n", 3,
        "secured");
    assert_refused("---\nx: &s abc\nsecured: &s def\ntitle: *s\n---\n", 4,
        "secured");
    assert_refused("---\nk: &k secured\n*k : &s def\ntitle: *s\n---\n", 4,
        "secured");

    /* Nor an anchor that `secured` was given later. */
    assert_refused("---\na: &z abc\nsecured: *z\ntitle: *z\n---\n", 4,
        "secured");
    assert_refused("---\na: &z abc\nx: {secured: [b, {c: *z}]}\n"
                   "title: *z\n---\n",
        4, "secured");
    assert_field(parse_front("a.md", "a: &z b\nx: [secured, *z]\ntitle: *z"),
        TITLE, "b");
    assert_field(
        parse_front("a.md", "a: &z b\nsecured: *z\nc: &z d\ntitle: *z"),
        TITLE, "d");

    /* What only looks like it is free again. */
    assert_field(parse_front("a.md", "x: [secured, &s b]\ntitle: *s"), TITLE,
        "b");
    assert_field(parse_front("a.md", "secured: {a: b}\nx: &s c\ntitle: *s"),
        TITLE, "c");
    assert_field(parse_front("a.md", "secured: a\nx: &s c\ntitle: *s"), TITLE,
        "c");
    assert_field(parse_front("a.md", "x: secured\ny: &s c\ntitle: *s"), TITLE,
        "c");
}


static void
test_invalid_yaml(void **state)
{
    (void) state;

    assert_refused("---\ntitle: a\n\ttype: b\n---\n", 3, "");
    assert_refused("---\ntitle:\n\t- b\n---\n", 3,
        "cannot start any token");
    assert_refused("---\ntitle: \"a\ntype: b\n---\n", 4, "quoted scalar");
    assert_refused("---\ntitle: a: b\n---\n", 2, "mapping values");
    assert_refused("---\ntopics: [a, b\n---\n", 3, "flow sequence");
    assert_refused("---\n- a\n- b\n---\n", 2, "no mapping");
    assert_refused("---\nonly text\n---\n", 2, "no mapping");
    assert_refused("---\ntitle: a\n--- # next\ntype: b\n---\n", 3,
        "second YAML document");
    assert_refused("---\n%YAML 1.1\ntitle: a\n---\n", 2, "directive");
    assert_refused("---\n# x\r\n\n%TAG !a! b\n--- #\na: b\n---\n", 4,
        "directive");
    assert_refused("---\n#\r%TAG !a! b\n---\n", 2, "directive");
    assert_refused("---\n#\xe2\x80\xa8%TAG !a! b\n---\n", 2, "directive");
    assert_refused("---\na: b\n... #\n%TAG !a! b\n---\n", 4, "directive");
    assert_field(parse_front("a.md", "title: |\n  %a\n# %\nname: b"), TITLE,
        "%a");
    /* Something after a good part is an error all the same. */
    assert_refused("---\ntitle: a\nx: [}]\n---\n", 3, "");
    assert_refused("---\ntitle: a\nx: @\n---\n", 3, "");
}


/* Only where a document may begin is '%' a directive's. */
static void
test_directives(void **state)
{
    const cardfeed_card_t *card;
    text_t t;

    (void) state;

    assert_field(parse_front("a.md", "title: \"foo\n%bar\""), TITLE,
        "foo %bar");
    assert_field(parse_front("a.md", "title: 'a\n\n%b'\nx: \"c\n%d\""), TITLE,
        "a %b");
    assert_field(parse_front("a.md", "title: b\n# c\n# %d"), TITLE, "b");

    assert_refused("---\n \n  # a\n\n%YAML 1.1\ntitle: a\n---\n", 5,
        "a YAML directive");
    assert_refused("---\n\xef\xbb\xbf# a\n%TAG !a! b\n---\n", 3,
        "a YAML directive");
    assert_refused("---\ntitle: a\n%TAG !a! b\n---\n", 3,
        "a YAML directive");
    assert_refused("---\n\xc3\xa9: a\n... #\n... # %\n\n%TAG !a! b\n---\n",
        6, "a YAML directive");
    assert_refused("---\n a: [\n%TAG !a! b\n]\n---\n", 3, "");
    assert_refused("---\na: b\n... #\nc: \"\n%d\"\n---\n", 4,
        "<document start>");

    /* Lots of them take no time, wherever they stand. */
    t = repeat("a: b\n... #\n... #\n", "%TAG !a! b\n", 100000, "--- c");
    assert_int_equal(parse_bytes("a.md", t.data, t.len, &card),
        CARDFEED_INVALID);
    assert_non_null(strstr(error.message, "a YAML directive"));
    free(t.data);
}


/* A line is what ends in a line feed, whatever YAML takes for a break. */
static void
test_lines(void **state)
{
    static const char *const breaks[] = {"\xe2\x80\xa8", "\xe2\x80\xa9",
        "\xc2\x85", "\r", "\xc3\xa9", "\xf0\x9f\x98\x80"};

    const cardfeed_card_t *card;
    char text[256];
    size_t i;

    (void) state;

    for (i = 0; i < sizeof(breaks) / sizeof(breaks[0]); i++) {
        snprintf(text, sizeof(text),
            "---\nx: \"%s%s\"\r\ny: \"\n  a%s  b\"\n\ndate: z\n---\n",
            breaks[i], breaks[i], breaks[i]);
        assert_refused(text, 6, "date: \"z\"");

        snprintf(text, sizeof(text),
            "---\nx: \"%s\"\ny: \"%s\"\nz: @\n---\n", breaks[i],
            breaks[i]);
        assert_refused(text, 4, "cannot start any token");

        snprintf(text, sizeof(text), "---\nx: \"%s\"\ny: *a\n---\n",
            breaks[i]);
        assert_refused(text, 3, "without its anchor");

        snprintf(text, sizeof(text), "x: \"%s\"\n\nguid: a", breaks[i]);
        card = parse_front("a.md", text);
        assert_int_equal(card->identity_line, 4);
    }
}


static void
test_broken_text(void **state)
{
    const cardfeed_card_t *card;

    (void) state;

    assert_refused("---\na: b\ntitle: \xff\n---\n", 3, "UTF-8");
    assert_refused("---\na: b\nskipped: \xc0\xaf\n---\n", 3, "UTF-8");
    assert_refused("---\na: b\n# \xed\xa0\x80\n---\n", 3, "UTF-8");
    assert_refused("---\na: b\n---\n\nbody\n\xe2\x80\n", 6, "UTF-8");
    assert_refused("---\ntitle: \xff\n", 2, "UTF-8");
    assert_refused("\xef\xbb\xbf---\na: \xfe\n---\n", 2, "UTF-8");

    /* What is no card is not looked at. */
    assert_int_equal(parse_bytes("a.md", "\xff\xfe", 2, &card),
        CARDFEED_NOTCARD);
}


static void
test_controls(void **state)
{
    static const char nul[] = "---\na: b\ntitle: a\0b\n---\n";
    static const char body[] = "---\ntitle: a\n---\nx\0\x01y\n";

    const cardfeed_card_t *card;

    (void) state;

    assert_refused_bytes(nul, sizeof(nul) - 1, 3, "control characters");
    assert_refused("---\na: b\n\ntitle: \"a\x07z\"\n---\n", 4,
        "control characters");
    assert_refused("---\ntitle: a\x1b[31mb\n---\n", 2, "control characters");

    /* As escapes they are dropped. */
    assert_field(parse_front("a.md", "name: \"a\\x01\\0b\\x9f\\uFFFE c\""),
        TITLE, "ab c");
    assert_field(parse_front("a.md", "title: \"a\\uFFFEb\""), TITLE, "ab");
    assert_field(parse_front("a.md", "title: \"a&#7;&#0;b\""), TITLE, "ab");

    assert_int_equal(parse_bytes("a.md", body, sizeof(body) - 1, &card),
        CARDFEED_OK);
    assert_field(card, EXCERPT, "xy");
}


static void
test_messages_are_one_line(void **state)
{
    size_t i;

    (void) state;

    assert_refused("---\ndate: \"a\\nb\\x1b[31m\"\n---\n", 2, "is no date");

    for (i = 0; error.message[i] != '\0'; i++) {
        assert_true((unsigned char) error.message[i] >= 0x20);
    }
}


/* Every prefix of a card is an answer and no crash. */
static void
test_truncated(void **state)
{
    static const char text[]
        = "---\r\ntitle: &t \"a\\u00e9&amp;\"\nprovider: {name: *t,\n"
          " authors: [{name: b}, \"c <d@e.f>\"]}\nsecured: |\n  xyz\n"
          "topics:\n- a\n- 'b'\nimages: [{url: /i.png, width: 3}]\n"
          "related:\n- title: \xc3\xa9\n  url: /x\nactions: [{type: download,"
          " url: /y}]\n---\n# H\n\n<p>x &nbsp;</p>\n\ny ![i](z) *w*\n";

    const cardfeed_card_t *card;
    size_t i;
    int rc;

    (void) state;

    for (i = 0; i < sizeof(text); i++) {
        rc = parse_bytes("a.md", text, i, &card);
        assert_true(rc == CARDFEED_OK || rc == CARDFEED_INVALID
            || rc == CARDFEED_NOTCARD);
        assert_int_equal(rc == CARDFEED_OK, card != NULL);
    }

    assert_int_equal(rc, CARDFEED_OK);
}


/* Nor is any single wrong byte one. */
static void
test_flipped(void **state)
{
    static const char text[]
        = "---\ntitle: &t \"a&amp;\"\nprovider: {name: *t, authors: [b]}\n"
          "secured: x\ntopics: [a, 'b']\nimages: [{url: /i.png}]\n"
          "related: [{title: c, url: /x}]\ndate: 2020-01-01\n---\n"
          "# H\n\n<p>x</p>\n";

    const cardfeed_card_t *card;
    char copy[sizeof(text)];
    size_t i;
    unsigned byte;
    int rc;

    (void) state;

    for (i = 0; i < sizeof(text) - 1; i++) {
        for (byte = 0; byte < 256; byte += 5) {
            memcpy(copy, text, sizeof(text));
            copy[i] = (char) (unsigned char) byte;
            rc = parse_bytes("a.md", copy, sizeof(text) - 1, &card);
            assert_true(rc == CARDFEED_OK || rc == CARDFEED_INVALID
                || rc == CARDFEED_NOTCARD);
        }
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        card_test(test_depth),
        card_test(test_aliases_of_scalars),
        card_test(test_aliases_refused),
        card_test(test_alias_bombs),
        card_test(test_secured),
        card_test(test_invalid_yaml),
        card_test(test_directives),
        card_test(test_lines),
        card_test(test_broken_text),
        card_test(test_controls),
        card_test(test_messages_are_one_line),
        card_test(test_truncated),
        card_test(test_flipped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
