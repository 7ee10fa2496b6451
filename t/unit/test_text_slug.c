/* test_text_slug: topic names to slugs, file names to words. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <cardfeed/text.h>

#define BYTES(literal) CARDFEED_STR(literal)


/* What every slug is, whatever it was made from. */
static void
assert_slug(cardfeed_str_t slug, cardfeed_str_t name)
{
    cardfeed_buf_t again;
    bool good;
    size_t i;
    char c;

    good = slug.len != 0 && slug.len <= CARDFEED_SLUG_MAX
        && slug.data[0] != '-' && slug.data[slug.len - 1] != '-'
        && cardfeed_utf8_check(slug) == slug.len
        && !cardfeed_str_eq(slug, BYTES("all"));

    for (i = 0; i < slug.len && good; i++) {
        c = slug.data[i];
        good = (unsigned char) c >= 0x80 || (c >= 'a' && c <= 'z')
            || (c >= '0' && c <= '9') || (c == '-' && slug.data[i - 1] != '-');
    }

    cardfeed_buf_init(&again, CARDFEED_SLUG_MAX);
    good = good && cardfeed_text_slug(&again, slug) == CARDFEED_OK
        && cardfeed_str_eq(cardfeed_buf_view(&again), slug);

    if (!good) {
        fprintf(stderr, "name:");

        for (i = 0; i < name.len && i < 300; i++) {
            fprintf(stderr, " %02x", (unsigned char) name.data[i]);
        }

        fail_msg("slug \"%.*s\", its own \"%.*s\"", (int) slug.len, slug.data,
            (int) again.len, again.data != NULL ? again.data : "");
    }

    cardfeed_buf_free(&again);
}


static void
slug(cardfeed_str_t name, const char *want)
{
    cardfeed_buf_t out;

    cardfeed_buf_init(&out, 1000);
    assert_int_equal(cardfeed_text_slug(&out, name), CARDFEED_OK);

    if (!cardfeed_str_eq(cardfeed_buf_view(&out), cardfeed_str_of(want))) {
        fail_msg("\"%.*s\" gave \"%.*s\", not \"%s\"", (int) name.len,
            name.data, (int) out.len, out.data, want);
    }

    assert_slug(cardfeed_buf_view(&out), name);
    cardfeed_buf_free(&out);
}


static void
test_known_slugs(void **state)
{
    static const char *const cases[][2] = {
        {"Management Tools", "management-tools"},
        {"Management tools", "management-tools"},
        {"  Management \t Tools\n", "management-tools"},
        {"C#", "csharp"},
        {"C++", "cplusplus"},
        {"C# 8", "csharp-8"},
        {"F#", "fsharp"},
        {"A+B", "aplusb"},
        {"A + B", "a-plus-b"},
        {".NET", "dotnet"},
        {".NET Core", "dotnet-core"},
        {"ASP.NET", "asp-net"},
        {"#Portals", "portals"},
        {"#.NET", "dotnet"},
        {"Node.js", "node-js"},
        {"All", "topic-all"},
        {"ALL", "topic-all"},
        {"#all", "topic-all"},
        {"-all-", "topic-all"},
        {"topic-all", "topic-all"},
        {"all hands", "all-hands"},
        {"a/b\\c:d,e!f", "a-b-c-d-e-f"},
        {"100% -- sure?", "100-sure"},
        {"Q&A", "q-a"},
        {"snake_case", "snake-case"},
        {"feed.rss", "feed-rss"},
        {"+", "plus"},
        {"##", "sharp"},
        {"\xc3\x84rger im \xc3\x96l", "\xc3\xa4rger-im-\xc3\xb6l"},
        {"A\xcc\x88rger", "\xc3\xa4rger"},
        {"Stra\xc3\x9f" "e", "strasse"},
        {"STRASSE", "strasse"},
        {"\xce\x91\xce\xa3", "\xce\xb1\xcf\x83"},
        {"\xce\xb1\xcf\x82", "\xce\xb1\xcf\x83"},
        {"\xe4\xb8\xad\xe6\x96\x87 \xe6\xb5\x8b\xe8\xaf\x95",
         "\xe4\xb8\xad\xe6\x96\x87-\xe6\xb5\x8b\xe8\xaf\x95"},
        {"\xe0\xa4\xb9\xe0\xa4\xbf\xe0\xa4\xa8\xe0\xa5\x8d\xe0\xa4\xa6"
         "\xe0\xa5\x80", "\xe0\xa4\xb9\xe0\xa4\xbf\xe0\xa4\xa8\xe0\xa5\x8d"
         "\xe0\xa4\xa6\xe0\xa5\x80"},
        {"\xef\xbc\xa3\xef\xbc\x83", "csharp"},
        {"\xef\xbc\xa3\xef\xbc\x8b\xef\xbc\x8b", "cplusplus"},
        {"\xef\xbc\x83\xef\xbc\xb0ortals", "portals"},
        {"\xef\xbc\x8e\xef\xbc\xae\xef\xbc\xa5\xef\xbc\xb4", "dotnet"},
        {"\xef\xbc\xa1\xef\xbc\xac\xef\xbc\xac", "topic-all"},
        {"\xe3\x80\x80.NET", "dotnet"},
        {"\xef\xac\x81ne", "fine"},
        {"x\xc2\xb2", "x2"},
        {"\xe2\x84\xa2 mark", "tm-mark"},
        {"soft\xc2\xadhyphen", "softhyphen"},
        {"\xe2\x9d\xa4\xef\xb8\x8f Health", "health"},
        {"a\xe2\x80\x93" "b", "a-b"},
        {"a\xe2\x89\xa0" "b", "a-b"},
        {"caf\xe9 bar", "caf-bar"},
    };
    size_t i;

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        slug(cardfeed_str_of(cases[i][0]), cases[i][1]);
    }

    slug(BYTES("a\0b"), "a-b");
}


