/* test_feed_html: cards → a page for people. */

#include "html_fixture.h"


static int
setup(void **state)
{
    return fixture_html_setup(state);
}


static void
test_format(void **state)
{
    fixture_t *f = *state;

    assert_ptr_equal(cardfeed_feed_format(CARDFEED_STR("html")), f->format);
    assert_string_equal(f->format->content_type, "text/html");
    assert_string_equal(f->format->title, "HTML");
    assert_false(f->format->subscribe);
    assert_int_equal(f->format->topics, 500);
}


static void
test_policy(void **state)
{
    fixture_t *f = *state;

    fixture_render(f);

    assert_policy_holds(f);
    assert_contains(f, "prefers-color-scheme:dark");
}


static void
test_least_page(void **state)
{
    fixture_t *f = *state;

    f->feed.feeds_url = CARDFEED_NO_STR;
    f->feed.nalternates = 0;
    f->feed.description = CARDFEED_NO_STR;
    fixture_render(f);

    assert_memory_equal(f->out.data, "<!DOCTYPE html>\n<html>\n<head>\n", 30);
    assert_safe(f);
    assert_accessible(f);
    assert_xpath(f, "string(/html/head/title)", "Site: Topic");
    assert_xpath(f, "string(//h1)", "Site: Topic");
    assert_xpath(f, "string(//link[@rel='canonical']/@href)", FEEDS "t.html");
    assert_xpath(f, "count(//link)", "1");
    assert_xpath(f, "count(//header//a)", "1");
    assert_xpath(f, "string(//header//a/@href)", "https://site.example/");
    assert_xpath(f, "string(//header//a)", "site.example");
    assert_xpath(f, "count(//article | //section | //footer/*)", "0");
    assert_xpath(f, "string(//main/p)",
        "Nothing here yet. Subscribe, and the first article will come to "
        "you.");
}


static void
test_full_head(void **state)
{
    fixture_t *f = *state;

    f->feed.description = CARDFEED_STR("R&D <all>");
    f->feed.language = CARDFEED_STR("en-GB");
    f->feed.rights = CARDFEED_STR("\xc2\xa9 Site");
    f->feed.icon_url = CARDFEED_STR("https://site.example/i.svg");
    f->feed.month = CARDFEED_STR("2024-03");
    f->feed.home_url = CARDFEED_STR("https://site.example/blog/");
    fixture_render(f);

    assert_safe(f);
    assert_accessible(f);
    assert_xpath(f, "string(/html/@lang)", "en-GB");
    assert_xpath(f, "string(/html/head/title)", "Site: Topic, March 2024");
    assert_xpath(f, "string(//meta[@name='description']/@content)",
        "R&D <all>");
    assert_xpath(f, "string(//header/p[@class='month'])", "March 2024");
    assert_xpath(f, "string(//header/p[@class='dim'])", "R&D <all>");
    assert_xpath(f, "string(//link[@rel='icon']/@href)",
        "https://site.example/i.svg");
    assert_xpath(f, "string(//header/nav/a[1])", "site.example/blog");
    assert_xpath(f, "string(//header/nav/a[2]/@href)", FEEDS);
    assert_xpath(f, "string(//footer/p)", "\xc2\xa9 Site");
}


static void
test_feeds_to_subscribe_to(void **state)
{
    fixture_t *f = *state;

    fixture_render(f);

    assert_xpath(f, "count(//link[@rel='alternate'])", "3");
    assert_xpath(f, "string(//link[@type='application/rss+xml']/@href)",
        FEEDS "t.rss");
    assert_xpath(f, "string(//link[@type='application/rss+xml']/@title)",
        "Site: Topic (RSS 2.0)");
    assert_xpath(f, "string(//link[@type='application/atom+xml']/@href)",
        FEEDS "t.atom?a=b&c=d");
    assert_xpath(f, "string(//link[@type='application/feed+json']/@href)",
        FEEDS "t.json");

    assert_xpath(f, "count(//section//li)", "3");
    assert_xpath(f, "count(//section//li[a/@href = code])", "3");
    assert_xpath(f, "string(//section//li[2]/a)", "Atom 1.0");
    assert_xpath(f, "string(//section//li[2]/code)",
        FEEDS "t.atom?a=b&c=d");
}


