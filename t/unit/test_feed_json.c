/* test_feed_json: cards → JSON Feed 1.1, read back. */

#include "feed_fixture.h"

#include <jansson.h>

static json_t *document;


static int
setup(void **state)
{
    return fixture_setup(state, &cardfeed_feed_json);
}


static int
teardown(void **state)
{
    json_decref(document);
    document = NULL;

    return fixture_teardown(state);
}


static void
render(fixture_t *f)
{
    json_error_t why;

    cardfeed_buf_reset(&f->out);
    assert_int_equal(cardfeed_feed_render(f->format, &f->feed, &f->out,
                         NULL),
        CARDFEED_OK);

    json_decref(document);
    document = json_loadb(f->out.data, f->out.len, JSON_REJECT_DUPLICATES,
        &why);

    if (document == NULL) {
        fail_msg("%s at %d:\n%.*s", why.text, why.position,
            (int) f->out.len, f->out.data);
    }
}


static void
replace(fixture_t *f, const cardfeed_card_t *card)
{
    f->feed.ncards = 0;
    cardfeed_buf_free(&f->bytes[0]);
    fixture_add(f, card);
    render(f);
}


/* The value at a path such as "items.0.title", or NULL. */
static json_t *
at(const char *path)
{
    char name[64];
    size_t len;
    json_t *value;

    for (value = document; value != NULL && *path != '\0'; path += len) {
        path += *path == '.';
        len = strcspn(path, ".");
        snprintf(name, sizeof(name), "%.*s", (int) len, path);

        value = json_is_array(value)
            ? json_array_get(value, strtoul(name, NULL, 10))
            : json_object_get(value, name);
    }

    return value;
}


static const char *
text(const char *path)
{
    const char *s = json_string_value(at(path));

    return s != NULL ? s : "(no string)";
}


/* The names of an object's members. */
static const char *
keys(const char *path)
{
    static char all[512];
    const char *key;
    json_t *value;

    all[0] = '\0';

    json_object_foreach(at(path), key, value) {
        strcat(strcat(all, all[0] ? " " : ""), key);
    }

    return all;
}


#define assert_text(path, expected) assert_string_equal(text(path), expected)
#define assert_keys(path, expected) assert_string_equal(keys(path), expected)
#define assert_number(path, n)                                               \
    assert_int_equal(json_integer_value(at(path)), n)


static void
test_format(void **state)
{
    fixture_t *f = *state;

    assert_ptr_equal(cardfeed_feed_format(CARDFEED_STR("json")), f->format);
    assert_string_equal(f->format->content_type, "application/feed+json");
    assert_string_equal(f->format->title, "JSON Feed 1.1");
}


static void
test_least_feed(void **state)
{
    fixture_t *f = *state;

    render(f);

    assert_keys("", "version title home_page_url feed_url description "
        "authors items");
    assert_text("version", "https://jsonfeed.org/version/1.1");
    assert_text("title", "Site: Topic");
    assert_text("home_page_url", "https://site.example/");
    assert_text("feed_url", "https://site.example/feeds/t.xml");
    assert_text("description", "About a topic.");
    assert_keys("authors.0", "name");
    assert_text("authors.0.name", "Site");
    assert_true(json_is_array(at("items")));
    assert_int_equal(json_array_size(at("items")), 0);
}


static void
test_full_feed(void **state)
{
    fixture_t *f = *state;

    f->feed.language = CARDFEED_STR("de");
    f->feed.rights = CARDFEED_STR("\xc2\xa9 <Site>");
    f->feed.hub_url = CARDFEED_STR("https://hub.example/?a&b");
    f->feed.first_url = CARDFEED_STR("https://site.example/feeds/t.json");
    f->feed.next_url = CARDFEED_STR("https://site.example/feeds/t.json?n");
    f->feed.logo_url = CARDFEED_STR("https://site.example/logo.svg");
    f->feed.icon_url = CARDFEED_STR("https://site.example/icon.png");
    render(f);

    assert_keys("", "version title home_page_url feed_url description "
        "next_url icon favicon authors language hubs items");
    assert_text("next_url", "https://site.example/feeds/t.json?n");
    assert_text("icon", "https://site.example/logo.svg");
    assert_text("favicon", "https://site.example/icon.png");
    assert_text("language", "de");
    assert_int_equal(json_array_size(at("hubs")), 1);
    assert_keys("hubs.0", "type url");
    assert_text("hubs.0.type", "WebSub");
    assert_text("hubs.0.url", "https://hub.example/?a&b");
}