static void
test_nothing_left_gets_a_hash(void **state)
{
    static const char *const names[] = {"", "-", "???", "\xf0\x9f\x98\x80",
        "\xff", "#", "\xe2\x80\x8b", "\xc2\xad"};
    cardfeed_buf_t out, other;
    char want[CARDFEED_SLUG_MAX + 1];
    size_t i;

    (void) state;

    cardfeed_buf_init(&out, 1000);
    cardfeed_buf_init(&other, 1000);

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        cardfeed_buf_reset(&out);
        assert_int_equal(cardfeed_text_slug(&out, cardfeed_str_of(names[i])),
            CARDFEED_OK);
        assert_int_equal(out.len, 14);
        assert_memory_equal(out.data, "topic-", 6);
        assert_slug(cardfeed_buf_view(&out), cardfeed_str_of(names[i]));
    }

    (void) snprintf(want, sizeof(want), "topic-%08x",
        (unsigned) (cardfeed_text_hash(BYTES("???")) & 0xffffffff));
    slug(BYTES("???"), want);

    cardfeed_buf_reset(&out);
    assert_int_equal(cardfeed_text_slug(&out, BYTES("!")), CARDFEED_OK);
    assert_int_equal(cardfeed_text_slug(&other, BYTES("?")), CARDFEED_OK);
    assert_false(cardfeed_str_eq(cardfeed_buf_view(&out),
        cardfeed_buf_view(&other)));

    cardfeed_buf_free(&out);
    cardfeed_buf_free(&other);
}


