/* main: cardfeed-check. */

#include "check.h"

#include <cardfeed/record.h>

#include <stdio.h>
#include <time.h>

#define TOPICS_SHOWN 20
#define PROGRESS_FILES 64


static int
failed(check_t *check, const cardfeed_error_t *err)
{
    check_progress_clear(&check->progress);
    fflush(stdout);
    fprintf(stderr, "cardfeed-check: %s\n", err->message);

    return CHECK_TROUBLE;
}


static void
print_counts(const check_counts_t *c)
{
    printf("%zu files: %zu cards in feeds, %zu undated, %zu waiting, "
           "%zu hidden, %zu expired, %zu rejected, "
           "%zu without front matter; %zu warnings\n", c->files,
        c->states[CHECK_SHOWN], c->states[CHECK_UNDATED],
        c->states[CHECK_WAITING], c->states[CHECK_HIDDEN],
        c->states[CHECK_EXPIRED], c->rejected, c->notcards, c->warnings);
}


static int
finish(check_t *check)
{
    const check_options_t *options = check->options;
    cardfeed_error_t err;

    check_progress_clear(&check->progress);

    if (!options->quiet) {
        check_topics_print(check->topics,
            options->all_topics ? SIZE_MAX : TOPICS_SHOWN);
        print_counts(&check->counts);
    }

    if (fflush(stdout) != 0 || ferror(stdout)) {
        cardfeed_error_set(&err, CARDFEED_ERROR, 0, "cannot write");
        return failed(check, &err);
    }

    return check->counts.rejected != 0
            || (options->strict && check->counts.warnings != 0)
        ? CHECK_REJECTED
        : CHECK_FINE;
}


static int
run(check_t *check)
{
    cardfeed_error_t err = {.code = CARDFEED_OK};
    size_t i;
    int rc;

    rc = cardfeed_watch_open(&check->watch, &check->options->collection,
        &err);

    if (rc == CARDFEED_OK && !cardfeed_watch_present(check->watch)) {
        return failed(check, &err);
    }

    if (rc == CARDFEED_OK) {
        rc = check_tree_read(&check->tree, check->watch, &check->progress,
            &err);
    }

    if (rc != CARDFEED_OK) {
        return failed(check, &err);
    }

    for (i = 0; i < check->tree.n && rc == CARDFEED_OK; i++) {
        rc = check_judge(check, i);

        if (i % PROGRESS_FILES == 0) {
            check_progress_tell(&check->progress, i, check->tree.n);
        }
    }

    if (rc != CARDFEED_OK) {
        cardfeed_error_set(&err, rc, 0, "out of memory");
        return failed(check, &err);
    }

    return finish(check);
}


int
main(int argc, char **argv)
{
    check_options_t options;
    check_t check = {.options = &options};
    int status;

    cardfeed_text_init();

    status = check_options_read(&options, argc, argv);

    if (status == -1) {
        check.now = (int64_t) time(NULL);
        cardfeed_buf_init(&check.data, options.collection.max_card + 65536);
        cardfeed_buf_init(&check.record, CARDFEED_RECORD_MAX);
        check_progress_init(&check.progress);
        check.parser = cardfeed_parser_create(&options.collection);
        check.topics = check_topics_create();

        if (check.parser != NULL && check.topics != NULL) {
            status = run(&check);

        } else {
            fputs("cardfeed-check: out of memory\n", stderr);
            status = CHECK_TROUBLE;
        }

        check_topics_free(check.topics);
        check_map_free(&check.links);
        check_map_free(&check.identities);
        check_tree_free(&check.tree);
        cardfeed_parser_destroy(check.parser);
        cardfeed_watch_close(check.watch);
        cardfeed_buf_free(&check.record);
        cardfeed_buf_free(&check.data);
    }

    check_options_free(&options);

    return status;
}
