/* test_card: fences, texts, dates, states and visibility. */

#include "card_fixture.h"


static void
test_whole_card(void **state)
{
    const cardfeed_card_t *card;

    (void) state;

    card = parse_file("_news/first.md",
        "---\n"
        "title: \"First &amp; last\"\n"
        "excerpt: \"It&#8217;s   here\"\n"
        "publishedDateTime: 2020-07-14T19:45:00Z\n"
        "updatedDateTime: 2020-07-15\n"
        "expiryDate: 2030-01-01T00:00:00Z\n"
        "webUrl: \"https://Example.org/a b\"\n"
        "type: Article\n"
        "quality: 65\n"
        "heat: 75.9\n"
        "published: true\n"
        "provider: {name: Ex & Co, domain: example.org,\n"
        "  authors: [{name: Jane}]}\n"
        "topics: [Computer Vision, AI]\n"
        "images: [{url: https://example.org/i.png, width: 1200,\n"
        "  height: 800}]\n"
        "secured: \"abc;def\"\n"
        "---\n");

    assert_field(card, TITLE, "First & last");
    assert_field(card, EXCERPT, "It\xe2\x80\x99s here");
    assert_field(card, LINK, "https://example.org/a%20b");
    assert_field(card, TYPE, "Article");
    assert_field(card, CATEGORY, "news");
    assert_field(card, PROVIDER, "Ex & Co");
    assert_field(card, PROVIDER_URL, "https://example.org/");
    assert_field(card, IMAGE_URL, "https://example.org/i.png");
    assert_field(card, ENCLOSURE_URL, "");
    assert_field(card, ENCLOSURE_TYPE, "");
    assert_int_equal(card->published, at("2020-07-14T19:45:00Z"));
    assert_int_equal(card->updated, at("2020-07-15"));
    assert_int_equal(card->expires, at("2030-01-01"));
    assert_int_equal(card->quality, 65);
    assert_int_equal(card->heat, 75);
    assert_int_equal(card->image_width, 1200);
    assert_int_equal(card->image_height, 800);
    assert_int_equal(card->ntopics, 2);
    assert_str(card->topics[0].slug, "computer-vision");
    assert_int_equal(card->nauthors, 1);
    assert_false(card->hidden);
    assert_true(card->id
        == cardfeed_text_hash(card->field[CARDFEED_FIELD_IDENTITY]));
    assert_true(cardfeed_card_visible(card, at("2024-01-01")));
}


static void
test_fences(void **state)
{
    static const char *const no_cards[] = {"", "\n", "# Title\n", " ---\n",
        "----\ntitle: a\n---\n", "+++\ntitle = 1\n+++\n", "--- a\n---\n",
        "\n---\ntitle: a\n---\n"};

    const cardfeed_card_t *card;
    size_t i;

    (void) state;

    for (i = 0; i < sizeof(no_cards) / sizeof(no_cards[0]); i++) {
        assert_int_equal(parse_bytes("a.md", no_cards[i],
                             strlen(no_cards[i]), &card),
            CARDFEED_NOTCARD);
        assert_int_equal(error.code, CARDFEED_NOTCARD);
        assert_null(card);
    }

    assert_field(parse_file("a.md", "---\ntitle: b\n---"), TITLE, "b");
    assert_field(parse_file("a.md", "--- \t\ntitle: b\n...  \n"), TITLE, "b");
    assert_field(parse_file("a.md", "\xef\xbb\xbf---\ntitle: b\n---\n"),
        TITLE, "b");
    assert_field(parse_file("a.md", "---\r\ntitle: b\r\ntype: c\r\n---\r\n"),
        TITLE, "b");
    assert_field(parse_file("a.md", "---\r\ntitle: b\r\ntype: c\r\n---\r\n"),
        TYPE, "c");

    /* Neither is a fence: indented, or with something behind it. */
    assert_field(parse_file("a.md",
                     "---\ntitle: |\n  a\n  ---\n  b\ntype: c\n---\n"),
        TITLE, "a --- b");

    /* At column 0 it closes, whatever YAML would make of it. */
    assert_field(parse_file("a.md", "---\ntitle: |\n  a\n---\n  b\n---\n"),
        TITLE, "a");
}


