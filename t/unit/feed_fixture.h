/*
 * feed_fixture: a feed with cards, or a catalogue of topics, to render, and
 * the rendered document to ask questions of.  The name spaces a, dc, m and fh
 * are known to xpath().
 */

#ifndef FEED_FIXTURE_H
#define FEED_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <cardfeed/feed.h>

#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>

#define FIXTURE_CARDS 8

typedef struct {
    const cardfeed_format_t *format;
    cardfeed_feed_t feed;
    cardfeed_catalogue_t catalogue;
    cardfeed_record_t cards[FIXTURE_CARDS];
    cardfeed_buf_t bytes[FIXTURE_CARDS];
    cardfeed_buf_t out;
    xmlDocPtr doc;
    xmlXPathContextPtr context;
    xmlChar *answer;
} fixture_t;

static fixture_t fixture;


static inline void
fixture_forget(fixture_t *f)
{
    xmlFree(f->answer);
    xmlXPathFreeContext(f->context);
    xmlFreeDoc(f->doc);

    f->answer = NULL;
    f->context = NULL;
    f->doc = NULL;
}


static inline int
fixture_setup(void **state, const cardfeed_format_t *format)
{
    fixture_t *f = &fixture;

    cardfeed_text_init();

    *f = (fixture_t){
        .format = format,
        .feed = {
            .id = CARDFEED_STR(
                "urn:uuid:00000000-0000-5000-8000-000000000001"),
            .title = CARDFEED_STR("Site: Topic"),
            .description = CARDFEED_STR("About a topic."),
            .home_url = CARDFEED_STR("https://site.example/"),
            .self_url = CARDFEED_STR("https://site.example/feeds/t.xml"),
            .author = CARDFEED_STR("Site"),
            .updated = 1594755900,
        },
        .catalogue = {
            .title = CARDFEED_STR("Site"),
            .home_url = CARDFEED_STR("https://site.example/"),
            .self_url = CARDFEED_STR("https://site.example/feeds/"),
            .feeds_url = CARDFEED_STR("https://site.example/feeds/"),
            .updated = CARDFEED_NO_TIME,
            .all = {
                .slug = CARDFEED_STR("all"),
                .name = CARDFEED_STR("All"),
            },
        },
    };

    f->feed.cards = f->cards;
    cardfeed_buf_init(&f->out, 16 << 20);
    *state = f;

    return 0;
}


static inline int
fixture_teardown(void **state)
{
    size_t i;
    fixture_t *f = *state;

    fixture_forget(f);
    cardfeed_buf_free(&f->out);

    for (i = 0; i < FIXTURE_CARDS; i++) {
        cardfeed_buf_free(&f->bytes[i]);
    }

    return 0;
}


/* A small good card to start from. */
static inline cardfeed_card_t
fixture_card(void)
{
    cardfeed_card_t card = {
        .id = 1,
        .published = 1594755900,
        .updated = 1594755960,
        .expires = CARDFEED_NO_TIME,
    };
    size_t i;

    for (i = 0; i < CARDFEED_FIELDS; i++) {
        card.field[i] = CARDFEED_NO_STR;
    }

    card.field[CARDFEED_FIELD_IDENTITY] =
        CARDFEED_STR("urn:uuid:00000000-0000-5000-8000-000000000002");
    card.field[CARDFEED_FIELD_TITLE] = CARDFEED_STR("A title");
    card.field[CARDFEED_FIELD_LINK] = CARDFEED_STR("https://x.example/a");

    return card;
}


static inline void
fixture_add(fixture_t *f, const cardfeed_card_t *card)
{
    size_t i = f->feed.ncards++;
    cardfeed_str_t bytes;

    assert_true(i < FIXTURE_CARDS);

    cardfeed_buf_init(&f->bytes[i], 32 << 20);
    assert_int_equal(cardfeed_record_encode(&f->bytes[i], card),
        CARDFEED_OK);

    bytes = cardfeed_buf_view(&f->bytes[i]);
    assert_int_equal(cardfeed_record_open(&f->cards[i], bytes.data,
                         bytes.len),
        CARDFEED_OK);
}


static inline void
fixture_read(fixture_t *f)
{
    fixture_forget(f);

    f->doc = xmlReadMemory(f->out.data, (int) f->out.len, NULL, NULL,
        XML_PARSE_NONET | XML_PARSE_HUGE);
    assert_non_null(f->doc);

    f->context = xmlXPathNewContext(f->doc);
    assert_non_null(f->context);

    xmlXPathRegisterNs(f->context, BAD_CAST "a",
        BAD_CAST "http://www.w3.org/2005/Atom");
    xmlXPathRegisterNs(f->context, BAD_CAST "dc",
        BAD_CAST "http://purl.org/dc/elements/1.1/");
    xmlXPathRegisterNs(f->context, BAD_CAST "m",
        BAD_CAST "http://search.yahoo.com/mrss/");
    xmlXPathRegisterNs(f->context, BAD_CAST "fh",
        BAD_CAST "http://purl.org/syndication/history/1.0");
}


static inline void
fixture_render(fixture_t *f)
{
    cardfeed_error_t err;

    cardfeed_buf_reset(&f->out);
    assert_int_equal(cardfeed_feed_render(f->format, &f->feed, &f->out,
                         &err),
        CARDFEED_OK);
    fixture_read(f);
}


static inline void
fixture_render_catalogue(fixture_t *f)
{
    cardfeed_error_t err;

    cardfeed_buf_reset(&f->out);
    assert_int_equal(cardfeed_feed_render_catalogue(f->format, &f->catalogue,
                         &f->out, &err),
        CARDFEED_OK);
    fixture_read(f);
}


/* Rendered twice, the second time from nothing. */
static inline void
assert_same_bytes(fixture_t *f, void (*render)(fixture_t *f))
{
    cardfeed_buf_t before;

    render(f);
    before = f->out;

    cardfeed_buf_init(&f->out, before.max);
    render(f);

    assert_int_equal(before.len, f->out.len);
    assert_memory_equal(before.data, f->out.data, before.len);
    cardfeed_buf_free(&before);
}


/* A catalogue in buffers of every size: all of it, or a failure. */
static inline void
assert_catalogue_fits(fixture_t *f)
{
    size_t max, whole;
    cardfeed_error_t err;

    fixture_render_catalogue(f);
    whole = f->out.len;

    for (max = 0; max <= whole; max++) {
        cardfeed_buf_free(&f->out);
        cardfeed_buf_init(&f->out, max);

        assert_int_equal(cardfeed_feed_render_catalogue(f->format,
                             &f->catalogue, &f->out, &err),
            max == whole ? CARDFEED_OK : CARDFEED_NOMEM);
        assert_true(f->out.len <= max);
    }
}


/* The XPath expression as a string, until the next question. */
static inline const char *
xpath(fixture_t *f, const char *expression)
{
    xmlXPathObjectPtr object;

    object = xmlXPathEvalExpression(BAD_CAST expression, f->context);
    assert_non_null(object);

    xmlFree(f->answer);
    f->answer = xmlXPathCastToString(object);
    xmlXPathFreeObject(object);
    assert_non_null(f->answer);

    return (const char *) f->answer;
}


#define assert_xpath(f, expression, expected)                                \
    assert_string_equal(xpath(f, expression), expected)

#define assert_contains(f, text)                                             \
    assert_non_null(                                                         \
        memmem((f)->out.data, (f)->out.len, text, strlen(text)))

#define assert_lacks(f, text)                                                \
    assert_null(memmem((f)->out.data, (f)->out.len, text, strlen(text)))

#endif /* FEED_FIXTURE_H */
