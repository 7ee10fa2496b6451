/* encoding: Accept-Encoding → codings in the order they are preferred. */

#include <cardfeed/encoding.h>

#include <string.h>

#define NOT_NAMED (-1)
#define MALFORMED (-1)

#define WHOLE 1000   /* a weight of 1, in thousandths */
#define LEAST 1      /* the least weight that is not a refusal */
#define WEIGHT_MAX 5 /* bytes of "0.123" */

#define ANY CARDFEED_ENCODINGS /* "*", where a coding is asked for */

const char *const cardfeed_encoding_names[CARDFEED_ENCODINGS] = {
    [CARDFEED_ENCODING_IDENTITY] = "",
    [CARDFEED_ENCODING_GZIP] = "gzip",
    [CARDFEED_ENCODING_BR] = "br",
};

static const struct {
    cardfeed_str_t name;
    cardfeed_encoding_t encoding;
} accept_codings[] = {
    {CARDFEED_STR("gzip"), CARDFEED_ENCODING_GZIP},
    {CARDFEED_STR("br"), CARDFEED_ENCODING_BR},
    {CARDFEED_STR("identity"), CARDFEED_ENCODING_IDENTITY},
    {CARDFEED_STR("*"), ANY},
    {CARDFEED_STR("x-gzip"), CARDFEED_ENCODING_GZIP},
};

#define ACCEPT_CODINGS (sizeof(accept_codings) / sizeof(accept_codings[0]))


void
cardfeed_accept_init(cardfeed_accept_t *accept)
{
    size_t i;

    for (i = 0; i < CARDFEED_ENCODINGS; i++) {
        accept->weight[i] = NOT_NAMED;
    }

    accept->any = NOT_NAMED;
}


static bool
accept_is_space(char c)
{
    return c == ' ' || c == '\t';
}


/* Without the optional white space around it, of which HTTP has two bytes
 * where cardfeed_str_trim() has all of ASCII's. */
static cardfeed_str_t
accept_trim(cardfeed_str_t s)
{
    while (s.len && accept_is_space(s.data[0])) {
        s.data++;
        s.len--;
    }

    while (s.len && accept_is_space(s.data[s.len - 1])) {
        s.len--;
    }

    return s;
}


/* Where the weight of that coding is kept; NULL: an unknown one. */
static int *
accept_find(cardfeed_accept_t *accept, cardfeed_str_t name)
{
    size_t i;
    cardfeed_encoding_t encoding;

    for (i = 0; i < ACCEPT_CODINGS; i++) {

        /* The length first: it tells nearly all of them apart. */
        if (name.len == accept_codings[i].name.len
            && cardfeed_str_caseeq(name, accept_codings[i].name))
        {
            encoding = accept_codings[i].encoding;

            return encoding == ANY ? &accept->any
                                   : &accept->weight[encoding];
        }
    }

    return NULL;
}


/* "q=0.5" → 500. */
static int
accept_weight(cardfeed_str_t s)
{
    static const int units[] = {100, 10, 1};

    int weight;
    size_t i;

    if (s.len < 2 || (s.data[0] | 0x20) != 'q' || s.data[1] != '=') {
        return MALFORMED;
    }

    s.data += 2;
    s.len -= 2;

    if (s.len == 0 || s.len > WEIGHT_MAX
        || (s.data[0] != '0' && s.data[0] != '1')
        || (s.len > 1 && s.data[1] != '.'))
    {
        return MALFORMED;
    }

    weight = (s.data[0] - '0') * WHOLE;

    for (i = 2; i < s.len; i++) {
        if (s.data[i] < '0' || s.data[i] > '9') {
            return MALFORMED;
        }

        weight += (s.data[i] - '0') * units[i - 2];
    }

    return weight <= WHOLE ? weight : MALFORMED;
}


static void
accept_element(cardfeed_accept_t *accept, cardfeed_str_t element)
{
    int *kept, weight;
    bool weighted;
    cardfeed_str_t name, rest;

    name = element;
    weighted = cardfeed_str_cut(&name, ';', &rest);

    kept = accept_find(accept, accept_trim(name));
    if (kept == NULL) {
        return;
    }

    weight = weighted ? accept_weight(accept_trim(rest)) : WHOLE;
    if (weight == MALFORMED) {
        return;
    }

    /* RFC 9110 is silent on a coding that is there twice.  The lowest weight
     * stays: so the order of lines means nothing, and whoever refuses one
     * anywhere, maybe a proxy that added a line, does not get it.  To err on
     * this side costs bytes, on the other a body that cannot be read. */
    if (*kept == NOT_NAMED || weight < *kept) {
        *kept = weight;
    }
}


void
cardfeed_accept_header(cardfeed_accept_t *accept, cardfeed_str_t value)
{
    cardfeed_str_t rest;

    for (/* void */; value.len; value = rest) {
        cardfeed_str_cut(&value, ',', &rest);
        accept_element(accept, value);
    }
}


/* 0: refused. */
static int
accept_wants(const cardfeed_accept_t *accept, cardfeed_encoding_t encoding)
{
    if (accept->weight[encoding] != NOT_NAMED) {
        return accept->weight[encoding];
    }

    if (encoding == CARDFEED_ENCODING_IDENTITY) {
        return accept->any == 0 ? 0 : LEAST;
    }

    return accept->any == NOT_NAMED ? 0 : accept->any;
}


size_t
cardfeed_accept_order(const cardfeed_accept_t *accept,
    cardfeed_encoding_t order[CARDFEED_ENCODINGS])
{
    /* Of equal weights; identity comes last among those of LEAST, too. */
    static const cardfeed_encoding_t liked[CARDFEED_ENCODINGS] = {
        CARDFEED_ENCODING_BR,
        CARDFEED_ENCODING_GZIP,
        CARDFEED_ENCODING_IDENTITY,
    };

    int weight;
    size_t i, at, n;

    n = 0;

    for (i = 0; i < CARDFEED_ENCODINGS; i++) {
        weight = accept_wants(accept, liked[i]);
        if (weight == 0) {
            continue;
        }

        for (at = n++; at; at--) {
            if (accept_wants(accept, order[at - 1]) >= weight) {
                break;
            }

            order[at] = order[at - 1];
        }

        order[at] = liked[i];
    }

    if (n == 0) {
        order[n++] = CARDFEED_ENCODING_IDENTITY;
    }

    return n;
}
