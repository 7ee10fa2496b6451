/* fuzz_feed: whatever a file holds, it is a card or an error, and the card
 * breaks no feed in any format.  The first byte chooses the file's name and
 * what the collection is told to do. */

#include "fuzz.h"

#include <cardfeed/card.h>
#include <cardfeed/feed.h>

#include <jansson.h>
#include <libxml/parser.h>
#include <libxml/xmlerror.h>

static cardfeed_collection_t collection;
static cardfeed_parser_t *parser;


static void
same(cardfeed_str_t a, cardfeed_str_t b)
{
    PROMISE(cardfeed_str_eq(a, b));
}


/* A record says what its card says. */
static void
store(const cardfeed_card_t *card, cardfeed_buf_t *bytes,
    cardfeed_record_t *rec)
{
    uint32_t i;

    cardfeed_buf_init(bytes, SIZE_MAX);
    PROMISE(cardfeed_record_encode(bytes, card) == CARDFEED_OK);
    PROMISE(cardfeed_record_open(rec, bytes->data, bytes->len)
            == CARDFEED_OK);

    for (i = 0; i < CARDFEED_FIELDS; i++) {
        same(cardfeed_record_field(rec, (cardfeed_field_t) i),
            card->field[i]);
        PROMISE(fuzz_utf8(card->field[i]));
    }
    PROMISE(rec->ntopics == card->ntopics && rec->nauthors == card->nauthors
            && rec->nrelated == card->nrelated);
    for (i = 0; i < rec->ntopics; i++) {
        same(cardfeed_record_topic(rec, i).slug, card->topics[i].slug);
    }
}


static bool
is_xml(cardfeed_str_t text)
{
    xmlDocPtr doc;

    doc = xmlReadMemory(text.data, (int) text.len, "feed", NULL,
        XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING
            | XML_PARSE_HUGE);
    xmlFreeDoc(doc);

    return doc != NULL;
}


static bool
is_json(cardfeed_str_t text)
{
    json_t *root = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES,
        NULL);

    json_decref(root);

    return root != NULL;
}


static void
render(const cardfeed_record_t *rec)
{
    size_t i;
    cardfeed_buf_t out;
    cardfeed_str_t text;
    cardfeed_error_t err = {.code = CARDFEED_OK};
    cardfeed_feed_t feed = {
        .id = CARDFEED_STR("urn:uuid:00000000-0000-5000-8000-000000000001"),
        .title = CARDFEED_STR("Site: Topic"),
        .description = CARDFEED_STR("About a topic."),
        .home_url = CARDFEED_STR("https://site.example/"),
        .self_url = CARDFEED_STR("https://site.example/feeds/t.xml"),
        .feeds_url = CARDFEED_STR("https://site.example/feeds/"),
        .author = CARDFEED_STR("Site"),
        .updated = rec->updated,
        .cards = rec,
        .ncards = 1,
    };

    for (i = 0; cardfeed_feed_formats[i] != NULL; i++) {
        const cardfeed_format_t *format = cardfeed_feed_formats[i];

        if (format->entry == NULL) {
            continue;
        }

        cardfeed_buf_init(&out, SIZE_MAX);
        PROMISE(cardfeed_feed_render(format, &feed, &out, &err)
                == CARDFEED_OK);
        text = cardfeed_buf_view(&out);
        PROMISE(fuzz_utf8(text));
        PROMISE(memchr(text.data, '\0', text.len) == NULL);
        if (format == &cardfeed_feed_json) {
            PROMISE(is_json(text));
        } else if (format == &cardfeed_feed_html) {
            PROMISE(memmem(text.data, text.len, "<script", 7) == NULL
                    && memmem(text.data, text.len, "javascript:\"", 12)
                           == NULL);
        } else {
            PROMISE(is_xml(text));
        }
        cardfeed_buf_free(&out);
    }
}


static void
start(void)
{
    cardfeed_text_init();
    xmlInitParser();
    cardfeed_collection_defaults(&collection);
    collection.name = CARDFEED_STR("news");
    collection.dir = "/nowhere";
    collection.undated = CARDFEED_UNDATED_MTIME;
    parser = cardfeed_parser_create(&collection);
    PROMISE(parser != NULL);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const paths[] = {"a.md", "_news/2020-01-02-a b.html"};

    cardfeed_card_file_t file = {.mtime = 1600000000};
    cardfeed_error_t err = {.code = CARDFEED_OK};
    const cardfeed_card_t *card;
    cardfeed_record_t rec;
    cardfeed_buf_t bytes;
    int rc;

    if (parser == NULL) {
        start();
    }

    file.data = fuzz_input(data, size);
    file.path = cardfeed_str_of(paths[fuzz_choice(&file.data, 2)]);

    rc = cardfeed_card_parse(parser, &file, &card, &err);
    if (rc == CARDFEED_OK) {
        store(card, &bytes, &rec);
        render(&rec);
        cardfeed_buf_free(&bytes);
    } else if (rc != CARDFEED_NOTCARD) {
        PROMISE(err.code == rc && err.message[0] != '\0');
        PROMISE(fuzz_utf8(cardfeed_str_of(err.message)));
    }

    return 0;
}
