/* text_url: URLs made absolute, safe and legal. */

#include "cardfeed_text_private.h"

#include <arpa/inet.h>
#include <string.h>

#define HOST_MAX 255
#define PORT_MAX 65535

typedef struct {
    cardfeed_str_t scheme;
    cardfeed_str_t host;
    cardfeed_str_t port;
    cardfeed_str_t path;
    cardfeed_str_t query;
    cardfeed_str_t fragment;
    bool has_host;
    bool has_query;
    bool has_fragment;
} url_t;


/* The length of s before the first byte of set. */
static size_t
span_until(cardfeed_str_t s, const char *set)
{
    size_t i;

    for (i = 0; i < s.len; i++) {
        if (cardfeed_text_is_one_of(s.data[i], set)) {
            break;
        }
    }

    return i;
}


static void
put_slashes(cardfeed_buf_t *out, cardfeed_str_t s)
{
    size_t n;

    for ( /* void */ ; s.len != 0; s = cardfeed_str_from(s, n)) {
        n = span_until(s, "\\\t\r\n");
        (void) cardfeed_buf_append(out, s.data, n);

        if (n < s.len) {
            if (s.data[n] == '\\') {
                (void) cardfeed_buf_char(out, '/');
            }

            n++;
        }
    }
}


/* As browsers do: no white space or controls at the ends, no tabs and line
 * ends inside, and before a query a backslash is a slash. */
static int
url_wash(cardfeed_buf_t *out, cardfeed_str_t s)
{
    size_t n;

    while (s.len != 0 && (unsigned char) s.data[s.len - 1] <= ' ') {
        s.len--;
    }

    while (s.len != 0 && (unsigned char) s.data[0] <= ' ') {
        s = cardfeed_str_from(s, 1);
    }

    n = span_until(s, "?#");
    put_slashes(out, cardfeed_str_part(s, 0, n));

    for (s = cardfeed_str_from(s, n); s.len != 0;
         s = cardfeed_str_from(s, n))
    {
        n = span_until(s, "\t\r\n");
        (void) cardfeed_buf_append(out, s.data, n);
        n += n < s.len;
    }

    return out->failed;
}


static bool
check_address(cardfeed_str_t host)
{
    struct in6_addr address;
    char text[INET6_ADDRSTRLEN + 1];

    if (host.len < 4 || host.len - 2 >= sizeof(text)
        || host.data[host.len - 1] != ']')
    {
        return false;
    }

    memcpy(text, host.data + 1, host.len - 2);
    text[host.len - 2] = '\0';

    return strlen(text) == host.len - 2
        && inet_pton(AF_INET6, text, &address) == 1;
}


static bool
check_host(cardfeed_str_t host)
{
    bool named;
    size_t i;

    if (host.len == 0 || host.len > HOST_MAX) {
        return false;
    }

    if (host.data[0] == '[') {
        return check_address(host);
    }

    named = false;

    for (i = 0; i < host.len; i++) {
        if (!cardfeed_url_is(host.data[i], CARDFEED_URL_HOST)) {
            return false;
        }

        if (cardfeed_text_is_alpha(host.data[i])
            || cardfeed_text_is_digit(host.data[i]))
        {
            named = true;
        }
    }

    return named;
}


static bool
check_port(cardfeed_str_t port)
{
    unsigned value;
    size_t i;

    value = 0;

    for (i = 0; i < port.len; i++) {
        if (!cardfeed_text_is_digit(port.data[i])) {
            return false;
        }

        value = value * 10 + (unsigned) (port.data[i] - '0');

        if (value > PORT_MAX) {
            return false;
        }
    }

    return true;
}


static bool
split_authority(url_t *url, cardfeed_str_t s)
{
    size_t i;

    url->has_host = true;
    url->host = s;
    url->port = CARDFEED_NO_STR;

    for (i = s.len; i > 0 && s.data[i - 1] != ']'; i--) {
        if (s.data[i - 1] == ':') {
            url->host = cardfeed_str_part(s, 0, i - 1);
            url->port = cardfeed_str_from(s, i);
            break;
        }
    }

    return check_host(url->host) && check_port(url->port);
}


