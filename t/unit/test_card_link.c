/* test_card_link: links, images, enclosures and identities. */

#include "card_fixture.h"


static void
with_site(const char *site)
{
    collection.site = cardfeed_str_of(site);
    fresh_parser();
}


static void
test_link_priority(void **state)
{
    const cardfeed_card_t *card;

    (void) state;

    card = parse_front("a.md",
        "slug: s\npermalink: /p\nurl: /u\nexternal_url: https://x.org/e\n"
        "website: https://x.org/w\noriginalUrl: https://x.org/o\n"
        "webUrl: HTTPS://X.org/%7Ea");
    assert_field(card, LINK, "https://x.org/%7Ea");
    assert_field(parse_front("a.md", "website: https://x.org/w\n"
                                     "originalUrl: https://x.org/o"),
        LINK, "https://x.org/o");
    assert_field(parse_front("a.md", "url: /u\nwebsite: https://x.org/w"),
        LINK, "https://x.org/w");
    assert_field(parse_front("a.md", "url: /u\nexternal_url: https://x.org"),
        LINK, "https://x.org");
    assert_field(parse_front("a.md", "permalink: /p/\nurl: /u"), LINK, "/u");
    assert_field(parse_front("b/a.md", "permalink: /p/\nslug: s"), LINK,
        "/p/");

    /* What cannot be used gives way to the next. */
    assert_field(parse_front("a.md", "webUrl: \"javascript:alert(1)\"\n"
                                     "originalUrl: \"mailto:a@b.c\"\n"
                                     "website: ftp://x.org/\n"
                                     "external_url: [https://x.org/]\n"
                                     "url: \"data:text/html,x\"\n"
                                     "permalink: https://ok.org/"),
        LINK, "https://ok.org/");
    assert_field(parse_front("a/b.md", "webUrl: \"javascript:alert(1)\""),
        LINK, "/a/b/");
}


/* How a link is to be made is none. */
static void
test_permalink_templates(void **state)
{
    static const char *const templates[] = {"/:categories/:title/",
        "/blog/:year/:month/", "\":title\"", ":year/:slug.html",
        "https://x.org/:title/", "date", "pretty", "ordinal", "weekdate",
        "none"};
    static const char *const links[][2] = {{"/pretty/", "/pretty/"},
        {"/a:b/", "/a:b/"}, {"update", "/update"}, {"/date", "/date"},
        {"https://x.org/p", "https://x.org/p"}};

    char front[128];
    size_t i;

    (void) state;

    for (i = 0; i < sizeof(templates) / sizeof(templates[0]); i++) {
        snprintf(front, sizeof(front), "permalink: %s\nslug: s",
            templates[i]);
        assert_field(parse_front("n/a.md", front), LINK, "/n/s/");
        snprintf(front, sizeof(front), "permalink: %s\nurl: /u",
            templates[i]);
        assert_field(parse_front("n/a.md", front), LINK, "/u");
        snprintf(front, sizeof(front), "permalink: %s", templates[i]);
        assert_field(parse_front("n/a.md", front), LINK, "/n/a/");
    }

    for (i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
        snprintf(front, sizeof(front), "permalink: %s", links[i][0]);
        assert_field(parse_front("n/a.md", front), LINK, links[i][1]);
    }
}


