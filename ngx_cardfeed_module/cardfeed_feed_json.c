/* feed_json: JSON Feed 1.1, an object at a time. */

#include "cardfeed_feed_private.h"

#include <jansson.h>
#include <stdlib.h>

#define JSON_FEED_TYPE "application/feed+json"
#define JSON_FEED_VERSION "https://jsonfeed.org/version/1.1"

/*
 * Each item is a tree of jansson's, which keeps members in the order they were
 * added; its strings hold any bytes until they are written.  A failure is
 * remembered in rc, and a tree that lacks something never written: jansson's
 * functions take NULL for what could not be allocated.
 */
struct cardfeed_writer_s {
    cardfeed_buf_t *out;
    cardfeed_buf_t scratch; /* a URL put together */
    bool more;              /* an item stands in front */
    int rc;
};

static void json_write(cardfeed_buf_t *out, json_t *value);


/* Takes the value; NULL is a failure. */
static void
json_put(cardfeed_writer_t *writer, json_t *object, const char *key,
    json_t *value)
{
    if (json_object_set_new_nocheck(object, key, value) != 0) {
        writer->rc = CARDFEED_NOMEM;
    }
}


static void
json_add(cardfeed_writer_t *writer, json_t *array, json_t *value)
{
    if (json_array_append_new(array, value) != 0) {
        writer->rc = CARDFEED_NOMEM;
    }
}


/* json_put() of an object or array that holds something. */
static void
json_put_filled(cardfeed_writer_t *writer, json_t *object, const char *key,
    json_t *value)
{
    if (value != NULL && json_object_size(value) == 0
        && json_array_size(value) == 0)
    {
        json_decref(value);
        return;
    }

    json_put(writer, object, key, value);
}


/* The same in an array. */
static void
json_add_filled(cardfeed_writer_t *writer, json_t *array, json_t *object)
{
    if (object != NULL && json_object_size(object) == 0) {
        json_decref(object);
        return;
    }

    json_add(writer, array, object);
}


static void
json_put_text(cardfeed_writer_t *writer, json_t *object, const char *key,
    cardfeed_str_t text)
{
    json_put(writer, object, key, json_stringn_nocheck(text.data, text.len));
}


/* Nothing where the text is empty. */
static void
json_put_optional(cardfeed_writer_t *writer, json_t *object, const char *key,
    cardfeed_str_t text)
{
    if (text.len) {
        json_put_text(writer, object, key, text);
    }
}


static void
json_put_number(cardfeed_writer_t *writer, json_t *object, const char *key,
    json_int_t n)
{
    if (n) {
        json_put(writer, object, key, json_integer(n));
    }
}


static void
json_put_time(cardfeed_writer_t *writer, json_t *object, const char *key,
    int64_t time)
{
    char text[CARDFEED_RFC3339_LEN + 1];

    if (time != CARDFEED_NO_TIME) {
        cardfeed_date_rfc3339(text, time);
        json_put(writer, object, key,
            json_stringn_nocheck(text, CARDFEED_RFC3339_LEN));
    }
}


/* A card's URL as the document shows it, or empty; until the next one. */
static cardfeed_str_t
json_url(cardfeed_writer_t *writer, const cardfeed_feed_t *feed,
    cardfeed_str_t url)
{
    cardfeed_str_t absolute;

    if (cardfeed_feed_url(feed, url, &writer->scratch, &absolute)
        != CARDFEED_OK)
    {
        writer->rc = CARDFEED_NOMEM;
    }

    return absolute;
}


static json_t *
json_person(cardfeed_writer_t *writer, cardfeed_str_t name,
    cardfeed_str_t url)
{
    json_t *person;

    person = json_object();
    json_put_text(writer, person, "name", name);
    json_put_optional(writer, person, "url", url);

    return person;
}


static int
json_status(const cardfeed_writer_t *writer)
{
    return writer->rc != CARDFEED_OK ? writer->rc : writer->out->failed;
}


static void
json_write_string(cardfeed_buf_t *out, cardfeed_str_t s)
{
    cardfeed_buf_char(out, '"');
    cardfeed_feed_escape(out, s, CARDFEED_FEED_STRING);
    cardfeed_buf_char(out, '"');
}


/* An object without its braces. */
static void
json_write_members(cardfeed_buf_t *out, json_t *object)
{
    void *iter, *first;

    first = json_object_iter(object);

    for (iter = first; iter != NULL;
         iter = json_object_iter_next(object, iter))
    {
        if (iter != first) {
            cardfeed_buf_char(out, ',');
        }

        json_write_string(out, cardfeed_str_of(json_object_iter_key(iter)));
        cardfeed_buf_char(out, ':');
        json_write(out, json_object_iter_value(iter));
    }
}