static void
test_one_image_is_icon_or_both(void **state)
{
    fixture_t *f = *state;

    f->feed.icon_url = CARDFEED_STR("https://site.example/icon.png");
    render(f);

    assert_text("icon", "https://site.example/icon.png");
    assert_text("favicon", "https://site.example/icon.png");

    f->feed.logo_url = CARDFEED_STR("https://site.example/logo.png");
    f->feed.icon_url = CARDFEED_NO_STR;
    render(f);

    assert_text("icon", "https://site.example/logo.png");
    assert_null(at("favicon"));
}


static void
test_complete_has_no_paging(void **state)
{
    fixture_t *f = *state;

    f->feed.complete = true;
    f->feed.first_url = CARDFEED_STR("https://site.example/feeds/t.json");
    f->feed.next_url = CARDFEED_STR("https://site.example/feeds/t.json?x=1");
    render(f);

    assert_null(at("next_url"));
}


static void
test_least_item(void **state)
{
    fixture_t *f = *state;
    cardfeed_card_t card = fixture_card();

    replace(f, &card);

    assert_keys("items.0", "id url title content_text date_published "
        "date_modified");
    assert_text("items.0.id",
        "urn:uuid:00000000-0000-5000-8000-000000000002");
    assert_text("items.0.url", "https://x.example/a");
    assert_text("items.0.title", "A title");
    assert_text("items.0.content_text", "A title");
    assert_text("items.0.date_published", "2020-07-14T19:45:00Z");
    assert_text("items.0.date_modified", "2020-07-14T19:46:00Z");
}


static void
test_full_item(void **state)
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
    static const cardfeed_card_related_t related[] = {
        {CARDFEED_STR("One"), CARDFEED_STR("/one")},
        {CARDFEED_STR("No link"), CARDFEED_STR("javascript:x")},
        {CARDFEED_NO_STR, CARDFEED_STR("https://x.example/three")},
        {CARDFEED_NO_STR, CARDFEED_STR("javascript:x")},
        {CARDFEED_STR("Five"), CARDFEED_NO_STR},
    };

    fixture_t *f = *state;
    cardfeed_card_t card = fixture_card();

    card.field[CARDFEED_FIELD_EXCERPT] = CARDFEED_STR("AT&T <b>");
    card.field[CARDFEED_FIELD_PROVIDER] = CARDFEED_STR("Provider");
    card.field[CARDFEED_FIELD_TYPE] = CARDFEED_STR("video");
    card.field[CARDFEED_FIELD_CATEGORY] = CARDFEED_STR("news");
    card.field[CARDFEED_FIELD_IMAGE_URL] = CARDFEED_STR("/i?a&b");
    card.field[CARDFEED_FIELD_ENCLOSURE_URL] =
        CARDFEED_STR("https://x.example/a.pdf");
    card.field[CARDFEED_FIELD_ENCLOSURE_TYPE] =
        CARDFEED_STR("application/pdf");
    card.enclosure_length = (uint64_t) 1 << 40;
    card.quality = 65;
    card.heat = -1;
    card.topics = topics;
    card.ntopics = 2;
    card.authors = authors;
    card.nauthors = 3;
    card.related = related;
    card.nrelated = 5;
    replace(f, &card);

    assert_keys("items.0", "id url title summary content_text image "
        "date_published date_modified authors tags attachments _cardfeed");
    assert_text("items.0.summary", "AT&T <b>");
    assert_text("items.0.content_text", "AT&T <b>");
    assert_text("items.0.image", "https://site.example/i?a&b");

    assert_int_equal(json_array_size(at("items.0.authors")), 2);
    assert_keys("items.0.authors.0", "name url");
    assert_text("items.0.authors.0.name", "Ann");
    assert_text("items.0.authors.0.url", "https://site.example/ann");
    assert_keys("items.0.authors.1", "name");
    assert_text("items.0.authors.1.name", "Bo");

    assert_int_equal(json_array_size(at("items.0.tags")), 2);
    assert_text("items.0.tags.0", "C#");
    assert_text("items.0.tags.1", "\xd0\x9c\xd0\xb8\xd1\x80");
    assert_contains(f, "\"\xd0\x9c\xd0\xb8\xd1\x80\"");

    assert_int_equal(json_array_size(at("items.0.attachments")), 1);
    assert_keys("items.0.attachments.0", "url mime_type size_in_bytes");
    assert_text("items.0.attachments.0.url", "https://x.example/a.pdf");
    assert_text("items.0.attachments.0.mime_type", "application/pdf");
    assert_number("items.0.attachments.0.size_in_bytes", 1LL << 40);

    assert_keys("items.0._cardfeed", "type category quality heat related");
    assert_text("items.0._cardfeed.type", "video");
    assert_text("items.0._cardfeed.category", "news");
    assert_number("items.0._cardfeed.quality", 65);
    assert_number("items.0._cardfeed.heat", -1);

    assert_int_equal(json_array_size(at("items.0._cardfeed.related")), 4);
    assert_keys("items.0._cardfeed.related.0", "title url");
    assert_text("items.0._cardfeed.related.0.url",
        "https://site.example/one");
    assert_keys("items.0._cardfeed.related.1", "title");
    assert_keys("items.0._cardfeed.related.2", "url");
    assert_text("items.0._cardfeed.related.3.title", "Five");
}


