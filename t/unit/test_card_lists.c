/* test_card_lists: topics, provider, authors and related cards. */

#include "card_fixture.h"


/* The topics as "name=slug|name=slug". */
static void
assert_topics(const char *front, const char *expected)
{
    const cardfeed_card_t *card;
    cardfeed_buf_t list;
    size_t i;

    card = parse_front("a.md", front);
    cardfeed_buf_init(&list, 4096);

    for (i = 0; i < card->ntopics; i++) {
        cardfeed_buf_cstr(&list, i != 0 ? "|" : "");
        cardfeed_buf_str(&list, card->topics[i].name);
        cardfeed_buf_char(&list, '=');
        cardfeed_buf_str(&list, card->topics[i].slug);
    }

    assert_int_equal(list.failed, CARDFEED_OK);
    assert_str(cardfeed_buf_view(&list), expected);
    cardfeed_buf_free(&list);
}


static void
test_topics(void **state)
{
    (void) state;

    assert_topics("topics: [AI, \"C#\", C++, .NET]",
        "AI=ai|C#=csharp|C++=cplusplus|.NET=dotnet");
    assert_topics("topics: Computer Vision",
        "Computer Vision=computer-vision");
    assert_topics("tags: a, b", "a, b=a-b");
    assert_topics("topics:\n- \"R&amp;D  x\"\n- r d x", "R&D x=r-d-x");

    /* The first spelling stays; nothing comes of nothing. */
    assert_topics("topics: [Management Tools, Management tools, management "
                  "TOOLS]",
        "Management Tools=management-tools");
    assert_topics("topics: [~, \"\", \"  \", {a: b}, [c], d]", "d=d");

    /* tags and categories only without topics. */
    assert_topics("topics: a\ntags: b\ncategories: c", "a=a");
    assert_topics("categories: [x, B]\ntags: [a, b]", "a=a|b=b|x=x");
    assert_topics("topics: []\ntags: b", "b=b");
    assert_topics("topics: ~\ncategories: c", "c=c");
    assert_topics("topics: {a: b}\ncategories: c", "c=c");
    assert_topics("topics: [\"\"]\ncategories: c", "c=c");

    /* The last duplicate. */
    assert_topics("topics: [a, b]\nTopics: [c]", "c=c");
    assert_topics("topics: [a, b]\ntopics: c", "c=c");
    assert_topics("topics: c\ntopics: [a, b]", "a=a|b=b");
    assert_topics("topics: [a, b]\ntopics: ~", "");
}


static void
test_many_topics(void **state)
{
    const cardfeed_card_t *card;
    cardfeed_buf_t front;
    char name[32];
    unsigned i;

    (void) state;

    cardfeed_buf_init(&front, (size_t) 4 << 20);
    cardfeed_buf_cstr(&front, "title: a\ntopics:\n");

    for (i = 0; i < 20000; i++) {
        cardfeed_buf_printf(&front, "- Topic %u\n- topic %u\n", i % 10000,
            i % 10000);
    }

    cardfeed_buf_char(&front, '\0');
    assert_int_equal(front.failed, CARDFEED_OK);
    card = parse_front("a.md", front.data);

    /* The first 16384 entries are looked at: 8192 topics, twice. */
    assert_int_equal(card->ntopics, CARDFEED_CARD_TOPICS / 2);
    snprintf(name, sizeof(name), "Topic %u", CARDFEED_CARD_TOPICS / 2 - 1);
    assert_str(card->topics[card->ntopics - 1].name, name);

    cardfeed_buf_reset(&front);
    cardfeed_buf_cstr(&front, "tags:\n");

    for (i = 0; i < 20000; i++) {
        cardfeed_buf_printf(&front, "- t%u\n", i);
    }

    cardfeed_buf_cstr(&front, "categories: [late]\n");
    cardfeed_buf_char(&front, '\0');
    card = parse_front("a.md", front.data);
    assert_int_equal(card->ntopics, CARDFEED_CARD_TOPICS);
    assert_str(card->topics[CARDFEED_CARD_TOPICS - 1].slug, "t16383");

    /* The next card starts with none. */
    assert_int_equal(parse_front("a.md", "tags: [x]")->ntopics, 1);
    assert_int_equal(parse_front("a.md", "title: x")->ntopics, 0);
    cardfeed_buf_free(&front);
}


static void
test_long_topic(void **state)
{
    const cardfeed_card_t *card;
    char front[4096];

    (void) state;

    strcpy(front, "topics: [");
    memset(front + 9, 'a', 3000);
    strcpy(front + 3009, "]");
    card = parse_front("a.md", front);
    assert_int_equal(card->ntopics, 1);
    assert_int_equal(card->topics[0].name.len, CARDFEED_CARD_NAME);
    assert_true(card->topics[0].slug.len <= CARDFEED_SLUG_MAX);
}