static void
test_fence_errors(void **state)
{
    const cardfeed_card_t *card;
    cardfeed_str_t big;

    (void) state;

    assert_refused("---\ntitle: a\n", 1, "never closed");
    assert_refused("---", 1, "never closed");
    assert_refused("---\ntitle: a\n --- \n----\n", 1, "never closed");

    collection.max_card = 20;
    fresh_parser();
    big = CARDFEED_STR("---\ntitle: abcdef\n---\n");
    assert_int_equal(parse_bytes("a.md", big.data, big.len, &card),
        CARDFEED_INVALID);
    assert_non_null(strstr(error.message, "max_card"));
    assert_int_equal(parse_bytes("a.md", "---\ntitle: a\n---\n", 17, &card),
        CARDFEED_OK);
}


static void
test_empty_front_matter(void **state)
{
    static const char *const texts[] = {"---\n---\n", "---\n\n\n---\n",
        "---\n# only a comment\n---\n", "---\n{}\n---\n",
        "---\ntitle:\ndate: ~\ndraft: null\n---\n",
        "---\ntitle: \"\"\npublished: \"\"\nexpiryDate: ''\n---\n"};

    const cardfeed_card_t *card;
    size_t i;

    (void) state;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        card = parse_file("some-file_name.md", texts[i]);
        assert_field(card, TITLE, "Some file name");
        assert_field(card, CATEGORY, "");
        assert_field(card, LINK, "/some-file_name/");
        assert_true(card->published == CARDFEED_NO_TIME);
        assert_true(card->updated == CARDFEED_NO_TIME);
        assert_true(card->expires == CARDFEED_NO_TIME);
        assert_false(card->hidden);
        assert_false(cardfeed_card_visible(card, INT64_MAX));
        assert_int_equal(card->identity_line, 1);
    }
}


static void
test_key_priority(void **state)
{
    (void) state;

    /* The better key wins wherever it stands; case does not matter. */
    assert_field(parse_front("a.md", "name: n\ntitle: t"), TITLE, "t");
    assert_field(parse_front("a.md", "TITLE: t\nName: n"), TITLE, "t");
    assert_field(parse_front("a.md", "name: n"), TITLE, "n");
    assert_field(parse_front("a.md", "title: ~\nname: n"), TITLE, "n");
    assert_field(parse_front("a.md", "title: [a, b]\nname: n"), TITLE, "n");
    assert_field(parse_front("a.md", "title: {a: b}\nname: n"), TITLE, "n");
    assert_field(parse_front("a.md", "title: \"&#8203;&#7; \"\nname: n"),
        TITLE, "\xe2\x80\x8b");

    assert_field(parse_front("a.md", "summary: s\ndescription: d"), EXCERPT,
        "d");
    assert_field(parse_front("a.md", "description: d\nexcerpt: e"), EXCERPT,
        "e");
    assert_field(parse_front("a.md", "summary: s"), EXCERPT, "s");

    /* The last duplicate is the one. */
    assert_field(parse_front("a.md", "title: a\ntitle: b"), TITLE, "b");
    assert_field(parse_front("a.md", "title: a\nTitle: ~\nname: n"), TITLE,
        "n");
    assert_field(parse_front("a.md", "title: [a]\ntitle: b"), TITLE, "b");

    /* Nested keys of the same name are others. */
    assert_field(parse_front("a.md", "x: {title: b}\ntitle: a\ny: [title]"),
        TITLE, "a");

    /* Keys that are no scalars. */
    assert_field(parse_front("a.md", "? [a, b]\n: c\n? {d: e}\n: {title: f}\n"
                                     "title: a"),
        TITLE, "a");
}


static void
test_null_is_plain_only(void **state)
{
    (void) state;

    assert_field(parse_front("a.md", "title: null"), TITLE, "A");
    assert_field(parse_front("a.md", "title: NULL"), TITLE, "A");
    assert_field(parse_front("a.md", "title: \"null\""), TITLE, "null");
    assert_field(parse_front("a.md", "title: '~'"), TITLE, "~");
    assert_field(parse_front("a.md", "title: nullable"), TITLE, "nullable");

    /* Nor is a text that is called one. */
    assert_field(parse_front("a.md", "title: !!str null"), TITLE, "null");
    assert_field(parse_front("a.md", "title: !!str ~"), TITLE, "~");
    assert_field(parse_front("a.md", "x: &a !!str null\ntitle: *a"), TITLE,
        "null");
    assert_field(parse_front("a.md", "title: !!null null"), TITLE, "A");
}


static void
test_titles_of_files(void **state)
{
    (void) state;

    assert_field(parse_front("x/2020-01-02-hello-world.md", ""), TITLE,
        "Hello world");
    assert_field(parse_front("x/my-post/index.md", ""), TITLE, "My post");
    assert_field(parse_front("index.md", ""), TITLE, "Index");
    assert_field(parse_front("v1.2/index.md", ""), TITLE, "V1.2");
    assert_true(
        parse_front("---.md", "")->field[CARDFEED_FIELD_TITLE].len != 0);
}


