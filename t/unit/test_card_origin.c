/* test_card_origin: where a card's values stand. */

#include "card_fixture.h"


static cardfeed_card_origin_t
origin_of(const char *path, const char *text)
{
    const cardfeed_card_t *card;
    cardfeed_card_origin_t origin;

    file.path = cardfeed_str_of(path);
    file.data = cardfeed_str_of(text);
    assert_int_equal(cardfeed_card_parse(parser, &file, &card, &error),
        CARDFEED_OK);
    cardfeed_card_origin(parser, &origin);

    return origin;
}


static void
test_lines(void **state)
{
    cardfeed_card_origin_t o;

    (void) state;

    o = origin_of("a.md", "---\n"
                          "title: a\n"
                          "secured:\n  - x\n  - y\n"
                          "description: b\n"
                          "date: 2020-01-02\n"
                          "lastmod: 2020-01-01\n"
                          "expiryDate: 2021-01-01\n"
                          "url: /x/\n"
                          "images:\n  - width: 3\n    url: /y.png\n"
                          "actions:\n  - type: download\n    url: /z.zip\n"
                          "---\n");

    assert_int_equal(o.title, 2);
    assert_int_equal(o.excerpt, 6);
    assert_int_equal(o.published, 7);
    assert_int_equal(o.updated, 8);
    assert_int_equal(o.expires, 9);
    assert_int_equal(o.link, 10);
    assert_int_equal(o.image, 13);
    assert_int_equal(o.enclosure, 16);
    assert_int_equal(o.passed_link, 0);
    assert_int_equal(o.passed_image, 0);
    assert_true(o.said_updated == at("2020-01-01"));
    assert_false(o.path_title);
}


static void
test_nothing(void **state)
{
    cardfeed_card_origin_t o;

    (void) state;

    o = origin_of("2020-01-02-a.md", "---\ntype: x\n---\n");

    assert_int_equal(o.title, 0);
    assert_int_equal(o.excerpt, 0);
    assert_int_equal(o.published, 0);
    assert_int_equal(o.updated, 0);
    assert_int_equal(o.expires, 0);
    assert_int_equal(o.link, 0);
    assert_int_equal(o.image, 0);
    assert_int_equal(o.enclosure, 0);
    assert_true(o.said_updated == CARDFEED_NO_TIME);
    assert_true(o.path_title);

    o = origin_of("a.md", "---\ntype: x\n---\n# Heading\n");
    assert_int_equal(o.title, 0);
    assert_false(o.path_title);
}


/* A state is no date; the first key that has one says when. */
static void
test_dates(void **state)
{
    cardfeed_card_origin_t o;

    (void) state;

    o = origin_of("a.md", "---\npublished: true\ndate: 2020-01-01\n---\n");
    assert_int_equal(o.published, 3);

    o = origin_of("a.md", "---\ndate: ' '\npublished: 2020-01-01\n---\n");
    assert_int_equal(o.published, 3);

    o = origin_of("a.md", "---\ndate: 2020-01-01\n"
                          "publishDate: 2020-01-01\n---\n");
    assert_int_equal(o.published, 3);
}


static void
test_passed(void **state)
{
    cardfeed_card_origin_t o;

    (void) state;

    o = origin_of("a.md", "---\ntitle: x\nurl: /x/\n"
                          "webUrl: ftp://example.org/x\n"
                          "image: data:x\n---\n");
    assert_int_equal(o.link, 3);
    assert_int_equal(o.passed_link, 4);
    assert_int_equal(o.image, 0);
    assert_int_equal(o.passed_image, 5);

    /* A template is no link, and none that went wrong. */
    o = origin_of("a.md", "---\npermalink: /:year/:title/\n---\n");
    assert_int_equal(o.link, 0);
    assert_int_equal(o.passed_link, 0);

    o = origin_of("a.md", "---\nwebUrl: javascript:x\n---\n");
    assert_int_equal(o.link, 0);
    assert_int_equal(o.passed_link, 2);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        card_test(test_lines),
        card_test(test_nothing),
        card_test(test_dates),
        card_test(test_passed),
    };

    return cmocka_run_group_tests_name("card: origin", tests, NULL, NULL);
}