static void
test_provider(void **state)
{
    static const struct {
        const char *front;
        const char *name;
        const char *url;
    } cases[] = {
        {"provider: {name: N, domain: X.org}", "N", "https://x.org/"},
        {"provider: {name: N, domain: x.org, url: https://y.org/z}", "N",
            "https://y.org/z"},
        {"provider: {domain: x.org}", "x.org", "https://x.org/"},
        {"provider: {name: N, domain: \"not a host\"}", "N", ""},
        {"provider: {name: N, domain: \"a@b\"}", "N", ""},
        {"provider: A &amp; B", "A & B", ""},
        {"provider: [a]", "", ""},
        {"provider: {name: N}\nprovider: {domain: x.org}", "x.org",
            "https://x.org/"},
        {"provider: {name: N}\nprovider: M", "M", ""},
        {"provider: {name: N}\nprovider: ~", "", ""},
        {"provider: {name: N}\nprovider: [x]", "", ""},
        {"provider: {name: {a: b}, NAME: N}", "N", ""},
    };

    const cardfeed_card_t *card;
    size_t i;

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        card = parse_front("a.md", cases[i].front);
        assert_field(card, PROVIDER, cases[i].name);
        assert_field(card, PROVIDER_URL, cases[i].url);
    }
}


/* The authors as "name,url,email|…". */
static void
assert_authors(const char *front, const char *expected)
{
    const cardfeed_card_t *card;
    cardfeed_buf_t list;
    size_t i;

    card = parse_front("a.md", front);
    cardfeed_buf_init(&list, 4096);

    for (i = 0; i < card->nauthors; i++) {
        cardfeed_buf_cstr(&list, i != 0 ? "|" : "");
        cardfeed_buf_str(&list, card->authors[i].name);
        cardfeed_buf_char(&list, ',');
        cardfeed_buf_str(&list, card->authors[i].url);
        cardfeed_buf_char(&list, ',');
        cardfeed_buf_str(&list, card->authors[i].email);
    }

    assert_int_equal(list.failed, CARDFEED_OK);
    assert_str(cardfeed_buf_view(&list), expected);
    cardfeed_buf_free(&list);
}


static void
test_authors(void **state)
{
    (void) state;

    assert_authors("author: Jane", "Jane,,");
    assert_authors("author: Jane Doe <jane@x.org>", "Jane Doe,,jane@x.org");
    assert_authors("author: jane@x.org", "jane,,jane@x.org");
    assert_authors("author: <jane@x.org>", "jane,,jane@x.org");
    assert_authors("author: Jane <at home>", "Jane <at home>,,");
    assert_authors("author: \"Jane <a@b@c>\"", "Jane <a@b@c>,,");
    assert_authors("author: \"@jane\"", "@jane,,");
    assert_authors("author: [A, {name: B, url: /b, email: b@x.org}, ~, [C]]",
        "A,,|B,/b,b@x.org");
    assert_authors("author: {name: B, email: no mail, "
                   "url: \"javascript:x\"}",
        "B,,");
    assert_authors("author: {email: b@x.org}", "b,,b@x.org");
    assert_authors("author: {name: B <b@x.org>, email: c@x.org}",
        "B,,c@x.org");
    assert_authors("author: {url: /b}", "");

    /* provider.authors, else author, else authors. */
    assert_authors("authors: [C]\nauthor: B\nprovider: {authors: [A]}",
        "A,,");
    assert_authors("authors: [C]\nauthor: B\nprovider: {authors: A}", "A,,");
    assert_authors("authors: [C]\nauthor: B\nprovider: {authors: []}",
        "B,,");
    assert_authors("authors: [C, D]\nauthor: ~", "C,,|D,,");
    assert_authors("authors: [C]\nprovider: {authors: [{name: ~}]}", "C,,");
    assert_authors("provider: {authors: [A]}\nprovider: X\nauthor: B",
        "B,,");
    assert_authors("author: [A]\nauthor: [B]", "B,,");
}


static void
test_many_authors(void **state)
{
    char front[4096];
    size_t i;

    (void) state;

    strcpy(front, "authors: [~, {}");

    for (i = 0; i < 100; i++) {
        strcat(front, ", {name: A}");
    }

    strcat(front, "]");
    assert_int_equal(parse_front("a.md", front)->nauthors,
        CARDFEED_CARD_AUTHORS);
}


static void
test_related(void **state)
{
    const cardfeed_card_t *card;

    (void) state;

    card = parse_front("a.md",
        "related:\n"
        "- {title: \"A &amp; B\", url: /u, webUrl: https://x.org/w}\n"
        "- {title: no link}\n"
        "- text\n"
        "- {title: C, webUrl: \"javascript:x\", originalUrl: /o}\n"
        "- {url: /untitled}\n"
        "- [{title: D, url: /d}]\n");

    assert_int_equal(card->nrelated, 3);
    assert_str(card->related[0].title, "A & B");
    assert_str(card->related[0].url, "https://x.org/w");
    assert_str(card->related[1].title, "C");
    assert_str(card->related[1].url, "/o");
    assert_str(card->related[2].title, "");
    assert_str(card->related[2].url, "/untitled");

    card = parse_front("a.md", "related: [{url: /1}, {url: /2}, {url: /3}, "
                               "{url: /4}, {url: /5}, {url: /6}, {url: /7}]");
    assert_int_equal(card->nrelated, CARDFEED_CARD_RELATED);
    assert_str(card->related[4].url, "/5");

    assert_int_equal(
        parse_front("a.md", "related: [{url: /1}]\nrelated: x")->nrelated, 0);
    assert_int_equal(
        parse_front("a.md", "related: [{url: /1}]\nrelated: []")->nrelated,
        0);
    assert_int_equal(parse_front("a.md", "title: x")->nrelated, 0);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        card_test(test_topics),
        card_test(test_many_topics),
        card_test(test_long_topic),
        card_test(test_provider),
        card_test(test_authors),
        card_test(test_many_authors),
        card_test(test_related),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