static void
test_link_from_path(void **state)
{
    static const struct {
        const char *path;
        const char *link;
        const char *below; /* with a site */
    } cases[] = {
        {"a.md", "/a/", "https://x.org/s/a/"},
        {"_news/a b.md", "/_news/a%20b/", "https://x.org/s/_news/a%20b/"},
        {"n/a.markdown", "/n/a/", "https://x.org/s/n/a/"},
        {"n/a.MD", "/n/a/", "https://x.org/s/n/a/"},
        {"n/a.html", "/n/a/", "https://x.org/s/n/a/"},
        {"n/a.txt", "/n/a/", "https://x.org/s/n/a/"},
        {"n.x/a", "/n.x/a/", "https://x.org/s/n.x/a/"},
        {"n/.a", "/n/.a/", "https://x.org/s/n/.a/"},
        {"n/a.b.md", "/n/a.b/", "https://x.org/s/n/a.b/"},
        {"index.md", "/", "https://x.org/s/"},
        {"n/index.md", "/n/", "https://x.org/s/n/"},
        {"n/index.html", "/n/", "https://x.org/s/n/"},
        {"index.markdown", "/", "https://x.org/s/"},
        {"n/my-index.md", "/n/my-index/", "https://x.org/s/n/my-index/"},
        {"c:d/a.md", "/c%3Ad/a/", "https://x.org/s/c%3Ad/a/"},
        {"n/a?b#c%.md", "/n/a%3Fb%23c%25/",
            "https://x.org/s/n/a%3Fb%23c%25/"},
        {"n/\xc3\xa9\xff.md", "/n/%C3%A9%FF/",
            "https://x.org/s/n/%C3%A9%FF/"},
    };

    size_t i;

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_field(parse_front(cases[i].path, ""), LINK, cases[i].link);
    }

    with_site("https://X.org/s");

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_field(parse_front(cases[i].path, ""), LINK, cases[i].below);
    }
}


static void
test_slug(void **state)
{
    (void) state;

    assert_field(parse_front("n/a.md", "slug: new name"), LINK,
        "/n/new%20name/");
    assert_field(parse_front("a.md", "slug: b"), LINK, "/b/");
    assert_field(parse_front("n/a.html", "slug: b/"), LINK, "/n/b/");
    assert_field(parse_front("n/a.html", "slug: v1.2"), LINK, "/n/v1.2/");
    assert_field(parse_front("n/a.md", "slug: /"), LINK, "/n/a/");
    assert_field(parse_front("n/m/index.md", "slug: b"), LINK, "/n/b/");
    /* Never another host's. */
    assert_field(parse_front("a.md", "slug: //evil.org/x"), LINK,
        "/evil.org/x/");
    assert_field(parse_front("a.md", "slug: \"https://evil.org/x\""), LINK,
        "/https%3A//evil.org/x/");

    with_site("https://x.org/s/");
    assert_field(parse_front("n/a.md", "slug: /b"), LINK,
        "https://x.org/s/n/b/");
}


static void
test_relative_urls(void **state)
{
    const cardfeed_card_t *card;

    (void) state;

    card = parse_front("n/a.md", "url: u/v\nimage: i.png\nprovider:\n"
                                 "  url: /about");
    assert_field(card, LINK, "/u/v");
    assert_field(card, IMAGE_URL, "/i.png");

    with_site("https://x.org/s");
    card = parse_front("n/a.md", "url: u/v\nimage: /i.png\nprovider:\n"
                                 "  url: about");
    assert_field(card, LINK, "https://x.org/s/u/v");
    assert_field(card, IMAGE_URL, "https://x.org/s/i.png");
    assert_field(card, PROVIDER_URL, "https://x.org/s/about");

    /* A path hangs below the site's, and is never a scheme or a host. */
    assert_field(parse_front("a.md", "url: /u/v/"), LINK,
        "https://x.org/s/u/v/");
    assert_field(parse_front("a.md", "url: /a:b"), LINK,
        "https://x.org/s/a:b");
    assert_field(parse_front("a.md", "url: /"), LINK, "https://x.org/s/");
}


static void
test_long_urls(void **state)
{
    static const char head[] = "url: /short\nwebUrl: https://x.org/";
    static const size_t given = sizeof("https://x.org/") - 1;

    char front[CARDFEED_CARD_TEXT + sizeof(head) + 1];

    (void) state;

    memset(front, 'a', sizeof(front));
    memcpy(front, head, sizeof(head) - 1);

    front[sizeof(head) - 1 + CARDFEED_CARD_TEXT - given + 1] = '\0';
    assert_field(parse_front("a.md", front), LINK, "/short");

    front[sizeof(head) - 1 + CARDFEED_CARD_TEXT - given] = '\0';
    assert_int_equal(
        parse_front("a.md", front)->field[CARDFEED_FIELD_LINK].len,
        CARDFEED_CARD_TEXT);
}


