/* test_text_url: URLs of cards and what hostile ones become. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <libxml/uri.h>

#include <cardfeed/text.h>

#define BYTES(literal) CARDFEED_STR(literal)


static void
absolute(const char *url, const char *base, const char *want)
{
    cardfeed_buf_t out;
    int rc;

    cardfeed_buf_init(&out, 10000);
    assert_int_equal(cardfeed_buf_char(&out, '>'), CARDFEED_OK);
    rc = cardfeed_url_absolute(&out, cardfeed_str_of(url),
        cardfeed_str_of(base));

    if (rc != (want != NULL ? CARDFEED_OK : CARDFEED_INVALID)
        || out.len != 1 + (want != NULL ? strlen(want) : 0)
        || memcmp(out.data + 1, want != NULL ? want : "", out.len - 1) != 0)
    {
        fail_msg("\"%s\" at \"%s\": %d \"%.*s\", not \"%s\"", url, base, rc,
            (int) out.len - 1, out.data + 1, want != NULL ? want : "refused");
    }

    cardfeed_buf_free(&out);
}


static void
clean(const char *url, const char *want)
{
    cardfeed_buf_t out, again;
    int rc;

    cardfeed_buf_init(&out, 10000);
    rc = cardfeed_url_clean(&out, cardfeed_str_of(url));

    if (rc != (want != NULL ? CARDFEED_OK : CARDFEED_INVALID)
        || !cardfeed_str_eq(cardfeed_buf_view(&out), cardfeed_str_of(want)))
    {
        fail_msg("\"%s\": %d \"%.*s\", not \"%s\"", url, rc, (int) out.len,
            out.data != NULL ? out.data : "",
            want != NULL ? want : "refused");
    }

    if (rc == CARDFEED_OK) {
        cardfeed_buf_init(&again, 10000);
        assert_int_equal(cardfeed_url_clean(&again, cardfeed_buf_view(&out)),
            CARDFEED_OK);
        assert_true(cardfeed_str_eq(cardfeed_buf_view(&out),
            cardfeed_buf_view(&again)));
        cardfeed_buf_free(&again);
    }

    cardfeed_buf_free(&out);
}


static void
test_absolute_urls(void **state)
{
    static const char *const cases[][2] = {
        {"https://example.org/a/b?c=d&e#f", "https://example.org/a/b?c=d&e#f"},
        {"HTTPS://EXAMPLE.ORG/Path", "https://example.org/Path"},
        {"http://example.org", "http://example.org"},
        {"http://example.org?q", "http://example.org?q"},
        {"http://example.org#f", "http://example.org#f"},
        {" \n http://example.org/x \t\r\n", "http://example.org/x"},
        {"\x01http://example.org/\x1f", "http://example.org/"},
        {"http://example.org:8080/x", "http://example.org:8080/x"},
        {"http://example.org:/x", "http://example.org/x"},
        {"http://127.0.0.1/", "http://127.0.0.1/"},
        {"http://[2001:DB8::1]:80/x", "http://[2001:db8::1]:80/x"},
        {"http://[::ffff:1.2.3.4]", "http://[::ffff:1.2.3.4]"},
        {"http://a.org/with space", "http://a.org/with%20space"},
        {"http://a.org/a\nb\tc\rd", "http://a.org/abcd"},
        {"http://a.org/[x]|^`{}<>\"", "http://a.org/"
         "%5Bx%5D%7C%5E%60%7B%7D%3C%3E%22"},
        {"http://a.org/it's(ok)!*;,=:@&+$~-._",
         "http://a.org/it's(ok)!*;,=:@&+$~-._"},
        {"http://a.org/\xc3\xa9?\xc3\xa9#\xc3\xa9",
         "http://a.org/%C3%A9?%C3%A9#%C3%A9"},
        {"http://a.org/\xff", "http://a.org/%FF"},
        {"http://a.org/%c3%a9%2F%41", "http://a.org/%c3%a9%2F%41"},
        {"http://a.org/100%", "http://a.org/100%25"},
        {"http://a.org/100%?%4#%zz", "http://a.org/100%25?%254#%25zz"},
        {"http://a.org/?a=b?c/d#e?f#g", "http://a.org/?a=b?c/d#e?f%23g"},
        {"http://a.org/?[x]=1|2", "http://a.org/?%5Bx%5D=1%7C2"},
        {"http://a.org/a/./b/../c", "http://a.org/a/c"},
        {"http://a.org/../../x", "http://a.org/x"},
        {"http://a.org/a/..", "http://a.org/"},
        {"http://a.org/a/.", "http://a.org/a/"},
        {"http://a.org//a//..//b", "http://a.org//a//b"},
        {"http://a.org/...", "http://a.org/..."},
        {"http://a.org/?../x", "http://a.org/?../x"},
        {"http:\\\\a.org\\x\\y?a\\b", "http://a.org/x/y?a%5Cb"},
        {"http://a.org\\@b.org:80/", "http://a.org/@b.org:80/"},
        {"ht\ntp://a.org/", "http://a.org/"},
        {"http://a_b.org/", "http://a_b.org/"},
        {"http://a.org/\x7f\x01x", "http://a.org/%7F%01x"},
        {"http://a.org?", "http://a.org?"},
        {"http://a.org/x#", "http://a.org/x#"},
    };
    static const char *const bad[] = {"", " ", "http:", "http:/", "http://",
        "http:///x", "http:x", "http:/x", "https://:80/", "https://?q",
        "https://#f", "javascript:alert(1)", "java\nscript:alert(1)",
        "JavaScript://a.org/%0aalert(1)", "data:text/html,x", "ftp://a.org/",
        "file:///etc/passwd", "mailto:a@b.org", "vbscript:x", "httpx://a.org/",
        "localhost:8080/x", "http://user@a.org/", "http://user:pw@a.org/",
        "http://@a.org/", "http://a.org:80:80/", "http://a.org:65536/",
        "http://a.org:x/",
        "http://a.org:-1/", "http://a.org:99999999999999999999/",
        "http://a b.org/", "http://b\303\274cher.org/", "http://a%20b.org/",
        "http://a<b/", "http://[::1/", "http://::1/", "http://[::1]x/",
        "http://[]/", "http://[:]/", "http://[::1%25eth0]/",
        "http://[1.2.3.4]/", "http://[v1.x]/", "http://[[::1]]/",
        "http://[1:2:3:4:5:6:7:8:9]/", "http://./", "http://-/",
        "http://a.org|/", "http://a\"b/", "blob:http://a.org/x",
        "view-source:http://a.org/", "a:b"};
    size_t i;

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        absolute(cases[i][0], "", cases[i][1]);
        absolute(cases[i][0], "https://base.org/x", cases[i][1]);
        clean(cases[i][0], cases[i][1]);
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        absolute(bad[i], "", NULL);
        absolute(bad[i], "http://base.org/", NULL);
        clean(bad[i], NULL);
    }
}


/* RFC 3986, section 5.4, with http for the scheme. */
static void
test_resolution(void **state)
{
    static const char base[] = "http://a/b/c/d;p?q";
    static const char *const cases[][2] = {
        {"g", "http://a/b/c/g"},
        {"./g", "http://a/b/c/g"},
        {"g/", "http://a/b/c/g/"},
        {"/g", "http://a/g"},
        {"//g", "http://g"},
        {"?y", "http://a/b/c/d;p?y"},
        {"g?y", "http://a/b/c/g?y"},
        {"#s", "http://a/b/c/d;p?q#s"},
        {"g#s", "http://a/b/c/g#s"},
        {"g?y#s", "http://a/b/c/g?y#s"},
        {";x", "http://a/b/c/;x"},
        {"g;x", "http://a/b/c/g;x"},
        {"g;x?y#s", "http://a/b/c/g;x?y#s"},
        {".", "http://a/b/c/"},
        {"./", "http://a/b/c/"},
        {"..", "http://a/b/"},
        {"../", "http://a/b/"},
        {"../g", "http://a/b/g"},
        {"../..", "http://a/"},
        {"../../", "http://a/"},
        {"../../g", "http://a/g"},
        {"../../../g", "http://a/g"},
        {"../../../../g", "http://a/g"},
        {"/./g", "http://a/g"},
        {"/../g", "http://a/g"},
        {"g.", "http://a/b/c/g."},
        {".g", "http://a/b/c/.g"},
        {"g..", "http://a/b/c/g.."},
        {"..g", "http://a/b/c/..g"},
        {"./../g", "http://a/b/g"},
        {"./g/.", "http://a/b/c/g/"},
        {"g/./h", "http://a/b/c/g/h"},
        {"g/../h", "http://a/b/c/h"},
        {"g;x=1/./y", "http://a/b/c/g;x=1/y"},
        {"g;x=1/../y", "http://a/b/c/y"},
        {"g?y/./x", "http://a/b/c/g?y/./x"},
        {"g?y/../x", "http://a/b/c/g?y/../x"},
        {"g#s/./x", "http://a/b/c/g#s/./x"},
        {"g#s/../x", "http://a/b/c/g#s/../x"},
        {"./a:b", "http://a/b/c/a:b"},
        {"\\\\g\\h", "http://g/h"},
        {"/\\g", "http://g"},
        {"/\t/g", "http://g"},
        {"/.//g", "http://a//g"},
    };
    size_t i;

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        absolute(cases[i][0], base, cases[i][1]);
        absolute(cases[i][0], "", NULL);
        absolute(cases[i][0], "/b/c/d", NULL);
        absolute(cases[i][0], "//a/b/c/d", NULL);
        absolute(cases[i][0], "ftp://a/b/c/d", NULL);
    }

    absolute("g", "http://a", "http://a/g");
    absolute("g", "http://a?x/y", "http://a/g");
    absolute("../g", "http://a", "http://a/g");
    absolute("?y", "http://a", "http://a?y");
    absolute("#s", "http://a#t", "http://a#s");
    absolute("//h:81/x", "HTTPS://a/b", "https://h:81/x");
    absolute("//u@h/", "https://a/b", NULL);
    absolute("//", "https://a/b", NULL);
    absolute("g", "https://a:444/b/c d/e", "https://a:444/b/c%20d/g");
    absolute("g", " https://[::1]/b/ ", "https://[::1]/b/g");
}


