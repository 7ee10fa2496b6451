/* feed_html: a feed for people, without a script. */

#include "cardfeed_feed_html_private.h"

#include <stdlib.h>

#define HTML_TOPICS 500


static void
html_alternates(cardfeed_writer_t *writer, const cardfeed_feed_t *feed,
    const cardfeed_feed_html_page_t *page)
{
    size_t i;

    for (i = 0; i < feed->nalternates; i++) {
        if (feed->alternates[i].format->subscribe) {
            cardfeed_feed_html_alternate(writer, page,
                feed->alternates[i].format, feed->alternates[i].url);
        }
    }
}


static void
html_feeds(cardfeed_writer_t *writer, const cardfeed_feed_t *feed)
{
    bool open;
    size_t i;

    open = false;

    for (i = 0; i < feed->nalternates; i++) {
        if (!feed->alternates[i].format->subscribe) {
            continue;
        }

        if (!open) {
            cardfeed_feed_html_feeds_start(writer);
            open = true;
        }

        cardfeed_feed_html_feeds_item(writer, feed->alternates[i].format,
            feed->alternates[i].url);
    }

    if (open) {
        cardfeed_feed_html_feeds_end(writer);
    }
}


/* A page by cursor is one of older articles. */
static bool
html_is_first(const cardfeed_feed_t *feed)
{
    return feed->first_url.len == 0
           || cardfeed_str_eq(feed->first_url, feed->self_url);
}


static void
html_empty(cardfeed_writer_t *writer, const cardfeed_feed_t *feed)
{
    cardfeed_feed_html_raw(writer, "<p class=\"empty\">");

    if (!html_is_first(feed)) {
        cardfeed_feed_html_raw(writer, "You have seen it all: there are no "
                                       "older articles.");

    } else if (feed->month.len) {
        cardfeed_feed_html_raw(writer, "A quiet month: there are no articles "
                                       "in it.");

    } else {
        cardfeed_feed_html_raw(writer, "Nothing here yet");
        cardfeed_feed_html_optional(writer, " about <bdi>", feed->words,
            "</bdi>");
        cardfeed_feed_html_raw(writer, ". Subscribe, and the first article "
                                       "will come to you.");
    }

    cardfeed_feed_html_raw(writer, "</p>\n");
}


static int
html_begin(cardfeed_writer_t **out, const cardfeed_feed_t *feed,
    cardfeed_buf_t *buf)
{
    cardfeed_writer_t *writer;
    const cardfeed_feed_html_page_t page = {
        .title = feed->title,
        .home_url = feed->home_url,
        .self_url = feed->self_url,
        .month = feed->month,
        .description = feed->description,
        .feeds_url = feed->feeds_url,
        .language = feed->language,
        .icon_url = feed->icon_url,
    };

    writer = malloc(sizeof(*writer));
    *out = writer;

    if (writer == NULL) {
        return CARDFEED_NOMEM;
    }

    cardfeed_feed_html_init(writer, buf);
    cardfeed_feed_html_head(writer, &page);
    html_alternates(writer, feed, &page);
    cardfeed_feed_html_header(writer, &page);
    html_feeds(writer, feed);
    cardfeed_feed_html_raw(writer, "</header>\n<main>\n");

    if (feed->ncards == 0) {
        html_empty(writer, feed);
    }

    return cardfeed_feed_html_status(writer);
}


static int
html_end(cardfeed_writer_t *writer, const cardfeed_feed_t *feed, int rc)
{
    cardfeed_str_t older, newest;

    older = feed->next_url;
    newest = feed->first_url;

    if (feed->month.len) {
        older = older.len ? older : feed->prev_archive_url;
        newest = feed->current_url;
    }

    if (cardfeed_str_eq(newest, feed->self_url)) {
        newest = CARDFEED_NO_STR;
    }

    const cardfeed_feed_html_turn_t turns[] = {
        {"first", "Newest", newest},
        {"prev", "Newer", feed->next_archive_url},
        {"next", "Older", older},
    };

    if (rc == CARDFEED_OK) {
        cardfeed_feed_html_raw(writer, "</main>\n");
        cardfeed_feed_html_footer(writer, turns, feed->complete ? 0 : 3,
            feed->rights);
        rc = cardfeed_feed_html_status(writer);
    }

    cardfeed_feed_html_free(writer);
    free(writer);

    return rc;
}


const cardfeed_format_t cardfeed_feed_html = {
    .name = "html",
    .content_type = "text/html",
    .title = "HTML",
    .policy = CARDFEED_FEED_HTML_POLICY,
    .begin = html_begin,
    .entry = cardfeed_feed_html_entry,
    .end = html_end,
    .catalogue = cardfeed_feed_html_catalogue,
    .topics = HTML_TOPICS,
};