static void
test_category(void **state)
{
    (void) state;

    assert_field(parse_front("_news/2020/a.md", ""), CATEGORY, "news");
    assert_field(parse_front("news/a.md", ""), CATEGORY, "news");
    assert_field(parse_front("a.md", ""), CATEGORY, "");
    assert_field(parse_front("_/a.md", ""), CATEGORY, "");
    assert_field(parse_front("_news/a.md", "category: Other"), CATEGORY,
        "Other");
    assert_field(parse_front("_news/a.md", "category: [~, {a: b}, X, Y]"),
        CATEGORY, "X");
    assert_field(parse_front("_news/a.md", "category: {a: b}"), CATEGORY,
        "news");
    assert_field(parse_front("_news/a.md", "category: []"), CATEGORY, "news");
    assert_field(parse_front("b\xff/a.md", ""), CATEGORY, "b\xef\xbf\xbd");
}


static void
test_published_date(void **state)
{
    static const struct {
        const char *front;
        const char *date;
    } cases[] = {
        {"publishedDateTime: 2020-07-14T19:45:00Z", "2020-07-14T19:45:00Z"},
        {"date: 2001-01-01\npublishDate: 2002-02-02", "2002-02-02"},
        {"publishDate: 2002-02-02\npublishedDateTime: 2003-03-03",
            "2003-03-03"},
        {"date: 2020-07-14 19:45:00 +0200", "2020-07-14T17:45:00Z"},
        {"published: 2019-09-09", "2019-09-09"},
        {"published: 2019-09-09\ndate: 2001-01-01", "2001-01-01"},
        {"published: true", "2011-11-11"},
        {"date: ", "2011-11-11"},
        {"date: \" 2020-01-01 \"", "2020-01-01"},
    };

    const cardfeed_card_t *card;
    size_t i;

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        card = parse_front("p/2011-11-11-a.md", cases[i].front);
        assert_int_equal(card->published, at(cases[i].date));
        assert_int_equal(card->updated, at(cases[i].date));
    }

    /* No date, only part of the name. */
    assert_true(parse_front("2011-13-11-a.md", "")->published
        == CARDFEED_NO_TIME);
    assert_true(parse_front("2011-11-11.md", "")->published
        == CARDFEED_NO_TIME);
    assert_true(parse_front("2011-11-11-d/a.md", "")->published
        == CARDFEED_NO_TIME);
}


static void
test_timezone_and_mtime(void **state)
{
    (void) state;

    collection.timezone = 7200;
    collection.undated = CARDFEED_UNDATED_MTIME;
    fresh_parser();

    assert_int_equal(parse_front("a.md", "date: 2020-01-01")->published,
        at("2019-12-31T22:00:00Z"));
    assert_int_equal(parse_front("2020-01-01-a.md", "")->published,
        at("2019-12-31T22:00:00Z"));
    assert_int_equal(
        parse_front("a.md", "date: 2020-01-01T00:00:00Z")->published,
        at("2020-01-01"));
    assert_int_equal(parse_front("a.md", "")->published, 1234567890);
}


static void
test_updated(void **state)
{
    const cardfeed_card_t *card;

    (void) state;

    card = parse_front("a.md", "date: 2020-01-01\nupdated: 2020-03-01\n"
                               "last_modified_at: 2020-02-01");
    assert_int_equal(card->updated, at("2020-02-01"));

    card = parse_front("a.md", "date: 2020-01-01\nlastmod: 2020-03-01\n"
                               "updatedDateTime: 2020-04-01");
    assert_int_equal(card->updated, at("2020-04-01"));

    card = parse_front("a.md", "date: 2020-01-01\nupdated: 2019-01-01");
    assert_int_equal(card->updated, at("2020-01-01"));

    card = parse_front("a.md", "updated: 2019-01-01");
    assert_true(card->published == CARDFEED_NO_TIME);
    assert_true(card->updated == CARDFEED_NO_TIME);
}


static void
test_bad_dates(void **state)
{
    (void) state;

    assert_refused("---\ntitle: a\npublishedDateTime: \"2020-13-45\"\n---\n",
        3, "publishedDateTime: \"2020-13-45\" is no date");
    assert_refused("---\r\ndate: yesterday\r\n---\r\n", 2, "yesterday");
    assert_refused("---\nupdated: x\n---\n", 2, "updated");
    assert_refused("---\nexpiryDate: never\n---\n", 2, "expiryDate");
    assert_refused("---\ndate: [2020-01-01]\n---\n", 2, "list or mapping");
    assert_refused("---\ndate:\n  a: b\n---\n", 3, "list or mapping");
    /* One that is not asked does no harm. */
    parse_front("a.md", "date: x\npublishDate: 2020-01-01");
}