static void
test_clean_relative(void **state)
{
    (void) state;

    clean("/learning/x/?q", "/learning/x/?q");
    clean("learning/x", "/learning/x");
    clean("./x", "/x");
    clean("../../x", "/x");
    clean("?q=1", "/?q=1");
    clean("#top", "/#top");
    clean(".", "/");
    clean("/", "/");
    clean("/a b/\xc3\xa9", "/a%20b/%C3%A9");
    clean("//host.org/x", "https://host.org/x");
    clean("//HOST.org", "https://host.org");
    clean("\\\\host.org\\x", "https://host.org/x");
    clean("\\x\\y", "/x/y");
    clean("///x", NULL);
    clean("//u:p@host.org/", NULL);
    clean("//host.org:x/", NULL);

    /* Nothing relative may turn into a host of its own. */
    clean("/.//evil.org", "/.//evil.org");
    clean("/x/..//evil.org", "/.//evil.org");
    clean("x/..//evil.org", "/.//evil.org");
    clean(".//evil.org", "/.//evil.org");
    clean("/.\\/evil.org", "/.//evil.org");
    clean("/..///evil.org", "/.///evil.org");
    absolute("/.//evil.org", "https://a.org/b", "https://a.org//evil.org");
}


static uint64_t
next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;

    return *seed;
}


