/* feed_html_page: what stands around every page for people. */

#include "cardfeed_feed_html_private.h"

#include <string.h>

#define MONTH_LEN 7 /* 2024-03 */
#define DAY_LEN 10  /* 2024-03-02 */


void
cardfeed_feed_html_init(cardfeed_writer_t *writer, cardfeed_buf_t *out)
{
    *writer = (cardfeed_writer_t){.out = out};
    cardfeed_buf_init(&writer->scratch, out->max);
}


void
cardfeed_feed_html_free(cardfeed_writer_t *writer)
{
    cardfeed_buf_free(&writer->scratch);
}


int
cardfeed_feed_html_status(const cardfeed_writer_t *writer)
{
    return writer->rc != CARDFEED_OK ? writer->rc : writer->out->failed;
}


void
cardfeed_feed_html_raw(cardfeed_writer_t *writer, const char *markup)
{
    cardfeed_buf_cstr(writer->out, markup);
}


void
cardfeed_feed_html_put(cardfeed_writer_t *writer, const char *before,
    cardfeed_str_t text, const char *after)
{
    cardfeed_buf_cstr(writer->out, before);
    cardfeed_feed_escape(writer->out, text, CARDFEED_FEED_ATTRIBUTE);
    cardfeed_buf_cstr(writer->out, after);
}


void
cardfeed_feed_html_optional(cardfeed_writer_t *writer, const char *before,
    cardfeed_str_t text, const char *after)
{
    if (text.len) {
        cardfeed_feed_html_put(writer, before, text, after);
    }
}


/* The month's name, or NULL. */
static const char *
html_month(cardfeed_str_t date)
{
    static const char *const names[] = {"January", "February", "March",
        "April", "May", "June", "July", "August", "September", "October",
        "November", "December"};

    int month;

    if (date.len < MONTH_LEN) {
        return NULL;
    }

    month = (date.data[5] - '0') * 10 + date.data[6] - '0';

    return month >= 1 && month <= 12 ? names[month - 1] : NULL;
}


void
cardfeed_feed_html_date(cardfeed_writer_t *writer, cardfeed_str_t date)
{
    bool two;
    const char *month;

    month = html_month(date);

    if (month == NULL) {
        cardfeed_feed_html_put(writer, "", date, "");
        return;
    }

    if (date.len >= DAY_LEN) {
        two = date.data[8] != '0';
        cardfeed_feed_html_put(writer, "",
            (cardfeed_str_t){
                .data = date.data + (two ? 8 : 9),
                .len = two ? 2 : 1,
            },
            " ");
    }

    cardfeed_feed_html_raw(writer, month);
    cardfeed_feed_html_put(writer, " ",
        (cardfeed_str_t){.data = date.data, .len = 4}, "");
}


cardfeed_str_t
cardfeed_feed_html_topic_url(cardfeed_writer_t *writer,
    cardfeed_str_t feeds_url, cardfeed_str_t slug,
    const cardfeed_format_t *format)
{
    int rc;

    cardfeed_buf_reset(&writer->scratch);

    rc = cardfeed_feed_topic_url(&writer->scratch, feeds_url, slug,
        format->name);
    if (rc != CARDFEED_OK) {
        writer->rc = rc;
        return CARDFEED_NO_STR;
    }

    return cardfeed_buf_view(&writer->scratch);
}


void
cardfeed_feed_html_head(cardfeed_writer_t *writer,
    const cardfeed_feed_html_page_t *page)
{
    cardfeed_feed_html_raw(writer, "<!DOCTYPE html>\n<html");
    cardfeed_feed_html_optional(writer, " lang=\"", page->language, "\"");
    cardfeed_feed_html_raw(writer,
        ">\n<head>\n<meta charset=\"utf-8\"/>\n"
        "<meta name=\"viewport\" "
        "content=\"width=device-width, initial-scale=1\"/>\n"
        "<meta name=\"color-scheme\" content=\"light dark\"/>\n"
        "<meta name=\"generator\" content=\"" CARDFEED_GENERATOR "\"/>\n");

    cardfeed_feed_html_put(writer, "<title>", page->title, "");

    if (page->month.len) {
        cardfeed_feed_html_raw(writer, ", ");
        cardfeed_feed_html_date(writer, page->month);
    }

    cardfeed_feed_html_raw(writer, "</title>\n");
    cardfeed_feed_html_optional(writer,
        "<meta name=\"description\" content=\"", page->description,
        "\"/>\n");
    cardfeed_feed_html_put(writer, "<link rel=\"canonical\" href=\"",
        page->self_url, "\"/>\n");
    cardfeed_feed_html_optional(writer, "<link rel=\"icon\" href=\"",
        page->icon_url, "\"/>\n");
}


