/* options: the command line. */

#include "check.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARAMS_MAX ((size_t) 1 << 20)

static const char usage[]
    = "usage: cardfeed-check [OPTION ...] [PARAMETER=VALUE ...] DIR\n";

static const char help[]
    = "Tells what the cardfeed module would reject below DIR, and what would\n"
      "look wrong in readers.\n"
      "\n"
      "  include=PATTERNS, exclude=PATTERNS, max_card=SIZE, site=URL,\n"
      "  ids=uuid|permalink, undated=skip|mtime, timezone=±HH:MM\n"
      "                    as in the directive cardfeed_collection\n"
      "  -q, --quiet       no summary\n"
      "  -s, --strict      exit status 1 for warnings as well\n"
      "      --all-topics  all of them in the summary\n"
      "      --help        this text\n"
      "\n"
      "Exit status: 0 fine, 1 a file is rejected, 2 it could not be told.\n";

enum { OPTION_ALL_TOPICS = 256, OPTION_HELP };

static const struct option options_long[] = {
    {"quiet", no_argument, NULL, 'q'},
    {"strict", no_argument, NULL, 's'},
    {"all-topics", no_argument, NULL, OPTION_ALL_TOPICS},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};


static int
misused(void)
{
    fputs(usage, stderr);
    fputs("\"cardfeed-check --help\" says more.\n", stderr);

    return CHECK_TROUBLE;
}


static int
read_flags(check_options_t *o, int argc, char **argv)
{
    int c;

    while ((c = getopt_long(argc, argv, "qs", options_long, NULL)) != -1) {
        switch (c) {
        case 'q':
            o->quiet = true;
            break;
        case 's':
            o->strict = true;
            break;
        case OPTION_ALL_TOPICS:
            o->all_topics = true;
            break;
        case OPTION_HELP:
            fputs(usage, stdout);
            fputs(help, stdout);
            return fflush(stdout) == 0 ? CHECK_FINE : CHECK_TROUBLE;
        default:
            return misused();
        }
    }

    return -1;
}


static int
read_param(check_options_t *o, const char *param)
{
    const char *allowed;

    switch (cardfeed_collection_set(&o->collection, &o->arena,
        cardfeed_str_of(param), &allowed))
    {
    case CARDFEED_OK:
        return -1;

    case CARDFEED_INVALID:
        fprintf(stderr, "cardfeed-check: invalid value in \"%s\": "
                        "%s is allowed\n", param, allowed);
        return CHECK_TROUBLE;

    case CARDFEED_NOTFOUND:
        fprintf(stderr, "cardfeed-check: invalid parameter \"%s\": include=, "
                        "exclude=, max_card=, ids=, undated=, site= and "
                        "timezone= are allowed\n", param);
        return CHECK_TROUBLE;

    default:
        fputs("cardfeed-check: out of memory\n", stderr);
        return CHECK_TROUBLE;
    }
}


/* The room that watches wants it absolute. */
static int
read_dir(check_options_t *o, const char *dir)
{
    char *real;

    real = realpath(dir, NULL);
    if (real == NULL) {
        fprintf(stderr, "cardfeed-check: \"%s\": %s\n", dir,
            strerror(errno));
        return CHECK_TROUBLE;
    }

    o->dir = dir;
    o->collection.dir
        = cardfeed_arena_dup(&o->arena, cardfeed_str_of(real)).data;
    free(real);

    if (o->collection.dir == NULL) {
        fputs("cardfeed-check: out of memory\n", stderr);
        return CHECK_TROUBLE;
    }

    return -1;
}


int
check_options_read(check_options_t *o, int argc, char **argv)
{
    int rc;

    memset(o, 0, sizeof(*o));
    cardfeed_arena_init(&o->arena, PARAMS_MAX);
    cardfeed_collection_defaults(&o->collection);
    o->collection.name = CARDFEED_STR("check");
    o->collection.watch = CARDFEED_WATCH_OFF;

    rc = read_flags(o, argc, argv);

    if (rc == -1 && optind >= argc) {
        rc = misused();
    }

    for ( /* void */ ; rc == -1 && optind < argc - 1; optind++) {
        rc = read_param(o, argv[optind]);
    }

    return rc == -1 ? read_dir(o, argv[optind]) : rc;
}


void
check_options_free(check_options_t *o)
{
    cardfeed_arena_free(&o->arena);
}
