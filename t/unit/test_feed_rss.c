/* test_feed_rss: cards → RSS 2.0. */

#include "feed_fixture.h"


static int
setup(void **state)
{
    return fixture_setup(state, &cardfeed_feed_rss);
}


static void
test_formats(void **state)
{
    fixture_t *f = *state;
    const cardfeed_format_t *const *format;

    for (format = cardfeed_feed_formats; *format != NULL; format++) {
        assert_ptr_equal(
            cardfeed_feed_format(cardfeed_str_of((*format)->name)), *format);
    }

    assert_ptr_equal(cardfeed_feed_format(CARDFEED_STR("rss")), f->format);
    assert_null(cardfeed_feed_format(CARDFEED_STR("RSS")));
    assert_null(cardfeed_feed_format(CARDFEED_STR("")));
    assert_null(cardfeed_feed_format(CARDFEED_STR("rs")));
    assert_null(cardfeed_feed_format(CARDFEED_STR("rss\0")));
    assert_string_equal(f->format->content_type, "application/rss+xml");
}


static void
test_least_channel(void **state)
{
    fixture_t *f = *state;

    fixture_render(f);

    assert_memory_equal(f->out.data,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss version=\"2.0\"",
        53);
    assert_xpath(f, "string(/rss/@version)", "2.0");
    assert_xpath(f, "/rss/channel/title", "Site: Topic");
    assert_xpath(f, "/rss/channel/link", "https://site.example/");
    assert_xpath(f, "/rss/channel/description", "About a topic.");
    assert_xpath(f, "/rss/channel/generator", "cardfeed");
    assert_xpath(f, "/rss/channel/lastBuildDate",
        "Tue, 14 Jul 2020 19:45:00 GMT");
    assert_xpath(f, "count(/rss/channel/a:link)", "1");
    assert_xpath(f, "/rss/channel/a:link/@rel", "self");
    assert_xpath(f, "/rss/channel/a:link/@type", "application/rss+xml");
    assert_xpath(f, "/rss/channel/a:link/@href",
        "https://site.example/feeds/t.xml");
    assert_xpath(f, "count(/rss/channel/*)", "6");
}


static void
test_full_channel(void **state)
{
    fixture_t *f = *state;

    f->feed.description = CARDFEED_STR("R&D <all>");
    f->feed.language = CARDFEED_STR("en-GB");
    f->feed.rights = CARDFEED_STR("\xc2\xa9 Site");
    f->feed.hub_url = CARDFEED_STR("https://hub.example/");
    f->feed.first_url = CARDFEED_STR("https://site.example/feeds/t.xml");
    f->feed.next_url = CARDFEED_STR(
        "https://site.example/feeds/t.xml?before=1.00000000000000aa&limit=2");
    f->feed.logo_url = CARDFEED_STR("https://site.example/logo.png?a&b");
    f->feed.ttl = 5;
    fixture_render(f);

    assert_xpath(f, "/rss/channel/description", "R&D <all>");
    assert_contains(f, "R&amp;D &lt;all&gt;");
    assert_xpath(f, "/rss/channel/language", "en-GB");
    assert_xpath(f, "/rss/channel/copyright", "\xc2\xa9 Site");
    assert_xpath(f, "/rss/channel/ttl", "5");
    assert_xpath(f, "/rss/channel/image/url",
        "https://site.example/logo.png?a&b");
    assert_xpath(f, "/rss/channel/image/title", "Site: Topic");
    assert_xpath(f, "/rss/channel/image/link", "https://site.example/");
    assert_xpath(f, "/rss/channel/a:link[@rel='self']/@href",
        "https://site.example/feeds/t.xml");
    assert_xpath(f, "/rss/channel/a:link[@rel='hub']/@href",
        "https://hub.example/");
    assert_xpath(f, "/rss/channel/a:link[@rel='first']/@href",
        "https://site.example/feeds/t.xml");
    assert_xpath(f, "/rss/channel/a:link[@rel='next']/@href",
        "https://site.example/feeds/t.xml?before=1.00000000000000aa&limit=2");
    assert_xpath(f, "count(/rss/channel/a:link)", "4");
    assert_xpath(f, "count(//fh:complete)", "0");
}