static int
url_split(url_t *url, cardfeed_str_t s)
{
    size_t n;

    *url = (url_t){.scheme = CARDFEED_NO_STR};

    n = cardfeed_url_scheme(s);

    if (n != 0) {
        url->scheme = cardfeed_str_part(s, 0, n);
        s = cardfeed_str_from(s, n + 1);

        if (!cardfeed_str_caseeq(url->scheme, CARDFEED_STR("http"))
            && !cardfeed_str_caseeq(url->scheme, CARDFEED_STR("https")))
        {
            return CARDFEED_INVALID;
        }
    }

    if (s.len >= 2 && s.data[0] == '/' && s.data[1] == '/') {
        s = cardfeed_str_from(s, 2);
        n = span_until(s, "/?#");

        if (!split_authority(url, cardfeed_str_part(s, 0, n))) {
            return CARDFEED_INVALID;
        }

        s = cardfeed_str_from(s, n);

    } else if (n != 0) {
        return CARDFEED_INVALID;
    }

    n = span_until(s, "?#");
    url->path = cardfeed_str_part(s, 0, n);
    s = cardfeed_str_from(s, n);

    if (s.len != 0 && s.data[0] == '?') {
        n = span_until(s, "#");
        url->has_query = true;
        url->query = cardfeed_str_part(s, 1, n - 1);
        s = cardfeed_str_from(s, n);
    }

    if (s.len != 0) {
        url->has_fragment = true;
        url->fragment = cardfeed_str_from(s, 1);
    }

    return CARDFEED_OK;
}


void
cardfeed_url_remove_dots(cardfeed_buf_t *out, size_t start)
{
    char *from, *to, *base, *end, *next;
    size_t len;

    if (out->len == start) {
        return;
    }

    base = out->data + start;
    end = out->data + out->len;
    to = base;

    for (from = base; from < end; from = next) {
        next = memchr(from + 1, '/', (size_t) (end - from - 1));
        next = next != NULL ? next : end;
        len = (size_t) (next - from);

        if (len == 2 && from[1] == '.') {
            len = 0;

        } else if (len == 3 && from[1] == '.' && from[2] == '.') {
            while (to > base && *--to != '/') { /* void */ }
            len = 0;
        }

        if (len != 0) {
            memmove(to, from, len);
            to += len;

        } else if (next == end) {
            *to++ = '/';
        }
    }

    out->len = (size_t) (to - out->data);
}


static void
put_legal(cardfeed_buf_t *out, cardfeed_str_t s, unsigned allowed)
{
    size_t i, run;

    run = 0;

    for (i = 0; i < s.len; i++) {
        if (cardfeed_url_is(s.data[i], allowed)
            || cardfeed_url_is_escape(s, i))
        {
            continue;
        }

        (void) cardfeed_buf_append(out, s.data + run, i - run);
        cardfeed_url_put_escaped(out, s.data[i]);
        run = i + 1;
    }

    if (run < s.len) {
        (void) cardfeed_buf_append(out, s.data + run, s.len - run);
    }
}


static void
put_lower(cardfeed_buf_t *out, cardfeed_str_t s)
{
    size_t i;

    for (i = 0; i < s.len; i++) {
        (void) cardfeed_buf_char(out, cardfeed_text_lower(s.data[i]));
    }
}


/* dir: the base path up to its last slash, for a relative path. */
static void
put_path(cardfeed_buf_t *out, const url_t *url, cardfeed_str_t dir)
{
    size_t start;

    start = out->len;

    if (url->path.len != 0 && url->path.data[0] != '/') {
        put_legal(out, dir, CARDFEED_URL_PATH);

        if (dir.len == 0) {
            (void) cardfeed_buf_char(out, '/');
        }
    }

    put_legal(out, url->path, CARDFEED_URL_PATH);

    if (out->failed == CARDFEED_OK) {
        cardfeed_url_remove_dots(out, start);
    }
}


static int
put_url(cardfeed_buf_t *out, const url_t *url, cardfeed_str_t dir)
{
    size_t start;

    if (url->has_host) {
        put_lower(out, url->scheme);
        (void) cardfeed_buf_cstr(out, "://");
        put_lower(out, url->host);

        if (url->port.len != 0) {
            (void) cardfeed_buf_char(out, ':');
            (void) cardfeed_buf_str(out, url->port);
        }
    }

    start = out->len;
    put_path(out, url, dir);

    if (url->has_query) {
        (void) cardfeed_buf_char(out, '?');
        put_legal(out, url->query, CARDFEED_URL_QUERY);
    }

    if (url->has_fragment) {
        (void) cardfeed_buf_char(out, '#');
        put_legal(out, url->fragment, CARDFEED_URL_QUERY);
    }

    if (out->failed != CARDFEED_OK || url->has_host) {
        return out->failed;
    }

    /* "//x" would name a host: "/.//x" is the same path and does not. */
    if (out->len - start >= 2 && out->data[start] == '/'
        && out->data[start + 1] == '/'
        && cardfeed_buf_cstr(out, "/.") == CARDFEED_OK)
    {
        memmove(out->data + start + 2, out->data + start,
            out->len - start - 2);
        memcpy(out->data + start, "/.", 2);
    }

    return out->failed;
}


