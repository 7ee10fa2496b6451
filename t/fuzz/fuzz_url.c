/* fuzz_url: what is called a clean URL is one.  A line is the URL, the next
 * one what it is relative to. */

#include "fuzz.h"

#define SITE CARDFEED_STR("https://example.org/blog/")


static bool
is_printable(cardfeed_str_t s)
{
    size_t i;

    for (i = 0; i < s.len; i++) {
        if (s.data[i] <= 0x20 || s.data[i] >= 0x7f
            || strchr("\"<>\\^`{|}", s.data[i]) != NULL)
        {
            return false;
        }
    }

    return true;
}


static bool
is_http(cardfeed_str_t s)
{
    return (s.len > 7 && memcmp(s.data, "http://", 7) == 0)
           || (s.len > 8 && memcmp(s.data, "https://", 8) == 0);
}


static void
absolute(cardfeed_str_t url, cardfeed_str_t base)
{
    cardfeed_buf_t once, twice;
    cardfeed_str_t clean;

    cardfeed_buf_init(&once, SIZE_MAX);
    cardfeed_buf_init(&twice, SIZE_MAX);

    if (cardfeed_url_absolute(&once, url, base) == CARDFEED_OK) {
        clean = cardfeed_buf_view(&once);
        PROMISE(is_http(clean) && is_printable(clean));
        PROMISE(cardfeed_url_absolute(&twice, clean, CARDFEED_NO_STR)
                == CARDFEED_OK);
        PROMISE(cardfeed_str_eq(clean, cardfeed_buf_view(&twice)));
    } else {
        PROMISE(once.len == 0);
    }

    cardfeed_buf_free(&once);
    cardfeed_buf_free(&twice);
}


/* What a card keeps can always be resolved later. */
static void
clean(cardfeed_str_t url)
{
    cardfeed_buf_t once, twice, below;

    cardfeed_buf_init(&once, SIZE_MAX);
    cardfeed_buf_init(&twice, SIZE_MAX);
    cardfeed_buf_init(&below, SIZE_MAX);

    if (cardfeed_url_clean(&once, url) == CARDFEED_OK) {
        PROMISE(is_printable(cardfeed_buf_view(&once)));
        PROMISE(is_http(cardfeed_buf_view(&once)) || once.data[0] == '/');
        PROMISE(cardfeed_url_clean(&twice, cardfeed_buf_view(&once))
                == CARDFEED_OK);
        PROMISE(cardfeed_str_eq(cardfeed_buf_view(&once),
            cardfeed_buf_view(&twice)));
        PROMISE(cardfeed_url_below(&below, cardfeed_buf_view(&once), SITE)
                == CARDFEED_OK);
        PROMISE(is_http(cardfeed_buf_view(&below)));
    } else {
        PROMISE(once.len == 0);
    }

    cardfeed_buf_free(&once);
    cardfeed_buf_free(&twice);
    cardfeed_buf_free(&below);
}


static void
coded(cardfeed_str_t s)
{
    int rc;
    cardfeed_buf_t encoded, decoded;

    cardfeed_buf_init(&encoded, SIZE_MAX);
    cardfeed_buf_init(&decoded, SIZE_MAX);

    PROMISE(cardfeed_url_encode(&encoded, s, NULL) == CARDFEED_OK);
    PROMISE(is_printable(cardfeed_buf_view(&encoded)));
    rc = cardfeed_url_decode(&decoded, cardfeed_buf_view(&encoded), false);
    if (fuzz_utf8(s) && memchr(s.data, '\0', s.len) == NULL) {
        PROMISE(rc == CARDFEED_OK
                && cardfeed_str_eq(cardfeed_buf_view(&decoded), s));
    } else {
        PROMISE(rc == CARDFEED_INVALID);
    }

    cardfeed_buf_reset(&decoded);
    if (cardfeed_url_decode(&decoded, s, true) == CARDFEED_OK) {
        PROMISE(fuzz_utf8(cardfeed_buf_view(&decoded)));
    }

    cardfeed_buf_free(&encoded);
    cardfeed_buf_free(&decoded);
}


static void
dots(cardfeed_str_t path)
{
    cardfeed_buf_t out;

    cardfeed_buf_init(&out, SIZE_MAX);
    cardfeed_buf_cstr(&out, "kept/");
    cardfeed_buf_str(&out, path);
    cardfeed_url_remove_dots(&out, 4);
    PROMISE(out.len >= 5 && memcmp(out.data, "kept/", 5) == 0);
    PROMISE(memmem(out.data, out.len, "/./", 3) == NULL
            && memmem(out.data, out.len, "/../", 4) == NULL);
    cardfeed_buf_free(&out);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cardfeed_str_t rest = fuzz_input(data, size), url;

    cardfeed_text_init();

    url = fuzz_line(&rest);
    absolute(url, rest);
    clean(url);
    coded(url);
    dots(url);

    return 0;
}
