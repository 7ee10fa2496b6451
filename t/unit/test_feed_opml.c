/* test_feed_opml: the catalogue of topics → OPML 2.0. */

#include "feed_fixture.h"

static const cardfeed_topic_t topics[] = {
    {
        .id = 1,
        .count = 2,
        .slug = CARDFEED_STR("csharp"),
        .name = CARDFEED_STR("C#"),
    },
    {
        .id = 2,
        .count = 1,
        .slug = CARDFEED_STR("\xe6\x97\xa5\xe6\x9c\xac"),
        .name = CARDFEED_STR("\xe6\x97\xa5\xe6\x9c\xac"),
    },
};


static int
setup(void **state)
{
    return fixture_setup(state, &cardfeed_feed_opml);
}


static void
test_format(void **state)
{
    fixture_t *f = *state;

    assert_ptr_equal(cardfeed_feed_format(CARDFEED_STR("opml")), f->format);
    assert_string_equal(f->format->content_type, "text/x-opml");
    assert_null(f->format->begin);
    assert_null(f->format->policy);
    assert_false(f->format->subscribe);
    assert_int_equal(f->format->topics, 5000);
}


static void
test_least_document(void **state)
{
    fixture_t *f = *state;

    fixture_render_catalogue(f);

    assert_memory_equal(f->out.data,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<opml version=\"2.0\">",
        55);
    assert_xpath(f, "/opml/head/title", "Site");
    assert_xpath(f, "/opml/head/docs", "http://opml.org/spec2.opml");
    assert_xpath(f, "count(/opml/head/*)", "2");
    assert_xpath(f, "count(/opml/body/*)", "1");
    assert_xpath(f, "/opml/body/outline/@text", "Site");
    assert_xpath(f, "/opml/body/outline/@description", "0 articles");
    assert_xpath(f, "count(/opml/body/outline/@language)", "0");
}


static void
test_full_document(void **state)
{
    fixture_t *f = *state;

    f->catalogue.author = CARDFEED_STR("Ann & Bo");
    f->catalogue.language = CARDFEED_STR("en-GB");
    f->catalogue.updated = 1594755900;
    f->catalogue.all.count = UINT32_MAX;
    f->catalogue.topics = topics;
    f->catalogue.ntopics = 2;
    fixture_render_catalogue(f);

    assert_xpath(f, "/opml/head/dateModified",
        "Tue, 14 Jul 2020 19:45:00 GMT");
    assert_xpath(f, "/opml/head/ownerName", "Ann & Bo");

    assert_xpath(f, "count(//outline)", "3");
    assert_xpath(f, "count(//outline[@type='rss'])", "3");
    assert_xpath(f, "count(//outline[@text=@title])", "3");
    assert_xpath(f, "count(//outline[@language='en-GB'])", "3");

    assert_xpath(f, "//outline[1]/@text", "Site");
    assert_xpath(f, "//outline[1]/@description", "4294967295 articles");
    assert_xpath(f, "//outline[1]/@xmlUrl",
        "https://site.example/feeds/all.rss");
    assert_xpath(f, "//outline[1]/@htmlUrl",
        "https://site.example/feeds/all.html");

    assert_xpath(f, "//outline[2]/@text", "C#");
    assert_xpath(f, "//outline[2]/@description", "2 articles");
    assert_xpath(f, "//outline[2]/@xmlUrl",
        "https://site.example/feeds/csharp.rss");
    assert_xpath(f, "//outline[2]/@htmlUrl",
        "https://site.example/feeds/csharp.html");

    assert_xpath(f, "//outline[3]/@description", "1 article");
    assert_xpath(f, "//outline[3]/@xmlUrl",
        "https://site.example/feeds/%E6%97%A5%E6%9C%AC.rss");
}