static void
test_complete_has_no_paging(void **state)
{
    fixture_t *f = *state;

    f->feed.complete = true;
    f->feed.first_url = CARDFEED_STR("https://site.example/feeds/t.xml");
    f->feed.next_url = CARDFEED_STR("https://site.example/feeds/t.xml?x=1");
    f->feed.hub_url = CARDFEED_STR("https://hub.example/");
    fixture_render(f);

    assert_xpath(f, "count(/rss/channel/fh:complete)", "1");
    assert_xpath(f, "count(/rss/channel/a:link)", "2");
    assert_xpath(f, "count(/rss/channel/a:link[@rel='hub'])", "1");
}


static void
test_last_page_has_no_next(void **state)
{
    fixture_t *f = *state;

    f->feed.first_url = CARDFEED_STR("https://site.example/feeds/t.xml");
    fixture_render(f);

    assert_xpath(f, "count(//a:link[@rel='first'])", "1");
    assert_xpath(f, "count(//a:link[@rel='next'])", "0");
}


static void
test_image_is_no_svg(void **state)
{
    static const struct {
        const char *logo, *icon, *image;
    } cases[] = {
        {"https://s.example/l.png", "https://s.example/i.png",
            "https://s.example/l.png"},
        {"https://s.example/l.svg", "https://s.example/i.png",
            "https://s.example/i.png"},
        {"https://s.example/l.SVG?v=1.png", "", ""},
        {"", "https://s.example/i.svg#x", ""},
        {"", "https://s.example/i?f=a.svg", "https://s.example/i?f=a.svg"},
        {"", "", ""},
    };

    size_t i;
    fixture_t *f = *state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        f->feed.logo_url = cardfeed_str_of(cases[i].logo);
        f->feed.icon_url = cardfeed_str_of(cases[i].icon);
        fixture_render(f);

        assert_xpath(f, "/rss/channel/image/url", cases[i].image);
        assert_xpath(f, "count(/rss/channel/image)",
            cases[i].image[0] ? "1" : "0");
    }
}


static void
test_empty_feed_without_a_time(void **state)
{
    fixture_t *f = *state;

    f->feed.updated = CARDFEED_NO_TIME;
    fixture_render(f);

    assert_xpath(f, "//lastBuildDate", "Thu, 01 Jan 1970 00:00:00 GMT");
    assert_xpath(f, "count(//item)", "0");
}


static void
test_least_item(void **state)
{
    fixture_t *f = *state;
    cardfeed_card_t card = fixture_card();

    fixture_add(f, &card);
    fixture_render(f);

    assert_xpath(f, "//item/title", "A title");
    assert_xpath(f, "//item/link", "https://x.example/a");
    assert_xpath(f, "//item/guid",
        "urn:uuid:00000000-0000-5000-8000-000000000002");
    assert_xpath(f, "//item/guid/@isPermaLink", "false");
    assert_xpath(f, "//item/pubDate", "Tue, 14 Jul 2020 19:45:00 GMT");
    assert_xpath(f, "//item/a:updated", "2020-07-14T19:46:00Z");
    assert_xpath(f, "count(//item/*)", "5");
}