static void
test_hidden(void **state)
{
    static const struct {
        const char *front;
        bool hidden;
    } cases[] = {
        {"published: false", true},
        {"published: \"False\"", true},
        {"published: NO", true},
        {"published: n", true},
        {"published: Y", false},
        {"published: off", true},
        {"published: 0", true},
        {"published: true", false},
        {"published: Yes", false},
        {"published: on", false},
        {"published: 1", false},
        {"published: 2020-01-01", false},
        {"published: ~", false},
        {"draft: true", true},
        {"draft: YES", true},
        {"draft: y", true},
        {"draft: N", false},
        {"draft: false", false},
        {"deleted: true", true},
        {"removed: 1", true},
        {"removed: 0", false},
        {"feed: false", true},
        {"feed: true", false},
        {"feed: {excerpt_only: true}", false},
        {"draft: false\nfeed: true\npublished: true\nremoved: no", false},
        {"published: true\ndraft: true", true},
        {"draft: true\ndraft: false", false},
        {"published: false\npublished: true", false},
    };

    const cardfeed_card_t *card;
    size_t i;

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        card = parse_front("2020-01-01-a.md", cases[i].front);
        assert_int_equal(card->hidden, cases[i].hidden);
        assert_int_equal(cardfeed_card_visible(card, at("2021-01-01")),
            !cases[i].hidden);
    }

    /* Never published by accident. */
    assert_refused("---\npublished: flase\n---\n", 2,
        "published: \"flase\" is neither true nor false nor a date");
    assert_refused("---\n\ndraft: treu\n---\n", 3, "draft: \"treu\"");
    assert_refused("---\nfeed: [false]\n---\n", 2, "feed: a list");
    assert_refused("---\nremoved: {}\n---\n", 2, "removed");
    assert_refused("---\npublished: {}\n---\n", 2, "published");
    assert_refused("---\ndeleted: 2020-01-01\n---\n", 2, "deleted");
}


/* Refused, its last visible version would stay in the feeds. */
static void
test_hidden_whatever_else(void **state)
{
    static const char *const says[] = {"draft: true", "deleted: true",
        "removed: yes", "feed: false", "published: false"};
    static const char *const with[] = {"date: TBD", "publishedDateTime: []",
        "updated: {}", "expiryDate: never", "lastmod: x\nexpiryDate: y",
        "title: \"a\\u0007b\""};
    static const char *const flags[] = {"draft: maybe", "deleted: {}",
        "removed: [true]", "feed: maybe", "published: soon"};

    const cardfeed_card_t *card;
    char front[128];
    size_t i, j;

    (void) state;

    for (i = 0; i < sizeof(says) / sizeof(says[0]); i++) {
        for (j = 0; j < sizeof(with) / sizeof(with[0]); j++) {
            snprintf(front, sizeof(front), "%s\n%s", says[i], with[j]);
            card = parse_front("2020-01-01-a.md", front);
            assert_true(card->hidden);
            assert_false(cardfeed_card_visible(card, at("2021-01-01")));
            assert_int_equal(card->published, at("2020-01-01"));
            assert_true(card->expires == CARDFEED_NO_TIME);
        }

        for (j = 0; j < sizeof(flags) / sizeof(flags[0]); j++) {
            if (i != j) {
                snprintf(front, sizeof(front), "%s\n%s", flags[j], says[i]);
                assert_true(parse_front("a.md", front)->hidden);
            }
        }
    }

    /* The next date that can be read is taken; none is made up. */
    card = parse_front("a.md", "draft: 1\npublishDate: x\ndate: 2020-02-02");
    assert_int_equal(card->published, at("2020-02-02"));
    assert_true(parse_front("a.md", "draft: 1\ndate: x")->published
        == CARDFEED_NO_TIME);

    /* The last duplicate is the one. */
    assert_refused("---\ndraft: true\ndraft: false\ndate: TBD\n---\n", 4,
        "date: \"TBD\"");
    assert_refused("---\ndraft: true\nfeed: maybe\ndraft: no\n---\n", 3,
        "feed: \"maybe\"");
}