static void
test_images(void **state)
{
    static const struct {
        const char *front;
        const char *url;
        uint32_t width;
        uint32_t height;
    } cases[] = {
        {"images: [{url: /a.png, width: 12, height: \"34\"}]", "/a.png", 12,
            34},
        {"images: [{width: 1}, {url: \"javascript:x\"}, {path: /b.png}]",
            "/b.png", 0, 0},
        {"images: [{url: /a.png, width: 5}, {url: /b.png, width: 6}]",
            "/a.png", 5, 0},
        {"images: [/a.png, /b.png]", "/a.png", 0, 0},
        {"images: {url: /a.png, width: 3}", "/a.png", 3, 0},
        {"images: /a.png", "/a.png", 0, 0},
        {"image: /b.png\nimages: [/a.png]", "/a.png", 0, 0},
        {"image: /b.png\nimages: []", "/b.png", 0, 0},
        {"image: {path: /b.png, width: 7, height: 8}\nimages: [{}]", "/b.png",
            7, 8},
        {"image: {url: /u.png, path: /p.png}", "/u.png", 0, 0},
        {"image: {url: \"data:x\", path: /p.png}", "/p.png", 0, 0},
        {"image: [{url: /l.png}]", "/l.png", 0, 0},
        {"images: [[/a.png], ~]", "", 0, 0},
        {"image: /a.png\nimage: ~", "", 0, 0},
        {"image: {url: /a.png}\nimage: /b.png", "/b.png", 0, 0},
        {"images: [{url: /a.png}]\nimages: []", "", 0, 0},
        {"image: {url: /a.png, width: 0, height: -1}", "/a.png", 0, 0},
        {"image: {url: /a.png, width: 100000, height: 100001}", "/a.png",
            100000, 0},
        {"image: {url: /a.png, width: 12px, height: 1.5}", "/a.png", 0, 0},
        {"image: {url: /a.png, width: 99999999999999999999999}", "/a.png", 0,
            0},
    };

    const cardfeed_card_t *card;
    size_t i;

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        card = parse_front("a.md", cases[i].front);
        assert_field(card, IMAGE_URL, cases[i].url);
        assert_int_equal(card->image_width, cases[i].width);
        assert_int_equal(card->image_height, cases[i].height);
    }
}


static void
test_enclosures(void **state)
{
    static const struct {
        const char *front;
        const char *url;
        const char *type;
        uint64_t length;
    } cases[] = {
        {"actions: [{url: https://x.org/a.zip, type: download}]",
            "https://x.org/a.zip", "application/zip", 0},
        {"actions: [{url: /a, type: view}, {url: /b.PDF?x=.zip, "
         "type: Download, length: 123}]",
            "/b.PDF?x=.zip", "application/pdf", 123},
        {"actions: [{url: \"javascript:x\", type: download}, "
         "{type: download}, {url: /c, type: download, size: 9}]",
            "/c", "application/octet-stream", 9},
        {"actions: [{url: /a, type: download}, {url: /b, type: download}]",
            "/a", "application/octet-stream", 0},
        {"actions: {url: /a.msapp, type: download, size: 1 MB}", "/a.msapp",
            "application/octet-stream", 0},
        {"actions: [{url: /a.mp3, type: listen}]", "", "", 0},
        {"actions: [download]", "", "", 0},
        {"actions: [{url: /a, type: download}]\nactions: ~", "", "", 0},
        {"webUrl: https://x.org/a.mp3?b=c#d", "https://x.org/a.mp3?b=c#d",
            "audio/mpeg", 0},
        {"webUrl: https://x.org/a\noriginalUrl: https://y.org/b.M4A",
            "https://y.org/b.M4A", "audio/mp4", 0},
        {"webUrl: https://x.org/watch?v=a.mp4", "", "", 0},
        {"webUrl: https://x.org/a.zip", "", "", 0},
        {"webUrl: https://x.mov", "", "", 0},
        {"webUrl: https://x.org/a.mp4/", "", "", 0},
        {"webUrl: https://x.org/.mp4", "", "", 0},
    };

    const cardfeed_card_t *card;
    size_t i;

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        card = parse_front("a.md", cases[i].front);
        assert_field(card, ENCLOSURE_URL, cases[i].url);
        assert_field(card, ENCLOSURE_TYPE, cases[i].type);
        assert_true(card->enclosure_length == cases[i].length);
    }
}