static void
test_full_item(void **state)
{
    static const cardfeed_card_topic_t topics[] = {
        {CARDFEED_STR("C#"), CARDFEED_STR("csharp")},
        {CARDFEED_STR("R&D"), CARDFEED_STR("r-d")},
    };
    static const cardfeed_card_author_t authors[] = {
        {CARDFEED_STR("Ann"), CARDFEED_STR("https://ann.example/"),
            CARDFEED_STR("not an address")},
        {CARDFEED_STR("B. (Bee) Bo\\"), CARDFEED_NO_STR,
            CARDFEED_STR("b@bo.example")},
        {CARDFEED_STR("Cy"), CARDFEED_NO_STR, CARDFEED_STR("c@cy.example")},
    };

    fixture_t *f = *state;
    cardfeed_card_t card = fixture_card();

    card.field[CARDFEED_FIELD_EXCERPT] = CARDFEED_STR("AT&T <b>");
    card.field[CARDFEED_FIELD_PROVIDER] = CARDFEED_STR("Provider");
    card.field[CARDFEED_FIELD_IMAGE_URL] = CARDFEED_STR("/i/a.png");
    card.field[CARDFEED_FIELD_ENCLOSURE_URL] =
        CARDFEED_STR("https://x.example/a.mp3?x&y");
    card.field[CARDFEED_FIELD_ENCLOSURE_TYPE] = CARDFEED_STR("audio/mpeg");
    card.enclosure_length = UINT64_MAX;
    card.image_width = 1200;
    card.topics = topics;
    card.ntopics = 2;
    card.authors = authors;
    card.nauthors = 3;
    fixture_add(f, &card);
    fixture_render(f);

    assert_contains(f, "<description>AT&amp;amp;T &amp;lt;b&amp;gt;"
                       "</description>");
    assert_xpath(f, "//item/description", "AT&amp;T &lt;b&gt;");
    assert_xpath(f, "//item/category[1]", "C#");
    assert_xpath(f, "//item/category[2]", "R&D");
    assert_xpath(f, "count(//item/category)", "2");
    assert_xpath(f, "//item/dc:creator[1]", "Ann");
    assert_xpath(f, "//item/dc:creator[2]", "B. (Bee) Bo\\");
    assert_xpath(f, "//item/dc:creator[3]", "Cy");
    assert_xpath(f, "count(//item/dc:creator)", "3");
    assert_xpath(f, "//item/author", "b@bo.example (B. Bee Bo)");
    assert_xpath(f, "count(//item/author)", "1");
    assert_xpath(f, "//item/enclosure/@url", "https://x.example/a.mp3?x&y");
    assert_xpath(f, "//item/enclosure/@type", "audio/mpeg");
    assert_xpath(f, "//item/enclosure/@length", "18446744073709551615");
    assert_xpath(f, "//item/m:content/@url", "https://site.example/i/a.png");
    assert_xpath(f, "//item/m:content/@medium", "image");
    assert_xpath(f, "//item/m:content/@width", "1200");
    assert_xpath(f, "count(//item/m:content/@height)", "0");
    assert_xpath(f, "//item/m:thumbnail/@url",
        "https://site.example/i/a.png");
}


static void
test_provider_is_the_creator_without_authors(void **state)
{
    static const cardfeed_card_author_t nobody[] = {
        {CARDFEED_NO_STR, CARDFEED_NO_STR, CARDFEED_STR("a@b.example")},
    };

    fixture_t *f = *state;
    cardfeed_card_t card = fixture_card();

    card.field[CARDFEED_FIELD_PROVIDER] = CARDFEED_STR("Provider");
    fixture_add(f, &card);
    card.authors = nobody;
    card.nauthors = 1;
    fixture_add(f, &card);
    fixture_render(f);

    assert_xpath(f, "//item[1]/dc:creator", "Provider");
    assert_xpath(f, "count(//item[1]/author)", "0");
    assert_xpath(f, "//item[2]/dc:creator", "Provider");
    assert_xpath(f, "//item[2]/author", "a@b.example");
}


static void
test_author_needs_an_address(void **state)
{
    static const char *bad[] = {"", "@", "a@", "@b", "a", "a b@c", "a@b@c",
        "a@b\n", "<a@b>", "a@b (x)", "a@b,c@d", "a\x7f@b"};

    size_t i;
    fixture_t *f = *state;
    cardfeed_card_t card;
    cardfeed_card_author_t author = {.name = CARDFEED_STR("Ann"),
        .url = CARDFEED_NO_STR};

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        card = fixture_card();
        author.email = cardfeed_str_of(bad[i]);
        card.authors = &author;
        card.nauthors = 1;

        f->feed.ncards = 0;
        cardfeed_buf_free(&f->bytes[0]);
        fixture_add(f, &card);
        fixture_render(f);

        assert_xpath(f, "count(//author)", "0");
        assert_xpath(f, "//dc:creator", "Ann");
    }
}


