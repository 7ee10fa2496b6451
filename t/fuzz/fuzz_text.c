/* fuzz_text: whatever a text is, what is made of it is fit to be shown.  The
 * first byte chooses what is made. */

#include "fuzz.h"


/* A line of plain text has nothing in it that an XML document may not. */
static bool
is_plain(cardfeed_str_t s)
{
    size_t i;
    unsigned char c;

    for (i = 0; i < s.len; i++) {
        c = (unsigned char) s.data[i];
        if (c < 0x20 || c == 0x7f
            || (c == ' ' && (i == 0 || i + 1 == s.len
                             || s.data[i - 1] == ' ')))
        {
            return false;
        }
    }

    return fuzz_utf8(s);
}


static void
plain(cardfeed_str_t text, unsigned flags)
{
    cardfeed_buf_t once, twice;

    cardfeed_buf_init(&once, SIZE_MAX);
    cardfeed_buf_init(&twice, SIZE_MAX);

    PROMISE(cardfeed_text_plain(&once, text, flags) == CARDFEED_OK);
    PROMISE(is_plain(cardfeed_buf_view(&once)));
    PROMISE(cardfeed_text_plain(&twice, cardfeed_buf_view(&once), 0)
            == CARDFEED_OK);
    PROMISE(cardfeed_str_eq(cardfeed_buf_view(&once),
        cardfeed_buf_view(&twice)));

    cardfeed_buf_free(&once);
    cardfeed_buf_free(&twice);
}


static void
escaped(cardfeed_str_t text)
{
    size_t i;
    cardfeed_buf_t out;

    cardfeed_buf_init(&out, SIZE_MAX);
    PROMISE(cardfeed_text_escape(&out, text) == CARDFEED_OK);
    PROMISE(fuzz_utf8(cardfeed_buf_view(&out)));
    for (i = 0; i < out.len; i++) {
        PROMISE((unsigned char) out.data[i] >= 0x20 && out.data[i] != 0x7f);
    }
    cardfeed_buf_free(&out);
}


static void
slug(cardfeed_str_t name)
{
    size_t i;
    cardfeed_buf_t once, twice;

    if (!fuzz_utf8(name)) {
        return; /* of plain text only */
    }

    cardfeed_buf_init(&once, SIZE_MAX);
    cardfeed_buf_init(&twice, SIZE_MAX);

    PROMISE(cardfeed_text_slug(&once, name) == CARDFEED_OK);
    PROMISE(once.len > 0 && once.len <= CARDFEED_SLUG_MAX);
    PROMISE(fuzz_utf8(cardfeed_buf_view(&once)));
    PROMISE(once.data[0] != '-' && once.data[once.len - 1] != '-');
    for (i = 0; i < once.len; i++) {
        char c = once.data[i];

        PROMISE((unsigned char) c >= 0x80 || c == '-'
                || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'));
    }
    PROMISE(cardfeed_text_slug(&twice, cardfeed_buf_view(&once))
            == CARDFEED_OK);
    PROMISE(cardfeed_str_eq(cardfeed_buf_view(&once),
        cardfeed_buf_view(&twice)));

    cardfeed_buf_free(&once);
    cardfeed_buf_free(&twice);
}


static void
cut(cardfeed_str_t text)
{
    size_t max = fuzz_choice(&text, 256);
    cardfeed_str_t s;

    s = cardfeed_text_cut(text, max);
    PROMISE(s.data == text.data && s.len <= max && s.len <= text.len);
    PROMISE(!fuzz_utf8(text) || fuzz_utf8(s));
}


static void
words(cardfeed_str_t name)
{
    char urn[CARDFEED_URN_LEN + 1];
    cardfeed_buf_t out;

    cardfeed_buf_init(&out, SIZE_MAX);
    PROMISE(cardfeed_text_words(&out, name) == CARDFEED_OK);
    PROMISE(!fuzz_utf8(name) || fuzz_utf8(cardfeed_buf_view(&out)));
    cardfeed_buf_free(&out);

    if (cardfeed_text_urn(urn, CARDFEED_STR("news"), '/', name)
        == CARDFEED_OK)
    {
        PROMISE(strlen(urn) == CARDFEED_URN_LEN
                && cardfeed_url_is_iri(cardfeed_str_of(urn)));
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cardfeed_str_t text = fuzz_input(data, size);

    cardfeed_text_init();

    switch (fuzz_choice(&text, 6)) {
    case 0:
        plain(text, 0);
        break;
    case 1:
        plain(text, CARDFEED_PLAIN_ENTITIES);
        break;
    case 2:
        escaped(text);
        break;
    case 3:
        slug(text);
        break;
    case 4:
        cut(text);
        break;
    default:
        words(text);
        break;
    }

    return 0;
}
