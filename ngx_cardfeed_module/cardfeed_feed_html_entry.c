/* feed_html_entry: a card as people read it. */

#include "cardfeed_feed_html_private.h"

#include <inttypes.h>


/* A card's URL as the page shows it, or empty; until the next one. */
static cardfeed_str_t
html_url(cardfeed_writer_t *writer, const cardfeed_feed_t *feed,
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


static void
html_size(cardfeed_writer_t *writer, const char *name, uint32_t size)
{
    if (size) {
        cardfeed_buf_printf(writer->out, " %s=\"%" PRIu32 "\"", name, size);
    }
}


static void
html_image(cardfeed_writer_t *writer, const cardfeed_feed_t *feed,
    const cardfeed_record_t *card)
{
    cardfeed_str_t url;

    url = html_url(writer, feed,
        cardfeed_record_field(card, CARDFEED_FIELD_IMAGE_URL));

    if (url.len == 0) {
        return;
    }

    cardfeed_feed_html_put(writer, "<img src=\"", url, "\" alt=\"\"");
    html_size(writer, "width", card->image_width);
    html_size(writer, "height", card->image_height);
    cardfeed_feed_html_raw(writer, " loading=\"lazy\" decoding=\"async\" "
                                   "referrerpolicy=\"no-referrer\"/>\n");
}


static void
html_title(cardfeed_writer_t *writer, const cardfeed_feed_t *feed,
    const cardfeed_record_t *card)
{
    cardfeed_str_t url, title;

    title = cardfeed_record_field(card, CARDFEED_FIELD_TITLE);
    url = html_url(writer, feed,
        cardfeed_record_field(card, CARDFEED_FIELD_LINK));

    cardfeed_feed_html_raw(writer, "<h2 dir=\"auto\">");
    cardfeed_feed_html_optional(writer, "<a rel=\"noopener\" href=\"", url,
        "\">");
    cardfeed_feed_html_put(writer, "", title, url.len ? "</a>" : "");
    cardfeed_feed_html_raw(writer, "</h2>\n");
}


/* "2 March 2024 · Provider · Ann · B." */
static void
html_byline(cardfeed_writer_t *writer, const cardfeed_record_t *card)
{
    uint32_t i;
    char text[CARDFEED_RFC3339_LEN + 1];
    cardfeed_str_t date, provider, author;

    cardfeed_feed_html_raw(writer, "<p class=\"dim\">");

    if (card->published != CARDFEED_NO_TIME) {
        cardfeed_date_rfc3339(text, card->published);
        date = cardfeed_str_of(text);

        cardfeed_feed_html_put(writer, "<time datetime=\"", date, "\">");
        cardfeed_feed_html_date(writer, date);
        cardfeed_feed_html_raw(writer, "</time>");
    }

    provider = cardfeed_record_field(card, CARDFEED_FIELD_PROVIDER);
    cardfeed_feed_html_optional(writer, " \xc2\xb7 <bdi>", provider,
        "</bdi>");

    for (i = 0; i < card->nauthors; i++) {
        author = cardfeed_record_author(card, i).name;

        if (!cardfeed_str_eq(author, provider)) {
            cardfeed_feed_html_optional(writer, " \xc2\xb7 <bdi>", author,
                "</bdi>");
        }
    }

    cardfeed_feed_html_raw(writer, "</p>\n");
}


static void
html_topics(cardfeed_writer_t *writer, const cardfeed_feed_t *feed,
    const cardfeed_record_t *card)
{
    uint32_t i;
    cardfeed_card_topic_t topic;

    if (card->ntopics == 0) {
        return;
    }

    cardfeed_feed_html_raw(writer,
        "<ul class=\"tags\" aria-label=\"Topics\">\n");

    for (i = 0; i < card->ntopics; i++) {
        topic = cardfeed_record_topic(card, i);

        if (feed->feeds_url.len) {
            cardfeed_feed_html_put(writer, "<li><a href=\"",
                cardfeed_feed_html_topic_url(writer, feed->feeds_url,
                    topic.slug, &cardfeed_feed_html),
                "\"><bdi>");
            cardfeed_feed_html_put(writer, "", topic.name,
                "</bdi></a></li>\n");

        } else {
            cardfeed_feed_html_put(writer, "<li><bdi>", topic.name,
                "</bdi></li>\n");
        }
    }

    cardfeed_feed_html_raw(writer, "</ul>\n");
}


/* ", 12.3 MB" */
static void
html_bytes(cardfeed_writer_t *writer, uint64_t bytes)
{
    static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};

    size_t unit;
    uint64_t scale;

    if (bytes < 1000) {
        cardfeed_buf_printf(writer->out, ", %" PRIu64 " B", bytes);
        return;
    }

    scale = 1000;

    for (unit = 0; bytes / scale >= 1000; unit++) {
        scale *= 1000;
    }

    cardfeed_buf_printf(writer->out, ", %" PRIu64 ".%" PRIu64 " %s",
        bytes / scale, bytes % scale / (scale / 10), units[unit]);
}


static void
html_enclosure(cardfeed_writer_t *writer, const cardfeed_feed_t *feed,
    const cardfeed_record_t *card)
{
    cardfeed_str_t url;

    url = html_url(writer, feed,
        cardfeed_record_field(card, CARDFEED_FIELD_ENCLOSURE_URL));

    if (url.len == 0) {
        return;
    }

    cardfeed_feed_html_put(writer,
        "<p class=\"dim\"><a rel=\"noopener\" download=\"\" href=\"", url,
        "\"");
    cardfeed_feed_html_put(writer, " aria-label=\"Download: ",
        cardfeed_record_field(card, CARDFEED_FIELD_TITLE),
        "\">Download</a> (");
    cardfeed_feed_html_put(writer, "", cardfeed_feed_media_type(card), "");

    if (card->enclosure_length) {
        html_bytes(writer, card->enclosure_length);
    }

    cardfeed_feed_html_raw(writer, ")</p>\n");
}


int
cardfeed_feed_html_entry(cardfeed_writer_t *writer,
    const cardfeed_feed_t *feed, const cardfeed_record_t *card)
{
    cardfeed_feed_html_raw(writer, "<article>\n");
    html_image(writer, feed, card);
    html_title(writer, feed, card);
    html_byline(writer, card);
    cardfeed_feed_html_optional(writer, "<p dir=\"auto\">",
        cardfeed_record_field(card, CARDFEED_FIELD_EXCERPT), "</p>\n");
    html_topics(writer, feed, card);
    html_enclosure(writer, feed, card);
    cardfeed_feed_html_raw(writer, "</article>\n");

    return cardfeed_feed_html_status(writer);
}