/* Fills in what url lacks from base; the rules of RFC 3986, section 5.2.2,
 * the path of a relative reference excepted: its directory goes to *dir. */
static void
url_resolve(url_t *url, const url_t *base, cardfeed_str_t *dir)
{
    size_t n;

    url->scheme = base->scheme;

    if (url->has_host) {
        return;
    }

    url->has_host = true;
    url->host = base->host;
    url->port = base->port;

    if (url->path.len == 0) {
        url->path = base->path;

        if (!url->has_query) {
            url->has_query = base->has_query;
            url->query = base->query;
        }

        return;
    }

    for (n = base->path.len; n > 0 && base->path.data[n - 1] != '/'; n--) {
        /* void */
    }

    *dir = cardfeed_str_part(base->path, 0, n);
}


static int
url_against(cardfeed_buf_t *out, cardfeed_str_t url, cardfeed_str_t base,
    bool below)
{
    cardfeed_buf_t washed, washed_base;
    cardfeed_str_t dir;
    url_t parts, base_parts;
    size_t start;
    int rc;

    start = out->len;
    dir = CARDFEED_NO_STR;
    cardfeed_buf_init(&washed, SIZE_MAX);
    cardfeed_buf_init(&washed_base, SIZE_MAX);

    rc = url_wash(&washed, url);
    if (rc != CARDFEED_OK) {
        goto cleanup;
    }

    rc = washed.len != 0 ? url_split(&parts, cardfeed_buf_view(&washed))
                         : CARDFEED_INVALID;
    if (rc != CARDFEED_OK) {
        goto cleanup;
    }

    if (parts.scheme.len == 0) {
        rc = url_wash(&washed_base, base);

        if (rc == CARDFEED_OK) {
            rc = url_split(&base_parts, cardfeed_buf_view(&washed_base));
        }

        if (rc == CARDFEED_OK && base_parts.scheme.len == 0) {
            rc = CARDFEED_INVALID;
        }

        if (rc != CARDFEED_OK) {
            goto cleanup;
        }

        if (below && !parts.has_host && parts.path.len != 0
            && parts.path.data[0] == '/')
        {
            parts.path = cardfeed_str_from(parts.path, 1);
        }

        url_resolve(&parts, &base_parts, &dir);
    }

    rc = put_url(out, &parts, dir);

cleanup:

    cardfeed_buf_free(&washed);
    cardfeed_buf_free(&washed_base);

    return rc == CARDFEED_OK ? rc : cardfeed_buf_undo(out, start, rc);
}


int
cardfeed_url_absolute(cardfeed_buf_t *out, cardfeed_str_t url,
    cardfeed_str_t base)
{
    return url_against(out, url, base, false);
}


int
cardfeed_url_below(cardfeed_buf_t *out, cardfeed_str_t url,
    cardfeed_str_t site)
{
    return url_against(out, url, site, true);
}


int
cardfeed_url_base(cardfeed_buf_t *out, cardfeed_str_t url)
{
    size_t start, i;
    int rc;

    start = out->len;
    rc = cardfeed_url_absolute(out, url, CARDFEED_NO_STR);
    if (rc != CARDFEED_OK) {
        return rc;
    }

    for (i = start; i < out->len; i++) {
        if (out->data[i] == '?' || out->data[i] == '#') {
            return cardfeed_buf_undo(out, start, CARDFEED_INVALID);
        }
    }

    while (out->len > start && out->data[out->len - 1] == '/') {
        out->len--;
    }

    return CARDFEED_OK;
}


int
cardfeed_url_clean(cardfeed_buf_t *out, cardfeed_str_t url)
{
    cardfeed_buf_t washed;
    url_t parts;
    size_t start;
    int rc;

    start = out->len;
    cardfeed_buf_init(&washed, SIZE_MAX);

    rc = url_wash(&washed, url);

    if (rc == CARDFEED_OK) {
        rc = washed.len != 0 ? url_split(&parts, cardfeed_buf_view(&washed))
                             : CARDFEED_INVALID;
    }

    if (rc == CARDFEED_OK) {

        if (parts.has_host && parts.scheme.len == 0) {
            parts.scheme = CARDFEED_STR("https");
        }

        if (!parts.has_host && parts.path.len == 0) {
            parts.path = CARDFEED_STR("/");
        }

        rc = put_url(out, &parts, CARDFEED_NO_STR);
    }

    cardfeed_buf_free(&washed);

    return rc == CARDFEED_OK ? rc : cardfeed_buf_undo(out, start, rc);
}