static void
test_attachment_of_unknown_length(void **state)
{
    static const uint64_t lengths[] = {0, UINT64_MAX};

    size_t i;
    fixture_t *f = *state;
    cardfeed_card_t card = fixture_card();

    card.field[CARDFEED_FIELD_ENCLOSURE_URL] = CARDFEED_STR("/a");

    for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        card.enclosure_length = lengths[i];
        replace(f, &card);

        assert_keys("items.0.attachments.0", "url mime_type");
        assert_text("items.0.attachments.0.url", "https://site.example/a");
        assert_text("items.0.attachments.0.mime_type",
            "application/octet-stream");
    }
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

    assert_int_equal(json_array_size(at("items.0.authors")), 1);
    assert_text("items.0.authors.0.name", "Provider");
    assert_text("items.0.authors.0.url", "https://p.example/");
}


static void
test_an_unusable_link_is_none(void **state)
{
    static const char *links[] = {"", "javascript:x", "ftp://x.example/"};

    size_t i;
    fixture_t *f = *state;
    cardfeed_card_t card = fixture_card();

    for (i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
        card.field[CARDFEED_FIELD_LINK] = cardfeed_str_of(links[i]);
        card.field[CARDFEED_FIELD_IMAGE_URL] = cardfeed_str_of(links[i]);
        card.field[CARDFEED_FIELD_ENCLOSURE_URL] = cardfeed_str_of(links[i]);
        replace(f, &card);

        assert_keys("items.0",
            "id title content_text date_published date_modified");
    }
}


static void
test_times(void **state)
{
    fixture_t *f = *state;
    cardfeed_card_t card = fixture_card();

    card.updated = CARDFEED_NO_TIME;
    replace(f, &card);

    assert_text("items.0.date_modified", "2020-07-14T19:45:00Z");

    card.published = CARDFEED_NO_TIME;
    replace(f, &card);

    assert_null(at("items.0.date_published"));
    assert_null(at("items.0.date_modified"));
}


