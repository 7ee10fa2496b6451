/* feed: the formats, how a document is put together, and what they share. */

#include "cardfeed_feed_private.h"

#include <inttypes.h>
#include <string.h>

#define MEDIA_TYPE CARDFEED_STR("application/octet-stream")

const cardfeed_format_t *const cardfeed_feed_formats[] = {
    &cardfeed_feed_rss,
    &cardfeed_feed_atom,
    &cardfeed_feed_json,
    &cardfeed_feed_html,
    &cardfeed_feed_opml,
    NULL,
};


const cardfeed_format_t *
cardfeed_feed_format(cardfeed_str_t name)
{
    const cardfeed_format_t *const *format;

    for (format = cardfeed_feed_formats; *format != NULL; format++) {
        if (cardfeed_str_eq(name, cardfeed_str_of((*format)->name))) {
            return *format;
        }
    }

    return NULL;
}


static int
feed_result(const cardfeed_format_t *format, int rc,
    const cardfeed_buf_t *out, cardfeed_error_t *err)
{
    if (rc == CARDFEED_OK) {
        return CARDFEED_OK;
    }

    if (rc == CARDFEED_NOMEM) {
        return cardfeed_error_set(err, rc, 0,
            "%s: out of memory, or more than %zu bytes", format->title,
            out->max);
    }

    return cardfeed_error_set(err, rc, 0, "%s: cannot be written",
        format->title);
}


int
cardfeed_feed_render(const cardfeed_format_t *format,
    const cardfeed_feed_t *feed, cardfeed_buf_t *out, cardfeed_error_t *err)
{
    int rc;
    size_t i;
    cardfeed_writer_t *writer;

    writer = NULL;

    rc = format->begin(&writer, feed, out);

    for (i = 0; i < feed->ncards && rc == CARDFEED_OK; i++) {
        rc = format->entry(writer, feed, &feed->cards[i]);
    }

    if (writer != NULL) {
        rc = format->end(writer, feed, rc);
    }

    return feed_result(format, rc, out, err);
}


int
cardfeed_feed_render_catalogue(const cardfeed_format_t *format,
    const cardfeed_catalogue_t *catalogue, cardfeed_buf_t *out,
    cardfeed_error_t *err)
{
    return feed_result(format, format->catalogue(catalogue, out), out, err);
}


int
cardfeed_feed_topic_url(cardfeed_buf_t *out, cardfeed_str_t feeds_url,
    cardfeed_str_t slug, const char *extension)
{
    cardfeed_buf_str(out, feeds_url);
    cardfeed_url_encode(out, slug, NULL);
    cardfeed_buf_char(out, '.');

    return cardfeed_buf_cstr(out, extension);
}


static bool
feed_starts(cardfeed_str_t s, cardfeed_str_t with)
{
    return s.len > with.len && memcmp(s.data, with.data, with.len) == 0;
}


int
cardfeed_feed_url(const cardfeed_feed_t *feed, cardfeed_str_t url,
    cardfeed_buf_t *scratch, cardfeed_str_t *out)
{
    int rc;

    *out = CARDFEED_NO_STR;

    if (url.len == 0) {
        return CARDFEED_OK;
    }

    if (feed_starts(url, CARDFEED_STR("https://"))
        || feed_starts(url, CARDFEED_STR("http://")))
    {
        *out = url;
        return CARDFEED_OK;
    }

    cardfeed_buf_reset(scratch);

    rc = cardfeed_url_below(scratch, url, feed->home_url);
    if (rc == CARDFEED_OK) {
        *out = cardfeed_buf_view(scratch);
    }

    return rc == CARDFEED_NOMEM ? rc : CARDFEED_OK;
}


cardfeed_str_t
cardfeed_feed_media_type(const cardfeed_record_t *card)
{
    const char *slash;
    cardfeed_str_t type;

    type = cardfeed_record_field(card, CARDFEED_FIELD_ENCLOSURE_TYPE);

    slash = type.len ? memchr(type.data, '/', type.len) : NULL;

    if (slash == NULL || slash == type.data
        || slash + 1 == type.data + type.len)
    {
        return MEDIA_TYPE;
    }

    return type;
}


bool
cardfeed_feed_email_usable(cardfeed_str_t email)
{
    size_t i, at, n;

    at = n = 0;

    for (i = 0; i < email.len; i++) {

        if (email.data[i] == '@') {
            at = i;
            n++;

        } else if ((unsigned char) email.data[i] <= ' '
                   || strchr("()<>,;:\"\\\x7f", email.data[i]) != NULL)
        {
            return false;
        }
    }

    return n == 1 && at > 0 && at + 1 < email.len;
}


static bool
feed_is_svg(cardfeed_str_t url)
{
    size_t i;
    cardfeed_str_t svg;

    svg = CARDFEED_STR(".svg");

    i = 0;

    while (i < url.len && url.data[i] != '?' && url.data[i] != '#') {
        i++;
    }

    return i >= svg.len
        && cardfeed_str_caseeq(svg, (cardfeed_str_t){
               .data = url.data + i - svg.len, .len = svg.len});
}


cardfeed_str_t
cardfeed_feed_bitmap(const cardfeed_feed_t *feed)
{
    if (feed->logo_url.len && !feed_is_svg(feed->logo_url)) {
        return feed->logo_url;
    }

    if (feed->icon_url.len && !feed_is_svg(feed->icon_url)) {
        return feed->icon_url;
    }

    return CARDFEED_NO_STR;
}


int64_t
cardfeed_feed_updated(const cardfeed_record_t *card)
{
    return card->updated == CARDFEED_NO_TIME ? card->published
                                             : card->updated;
}


int
cardfeed_feed_count(cardfeed_buf_t *out, uint32_t count)
{
    return cardfeed_buf_printf(out, "%" PRIu32 " article%s", count,
        count == 1 ? "" : "s");
}