/* What comes out is what libxml2 takes for an absolute http URL with the same
 * host, or a path of its own. */
static void
check_random(const char *text, size_t len)
{
    cardfeed_buf_t out;
    cardfeed_str_t url;
    xmlURIPtr uri;
    int rc, pass;

    url = (cardfeed_str_t){.data = text, .len = len};

    for (pass = 0; pass < 2; pass++) {
        cardfeed_buf_init(&out, 1000);

        rc = pass == 0 ? cardfeed_url_clean(&out, url)
                       : cardfeed_url_absolute(&out, url,
                           BYTES("http://a.b/c/d"));

        if (rc == CARDFEED_INVALID) {
            assert_int_equal(out.len, 0);
            cardfeed_buf_free(&out);
            continue;
        }

        assert_int_equal(rc, CARDFEED_OK);
        assert_int_equal(cardfeed_buf_char(&out, '\0'), CARDFEED_OK);
        uri = xmlParseURI(out.data);

        if (uri == NULL || (uri->server == NULL) != (uri->scheme == NULL)
            || (uri->scheme == NULL && (pass == 1 || out.data[0] != '/'
                || out.data[1] == '/'))
            || (uri->scheme != NULL && strcmp(uri->scheme, "http") != 0
                && strcmp(uri->scheme, "https") != 0)
            || uri->user != NULL)
        {
            fail_msg("\"%.*s\" gave \"%s\"", (int) len, text, out.data);
        }

        xmlFreeURI(uri);
        cardfeed_buf_free(&out);
    }
}