/*
 * json_dump_callback() would decode every character: 50 items took 376
 * microseconds with it, and take 116 without.
 */
static void
json_write(cardfeed_buf_t *out, json_t *value)
{
    size_t i;

    switch (json_typeof(value)) {

    case JSON_OBJECT:
        cardfeed_buf_char(out, '{');
        json_write_members(out, value);
        cardfeed_buf_char(out, '}');
        break;

    case JSON_ARRAY:
        cardfeed_buf_char(out, '[');

        for (i = 0; i < json_array_size(value); i++) {
            if (i != 0) {
                cardfeed_buf_char(out, ',');
            }

            json_write(out, json_array_get(value, i));
        }

        cardfeed_buf_char(out, ']');
        break;

    case JSON_STRING:
        json_write_string(out,
            (cardfeed_str_t){
                .data = json_string_value(value),
                .len = json_string_length(value),
            });
        break;

    default: /* there are no others here */
        cardfeed_buf_printf(out, "%" JSON_INTEGER_FORMAT,
            json_integer_value(value));
    }
}


static void
json_hubs(cardfeed_writer_t *writer, const cardfeed_feed_t *feed,
    json_t *object)
{
    json_t *hubs, *hub;

    if (feed->hub_url.len == 0) {
        return;
    }

    hub = json_object();
    json_put_text(writer, hub, "type", CARDFEED_STR("WebSub"));
    json_put_text(writer, hub, "url", feed->hub_url);

    hubs = json_array();
    json_add(writer, hubs, hub);
    json_put(writer, object, "hubs", hubs);
}


/* All of the document but its items. */
static json_t *
json_channel(cardfeed_writer_t *writer, const cardfeed_feed_t *feed)
{
    json_t *object, *authors;

    object = json_object();

    json_put_text(writer, object, "version",
        CARDFEED_STR(JSON_FEED_VERSION));
    json_put_text(writer, object, "title", feed->title);
    json_put_text(writer, object, "home_page_url", feed->home_url);
    json_put_text(writer, object, "feed_url", feed->self_url);
    json_put_optional(writer, object, "description", feed->description);

    if (!feed->complete) {
        json_put_optional(writer, object, "next_url",
            feed->month.len ? feed->prev_archive_url : feed->next_url);
    }

    json_put_optional(writer, object, "icon",
        feed->logo_url.len ? feed->logo_url : feed->icon_url);
    json_put_optional(writer, object, "favicon", feed->icon_url);

    if (feed->author.len) {
        authors = json_array();
        json_add(writer, authors,
            json_person(writer, feed->author, CARDFEED_NO_STR));
        json_put(writer, object, "authors", authors);
    }

    json_put_optional(writer, object, "language", feed->language);
    json_hubs(writer, feed, object);

    return object;
}


static int
json_begin(cardfeed_writer_t **out, const cardfeed_feed_t *feed,
    cardfeed_buf_t *buf)
{
    json_t *object;
    cardfeed_writer_t *writer;

    *out = NULL;

    writer = calloc(1, sizeof(*writer));
    if (writer == NULL) {
        return CARDFEED_NOMEM;
    }

    *out = writer;

    writer->out = buf;
    cardfeed_buf_init(&writer->scratch, buf->max);

    object = json_channel(writer, feed);

    if (writer->rc == CARDFEED_OK) {
        cardfeed_buf_char(buf, '{');
        json_write_members(buf, object);
        cardfeed_buf_cstr(buf, ",\"items\":[");
    }

    json_decref(object);

    return json_status(writer);
}


static json_t *
json_authors(cardfeed_writer_t *writer, const cardfeed_feed_t *feed,
    const cardfeed_record_t *card)
{
    uint32_t i;
    json_t *authors;
    cardfeed_str_t provider;
    cardfeed_card_author_t author;

    authors = json_array();

    for (i = 0; i < card->nauthors; i++) {
        author = cardfeed_record_author(card, i);

        if (author.name.len) {
            json_add(writer, authors,
                json_person(writer, author.name,
                    json_url(writer, feed, author.url)));
        }
    }

    provider = cardfeed_record_field(card, CARDFEED_FIELD_PROVIDER);

    if (json_array_size(authors) == 0 && provider.len) {
        json_add(writer, authors,
            json_person(writer, provider,
                json_url(writer, feed,
                    cardfeed_record_field(card,
                        CARDFEED_FIELD_PROVIDER_URL))));
    }

    return authors;
}


static json_t *
json_tags(cardfeed_writer_t *writer, const cardfeed_record_t *card)
{
    uint32_t i;
    json_t *tags;
    cardfeed_str_t name;

    tags = json_array();

    for (i = 0; i < card->ntopics; i++) {
        name = cardfeed_record_topic(card, i).name;
        json_add(writer, tags, json_stringn_nocheck(name.data, name.len));
    }

    return tags;
}


