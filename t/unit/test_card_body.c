/* test_card_body: titles and excerpts out of Markdown and HTML. */

#include "card_fixture.h"


static const cardfeed_card_t *
parse_body(const char *path, const char *front, const char *body)
{
    const cardfeed_card_t *card;
    char *text;

    assert_true(asprintf(&text, "---\n%s\n---\n%s", front, body) > 0);
    card = parse_file(path, text);
    free(text);

    return card;
}


static void
test_markdown(void **state)
{
    static const struct {
        const char *body;
        const char *title;
        const char *excerpt;
    } cases[] = {
        {"# The *first*\n\nHello `code` [link](x)\nnext  \nbreak\n\nmore\n",
            "The first", "Hello code link next break"},
        {"text first\n\nSetext &amp; more\n---\n", "Setext & more",
            "text first"},
        {"\r\n## Two\r\n\r\nPara\r\ngraph\r\n", "Two", "Para graph"},
        {"a &lt;b&gt; &#8217; \\&amp; &nbsp;c &unknown;", "A",
            "a <b> \xe2\x80\x99 &amp; c &unknown;"},
        {"![only an image](a.png)\n\nThen text ![alt](b.png) on\n", "A",
            "Then text on"},
        {"<p>HTML &amp; &quot;more&quot;</p>\n\nlater\n", "A",
            "HTML & \"more\""},
        {"<h1>In <b>HTML</b></h1>\n\nlater\n", "In HTML", "later"},
        {"<p>&nbsp;</p>\n<p> second <br>one</p>\n", "A", "second one"},
        {"<!-- # no -->\n\n<script>\n# no\n\n</script>\n\nyes\n", "A",
            "yes"},
        {"inline <b>html</b><br>here", "A", "inline html here"},
        {"```\n# no\n```\n\n- item\n\n> quoted\n", "A", "quoted"},
        {"#\n\n# \n\n# Real\n", "Real", ""},
        {"\n \n", "A", ""},
        {"", "A", ""},
        {"~~gone~~ https://x.org/", "A", "gone https://x.org/"},
    };

    const cardfeed_card_t *card;
    size_t i;

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        card = parse_body("a.md", "", cases[i].body);
        assert_field(card, TITLE, cases[i].title);
        assert_field(card, EXCERPT, cases[i].excerpt);
    }
}


static void
test_html(void **state)
{
    static const struct {
        const char *body;
        const char *title;
        const char *excerpt;
    } cases[] = {
        {"<html><head><title>no</title><style>p{}</style></head>"
         "<body><h1>Yes &eacute;</h1><p>One<br/>two <i>three</i></p>"
         "<p>no</p></body></html>",
            "Yes \xc3\xa9", "One two three"},
        {"<p>\xc3\xa4 &nbsp; &#x2014; &lt;x&gt;", "A",
            "\xc3\xa4 \xe2\x80\x94 <x>"},
        {"<meta charset=\"iso-8859-1\"><p>\xc3\xa4</p>", "A", "\xc3\xa4"},
        {"<script>document.write('<p>no</p>')</script><p>a"
         "<script>no</script>b</p>",
            "A", "ab"},
        {"<p></p><p>  </p><h3></h3><h4>four</h4><p>x", "four", "x"},
        {"<table><tr><td>no<p>in a cell</table>", "A", "in a cell"},
        {"<div>no paragraph</div>", "A", ""},
        {"<p>one<p>two", "A", "one"},
        {"<h1>a<p>b</h1>", "a", "b"},
        {"<template><p>no</p></template><p>yes</p>", "A", "yes"},
        {"</p></style></head><p>yes</p>", "A", "yes"},
        {"&&&<<<p>x", "A", "&&&<<"},
        {"<!DOCTYPE html SYSTEM \"file:///etc/passwd\"><p>x&e;y</p>", "A",
            "x&e;y"},
        {"</div><!-- <p>no --><p>yes", "A", "yes"},
        {"loose <b>text</b>", "A", "loose text"},
    };

    const cardfeed_card_t *card;
    size_t i;

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        card = parse_body(i % 2 ? "a.html" : "a.HTM", "", cases[i].body);
        assert_field(card, TITLE, cases[i].title);
        assert_field(card, EXCERPT, cases[i].excerpt);
    }
}


