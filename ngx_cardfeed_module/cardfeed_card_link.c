/* card_link: where a card leads to: its link, image and enclosure. */

#include "cardfeed_card_private.h"

#include <string.h>

#define IMAGE_SIZE_MAX 100000

#define EXT(literal) {.data = "." literal, .len = sizeof(literal)}

/* Media files make an enclosure out of a link; the others only name the type
 * of a download. */
static const struct {
    cardfeed_str_t extension;
    const char *type;
    bool media;
} types[] = {
    {EXT("mp3"), "audio/mpeg", true},
    {EXT("m4a"), "audio/mp4", true},
    {EXT("ogg"), "audio/ogg", true},
    {EXT("oga"), "audio/ogg", true},
    {EXT("opus"), "audio/ogg", true},
    {EXT("wav"), "audio/wav", true},
    {EXT("flac"), "audio/flac", true},
    {EXT("mp4"), "video/mp4", true},
    {EXT("m4v"), "video/mp4", true},
    {EXT("webm"), "video/webm", true},
    {EXT("ogv"), "video/ogg", true},
    {EXT("mov"), "video/quicktime", true},
    {EXT("pdf"), "application/pdf", true},
    {EXT("epub"), "application/epub+zip", true},
    {EXT("zip"), "application/zip", false},
    {EXT("gz"), "application/gzip", false},
    {EXT("tgz"), "application/gzip", false},
    {EXT("7z"), "application/x-7z-compressed", false},
    {EXT("json"), "application/json", false},
    {EXT("xml"), "application/xml", false},
    {EXT("csv"), "text/csv", false},
    {EXT("txt"), "text/plain", false},
    {EXT("html"), "text/html", false},
    {EXT("png"), "image/png", false},
    {EXT("jpg"), "image/jpeg", false},
    {EXT("jpeg"), "image/jpeg", false},
    {EXT("gif"), "image/gif", false},
    {EXT("webp"), "image/webp", false},
    {EXT("svg"), "image/svg+xml", false},
    {EXT("docx"),
        "application/vnd.openxmlformats-officedocument"
        ".wordprocessingml.document",
        false},
    {EXT("xlsx"),
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        false},
    {EXT("pptx"),
        "application/vnd.openxmlformats-officedocument"
        ".presentationml.presentation",
        false},
};


/* The media type of a URL by its path; empty where unknown. */
static cardfeed_str_t
media_type(cardfeed_str_t url, bool media_only)
{
    cardfeed_str_t extension;
    const char *host;
    size_t i;

    for (i = 0; i < url.len; i++) {
        if (url.data[i] == '?' || url.data[i] == '#') {
            break;
        }
    }

    url.len = i;

    /* A host's last label is no extension. */
    host = url.len != 0 && url.data[0] != '/'
        ? memmem(url.data, url.len, "://", 3)
        : NULL;

    if (host != NULL) {
        url.len -= (size_t) (host + 3 - url.data);
        url.data = host + 3;

        if (memchr(url.data, '/', url.len) == NULL) {
            return CARDFEED_NO_STR;
        }
    }

    extension = cardfeed_card_extension(url);

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (cardfeed_str_caseeq(extension, types[i].extension)
            && (types[i].media || !media_only))
        {
            return cardfeed_str_of(types[i].type);
        }
    }

    return CARDFEED_NO_STR;
}


static void
append_segments(cardfeed_parser_t *p, cardfeed_str_t path)
{
    cardfeed_buf_reset(&p->scratch);

    if (cardfeed_url_encode(&p->scratch, path, "/") != CARDFEED_OK
        || cardfeed_buf_str(&p->work, cardfeed_buf_view(&p->scratch))
            != CARDFEED_OK)
    {
        p->failed = CARDFEED_NOMEM;
    }
}


/*
 * The link of a file without one: its path below the site, without its
 * extension, as a directory; an index is the one it stands in.  A slug takes
 * the place of the last component.
 */
static cardfeed_str_t
path_link(cardfeed_parser_t *p, cardfeed_str_t slug)
{
    cardfeed_str_t path, name;

    path = cardfeed_card_stem(p->file->path);
    name = cardfeed_card_file_name(path);

    if (cardfeed_str_eq(name, CARDFEED_STR("index"))) {
        path.len -= name.len + (name.len < path.len);
    }

    while (slug.len != 0 && slug.data[0] == '/') {
        slug.data++;
        slug.len--;
    }

    while (slug.len != 0 && slug.data[slug.len - 1] == '/') {
        slug.len--;
    }

    if (slug.len != 0) {
        path.len -= cardfeed_card_file_name(path).len;
    }

    /* Below site=, or absolute where the site is unknown. */
    cardfeed_buf_reset(&p->work);

    if (p->base.len == 0) {
        cardfeed_buf_char(&p->work, '/');
    }

    append_segments(p, path);
    append_segments(p, slug);

    if (path.len + slug.len != 0) {
        cardfeed_buf_char(&p->work, '/');
    }

    if (p->work.failed != CARDFEED_OK) {
        p->failed = CARDFEED_NOMEM;
    }

    if (p->work.len == 0) {
        return cardfeed_card_keep(p, cardfeed_buf_view(&p->base));
    }

    return cardfeed_card_url(p, cardfeed_buf_view(&p->work));
}