static void
base(const char *url, const char *want)
{
    cardfeed_buf_t out;
    int rc;

    cardfeed_buf_init(&out, 1000);
    assert_int_equal(cardfeed_buf_char(&out, '/'), CARDFEED_OK);
    rc = cardfeed_url_base(&out, cardfeed_str_of(url));
    assert_int_equal(rc, want != NULL ? CARDFEED_OK : CARDFEED_INVALID);
    assert_int_equal(out.len, 1 + (want != NULL ? strlen(want) : 0));
    assert_memory_equal(out.data + 1, want != NULL ? want : "", out.len - 1);
    cardfeed_buf_free(&out);
}


static void
test_base(void **state)
{
    (void) state;

    base("https://Example.org", "https://example.org");
    base("https://example.org/", "https://example.org");
    base("https://example.org/blog//", "https://example.org/blog");
    base("https://example.org/a%3Fb", "https://example.org/a%3Fb");
    base("https://example.org/?q", NULL);
    base("https://example.org/#x", NULL);
    base("/blog/", NULL);
    base("ftp://example.org/", NULL);
    base("", NULL);
}


static void
test_random_input(void **state)
{
    static const char *const pieces[] = {"http:", "https:", "HTTP:", "//",
        "/", "\\", ".", "..", "/../", "/./", "a", "b.org", ":", "80", "@",
        "?", "#", "%", "%4", "%41", "[", "]", "[::1]", "\t", "\n", " ",
        "\xc3\xa9", "\xff", "javascript:", "//x", "q=1&r", "\x01", "<\"",
        "|", "&", "x y", ";"};
    char text[200];
    uint64_t seed;
    const char *piece;
    size_t len, n, i;

    (void) state;

    seed = 3986;

    for (i = 0; i < 100000; i++) {
        len = 0;

        if (i % 2 == 0) {
            memcpy(text, "http://", 7);
            len = 7;
        }

        for (n = next_random(&seed) % 12; n != 0; n--) {
            piece = pieces[(next_random(&seed) >> 20)
                % (sizeof(pieces) / sizeof(pieces[0]))];
            memcpy(text + len, piece, strlen(piece));
            len += strlen(piece);
        }

        check_random(text, len);
    }
}


static void
test_all_or_nothing(void **state)
{
    cardfeed_buf_t out;
    size_t max;
    int rc;

    (void) state;

    for (max = 1; max < 40; max++) {
        cardfeed_buf_init(&out, max);
        assert_int_equal(cardfeed_buf_char(&out, '>'), CARDFEED_OK);
        rc = cardfeed_url_absolute(&out, BYTES("../x y?z#t"),
            BYTES("http://a.org/b/c"));
        assert_int_equal(rc, out.failed);
        assert_int_equal(out.len, rc == CARDFEED_OK ? 23 : 1);
        assert_int_equal(rc, max < 24 ? CARDFEED_NOMEM : CARDFEED_OK);
        cardfeed_buf_free(&out);

        cardfeed_buf_init(&out, max);
        assert_int_equal(cardfeed_buf_char(&out, '>'), CARDFEED_OK);
        rc = cardfeed_url_clean(&out, BYTES(".//x"));
        assert_int_equal(rc, max < 6 ? CARDFEED_NOMEM : CARDFEED_OK);
        assert_int_equal(out.len, rc == CARDFEED_OK ? 6 : 1);
        cardfeed_buf_free(&out);

        cardfeed_buf_init(&out, max);
        assert_int_equal(cardfeed_buf_char(&out, '>'), CARDFEED_OK);
        rc = cardfeed_url_encode(&out, BYTES("a b"), NULL);
        assert_int_equal(rc, max < 6 ? CARDFEED_NOMEM : CARDFEED_OK);
        assert_int_equal(out.len, rc == CARDFEED_OK ? 6 : 1);
        cardfeed_buf_free(&out);
    }
}