static void
test_least_article(void **state)
{
    fixture_t *f = *state;
    cardfeed_card_t card = fixture_card();

    fixture_set(f, &card);
    fixture_render(f);

    assert_safe(f);
    assert_xpath(f, "count(//article)", "1");
    assert_xpath(f, "string(//article/h2/a)", "A title");
    assert_xpath(f, "string(//article/h2/a/@href)", "https://x.example/a");
    assert_xpath(f, "string(//article//time)", "14 July 2020");
    assert_xpath(f, "string(//article//time/@datetime)",
        "2020-07-14T19:45:00Z");
    assert_xpath(f, "count(//article/*)", "2");
    assert_xpath(f, "count(//main/p)", "0");
}


static void
test_full_article(void **state)
{
    fixture_t *f = *state;
    cardfeed_card_t card = fixture_full_card();

    fixture_set(f, &card);
    fixture_render(f);

    assert_safe(f);
    assert_accessible(f);
    assert_xpath(f, "string(//article/p[1])",
        "14 July 2020 \xc2\xb7 Provider \xc2\xb7 Ann");
    assert_xpath(f, "string(//article/p[2])", "AT&T <b>");

    assert_xpath(f, "string(//img/@src)", "https://site.example/i/a.png");
    assert_xpath(f, "string(//img/@loading)", "lazy");
    assert_xpath(f, "string(//img/@decoding)", "async");
    assert_xpath(f, "string(//img/@referrerpolicy)", "no-referrer");
    assert_xpath(f, "string(//img/@width)", "1200");
    assert_xpath(f, "count(//img/@height)", "0");

    assert_xpath(f, "count(//article/ul/li)", "2");
    assert_xpath(f, "string(//article/ul/li[1]/a/@href)",
        FEEDS "csharp.html");
    assert_xpath(f, "string(//article/ul/li[1]/a)", "C#");
    assert_xpath(f, "string(//article/ul/li[2]/a/@href)",
        FEEDS "%E6%97%A5.html");

    assert_xpath(f, "string(//a[@download]/@href)",
        "https://x.example/a.mp3?x&y");
    assert_xpath(f, "string(//a[@download]/@aria-label)",
        "Download: A title");
    assert_xpath(f, "string(//article/p[3])",
        "Download (audio/mpeg, 12.3 MB)");

    f->feed.feeds_url = CARDFEED_NO_STR;
    fixture_render(f);

    assert_xpath(f, "count(//article/ul/li/a)", "0");
    assert_xpath(f, "string(//article/ul/li[2])", "R&D");
}


static void
test_dates(void **state)
{
    static const struct {
        int64_t time;
        const char *date;
    } cases[] = {
        {1709337600, "2 March 2024"},
        {1704067199, "31 December 2023"},
        {1706745600, "1 February 2024"},
        {0, "1 January 1970"},
        {INT64_MAX, "31 December 9999"},
    };

    size_t i;
    fixture_t *f = *state;
    cardfeed_card_t card = fixture_card();

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        card.published = cases[i].time;
        fixture_set(f, &card);
        fixture_render(f);
        assert_xpath(f, "string(//time)", cases[i].date);
    }
}


static void
test_sizes(void **state)
{
    static const struct {
        uint64_t length;
        const char *text;
    } cases[] = {
        {0, "Download (application/octet-stream)"},
        {1, "Download (application/octet-stream, 1 B)"},
        {999, "Download (application/octet-stream, 999 B)"},
        {1000, "Download (application/octet-stream, 1.0 kB)"},
        {999999, "Download (application/octet-stream, 999.9 kB)"},
        {1000000, "Download (application/octet-stream, 1.0 MB)"},
        {UINT64_MAX, "Download (application/octet-stream, 18.4 EB)"},
    };

    size_t i;
    fixture_t *f = *state;
    cardfeed_card_t card = fixture_card();

    card.field[CARDFEED_FIELD_ENCLOSURE_URL] = CARDFEED_STR("/a.bin");

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        card.enclosure_length = cases[i].length;
        fixture_set(f, &card);
        fixture_render(f);
        assert_xpath(f, "string(//article/p[2])", cases[i].text);
    }
}


