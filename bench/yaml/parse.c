/*
 * parse: how long libyaml alone needs for the front matter of cards, and the
 * module's parser for the cards.
 *
 * usage: parse yaml|cards THREADS ROUNDS <PATHS
 *
 * Reads the files that stdin names, one a line, into memory, then goes
 * through all of them in every round, and prints a line of JSON a round: wall
 * seconds, CPU seconds of all threads, bytes.  Each thread keeps to a core, as
 * far as there are some.  Cards the parser rejects count as errors.
 */

#include <cardfeed/card.h>
#include <cardfeed/text.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <yaml.h>

#define PARSE_FILES 1000000
#define PARSE_SIZE (64 * 1024 * 1024)
#define PARSE_THREADS 64

typedef struct {
    char *path;
    char *data;
    size_t len;
} parse_file_t;

static parse_file_t *files;
static size_t nfiles;
static atomic_size_t next;
static atomic_size_t errors;


static void
die(const char *what)
{
    perror(what);
    exit(1);
}


static double
seconds(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);

    return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}


static void
load(char *path)
{
    long size;
    FILE *f = fopen(path, "rb");
    parse_file_t *file = &files[nfiles++];

    if (f == NULL || fseek(f, 0, SEEK_END) != 0 || (size = ftell(f)) < 0
        || size > PARSE_SIZE)
    {
        die(path);
    }
    rewind(f);
    file->path = strdup(path);
    file->len = (size_t) size;
    file->data = malloc(file->len + 1);
    if (file->path == NULL || file->data == NULL
        || fread(file->data, 1, file->len, f) != file->len)
    {
        die(path);
    }
    file->data[file->len] = '\0';
    fclose(f);
}


static size_t
load_all(void)
{
    char line[8192];
    size_t bytes = 0;

    files = calloc(PARSE_FILES, sizeof(*files));
    if (files == NULL) {
        die("files");
    }
    while (nfiles < PARSE_FILES && fgets(line, sizeof(line), stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        load(line);
        bytes += files[nfiles - 1].len;
    }

    return bytes;
}


/* The line end before the closing fence. */
static const char *
fence_of(const parse_file_t *file)
{
    const char *p = file->len > 4 ? file->data + 3 : NULL;

    while (p != NULL && (p = strstr(p, "\n---")) != NULL) {
        p += 4;
        if (*p == '\0' || *p == '\n' || strncmp(p, "\r\n", 2) == 0) {
            return p - 4;
        }
    }

    return NULL;
}


static bool
pull_events(const parse_file_t *file)
{
    bool end = false;
    const char *fence = fence_of(file);
    yaml_parser_t parser;
    yaml_event_t event;

    if (fence == NULL || !yaml_parser_initialize(&parser)) {
        return false;
    }
    yaml_parser_set_input_string(&parser,
        (const unsigned char *) file->data + 4,
        (size_t) (fence - file->data) - 3);
    while (!end && yaml_parser_parse(&parser, &event)) {
        end = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);

    return end;
}


static bool
parse_card(cardfeed_parser_t *parser, const parse_file_t *file)
{
    cardfeed_error_t err;
    const cardfeed_card_t *card;
    cardfeed_card_file_t f = {.path = cardfeed_str_of(file->path)};

    f.data.data = file->data;
    f.data.len = file->len;

    return cardfeed_card_parse(parser, &f, &card, &err) == CARDFEED_OK;
}


static void
keep_to_core(pthread_t id, size_t number)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(number % (size_t) sysconf(_SC_NPROCESSORS_ONLN), &set);
    (void) pthread_setaffinity_np(id, sizeof(set), &set);
}


/* arg: a collection, or NULL for events. */
static void *
work(void *arg)
{
    size_t i;
    cardfeed_parser_t *parser = NULL;

    if (arg != NULL && (parser = cardfeed_parser_create(arg)) == NULL) {
        die("parser");
    }
    while ((i = atomic_fetch_add(&next, 1)) < nfiles) {
        if (!(parser != NULL ? parse_card(parser, &files[i])
                             : pull_events(&files[i])))
        {
            atomic_fetch_add(&errors, 1);
        }
    }
    cardfeed_parser_destroy(parser);

    return NULL;
}


static void
run(cardfeed_collection_t *c, size_t threads, size_t bytes)
{
    size_t i;
    double wall, cpu;
    pthread_t id[PARSE_THREADS];

    atomic_store(&next, 0);
    atomic_store(&errors, 0);
    wall = seconds(CLOCK_MONOTONIC);
    cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);

    for (i = 0; i < threads; i++) {
        if (pthread_create(&id[i], NULL, work, c) != 0) {
            die("pthread_create");
        }
        if (threads > 1) {
            keep_to_core(id[i], i);
        }
    }
    for (i = 0; i < threads; i++) {
        pthread_join(id[i], NULL);
    }

    printf("{\"wall\": %.6f, \"cpu\": %.6f, \"bytes\": %zu, "
           "\"files\": %zu, \"errors\": %zu}\n",
        seconds(CLOCK_MONOTONIC) - wall,
        seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu, bytes, nfiles,
        atomic_load(&errors));
}


int
main(int argc, char **argv)
{
    int rounds;
    size_t threads, bytes;
    cardfeed_collection_t c;

    if (argc != 4 || atoi(argv[2]) < 1 || atoi(argv[2]) > PARSE_THREADS) {
        fprintf(stderr, "usage: parse yaml|cards THREADS ROUNDS <PATHS\n");
        return 2;
    }
    threads = (size_t) atoi(argv[2]);
    cardfeed_collection_defaults(&c);
    c.name = cardfeed_str_of("news");
    c.dir = "/";
    bytes = load_all();

    for (rounds = atoi(argv[3]); rounds > 0; rounds--) {
        run(strcmp(argv[1], "cards") == 0 ? &c : NULL, threads, bytes);
    }

    return 0;
}
