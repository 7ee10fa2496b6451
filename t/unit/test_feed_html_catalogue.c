/* test_feed_html_catalogue: topics → a page for people. */

#include "html_fixture.h"

#define MANY 500

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
    int rc;

    rc = fixture_setup(state, &cardfeed_feed_html);

    fixture.catalogue.topics = topics;
    fixture.catalogue.ntopics = 2;

    return rc;
}


static void
test_policy(void **state)
{
    fixture_t *f = *state;

    fixture_render_catalogue(f);

    assert_policy_holds(f);
}


static void
test_least_page(void **state)
{
    fixture_t *f = *state;

    f->catalogue.ntopics = 0;
    fixture_render_catalogue(f);

    assert_memory_equal(f->out.data, "<!DOCTYPE html>\n<html>\n<head>\n", 30);
    assert_safe(f);
    assert_accessible(f);
    assert_xpath(f, "string(/html/head/title)", "Site");
    assert_xpath(f, "string(//h1)", "Site");
    assert_xpath(f, "string(//link[@rel='canonical']/@href)", FEEDS);
    assert_xpath(f, "count(//header/nav/a)", "1");
    assert_xpath(f, "count(//meta[@name='description'])", "0");
    assert_xpath(f, "string(//main/p)",
        "There are no topics yet. The first articles will bring some.");
    assert_xpath(f, "count(//footer/*)", "0");
}


static void
test_full_page(void **state)
{
    fixture_t *f = *state;

    f->catalogue.description = CARDFEED_STR("R&D <all>");
    f->catalogue.language = CARDFEED_STR("en-GB");
    f->catalogue.icon_url = CARDFEED_STR("https://site.example/i.svg");
    f->catalogue.rights = CARDFEED_STR("\xc2\xa9 Site");
    f->catalogue.updated = 1594755900;
    f->catalogue.all.count = 12345;
    fixture_render_catalogue(f);

    assert_safe(f);
    assert_accessible(f);
    assert_xpath(f, "string(/html/@lang)", "en-GB");
    assert_xpath(f, "string(//header/p[1])", "R&D <all>");
    assert_xpath(f, "string(//meta[@name='description']/@content)",
        "R&D <all>");
    assert_xpath(f, "string(//link[@rel='icon']/@href)",
        "https://site.example/i.svg");
    assert_xpath(f, "string(//footer/p)", "\xc2\xa9 Site");
    assert_xpath(f, "string(//header/p[2])", "Everything 12345 articles");
    assert_xpath(f, "string(//header/p[2]/a/@href)", FEEDS "all.html");
}


static void
test_feeds_of_everything(void **state)
{
    fixture_t *f = *state;

    fixture_render_catalogue(f);

    assert_xpath(f, "count(//link[@rel='alternate'])", "3");
    assert_xpath(f, "string(//link[@type='application/rss+xml']/@href)",
        FEEDS "all.rss");
    assert_xpath(f, "string(//link[@type='application/atom+xml']/@href)",
        FEEDS "all.atom");
    assert_xpath(f, "string(//link[@type='application/feed+json']/@href)",
        FEEDS "all.json");
    assert_xpath(f, "string(//link[@type='application/feed+json']/@title)",
        "Site (JSON Feed 1.1)");

    assert_xpath(f, "count(//section//li[a/@href = code])", "4");
    assert_xpath(f, "string(//section//li[1]/code)", FEEDS "all.rss");
    assert_xpath(f, "string(//section//li[4]/a)", "OPML 2.0");
    assert_xpath(f, "string(//section//li[4]/code)", FEEDS "all.opml");
}


static void
test_topics(void **state)
{
    fixture_t *f = *state;

    fixture_render_catalogue(f);

    assert_xpath(f, "string(//main/h2)", "Topics");
    assert_xpath(f, "count(//main/ul/li)", "2");
    assert_xpath(f, "string(//main//li[1]/a)", "C#");
    assert_xpath(f, "string(//main//li[1]/a/@href)", FEEDS "csharp.html");
    assert_xpath(f, "string(//main//li[1]/span[1])", "2 articles");
    assert_xpath(f, "count(//main//li[1]/span[2]/a)", "3");
    assert_xpath(f, "string(//main//li[1]//a[.='RSS']/@href)",
        FEEDS "csharp.rss");
    assert_xpath(f, "string(//main//li[1]//a[.='Atom']/@href)",
        FEEDS "csharp.atom");
    assert_xpath(f, "string(//main//li[1]//a[.='JSON']/@href)",
        FEEDS "csharp.json");
    assert_xpath(f, "string(//main//li[1]//a[.='RSS']/@aria-label)",
        "RSS feed of C#");

    assert_xpath(f, "string(//main//li[2]/span[1])", "1 article");
    assert_xpath(f, "string(//main//li[2]/a/@href)",
        FEEDS "%E6%97%A5%E6%9C%AC.html");
}