static void
test_encode(void **state)
{
    cardfeed_buf_t out;

    (void) state;

    cardfeed_buf_init(&out, 1000);
    assert_int_equal(cardfeed_url_encode(&out,
        BYTES("aZ0-._~ /?#%&+\xc3\xa9\0"), NULL), CARDFEED_OK);
    assert_int_equal(cardfeed_url_encode(&out, BYTES("|a/b:c"), "/:"),
        CARDFEED_OK);
    assert_true(cardfeed_str_eq(cardfeed_buf_view(&out),
        BYTES("aZ0-._~%20%2F%3F%23%25%26%2B%C3%A9%00%7Ca/b:c")));
    cardfeed_buf_free(&out);
}


static void
test_decode(void **state)
{
    static const char *const bad[] = {"%", "a%2", "%zz", "%4g", "%00", "%ff",
        "%c3", "%ED%A0%80", "%c0%80", "\xff", "ok%C3x"};
    cardfeed_buf_t out;
    size_t i;

    (void) state;

    cardfeed_buf_init(&out, 1000);
    assert_int_equal(cardfeed_url_decode(&out, CARDFEED_NO_STR, true),
        CARDFEED_OK);
    assert_int_equal(out.len, 0);
    assert_int_equal(cardfeed_url_decode(&out, BYTES("a%20b+c%2B%c3%A9\n"),
        false), CARDFEED_OK);
    assert_int_equal(cardfeed_url_decode(&out, BYTES("|a+b%2B"), true),
        CARDFEED_OK);
    assert_true(cardfeed_str_eq(cardfeed_buf_view(&out),
        BYTES("a b+c+\xc3\xa9\n|a b+")));

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(cardfeed_url_decode(&out, cardfeed_str_of(bad[i]),
            true), CARDFEED_INVALID);
    }

    assert_int_equal(cardfeed_url_decode(&out, BYTES("a\0"), true),
        CARDFEED_INVALID);
    assert_int_equal(cardfeed_url_decode(&out,
        (cardfeed_str_t){.data = "%41", .len = 2}, true), CARDFEED_INVALID);
    assert_int_equal(out.len, 14);
    assert_int_equal(out.failed, CARDFEED_OK);
    cardfeed_buf_free(&out);
}


static void
test_is_iri(void **state)
{
    static const char *const good[] = {"http://a.org/x?y#z", "urn:uuid:1",
        "tag:a.org,2020:x", "x:y", "A+b-c.1:z", "mailto:a@b.org",
        "http://a.org/\xc3\xa9", "urn:x:%41", "urn:\xf0\xa0\x80\x80"};
    static const char *const bad[] = {"", ":", "x:", "1:x", "x", "/x:y",
        "a b:c", "x:a b", "x:\n", "x:<y>", "x:\"", "x:{", "x:|", "x:\\",
        "x:^", "x:`", "x:%", "x:%4", "x:%zz", "x:a#b#c", "x:\xff",
        "x:\xc2\x80", "x:\xc2\xa0", "x:\xe2\x80\xa8", "x:\xef\xbf\xbe",
        "x:\xee\x80\x80", "\xc3\xa9:x", "x:\x7f"};
    size_t i;

    (void) state;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        if (!cardfeed_url_is_iri(cardfeed_str_of(good[i]))) {
            fail_msg("\"%s\" was refused", good[i]);
        }
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (cardfeed_url_is_iri(cardfeed_str_of(bad[i]))) {
            fail_msg("\"%s\" was taken", bad[i]);
        }
    }

    assert_false(cardfeed_url_is_iri(BYTES("x:\0")));
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_absolute_urls),
        cmocka_unit_test(test_resolution),
        cmocka_unit_test(test_clean_relative),
        cmocka_unit_test(test_base),
        cmocka_unit_test(test_random_input),
        cmocka_unit_test(test_all_or_nothing),
        cmocka_unit_test(test_encode),
        cmocka_unit_test(test_decode),
        cmocka_unit_test(test_is_iri),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
