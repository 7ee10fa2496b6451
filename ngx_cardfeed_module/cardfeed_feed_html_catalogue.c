/* feed_html_catalogue: the catalogue of topics for people. */

#include "cardfeed_feed_html_private.h"

#include <string.h>


/* "RSS" of "RSS 2.0" */
static cardfeed_str_t
html_short(const cardfeed_format_t *format)
{
    return (cardfeed_str_t){
        .data = format->title,
        .len = strcspn(format->title, " "),
    };
}


static void
html_alternates(cardfeed_writer_t *writer,
    const cardfeed_catalogue_t *catalogue,
    const cardfeed_feed_html_page_t *page)
{
    const cardfeed_format_t *const *format;

    for (format = cardfeed_feed_formats; *format != NULL; format++) {
        if ((*format)->subscribe) {
            cardfeed_feed_html_alternate(writer, page, *format,
                cardfeed_feed_html_topic_url(writer, catalogue->feeds_url,
                    catalogue->all.slug, *format));
        }
    }
}


/* The feeds of everything, and the list of all feeds. */
static void
html_all(cardfeed_writer_t *writer, const cardfeed_catalogue_t *catalogue)
{
    const cardfeed_format_t *const *format;

    cardfeed_feed_html_put(writer, "<p class=\"all\"><a href=\"",
        cardfeed_feed_html_topic_url(writer, catalogue->feeds_url,
            catalogue->all.slug, &cardfeed_feed_html),
        "\">Everything</a> <span class=\"dim\">");
    cardfeed_feed_count(writer->out, catalogue->all.count);
    cardfeed_feed_html_raw(writer, "</span></p>\n");

    cardfeed_feed_html_feeds_start(writer);

    for (format = cardfeed_feed_formats; *format != NULL; format++) {
        if ((*format)->subscribe || *format == &cardfeed_feed_opml) {
            cardfeed_feed_html_feeds_item(writer, *format,
                cardfeed_feed_html_topic_url(writer, catalogue->feeds_url,
                    catalogue->all.slug, *format));
        }
    }

    cardfeed_feed_html_feeds_end(writer);
}


static void
html_topic(cardfeed_writer_t *writer, const cardfeed_catalogue_t *catalogue,
    const cardfeed_topic_t *topic)
{
    const cardfeed_format_t *const *format;

    cardfeed_feed_html_put(writer, "<li><a class=\"name\" href=\"",
        cardfeed_feed_html_topic_url(writer, catalogue->feeds_url,
            topic->slug, &cardfeed_feed_html),
        "\"><bdi>");
    cardfeed_feed_html_put(writer, "", topic->name,
        "</bdi></a>\n<span class=\"dim\">");
    cardfeed_feed_count(writer->out, topic->count);
    cardfeed_feed_html_raw(writer, "</span>\n<span class=\"formats\">");

    for (format = cardfeed_feed_formats; *format != NULL; format++) {
        if ((*format)->subscribe) {
            cardfeed_feed_html_put(writer, "<a href=\"",
                cardfeed_feed_html_topic_url(writer, catalogue->feeds_url,
                    topic->slug, *format),
                "\" aria-label=\"");
            cardfeed_feed_html_put(writer, "", html_short(*format),
                " feed of ");
            cardfeed_feed_html_put(writer, "", topic->name, "\">");
            cardfeed_feed_html_put(writer, "", html_short(*format),
                "</a>\n");
        }
    }

    cardfeed_feed_html_raw(writer, "</span></li>\n");
}


static void
html_topics(cardfeed_writer_t *writer, const cardfeed_catalogue_t *catalogue)
{
    size_t i;

    if (catalogue->ntopics == 0) {
        cardfeed_feed_html_raw(writer,
            catalogue->first_url.len
                ? "<p class=\"empty\">There are no more topics.</p>\n"
                : "<p class=\"empty\">There are no topics yet. The first "
                  "articles will bring some.</p>\n");
        return;
    }

    cardfeed_feed_html_raw(writer, "<h2>Topics</h2>\n<ul class=\"topics\">\n");

    for (i = 0; i < catalogue->ntopics; i++) {
        html_topic(writer, catalogue, &catalogue->topics[i]);
    }

    cardfeed_feed_html_raw(writer, "</ul>\n");
}


int
cardfeed_feed_html_catalogue(const cardfeed_catalogue_t *catalogue,
    cardfeed_buf_t *out)
{
    int rc;
    bool first;
    cardfeed_writer_t writer;

    first = catalogue->first_url.len == 0;

    const cardfeed_feed_html_page_t page = {
        .title = catalogue->title,
        .home_url = catalogue->home_url,
        .self_url = catalogue->self_url,
        .month = CARDFEED_NO_STR,
        .description = catalogue->description,
        .feeds_url = first ? CARDFEED_NO_STR : catalogue->feeds_url,
        .language = catalogue->language,
        .icon_url = catalogue->icon_url,
    };
    const cardfeed_feed_html_turn_t turns[] = {
        {"first", "First topics", catalogue->first_url},
        {"next", "More topics", catalogue->next_url},
    };

    cardfeed_feed_html_init(&writer, out);
    cardfeed_feed_html_head(&writer, &page);
    html_alternates(&writer, catalogue, &page);
    cardfeed_feed_html_header(&writer, &page);

    if (first) {
        html_all(&writer, catalogue);
    }

    cardfeed_feed_html_raw(&writer, "</header>\n<main>\n");
    html_topics(&writer, catalogue);
    cardfeed_feed_html_raw(&writer, "</main>\n");
    cardfeed_feed_html_footer(&writer, turns, 2, catalogue->rights);

    rc = cardfeed_feed_html_status(&writer);
    cardfeed_feed_html_free(&writer);

    return rc;
}