static void
assert_urn(const cardfeed_card_t *card, char kind, const char *rest)
{
    char urn[CARDFEED_URN_LEN + 1];

    assert_int_equal(cardfeed_text_urn(urn, collection.name, kind,
                         cardfeed_str_of(rest)),
        CARDFEED_OK);
    assert_field(card, IDENTITY, urn);
    assert_true(card->id == cardfeed_text_hash(cardfeed_str_of(urn)));
}


static void
test_identity(void **state)
{
    const cardfeed_card_t *card;

    (void) state;

    assert_urn(parse_front("n/a.md", ""), '/', "n/a");
    assert_urn(parse_front("n/a.html", "date: 2020-01-01"), '/', "n/a");
    assert_urn(parse_front("n.x/a", ""), '/', "n.x/a");
    assert_int_equal(parse_front("n/a.md", "")->identity_line, 1);

    file.keep_extension = true;
    assert_urn(parse_front("n/a.html", ""), '/', "n/a.html");
    file.keep_extension = false;

    card = parse_front("n/a.md", "title: t\nguid: g\nid: tag:x.org,2020:1");
    assert_field(card, IDENTITY, "tag:x.org,2020:1");
    assert_int_equal(card->identity_line, 4);

    card = parse_front("n/a.md", "guid: my guid\nid: ~");
    assert_urn(card, '#', "my guid");
    assert_int_equal(card->identity_line, 2);

    assert_urn(parse_front("n/a.md", "id: 42"), '#', "42");
    assert_urn(parse_front("n/a.md", "id: [42]"), '/', "n/a");
    /* Entities are no part of an identity's syntax. */
    assert_urn(parse_front("n/a.md", "id: \"a&amp;b\""), '#', "a&amp;b");
}


static void
test_long_identities_differ(void **state)
{
    char front[4096];
    uint64_t one, two;

    (void) state;

    strcpy(front, "id: urn:x:");
    memset(front + 10, 'a', 3000);
    strcpy(front + 3010, "1");
    one = parse_front("a.md", front)->id;
    strcpy(front + 3010, "2");
    two = parse_front("a.md", front)->id;

    assert_true(one != two);
}


static void
test_permalink_identity(void **state)
{
    const cardfeed_card_t *card;

    (void) state;

    collection.ids = CARDFEED_IDS_PERMALINK;
    fresh_parser();

    card = parse_front("n/a.md", "title: a\nwebUrl: https://x.org/a");
    assert_field(card, IDENTITY, "https://x.org/a");
    assert_int_equal(card->identity_line, 3);

    card = parse_front("n/a.md", "id: b\nwebUrl: https://x.org/a");
    assert_urn(card, '#', "b");

    assert_urn(parse_front("n/a.md", "url: /relative"), '/', "n/a");

    with_site("https://x.org/");
    card = parse_front("n/a.md", "");
    assert_field(card, IDENTITY, "https://x.org/n/a/");
    assert_int_equal(card->identity_line, 1);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        card_test(test_link_priority),
        card_test(test_permalink_templates),
        card_test(test_link_from_path),
        card_test(test_slug),
        card_test(test_relative_urls),
        card_test(test_long_urls),
        card_test(test_images),
        card_test(test_enclosures),
        card_test(test_identity),
        card_test(test_long_identities_differ),
        card_test(test_permalink_identity),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