static void
test_long_names_are_cut(void **state)
{
    char name[2000];
    cardfeed_buf_t out, other;
    size_t len;

    (void) state;

    cardfeed_buf_init(&out, CARDFEED_SLUG_MAX);
    cardfeed_buf_init(&other, CARDFEED_SLUG_MAX);
    memset(name, 'X', sizeof(name));

    for (len = 200; len < 300; len++) {
        cardfeed_buf_reset(&out);
        assert_int_equal(cardfeed_text_slug(&out,
            (cardfeed_str_t){name, len}), CARDFEED_OK);
        assert_int_equal(out.len, len < 240 ? len : 240);
        assert_slug(cardfeed_buf_view(&out), (cardfeed_str_t){name, len});
    }

    /* A dash where the cut falls, and characters of four bytes. */
    name[222] = ' ';
    cardfeed_buf_reset(&out);
    assert_int_equal(cardfeed_text_slug(&out, (cardfeed_str_t){name, 300}),
        CARDFEED_OK);
    assert_int_equal(out.len, 239);
    assert_slug(cardfeed_buf_view(&out), (cardfeed_str_t){name, 300});

    for (len = 0; len < 1200; len += 4) {
        memcpy(name + len, "\xf0\xa0\x80\x80", 4);
    }

    cardfeed_buf_reset(&out);
    assert_int_equal(cardfeed_text_slug(&out, (cardfeed_str_t){name, 1200}),
        CARDFEED_OK);
    assert_int_equal(out.len, 220 + 17);
    assert_slug(cardfeed_buf_view(&out), (cardfeed_str_t){name, 1200});

    assert_int_equal(cardfeed_text_slug(&other,
        (cardfeed_str_t){name, 1196}), CARDFEED_OK);
    assert_memory_equal(out.data, other.data, 220);
    assert_false(cardfeed_str_eq(cardfeed_buf_view(&out),
        cardfeed_buf_view(&other)));

    cardfeed_buf_free(&out);
    cardfeed_buf_free(&other);
}


/* U+FDFA unfolds to eighteen characters. */
static void
test_a_name_of_a_megabyte(void **state)
{
    cardfeed_buf_t out;
    size_t i, len;
    char *name;

    (void) state;

    len = 1048575;
    name = malloc(len);
    assert_non_null(name);

    for (i = 0; i < len; i += 3) {
        memcpy(name + i, "\xef\xb7\xba", 3);
    }

    cardfeed_buf_init(&out, CARDFEED_SLUG_MAX);
    assert_int_equal(cardfeed_text_slug(&out, (cardfeed_str_t){name, len}),
        CARDFEED_OK);
    assert_slug(cardfeed_buf_view(&out), (cardfeed_str_t){name, 3});
    cardfeed_buf_free(&out);
    free(name);
}


static void
test_all_or_nothing(void **state)
{
    static const char *const names[] = {"Some Topic", "C\xc3\xa9", "All", "?"};
    cardfeed_buf_t out;
    size_t i, max, full;
    int rc;

    (void) state;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        cardfeed_buf_init(&out, 100);
        assert_int_equal(cardfeed_text_slug(&out, cardfeed_str_of(names[i])),
            CARDFEED_OK);
        full = out.len;
        cardfeed_buf_free(&out);

        for (max = 1; max < 30; max++) {
            cardfeed_buf_init(&out, max);
            assert_int_equal(cardfeed_buf_char(&out, 'x'), CARDFEED_OK);
            rc = cardfeed_text_slug(&out, cardfeed_str_of(names[i]));
            assert_int_equal(rc, max <= full ? CARDFEED_NOMEM : CARDFEED_OK);
            assert_int_equal(out.failed, rc);
            assert_int_equal(out.len, rc == CARDFEED_OK ? full + 1 : 1);
            cardfeed_buf_free(&out);
        }
    }
}


static uint64_t
next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;

    return *seed;
}


static size_t
put_character(char *p, uint32_t cp)
{
    size_t i, len;

    if (cp < 0x80) {
        p[0] = (char) cp;
        return 1;
    }

    len = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;

    for (i = len - 1; i > 0; i--) {
        p[i] = (char) (0x80 | (cp & 0x3f));
        cp >>= 6;
    }

    p[0] = (char) (0xf00 >> len | cp);

    return len;
}


static void
check(const char *name, size_t len)
{
    cardfeed_buf_t out;

    cardfeed_buf_init(&out, CARDFEED_SLUG_MAX);
    assert_int_equal(cardfeed_text_slug(&out, (cardfeed_str_t){name, len}),
        CARDFEED_OK);
    assert_slug(cardfeed_buf_view(&out), (cardfeed_str_t){name, len});
    cardfeed_buf_free(&out);
}


