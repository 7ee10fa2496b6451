/* test_feed_html_trouble: cards that would break the page, and failures. */

#include "html_fixture.h"


static int
setup(void **state)
{
    return fixture_html_setup(state);
}


static void
test_only_web_addresses_are_linked(void **state)
{
    static const char *const urls[] = {
        "javascript:alert(1)",
        "JAVASCRIPT:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "https://",
        "",
    };

    size_t i;
    fixture_t *f = *state;
    cardfeed_card_t card = fixture_full_card();

    for (i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        card.field[CARDFEED_FIELD_LINK] = cardfeed_str_of(urls[i]);
        card.field[CARDFEED_FIELD_IMAGE_URL] = cardfeed_str_of(urls[i]);
        card.field[CARDFEED_FIELD_ENCLOSURE_URL] = cardfeed_str_of(urls[i]);
        fixture_set(f, &card);
        fixture_render(f);

        assert_safe(f);
        assert_xpath(f, "string(//article/h2)", "A title");
        assert_xpath(f, "count(//h2/a | //img | //a[@download])", "0");
    }
}


/* The feed, its card, its topic and its author say text everywhere. */
static void
render_text(fixture_t *f, cardfeed_str_t text, cardfeed_str_t url)
{
    cardfeed_card_t card = fixture_full_card();
    cardfeed_card_topic_t topic = {.name = text, .slug = text};
    cardfeed_card_author_t author = {
        .name = text,
        .url = url,
        .email = text,
    };
    size_t i;

    for (i = 0; i < CARDFEED_FIELDS; i++) {
        card.field[i] = text;
    }

    card.field[CARDFEED_FIELD_LINK] = url;
    card.field[CARDFEED_FIELD_IMAGE_URL] = url;
    card.field[CARDFEED_FIELD_ENCLOSURE_URL] = url;
    card.field[CARDFEED_FIELD_ENCLOSURE_TYPE] = CARDFEED_STR("a/\"><b>");
    card.field[CARDFEED_FIELD_PROVIDER] = CARDFEED_STR("P");
    card.topics = &topic;
    card.ntopics = 1;
    card.authors = &author;
    card.nauthors = 1;
    fixture_set(f, &card);

    f->feed.title = text;
    f->feed.description = text;
    f->feed.month = text;
    f->feed.words = text;
    f->feed.language = text;
    f->feed.rights = text;
    f->feed.self_url = url;
    f->feed.icon_url = url;
    f->feed.next_url = url;
    fixture_render(f);
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
        {CARDFEED_STR("'\" onerror=alert(1) x='"),
            "'\" onerror=alert(1) x='"},
        {CARDFEED_STR("<!--><img src=x onerror=alert(1)>"),
            "<!--><img src=x onerror=alert(1)>"},
        {CARDFEED_STR("-->]]><?x?><![CDATA["), "-->]]><?x?><![CDATA["},
        {CARDFEED_STR("</article></main><style>*{}</style>"),
            "</article></main><style>*{}</style>"},
        {CARDFEED_STR("&lt;b&gt; &amp;lt; &#60;script&#62; &bogus; &"),
            "&lt;b&gt; &amp;lt; &#60;script&#62; &bogus; &"},
        {CARDFEED_STR("a\0b\x01\x02\x1f\x0b\x0c" "c"), "abc"},
        {CARDFEED_STR("a\tb\nc\rd"), "a\tb\nc\rd"},
        {CARDFEED_STR("x\xff\xfey\xc3"),
            "x\xef\xbf\xbd\xef\xbf\xbdy\xef\xbf\xbd"},
        {CARDFEED_STR("\xf0\x9f\x98\x80 \xe6\x97\xa5\xe6\x9c\xac"),
            "\xf0\x9f\x98\x80 \xe6\x97\xa5\xe6\x9c\xac"},
    };

    size_t i;
    char elements[16], attributes[16];
    fixture_t *f = *state;

    render_text(f, CARDFEED_STR("harmless"),
        CARDFEED_STR("https://x.example/a"));
    strcpy(elements, xpath(f, "count(//*)"));
    strcpy(attributes, xpath(f, "count(//@*)"));

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        render_text(f, cases[i].text,
            CARDFEED_STR("https://x.example/\"><script onclick=\"'>"));

        assert_safe(f);
        assert_xpath(f, "count(//*)", elements);
        assert_xpath(f, "count(//@*)", attributes);
        assert_null(memchr(f->out.data, '\0', f->out.len));

        assert_xpath(f, "string(//h1)", cases[i].read);
        assert_xpath(f, "string(//h2/a)", cases[i].read);
        assert_xpath(f, "string(//article/p[2])", cases[i].read);
        assert_xpath(f, "string(//article//li)", cases[i].read);
        assert_xpath(f, "string(//article/p[1]/bdi[2])", cases[i].read);
        assert_xpath(f, "string(//meta[@name='description']/@content)",
            cases[i].read);
        assert_xpath(f, "string(/html/@lang)", cases[i].read);
        assert_xpath(f, "string(//h2/a/@href)",
            "https://x.example/\"><script onclick=\"'>");

        f->feed.ncards = 0;
        fixture_render(f);
        assert_safe(f);
    }
}


static void
test_a_megabyte_of_text(void **state)
{
    size_t len = 1 << 20;
    char *text;
    fixture_t *f = *state;
    cardfeed_card_t card = fixture_card();

    text = malloc(len);
    assert_non_null(text);
    memset(text, '"', len);

    card.field[CARDFEED_FIELD_TITLE] =
        (cardfeed_str_t){.data = text, .len = len};
    card.field[CARDFEED_FIELD_EXCERPT] = card.field[CARDFEED_FIELD_TITLE];
    fixture_set(f, &card);
    fixture_render(f);

    assert_xpath(f, "string-length(//article/h2)", "1048576");
    assert_xpath(f, "string-length(//article/p[2])", "1048576");

    free(text);
}


static void
test_a_full_buffer(void **state)
{
    size_t max, whole;
    fixture_t *f = *state;
    cardfeed_card_t card = fixture_full_card();
    cardfeed_error_t err;

    f->feed.next_url = CARDFEED_STR(FEEDS "t.html?before=1");
    fixture_add(f, &card);
    fixture_add(f, &card);
    fixture_render(f);
    whole = f->out.len;

    for (max = 0; max <= whole; max++) {
        cardfeed_buf_free(&f->out);
        cardfeed_buf_init(&f->out, max);

        assert_int_equal(cardfeed_feed_render(f->format, &f->feed, &f->out,
                             &err),
            max == whole ? CARDFEED_OK : CARDFEED_NOMEM);
        assert_true(f->out.len <= max);
    }
}


static void
test_the_same_feed_gives_the_same_bytes(void **state)
{
    fixture_t *f = *state;
    cardfeed_card_t card = fixture_full_card();

    fixture_add(f, &card);
    assert_same_bytes(f, fixture_render);
}


int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, fixture_teardown)

    const struct CMUnitTest tests[] = {
        TEST(test_only_web_addresses_are_linked),
        TEST(test_hostile_text),
        TEST(test_a_megabyte_of_text),
        TEST(test_a_full_buffer),
        TEST(test_the_same_feed_gives_the_same_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
