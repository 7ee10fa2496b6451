/* feed_advertise: what pages of a site say of its feeds. */

#include "cardfeed_feed_private.h"


void
cardfeed_feed_alternate(cardfeed_buf_t *out, const cardfeed_format_t *format,
    cardfeed_str_t url, cardfeed_str_t title)
{
    cardfeed_buf_cstr(out, "<link rel=\"alternate\" type=\"");
    cardfeed_buf_cstr(out, format->content_type);
    cardfeed_buf_cstr(out, "\" title=\"");
    cardfeed_feed_escape(out, title, CARDFEED_FEED_ATTRIBUTE);
    cardfeed_buf_cstr(out, " (");
    cardfeed_buf_cstr(out, format->title);
    cardfeed_buf_cstr(out, ")\" href=\"");
    cardfeed_feed_escape(out, url, CARDFEED_FEED_ATTRIBUTE);
    cardfeed_buf_cstr(out, "\"/>\n");
}


int
cardfeed_feed_advertise_markup(cardfeed_buf_t *out, cardfeed_str_t feeds_url,
    cardfeed_str_t slug, cardfeed_str_t title)
{
    cardfeed_buf_t url;
    const cardfeed_format_t *const *format;

    cardfeed_buf_init(&url, out->max);

    for (format = cardfeed_feed_formats; *format != NULL; format++) {

        if ((*format)->subscribe) {
            cardfeed_buf_reset(&url);

            if (cardfeed_feed_topic_url(&url, feeds_url, slug,
                    (*format)->name)
                != CARDFEED_OK)
            {
                out->failed = url.failed;
            }

            cardfeed_feed_alternate(out, *format, cardfeed_buf_view(&url),
                title);
        }
    }

    cardfeed_buf_free(&url);

    return out->failed;
}


int
cardfeed_feed_advertise_header(cardfeed_buf_t *out, cardfeed_str_t feeds_url,
    cardfeed_str_t slug)
{
    const char *separator;
    const cardfeed_format_t *const *format;

    separator = "";

    for (format = cardfeed_feed_formats; *format != NULL; format++) {

        if ((*format)->subscribe) {
            cardfeed_buf_cstr(out, separator);
            cardfeed_buf_char(out, '<');
            cardfeed_feed_topic_url(out, feeds_url, slug, (*format)->name);
            cardfeed_buf_cstr(out, ">; rel=\"alternate\"; type=\"");
            cardfeed_buf_cstr(out, (*format)->content_type);
            cardfeed_buf_char(out, '"');
            separator = ", ";
        }
    }

    return out->failed;
}