/* Jekyll's styles and templates say how to make a link, and are none. */
static bool
is_template(cardfeed_str_t permalink)
{
    static const cardfeed_str_t styles[] = {{"date", 4}, {"pretty", 6},
        {"ordinal", 7}, {"weekdate", 8}, {"none", 4}};

    size_t i;

    for (i = 0; i < sizeof(styles) / sizeof(styles[0]); i++) {
        if (cardfeed_str_eq(permalink, styles[i])) {
            return true;
        }
    }

    return permalink.data[0] == ':'
        || memmem(permalink.data, permalink.len, "/:", 2) != NULL;
}


static void
set_link(cardfeed_parser_t *p)
{
    const cardfeed_card_value_t *value;
    cardfeed_str_t link;
    unsigned key;

    for (key = CARDFEED_KEY_WEB_URL; key <= CARDFEED_KEY_SLUG; key++) {
        value = &p->values[key];
        link = cardfeed_str_trim(cardfeed_card_raw(p, value));

        if (link.len == 0
            || (key == CARDFEED_KEY_PERMALINK && is_template(link)))
        {
            continue;
        }

        link = key == CARDFEED_KEY_SLUG ? path_link(p, link)
                                        : cardfeed_card_url(p, link);

        if (link.len != 0) {
            p->card.field[CARDFEED_FIELD_LINK] = link;
            p->link_value = value;
            return;
        }

        if (p->passed_link == NULL) {
            p->passed_link = value;
        }
    }

    p->card.field[CARDFEED_FIELD_LINK] = path_link(p, CARDFEED_NO_STR);
}


static void
set_enclosure(cardfeed_parser_t *p)
{
    cardfeed_str_t *field = p->card.field;
    const cardfeed_card_value_t *v = p->action;
    cardfeed_str_t candidate[2], type;
    uint64_t length;
    size_t i;

    if (p->action_found
        && p->values[CARDFEED_KEY_ACTIONS].kind == CARDFEED_VALUE_NESTED)
    {
        field[CARDFEED_FIELD_ENCLOSURE_URL] = cardfeed_card_url(p,
            cardfeed_card_raw(p, &v[CARDFEED_ACTION_URL]));

        type = media_type(field[CARDFEED_FIELD_ENCLOSURE_URL], false);
        field[CARDFEED_FIELD_ENCLOSURE_TYPE] = type.len != 0
            ? type
            : CARDFEED_STR("application/octet-stream");

        length = cardfeed_card_count(cardfeed_card_raw(p,
                                         &v[CARDFEED_ACTION_LENGTH]),
            INT64_MAX);

        p->card.enclosure_length = length != 0
            ? length
            : cardfeed_card_count(cardfeed_card_raw(p,
                                      &v[CARDFEED_ACTION_SIZE]),
                INT64_MAX);
        return;
    }

    candidate[0] = field[CARDFEED_FIELD_LINK];
    candidate[1] = cardfeed_card_url(p,
        cardfeed_card_raw(p, &p->values[CARDFEED_KEY_ORIGINAL_URL]));

    for (i = 0; i < 2; i++) {
        type = media_type(candidate[i], true);

        if (type.len != 0) {
            field[CARDFEED_FIELD_ENCLOSURE_URL] = candidate[i];
            field[CARDFEED_FIELD_ENCLOSURE_TYPE] = type;
            return;
        }
    }
}


static void
set_image(cardfeed_parser_t *p)
{
    const cardfeed_card_value_t *v;
    cardfeed_str_t url;
    unsigned i, key;

    for (i = 0; i < CARDFEED_IMAGES; i++) {
        key = CARDFEED_KEY_IMAGES + i;
        v = p->image[i];

        if (p->values[key].kind == CARDFEED_VALUE_TEXT) {
            url = cardfeed_card_url(p,
                cardfeed_card_raw(p, &p->values[key]));

            if (url.len != 0) {
                p->card.field[CARDFEED_FIELD_IMAGE_URL] = url;
                return;
            }
        }

        if (p->values[key].kind != CARDFEED_VALUE_NESTED
            || !p->image_found[i])
        {
            continue;
        }

        url = cardfeed_card_url(p,
            cardfeed_card_raw(p, &v[CARDFEED_IMAGE_URL]));

        if (url.len == 0) {
            url = cardfeed_card_url(p,
                cardfeed_card_raw(p, &v[CARDFEED_IMAGE_PATH]));
        }

        p->card.field[CARDFEED_FIELD_IMAGE_URL] = url;
        p->card.image_width = (uint32_t) cardfeed_card_count(
            cardfeed_card_raw(p, &v[CARDFEED_IMAGE_WIDTH]), IMAGE_SIZE_MAX);
        p->card.image_height = (uint32_t) cardfeed_card_count(
            cardfeed_card_raw(p, &v[CARDFEED_IMAGE_HEIGHT]), IMAGE_SIZE_MAX);
        return;
    }
}


void
cardfeed_card_links(cardfeed_parser_t *p)
{
    set_link(p);
    set_enclosure(p);
    set_image(p);
}