static void
test_enclosure_has_all_three(void **state)
{
    static const char *types[] = {"", "mp3", "/", "audio/", "/mpeg"};

    size_t i;
    fixture_t *f = *state;
    cardfeed_card_t card = fixture_card();

    card.field[CARDFEED_FIELD_ENCLOSURE_URL] = CARDFEED_STR("/a.bin");

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        card.field[CARDFEED_FIELD_ENCLOSURE_TYPE] =
            cardfeed_str_of(types[i]);

        f->feed.ncards = 0;
        cardfeed_buf_free(&f->bytes[0]);
        fixture_add(f, &card);
        fixture_render(f);

        assert_xpath(f, "//enclosure/@url", "https://site.example/a.bin");
        assert_xpath(f, "//enclosure/@type", "application/octet-stream");
        assert_xpath(f, "//enclosure/@length", "0");
    }
}


static void
test_links(void **state)
{
    static const struct {
        const char *url, *link;
    } cases[] = {
        {"http://x.example/", "http://x.example/"},
        {"/a/?b=c", "https://site.example/a/?b=c"},
        {"", ""},
        {"javascript:alert(1)", ""},
        {"data:text/html,x", ""},
        {"https://", ""},
    };

    size_t i;
    fixture_t *f = *state;
    cardfeed_card_t card = fixture_card();

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        card.field[CARDFEED_FIELD_LINK] = cardfeed_str_of(cases[i].url);
        card.field[CARDFEED_FIELD_IMAGE_URL] = cardfeed_str_of(cases[i].url);

        f->feed.ncards = 0;
        cardfeed_buf_free(&f->bytes[0]);
        fixture_add(f, &card);
        fixture_render(f);

        assert_xpath(f, "//item/link", cases[i].link);
        assert_xpath(f, "count(//item/link)", cases[i].link[0] ? "1" : "0");
        assert_xpath(f, "//item/m:thumbnail/@url", cases[i].link);
        assert_xpath(f, "count(//item/m:*)", cases[i].link[0] ? "2" : "0");
    }
}


static void
test_hostile_text(void **state)
{
    static const struct {
        cardfeed_str_t text;
        const char *read; /* as a plain element's content */
    } cases[] = {
        {CARDFEED_STR("]]>"), "]]>"},
        {CARDFEED_STR("<script>alert(1)</script>"),
            "<script>alert(1)</script>"},
        {CARDFEED_STR("&amp; &#8217; &bogus; &"),
            "&amp; &#8217; &bogus; &"},
        {CARDFEED_STR("\"'"), "\"'"},
        {CARDFEED_STR("a\0b\x01\x02\x1f\x0b\x0c" "c"), "abc"},
        {CARDFEED_STR("a\tb\nc\rd"), "a\tb\nc\rd"},
        {CARDFEED_STR("x\xff\xfey"), "x\xef\xbf\xbd\xef\xbf\xbdy"},
        {CARDFEED_STR("\xed\xa0\x80"),
            "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {CARDFEED_STR("\xc3"), "\xef\xbf\xbd"},
        {CARDFEED_STR("\xe2\x82"), "\xef\xbf\xbd\xef\xbf\xbd"},
        {CARDFEED_STR("a\xef\xbf\xbe\xef\xbf\xbf" "b\xef\xbf\xbd"),
            "ab\xef\xbf\xbd"},
        {CARDFEED_STR("\xf0\x9f\x98\x80 \xe6\x97\xa5\xe6\x9c\xac"),
            "\xf0\x9f\x98\x80 \xe6\x97\xa5\xe6\x9c\xac"},
        {CARDFEED_STR("<!--x--><?y?><![CDATA[z]]>"),
            "<!--x--><?y?><![CDATA[z]]>"},
    };

    size_t i;
    fixture_t *f = *state;
    cardfeed_card_t card = fixture_card();
    cardfeed_card_topic_t topic = {.slug = CARDFEED_STR("x")};

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        card.field[CARDFEED_FIELD_TITLE] = cases[i].text;
        card.field[CARDFEED_FIELD_EXCERPT] = cases[i].text;
        card.field[CARDFEED_FIELD_PROVIDER] = cases[i].text;
        card.field[CARDFEED_FIELD_ENCLOSURE_URL] = CARDFEED_STR("/x");
        topic.name = cases[i].text;
        card.topics = &topic;
        card.ntopics = 1;
        f->feed.title = cases[i].text;
        f->feed.language = cases[i].text;

        f->feed.ncards = 0;
        cardfeed_buf_free(&f->bytes[0]);
        fixture_add(f, &card);
        fixture_render(f);

        assert_xpath(f, "//item/title", cases[i].read);
        assert_xpath(f, "//item/category", cases[i].read);
        assert_xpath(f, "//item/dc:creator", cases[i].read);
        assert_xpath(f, "//channel/title", cases[i].read);
        assert_lacks(f, "<![CDATA[");
        assert_null(memchr(f->out.data, '\0', f->out.len));
    }
}