static void
test_controls_in_title(void **state)
{
    static const char *const bad[] = {"\\u0007", "\\0", "\\x01", "\\e",
        "\\v", "\\f", "\\x1f", "\\x7f", "\\x80", "\\N", "\\x9f"};
    static const char *const good[] = {"\\t", "\\n", "\\r\\n", "\\_", "\\L",
        "\\P", "\t", "\n  ", "\\ "};

    char text[128];
    size_t i;

    (void) state;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(text, sizeof(text),
            "---\nname: n\ntitle: \"a%sb\"\ndate: 2020-01-01\n---\n", bad[i]);
        assert_refused(text, 3, "a control character in the title");
    }

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        snprintf(text, sizeof(text), "title: \"a%sb\"", good[i]);
        assert_field(parse_front("a.md", text), TITLE, "a b");
    }

    assert_field(parse_front("a.md", "title: \"\xc3\x9f\xc2\xbf\""), TITLE,
        "\xc3\x9f\xc2\xbf");
    assert_field(parse_front("a.md", "title: |\n  a\n  b\n"), TITLE, "a b");

    /* Elsewhere they are dropped. */
    assert_field(parse_front("a.md", "name: \"a\\u0007b\""), TITLE, "ab");
    assert_field(parse_front("a.md", "excerpt: \"a\\u0007b\""), EXCERPT,
        "ab");
}


static void
test_visible(void **state)
{
    const cardfeed_card_t *card;
    cardfeed_card_t bare;

    (void) state;

    card = parse_front("a.md",
        "date: 2020-01-01\nexpiryDate: 2021-01-01T00:00:00Z");

    assert_false(cardfeed_card_visible(card, at("2020-01-01") - 1));
    assert_true(cardfeed_card_visible(card, at("2020-01-01")));
    assert_true(cardfeed_card_visible(card, at("2021-01-01") - 1));
    assert_false(cardfeed_card_visible(card, at("2021-01-01")));

    bare = *card;
    bare.field[CARDFEED_FIELD_TITLE] = CARDFEED_NO_STR;
    assert_false(cardfeed_card_visible(&bare, at("2020-06-01")));
}


static void
test_numbers(void **state)
{
    static const struct {
        const char *text;
        int32_t value;
    } cases[] = {
        {"65", 65}, {"\"65\"", 65}, {"-3", -3}, {"+7", 7}, {"65.9", 65},
        {"-1.5", -1}, {"2147483647", INT32_MAX}, {"2147483648", 0},
        {"-2147483648", 0}, {"99999999999999999999999", 0}, {"high", 0},
        {"6x", 0}, {"1.x", 0}, {"~", 0}, {"[1]", 0}, {"\"\"", 0}, {"\"-\"", 0},
        {".5", 0}, {"1e3", 0},
    };

    char front[64];
    size_t i;

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        snprintf(front, sizeof(front), "quality: %s\nheat: %s", cases[i].text,
            cases[i].text);
        assert_int_equal(parse_front("a.md", front)->quality,
            cases[i].value);
        assert_int_equal(parse_front("a.md", front)->heat, cases[i].value);
    }
}


static void
test_limits_of_texts(void **state)
{
    const cardfeed_card_t *card;
    size_t big = (size_t) 1 << 20;
    char *text;

    (void) state;

    text = malloc(big + 128);
    assert_non_null(text);
    strcpy(text, "---\ntitle: a\nexcerpt: \"");
    memset(text + strlen(text), 'x', big);
    strcpy(text + 23 + big, "\"\n---\n");

    card = parse_file("a.md", text);
    assert_int_equal(card->field[CARDFEED_FIELD_EXCERPT].len,
        CARDFEED_CARD_TEXT);

    memcpy(text, "---\nexcer: a\ntitle  : \"", 23);
    card = parse_file("a.md", text);
    assert_int_equal(card->field[CARDFEED_FIELD_TITLE].len,
        CARDFEED_CARD_NAME);
    free(text);

    /* The parser is as good as new after it. */
    assert_field(parse_front("a.md", "title: b"), TITLE, "b");
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        card_test(test_whole_card),
        card_test(test_fences),
        card_test(test_fence_errors),
        card_test(test_empty_front_matter),
        card_test(test_key_priority),
        card_test(test_null_is_plain_only),
        card_test(test_titles_of_files),
        card_test(test_category),
        card_test(test_published_date),
        card_test(test_timezone_and_mtime),
        card_test(test_updated),
        card_test(test_bad_dates),
        card_test(test_hidden),
        card_test(test_hidden_whatever_else),
        card_test(test_controls_in_title),
        card_test(test_visible),
        card_test(test_numbers),
        card_test(test_limits_of_texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
