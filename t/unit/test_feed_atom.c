/* test_feed_atom: cards → Atom 1.0. */

#include "feed_fixture.h"


static int
setup(void **state)
{
    return fixture_setup(state, &cardfeed_feed_atom);
}


static void
replace(fixture_t *f, const cardfeed_card_t *card)
{
    f->feed.ncards = 0;
    cardfeed_buf_free(&f->bytes[0]);
    fixture_add(f, card);
    fixture_render(f);
}


static void
test_format(void **state)
{
    fixture_t *f = *state;

    assert_ptr_equal(cardfeed_feed_format(CARDFEED_STR("atom")), f->format);
    assert_string_equal(f->format->content_type, "application/atom+xml");
}


static void
test_least_feed(void **state)
{
    fixture_t *f = *state;

    fixture_render(f);

    assert_memory_equal(f->out.data,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<feed ", 44);
    assert_xpath(f, "/a:feed/a:id",
        "urn:uuid:00000000-0000-5000-8000-000000000001");
    assert_xpath(f, "/a:feed/a:title", "Site: Topic");
    assert_xpath(f, "/a:feed/a:subtitle", "About a topic.");
    assert_xpath(f, "/a:feed/a:updated", "2020-07-14T19:45:00Z");
    assert_xpath(f, "/a:feed/a:author/a:name", "Site");
    assert_xpath(f, "/a:feed/a:generator", "cardfeed");
    assert_xpath(f, "count(/a:feed/a:generator/@*)", "0");
    assert_xpath(f, "/a:feed/a:link[@rel='alternate']/@href",
        "https://site.example/");
    assert_xpath(f, "/a:feed/a:link[@rel='alternate']/@type", "text/html");
    assert_xpath(f, "/a:feed/a:link[@rel='self']/@href",
        "https://site.example/feeds/t.xml");
    assert_xpath(f, "/a:feed/a:link[@rel='self']/@type",
        "application/atom+xml");
    assert_xpath(f, "count(/a:feed/*)", "8");
    assert_xpath(f, "count(/a:feed/@xml:lang)", "0");
}


static void
test_full_feed(void **state)
{
    fixture_t *f = *state;

    f->feed.language = CARDFEED_STR("de");
    f->feed.rights = CARDFEED_STR("\xc2\xa9 <Site>");
    f->feed.hub_url = CARDFEED_STR("https://hub.example/?a&b");
    f->feed.first_url = CARDFEED_STR("https://site.example/feeds/t.xml");
    f->feed.next_url = CARDFEED_STR("https://site.example/feeds/t.xml?n");
    f->feed.logo_url = CARDFEED_STR("https://site.example/logo.svg");
    f->feed.icon_url = CARDFEED_STR("https://site.example/icon.png");
    fixture_render(f);

    assert_xpath(f, "/a:feed/@xml:lang", "de");
    assert_xpath(f, "/a:feed/a:rights", "\xc2\xa9 <Site>");
    assert_xpath(f, "/a:feed/a:link[@rel='hub']/@href",
        "https://hub.example/?a&b");
    assert_xpath(f, "/a:feed/a:link[@rel='first']/@href",
        "https://site.example/feeds/t.xml");
    assert_xpath(f, "/a:feed/a:link[@rel='next']/@href",
        "https://site.example/feeds/t.xml?n");
    assert_xpath(f, "/a:feed/a:logo", "https://site.example/logo.svg");
    assert_xpath(f, "/a:feed/a:icon", "https://site.example/icon.png");
    assert_xpath(f, "count(/a:feed/a:link)", "5");
}


static void
test_complete_has_no_paging(void **state)
{
    fixture_t *f = *state;

    f->feed.complete = true;
    f->feed.first_url = CARDFEED_STR("https://site.example/feeds/t.xml");
    f->feed.next_url = CARDFEED_STR("https://site.example/feeds/t.xml?x=1");
    fixture_render(f);

    assert_xpath(f, "count(/a:feed/fh:complete)", "1");
    assert_xpath(f, "count(/a:feed/a:link)", "2");
}


static void
test_empty_feed_without_a_time(void **state)
{
    fixture_t *f = *state;

    f->feed.updated = CARDFEED_NO_TIME;
    fixture_render(f);

    assert_xpath(f, "/a:feed/a:updated", "1970-01-01T00:00:00Z");
    assert_xpath(f, "count(//a:entry)", "0");
}


static void
test_least_entry(void **state)
{
    fixture_t *f = *state;
    cardfeed_card_t card = fixture_card();

    replace(f, &card);

    assert_xpath(f, "//a:entry/a:id",
        "urn:uuid:00000000-0000-5000-8000-000000000002");
    assert_xpath(f, "//a:entry/a:title", "A title");
    assert_xpath(f, "//a:entry/a:title/@type", "text");
    assert_xpath(f, "//a:entry/a:link/@rel", "alternate");
    assert_xpath(f, "//a:entry/a:link/@href", "https://x.example/a");
    assert_xpath(f, "//a:entry/a:published", "2020-07-14T19:45:00Z");
    assert_xpath(f, "//a:entry/a:updated", "2020-07-14T19:46:00Z");
    assert_xpath(f, "count(//a:entry/*)", "5");
}


static void
test_full_entry(void **state)
{
    static const cardfeed_card_topic_t topics[] = {
        {CARDFEED_STR("C#"), CARDFEED_STR("csharp")},
        {CARDFEED_STR("\xd0\x9c\xd0\xb8\xd1\x80"),
            CARDFEED_STR("\xd0\xbc\xd0\xb8\xd1\x80")},
    };
    static const cardfeed_card_author_t authors[] = {
        {CARDFEED_STR("Ann"), CARDFEED_STR("/ann"), CARDFEED_STR("a@b")},
        {CARDFEED_STR("Bo"), CARDFEED_STR("mailto:x"), CARDFEED_STR("bad")},
        {CARDFEED_NO_STR, CARDFEED_STR("/x"), CARDFEED_STR("c@d")},
    };

    fixture_t *f = *state;
    cardfeed_card_t card = fixture_card();

    card.field[CARDFEED_FIELD_EXCERPT] = CARDFEED_STR("AT&T <b>");
    card.field[CARDFEED_FIELD_PROVIDER] = CARDFEED_STR("Provider");
    card.field[CARDFEED_FIELD_IMAGE_URL] =
        CARDFEED_STR("https://x.example/i?a&b");
    card.field[CARDFEED_FIELD_ENCLOSURE_URL] =
        CARDFEED_STR("https://x.example/a.pdf");
    card.field[CARDFEED_FIELD_ENCLOSURE_TYPE] =
        CARDFEED_STR("application/pdf");
    card.enclosure_length = 12;
    card.image_width = 1200;
    card.image_height = 800;
    card.topics = topics;
    card.ntopics = 2;
    card.authors = authors;
    card.nauthors = 3;
    replace(f, &card);

    assert_contains(f, "<summary type=\"text\">AT&amp;T &lt;b&gt;</summary>");
    assert_xpath(f, "count(//a:entry/a:content)", "0");
    assert_xpath(f, "//a:category[1]/@term", "csharp");
    assert_xpath(f, "//a:category[1]/@label", "C#");
    assert_xpath(f, "//a:category[2]/@term",
        "\xd0\xbc\xd0\xb8\xd1\x80");
    assert_contains(f, "label=\"\xd0\x9c\xd0\xb8\xd1\x80\"");
    assert_xpath(f, "count(//a:entry/a:author)", "2");
    assert_xpath(f, "//a:entry/a:author[1]/a:name", "Ann");
    assert_xpath(f, "//a:entry/a:author[1]/a:uri",
        "https://site.example/ann");
    assert_xpath(f, "//a:entry/a:author[1]/a:email", "a@b");
    assert_xpath(f, "//a:entry/a:author[2]/a:name", "Bo");
    assert_xpath(f, "count(//a:entry/a:author[2]/*)", "1");
    assert_xpath(f, "//a:entry/a:link[@rel='enclosure']/@href",
        "https://x.example/a.pdf");
    assert_xpath(f, "//a:entry/a:link[@rel='enclosure']/@type",
        "application/pdf");
    assert_xpath(f, "//a:entry/a:link[@rel='enclosure']/@length", "12");
    assert_xpath(f, "//m:content/@url", "https://x.example/i?a&b");
    assert_xpath(f, "//m:content/@width", "1200");
    assert_xpath(f, "//m:thumbnail/@height", "800");
    assert_xpath(f, "//m:thumbnail/@url", "https://x.example/i?a&b");
}


static void
test_enclosure_of_unknown_length(void **state)
{
    fixture_t *f = *state;
    cardfeed_card_t card = fixture_card();

    card.field[CARDFEED_FIELD_ENCLOSURE_URL] = CARDFEED_STR("/a");
    replace(f, &card);

    assert_xpath(f, "//a:link[@rel='enclosure']/@href",
        "https://site.example/a");
    assert_xpath(f, "count(//a:link[@rel='enclosure']/@length)", "0");
    assert_xpath(f, "//a:link[@rel='enclosure']/@type",
        "application/octet-stream");
}


static void
test_provider_is_the_author_without_authors(void **state)
{
    fixture_t *f = *state;
    cardfeed_card_t card = fixture_card();

    card.field[CARDFEED_FIELD_PROVIDER] = CARDFEED_STR("Provider");
    card.field[CARDFEED_FIELD_PROVIDER_URL] =
        CARDFEED_STR("https://p.example/");
    replace(f, &card);

    assert_xpath(f, "//a:entry/a:author/a:name", "Provider");
    assert_xpath(f, "//a:entry/a:author/a:uri", "https://p.example/");
}


static void
test_an_entry_without_link_has_content(void **state)
{
    static const char *links[] = {"", "javascript:x", "ftp://x.example/"};

    size_t i;
    fixture_t *f = *state;
    cardfeed_card_t card = fixture_card();

    for (i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
        card.field[CARDFEED_FIELD_LINK] = cardfeed_str_of(links[i]);
        card.field[CARDFEED_FIELD_EXCERPT] = CARDFEED_NO_STR;
        replace(f, &card);

        assert_xpath(f, "count(//a:entry/a:link)", "0");
        assert_xpath(f, "//a:entry/a:content", "A title");
        assert_xpath(f, "//a:entry/a:content/@type", "text");

        card.field[CARDFEED_FIELD_EXCERPT] = CARDFEED_STR("An <excerpt>");
        replace(f, &card);

        assert_xpath(f, "//a:entry/a:content", "An <excerpt>");
    }
}


static void
test_updated_is_published_where_unknown(void **state)
{
    fixture_t *f = *state;
    cardfeed_card_t card = fixture_card();

    card.updated = CARDFEED_NO_TIME;
    replace(f, &card);

    assert_xpath(f, "//a:entry/a:updated", "2020-07-14T19:45:00Z");
}


/* Attributes are escaped by other code than elements. */
static void
test_hostile_text(void **state)
{
    static const struct {
        cardfeed_str_t text;
        const char *read;
    } cases[] = {
        {CARDFEED_STR("]]>"), "]]>"},
        {CARDFEED_STR("\"><script>alert('1')</script>"),
            "\"><script>alert('1')</script>"},
        {CARDFEED_STR("&amp; &#8217; &bogus; &"),
            "&amp; &#8217; &bogus; &"},
        {CARDFEED_STR("a\0b\x01\x1f" "c"), "abc"},
        {CARDFEED_STR("a\tb\nc\rd"), "a\tb\nc\rd"},
        {CARDFEED_STR("\xed\xa0\x80x"),
            "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdx"},
        {CARDFEED_STR("\xc3"), "\xef\xbf\xbd"},
        {CARDFEED_STR("\xef\xbf\xbf" "b"), "b"},
        {CARDFEED_STR("\xf0\x9f\x98\x80 \xe6\x97\xa5"),
            "\xf0\x9f\x98\x80 \xe6\x97\xa5"},
    };

    size_t i;
    fixture_t *f = *state;
    cardfeed_card_t card = fixture_card();
    cardfeed_card_topic_t topic;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        card.field[CARDFEED_FIELD_TITLE] = cases[i].text;
        card.field[CARDFEED_FIELD_EXCERPT] = cases[i].text;
        card.field[CARDFEED_FIELD_PROVIDER] = cases[i].text;
        card.field[CARDFEED_FIELD_ENCLOSURE_URL] = CARDFEED_STR("/x");
        card.field[CARDFEED_FIELD_ENCLOSURE_TYPE] = cases[i].text;
        topic.slug = cases[i].text;
        topic.name = cases[i].text;
        card.topics = &topic;
        card.ntopics = 1;
        f->feed.description = cases[i].text;
        f->feed.rights = cases[i].text;
        replace(f, &card);

        assert_xpath(f, "//a:entry/a:title", cases[i].read);
        assert_xpath(f, "//a:entry/a:summary", cases[i].read);
        assert_xpath(f, "//a:entry/a:author/a:name", cases[i].read);
        assert_xpath(f, "//a:category/@term", cases[i].read);
        assert_xpath(f, "//a:category/@label", cases[i].read);
        assert_xpath(f, "/a:feed/a:subtitle", cases[i].read);
        assert_xpath(f, "/a:feed/a:rights", cases[i].read);
    }
}


static void
test_a_full_buffer(void **state)
{
    size_t max, whole;
    fixture_t *f = *state;
    cardfeed_card_t card = fixture_card();

    replace(f, &card);
    whole = f->out.len;

    for (max = 0; max < whole; max++) {
        cardfeed_buf_free(&f->out);
        cardfeed_buf_init(&f->out, max);
        assert_int_equal(cardfeed_feed_render(f->format, &f->feed, &f->out,
                             NULL),
            CARDFEED_NOMEM);
    }
}


int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, fixture_teardown)

    const struct CMUnitTest tests[] = {
        TEST(test_format),
        TEST(test_least_feed),
        TEST(test_full_feed),
        TEST(test_complete_has_no_paging),
        TEST(test_empty_feed_without_a_time),
        TEST(test_least_entry),
        TEST(test_full_entry),
        TEST(test_enclosure_of_unknown_length),
        TEST(test_provider_is_the_author_without_authors),
        TEST(test_an_entry_without_link_has_content),
        TEST(test_updated_is_published_where_unknown),
        TEST(test_hostile_text),
        TEST(test_a_full_buffer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