static void
test_front_matter_first(void **state)
{
    const cardfeed_card_t *card;

    (void) state;

    card = parse_body("a.md", "title: T", "# H\n\nP\n");
    assert_field(card, TITLE, "T");
    assert_field(card, EXCERPT, "P");

    card = parse_body("a.md", "summary: S", "# H\n\nP\n");
    assert_field(card, TITLE, "H");
    assert_field(card, EXCERPT, "S");

    card = parse_body("a.md", "name: N\nexcerpt: E", "# H\n\nP\n");
    assert_field(card, TITLE, "N");
    assert_field(card, EXCERPT, "E");
}


static void
test_shortened(void **state)
{
    const cardfeed_card_t *card;
    cardfeed_str_t excerpt;
    char body[4096];
    size_t i;

    (void) state;

    body[0] = '\0';

    for (i = 0; i < 200; i++) {
        strcat(body, "wordword ");
    }

    card = parse_body("a.md", "", body);
    excerpt = card->field[CARDFEED_FIELD_EXCERPT];
    assert_true(excerpt.len <= 500 && excerpt.len > 480);
    assert_memory_equal(excerpt.data + excerpt.len - 11,
        "wordword\xe2\x80\xa6", 11);

    /* Exactly as much as fits is left alone. */
    memset(body, 'x', 500);
    body[500] = '\0';
    card = parse_body("a.md", "", body);
    assert_int_equal(card->field[CARDFEED_FIELD_EXCERPT].len, 500);
    assert_null(memchr(card->field[CARDFEED_FIELD_EXCERPT].data, '\xe2',
        500));

    /* No word ends: cut between characters. */
    body[0] = '\0';

    for (i = 0; i < 400; i++) {
        strcat(body, "\xe6\xbc\xa2");
    }

    card = parse_body("a.html", "", body);
    excerpt = card->field[CARDFEED_FIELD_EXCERPT];
    assert_int_equal(excerpt.len, 165 * 3 + 3);
    assert_int_equal(cardfeed_utf8_check(excerpt), excerpt.len);
    assert_memory_equal(excerpt.data + excerpt.len - 6,
        "\xe6\xbc\xa2\xe2\x80\xa6", 6);
}


/* Bodies made to be slow or deep end all the same. */
static void
test_hostile_bodies(void **state)
{
    static const char *const parts[] = {"<b>", "<p><h1>", "</x>", "[", "*a_ ",
        "> ", "- ", "&amp", "<!--", "<table><tr><td>", "<script>", "`",
        "![](", "<a b='", "\xe6\xbc\xa2", "# \n", "<p>\n\n"};

    static const char *const paths[] = {"a.md", "a.html"};

    const cardfeed_card_t *card;
    size_t i, j, len, size = 300 * 1024;
    char *body;

    (void) state;

    body = malloc(size + 64);
    assert_non_null(body);

    for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        len = strlen(parts[i]);
        strcpy(body, "---\ndate: 2020-01-01\n---\n");

        for (j = strlen(body); j + len < size; j += len) {
            memcpy(body + j, parts[i], len);
        }

        for (len = 0; len < 2; len++) {
            assert_int_equal(parse_bytes(paths[len], body, j, &card),
                CARDFEED_OK);
            assert_true(card->field[CARDFEED_FIELD_TITLE].len != 0);
            assert_true(card->field[CARDFEED_FIELD_EXCERPT].len <= 500);
        }
    }

    free(body);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        card_test(test_markdown),
        card_test(test_html),
        card_test(test_front_matter_first),
        card_test(test_shortened),
        card_test(test_hostile_bodies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