static void
test_paging(void **state)
{
    fixture_t *f = *state;

    f->catalogue.next_url = CARDFEED_STR(FEEDS "?from=d&x=y");
    fixture_render_catalogue(f);

    assert_xpath(f, "count(//footer//a)", "1");
    assert_xpath(f, "string(//footer//a[@rel='next']/@href)",
        FEEDS "?from=d&x=y");

    f->catalogue.self_url = f->catalogue.next_url;
    f->catalogue.first_url = CARDFEED_STR(FEEDS);
    fixture_render_catalogue(f);

    assert_xpath(f, "count(//footer//a)", "2");
    assert_xpath(f, "string(//footer//a[@rel='first']/@href)", FEEDS);

    /* All is on the first page, but can be subscribed to from any. */

    assert_xpath(f, "count(//section)", "0");
    assert_xpath(f, "count(//link[@rel='alternate'])", "3");
    assert_xpath(f, "string(//header/nav/a[2]/@href)", FEEDS);

    f->catalogue.next_url = CARDFEED_NO_STR;
    f->catalogue.ntopics = 0;
    fixture_render_catalogue(f);

    assert_safe(f);
    assert_accessible(f);
    assert_xpath(f, "count(//footer//a)", "1");
    assert_xpath(f, "string(//main/p)", "There are no more topics.");
}


static void
render_text(fixture_t *f, cardfeed_str_t text)
{
    cardfeed_topic_t topic = {.count = 3, .name = text, .slug = text};

    f->catalogue.title = text;
    f->catalogue.description = text;
    f->catalogue.language = text;
    f->catalogue.author = text;
    f->catalogue.rights = text;
    f->catalogue.topics = &topic;
    f->catalogue.ntopics = 1;
    fixture_render_catalogue(f);
}


static void
test_hostile_text(void **state)
{
    static const struct {
        cardfeed_str_t text;
        const char *read;
    } cases[] = {
        {CARDFEED_STR("\"><script>alert(1)</script>"),
            "\"><script>alert(1)</script>"},
        {CARDFEED_STR("</title></style></head><body onload=x>"),
            "</title></style></head><body onload=x>"},
        {CARDFEED_STR("'\" onclick=alert(1) x='"),
            "'\" onclick=alert(1) x='"},
        {CARDFEED_STR("--><!-- ]]><?x?> &lt; &"),
            "--><!-- ]]><?x?> &lt; &"},
        {CARDFEED_STR("a\0b\x01\x1f" "c\td\xff"),
            "abc\td\xef\xbf\xbd"},
    };

    size_t i;
    char elements[16], attributes[16];
    fixture_t *f = *state;

    render_text(f, CARDFEED_STR("harmless"));
    strcpy(elements, xpath(f, "count(//*)"));
    strcpy(attributes, xpath(f, "count(//@*)"));

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        render_text(f, cases[i].text);

        assert_safe(f);
        assert_xpath(f, "count(//*)", elements);
        assert_xpath(f, "count(//@*)", attributes);
        assert_xpath(f, "string(//h1)", cases[i].read);
        assert_xpath(f, "string(//main//li/a)", cases[i].read);
        assert_xpath(f, "substring-after(//main//li//a[.='RSS']/@aria-label, "
                        "'RSS feed of ')", cases[i].read);
    }
}


static void
test_many_topics(void **state)
{
    static cardfeed_topic_t many[MANY];

    size_t i;
    fixture_t *f = *state;

    for (i = 0; i < MANY; i++) {
        many[i] = topics[i % 2];
    }

    f->catalogue.topics = many;
    f->catalogue.ntopics = MANY;
    fixture_render_catalogue(f);

    assert_xpath(f, "count(//main//li)", "500");
}


static void
test_a_full_buffer(void **state)
{
    fixture_t *f = *state;

    assert_catalogue_fits(f);
}


static void
test_the_same_bytes(void **state)
{
    fixture_t *f = *state;

    assert_same_bytes(f, fixture_render_catalogue);
}


int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, fixture_teardown)

    const struct CMUnitTest tests[] = {
        TEST(test_policy),
        TEST(test_least_page),
        TEST(test_full_page),
        TEST(test_feeds_of_everything),
        TEST(test_topics),
        TEST(test_paging),
        TEST(test_hostile_text),
        TEST(test_many_topics),
        TEST(test_a_full_buffer),
        TEST(test_the_same_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