void
cardfeed_feed_html_alternate(cardfeed_writer_t *writer,
    const cardfeed_feed_html_page_t *page, const cardfeed_format_t *format,
    cardfeed_str_t url)
{
    if (writer->rc == CARDFEED_OK) {
        cardfeed_feed_alternate(writer->out, format, url, page->title);
    }
}


/* A URL as people write it: without scheme and the last slash. */
static cardfeed_str_t
html_address(cardfeed_str_t url)
{
    const char *at;

    at = memmem(url.data, url.len, "://", 3);

    if (at != NULL) {
        at += 3;
        url.len -= (size_t) (at - url.data);
        url.data = at;
    }

    if (url.len && url.data[url.len - 1] == '/') {
        url.len--;
    }

    return url;
}


void
cardfeed_feed_html_header(cardfeed_writer_t *writer,
    const cardfeed_feed_html_page_t *page)
{
    cardfeed_feed_html_raw(writer,
        "<style>" CARDFEED_FEED_HTML_STYLE "</style>\n"
        "</head>\n<body>\n<header>\n<nav aria-label=\"Site\">\n");
    cardfeed_feed_html_put(writer, "<a href=\"", page->home_url, "\">");
    cardfeed_feed_html_put(writer, "", html_address(page->home_url),
        "</a>\n");
    cardfeed_feed_html_optional(writer, "<a href=\"", page->feeds_url,
        "\">All topics</a>\n");

    cardfeed_feed_html_put(writer, "</nav>\n<h1 dir=\"auto\">", page->title,
        "</h1>\n");

    if (page->month.len) {
        cardfeed_feed_html_raw(writer, "<p class=\"month\">");
        cardfeed_feed_html_date(writer, page->month);
        cardfeed_feed_html_raw(writer, "</p>\n");
    }

    cardfeed_feed_html_optional(writer, "<p class=\"dim\" dir=\"auto\">",
        page->description, "</p>\n");
}


void
cardfeed_feed_html_feeds_start(cardfeed_writer_t *writer)
{
    cardfeed_feed_html_raw(writer,
        "<section class=\"feeds\" aria-labelledby=\"subscribe\">\n"
        "<h2 class=\"label\" id=\"subscribe\">Subscribe</h2>\n<ul>\n");
}


void
cardfeed_feed_html_feeds_item(cardfeed_writer_t *writer,
    const cardfeed_format_t *format, cardfeed_str_t url)
{
    cardfeed_feed_html_put(writer, "<li><a href=\"", url, "\">");
    cardfeed_feed_html_raw(writer, format->title);
    cardfeed_feed_html_put(writer, "</a> <code>", url, "</code></li>\n");
}


void
cardfeed_feed_html_feeds_end(cardfeed_writer_t *writer)
{
    cardfeed_feed_html_raw(writer, "</ul>\n</section>\n");
}


static void
html_turns(cardfeed_writer_t *writer, const cardfeed_feed_html_turn_t *turns,
    size_t nturns)
{
    bool open;
    size_t i;

    open = false;

    for (i = 0; i < nturns; i++) {
        if (turns[i].url.len == 0) {
            continue;
        }

        cardfeed_feed_html_raw(writer,
            open ? "" : "<nav aria-label=\"Pages\">\n");
        open = true;

        cardfeed_feed_html_raw(writer, "<a rel=\"");
        cardfeed_feed_html_raw(writer, turns[i].rel);
        cardfeed_feed_html_put(writer, "\" href=\"", turns[i].url, "\">");
        cardfeed_feed_html_raw(writer, turns[i].text);
        cardfeed_feed_html_raw(writer, "</a>\n");
    }

    cardfeed_feed_html_raw(writer, open ? "</nav>\n" : "");
}


void
cardfeed_feed_html_footer(cardfeed_writer_t *writer,
    const cardfeed_feed_html_turn_t *turns, size_t nturns,
    cardfeed_str_t rights)
{
    cardfeed_feed_html_raw(writer, "<footer>\n");
    html_turns(writer, turns, nturns);
    cardfeed_feed_html_optional(writer, "<p class=\"dim\" dir=\"auto\">",
        rights, "</p>\n");
    cardfeed_feed_html_raw(writer, "</footer>\n</body>\n</html>\n");
}