static void
test_more_documents(void **state)
{
    fixture_t *f = *state;

    f->catalogue.topics = topics;
    f->catalogue.ntopics = 1;
    f->catalogue.next_url =
        CARDFEED_STR("https://site.example/feeds/all.opml?from=d&x=y");
    fixture_render_catalogue(f);

    assert_xpath(f, "count(//outline)", "3");
    assert_xpath(f, "//outline[last()]/@type", "include");
    assert_xpath(f, "//outline[last()]/@text", "More topics");
    assert_xpath(f, "//outline[last()]/@url",
        "https://site.example/feeds/all.opml?from=d&x=y");

    f->catalogue.first_url =
        CARDFEED_STR("https://site.example/feeds/all.opml");
    f->catalogue.next_url = CARDFEED_NO_STR;
    fixture_render_catalogue(f);

    assert_xpath(f, "count(//outline)", "1");
    assert_xpath(f, "//outline/@text", "C#");

    /* a body has an outline, whatever is left to list */

    f->catalogue.ntopics = 0;
    fixture_render_catalogue(f);

    assert_xpath(f, "count(//outline)", "1");
    assert_xpath(f, "//outline/@text", "Site");

    f->catalogue.next_url =
        CARDFEED_STR("https://site.example/feeds/all.opml?from=d");
    fixture_render_catalogue(f);

    assert_xpath(f, "count(//outline)", "1");
    assert_xpath(f, "//outline/@type", "include");
}


static void
test_hostile_text(void **state)
{
    static const struct {
        cardfeed_str_t text;
        const char *read;
    } cases[] = {
        {CARDFEED_STR("\"/><outline text=\"x"), "\"/><outline text=\"x"},
        {CARDFEED_STR("&amp; ' <!-- ]]>"), "&amp; ' <!-- ]]>"},
        {CARDFEED_STR("a\0\x01\x1f" "b\tc\nd\re"), "ab\tc\nd\re"},
        {CARDFEED_STR("\xff\xc3"), "\xef\xbf\xbd\xef\xbf\xbd"},
    };

    size_t i;
    fixture_t *f = *state;
    cardfeed_topic_t topic = topics[0];

    f->catalogue.topics = &topic;
    f->catalogue.ntopics = 1;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        topic.name = cases[i].text;
        f->catalogue.title = cases[i].text;
        f->catalogue.author = cases[i].text;
        f->catalogue.language = cases[i].text;
        fixture_render_catalogue(f);

        assert_xpath(f, "count(//outline)", "2");
        assert_xpath(f, "/opml/head/title", cases[i].read);
        assert_xpath(f, "/opml/head/ownerName", cases[i].read);
        assert_xpath(f, "//outline[1]/@title", cases[i].read);
        assert_xpath(f, "//outline[2]/@text", cases[i].read);
        assert_xpath(f, "//outline[2]/@language", cases[i].read);
    }
}


static void
test_many_topics(void **state)
{
    static cardfeed_topic_t many[5000];

    size_t i;
    fixture_t *f = *state;

    for (i = 0; i < 5000; i++) {
        many[i] = topics[i % 2];
    }

    f->catalogue.topics = many;
    f->catalogue.ntopics = 5000;
    fixture_render_catalogue(f);

    assert_xpath(f, "count(//outline)", "5001");
}


static void
test_a_full_buffer(void **state)
{
    fixture_t *f = *state;

    f->catalogue.topics = topics;
    f->catalogue.ntopics = 2;
    assert_catalogue_fits(f);
}


static void
test_the_same_bytes(void **state)
{
    fixture_t *f = *state;

    f->catalogue.topics = topics;
    f->catalogue.ntopics = 2;
    assert_same_bytes(f, fixture_render_catalogue);
}


int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, fixture_teardown)

    const struct CMUnitTest tests[] = {
        TEST(test_format),
        TEST(test_least_document),
        TEST(test_full_document),
        TEST(test_more_documents),
        TEST(test_hostile_text),
        TEST(test_many_topics),
        TEST(test_a_full_buffer),
        TEST(test_the_same_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