/* In all formats the same text is read. */
static void
test_hostile_text(void **state)
{
    static const struct {
        cardfeed_str_t text;
        const char *read;
    } cases[] = {
        {CARDFEED_STR("\"},{\"id\":1,\"x\":\""), "\"},{\"id\":1,\"x\":\""},
        {CARDFEED_STR("\\"), "\\"},
        {CARDFEED_STR("\\u0041 \\\" \\"), "\\u0041 \\\" \\"},
        {CARDFEED_STR("</script><!-- ]]> / &amp;"),
            "</script><!-- ]]> / &amp;"},
        {CARDFEED_STR("a\0b\x01\x1f" "c\x7f"), "abc\x7f"},
        {CARDFEED_STR("a\tb\nc\rd"), "a\tb\nc\rd"},
        {CARDFEED_STR("\xed\xa0\x80x"),
            "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdx"},
        {CARDFEED_STR("\xc3"), "\xef\xbf\xbd"},
        {CARDFEED_STR("\\\xff\""), "\\\xef\xbf\xbd\""},
        {CARDFEED_STR("\xf4\x90\x80\x80"),
            "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {CARDFEED_STR("\xef\xbf\xbf" "b"), "b"},
        {CARDFEED_STR("\xe2\x80\xa8\xe2\x80\xa9"),
            "\xe2\x80\xa8\xe2\x80\xa9"},
        {CARDFEED_STR("\xf0\x9f\x98\x80 \xe6\x97\xa5"),
            "\xf0\x9f\x98\x80 \xe6\x97\xa5"},
        {CARDFEED_STR("\x01"), ""},
    };

    size_t i;
    fixture_t *f = *state;
    cardfeed_card_t card = fixture_card();
    cardfeed_card_topic_t topic;
    cardfeed_card_related_t related;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        card.field[CARDFEED_FIELD_IDENTITY] = cases[i].text;
        card.field[CARDFEED_FIELD_TITLE] = cases[i].text;
        card.field[CARDFEED_FIELD_EXCERPT] = cases[i].text;
        card.field[CARDFEED_FIELD_PROVIDER] = cases[i].text;
        card.field[CARDFEED_FIELD_TYPE] = cases[i].text;
        card.field[CARDFEED_FIELD_CATEGORY] = cases[i].text;
        card.field[CARDFEED_FIELD_ENCLOSURE_URL] = CARDFEED_STR("/x");
        card.field[CARDFEED_FIELD_ENCLOSURE_TYPE] = cases[i].text;
        topic.slug = CARDFEED_STR("x");
        topic.name = cases[i].text;
        card.topics = &topic;
        card.ntopics = 1;
        related.title = cases[i].text;
        related.url = CARDFEED_NO_STR;
        card.related = &related;
        card.nrelated = 1;
        f->feed.title = cases[i].text;
        f->feed.description = cases[i].text;
        f->feed.author = cases[i].text;
        replace(f, &card);

        assert_text("title", cases[i].read);
        assert_text("description", cases[i].read);
        assert_text("authors.0.name", cases[i].read);
        assert_int_equal(json_array_size(at("items")), 1);
        assert_text("items.0.id", cases[i].read);
        assert_text("items.0.title", cases[i].read);
        assert_text("items.0.summary", cases[i].read);
        assert_text("items.0.content_text", cases[i].read);
        assert_text("items.0.authors.0.name", cases[i].read);
        assert_text("items.0.tags.0", cases[i].read);
        assert_text("items.0._cardfeed.type", cases[i].read);
        assert_text("items.0._cardfeed.category", cases[i].read);
        assert_text("items.0._cardfeed.related.0.title", cases[i].read);
        assert_true(json_is_string(at("items.0.attachments.0.mime_type")));
    }
}


static void
test_the_bytes(void **state)
{
    static const char expected[] =
        "{\"version\":\"https://jsonfeed.org/version/1.1\","
        "\"title\":\"Site: Topic\","
        "\"home_page_url\":\"https://site.example/\","
        "\"feed_url\":\"https://site.example/feeds/t.xml\","
        "\"description\":\"About a topic.\","
        "\"authors\":[{\"name\":\"Site\"}],\"items\":[\n"
        "{\"id\":\"urn:uuid:00000000-0000-5000-8000-000000000002\","
        "\"url\":\"https://x.example/a\",\"title\":\"A title\","
        "\"content_text\":\"A title\","
        "\"date_published\":\"2020-07-14T19:45:00Z\","
        "\"date_modified\":\"2020-07-14T19:46:00Z\"},\n"
        "{\"id\":\"urn:uuid:00000000-0000-5000-8000-000000000002\","
        "\"url\":\"https://x.example/a\",\"title\":\"<\xc3\xa9\\\"/\","
        "\"content_text\":\"<\xc3\xa9\\\"/\","
        "\"date_published\":\"2020-07-14T19:45:00Z\","
        "\"date_modified\":\"2020-07-14T19:46:00Z\","
        "\"_cardfeed\":{\"quality\":65}}\n]}\n";

    int i;
    fixture_t *f = *state;
    cardfeed_card_t card = fixture_card();

    fixture_add(f, &card);
    card.field[CARDFEED_FIELD_TITLE] = CARDFEED_STR("<\xc3\xa9\"/");
    card.quality = 65;
    fixture_add(f, &card);

    for (i = 0; i < 2; i++) {
        render(f);
        assert_int_equal(f->out.len, sizeof(expected) - 1);
        assert_memory_equal(f->out.data, expected, f->out.len);
    }
}


