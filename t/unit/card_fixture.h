/* card_fixture: one parser, one collection, and short ways to ask a card. */

#ifndef CARD_FIXTURE_H
#define CARD_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <cardfeed/card.h>
#include <cardfeed/text.h>

#define UNUSED __attribute__((unused))

static cardfeed_collection_t collection;
static cardfeed_parser_t *parser;
static cardfeed_error_t error;
static cardfeed_card_file_t file;


/* A new parser over the collection as the test has left it. */
static UNUSED void
fresh_parser(void)
{
    cardfeed_parser_destroy(parser);
    parser = cardfeed_parser_create(&collection);
    assert_non_null(parser);
}


static UNUSED int
card_setup(void **state)
{
    (void) state;

    cardfeed_text_init();
    cardfeed_collection_defaults(&collection);
    collection.name = CARDFEED_STR("news");
    collection.dir = "/nowhere";
    collection.max_card = (size_t) 8 << 20;
    memset(&file, 0, sizeof(file));
    file.mtime = 1234567890;
    fresh_parser();

    return 0;
}


static UNUSED int
card_teardown(void **state)
{
    (void) state;

    cardfeed_parser_destroy(parser);
    parser = NULL;

    return 0;
}


/* The bytes are copied to their exact size, so that ASan sees any overrun. */
static UNUSED int
parse_bytes(const char *path, const void *data, size_t len,
    const cardfeed_card_t **card)
{
    char *copy;
    int rc;

    copy = malloc(len != 0 ? len : 1);
    assert_non_null(copy);

    if (len != 0) {
        memcpy(copy, data, len);
    }

    memset(&error, 0, sizeof(error));
    file.path = cardfeed_str_of(path);
    file.data = (cardfeed_str_t){.data = copy, .len = len};
    rc = cardfeed_card_parse(parser, &file, card, &error);
    free(copy);

    return rc;
}


static UNUSED const cardfeed_card_t *
parse_file(const char *path, const char *text)
{
    const cardfeed_card_t *card;
    int rc;

    rc = parse_bytes(path, text, strlen(text), &card);

    if (rc != CARDFEED_OK) {
        fail_msg("%s: %d, line %u: %s", path, rc, error.line, error.message);
    }

    return card;
}


/* A card of this front matter alone. */
static UNUSED const cardfeed_card_t *
parse_front(const char *path, const char *front)
{
    const cardfeed_card_t *card;
    char *text;
    int n;

    n = asprintf(&text, "---\n%s\n---\n", front);
    assert_true(n > 0);
    card = parse_file(path, text);
    free(text);

    return card;
}


static UNUSED void
assert_str(cardfeed_str_t s, const char *expected)
{
    char *copy;

    copy = strndup(s.data != NULL ? s.data : "", s.len);
    assert_non_null(copy);
    assert_string_equal(copy, expected);
    free(copy);
}


#define assert_field(card, which, expected)                                  \
    assert_str((card)->field[CARDFEED_FIELD_##which], expected)


/* The text is refused, in this line, with a message that holds a word. */
static UNUSED void
assert_refused_bytes(const void *text, size_t len, unsigned line,
    const char *word)
{
    const cardfeed_card_t *card;

    assert_int_equal(parse_bytes("a.md", text, len, &card),
        CARDFEED_INVALID);
    assert_null(card);
    assert_int_equal(error.code, CARDFEED_INVALID);

    if (strstr(error.message, word) == NULL) {
        fail_msg("\"%s\" says nothing of \"%s\"", error.message, word);
    }

    assert_int_equal(error.line, line);
}


static UNUSED void
assert_refused(const char *text, unsigned line, const char *word)
{
    assert_refused_bytes(text, strlen(text), line, word);
}


static UNUSED int64_t
at(const char *date)
{
    int64_t sec;

    assert_int_equal(cardfeed_date_parse(cardfeed_str_of(date), 0, &sec),
        CARDFEED_OK);

    return sec;
}


#define card_test(name)                                                      \
    cmocka_unit_test_setup_teardown(name, card_setup, card_teardown)

#endif /* CARD_FIXTURE_H */
