/* collection: defaults, which files belong, and the checksum. */

#include <cardfeed/collection.h>

#include <fnmatch.h>
#include <limits.h>
#include <string.h>
#include <xxhash.h>

const char *const cardfeed_default_include[] = {"*.md", "*.markdown",
    "*.html", NULL};

const char *const cardfeed_default_exclude[] = {".*", "_drafts", "_site",
    "_layouts", "_includes", "node_modules", "archetypes", "_index.*", NULL};


void
cardfeed_collection_defaults(cardfeed_collection_t *c)
{
    *c = (cardfeed_collection_t){
        .name = CARDFEED_NO_STR,
        .include = cardfeed_default_include,
        .exclude = cardfeed_default_exclude,
        .watch = CARDFEED_WATCH_AUTO,
        .poll_ms = 5000,
        .threads = 2,
        .max_card = (size_t) 1 << 20,
        .map_size = (size_t) (SIZE_MAX > UINT32_MAX ? UINT64_C(1) << 34
                                                    : UINT64_C(1) << 30),
        .ids = CARDFEED_IDS_UUID,
        .undated = CARDFEED_UNDATED_SKIP,
        .site = CARDFEED_NO_STR,
    };
}


static bool
matches_any(const char *const *patterns, const char *path, const char *last)
{
    const char *const *p;
    bool whole;

    if (patterns == NULL) {
        return false;
    }

    for (p = patterns; *p != NULL; p++) {
        whole = strchr(*p, '/') != NULL;

        if (fnmatch(*p, whole ? path : last, whole ? FNM_PATHNAME : 0) == 0)
        {
            return true;
        }
    }

    return false;
}


bool
cardfeed_collection_matches(const cardfeed_collection_t *c, const char *path,
    bool directory)
{
    const char *last;

    last = strrchr(path, '/');
    last = last != NULL ? last + 1 : path;

    if (*last == '\0' || matches_any(c->exclude, path, last)) {
        return false;
    }

    return directory || matches_any(c->include, path, last);
}


bool
cardfeed_collection_holds(const cardfeed_collection_t *c, const char *path)
{
    char above[PATH_MAX];
    size_t i, len;

    len = strlen(path);

    /* No system call takes a longer one. */
    if (len >= sizeof(above)) {
        return false;
    }

    for (i = 0; i < len; i++) {
        above[i] = '\0';

        if (path[i] == '/' && !cardfeed_collection_matches(c, above, true)) {
            return false;
        }

        above[i] = path[i];
    }

    return cardfeed_collection_matches(c, path, false);
}


/* Each piece is hashed over its length and the hash of all before it, so that
 * no two lists of pieces look alike. */
static uint64_t
checksum_add(uint64_t sum, const void *data, size_t len)
{
    uint64_t length;

    length = len;
    sum = XXH3_64bits_withSeed(&length, sizeof(length), sum);

    return XXH3_64bits_withSeed(data, len, sum);
}


static uint64_t
checksum_number(uint64_t sum, int64_t number)
{
    return checksum_add(sum, &number, sizeof(number));
}


static uint64_t
checksum_patterns(uint64_t sum, const char *const *patterns)
{
    size_t i;

    for (i = 0; patterns != NULL && patterns[i] != NULL; i++) {
        sum = checksum_add(sum, patterns[i], strlen(patterns[i]));
    }

    return checksum_number(sum, (int64_t) i);
}


uint64_t
cardfeed_collection_checksum(const cardfeed_collection_t *c)
{
    uint64_t sum;

    sum = checksum_add(0, c->name.data, c->name.len);
    sum = checksum_add(sum, c->dir, c->dir != NULL ? strlen(c->dir) : 0);
    sum = checksum_patterns(sum, c->include);
    sum = checksum_patterns(sum, c->exclude);
    sum = checksum_number(sum, (int64_t) c->max_card);
    sum = checksum_number(sum, c->ids);
    sum = checksum_number(sum, c->undated);
    sum = checksum_add(sum, c->site.data, c->site.len);

    return checksum_number(sum, c->timezone);
}