/* What a reader shows of a description is the excerpt, to the letter. */
static void
test_description_is_html(void **state)
{
    fixture_t *f = *state;
    cardfeed_card_t card = fixture_card();

    card.field[CARDFEED_FIELD_EXCERPT] =
        CARDFEED_STR("1 < 2 && 3 > 2 &amp; ]]> \"quoted\"");
    fixture_add(f, &card);
    fixture_render(f);

    assert_xpath(f, "//item/description",
        "1 &lt; 2 &amp;&amp; 3 &gt; 2 &amp;amp; ]]&gt; \"quoted\"");
}


static void
test_a_megabyte_of_title(void **state)
{
    size_t len = 1 << 20;
    char *text;
    fixture_t *f = *state;
    cardfeed_card_t card = fixture_card();

    text = malloc(len);
    assert_non_null(text);
    memset(text, '<', len);

    card.field[CARDFEED_FIELD_TITLE] =
        (cardfeed_str_t){.data = text, .len = len};
    fixture_add(f, &card);
    fixture_render(f);
    assert_xpath(f, "string-length(//item/title)", "1048576");

    memset(text, 0xff, len);
    f->feed.ncards = 0;
    cardfeed_buf_free(&f->bytes[0]);
    fixture_add(f, &card);
    fixture_render(f);
    assert_xpath(f, "string-length(//item/title)", "1048576");

    free(text);
}


static void
test_a_full_buffer(void **state)
{
    size_t max, whole;
    fixture_t *f = *state;
    cardfeed_card_t card = fixture_card();
    cardfeed_error_t err;

    fixture_add(f, &card);
    fixture_add(f, &card);
    fixture_render(f);
    whole = f->out.len;

    for (max = 0; max <= whole; max++) {
        cardfeed_buf_free(&f->out);
        cardfeed_buf_init(&f->out, max);
        err.code = CARDFEED_OK;

        if (max == whole) {
            assert_int_equal(cardfeed_feed_render(f->format, &f->feed,
                                 &f->out, &err),
                CARDFEED_OK);
            assert_int_equal(f->out.len, whole);
            break;
        }

        assert_int_equal(cardfeed_feed_render(f->format, &f->feed, &f->out,
                             &err),
            CARDFEED_NOMEM);
        assert_int_equal(err.code, CARDFEED_NOMEM);
        assert_true(f->out.len <= max);
    }
}


static void
test_the_same_feed_gives_the_same_bytes(void **state)
{
    fixture_t *f = *state;
    cardfeed_card_t card = fixture_card();

    fixture_add(f, &card);
    assert_same_bytes(f, fixture_render);
}


static void
test_output_is_appended(void **state)
{
    fixture_t *f = *state;

    assert_int_equal(cardfeed_buf_cstr(&f->out, "before"), CARDFEED_OK);
    assert_int_equal(cardfeed_feed_render(f->format, &f->feed, &f->out,
                         NULL),
        CARDFEED_OK);
    assert_memory_equal(f->out.data, "before<?xml ", 12);
}


int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, fixture_teardown)

    const struct CMUnitTest tests[] = {
        TEST(test_formats),
        TEST(test_least_channel),
        TEST(test_full_channel),
        TEST(test_complete_has_no_paging),
        TEST(test_last_page_has_no_next),
        TEST(test_image_is_no_svg),
        TEST(test_empty_feed_without_a_time),
        TEST(test_least_item),
        TEST(test_full_item),
        TEST(test_provider_is_the_creator_without_authors),
        TEST(test_author_needs_an_address),
        TEST(test_enclosure_has_all_three),
        TEST(test_links),
        TEST(test_hostile_text),
        TEST(test_description_is_html),
        TEST(test_a_megabyte_of_title),
        TEST(test_a_full_buffer),
        TEST(test_the_same_feed_gives_the_same_bytes),
        TEST(test_output_is_appended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