static json_t *
json_attachments(cardfeed_writer_t *writer, const cardfeed_feed_t *feed,
    const cardfeed_record_t *card)
{
    json_t *attachments, *attachment;
    cardfeed_str_t url;

    attachments = json_array();

    url = json_url(writer, feed,
        cardfeed_record_field(card, CARDFEED_FIELD_ENCLOSURE_URL));

    if (url.len) {
        attachment = json_object();
        json_put_text(writer, attachment, "url", url);
        json_put_text(writer, attachment, "mime_type",
            cardfeed_feed_media_type(card));

        if (card->enclosure_length <= INT64_MAX) {
            json_put_number(writer, attachment, "size_in_bytes",
                (json_int_t) card->enclosure_length);
        }

        json_add(writer, attachments, attachment);
    }

    return attachments;
}


static json_t *
json_related(cardfeed_writer_t *writer, const cardfeed_feed_t *feed,
    const cardfeed_record_t *card)
{
    uint32_t i;
    json_t *list, *object;
    cardfeed_card_related_t related;

    list = json_array();

    for (i = 0; i < card->nrelated && i < CARDFEED_CARD_RELATED; i++) {
        related = cardfeed_record_related(card, i);

        object = json_object();
        json_put_optional(writer, object, "title", related.title);
        json_put_optional(writer, object, "url",
            json_url(writer, feed, related.url));
        json_add_filled(writer, list, object);
    }

    return list;
}


static json_t *
json_extension(cardfeed_writer_t *writer, const cardfeed_feed_t *feed,
    const cardfeed_record_t *card)
{
    json_t *object;

    object = json_object();

    json_put_optional(writer, object, "type",
        cardfeed_record_field(card, CARDFEED_FIELD_TYPE));
    json_put_optional(writer, object, "category",
        cardfeed_record_field(card, CARDFEED_FIELD_CATEGORY));
    json_put_number(writer, object, "quality", card->quality);
    json_put_number(writer, object, "heat", card->heat);
    json_put_filled(writer, object, "related",
        json_related(writer, feed, card));

    return object;
}


static json_t *
json_item(cardfeed_writer_t *writer, const cardfeed_feed_t *feed,
    const cardfeed_record_t *card)
{
    json_t *item;
    cardfeed_str_t title, excerpt;

    title = cardfeed_record_field(card, CARDFEED_FIELD_TITLE);
    excerpt = cardfeed_record_field(card, CARDFEED_FIELD_EXCERPT);

    item = json_object();

    json_put_text(writer, item, "id",
        cardfeed_record_field(card, CARDFEED_FIELD_IDENTITY));
    json_put_optional(writer, item, "url",
        json_url(writer, feed,
            cardfeed_record_field(card, CARDFEED_FIELD_LINK)));
    json_put_optional(writer, item, "title", title);
    json_put_optional(writer, item, "summary", excerpt);
    json_put_text(writer, item, "content_text",
        excerpt.len ? excerpt : title);
    json_put_optional(writer, item, "image",
        json_url(writer, feed,
            cardfeed_record_field(card, CARDFEED_FIELD_IMAGE_URL)));
    json_put_time(writer, item, "date_published", card->published);
    json_put_time(writer, item, "date_modified",
        cardfeed_feed_updated(card));
    json_put_filled(writer, item, "authors",
        json_authors(writer, feed, card));
    json_put_filled(writer, item, "tags", json_tags(writer, card));
    json_put_filled(writer, item, "attachments",
        json_attachments(writer, feed, card));
    json_put_filled(writer, item, "_cardfeed",
        json_extension(writer, feed, card));

    return item;
}


static int
json_entry(cardfeed_writer_t *writer, const cardfeed_feed_t *feed,
    const cardfeed_record_t *card)
{
    json_t *item;

    item = json_item(writer, feed, card);

    if (writer->rc == CARDFEED_OK) {
        cardfeed_buf_cstr(writer->out, writer->more ? ",\n" : "\n");
        json_write(writer->out, item);
        writer->more = true;
    }

    json_decref(item);

    return json_status(writer);
}


static int
json_end(cardfeed_writer_t *writer, const cardfeed_feed_t *feed, int rc)
{
    (void) feed;

    if (rc == CARDFEED_OK) {
        cardfeed_buf_cstr(writer->out, "\n]}\n");
        rc = json_status(writer);
    }

    cardfeed_buf_free(&writer->scratch);
    free(writer);

    return rc;
}


const cardfeed_format_t cardfeed_feed_json = {
    .name = "json",
    .content_type = JSON_FEED_TYPE,
    .title = "JSON Feed 1.1",
    .subscribe = true,
    .begin = json_begin,
    .entry = json_entry,
    .end = json_end,
};