/* Where a page leads: Newest, Newer, Older. */
static void
assert_turns(fixture_t *f, const char *newest, const char *newer,
    const char *older)
{
    fixture_render(f);

    assert_xpath(f, "string(//footer//a[@rel='first'][.='Newest']/@href)",
        newest);
    assert_xpath(f, "string(//footer//a[@rel='prev'][.='Newer']/@href)",
        newer);
    assert_xpath(f, "string(//footer//a[@rel='next'][.='Older']/@href)",
        older);
    assert_int_equal(atoi(xpath(f, "count(//footer//a)")),
        !!*newest + !!*newer + !!*older);
    assert_int_equal(atoi(xpath(f, "count(//footer/nav)")),
        *newest || *newer || *older);
}


static void
test_paging(void **state)
{
    fixture_t *f = *state;

    assert_turns(f, "", "", "");

    f->feed.first_url = f->feed.self_url;
    f->feed.next_url = CARDFEED_STR(FEEDS "t.html?before=1&limit=2");
    f->feed.prev_archive_url = CARDFEED_STR(FEEDS "t.html?month=2020-06");
    assert_turns(f, "", "", FEEDS "t.html?before=1&limit=2");

    f->feed.self_url = CARDFEED_STR(FEEDS "t.html?before=2");
    assert_turns(f, FEEDS "t.html", "", FEEDS "t.html?before=1&limit=2");
    assert_xpath(f, "string(//main/p)",
        "You have seen it all: there are no older articles.");

    f->feed.next_url = CARDFEED_NO_STR;
    assert_turns(f, FEEDS "t.html", "", "");

    f->feed.complete = true;
    assert_turns(f, "", "", "");
}


static void
test_months(void **state)
{
    fixture_t *f = *state;

    f->feed.month = CARDFEED_STR("2020-07");
    f->feed.current_url = CARDFEED_STR(FEEDS "t.html");
    f->feed.self_url = CARDFEED_STR(FEEDS "t.html?month=2020-07");
    f->feed.prev_archive_url = CARDFEED_STR(FEEDS "t.html?month=2020-06");
    f->feed.next_archive_url = CARDFEED_STR(FEEDS "t.html?month=2020-08");
    assert_turns(f, FEEDS "t.html", FEEDS "t.html?month=2020-08",
        FEEDS "t.html?month=2020-06");
    assert_xpath(f, "string(//main/p)",
        "A quiet month: there are no articles in it.");

    f->feed.next_url = CARDFEED_STR(FEEDS "t.html?month=2020-07&before=1");
    assert_turns(f, FEEDS "t.html", FEEDS "t.html?month=2020-08",
        FEEDS "t.html?month=2020-07&before=1");

    f->feed.month = CARDFEED_STR("2020-13");
    fixture_render(f);
    assert_xpath(f, "string(//header/p[@class='month'])", "2020-13");
}


static void
test_empty_feed_of_a_topic(void **state)
{
    fixture_t *f = *state;

    f->feed.words = CARDFEED_STR("C# and <b>");
    fixture_render(f);

    assert_safe(f);
    assert_xpath(f, "string(//main/p)",
        "Nothing here yet about C# and <b>. Subscribe, and the first article "
        "will come to you.");
}


int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, fixture_teardown)

    const struct CMUnitTest tests[] = {
        TEST(test_format),
        TEST(test_policy),
        TEST(test_least_page),
        TEST(test_full_head),
        TEST(test_feeds_to_subscribe_to),
        TEST(test_least_article),
        TEST(test_full_article),
        TEST(test_dates),
        TEST(test_sizes),
        TEST(test_paging),
        TEST(test_months),
        TEST(test_empty_feed_of_a_topic),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