/* A card with everything that takes memory. */
static void
add_rich(fixture_t *f)
{
    static const cardfeed_card_topic_t topic = {
        CARDFEED_STR("T"), CARDFEED_STR("t")};
    static const cardfeed_card_author_t author = {
        CARDFEED_STR("Ann"), CARDFEED_STR("/ann"), CARDFEED_NO_STR};
    static const cardfeed_card_related_t related = {
        CARDFEED_STR("R"), CARDFEED_STR("/r")};

    cardfeed_card_t card = fixture_card();

    card.field[CARDFEED_FIELD_EXCERPT] = CARDFEED_STR("A\x01\xff\"");
    card.field[CARDFEED_FIELD_TYPE] = CARDFEED_STR("video");
    card.field[CARDFEED_FIELD_ENCLOSURE_URL] = CARDFEED_STR("/x");
    card.quality = 1;
    card.enclosure_length = 1;
    card.topics = &topic;
    card.ntopics = 1;
    card.authors = &author;
    card.nauthors = 1;
    card.related = &related;
    card.nrelated = 1;

    f->feed.hub_url = CARDFEED_STR("https://hub.example/");
    fixture_add(f, &card);
    fixture_add(f, &card);
}


static void
test_a_full_buffer(void **state)
{
    size_t max, whole;
    fixture_t *f = *state;

    add_rich(f);
    render(f);
    whole = f->out.len;

    for (max = 0; max < whole; max++) {
        cardfeed_buf_free(&f->out);
        cardfeed_buf_init(&f->out, max);
        assert_int_equal(cardfeed_feed_render(f->format, &f->feed, &f->out,
                             NULL),
            CARDFEED_NOMEM);
    }

    cardfeed_buf_free(&f->out);
    cardfeed_buf_init(&f->out, whole);
    render(f);
}


static size_t allowed, held;


static void *
scarce(size_t size)
{
    void *p;

    if (allowed == 0) {
        return NULL;
    }

    allowed--;

    p = malloc(size);
    held += p != NULL;

    return p;
}


static void
give_back(void *p)
{
    held -= p != NULL;
    free(p);
}


/* Each of jansson's allocations fails once. */
static void
test_out_of_memory(void **state)
{
    size_t n;
    int rc;
    fixture_t *f = *state;

    add_rich(f);
    held = 0;

    json_set_alloc_funcs(scarce, give_back);

    for (n = 0, rc = CARDFEED_NOMEM; rc != CARDFEED_OK; n++) {
        cardfeed_buf_reset(&f->out);
        allowed = n;
        rc = cardfeed_feed_render(f->format, &f->feed, &f->out, NULL);

        if (held != 0 || (rc != CARDFEED_OK && rc != CARDFEED_NOMEM)) {
            break;
        }
    }

    json_set_alloc_funcs(malloc, free);

    assert_int_equal(held, 0);
    assert_int_equal(rc, CARDFEED_OK);
    assert_true(n > 100);
    render(f);
    assert_int_equal(json_array_size(at("items")), 2);
}


int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

    const struct CMUnitTest tests[] = {
        TEST(test_format),
        TEST(test_least_feed),
        TEST(test_full_feed),
        TEST(test_one_image_is_icon_or_both),
        TEST(test_complete_has_no_paging),
        TEST(test_least_item),
        TEST(test_full_item),
        TEST(test_attachment_of_unknown_length),
        TEST(test_provider_is_the_author_without_authors),
        TEST(test_an_unusable_link_is_none),
        TEST(test_times),
        TEST(test_hostile_text),
        TEST(test_the_bytes),
        TEST(test_a_full_buffer),
        TEST(test_out_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