static void
test_a_slug_is_its_own_slug(void **state)
{
    /* What gets close to others: marks, jamo, letters that fold to more. */
    static const uint32_t odd[] = {'#', '+', '.', '-', ' ', 'a', 'L', 0x300,
        0x301, 0x323, 0x338, 0x345, 0x130, 0xdf, 0x1e9e, 0xad, 0x200d, 0x1100,
        0x1161, 0x11a8, 0xac00, 0xfb01, 0xfdfa, 0x1f80, 0x3b1, 0x3a3, 0x5d0,
        0x5b8, 0x94d, 0x93c, 0x915, 0x2260, '=', '<', 0xfe0f, 0x20e3, 0xff03,
        0xff0b, 0xff0e, 0x1d15e, 0x149, 0xb4, 0xaf, 0x1fed, 0x2126, 0x344,
        0x1d165, 0x3099, 0x304b, 0x309b, 0xe0041, 0xd800};
    char name[400];
    uint64_t seed;
    uint32_t cp;
    size_t len, n, kind;
    int i;

    (void) state;

    seed = 7;

    for (cp = 0; cp < 0x110000; cp += cp < 0x3000 ? 1 : 7) {
        len = put_character(name, 'e');
        len += put_character(name + len, cp);
        len += put_character(name + len, 0x301);
        check(name, len);
    }

    for (i = 0; i < 20000; i++) {
        n = next_random(&seed) % 90;
        kind = next_random(&seed) % 3;

        for (len = 0; n != 0; n--) {
            cp = (uint32_t) (next_random(&seed) >> 20);

            if (kind == 0 || (kind == 1 && cp % 2 == 0)) {
                cp = odd[(cp >> 1) % (sizeof(odd) / sizeof(odd[0]))];

            } else {
                cp = cp % (kind == 1 ? 0x250 : 0x110000);
            }

            len += put_character(name + len, cp);
        }

        check(name, len);
    }

    for (i = 0; i < 5000; i++) {
        len = next_random(&seed) % sizeof(name);

        for (n = 0; n < len; n++) {
            name[n] = (char) (next_random(&seed) >> 20);
        }

        check(name, len);
    }
}


static void
test_words(void **state)
{
    static const char *const cases[][2] = {
        {"some-file_name.md", "Some file name"},
        {"2020-07-14-hello-world.markdown", "Hello world"},
        {"posts/deep/2020-07-14-hello.md", "Hello"},
        {"README.md", "README"},
        {"README", "README"},
        {"v1.2-notes.md", "V1.2 notes"},
        {"2020-07-14.md", "2020 07 14"},
        {"2020-07-14-.md", "2020 07 14"},
        {"2020-7-14-x.md", "2020 7 14 x"},
        {"--a--b__c--.html", "A b c"},
        {"\xc3\xa4rger.md", "\xc3\x84rger"},
        {"\xe4\xb8\xad\xe6\x96\x87.md", "\xe4\xb8\xad\xe6\x96\x87"},
        {"bad\xff.md", "Bad\xef\xbf\xbd"},
        {"tab\tnew\nline.md", "Tab new line"},
        {".md", ".md"},
        {"a.", "A"},
        {"---.md", ""},
        {"", ""},
        {"x/", ""},
        {"AT&amp;T.md", "AT&amp;T"},
    };
    cardfeed_buf_t out;
    size_t i;

    (void) state;

    cardfeed_buf_init(&out, 100);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cardfeed_buf_reset(&out);
        assert_int_equal(cardfeed_text_words(&out,
            cardfeed_str_of(cases[i][0])), CARDFEED_OK);

        if (!cardfeed_str_eq(cardfeed_buf_view(&out),
            cardfeed_str_of(cases[i][1])))
        {
            fail_msg("\"%s\" gave \"%.*s\"", cases[i][0], (int) out.len,
                out.data);
        }
    }

    cardfeed_buf_free(&out);
    cardfeed_buf_init(&out, 3);
    assert_int_equal(cardfeed_text_words(&out, BYTES("long.md")),
        CARDFEED_NOMEM);
    assert_int_equal(out.len, 0);
    cardfeed_buf_free(&out);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_slugs),
        cmocka_unit_test(test_nothing_left_gets_a_hash),
        cmocka_unit_test(test_long_names_are_cut),
        cmocka_unit_test(test_a_name_of_a_megabyte),
        cmocka_unit_test(test_all_or_nothing),
        cmocka_unit_test(test_a_slug_is_its_own_slug),
        cmocka_unit_test(test_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
